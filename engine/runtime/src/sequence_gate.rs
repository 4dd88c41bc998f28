//! Up to which sequence a stage has done its work, for other threads to read and to wait on.
//! Refuses to know what the work is.

use crate::sync::{AtomicU64, Ordering};
use crate::wait::Bell;
use crossbeam_utils::CachePadded;

/// One stage's progress: written by that stage alone, read by anyone.
pub struct SequenceGate {
    reached: CachePadded<AtomicU64>,
    bells: Box<[Bell]>,
}

impl SequenceGate {
    /// A gate that has let `reached` through, and rings `bells` each time it moves.
    pub fn new(reached: u64, bells: impl Into<Box<[Bell]>>) -> Self {
        Self { reached: CachePadded::new(AtomicU64::new(reached)), bells: bells.into() }
    }

    /// Lets everything up to and including `sequence` through. Called by one thread alone, and
    /// never with less than before. What that thread did before is visible to those who see it.
    pub fn advance(&self, sequence: u64) {
        debug_assert!(sequence >= self.reached.load(Ordering::Relaxed), "progress never goes back");
        self.reached.store(sequence, Ordering::Release);
        for bell in &self.bells {
            bell.ring();
        }
    }

    /// The last sequence let through.
    #[inline]
    pub fn reached(&self) -> u64 {
        self.reached.load(Ordering::Acquire)
    }
}

/// What the outside may see: nothing above what is both applied and on disk.
pub struct ReleaseGate {
    /// The last sequence known to be on disk.
    pub durable: SequenceGate,
    /// The last sequence the core has applied.
    pub core: SequenceGate,
}

impl ReleaseGate {
    /// A gate at `sequence`, the end of recovery, that rings `bells` when either side moves.
    pub fn new(sequence: u64, bells: &[Bell]) -> Self {
        Self { durable: SequenceGate::new(sequence, bells), core: SequenceGate::new(sequence, bells) }
    }

    /// The last sequence that may be seen outside: `min(core, durable)`.
    #[inline]
    pub fn released(&self) -> u64 {
        self.durable.reached().min(self.core.reached())
    }
}
