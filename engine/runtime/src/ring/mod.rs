//! A bounded ring of byte records from many producers to one consumer, without locks. A full ring
//! refuses; it never waits. Refuses to know what a record says beyond its length.
//!
//! A **record** is a run of bytes whose length is a multiple of 8, at least 8, and stands in its
//! own first two bytes (`u16`, little-endian). It starts at a slot of its own and takes as many
//! consecutive slots as it needs, mostly one.
//!
//! How it works, and why it is right (positions count slots since the ring was made; position `p`
//! lives in slot `p mod capacity`):
//!
//! 1. A producer **claims** positions `[tail, tail + n)` with one compare-and-swap, so no two
//!    claims overlap. It claims only if `tail + n <= head + capacity`: everything up to `head` has
//!    been copied out, so the claimed slots hold nothing that anyone still reads.
//! 2. It **writes** the records into its claim. For each record, after the last of its bytes, it
//!    stores `position + 1` as the **stamp** of the record's first slot (release).
//! 3. The consumer reads the stamp at `head` (acquire). If it is `head + 1`, all the record's bytes
//!    are there. Stamps of other laps, also those left on the later slots of a long record, differ
//!    from `head + 1` by at least the capacity, so they are never mistaken.
//! 4. Having copied the records, the consumer moves `head` past them (release), which gives the
//!    slots back (1, acquire).
//!
//! A producer that stopped between 1 and 3 would block those behind it. Nothing there can panic
//! (records are measured before anything is claimed) or wait.

mod consumer;
mod cursors;
mod producer;
mod record;
mod slot;

pub use consumer::{Consumer, Drained};
pub use producer::{Producer, PushError};
pub use slot::{PAYLOAD_BYTES, SLOT_BYTES, Slot};

use crate::sync::Arc;
use crate::wait::Bell;

/// Makes a ring of at least `slots` slots of [`SLOT_BYTES`] bytes (rounded up to a power of two).
/// Its producers ring `bell` after they published, to wake the consumer's thread.
///
/// # Panics
/// If `slots` is 0 or above 2^32, which is a fault of the configuration and found at start.
pub fn ring(slots: usize, bell: Bell) -> (Producer, Consumer) {
    assert!((1..=1 << 32).contains(&slots), "a ring of {slots} slots: take between 1 and 2^32");
    let shared = Arc::new(cursors::Cursors::new(slots.next_power_of_two()));
    (Producer::new(Arc::clone(&shared), bell.clone()), Consumer::new(shared, bell))
}
