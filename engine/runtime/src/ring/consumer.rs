//! The ring's way out: one thread that copies records into a buffer, as the journal wants them.
//! Refuses to wait (see [`crate::wait`]) and to know what it carries.
#![allow(unsafe_code)]

use super::cursors::Cursors;
use super::record::{length_at, slots_of};
use super::slot::PAYLOAD_BYTES;
use crate::sync::Arc;
use crate::wait::Bell;

/// What one drain brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Records copied.
    pub records: usize,
    /// Bytes copied.
    pub bytes: usize,
    /// The next record is there, and would not have fitted.
    pub more: bool,
}

/// The way out of the ring. Dropping it closes the ring, and loses what is still in it.
pub struct Consumer {
    cursors: Arc<Cursors>,
    /// The position of the next record; the shared `head`, when no drain is under way.
    head: u64,
    bell: Bell,
}

impl Consumer {
    pub(super) fn new(cursors: Arc<Cursors>, bell: Bell) -> Self {
        Self { cursors, head: 0, bell }
    }

    /// Appends to `buffer` the records that are there, one after another without gaps, as long as
    /// they are no more than `max_bytes` in all. They keep the order of their claims.
    ///
    /// What comes while it copies is left for the next time: it ends however fast producers push,
    /// and does not run after them into slots they are just writing.
    ///
    /// A record longer than `max_bytes` is never taken: give at least the longest record's length
    /// to an empty buffer (65,528 bytes for records of any length).
    pub fn drain_into(&mut self, buffer: &mut Vec<u8>, max_bytes: usize) -> Drained {
        let mut drained = Drained::default();
        let mut position = self.head;
        // An empty ring is left without a look at the producers' cache line.
        let end = if self.has_record() { self.cursors.tail() } else { position };
        while position < end && self.cursors.slot(position).is_published(position) {
            let room = max_bytes - drained.bytes;
            let Some(length) = self.copy_record(position, buffer, room) else {
                drained.more = true;
                break;
            };
            drained.records += 1;
            drained.bytes += length;
            position += slots_of(length);
        }
        if position != self.head {
            self.head = position;
            self.cursors.release_up_to(position);
        }
        drained
    }

    /// Copies the published record at `position` if it is at most `room` long; returns its length.
    #[inline]
    fn copy_record(&self, position: u64, buffer: &mut Vec<u8>, room: usize) -> Option<usize> {
        // SAFETY: the stamp at `position` said that its producer has written the whole record and
        // will not touch it again; nobody else may write its slots before `release_up_to` passes
        // them, which the one consumer, borrowed here, does only after this. That holds for the
        // record's first slot and, below, for all the others of its length.
        let length = unsafe {
            self.cursors.slot(position).read(|payload| {
                let length = length_at([payload[0], payload[1]]);
                if length <= room {
                    // A copy whose size is known when this is compiled is a few instructions; one
                    // of `length` bytes is a call. What is too much is cut off again.
                    let start = buffer.len();
                    buffer.extend_from_slice(payload);
                    buffer.truncate(start + length.min(PAYLOAD_BYTES));
                }
                length
            })
        };
        if length > room {
            return None;
        }
        for index in 1..slots_of(length) {
            let left = length - index as usize * PAYLOAD_BYTES;
            // SAFETY: as above.
            unsafe {
                self.cursors
                    .slot(position + index)
                    .read(|payload| buffer.extend_from_slice(&payload[..left.min(PAYLOAD_BYTES)]));
            };
        }
        Some(length)
    }

    /// Whether a record is there: what the consumer's thread waits for, with [`Self::is_finished`].
    #[inline]
    pub fn has_record(&self) -> bool {
        self.cursors.slot(self.head).is_published(self.head)
    }

    /// Whether the ring was closed and everything pushed before has been drained.
    pub fn is_finished(&self) -> bool {
        self.cursors.end() == Some(self.head)
    }

    /// Closes the ring for every producer: what was pushed before can still be drained.
    pub fn close(&self) {
        self.cursors.close();
        self.bell.ring();
    }

    /// Slots in use: a measure of load, old as soon as it is read.
    pub fn used_slots(&self) -> u64 {
        self.cursors.used()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.cursors.close();
    }
}
