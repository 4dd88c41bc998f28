//! One WebSocket connection: pings, silence, slow readers, and frames in batches (dialect §8). Refuses
//! to know what the frames say.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use futures_util::SinkExt;
use std::{future::Future, time::Duration};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

/// The server pings this often.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// A client that sent nothing, no pong either, for so long is gone.
const SILENCE_MAX: Duration = Duration::from_mins(1);
/// A client that takes nothing for so long is too slow.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest message taken from a client, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// How many frames may be fed before they are flushed.
pub(crate) const BATCH_FRAMES_MAX: usize = 256;

/// The client is gone or does not read: nothing more can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// What a client did.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// Sent a text.
    Text(Utf8Bytes),
    /// Left, fell silent, or sent what is not to be sent.
    End,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Link {
    socket: WebSocket,
    heard: Instant,
    ping: Interval,
    ping_due: bool,
}

/// Turns a request into a connection that `serve` looks after.
pub(crate) fn upgrade<F, S>(upgrade: WebSocketUpgrade, serve: S) -> axum::response::Response
where
    S: FnOnce(Link) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(async move |socket| serve(Link::new(socket)).await)
}

impl Link {
    fn new(socket: WebSocket) -> Self {
        let now = Instant::now();
        let mut ping = interval_at(now + PING_INTERVAL, PING_INTERVAL);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { socket, heard: now, ping, ping_due: false }
    }

    /// Waits for the client's next text; pings it meanwhile. Cancel-safe.
    pub(crate) async fn incoming(&mut self) -> Incoming {
        loop {
            if self.ping_due {
                if self.feed_message(Message::Ping(axum::body::Bytes::new())).await.is_err() {
                    return Incoming::End;
                }
                self.ping_due = false;
                if self.flush().await.is_err() {
                    return Incoming::End;
                }
            }
            tokio::select! {
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => {
                        self.heard = Instant::now();
                        match message {
                            Message::Text(text) => return Incoming::Text(text),
                            // The library answers pings itself.
                            Message::Ping(_) | Message::Pong(_) => {}
                            Message::Binary(_) | Message::Close(_) => return Incoming::End,
                        }
                    }
                    Some(Err(_)) | None => return Incoming::End,
                },
                _ = self.ping.tick() => {
                    if self.heard.elapsed() > SILENCE_MAX {
                        return Incoming::End;
                    }
                    self.ping_due = true;
                }
            }
        }
    }

    /// Puts a text into the batch; [`Self::flush`] sends it.
    pub(crate) async fn feed(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), Gone> {
        self.feed_message(Message::Text(text.into())).await
    }

    /// Sends what was fed.
    pub(crate) async fn flush(&mut self) -> Result<(), Gone> {
        match timeout(WRITE_TIMEOUT, SinkExt::<Message>::flush(&mut self.socket)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    /// Feeds one text and sends it.
    pub(crate) async fn send(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), Gone> {
        self.feed(text).await?;
        self.flush().await
    }

    /// Says goodbye, with a reason.
    pub(crate) async fn close(mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame { code: code.number(), reason: Utf8Bytes::from_static(reason) };
        if self.feed_message(Message::Close(Some(frame))).await.is_ok() {
            // The connection ends either way.
            let _ = self.flush().await;
        }
    }

    async fn feed_message(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(WRITE_TIMEOUT, self.socket.feed(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseCode {
    /// The server stops.
    Away,
    /// The client broke a rule.
    Policy,
    /// The server has had enough to do for now.
    TryAgain,
}

impl CloseCode {
    const fn number(self) -> u16 {
        match self {
            Self::Away => close_code::AWAY,
            Self::Policy => close_code::POLICY,
            Self::TryAgain => close_code::AGAIN,
        }
    }
}
