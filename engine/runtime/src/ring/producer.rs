//! The ring's way in. Refuses to wait, and to know what it carries.
#![allow(unsafe_code)]

use super::cursors::Cursors;
use super::record::{length_at, measure, slots_of};
use super::slot::PAYLOAD_BYTES;
use crate::sync::Arc;
use crate::wait::Bell;
use thiserror::Error;

/// Why nothing was pushed. The ring is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PushError {
    /// The consumer is behind by the whole ring.
    #[error("the ring is full: try again when the engine has caught up")]
    Full,
    /// The ring takes no more: the engine is stopping or has stopped.
    #[error("the ring is closed: the engine is stopping")]
    Closed,
    /// These records would not fit an empty ring.
    #[error("records of {slots} slots do not fit a ring of {capacity}: push fewer, or make the ring larger")]
    TooLong {
        /// Slots the records take.
        slots: u64,
        /// Slots the ring has.
        capacity: u64,
    },
    /// The bytes are not a run of whole records.
    #[error("no record at byte {offset}: a length of {length} is below 8, no multiple of 8, or past the end")]
    Malformed {
        /// Where in the pushed bytes the fault is.
        offset: usize,
        /// The length that stands there, or that is left.
        length: usize,
    },
}

/// A way into the ring; clone it, or share it, for as many threads as there are.
#[derive(Clone)]
pub struct Producer {
    cursors: Arc<Cursors>,
    bell: Bell,
}

impl Producer {
    pub(super) fn new(cursors: Arc<Cursors>, bell: Bell) -> Self {
        Self { cursors, bell }
    }

    /// Pushes one or more whole records, one after another in `records`: all of them or none, next
    /// to each other in the ring, visible to the consumer one by one.
    ///
    /// # Errors
    /// See [`PushError`]. `Full` and `Closed` are the ring's state; the others the caller's fault.
    #[inline]
    pub fn push(&self, records: &[u8]) -> Result<(), PushError> {
        let slots = measure(records)?;
        let mut position = self.cursors.claim(slots)?;
        let mut rest = records;
        while let [low, high, ..] = *rest {
            let (record, next) = rest.split_at(length_at([low, high]));
            for (index, piece) in record.chunks(PAYLOAD_BYTES).enumerate() {
                // SAFETY: the position lies in our claim: `measure` counted the same records. No
                // other producer writes it (claims do not overlap, and one of a later lap has to
                // wait for `head` to pass it). The consumer does not read it: it reads from the
                // record's first position on, and only once the stamp below is there; and it had
                // done with the slot's last lap before `claim` gave it to us.
                unsafe { self.cursors.slot(position + index as u64).write(piece) };
            }
            self.cursors.slot(position).publish(position);
            position += slots_of(record.len());
            rest = next;
        }
        self.bell.ring();
        Ok(())
    }

    /// Closes the ring for every producer. What was pushed before is still drained.
    pub fn close(&self) {
        self.cursors.close();
        self.bell.ring();
    }

    /// Slots in use, of [`Self::capacity_slots`]: a measure of load, old as soon as it is read.
    pub fn used_slots(&self) -> u64 {
        self.cursors.used()
    }

    /// Slots the ring has.
    pub fn capacity_slots(&self) -> u64 {
        self.cursors.capacity()
    }
}
