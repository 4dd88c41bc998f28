//! How the engine is, in a frame. Refuses to know who asks.

use crate::frame::{FrameError, bounded, text};
use protocol::Sequence;
use services::{EngineState, HaltReason};
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// How the engine was when it said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// What it was doing.
    pub state: EngineState,
    /// The last command the core had applied.
    pub core: Sequence,
    /// The last command on disk.
    pub durable: Sequence,
    /// The last command whose events were in the event log.
    pub published: Sequence,
}

#[derive(Clone, Copy, Debug, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Fixed {
    state: State,
    zero: [u8; 7],
    core: Sequence,
    durable: Sequence,
    published: Sequence,
    /// Commands recovered, the broken command, or the clock's jump.
    first: u64,
    /// Commands to recover.
    second: u64,
}

#[derive(Clone, Copy, Debug, TryFromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(u8)]
enum State {
    Recovering = 1,
    Open = 2,
    NoRoom = 3,
    Stopping = 4,
    BrokenInvariant = 5,
    ClockJump = 6,
    Unreachable = 7,
}

impl StatusReport {
    /// Bytes before the text.
    pub(crate) const FIXED: usize = size_of::<Fixed>();

    pub(crate) fn read(payload: &[u8]) -> Result<Self, FrameError> {
        let (fixed, words) = Fixed::try_read_from_prefix(payload).map_err(|_| FrameError::BadField)?;
        let words = text(words)?;
        let state = match fixed.state {
            State::Recovering => EngineState::Recovering { done: fixed.first, total: fixed.second },
            State::Open => EngineState::Open,
            State::NoRoom => EngineState::NoRoom,
            State::Stopping => EngineState::Stopping,
            State::BrokenInvariant => EngineState::Halted(HaltReason::BrokenInvariant {
                sequence: Sequence(fixed.first),
                what: words,
            }),
            State::ClockJump => {
                EngineState::Halted(HaltReason::ClockJump { nanoseconds: fixed.first.cast_signed() })
            }
            State::Unreachable => EngineState::Unreachable,
        };
        Ok(Self { state, core: fixed.core, durable: fixed.durable, published: fixed.published })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (state, first, second, words) = match &self.state {
            EngineState::Recovering { done, total } => (State::Recovering, *done, *total, ""),
            EngineState::Open => (State::Open, 0, 0, ""),
            EngineState::NoRoom => (State::NoRoom, 0, 0, ""),
            EngineState::Stopping => (State::Stopping, 0, 0, ""),
            EngineState::Halted(HaltReason::BrokenInvariant { sequence, what }) => {
                (State::BrokenInvariant, sequence.0, 0, what.as_str())
            }
            EngineState::Halted(HaltReason::ClockJump { nanoseconds }) => {
                (State::ClockJump, nanoseconds.cast_unsigned(), 0, "")
            }
            EngineState::Unreachable => (State::Unreachable, 0, 0, ""),
        };
        let Self { core, durable, published, .. } = *self;
        let fixed = Fixed { state, zero: [0; 7], core, durable, published, first, second };
        let mut bytes = fixed.as_bytes().to_vec();
        bytes.extend_from_slice(bounded(words).as_bytes());
        bytes
    }
}
