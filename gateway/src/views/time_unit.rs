//! In which unit a client wants its times (dialect §2.6). Refuses to know which client.

use protocol::Time;

/// The unit of the times in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Milliseconds since 1970.
    #[default]
    Millisecond,
    /// Microseconds since 1970.
    Microsecond,
}

impl TimeUnit {
    /// `time` as a number of this unit, cut.
    pub const fn of(self, time: Time) -> u64 {
        match self {
            Self::Millisecond => time.millis(),
            Self::Microsecond => time.micros(),
        }
    }
}
