//! The ring and the waiting under Loom: every order in which a few threads' atomic steps can
//! happen. The sources are those of the library, built on Loom's primitives.
#![allow(dead_code, unused_imports, unreachable_pub)]

#[path = "../src/ring/mod.rs"]
mod ring;
#[path = "../src/sequence_gate.rs"]
mod sequence_gate;
#[path = "../src/wait.rs"]
mod wait;

mod sync {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::Arc;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
    use loom::sync::{Condvar, Mutex};
    pub(crate) use loom::thread::yield_now;

    /// A parker as `crossbeam-utils` promises it: a wake-up that comes first is remembered.
    pub(crate) struct Parker(Unparker);

    #[derive(Clone)]
    pub(crate) struct Unparker(Arc<(Mutex<bool>, Condvar)>);

    impl Parker {
        pub(crate) fn new() -> Self {
            Self(Unparker(Arc::new((Mutex::new(false), Condvar::new()))))
        }

        pub(crate) fn unparker(&self) -> &Unparker {
            &self.0
        }

        pub(crate) fn park(&self) {
            let (token, condvar) = &*self.0.0;
            let mut token = token.lock().expect("nobody panics with the lock");
            while !*token {
                token = condvar.wait(token).expect("nobody panics with the lock");
            }
            *token = false;
        }

        /// A model has no clock: the deadline never comes.
        pub(crate) fn park_deadline(&self, _deadline: std::time::Instant) {
            self.park();
        }
    }

    impl Unparker {
        pub(crate) fn unpark(&self) {
            let (token, condvar) = &*self.0;
            *token.lock().expect("nobody panics with the lock") = true;
            condvar.notify_one();
        }
    }
}

use loom::thread;
use ring::{Consumer, Producer, PushError};
use wait::{WaitStrategy, Waiter};

/// Sleeps at once: the part of waiting that can go wrong.
const SLEEP: WaitStrategy = WaitStrategy::Park { spins: 0, yields: 0 };

fn ring_of(slots: usize) -> (Producer, Consumer, Waiter) {
    let waiter = Waiter::new(SLEEP);
    let (producer, consumer) = ring::ring(slots, waiter.bell());
    (producer, consumer, waiter)
}

/// A record of `length` bytes that are all `mark` after the length.
fn record(length: u16, mark: u8) -> Vec<u8> {
    let mut record = vec![mark; usize::from(length)];
    record[..2].copy_from_slice(&length.to_le_bytes());
    record
}

/// The marks of whole records, after checking that each is whole.
fn marks(mut records: &[u8]) -> Vec<u8> {
    let mut marks = Vec::new();
    while let [low, high, mark, ..] = *records {
        let (record, rest) = records.split_at(usize::from(u16::from_le_bytes([low, high])));
        assert!(record[2..].iter().all(|byte| *byte == mark), "a torn record");
        marks.push(mark);
        records = rest;
    }
    marks
}

/// Drains, sleeping in between, until the records have come.
fn drain(consumer: &mut Consumer, waiter: &mut Waiter, records: usize) -> Vec<u8> {
    let mut buffer = Vec::new();
    let mut count = 0;
    while count < records {
        waiter.wait_until(None, || consumer.has_record());
        count += consumer.drain_into(&mut buffer, 1 << 20).records;
    }
    marks(&buffer)
}

/// Every order with at most two forced switches of threads, which is where nearly all faults show
/// and takes seconds. `LOOM_MAX_PREEMPTIONS=3` goes deeper and takes minutes.
fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(run);
}

#[test]
fn one_producer_and_a_sleeping_consumer() {
    model(|| {
        let (producer, mut consumer, mut waiter) = ring_of(2);
        let pushing = thread::spawn(move || {
            producer.push(&record(8, 1)).unwrap();
            producer.push(&record(8, 2)).unwrap();
        });
        assert_eq!(drain(&mut consumer, &mut waiter, 2), [1, 2]);
        pushing.join().unwrap();
    });
}

#[test]
fn two_producers_lose_and_tear_nothing() {
    model(|| {
        let (producer, mut consumer, mut waiter) = ring_of(4);
        let pushing: Vec<_> = [1, 2]
            .map(|mark| {
                let producer = producer.clone();
                thread::spawn(move || producer.push(&record(128, mark)).unwrap())
            })
            .into();
        let mut seen = drain(&mut consumer, &mut waiter, 2);
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
        for thread in pushing {
            thread.join().unwrap();
        }
    });
}

/// Slots are used again while the consumer reads: the wrap, the long record and the refusal.
#[test]
fn slots_are_reused_only_after_they_were_read() {
    model(|| {
        let (producer, mut consumer, mut waiter) = ring_of(2);
        let pushing: Vec<_> = [(8, 1), (128, 2)]
            .map(|(length, mark)| {
                let producer = producer.clone();
                thread::spawn(move || {
                    let mut pushed = 0;
                    for _ in 0..2 {
                        match producer.push(&record(length, mark)) {
                            Ok(()) => pushed += 1,
                            Err(error) => assert_eq!(error, PushError::Full),
                        }
                    }
                    pushed
                })
            })
            .into();
        // The first claim of all finds an empty ring, so at least one record comes.
        let mut seen = drain(&mut consumer, &mut waiter, 1).len();
        let pushed: usize = pushing.into_iter().map(|thread| thread.join().unwrap()).sum();
        let mut rest = Vec::new();
        seen += consumer.drain_into(&mut rest, 1 << 20).records;
        marks(&rest);
        assert_eq!(seen, pushed);
    });
}

/// A producer that learns from another one which slots are free writes them only after the reads.
#[test]
fn room_seen_by_one_producer_is_room_for_all() {
    model(|| {
        let (producer, mut consumer, mut waiter) = ring_of(1);
        producer.push(&record(8, 1)).unwrap();
        let pushing: Vec<_> = [2, 3]
            .map(|mark| {
                let producer = producer.clone();
                thread::spawn(move || usize::from(producer.push(&record(8, mark)).is_ok()))
            })
            .into();
        let mut seen = drain(&mut consumer, &mut waiter, 1);
        assert_eq!(seen, [1]);
        let mut rest = Vec::new();
        consumer.drain_into(&mut rest, 1 << 20);
        let pushed: usize = pushing.into_iter().map(|thread| thread.join().unwrap()).sum();
        consumer.drain_into(&mut rest, 1 << 20);
        seen.extend(marks(&rest));
        assert_eq!(seen.len(), 1 + pushed);
    });
}

/// What was pushed before the close is drained; what comes later is refused; the consumer ends.
#[test]
fn closing_loses_nothing_that_was_accepted() {
    model(|| {
        let (producer, mut consumer, mut waiter) = ring_of(2);
        let pushing = {
            let producer = producer.clone();
            thread::spawn(move || match producer.push(&record(128, 1)) {
                Ok(()) => 1,
                Err(error) => {
                    assert_eq!(error, PushError::Closed);
                    0
                }
            })
        };
        let closing = thread::spawn(move || producer.close());
        let mut buffer = Vec::new();
        while !consumer.is_finished() {
            waiter.wait_until(None, || consumer.has_record() || consumer.is_finished());
            consumer.drain_into(&mut buffer, 1 << 20);
        }
        assert_eq!(marks(&buffer).len(), pushing.join().unwrap());
        closing.join().unwrap();
    });
}

/// One sleeper, two bringers with a sequence each: it wakes for the later of both.
#[test]
fn a_gate_wakes_who_waits_for_both_sequences() {
    model(|| {
        let mut waiter = Waiter::new(SLEEP);
        let gate = sync::Arc::new(sequence_gate::ReleaseGate::new(0, &[waiter.bell()]));
        let (durable, core) = (gate.clone(), gate.clone());
        let threads = [
            thread::spawn(move || durable.durable.advance(1)),
            thread::spawn(move || {
                core.core.advance(1);
                core.core.advance(2);
            }),
        ];
        assert!(waiter.wait_until(None, || gate.released() >= 1));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
