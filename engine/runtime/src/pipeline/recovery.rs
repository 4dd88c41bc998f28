//! Recovery: the whole journal through the core, every event to every consumer, and to the event log
//! what it lacks. Refuses to judge the journal's bytes, which `engine-journal` has done.

use super::OpenError;
use super::group::Records;
use super::panics;
use super::status::ExchangeStatus;
use engine_core::{Engine, LOOK_AHEAD};
use engine_journal::{EventLogWriter, JournalReader, Storage};
use protocol::{Sequence, command::CommandRecord, event::EventBuffer};
use services::{EventConsumer, HaltReason};

/// Events go on when so many bytes are there.
const FLUSH_BYTES: usize = 256 * 1024;
/// Progress is told after so many bytes of journal.
const PROGRESS_BYTES: u64 = 1 << 20;

/// What recovery needs.
pub(crate) struct Recovery<'a, S: Storage> {
    pub(crate) storage: S,
    pub(crate) log: Option<&'a mut EventLogWriter<S>>,
    pub(crate) consumers: &'a mut [Box<dyn EventConsumer>],
    pub(crate) status: &'a ExchangeStatus,
}

impl<S: Storage> Recovery<'_, S> {
    /// Brings `engine` to the journal's end. A command that breaks an invariant is where it stops:
    /// the status is then halted, and the engine not to be used.
    pub(crate) fn run(mut self, engine: &mut Engine) -> Result<(), OpenError> {
        let mut reader = JournalReader::open(self.storage.clone(), 0)?;
        let total = reader.progress()?.bytes_total;
        let mut records = Records::new(0);
        let mut events = EventBuffer::growing();
        let mut told = 0;
        // The first command whose events wait in the buffer.
        let mut first = engine.sequence().next();
        self.status.recovered(engine.sequence(), 0, total);
        while let Some(batch) = reader.next_batch()? {
            if batch.first_sequence != engine.sequence().next().0 {
                return Err(OpenError::Gap {
                    found: batch.first_sequence,
                    expected: engine.sequence().next(),
                });
            }
            records.copy(batch.payload);
            let mut ahead = records.bytes();
            for (index, record) in CommandRecord::all(records.bytes()).enumerate() {
                let sequence = engine.sequence().next();
                let record = record.map_err(|source| OpenError::Record { sequence, source })?;
                if index % LOOK_AHEAD == 0 {
                    engine.look_ahead(ahead);
                }
                ahead = &ahead[usize::from(record.header.length)..];
                let whole = events.bytes().len();
                let applied = panics::contain(|| {
                    engine.apply(&record, record.header.time, sequence, &mut events);
                });
                if let Err(what) = applied {
                    self.emit(first, Sequence(sequence.0 - 1), &events.bytes()[..whole])?;
                    self.status.halt(HaltReason::BrokenInvariant { sequence, what });
                    return Ok(());
                }
                if events.bytes().len() >= FLUSH_BYTES || self.log_ends_at(sequence) {
                    self.emit(first, sequence, events.bytes())?;
                    events.clear();
                    first = sequence.next();
                }
            }
            let done = reader.bytes_done();
            if done >= told + PROGRESS_BYTES {
                told = done;
                self.status.recovered(engine.sequence(), done, total);
            }
        }
        self.emit(first, engine.sequence(), events.bytes())?;
        self.status.recovered(engine.sequence(), total, total);
        Ok(())
    }

    /// Groups must not reach over the end of what the log has.
    fn log_ends_at(&self, sequence: Sequence) -> bool {
        self.log.as_ref().is_some_and(|log| log.last_sequence() == Some(sequence.0))
    }

    fn emit(&mut self, first: Sequence, last: Sequence, chunks: &[u8]) -> Result<(), OpenError> {
        if chunks.is_empty() {
            return Ok(());
        }
        if let Some(log) = &mut self.log
            && log.last_sequence().is_none_or(|held| held < first.0)
        {
            log.append(first.0, last.0, chunks)?;
        }
        for consumer in &mut *self.consumers {
            consumer.consume(chunks);
        }
        Ok(())
    }
}
