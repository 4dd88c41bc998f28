//! Makes the event log durable up to a sequence, beside its writer and from any thread, so that the
//! writer never waits for the disk. It does not know what an event means, nor when a sync is due.

use crate::Sequence;
use crate::error::SyncFailed;
use crate::segments::{EVENTS, list_segments, segment_path};
use crate::storage::{Access, Storage, StorageFile};

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
    /// rebuilt from the journal, of which nothing more may be deleted.
    pub fn sync(&mut self, written: Sequence) -> Result<Sequence, SyncFailed> {
        let failed = |path: &str, source| SyncFailed { file: self.storage.locate(path), source };
        if self.has_failed {
            return Err(failed(EVENTS, std::io::Error::other("a sync has failed before")));
        }
        let result = sync_from(&self.storage, self.settled);
        self.has_failed = result.is_err();
        let newest = result.map_err(|(path, source)| failed(&path, source))?;
        self.settled = self.settled.max(newest);
        self.synced = self.synced.max(Some(written));
        Ok(self.synced.unwrap_or(written))
    }
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
