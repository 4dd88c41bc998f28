//! The journal through a core, command by command. Refuses to write.

use crate::{
    ReplayError,
    begin::{self, Begin},
};
use engine_core::{Engine, LOOK_AHEAD};
use engine_journal::{FileStorage, JournalReader, Voids};
use protocol::{
    Sequence,
    command::CommandRecord,
    event::{ChunkHeader, Event, EventBuffer, EventChunk},
};
use std::path::Path;
use zerocopy::IntoBytes;

/// How far a replay is, in bytes of journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Read.
    pub done: u64,
    /// To read in all, as it was at the start.
    pub total: u64,
}

/// Is told how far a replay is.
pub type Watch<'a> = &'a mut dyn FnMut(Progress);

/// A command that was applied.
pub(crate) struct Step<'a> {
    /// The core after it.
    pub(crate) engine: &'a Engine,
    pub(crate) sequence: Sequence,
    pub(crate) record: CommandRecord<'a>,
    /// Its event chunks.
    pub(crate) chunks: &'a [u8],
}

impl Step<'_> {
    /// Shows each event to `see`, with its place in the command; returns the last chunk's header,
    /// which says how the command ended.
    pub(crate) fn events(
        &self,
        mut see: impl FnMut(u64, &Event) -> Result<(), ReplayError>,
    ) -> Result<ChunkHeader, ReplayError> {
        let unreadable = |source| ReplayError::Record { sequence: self.sequence, source };
        let mut index = 0;
        let mut rest = self.chunks;
        loop {
            let chunk = EventChunk::take(&mut rest).map_err(unreadable)?;
            for event in chunk.events() {
                see(index, &event.map_err(unreadable)?)?;
                index += 1;
            }
            if chunk.header.last == 1 {
                return Ok(chunk.header);
            }
        }
    }
}

/// Records where a core can read them: at an address that is a multiple of 8, as words are.
#[derive(Default)]
struct Records {
    words: Vec<u64>,
    length: usize,
}

impl Records {
    fn copy(&mut self, records: &[u8]) {
        self.length = records.len();
        self.words.resize(self.length.div_ceil(8), 0);
        self.words.as_mut_bytes()[..self.length].copy_from_slice(records);
    }

    fn bytes(&self) -> &[u8] {
        &self.words.as_bytes()[..self.length]
    }
}

/// The storage of a data directory that has a journal.
pub(crate) fn storage(directory: &Path) -> Result<FileStorage, ReplayError> {
    if directory.join("journal").is_dir() {
        Ok(FileStorage::new(directory))
    } else {
        Err(ReplayError::NoJournal(directory.to_owned()))
    }
}

/// Applies commands from where `begin` says up to `until` (to the end without one), and shows each one
/// to `see`.
pub(crate) fn replay(
    directory: &Path,
    begin: Begin,
    until: Option<Sequence>,
    watch: Watch<'_>,
    see: impl FnMut(&Step<'_>) -> Result<(), ReplayError>,
) -> Result<Engine, ReplayError> {
    let storage = storage(directory)?;
    let engine = begin::engine(&storage, begin)?;
    // Whoever asks for a command must see it.
    if let Begin::Nearest(Some(before)) = begin
        && engine.sequence() > before
    {
        return Err(ReplayError::BeforeTheBeginning { wanted: before, first: engine.sequence() });
    }
    go_on(storage, engine, until, watch, see)
}

/// The same, on a core that has applied what is before.
pub(crate) fn go_on(
    storage: FileStorage,
    mut engine: Engine,
    until: Option<Sequence>,
    watch: Watch<'_>,
    mut see: impl FnMut(&Step<'_>) -> Result<(), ReplayError>,
) -> Result<Engine, ReplayError> {
    if let Some(wanted) = until.filter(|until| *until < engine.sequence()) {
        return Err(ReplayError::BeforeTheBeginning { wanted, first: engine.sequence() });
    }
    let voids = Voids::read(&storage)?;
    let mut reader = JournalReader::open(storage, engine.sequence().next().0)?;
    let total = reader.progress()?.bytes_total;
    let mut events = EventBuffer::growing();
    let mut records = Records::default();
    while engine.sequence() < until.unwrap_or(Sequence(u64::MAX))
        && let Some(batch) = reader.next_batch()?
    {
        let expected = engine.sequence().next();
        if batch.first_sequence != expected.0 {
            return Err(ReplayError::Gap { found: batch.first_sequence, expected });
        }
        records.copy(batch.payload);
        let mut ahead = records.bytes();
        for (index, record) in CommandRecord::all(records.bytes()).enumerate() {
            let sequence = engine.sequence().next();
            if until.is_some_and(|until| sequence > until) {
                break;
            }
            let record = record.map_err(|source| ReplayError::Record { sequence, source })?;
            if index % LOOK_AHEAD == 0 {
                engine.look_ahead(ahead);
            }
            let (bytes, after) = ahead.split_at(usize::from(record.header.length));
            ahead = after;
            events.clear();
            let is_void = voids.has(sequence.0, bytes)?;
            let done = engine.apply_again(&record, sequence, is_void, &mut events);
            done.map_err(|what| ReplayError::Broken { sequence, what })?;
            see(&Step { engine: &engine, sequence, record, chunks: events.bytes() })?;
        }
        watch(Progress { done: reader.bytes_done(), total: total.max(reader.bytes_done()) });
    }
    match until {
        Some(wanted) if engine.sequence() < wanted => {
            Err(ReplayError::PastTheEnd { wanted, last: engine.sequence() })
        }
        _ => Ok(engine),
    }
}
