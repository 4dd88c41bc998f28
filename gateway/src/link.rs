//! One WebSocket connection: pings, silence, slow readers, and frames in batches (dialect §8). Refuses
//! to know what the frames say.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use futures_util::SinkExt;
use std::{future::Future, time::Duration};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

/// How long connections may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketTimes {
    /// The server pings this often.
    pub ping_interval: Duration,
    /// A client that sent no pong for so long is gone.
    pub pong_timeout: Duration,
    /// A client that takes nothing for so long is too slow.
    pub write_timeout: Duration,
    /// A connection lives no longer; it is told at the first ping after.
    pub life: Duration,
}

impl Default for SocketTimes {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(20),
            pong_timeout: Duration::from_mins(1),
            write_timeout: Duration::from_secs(10),
            life: Duration::from_hours(24),
        }
    }
}

/// The longest message taken from a client, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Bytes read ahead of a connection, and bytes gathered before they are written: with its queue, and one
/// message, all that a connection holds.
const READ_AHEAD_BYTES: usize = 8 * 1024;
const WRITE_BUFFER_BYTES: usize = 64 * 1024;
/// How many frames may be fed before they are flushed.
pub(crate) const BATCH_FRAMES_MAX: usize = 256;

/// Why a connection is closed when the server stops.
pub(crate) const STOPPING: &str = "the server is shutting down";
/// Why a connection is closed at the end of its life.
pub(crate) const EXPIRED: &str = "the connection has lived its life; connect again";

/// Nothing more can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The client has left.
    Left,
    /// The client is there, and does not read.
    Stuck,
}

/// What a client did.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// Sent a text.
    Text(Utf8Bytes),
    /// Left, fell silent, or sent what is not to be sent.
    End,
    /// Stayed as long as a connection may.
    Expired,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Link {
    socket: WebSocket,
    times: SocketTimes,
    opened: Instant,
    /// When the last pong came.
    heard: Instant,
    ping: Interval,
    ping_due: bool,
}

/// Turns a request into a connection that `serve` looks after.
pub(crate) fn upgrade<F, S>(
    upgrade: WebSocketUpgrade,
    times: SocketTimes,
    serve: S,
) -> axum::response::Response
where
    S: FnOnce(Link) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(READ_AHEAD_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .on_upgrade(async move |socket| serve(Link::new(socket, times)).await)
}

impl Link {
    fn new(socket: WebSocket, times: SocketTimes) -> Self {
        let now = Instant::now();
        let mut ping = interval_at(now + times.ping_interval, times.ping_interval);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { socket, times, opened: now, heard: now, ping, ping_due: false }
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
                    Some(Ok(Message::Text(text))) => return Incoming::Text(text),
                    // The library answers pings itself.
                    Some(Ok(Message::Ping(_))) => {}
                    Some(Ok(Message::Pong(_))) => self.heard = Instant::now(),
                    Some(Ok(Message::Close(_))) => {
                        // The library has its goodbye ready; many clients wait for it.
                        let _ = self.flush().await;
                        return Incoming::End;
                    }
                    Some(Ok(Message::Binary(_)) | Err(_)) | None => return Incoming::End,
                },
                _ = self.ping.tick() => {
                    if self.heard.elapsed() > self.times.pong_timeout {
                        return Incoming::End;
                    }
                    if self.opened.elapsed() > self.times.life {
                        return Incoming::Expired;
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
        let flushed = timeout(self.times.write_timeout, SinkExt::<Message>::flush(&mut self.socket)).await;
        flushed.map_err(|_| Gone::Stuck)?.map_err(|_| Gone::Left)
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
        let fed = timeout(self.times.write_timeout, self.socket.feed(message)).await;
        fed.map_err(|_| Gone::Stuck)?.map_err(|_| Gone::Left)
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
