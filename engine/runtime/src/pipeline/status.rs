//! What the exchange is doing, for anyone to read at any time. Refuses to decide anything.

use crate::sequence_gate::ReleaseGate;
use protocol::Sequence;
use services::{EngineState, EngineStatus, HaltReason, SubmitError};
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Why commands are refused; none of these: they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Closed {
    /// The journal is being read back.
    Recovering = 1,
    /// The journal has no room.
    JournalFull = 2,
    /// The event log has no room.
    EventLogFull = 4,
    /// The exchange stops or has stopped.
    Stopping = 8,
}

/// How the exchange is. Made before it is opened, so that its recovery can be watched.
pub struct ExchangeStatus {
    /// A set of [`Closed`].
    closed: AtomicU8,
    halted: OnceLock<HaltReason>,
    /// The last command recovered; later the gate knows.
    recovered: AtomicU64,
    /// The last command there is to recover.
    to_recover: AtomicU64,
    gate: OnceLock<Arc<ReleaseGate>>,
}

impl fmt::Debug for ExchangeStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ExchangeStatus").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Default for ExchangeStatus {
    fn default() -> Self {
        Self {
            closed: AtomicU8::new(Closed::Recovering as u8),
            halted: OnceLock::new(),
            recovered: AtomicU64::new(0),
            to_recover: AtomicU64::new(0),
            gate: OnceLock::new(),
        }
    }
}

impl ExchangeStatus {
    /// Whether commands are taken, and if not, what their sender is told.
    #[inline]
    pub(crate) fn admits(&self) -> Result<(), SubmitError> {
        match self.closed.load(Ordering::Acquire) {
            0 => Ok(()),
            closed => Err(Self::refusal(closed)),
        }
    }

    #[cold]
    fn refusal(closed: u8) -> SubmitError {
        let for_good = Closed::Stopping as u8 | Closed::Recovering as u8;
        if closed & for_good == 0 { SubmitError::NoRoom } else { SubmitError::Closed }
    }

    pub(crate) fn close(&self, why: Closed) {
        self.closed.fetch_or(why as u8, Ordering::AcqRel);
    }

    pub(crate) fn reopen(&self, why: Closed) {
        self.closed.fetch_and(!(why as u8), Ordering::AcqRel);
    }

    pub(crate) fn is_closed(&self, why: Closed) -> bool {
        self.closed.load(Ordering::Acquire) & why as u8 != 0
    }

    /// The first reason stays.
    pub(crate) fn halt(&self, reason: HaltReason) {
        tracing::error!(%reason, "the exchange has halted");
        // A second one follows from the first.
        let _ = self.halted.set(reason);
        self.close(Closed::Stopping);
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.halted.get().is_some()
    }

    pub(crate) fn recovered(&self, sequence: Sequence, last: Sequence) {
        self.recovered.store(sequence.0, Ordering::Release);
        self.to_recover.store(last.0.max(sequence.0), Ordering::Relaxed);
    }

    /// From now on the gate says how far core and journal are.
    pub(crate) fn follow(&self, gate: Arc<ReleaseGate>) {
        // An exchange is opened once for each status; a second would be seen in its sequences.
        let _ = self.gate.set(gate);
    }
}

impl EngineStatus for ExchangeStatus {
    fn state(&self) -> EngineState {
        if let Some(reason) = self.halted.get() {
            return EngineState::Halted(reason.clone());
        }
        let closed = self.closed.load(Ordering::Acquire);
        if closed & Closed::Stopping as u8 != 0 {
            EngineState::Stopping
        } else if closed & Closed::Recovering as u8 != 0 {
            let done = self.recovered.load(Ordering::Relaxed);
            EngineState::Recovering { done, total: self.to_recover.load(Ordering::Relaxed) }
        } else if closed == 0 {
            EngineState::Open
        } else {
            EngineState::NoRoom
        }
    }

    fn core_sequence(&self) -> Sequence {
        let reached = || self.recovered.load(Ordering::Acquire);
        Sequence(self.gate.get().map_or_else(reached, |gate| gate.core.reached()))
    }

    fn durable_sequence(&self) -> Sequence {
        let reached = || self.recovered.load(Ordering::Acquire);
        Sequence(self.gate.get().map_or_else(reached, |gate| gate.durable.reached()))
    }
}
