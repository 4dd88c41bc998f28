//! One slot: a stamp and a piece of a record. Refuses to know who may touch it when; its unsafe
//! methods say what a caller has to prove.
#![allow(unsafe_code)]

use crate::sync::{AtomicU64, Ordering, UnsafeCell};

/// Bytes of a record that fit one slot.
pub const PAYLOAD_BYTES: usize = 120;
/// Bytes of a slot: two cache lines, which processors fetch together.
pub const SLOT_BYTES: usize = 128;

/// A stamp and up to [`PAYLOAD_BYTES`] bytes. Public for its size alone.
#[repr(C, align(128))]
pub struct Slot {
    /// 0 at first; then 1 + the position of the last record that began here.
    stamp: AtomicU64,
    payload: UnsafeCell<[u8; PAYLOAD_BYTES]>,
}

// SAFETY: the payload is reached only through `write` and `read`, whose callers prove that no
// write is concurrent with another access; the stamp is atomic.
unsafe impl Sync for Slot {}

impl Slot {
    pub(super) fn new() -> Self {
        Self { stamp: AtomicU64::new(0), payload: UnsafeCell::new([0; PAYLOAD_BYTES]) }
    }

    /// Says that the record which begins here, at `position`, is complete.
    #[inline]
    pub(super) fn publish(&self, position: u64) {
        self.stamp.store(position + 1, Ordering::Release);
    }

    /// Whether the record that begins here, at `position`, is complete. If so, what its producer
    /// wrote before `publish` is visible.
    #[inline]
    pub(super) fn is_published(&self, position: u64) -> bool {
        self.stamp.load(Ordering::Acquire) == position + 1
    }

    /// Writes the front of the payload; `piece` is at most [`PAYLOAD_BYTES`] long.
    ///
    /// # Safety
    /// No other access to this payload may be concurrent with the call.
    #[inline]
    pub(super) unsafe fn write(&self, piece: &[u8]) {
        self.payload.with_mut(|payload| {
            // SAFETY: the pointer comes from the cell, so it is valid and aligned; the caller
            // proves that nobody else has a reference into it while this one lives.
            let payload = unsafe { &mut *payload };
            payload[..piece.len()].copy_from_slice(piece);
        });
    }

    /// Lets `look` see the payload.
    ///
    /// # Safety
    /// No write to this payload may be concurrent with the call.
    #[inline]
    pub(super) unsafe fn read<R>(&self, look: impl FnOnce(&[u8; PAYLOAD_BYTES]) -> R) -> R {
        // SAFETY: the pointer comes from the cell, so it is valid, aligned and initialised; the
        // caller proves that nobody writes while this reference lives.
        self.payload.with(|payload| look(unsafe { &*payload }))
    }
}
