//! How the exchange is, to those who ask from outside: as the engine is, and not open before its
//! traders' port is. Refuses to know what happens in between.

use engine_runtime::pipeline::ExchangeStatus;
use protocol::Sequence;
use services::{EngineState, EngineStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The engine's status, behind a door that opens once.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    engine: Arc<ExchangeStatus>,
    is_open: AtomicBool,
}

impl Readiness {
    /// Not open yet, whatever the engine says.
    pub(crate) fn new(engine: Arc<ExchangeStatus>) -> Self {
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
