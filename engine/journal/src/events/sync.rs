//! Makes the event log durable up to a sequence, beside its writer and from any thread, so that the
//! writer never waits for the disk. It does not know what an event means, nor when a sync is due.

use crate::Sequence;
use crate::checksum::checksum;
use crate::error::SyncFailed;
use crate::segments::{EVENTS, list_segments, segment_path};
use crate::storage::{Access, Storage, StorageFile};

/// Where the position is noted: a sequence and its checksum.
const NOTE: &str = "events/synced";
const TEMPORARY: &str = "events/synced.tmp";
const NOTE_BYTES: usize = 16;

/// How far the event log is durable: a position for the journal's retention.
#[derive(Debug)]
pub struct EventLogSync<S: Storage> {
    storage: S,
    synced: Option<Sequence>,
    /// Segments before this one were synced after they were closed.
    settled: Sequence,
    has_failed: bool,
}

impl<S: Storage> EventLogSync<S> {
    /// Of the event log in `storage`, nothing of which counts as durable yet.
    pub fn new(storage: S) -> Self {
        Self { storage, synced: None, settled: 0, has_failed: false }
    }

    /// The last sequence whose events are known to be on disk; `None` before the first sync.
    pub fn synced_sequence(&self) -> Option<Sequence> {
        self.synced
    }

    /// Makes durable what the log holds. `written` is a sequence that its writer has appended (see
    /// [`EventLogWriter::last_sequence`](crate::EventLogWriter::last_sequence)) before this call.
    ///
    /// After an error every later call fails too, for a second sync would lie; the log itself can be
    /// rebuilt from the journal, of which nothing more may be deleted. The next start writes what is above
    /// the last sync once more.
    pub fn sync(&mut self, written: Sequence) -> Result<Sequence, SyncFailed> {
        let failed = |path: &str, source| SyncFailed { file: self.storage.locate(path), source };
        if self.has_failed {
            return Err(failed(EVENTS, std::io::Error::other("a sync has failed before")));
        }
        let result = sync_from(&self.storage, self.settled);
        self.has_failed = result.is_err();
        let newest = result.map_err(|(path, source)| failed(&path, source))?;
        self.settled = self.settled.max(newest);
        let synced = self.synced.unwrap_or(0).max(written);
        if self.synced != Some(synced) {
            note(&self.storage, synced).map_err(|source| failed(NOTE, source))?;
        }
        self.synced = Some(synced);
        Ok(synced)
    }
}

/// How far the log is known to be on disk, as it was noted; 0 when that cannot be told. What is above
/// may look whole though its sync has failed: the system then drops what it could not write, and later
/// syncs say that all is well.
pub(crate) fn noted<S: Storage>(storage: &S) -> Sequence {
    let mut bytes = [0; NOTE_BYTES + 1]; // one more, to see that nothing follows
    let read = storage.open(NOTE, Access::Read).and_then(|file| file.read_at(&mut bytes, 0));
    let Ok(NOTE_BYTES) = read else { return 0 };
    let (sequence, rest) = bytes.split_at(8);
    let is_whole = checksum(&[sequence]).to_le_bytes() == rest[..8];
    let sequence = sequence.try_into().map_or(0, u64::from_le_bytes);
    if is_whole { sequence } else { 0 }
}

/// Notes it, written beside and renamed.
fn note<S: Storage>(storage: &S, synced: Sequence) -> std::io::Result<()> {
    let sequence = synced.to_le_bytes();
    let file = storage.open(TEMPORARY, Access::Create)?;
    file.write_at(&[&sequence, &checksum(&[&sequence]).to_le_bytes()], 0)?;
    file.sync_data()?;
    storage.rename(TEMPORARY, NOTE)?;
    storage.sync_directory(EVENTS)
}

/// Syncs the segments from `settled` on, and their names. Returns the newest's first sequence.
fn sync_from<S: Storage>(storage: &S, settled: Sequence) -> Result<Sequence, (String, std::io::Error)> {
    let firsts = list_segments(storage, EVENTS).map_err(|source| (EVENTS.to_owned(), source))?;
    for first in firsts.iter().filter(|first| **first >= settled) {
        let path = segment_path(EVENTS, *first);
        storage
            .open(&path, Access::Write)
            .and_then(|file| file.sync_data())
            .map_err(|source| (path, source))?;
    }
    storage.sync_directory(EVENTS).map_err(|source| (EVENTS.to_owned(), source))?;
    Ok(firsts.last().copied().unwrap_or(0))
}
