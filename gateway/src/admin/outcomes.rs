//! How administration's commands ended, read from the events: a command that
//! is in the outbox without an answer was either taken before the stop, and its outcome is here, or
//! never taken. Refuses to know what the commands were.

use protocol::{Sequence, SourceId, event::EventChunk, reject::Outcome};
use serde::{Deserialize, Serialize};
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

/// What a later start goes on from.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    position: Sequence,
    /// Outbox number, the outcome's code, the id it made.
    outcomes: Vec<(u64, u16, u64)>,
}

/// Grows with every change of [`Saved`].
const SAVED_VERSION: u32 = 1;

/// The writing side: give it to the engine's egress, beside the views' projection.
#[derive(Debug)]
pub struct OutcomeRecorder {
    source: SourceId,
    outcomes: Arc<Outcomes>,
    /// The last command seen.
    position: Sequence,
}

impl Outcomes {
    /// The outcomes of administration's `source`, and the consumer that records them.
    pub fn recorded_from(source: SourceId) -> (Arc<Self>, OutcomeRecorder) {
        let outcomes = Arc::new(Self::default());
        (Arc::clone(&outcomes), OutcomeRecorder { source, outcomes, position: Sequence(0) })
    }

    /// The same, going on from what was saved; `None` when that is another build's, or damaged.
    pub fn restored(source: SourceId, saved: &[u8]) -> Option<(Arc<Self>, OutcomeRecorder)> {
        let saved: Saved =
            postcard::from_bytes(saved).ok().filter(|saved: &Saved| saved.version == SAVED_VERSION)?;
        let ended =
            |(number, code, result)| Some((number, Ended { outcome: Outcome::from_code(code)?, result }));
        let outcomes: BTreeMap<_, _> = saved.outcomes.into_iter().map(ended).collect::<Option<_>>()?;
        let outcomes = Arc::new(Self(Mutex::new(outcomes)));
        Some((Arc::clone(&outcomes), OutcomeRecorder { source, outcomes, position: saved.position }))
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
        for chunk in EventChunk::all(chunks).flatten() {
            let header = &chunk.header;
            self.position = header.sequence;
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

    fn position(&self) -> Sequence {
        self.position
    }

    fn save(&self) -> Option<Vec<u8>> {
        let outcomes = self.outcomes.locked();
        let outcomes = outcomes.iter().map(|(number, ended)| (*number, ended.outcome.code(), ended.result));
        let saved = Saved { version: SAVED_VERSION, position: self.position, outcomes: outcomes.collect() };
        postcard::to_allocvec(&saved).ok()
    }
}
