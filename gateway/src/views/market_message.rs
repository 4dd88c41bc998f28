//! Market messages on their way: each is encoded once, and its bytes are shared by all who are sent
//! it. Refuses to know who that is, and when.

use super::{
    Listing, Stream, TimeUnit,
    depth::DepthChange,
    market_stream,
    outbox::{Place, Waiting},
};
use protocol::Time;
use std::sync::{Arc, OnceLock};

/// A text that many connections send and none copies.
pub type SharedText = axum::extract::ws::Utf8Bytes;

/// What a message takes besides its text, about.
const OVERHEAD_BYTES: usize = 96;
/// What a level of the book takes as text, about.
const LEVEL_BYTES: usize = 48;

/// A payload as text.
#[derive(Debug)]
pub(super) struct Encoded {
    json: SharedText,
    /// Wrapped with the stream's name as the first who wanted it wrote it; mostly, all write the same.
    wrapped: OnceLock<(Arc<str>, SharedText)>,
}

impl Encoded {
    pub(super) fn new(json: String) -> Arc<Self> {
        Arc::new(Self { json: json.into(), wrapped: OnceLock::new() })
    }

    fn wrapped(&self, stream: &Arc<str>) -> SharedText {
        let wrap = || (Arc::clone(stream), wrapped(stream, &self.json).into());
        let (name, text) = self.wrapped.get_or_init(wrap);
        if name == stream { text.clone() } else { wrap().1 }
    }
}

/// A difference of the book. It becomes text when it is sent: until then it may be joined by others.
#[derive(Debug)]
pub(super) struct DepthUpdate {
    pub(super) listing: Arc<Listing>,
    pub(super) change: DepthChange,
    /// When it was published.
    pub(super) time: Time,
    /// By unit of time.
    encoded: [OnceLock<Arc<Encoded>>; 2],
}

impl DepthUpdate {
    pub(super) fn new(listing: &Arc<Listing>, change: DepthChange, time: Time) -> Arc<Self> {
        Arc::new(Self { listing: Arc::clone(listing), change, time, encoded: Default::default() })
    }

    fn encoded(&self, unit: TimeUnit) -> Arc<Encoded> {
        let encode = || Encoded::new(market_stream::depth(&self.listing, &self.change, self.time, unit));
        Arc::clone(self.encoded[unit as usize].get_or_init(encode))
    }
}

/// What waits of a message.
#[derive(Clone, Debug)]
pub(super) enum Payload {
    /// Sent whatever comes after it.
    Each(Arc<Encoded>),
    /// Of no interest once there is a newer one.
    Newest(Arc<Encoded>),
    /// The last of its kind, whatever comes after it.
    Final(Arc<Encoded>),
    /// Says the same joined with the next.
    Depth(Arc<DepthUpdate>),
}

impl Payload {
    pub(super) fn encoded(&self, unit: TimeUnit) -> Arc<Encoded> {
        match self {
            Self::Each(encoded) | Self::Newest(encoded) | Self::Final(encoded) => Arc::clone(encoded),
            Self::Depth(update) => update.encoded(unit),
        }
    }
}

/// A message in a connection's queue.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) stream: Stream,
    /// Which of the connection's subscriptions it belongs to.
    pub(super) subscription: u64,
    pub(super) payload: Payload,
}

impl Waiting for Queued {
    type Key = (Stream, u64);

    fn bytes(&self) -> usize {
        OVERHEAD_BYTES
            + match &self.payload {
                Payload::Each(encoded) | Payload::Newest(encoded) | Payload::Final(encoded) => {
                    encoded.json.as_str().len()
                }
                Payload::Depth(update) => {
                    OVERHEAD_BYTES + (update.change.bids.len() + update.change.asks.len()) * LEVEL_BYTES
                }
            }
    }

    fn place(&self) -> Place<Self::Key> {
        let key = (self.stream, self.subscription);
        match self.payload {
            Payload::Each(_) => Place::Own,
            Payload::Newest(_) | Payload::Depth(_) => Place::With(key),
            Payload::Final(_) => Place::Last(key),
        }
    }

    fn join(&mut self, later: Self) {
        if let (Payload::Depth(earlier), Payload::Depth(update)) = (&self.payload, &later.payload) {
            let change = earlier.change.joined(&update.change);
            self.payload = Payload::Depth(DepthUpdate::new(&update.listing, change, update.time));
        } else {
            self.payload = later.payload;
        }
    }
}

/// One message of a market stream.
#[derive(Clone, Debug)]
pub struct MarketMessage {
    stream: Arc<str>,
    encoded: Arc<Encoded>,
}

impl MarketMessage {
    pub(super) fn new(stream: &Arc<str>, encoded: Arc<Encoded>) -> Self {
        Self { stream: Arc::clone(stream), encoded }
    }

    /// The stream's name as this connection wrote it.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The payload, as JSON text.
    pub fn json(&self) -> SharedText {
        self.encoded.json.clone()
    }

    /// The payload wrapped with the stream's name, as JSON text.
    pub fn wrapped(&self) -> SharedText {
        self.encoded.wrapped(&self.stream)
    }
}

/// `{"stream":…,"data":…}`, the stream first, which helps fast parsers.
pub fn wrapped(stream: &str, json: &str) -> String {
    // A stream's name is letters, digits and `@!_+:%`, so it needs no escaping.
    let mut text = String::with_capacity(stream.len() + json.len() + 24);
    text.push_str(r#"{"stream":""#);
    text.push_str(stream);
    text.push_str(r#"","data":"#);
    text.push_str(json);
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_text_is_made_once_for_those_who_write_the_name_alike() {
        let encoded = Encoded::new("{}".to_owned());
        let message = |name: &str| MarketMessage::new(&name.into(), Arc::clone(&encoded));
        let (first, second) = (message("btcusdt@trade").wrapped(), message("btcusdt@trade").wrapped());
        assert_eq!(first.as_str(), r#"{"stream":"btcusdt@trade","data":{}}"#);
        assert_eq!(first.as_str().as_ptr(), second.as_str().as_ptr(), "the same bytes");
        assert_eq!(message("BTCUSDT@trade").wrapped().as_str(), r#"{"stream":"BTCUSDT@trade","data":{}}"#);
        assert_eq!(message("a").json().as_str().as_ptr(), message("b").json().as_str().as_ptr());
    }
}
