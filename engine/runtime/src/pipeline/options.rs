//! How an exchange is opened. Refuses to read a configuration file.

use super::clock::{Clock, SystemClock};
use super::status::ExchangeStatus;
use crate::wait::WaitStrategy;
use engine_journal::JournalOptions;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What ends the process when going on could let out what is not on disk; given the reason. Returns
/// only in tests.
pub type Abort = Arc<dyn Fn(&str) + Send + Sync>;

/// When a command counts as kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the disk has said so.
    #[default]
    Synced,
    /// At once: no journal and no event log are written, and what was done is gone with the process.
    /// For measurements only.
    Off,
}

/// How an exchange is opened; the default is right for two processors.
#[derive(Clone)]
pub struct Options {
    /// The engine's id, used when the directory has none yet. Default 1.
    pub engine_id: u32,
    /// Slots of the ring, of 128 bytes; rounded up to a power of two, at least 64. A command that
    /// finds no free one is refused. Default 16,384.
    pub ring_slots: usize,
    /// The most bytes of a group of commands: of one write and one sync. At least 64 KiB. Default
    /// 1 MiB.
    pub group_bytes: usize,
    /// Bytes of a segment of the journal. Default 64 MiB.
    pub journal_segment_bytes: u64,
    /// Bytes that stay free on disk beside the journal. Default 64 MiB.
    pub reserve_bytes: u64,
    /// Bytes of a segment of the event log. Default 64 MiB.
    pub event_segment_bytes: u64,
    /// How the threads wait for work.
    pub wait: WaitStrategy,
    /// The processors of sequencer, core and egress; default any.
    pub processors: Option<[usize; 3]>,
    /// Where time comes from. Default the machine's clocks.
    pub clock: Arc<dyn Clock>,
    /// The largest difference between the clocks that is followed; a larger one halts. Default 10 s.
    pub clock_bound: Duration,
    /// Spreads the core's tables over memory: a random number. Changes nothing that can be seen.
    pub hash_seed: u64,
    /// When a command counts as kept.
    pub durability: Durability,
    /// Where the exchange says how it is: make it first to watch the recovery.
    pub status: Arc<ExchangeStatus>,
    /// What ends the process. Default: a line in the log, and `abort`.
    pub abort: Abort,
}

impl Default for Options {
    fn default() -> Self {
        let journal = JournalOptions::default();
        Self {
            engine_id: journal.engine_id,
            ring_slots: 16_384,
            group_bytes: 1 << 20,
            journal_segment_bytes: journal.segment_size,
            reserve_bytes: journal.reserve,
            event_segment_bytes: 64 << 20,
            wait: WaitStrategy::default(),
            processors: None,
            clock: Arc::new(SystemClock),
            clock_bound: Duration::from_secs(10),
            hash_seed: 0,
            durability: Durability::Synced,
            status: Arc::default(),
            abort: Arc::new(|reason| {
                tracing::error!(reason, "the process ends here; nothing that is not on disk was answered");
                std::process::abort();
            }),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("engine_id", &self.engine_id)
            .field("ring_slots", &self.ring_slots)
            .field("group_bytes", &self.group_bytes)
            .field("wait", &self.wait)
            .field("processors", &self.processors)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}
