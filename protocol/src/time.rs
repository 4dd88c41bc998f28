//! Time as the sequencer stamps it. Refuses to read any clock.

use std::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// UTC, in nanoseconds since 1970. Stamped once by the sequencer, never backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(transparent)]
pub struct Time(pub u64);

impl Time {
    /// No time: an order or a hold that does not expire.
    pub const NEVER: Self = Self(0);

    /// From milliseconds since 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Milliseconds since 1970, cut.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Microseconds since 1970, cut.
    pub const fn micros(self) -> u64 {
        self.0 / 1_000
    }

    /// Whole minutes since 1970.
    pub const fn minute(self) -> u64 {
        self.0 / 60_000_000_000
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}
