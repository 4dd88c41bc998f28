//! Time as the simulation has it: two clocks that move when they are moved. Refuses to move by itself.

use engine_runtime::pipeline::Clock;
use protocol::Time;
use std::sync::atomic::{AtomicU64, Ordering};

/// A second, in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// The wall clock and the monotonic one.
#[derive(Debug)]
pub struct SimulatedClock {
    utc: AtomicU64,
    monotonic: AtomicU64,
}

impl Default for SimulatedClock {
    fn default() -> Self {
        Self { utc: AtomicU64::new(1_700_000_000 * SECOND), monotonic: AtomicU64::new(SECOND) }
    }
}

impl SimulatedClock {
    /// Time passes, in nanoseconds.
    pub fn pass(&self, nanoseconds: u64) {
        self.utc.fetch_add(nanoseconds, Ordering::Relaxed);
        self.monotonic.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Somebody sets the wall clock: by so many nanoseconds, forward or back.
    pub fn set_by(&self, nanoseconds: i64) {
        self.utc.fetch_add(nanoseconds as u64, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn utc(&self) -> Time {
        Time(self.utc.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> u64 {
        self.monotonic.load(Ordering::Relaxed)
    }
}
