//! Whether a journal means what was said it did: applied again, it must make the events of the event
//! log, and books and ledger must agree with themselves. Refuses to repair.

use crate::{
    ReplayError, Watch,
    history::{replay, storage},
};
use engine_journal::{EventReader, FileStorage};
use protocol::{
    Sequence,
    event::{ChunkHeader, Event, EventChunk},
    record::DecodeError,
};
use std::{path::Path, time::Instant};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct VerifyReport {
    /// The first command there is; 0 of an empty journal.
    pub first_sequence: u64,
    /// The last command there is.
    pub last_sequence: u64,
    /// How many snapshots were compared.
    pub snapshots: u64,
    /// The state at the end.
    pub state_hash: String,
    /// How fast the journal was applied.
    pub commands_per_second: u64,
    /// Whether all agrees.
    pub equal: bool,
    /// The first command at which something does not, and what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
}

/// Applies the whole journal and compares.
///
/// # Errors
/// When it cannot be read; see [`ReplayError`].
pub fn verify(directory: &Path, watch: Watch<'_>) -> Result<VerifyReport, ReplayError> {
    let start = Instant::now();
    let mut log = LoggedEvents::open(storage(directory)?)?;
    let mut difference = None;
    let engine = replay(directory, None, watch, |step| {
        if let Some(found) = log.compare(step.sequence, step.chunks)? {
            difference.get_or_insert(found);
        }
        Ok(())
    })?;
    if let Err(error) = engine.audit() {
        difference.get_or_insert(error.to_string());
    }
    let last_sequence = engine.sequence().0;
    Ok(VerifyReport {
        first_sequence: u64::from(last_sequence > 0),
        last_sequence,
        snapshots: 0,
        state_hash: engine.state_hash().to_string(),
        commands_per_second: (last_sequence as u128 * 1_000_000 / start.elapsed().as_micros().max(1)) as u64,
        equal: difference.is_none(),
        difference,
    })
}

/// The event log, a group at a time, beside the events made again.
struct LoggedEvents {
    reader: EventReader<FileStorage>,
    /// The group that holds the next command.
    group: Option<(u64, u64, Vec<u8>)>,
    made: Vec<u8>,
}

impl LoggedEvents {
    fn open(storage: FileStorage) -> Result<Self, ReplayError> {
        Ok(Self { reader: EventReader::open(storage, 0)?, group: None, made: Vec::new() })
    }

    /// Compares the events of one command; says what differs. A log that is missing, or short, is no
    /// difference: it is made again at the next start.
    fn compare(&mut self, sequence: Sequence, chunks: &[u8]) -> Result<Option<String>, ReplayError> {
        if self.group.is_none() {
            self.made.clear();
            let group = self.reader.next_group()?;
            self.group =
                group.map(|group| (group.first_sequence, group.last_sequence, group.payload.to_vec()));
        }
        let Some((first, last, logged)) = &self.group else { return Ok(None) };
        if sequence.0 < *first {
            return Ok(None);
        }
        self.made.extend_from_slice(chunks);
        if sequence.0 < *last {
            return Ok(None);
        }
        // How events are cut into chunks is not part of what they say.
        let equal = self.made == *logged || said(&self.made) == said(logged);
        let difference = (!equal).then(|| {
            format!(
                "the event log's group of commands {first} to {last} says something else than the journal"
            )
        });
        self.group = None;
        Ok(difference)
    }
}

/// Each command's last header, without what depends on the chunks, and all events.
fn said(chunks: &[u8]) -> Result<(Vec<ChunkHeader>, Vec<Event>), DecodeError> {
    let mut headers = Vec::new();
    let mut events = Vec::new();
    for chunk in EventChunk::all(chunks) {
        let chunk = chunk?;
        for event in chunk.events() {
            events.push(event?);
        }
        if chunk.header.last == 1 {
            headers.push(ChunkHeader { length: 0, chunk: 0, first_event: 0, ..chunk.header });
        }
    }
    Ok((headers, events))
}
