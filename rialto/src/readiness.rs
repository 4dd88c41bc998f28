//! How the exchange is, to those who ask from outside: as the engine is, and not open before its
//! traders' port is. Refuses to know what happens in between.

use protocol::Sequence;
use services::{EngineState, EngineStatus};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The engine's status, behind a door that opens once.
pub(crate) struct Readiness {
    engine: Arc<dyn EngineStatus>,
    is_open: AtomicBool,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Readiness").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Readiness {
    /// Not open yet, whatever the engine says.
    pub(crate) fn new(engine: Arc<dyn EngineStatus>) -> Self {
        Self { engine, is_open: AtomicBool::new(false) }
    }

    /// From here on as the engine says.
    pub(crate) fn open(&self) {
        self.is_open.store(true, Ordering::Release);
    }
}

impl EngineStatus for Readiness {
    fn state(&self) -> EngineState {
        match self.engine.state() {
            // The journal is read; what follows it is not all there.
            EngineState::Open if !self.is_open.load(Ordering::Acquire) => {
                EngineState::Recovering { done: 0, total: 0 }
            }
            state => state,
        }
    }

    fn core_sequence(&self) -> Sequence {
        self.engine.core_sequence()
    }

    fn durable_sequence(&self) -> Sequence {
        self.engine.durable_sequence()
    }
}
