//! Hands each market message, encoded once, to every connection that asked for its stream. One that
//! reads slowly is sent fewer, joined messages where that loses nothing (books, quotes, tickers), and
//! closed where it would (trades): memory stays bounded, and no one is silently sent a stream with a
//! gap. Refuses to know what the messages say and how they travel.

use super::{
    Listing, MarketMessage, Stream, TimeUnit,
    depth::DepthChange,
    locks::lock,
    market_message::{DepthUpdate, Encoded, Payload, Queued},
    outbox::{Full, Outbox},
};
use protocol::Time;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use thiserror::Error;

/// The most streams of one connection (dialect §8).
pub const STREAMS_MAX: usize = 1_024;

/// A connection asked for more than [`STREAMS_MAX`] streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a connection may have at most {STREAMS_MAX} streams; unsubscribe from some first")]
pub struct TooManyStreams;

/// Who listens to which stream.
#[derive(Debug)]
pub struct Hub {
    /// Bytes that may wait for one connection.
    queue_bytes: usize,
    /// How many listeners there are, so that nobody's absence costs nothing.
    listeners: AtomicUsize,
    /// The most bytes that ever waited for one connection.
    most_queued: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    connections: HashMap<u64, Connection>,
    streams: HashMap<Stream, Vec<Listener>>,
    /// Streams that someone joined since [`Hub::listened`] was last asked.
    joined: HashSet<Stream>,
}

#[derive(Debug)]
struct Connection {
    unit: TimeUnit,
    outbox: Arc<Outbox<Queued>>,
    streams: HashSet<Stream>,
}

#[derive(Debug)]
struct Listener {
    connection: u64,
    /// Which of the connection's subscriptions this is: tells it from an earlier one to the same
    /// stream, of which messages may still be queued.
    subscription: u64,
    unit: TimeUnit,
    outbox: Arc<Outbox<Queued>>,
}

impl Hub {
    pub(super) fn new(queue_bytes: usize) -> Self {
        Self {
            queue_bytes,
            listeners: AtomicUsize::new(0),
            most_queued: AtomicUsize::new(0),
            state: Mutex::default(),
        }
    }

    /// A connection's place in the hub, without streams yet. Times are sent to it in `unit`.
    pub fn connect(self: &Arc<Self>, unit: TimeUnit) -> Subscription {
        let outbox = Arc::new(Outbox::new(self.queue_bytes));
        let mut state = lock(&self.state);
        state.next += 1;
        let connection = state.next;
        let own = Arc::clone(&outbox);
        state.connections.insert(connection, Connection { unit, outbox: own, streams: HashSet::new() });
        Subscription { hub: Arc::clone(self), connection, unit, outbox, names: HashMap::new(), next: 0 }
    }

    /// The most bytes that ever waited for one connection.
    pub fn most_queued_bytes(&self) -> usize {
        self.most_queued.load(Ordering::Relaxed)
    }

    /// Every stream that has a listener, and whether one joined since the last call.
    pub(super) fn listened(&self) -> Vec<(Stream, bool)> {
        if self.is_idle() {
            return Vec::new();
        }
        let mut state = lock(&self.state);
        let joined = std::mem::take(&mut state.joined);
        state.streams.keys().map(|stream| (*stream, joined.contains(stream))).collect()
    }

    /// Whether nobody listens to anything.
    pub(super) fn is_idle(&self) -> bool {
        self.listeners.load(Ordering::Acquire) == 0
    }

    /// Sends a message to everyone who listens to `stream`. `encode` is called once for each unit
    /// of time that someone wants, and not at all when nobody listens.
    pub(super) fn publish(&self, stream: Stream, encode: impl Fn(TimeUnit) -> String) {
        let of = if stream.tells_all_anew() { Payload::Newest } else { Payload::Each };
        self.encode(stream, encode, of);
    }

    /// The same, of a message that no later one of the stream makes needless.
    pub(super) fn publish_final(&self, stream: Stream, encode: impl Fn(TimeUnit) -> String) {
        self.encode(stream, encode, Payload::Final);
    }

    fn encode(&self, stream: Stream, encode: impl Fn(TimeUnit) -> String, of: fn(Arc<Encoded>) -> Payload) {
        let mut encoded: [Option<Arc<Encoded>>; 2] = [None, None];
        self.send(stream, |unit| {
            let encoded = encoded[unit as usize].get_or_insert_with(|| Encoded::new(encode(unit)));
            of(Arc::clone(encoded))
        });
    }

    /// Sends a difference of the book.
    pub(super) fn publish_depth(
        &self,
        stream: Stream,
        listing: &Arc<Listing>,
        change: DepthChange,
        now: Time,
    ) {
        if self.is_idle() {
            return;
        }
        let update = DepthUpdate::new(listing, change, now);
        self.send(stream, |_| Payload::Depth(Arc::clone(&update)));
    }

    fn send(&self, stream: Stream, mut payload: impl FnMut(TimeUnit) -> Payload) {
        if self.is_idle() {
            return;
        }
        let mut state = lock(&self.state);
        let Some(listeners) = state.streams.get(&stream) else { return };
        let mut too_slow = Vec::new();
        for listener in listeners {
            let payload = payload(listener.unit);
            let message = Queued { stream, subscription: listener.subscription, payload };
            match listener.outbox.push(message) {
                Ok(bytes) => {
                    self.most_queued.fetch_max(bytes, Ordering::Relaxed);
                }
                Err(Full) => too_slow.push(listener.connection),
            }
        }
        for connection in too_slow {
            self.remove(&mut state, connection);
        }
    }

    /// Takes a connection and all its listeners away; its queue ends after what is in it.
    fn remove(&self, state: &mut State, connection: u64) {
        let Some(removed) = state.connections.remove(&connection) else { return };
        for stream in removed.streams {
            self.remove_listener(state, stream, connection);
        }
    }

    fn remove_listener(&self, state: &mut State, stream: Stream, connection: u64) {
        if let Some(listeners) = state.streams.get_mut(&stream) {
            listeners.retain(|listener| listener.connection != connection);
            if listeners.is_empty() {
                state.streams.remove(&stream);
            }
            self.listeners.fetch_sub(1, Ordering::Release);
        }
    }
}

/// One connection's streams and its bounded queue. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    connection: u64,
    unit: TimeUnit,
    outbox: Arc<Outbox<Queued>>,
    /// The client's name of each stream, and which subscription it is.
    names: HashMap<Stream, (Arc<str>, u64)>,
    next: u64,
}

impl Subscription {
    /// Adds a stream under the name the client wrote. Adding it again only takes the new name.
    pub fn subscribe(&mut self, stream: Stream, name: &str) -> Result<(), TooManyStreams> {
        if let Some((known, _)) = self.names.get_mut(&stream) {
            *known = name.into();
            return Ok(());
        }
        if self.names.len() >= STREAMS_MAX {
            return Err(TooManyStreams);
        }
        self.next += 1;
        self.names.insert(stream, (name.into(), self.next));
        let mut state = lock(&self.hub.state);
        let State { connections, streams, joined, .. } = &mut *state;
        // A connection found too slow is gone: its reader is about to learn that.
        if let Some(connection) = connections.get_mut(&self.connection) {
            connection.streams.insert(stream);
            joined.insert(stream);
            streams.entry(stream).or_default().push(Listener {
                connection: self.connection,
                subscription: self.next,
                unit: connection.unit,
                outbox: Arc::clone(&connection.outbox),
            });
            self.hub.listeners.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    /// Adds all of them, or none.
    pub fn subscribe_all(&mut self, streams: &[(Stream, &str)]) -> Result<(), TooManyStreams> {
        let added: HashSet<_> = streams
            .iter()
            .map(|(stream, _)| *stream)
            .filter(|stream| !self.names.contains_key(stream))
            .collect();
        if self.names.len() + added.len() > STREAMS_MAX {
            return Err(TooManyStreams);
        }
        streams.iter().try_for_each(|(stream, name)| self.subscribe(*stream, name))
    }

    /// Takes a stream away; whether it was there. Nothing of it is received any more.
    pub fn unsubscribe(&mut self, stream: Stream) -> bool {
        let there = self.names.remove(&stream).is_some();
        let mut state = lock(&self.hub.state);
        let connection = state.connections.get_mut(&self.connection);
        if connection.is_some_and(|connection| connection.streams.remove(&stream)) {
            self.hub.remove_listener(&mut state, stream, self.connection);
        }
        there
    }

    /// The names of its streams, sorted.
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.names.values().map(|(name, _)| Arc::clone(name)).collect();
        names.sort();
        names
    }

    /// The next message, in order. `None`, after what was queued, once the connection was found
    /// too slow: close it, so that the client starts afresh. Cancel-safe.
    pub async fn receive(&mut self) -> Option<MarketMessage> {
        loop {
            let queued = self.outbox.receive().await?;
            if let Some(message) = self.named(&queued) {
                return Some(message);
            }
        }
    }

    /// The next message if one is there already.
    pub fn try_receive(&mut self) -> Option<MarketMessage> {
        loop {
            let queued = self.outbox.try_receive()?;
            if let Some(message) = self.named(&queued) {
                return Some(message);
            }
        }
    }

    fn named(&self, queued: &Queued) -> Option<MarketMessage> {
        let (name, subscription) = self.names.get(&queued.stream)?;
        let current = *subscription == queued.subscription;
        current.then(|| MarketMessage::new(name, queued.payload.encoded(self.unit)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.remove(&mut lock(&self.hub.state), self.connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::InstrumentId;

    const TRADE: Stream = Stream::Trade(InstrumentId(1));
    const BOOK: Stream = Stream::BookTicker(InstrumentId(1));

    fn received(subscription: &mut Subscription) -> Vec<String> {
        std::iter::from_fn(|| subscription.try_receive())
            .map(|message| format!("{}={}", message.stream(), message.json().as_str()))
            .collect()
    }

    #[test]
    fn each_connection_gets_its_streams_by_its_names_in_its_unit() {
        let hub = Arc::new(Hub::new(1_000));
        let mut first = hub.connect(TimeUnit::Millisecond);
        let mut second = hub.connect(TimeUnit::Microsecond);
        first.subscribe(TRADE, "a@trade").expect("room");
        second.subscribe(TRADE, "A@trade").expect("room");
        second.subscribe(BOOK, "A@book").expect("room");
        assert_eq!(hub.listened().iter().filter(|(_, joined)| *joined).count(), 2);
        hub.publish(TRADE, |unit| format!("{unit:?}"));
        hub.publish(BOOK, |_| "b".to_owned());
        hub.publish(Stream::AllTickers, |_| unreachable!("nobody listens"));
        assert_eq!(received(&mut first), ["a@trade=Millisecond"]);
        assert_eq!(received(&mut second), ["A@trade=Microsecond", "A@book=b"]);
        assert_eq!(second.names().iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["A@book", "A@trade"]);
        assert!(hub.listened().iter().all(|(_, joined)| !joined));
        drop((first, second));
        assert!(hub.is_idle() && hub.listened().is_empty());
    }

    #[test]
    fn a_stream_left_and_joined_again_starts_afresh() {
        let hub = Arc::new(Hub::new(1_000));
        let mut subscription = hub.connect(TimeUnit::Millisecond);
        subscription.subscribe(TRADE, "t").expect("room");
        hub.publish(TRADE, |_| "old".to_owned());
        assert!(subscription.unsubscribe(TRADE));
        assert!(!subscription.unsubscribe(TRADE));
        hub.publish(TRADE, |_| unreachable!("nobody listens"));
        subscription.subscribe(TRADE, "t").expect("room");
        hub.publish(TRADE, |_| "new".to_owned());
        assert_eq!(received(&mut subscription), ["t=new"]);
    }

    #[tokio::test]
    async fn a_connection_that_does_not_read_ends_after_what_was_queued() {
        let hub = Arc::new(Hub::new(200));
        let mut slow = hub.connect(TimeUnit::Millisecond);
        let mut quick = hub.connect(TimeUnit::Millisecond);
        slow.subscribe(TRADE, "t").expect("room");
        slow.subscribe(BOOK, "b").expect("room");
        quick.subscribe(TRADE, "t").expect("room");
        for message in ["1", "2", "3"] {
            hub.publish(TRADE, |_| message.to_owned());
            assert_eq!(quick.receive().await.expect("a message").json().as_str(), message);
        }
        assert_eq!(slow.receive().await.expect("a message").json().as_str(), "1");
        assert_eq!(slow.receive().await.expect("a message").json().as_str(), "2");
        assert!(slow.receive().await.is_none());
        assert!(hub.most_queued_bytes() <= 200);
        slow.subscribe(Stream::AllTickers, "late").expect("room, to no avail");
        assert_eq!(hub.listened().len(), 1);
    }

    #[test]
    fn streams_of_a_connection_are_bounded() {
        let hub = Arc::new(Hub::new(0));
        let mut subscription = hub.connect(TimeUnit::Millisecond);
        for id in 0..STREAMS_MAX as u16 {
            subscription.subscribe(Stream::Trade(InstrumentId(id)), "t").expect("room");
        }
        assert_eq!(subscription.subscribe(BOOK, "b"), Err(TooManyStreams));
        subscription.subscribe(TRADE, "again").expect("it is there");
        assert!(subscription.unsubscribe(TRADE));
        assert_eq!(subscription.subscribe_all(&[(TRADE, "t"), (BOOK, "b")]), Err(TooManyStreams));
        assert!(!subscription.unsubscribe(TRADE), "all or none");
        subscription.subscribe_all(&[(BOOK, "b"), (BOOK, "c")]).expect("room for one");
    }
}
