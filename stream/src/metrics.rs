//! How publishing goes, for whoever shows it. Refuses to know how it is shown.

use protocol::Sequence;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one publisher. Read at any time, from any thread.
#[derive(Debug, Default)]
pub struct PublishingMetrics {
    position: AtomicU64,
    commands: AtomicU64,
    errors: AtomicU64,
}

/// What a publisher's counters said at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishingSnapshot {
    /// The last command of which everything is acknowledged.
    pub position: Sequence,
    /// Commands acknowledged since the process began: its rate is that of publishing.
    pub commands: u64,
    /// Attempts that failed and were made again.
    pub errors: u64,
}

impl PublishingMetrics {
    /// The last command of which everything is acknowledged; 0 before the brokers were reached.
    pub fn position(&self) -> Sequence {
        Sequence(self.position.load(Ordering::Acquire))
    }

    /// All of them.
    pub fn read(&self) -> PublishingSnapshot {
        PublishingSnapshot {
            position: self.position(),
            commands: self.commands.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
        }
    }

    /// Everything up to `position` was there when publishing began, or began again.
    pub(crate) fn resumed(&self, position: Sequence) {
        self.position.store(position.0, Ordering::Release);
    }

    pub(crate) fn acknowledged(&self, position: Sequence) {
        let before = self.position.swap(position.0, Ordering::Release);
        self.commands.fetch_add(position.0.saturating_sub(before), Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }
}
