//! Hands each market message, encoded once, to every connection that asked for its stream. A
//! connection that does not read is closed, so memory stays bounded and no one is silently sent a
//! stream with a gap. Refuses to know what the messages say and how they travel.

use super::{Stream, TimeUnit};
use std::sync::Arc;
use thiserror::Error;

/// The most streams of one connection (dialect §8).
pub const STREAMS_MAX: usize = 1_024;

/// A connection asked for more than [`STREAMS_MAX`] streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a connection may have at most {STREAMS_MAX} streams; unsubscribe from some first")]
pub struct TooManyStreams;

/// One message of a market stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketMessage {
    /// The stream's name as this connection wrote it.
    pub stream: Arc<str>,
    /// The payload, as JSON text.
    pub json: Arc<str>,
}

/// Who listens to which stream.
#[derive(Debug)]
pub struct Hub {}

impl Hub {
    /// A connection's place in the hub, without streams yet. Times are sent to it in `unit`.
    pub fn connect(self: &Arc<Self>, unit: TimeUnit) -> Subscription {
        todo!("{unit:?}")
    }
}

/// One connection's streams and its bounded queue. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {}

impl Subscription {
    /// Adds a stream under the name the client wrote. Adding it again only takes the new name.
    pub fn subscribe(&mut self, stream: Stream, name: &str) -> Result<(), TooManyStreams> {
        todo!("{stream:?} {name}")
    }

    /// Takes a stream away; whether it was there.
    pub fn unsubscribe(&mut self, stream: Stream) -> bool {
        todo!("{stream:?}")
    }

    /// The names of its streams, sorted.
    pub fn names(&self) -> Vec<Arc<str>> {
        todo!()
    }

    /// The next message, in order. `None`, after what was queued, once the connection was found
    /// too slow: close it, so that the client starts afresh. Cancel-safe.
    #[expect(clippy::unused_async, reason = "being built")]
    pub async fn receive(&mut self) -> Option<MarketMessage> {
        todo!()
    }
}
