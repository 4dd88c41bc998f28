//! Appends groups of events. Nothing is synced: what a crash takes is rebuilt from the journal.

use std::io;

use thiserror::Error;
use zerocopy::IntoBytes;

use super::reader::EventReader;
use super::sync;
use crate::Sequence;
use crate::error::{OpenError, ReadError};
use crate::layout::{GROUP_HEADER, GroupHeader};
use crate::recovery::settle;
use crate::segments::{EVENTS, list_segments, segment_path};
use crate::storage::{Access, Storage, StorageFile, is_no_room};

/// A group was not appended; the log is as before, and the same call may succeed later.
#[derive(Debug, Error)]
pub enum EventAppendError {
    /// No room on disk.
    #[error("no room on disk for {file}; the events were not written; free some room")]
    NoRoom {
        /// The file that could not grow.
        file: String,
    },
    /// The operating system refused.
    #[error("cannot write {file}: {source}; check the disk; the event log can be rebuilt from the journal")]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The caller broke the contract: a gap, a repetition, or a group too large for its header.
    #[error("events of commands {first} to {last} refused: the next command is {expected:?}")]
    Refused {
        /// The group's first command.
        first: Sequence,
        /// The group's last command.
        last: Sequence,
        /// The command that must come next; `None` if any may.
        expected: Option<Sequence>,
    },
}

/// The one writer of an event log. The caller holds the [`DirectoryLock`](crate::DirectoryLock).
#[derive(Debug)]
pub struct EventLogWriter<S: Storage> {
    storage: S,
    engine_id: u32,
    segment_size: u64,
    current: Option<Segment<S::File>>,
    last_sequence: Option<Sequence>,
}

#[derive(Debug)]
struct Segment<F> {
    file: F,
    path: String,
    offset: u64,
}

/// An event log that was read to its end; nothing was changed yet.
#[derive(Debug)]
pub struct InspectedEventLog<S: Storage> {
    storage: S,
    reader: EventReader<S>,
}

impl<S: Storage> InspectedEventLog<S> {
    /// The first command whose events it holds; `None` of an empty log.
    pub fn first_sequence(&self) -> Option<Sequence> {
        self.reader.first_sequence()
    }

    /// The last command whose events it holds; `None` of an empty log. It is a consumer's position: one
    /// above the journal's end means that the journal lost acknowledged commands, so ask before opening
    /// the journal, and pass it as `published`.
    pub fn last_sequence(&self) -> Option<Sequence> {
        self.reader.last_sequence()
    }

    /// Cuts off whatever follows the last whole group. A log of another engine is emptied: it is not this
    /// journal's. What was not synced in an earlier run is written once more and synced, so that it may be
    /// relied on. A new file begins after `segment_size` bytes. Nobody may have written since it was
    /// inspected.
    pub fn open(self, engine_id: u32, segment_size: u64) -> Result<EventLogWriter<S>, OpenError> {
        let Self { storage, reader } = self;
        let is_ours = reader.engine_id() == Some(engine_id);
        let mut writer = EventLogWriter {
            engine_id,
            segment_size,
            current: None,
            last_sequence: reader.last_sequence().filter(|_| is_ours),
            storage,
        };
        let failed = |path: &str, source| OpenError::Io { file: writer.storage.locate(path), source };
        writer.storage.create_directory(EVENTS).map_err(|source| failed(EVENTS, source))?;
        let end = reader.place().filter(|_| is_ours);
        let segments = list_segments(&writer.storage, EVENTS)
            .map_err(|source| ReadError::Io { file: writer.storage.locate(EVENTS), source })?;
        for first in segments.iter().rev().filter(|first| end.is_none_or(|end| **first > end.0)) {
            let path = segment_path(EVENTS, *first);
            writer.storage.remove(&path).map_err(|source| failed(&path, source))?;
        }
        if let Some((first, offset)) = end {
            let path = segment_path(EVENTS, first);
            let file = writer.storage.open(&path, Access::Write).map_err(|source| failed(&path, source))?;
            file.truncate(offset).map_err(|source| failed(&path, source))?;
            let synced = sync::noted(&writer.storage);
            // Those that end after the last sync: all but those whose next one begins at or before it.
            let unsure = segments.iter().enumerate().filter(|(place, segment)| {
                **segment <= first && segments.get(place + 1).is_none_or(|next| *next > synced)
            });
            for (_, segment) in unsure {
                let path = segment_path(EVENTS, *segment);
                let file = writer.storage.open(&path, Access::Write);
                file.and_then(|file| settle(&file, file.length()?))
                    .map_err(|source| failed(&path, source))?;
            }
            writer.current = Some(Segment { file, path, offset });
        }
        Ok(writer)
    }
}

impl<S: Storage> EventLogWriter<S> {
    /// Verifies the whole log, changing nothing: what [`Self::open`] does first.
    pub fn inspect(storage: S) -> Result<InspectedEventLog<S>, ReadError> {
        let mut reader = EventReader::open(storage.clone(), 0)?;
        while reader.advance()?.is_some() {}
        Ok(InspectedEventLog { storage, reader })
    }

    /// Inspects the log and opens it.
    pub fn open(storage: S, engine_id: u32, segment_size: u64) -> Result<Self, OpenError> {
        Self::inspect(storage)?.open(engine_id, segment_size)
    }

    /// The last command whose events are held; `None` of an empty log. The owner appends what the
    /// journal has beyond it.
    pub fn last_sequence(&self) -> Option<Sequence> {
        self.last_sequence
    }

    /// Appends the events of the commands `first` to `last`, all of each. `first` follows the last
    /// sequence held; an empty log begins anywhere. The payload may be empty: commands without events.
    pub fn append(
        &mut self,
        first: Sequence,
        last: Sequence,
        payload: &[u8],
    ) -> Result<(), EventAppendError> {
        let expected = self.last_sequence.map(|held| held + 1);
        if expected.is_some_and(|expected| first != expected)
            || first == 0
            || last < first
            || payload.len() > u32::MAX as usize
        {
            return Err(EventAppendError::Refused { first, last, expected });
        }
        let segment = match &mut self.current {
            Some(segment) if segment.offset < self.segment_size => segment,
            _ => {
                let path = segment_path(EVENTS, first);
                let file = self
                    .storage
                    .open(&path, Access::Create)
                    .map_err(|source| append_error(&self.storage, &path, source))?;
                self.current.insert(Segment { file, path, offset: 0 })
            }
        };
        let header = GroupHeader::new(self.engine_id, first, last, payload);
        if let Err(source) = segment.file.write_at(&[header.as_bytes(), payload], segment.offset) {
            // A reader stops at what is left of it, and the next group overwrites it: cutting it off
            // now only saves room, so a failure to do so is no second error.
            let _ = segment.file.truncate(segment.offset);
            return Err(append_error(&self.storage, &segment.path, source));
        }
        segment.offset += (GROUP_HEADER + payload.len()) as u64;
        self.last_sequence = Some(last);
        Ok(())
    }
}

fn append_error<S: Storage>(storage: &S, path: &str, source: io::Error) -> EventAppendError {
    let file = storage.locate(path);
    if is_no_room(&source) {
        EventAppendError::NoRoom { file }
    } else {
        EventAppendError::Write { file, source }
    }
}
