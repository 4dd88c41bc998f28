//! The slots and the cursors that share them out: who may write which, and what is free again.
//! Refuses to know the slots' content.

use super::producer::PushError;
use super::slot::Slot;
use crate::sync::{AtomicU64, Ordering};
use crossbeam_utils::CachePadded;

/// The bit of `tail` that says the ring takes no more. Positions stay far below it: at 10^9 slots
/// a second they reach 2^63 after 292 years.
const CLOSED: u64 = 1 << 63;

pub(super) struct Cursors {
    producers: CachePadded<ProducersSide>,
    /// Everything below this position has been copied out. Written by the consumer alone.
    head: CachePadded<AtomicU64>,
    slots: Box<[Slot]>,
}

/// What every claim touches, on one cache line.
struct ProducersSide {
    /// The next position to claim, and [`CLOSED`].
    tail: AtomicU64,
    /// A `head` that some producer has seen. It may lag, never lead; it spares the producers the
    /// consumer's cache line while there is room.
    head_seen: AtomicU64,
}

impl Cursors {
    /// `capacity` is a power of two.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            producers: CachePadded::new(ProducersSide {
                tail: AtomicU64::new(0),
                head_seen: AtomicU64::new(0),
            }),
            head: CachePadded::new(AtomicU64::new(0)),
            slots: (0..capacity).map(|_| Slot::new()).collect(),
        }
    }

    pub(super) fn capacity(&self) -> u64 {
        self.slots.len() as u64
    }

    #[inline]
    pub(super) fn slot(&self, position: u64) -> &Slot {
        // The length is a power of two, so the mask is the remainder.
        &self.slots[position as usize & (self.slots.len() - 1)]
    }

    /// Claims `count` consecutive positions and returns the first: from now on, and until their
    /// records are published, they are the caller's alone to write.
    #[inline]
    pub(super) fn claim(&self, count: u64) -> Result<u64, PushError> {
        let ProducersSide { tail, head_seen } = &*self.producers;
        // Relaxed: the swap below decides. A stale value only makes it fail.
        let mut first = tail.load(Ordering::Relaxed);
        loop {
            if first & CLOSED != 0 {
                return Err(PushError::Closed);
            }
            let end = first + count;
            // Acquire, also from another producer who has seen it: the consumer's reads of the
            // slots below `head` happen before our writes to them.
            if end > head_seen.load(Ordering::Acquire) + self.capacity() {
                let head = self.head.load(Ordering::Acquire);
                // An older store may win over a newer one: that lags, which is allowed.
                head_seen.store(head, Ordering::Release);
                if end > head + self.capacity() {
                    return Err(if count > self.capacity() {
                        PushError::TooLong { slots: count, capacity: self.capacity() }
                    } else {
                        PushError::Full
                    });
                }
            }
            match tail.compare_exchange_weak(first, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(first),
                Err(current) => first = current,
            }
        }
    }

    /// Gives everything below `head` back to the producers. For the consumer alone.
    #[inline]
    pub(super) fn release_up_to(&self, head: u64) {
        self.head.store(head, Ordering::Release);
    }

    /// Lets nobody claim from now on.
    pub(super) fn close(&self) {
        self.producers.tail.fetch_or(CLOSED, Ordering::Relaxed);
    }

    /// The end of all claims so far.
    #[inline]
    pub(super) fn tail(&self) -> u64 {
        self.producers.tail.load(Ordering::Relaxed) & !CLOSED
    }

    /// The end of all claims, if there can be no more of them.
    pub(super) fn end(&self) -> Option<u64> {
        let tail = self.producers.tail.load(Ordering::Relaxed);
        (tail & CLOSED != 0).then_some(tail & !CLOSED)
    }

    /// Slots claimed and not yet given back; a snapshot, old as soon as it is read.
    pub(super) fn used(&self) -> u64 {
        let head = self.head.load(Ordering::Acquire);
        self.tail().saturating_sub(head)
    }
}
