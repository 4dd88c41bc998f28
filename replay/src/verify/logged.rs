//! The event log beside the events made again. Refuses to know states.

use super::snapshots::Difference;
use crate::ReplayError;
use engine_journal::{EventReader, FileStorage, JournalReader};
use protocol::{
    Sequence,
    event::{ChunkHeader, Event, EventChunk},
    record::DecodeError,
};

/// The event log, a group at a time.
pub(super) struct LoggedEvents {
    reader: EventReader<FileStorage>,
    /// The group that holds the next command.
    group: Option<(u64, u64, Vec<u8>)>,
    made: Vec<u8>,
    /// It was read to its end. To look again for each command that is left would cost more than the command.
    is_over: bool,
}

impl LoggedEvents {
    pub(super) fn open(storage: FileStorage) -> Result<Self, ReplayError> {
        Ok(Self { reader: EventReader::open(storage, 0)?, group: None, made: Vec::new(), is_over: false })
    }

    /// Compares the events of one command; says what differs. A log that is missing, or short, is no
    /// difference: it is made again at the next start.
    pub(super) fn compare(
        &mut self,
        sequence: Sequence,
        chunks: &[u8],
    ) -> Result<Option<Difference>, ReplayError> {
        while self.group.is_none() && !self.is_over {
            self.made.clear();
            let Some(group) = self.reader.next_group()? else {
                self.is_over = true;
                return Ok(None);
            };
            // One that begins before this command was not there yet when its first command was made, or
            // a snapshot stands for that command: there is nothing to compare it with.
            if group.first_sequence >= sequence.0 {
                self.group = Some((group.first_sequence, group.last_sequence, group.payload.to_vec()));
            }
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
            let what = format!(
                "the event log's group of commands {first} to {last} says something else than the journal"
            );
            (*first, what)
        });
        self.group = None;
        Ok(difference)
    }

    /// Events of a command after `last`, at which the journal was found to end. They were let out, so that
    /// the journal has lost the command, unless an exchange has written it meanwhile.
    pub(super) fn beyond(
        &mut self,
        storage: &FileStorage,
        last: u64,
    ) -> Result<Option<Difference>, ReplayError> {
        let mut logged = self.group.take().map_or(0, |(_, last, _)| last);
        while logged <= last {
            let Some(group) = self.reader.next_group()? else { return Ok(None) };
            logged = group.last_sequence;
        }
        if JournalReader::open(storage.clone(), logged)?.next_batch()?.is_some() {
            return Ok(None);
        }
        let what = format!(
            "the event log has command {logged}, but the journal ends at {last}: acknowledged commands are lost"
        );
        Ok(Some((last + 1, what)))
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
