//! The journal's commands through a core again, in order: what recovery does, and what a follower does
//! to make a snapshot. Refuses to know what becomes of the events, and to judge the journal's bytes,
//! which `engine-journal` has done.

use super::OpenError;
use super::group::Records;
use engine_core::{Engine, LOOK_AHEAD};
use engine_journal::{JournalReader, Storage, Voids};
use protocol::{Sequence, command::CommandRecord, event::EventBuffer};

/// How far a call got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// There may be more.
    Batch,
    /// The journal's end, or the command asked for.
    End,
    /// A command broke an invariant, and was not voided. The engine is not to be used.
    Broken {
        /// Which.
        sequence: Sequence,
        /// What was found.
        what: String,
        /// Bytes of events that are of the commands before it.
        whole_events: usize,
    },
}

/// The journal after an engine's last command.
pub(crate) struct Reapply<S: Storage> {
    reader: JournalReader<S>,
    records: Records,
    voids: Voids,
}

impl<S: Storage> Reapply<S> {
    pub(crate) fn new(storage: &S, engine: &Engine) -> Result<Self, OpenError> {
        let after = engine.sequence();
        // From the first on, its absence is to be seen.
        let from = if after == Sequence(0) { 0 } else { after.next().0 };
        let reader = JournalReader::open(storage.clone(), from)?;
        Ok(Self { reader, records: Records::new(0), voids: Voids::read(storage)? })
    }

    /// Applies the next batch, of it no more than up to `until`; after each command calls `applied`,
    /// which may take the events away.
    pub(crate) fn batch(
        &mut self,
        engine: &mut Engine,
        until: Sequence,
        events: &mut EventBuffer,
        mut applied: impl FnMut(Sequence, &mut EventBuffer) -> Result<(), OpenError>,
    ) -> Result<Reached, OpenError> {
        if engine.sequence() >= until {
            return Ok(Reached::End);
        }
        let Some(batch) = self.reader.next_batch()? else { return Ok(Reached::End) };
        let expected = engine.sequence().next();
        if batch.first_sequence != expected.0 {
            return Err(OpenError::Gap { found: batch.first_sequence, expected });
        }
        self.records.copy(batch.payload);
        let mut rest = self.records.bytes();
        for (index, record) in CommandRecord::all(self.records.bytes()).enumerate() {
            let sequence = engine.sequence().next();
            if sequence > until {
                return Ok(Reached::End);
            }
            let record = record.map_err(|source| OpenError::Record { sequence, source })?;
            if index % LOOK_AHEAD == 0 {
                engine.look_ahead(rest);
            }
            let (bytes, after) = rest.split_at(usize::from(record.header.length));
            rest = after;
            let is_void = self.voids.has(sequence.0, bytes)?;
            let whole_events = events.bytes().len();
            if let Err(what) = engine.apply_again(&record, sequence, is_void, events) {
                return Ok(Reached::Broken { sequence, what, whole_events });
            }
            applied(sequence, events)?;
        }
        Ok(Reached::Batch)
    }
}
