//! Two event logs side by side, command by command: what the same commands were seen to do. How
//! groups and chunks are cut is not part of what they say. Refuses to make events.

use super::{Difference, Found, Place};
use crate::ReplayError;
use engine_journal::{EventReader, FileStorage};
use protocol::{
    Sequence,
    event::{ChunkHeader, Event, EventChunk},
    record::DecodeError,
};

/// What one command did.
type Did = (ChunkHeader, Vec<Event>);

/// One event log, a command at a time.
struct Side {
    reader: EventReader<FileStorage>,
    group: Vec<u8>,
    done: usize,
    /// Where the command that was read last begins, and its sequence.
    command: (usize, u64),
}

impl Side {
    fn open(storage: &FileStorage) -> Result<Self, ReplayError> {
        let reader = EventReader::open(storage.clone(), 0)?;
        Ok(Self { reader, group: Vec::new(), done: 0, command: (0, 0) })
    }

    /// Reads the next command's chunks; whether there is one.
    fn advance(&mut self) -> Result<bool, ReplayError> {
        while self.done == self.group.len() {
            let Some(group) = self.reader.next_group()? else { return Ok(false) };
            self.group.clear();
            self.group.extend_from_slice(group.payload);
            self.done = 0;
        }
        let mut rest = &self.group[self.done..];
        let begun = self.done;
        loop {
            let sequence = Sequence(self.command.1 + 1);
            let chunk = EventChunk::take(&mut rest)
                .map_err(|source: DecodeError| ReplayError::Record { sequence, source })?;
            self.done = self.group.len() - rest.len();
            self.command = (begun, chunk.header.sequence.0);
            if chunk.header.last == 1 {
                return Ok(true);
            }
        }
    }

    /// Reads on to the command; whether it is there.
    fn reach(&mut self, sequence: u64) -> Result<bool, ReplayError> {
        while self.command.1 < sequence {
            if !self.advance()? {
                return Ok(false);
            }
        }
        Ok(self.command.1 == sequence)
    }

    fn bytes(&self) -> &[u8] {
        &self.group[self.command.0..self.done]
    }

    fn did(&self) -> Result<Did, ReplayError> {
        let unreadable =
            |source: DecodeError| ReplayError::Record { sequence: Sequence(self.command.1), source };
        let mut events = Vec::new();
        let mut last = None;
        for chunk in EventChunk::all(self.bytes()) {
            let chunk = chunk.map_err(unreadable)?;
            for event in chunk.events() {
                events.push(event.map_err(unreadable)?);
            }
            last = Some(ChunkHeader { length: 0, chunk: 0, first_event: 0, ..chunk.header });
        }
        let header = last.ok_or_else(|| unreadable(DecodeError::BadLength(0)))?;
        Ok((header, events))
    }
}

/// The first command, of those that are the same and that both logs have, of which the logs tell
/// different things.
pub(super) fn part(
    storages: &[FileStorage; 2],
    first: u64,
    equal_up_to: u64,
) -> Result<Option<Found>, ReplayError> {
    let [mut left, mut right] = [Side::open(&storages[0])?, Side::open(&storages[1])?];
    if !left.advance()? || !right.advance()? {
        return Ok(None);
    }
    let begin = first.max(left.command.1).max(right.command.1);
    for sequence in begin..=equal_up_to {
        if !left.reach(sequence)? || !right.reach(sequence)? {
            break;
        }
        if left.bytes() == right.bytes() {
            continue;
        }
        let (one, other) = (left.did()?, right.did()?);
        if one == other {
            continue;
        }
        let mut differences = Vec::new();
        if one.0 != other.0 {
            let ended = |header: &ChunkHeader| {
                header.outcome().map_or_else(|| header.code.to_string(), |outcome| format!("{outcome:?}"))
            };
            differences.push(Difference::new("the outcome", ended(&one.0), ended(&other.0)));
        }
        let count = one.1.len().max(other.1.len());
        for index in 0..count {
            let told = |events: &[Event]| {
                events.get(index).map_or_else(|| "-".to_owned(), |event| format!("{event:?}"))
            };
            let (left, right) = (told(&one.1), told(&other.1));
            if left != right {
                differences.push(Difference::new(format!("event {index}"), left, right));
            }
        }
        return Ok(Some(Found {
            sequence,
            place: Place::EventLog,
            summary: format!(
                "the commands are the same, but not what the event logs say command {sequence} did"
            ),
            differences,
        }));
    }
    Ok(None)
}
