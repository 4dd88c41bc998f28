//! How administration's commands ended, read from the event log while it is recovered: a command that
//! is in the outbox without an answer was either taken before the stop, and its outcome is here, or
//! never taken. Refuses to know what the commands were.

use protocol::{SourceId, event::EventChunk, reject::Outcome};
use services::EventConsumer;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Outcomes kept; those before were answered long ago.
const KEPT: usize = 4_096;

/// An outcome and the id it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) result: u64,
}

/// Outcomes by outbox number.
#[derive(Debug, Default)]
pub struct Outcomes(Mutex<BTreeMap<u64, Ended>>);

/// The writing side: give it to the engine's egress, beside the views' projection.
#[derive(Debug)]
pub struct OutcomeRecorder {
    source: SourceId,
    outcomes: Arc<Outcomes>,
    live: bool,
}

impl Outcomes {
    /// The outcomes of administration's `source`, and the consumer that records them until recovery
    /// is over.
    pub fn recorded_from(source: SourceId) -> (Arc<Self>, OutcomeRecorder) {
        let outcomes = Arc::new(Self::default());
        (Arc::clone(&outcomes), OutcomeRecorder { source, outcomes, live: false })
    }

    /// How the command under this outbox number ended; `None` when it was never taken.
    pub(crate) fn of(&self, number: u64) -> Option<Ended> {
        self.locked().get(&number).copied()
    }

    /// The highest outbox number of a command that was taken; 0 when none was.
    pub(crate) fn highest(&self) -> u64 {
        self.locked().last_key_value().map_or(0, |(number, _)| *number)
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<u64, Ended>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventConsumer for OutcomeRecorder {
    fn consume(&mut self, chunks: &[u8]) {
        if self.live {
            return;
        }
        for chunk in EventChunk::all(chunks).flatten() {
            let header = &chunk.header;
            if header.source != self.source || header.repeat == 1 {
                continue;
            }
            // Administration's commands carry their outbox number as their trace.
            if let Some(outcome) = header.outcome() {
                let mut outcomes = self.outcomes.locked();
                outcomes.insert(header.trace, Ended { outcome, result: header.result });
                if outcomes.len() > KEPT {
                    outcomes.pop_first();
                }
            }
        }
    }

    fn live(&mut self) {
        self.live = true;
    }
}
