//! Recovery: from the newest good snapshot, or from nothing, to the journal's end. Every event is shown
//! to every consumer, those up to the snapshot from the event log; the event log gets what it lacks.
//! Refuses to judge the bytes of journal, event log and snapshots, which `engine-journal` has done.

use super::OpenError;
use super::reapply::{Reached, Reapply};
use super::status::ExchangeStatus;
use engine_core::Engine;
use engine_journal::{EventLogWriter, EventReader, Identity, InspectedEventLog, Snapshots, Storage};
use protocol::{
    Sequence,
    event::{EventBuffer, EventChunk},
};
use services::{EventConsumer, HaltReason};

/// Events go on when so many bytes are there.
const FLUSH_BYTES: usize = 256 * 1024;
/// Progress is told after so many commands.
const PROGRESS_COMMANDS: u64 = 10_000;

/// What recovery needs.
pub(crate) struct Recovery<'a, S: Storage> {
    pub(crate) storage: S,
    pub(crate) log: Option<&'a mut EventLogWriter<S>>,
    pub(crate) consumers: &'a mut [Box<dyn EventConsumer>],
    pub(crate) status: &'a ExchangeStatus,
    /// The journal's last command.
    pub(crate) last: Sequence,
    /// The last command that each consumer has already.
    pub(crate) positions: Vec<Sequence>,
}

/// The engine of the newest good snapshot of a command up to `at_most` (`None`: of any). The log tells of
/// those that are passed over for it.
pub(crate) fn restore<S: Storage>(
    storage: &S,
    at_most: Option<Sequence>,
    hash_seed: u64,
) -> Result<Option<Engine>, OpenError> {
    let Some(identity) = Identity::read(storage)? else { return Ok(None) };
    let at_most = at_most.map(|sequence| sequence.0);
    let (found, passed_over) = Snapshots::new(storage.clone()).newest_good(at_most, |info, content| {
        if info.engine_id != identity.engine_id {
            return Err(format!("it is of engine {}, this is engine {}", info.engine_id, identity.engine_id));
        }
        let engine: Engine = Engine::from_snapshot(content, hash_seed).map_err(|error| error.to_string())?;
        if engine.state_hash().0 != info.state_hash || engine.sequence().0 != info.sequence {
            return Err("what was read is not the state that was written; tell who builds Rialto".to_owned());
        }
        Ok(engine)
    })?;
    for bad in &passed_over {
        tracing::warn!(file = bad.file, reason = bad.reason, "a snapshot is passed over");
    }
    Ok(found.map(|(_, engine)| engine))
}

/// The snapshot that recovery goes on from: the event log must reach back to the first command, for
/// the consumers, and up to the snapshot.
pub(crate) fn restore_to_recover<S: Storage>(
    storage: &S,
    events: &InspectedEventLog<S>,
    hash_seed: u64,
) -> Result<Option<Engine>, OpenError> {
    match (events.first_sequence(), events.last_sequence()) {
        (Some(1), Some(last)) => restore(storage, Some(Sequence(last)), hash_seed),
        _ => Ok(None),
    }
}

impl<S: Storage> Recovery<'_, S> {
    /// Brings `engine` to the journal's end, and gives the last command whose events are out. A command
    /// that breaks an invariant is where it stops: the status is then halted, and the engine not to be
    /// used.
    pub(crate) fn run(mut self, engine: &mut Engine) -> Result<Sequence, OpenError> {
        self.feed(engine.sequence())?;
        let mut journal = Reapply::new(&self.storage, engine)?;
        let mut events = EventBuffer::growing();
        // The first command whose events wait in the buffer.
        let mut first = engine.sequence().next();
        loop {
            let reached = journal.batch(engine, Sequence(u64::MAX), &mut events, |sequence, events| {
                if events.bytes().len() >= FLUSH_BYTES || self.log_ends_at(sequence) {
                    self.emit(first, sequence, events.bytes())?;
                    events.clear();
                    first = sequence.next();
                }
                self.tell(sequence);
                Ok(())
            })?;
            match reached {
                Reached::Batch => {}
                Reached::End => break,
                Reached::Broken { sequence, what, whole_events } => {
                    let last = Sequence(sequence.0 - 1);
                    self.emit(first, last, &events.bytes()[..whole_events])?;
                    self.status.halt(HaltReason::BrokenInvariant { sequence, what });
                    return Ok(last);
                }
            }
        }
        self.emit(first, engine.sequence(), events.bytes())?;
        self.status.recovered(engine.sequence(), self.last);
        Ok(engine.sequence())
    }

    fn tell(&self, sequence: Sequence) {
        if sequence.0.is_multiple_of(PROGRESS_COMMANDS) {
            self.status.recovered(sequence, self.last);
        }
    }

    /// Shows the consumers the events of all commands up to the snapshot's that they have not.
    fn feed(&mut self, snapshot: Sequence) -> Result<(), OpenError> {
        let mut fed = self.positions.iter().copied().min().unwrap_or(snapshot);
        self.status.recovered(fed, self.last);
        if fed >= snapshot {
            return Ok(());
        }
        let mut log = EventReader::open(self.storage.clone(), fed.next().0)?;
        while fed < snapshot {
            let group = log.next_group()?.filter(|group| group.first_sequence <= fed.next().0);
            let group = group.ok_or(OpenError::EventLogShort { fed, snapshot })?;
            self.show(up_to(snapshot, group.payload));
            fed = Sequence(group.last_sequence).min(snapshot);
            self.status.recovered(fed, self.last);
        }
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
        self.show(chunks);
        Ok(())
    }

    /// Shows each consumer what it has not.
    fn show(&mut self, chunks: &[u8]) {
        for (consumer, position) in self.consumers.iter_mut().zip(&self.positions) {
            let new = &chunks[up_to(*position, chunks).len()..];
            if !new.is_empty() {
                consumer.consume(new);
            }
        }
    }
}

/// The chunks of commands up to `last`.
fn up_to(last: Sequence, chunks: &[u8]) -> &[u8] {
    // An engine of this build made them, or the log's checksums say that one has.
    EventChunk::up_to(chunks, last).expect("chunks that the core has written")
}
