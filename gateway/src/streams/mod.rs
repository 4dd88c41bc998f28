//! Market streams (dialect §8): one connection, its subscriptions, and the control frames that change
//! them. Refuses to know what the messages say: the views encode them.

mod control;
mod message_rate;
mod routes;

pub(crate) use routes::{not_an_upgrade, query_value, routes};

use crate::{
    Gateway,
    dialect::payload::percent_decoded,
    gateway::stopped,
    link::{BATCH_FRAMES_MAX, CloseCode, EXPIRED, Gone, Incoming, Link, STOPPING},
    views::{MarketMessage, SharedText, Stream, Subscription, TimeUnit, TooManyStreams, wrapped},
};
use control::Control;
use futures_util::FutureExt;
use message_rate::MessageRate;
use std::sync::atomic::Ordering;

/// How a connection wants its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Format {
    /// Wrapped with the stream's name, or raw.
    combined: bool,
    /// The unit of times.
    unit: TimeUnit,
}

/// One connection's state.
struct Session {
    gateway: Gateway,
    subscription: Subscription,
    format: Format,
    /// Whether the path named more streams than a connection may have.
    too_many: bool,
}

/// Serves a connection until it ends.
async fn serve(mut session: Session, mut link: Link) {
    let gateway = session.gateway.clone();
    gateway.counters.stream_connections.fetch_add(1, Ordering::Relaxed);
    let end = if session.too_many {
        End::Broke("a connection may have at most 1024 streams")
    } else {
        session.run(&mut link).await
    };
    match end {
        End::Left => {}
        End::Planned(why) => {
            // The client may be gone already.
            let _ = link.send(session.shutdown_event()).await;
            link.close(CloseCode::Away, why).await;
        }
        End::Slow => {
            gateway.counters.slow_connections.fetch_add(1, Ordering::Relaxed);
            link.close(CloseCode::TryAgain, "too slow: messages were waiting; connect again").await;
        }
        End::Stuck => {
            gateway.counters.slow_connections.fetch_add(1, Ordering::Relaxed);
        }
        End::Broke(rule) => link.close(CloseCode::Policy, rule).await,
    }
    gateway.counters.stream_connections.fetch_sub(1, Ordering::Relaxed);
}

/// Why a connection ends.
enum End {
    Left,
    /// The server stops, or the connection has lived its life.
    Planned(&'static str),
    /// Messages that must not be lost had no more room.
    Slow,
    /// The client reads nothing, and so could not be told either.
    Stuck,
    Broke(&'static str),
}

impl Session {
    /// Subscribes before the connection is answered, so that a client which sees it open misses
    /// nothing after. A name that is no stream is ignored: some clients number their connections in
    /// the path.
    fn open(gateway: Gateway, names: &[String], format: Format) -> Self {
        let subscription = gateway.views.hub().connect(format.unit);
        let mut session = Self { gateway, subscription, format, too_many: false };
        session.too_many = session.subscribe(names).is_err();
        session
    }

    async fn run(&mut self, link: &mut Link) -> End {
        let mut stopping = self.gateway.stopping();
        let rate = MessageRate::new(self.gateway.limiter.limits());
        loop {
            let done = tokio::select! {
                () = stopped(&mut stopping) => return End::Planned(STOPPING),
                incoming = link.incoming() => match incoming {
                    Incoming::End => return End::Left,
                    Incoming::Expired => return End::Planned(EXPIRED),
                    Incoming::Text(text) => {
                        if !rate.allows() {
                            return End::Broke("too many messages a second");
                        }
                        let answer = self.control(&text);
                        link.send(answer).await
                    }
                },
                message = self.subscription.receive() => match message {
                    None => return End::Slow,
                    Some(message) => self.send_batch(link, message).await,
                },
            };
            match done {
                Ok(()) => {}
                Err(Gone::Left) => return End::Left,
                Err(Gone::Stuck) => return End::Stuck,
            }
        }
    }

    /// Sends a message and those that wait behind it, flushed once.
    async fn send_batch(&mut self, link: &mut Link, first: MarketMessage) -> Result<(), Gone> {
        link.feed(self.text(&first)).await?;
        for _ in 1..BATCH_FRAMES_MAX {
            // What is not there yet is left for the next turn; so is the end of a slow connection,
            // which is told again.
            match self.subscription.receive().now_or_never() {
                Some(Some(message)) => link.feed(self.text(&message)).await?,
                Some(None) | None => break,
            }
        }
        link.flush().await
    }

    fn text(&self, message: &MarketMessage) -> SharedText {
        if self.format.combined { message.wrapped() } else { message.json() }
    }

    fn shutdown_event(&self) -> String {
        let time = self.format.unit.of(self.gateway.now());
        let event = format!(r#"{{"e":"serverShutdown","E":{time}}}"#);
        if self.format.combined { wrapped("!serverShutdown", &event) } else { event }
    }

    /// Does what a control frame asks and writes the answer.
    fn control(&mut self, text: &str) -> String {
        let (id, control) = control::parse(text);
        let result = control.and_then(|control| match control {
            Control::Subscribe(names) => match self.subscribe(&names) {
                Ok(()) => Ok("null".to_owned()),
                Err(error) => Err(control::Refused::new(4, error.to_string())),
            },
            Control::Unsubscribe(names) => {
                for name in &names {
                    if let Some(stream) = self.stream(name) {
                        self.subscription.unsubscribe(stream);
                    }
                }
                Ok("null".to_owned())
            }
            Control::List => Ok(control::names_json(&self.subscription.names())),
            Control::SetCombined(combined) => {
                self.format.combined = combined;
                Ok("null".to_owned())
            }
            Control::GetCombined => Ok(self.format.combined.to_string()),
        });
        control::answer(&id, result)
    }

    /// Takes all of them that are streams, or none.
    fn subscribe(&mut self, names: &[String]) -> Result<(), TooManyStreams> {
        let named = names.iter().filter_map(|name| Some((self.stream(name)?, name.as_str())));
        let streams: Vec<_> = named.collect();
        self.subscription.subscribe_all(&streams)
    }

    /// The stream that a client names, percent-encoded or not.
    fn stream(&self, name: &str) -> Option<Stream> {
        let name = percent_decoded(name).ok()?;
        Stream::parse(&name, &self.gateway.views.directory())
    }
}
