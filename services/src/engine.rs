//! Asking how the engine is.

use protocol::Sequence;
use std::fmt;

/// Why trading stopped for safety.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HaltReason {
    /// A command broke an invariant.
    BrokenInvariant {
        /// Which command.
        sequence: Sequence,
        /// What was found.
        what: String,
    },
    /// The clock jumped by more than the bound.
    ClockJump {
        /// By how many nanoseconds.
        nanoseconds: i64,
    },
}

impl fmt::Display for HaltReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenInvariant { sequence, what } => {
                write!(formatter, "command {sequence} broke an invariant: {what}")
            }
            Self::ClockJump { nanoseconds } => write!(formatter, "the clock jumped by {nanoseconds} ns"),
        }
    }
}

/// What the engine is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineState {
    /// Reading the journal back.
    Recovering {
        /// Commands done.
        done: u64,
        /// Commands there are.
        total: u64,
    },
    /// Taking commands.
    Open,
    /// No room on disk: commands are refused until there is.
    NoRoom,
    /// Finishing what is in flight.
    Stopping,
    /// Stopped for safety.
    Halted(HaltReason),
    /// In another process, and there is no connection to it: how it is cannot be known.
    Unreachable,
}

/// How the engine is, at a glance and without waiting.
pub trait EngineStatus: Send + Sync {
    /// What it is doing.
    fn state(&self) -> EngineState;
    /// The last command the core applied.
    fn core_sequence(&self) -> Sequence;
    /// The last command on disk.
    fn durable_sequence(&self) -> Sequence;
}
