//! How publishing goes, for whoever shows it. Refuses to know how it is shown.

use crate::Follower;
use protocol::Sequence;
use services::{Metric, MetricSource};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one publisher. Read at any time, from any thread.
#[derive(Debug)]
pub struct PublishingMetrics {
    names: Names,
    follower: Follower,
    commands: AtomicU64,
    errors: AtomicU64,
}

/// What a publisher's numbers are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub sequence: &'static str,
    pub commands: &'static str,
    pub errors: &'static str,
}

/// The internal log's.
pub(crate) const EVENTS: Names = Names {
    sequence: "stream_published_sequence",
    commands: "stream_published_commands_total",
    errors: "stream_publishing_errors_total",
};

/// The public topics'.
pub(crate) const PUBLIC: Names = Names {
    sequence: "stream_public_sequence",
    commands: "stream_public_commands_total",
    errors: "stream_public_errors_total",
};

impl PublishingMetrics {
    pub(crate) fn new(names: Names) -> Self {
        let (commands, errors) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { names, follower: Follower::default(), commands, errors }
    }

    /// The last command of which everything is acknowledged; 0 before the brokers were reached.
    pub fn position(&self) -> Sequence {
        self.follower.position()
    }

    /// Commands acknowledged since the process began: its rate is that of publishing.
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }

    /// Attempts that failed and were made again.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// How far it has got, for the bound on the lag.
    pub fn follower(&self) -> Follower {
        self.follower.clone()
    }

    /// Everything up to `position` was there when publishing began, or began again.
    pub(crate) fn resumed(&self, position: Sequence) {
        self.follower.reached(position);
    }

    pub(crate) fn acknowledged(&self, position: Sequence) {
        let before = self.position();
        self.follower.reached(position);
        self.commands.fetch_add(position.0.saturating_sub(before.0), Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }
}

impl MetricSource for PublishingMetrics {
    fn metrics(&self) -> Vec<Metric> {
        let names = self.names;
        vec![
            Metric::counter(
                names.sequence,
                "the last command that the brokers have acknowledged",
                self.position().0,
            ),
            Metric::counter(names.commands, "commands acknowledged since the start", self.commands()),
            Metric::counter(names.errors, "attempts at publishing that failed", self.errors()),
        ]
    }
}
