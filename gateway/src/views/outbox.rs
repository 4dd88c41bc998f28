//! The queue between a publisher that never waits and a connection that may be slow. It is bounded in
//! bytes: a reader that falls behind gets one message in place of several where that loses nothing, and
//! an end where it would. Refuses to know what messages say.

use super::locks::lock;
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    hash::Hash,
    sync::Mutex,
};
use thiserror::Error;
use tokio::sync::Notify;

/// From so many waiting messages on, the reader is behind, and messages that can take each other's
/// place do.
const BEHIND: usize = 64;

/// A message that may have to wait.
pub(super) trait Waiting: Sized + fmt::Debug {
    /// Messages of one key may stand in one place.
    type Key: Copy + Eq + Hash + fmt::Debug;

    /// What it holds in memory, in bytes; at most, where it shares.
    fn bytes(&self) -> usize;

    /// Which other messages it may stand in for.
    fn place(&self) -> Place<Self::Key>;

    /// Becomes one message that says what it and `later`, of the same key, say together. It may not
    /// grow by more than `later` is.
    fn join(&mut self, later: Self);
}

/// Where a message waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<K> {
    /// In a place of its own.
    Own,
    /// Where an earlier one of the key waits, if one does.
    With(K),
    /// In a place of its own, and none of the key that comes later may join one before it.
    Last(K),
}

/// The reader did not read, and the bound is reached: it gets what waits, and then an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the reader is too slow: its queue is full, and has ended")]
pub(super) struct Full;

/// The queue.
#[derive(Debug)]
pub(super) struct Outbox<T: Waiting> {
    bytes_max: usize,
    state: Mutex<State<T>>,
    ready: Notify,
}

#[derive(Debug)]
struct State<T: Waiting> {
    queue: VecDeque<T>,
    /// The number of the first message of the queue.
    first: u64,
    /// The number of the message that others of the key may join.
    joinable: HashMap<T::Key, u64>,
    bytes: usize,
    ended: bool,
}

impl<T: Waiting> Outbox<T> {
    /// An empty queue of at most `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        let state =
            State { queue: VecDeque::new(), first: 0, joinable: HashMap::new(), bytes: 0, ended: false };
        Self { bytes_max, state: Mutex::new(state), ready: Notify::new() }
    }

    /// Adds a message and says how many bytes wait, or ends the queue when there is no room for it.
    pub(super) fn push(&self, message: T) -> Result<usize, Full> {
        let mut state = lock(&self.state);
        if state.ended || state.bytes + message.bytes() > self.bytes_max {
            state.ended = true;
            drop(state);
            self.ready.notify_one();
            return Err(Full);
        }
        let was_empty = state.queue.is_empty();
        state.add(message);
        let bytes = state.bytes;
        drop(state);
        if was_empty {
            self.ready.notify_one();
        }
        Ok(bytes)
    }

    /// The next message, in order; `None`, after what waited, once the queue has ended. For one reader.
    /// Cancel-safe.
    pub(super) async fn receive(&self) -> Option<T> {
        loop {
            {
                let mut state = lock(&self.state);
                if let Some(message) = state.take() {
                    return Some(message);
                }
                if state.ended {
                    return None;
                }
            }
            self.ready.notified().await;
        }
    }

    /// The next message if one waits.
    pub(super) fn try_receive(&self) -> Option<T> {
        lock(&self.state).take()
    }
}

impl<T: Waiting> State<T> {
    fn add(&mut self, message: T) {
        let number = self.first + self.queue.len() as u64;
        match message.place() {
            Place::Own => {}
            Place::Last(key) => {
                self.joinable.remove(&key);
            }
            Place::With(key) => {
                let waiting = self.joinable.get(&key).filter(|_| self.queue.len() >= BEHIND);
                let earlier = waiting.and_then(|waiting| self.queue.get_mut((waiting - self.first) as usize));
                if let Some(earlier) = earlier {
                    let before = earlier.bytes();
                    earlier.join(message);
                    self.bytes = self.bytes - before + earlier.bytes();
                    return;
                }
                self.joinable.insert(key, number);
            }
        }
        self.bytes += message.bytes();
        self.queue.push_back(message);
    }

    fn take(&mut self) -> Option<T> {
        let message = self.queue.pop_front()?;
        self.bytes -= message.bytes();
        if let Place::With(key) = message.place()
            && self.joinable.get(&key) == Some(&self.first)
        {
            self.joinable.remove(&key);
        }
        self.first += 1;
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Counts what it stands for.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Message {
        key: u8,
        is_last: bool,
        first: u32,
        last: u32,
    }

    impl Waiting for Message {
        type Key = u8;

        fn bytes(&self) -> usize {
            10
        }

        fn place(&self) -> Place<u8> {
            match (self.key, self.is_last) {
                (0, _) => Place::Own,
                (key, false) => Place::With(key),
                (key, true) => Place::Last(key),
            }
        }

        fn join(&mut self, later: Self) {
            assert_eq!((self.key, self.last + 1), (later.key, later.first), "none between was passed over");
            self.last = later.last;
        }
    }

    fn message(key: u8, number: u32) -> Message {
        Message { key, is_last: false, first: number, last: number }
    }

    #[tokio::test]
    async fn a_reader_gets_all_in_order_or_an_end() {
        let outbox = Outbox::new(30);
        for number in 0..3 {
            assert_eq!(outbox.push(message(0, number)), Ok(10 * (number as usize + 1)));
        }
        assert_eq!(outbox.push(message(0, 3)), Err(Full));
        assert_eq!(outbox.push(message(0, 4)), Err(Full), "an end is an end, although there is room again");
        for number in 0..3 {
            assert_eq!(outbox.receive().await, Some(message(0, number)));
        }
        assert_eq!(outbox.receive().await, None);
    }

    #[tokio::test]
    async fn a_waiting_reader_wakes() {
        let outbox = std::sync::Arc::new(Outbox::new(1_000));
        let reader = tokio::spawn({
            let outbox = std::sync::Arc::clone(&outbox);
            async move { (outbox.receive().await, outbox.receive().await) }
        });
        tokio::task::yield_now().await;
        outbox.push(message(0, 1)).expect("room");
        tokio::task::yield_now().await;
        outbox.push(message(0, 2)).expect("room");
        assert_eq!(reader.await.expect("no panic"), (Some(message(0, 1)), Some(message(0, 2))));
    }

    proptest! {
        /// However pushes and reads fall: what is read says everything, in each key's order, nothing is
        /// joined across a last one, and bytes are what waits.
        #[test]
        fn nothing_is_lost_by_joining(
            steps in proptest::collection::vec((0_u8..4, 0_u8..12, 0_u8..3), 0..600),
        ) {
            let outbox = Outbox::new(usize::MAX);
            let mut numbers = [0_u32; 4];
            let mut read = Vec::new();
            for (key, last, reads) in steps {
                let number = numbers[usize::from(key)];
                numbers[usize::from(key)] += 1;
                outbox.push(Message { is_last: last == 0, ..message(key, number) }).unwrap();
                // Behind for most of the time.
                if outbox.state.lock().unwrap().queue.len() > 70 {
                    read.extend((0..reads).filter_map(|_| outbox.try_receive()));
                }
                let state = outbox.state.lock().unwrap();
                prop_assert_eq!(state.bytes, state.queue.len() * 10);
                prop_assert!(state.joinable.len() <= state.queue.len());
            }
            read.extend(std::iter::from_fn(|| outbox.try_receive()));
            let mut next = [0_u32; 4];
            for message in read {
                prop_assert_eq!(message.first, next[usize::from(message.key)]);
                prop_assert!(!message.is_last || message.first == message.last);
                next[usize::from(message.key)] = message.last + 1;
            }
            prop_assert_eq!(next, numbers);
        }
    }
}
