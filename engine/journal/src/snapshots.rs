//! The store of snapshot files: written beside and renamed, so that a name always stands for a whole
//! one; found damaged when read, never when it is too late. It refuses to know what is in a snapshot,
//! when one is due, and which of them a recovery may use: the caller judges.

mod header;

use std::io;

use thiserror::Error;
use zerocopy::IntoBytes;

use crate::Sequence;
use crate::checksum::Digest;
use crate::layout::{FORMAT_VERSION, Invalid};
use crate::storage::{Access, Storage, StorageFile, is_no_room};
use header::{HEADER, Header};

/// Where the engine's own are.
const DIRECTORY: &str = "snapshots";
/// Where those of its consumers are.
const VIEWS: &str = "views";
/// Written and synced together: the journal's own syncs never wait behind a whole snapshot's.
const PIECE_BYTES: usize = 8 << 20;
/// What a snapshot leaves free unless told otherwise: the journal's next segment and its reserve.
const RESERVE_BYTES: u64 = 128 << 20;

/// What a snapshot says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// The last command in it, from 1.
    pub sequence: Sequence,
    /// The engine whose state it is.
    pub engine_id: u32,
    /// The epoch in which it was written.
    pub epoch: u32,
    /// The version of the rules in force after that command.
    pub rules_version: u32,
    /// The version of the payload's own format, which its reader knows.
    pub content_version: u32,
    /// The hash of the state, for its reader to compare with what it made of the payload.
    pub state_hash: [u8; 32],
}

/// A snapshot as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it says of itself.
    pub info: SnapshotInfo,
    /// The state, in a format of its owner's.
    pub payload: Vec<u8>,
}

/// A snapshot that could not be used, for whoever must be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSnapshot {
    /// The sequence in its name.
    pub sequence: Sequence,
    /// Where it is.
    pub file: String,
    /// Why not, and what to do.
    pub reason: String,
}

/// What [`Snapshots::newest_good`] finds: the snapshot with what was made of it, if there is one, and
/// those passed over for it.
pub type NewestGood<T> = (Option<(SnapshotInfo, T)>, Vec<BadSnapshot>);

/// A snapshot was not written or not read. The others are as they were.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// No room on disk; the same call may succeed later.
    #[error(
        "no room on disk for the snapshot {file}: {needed} bytes needed, the reserve included; it was not written, those there are stay; free some room"
    )]
    NoRoom {
        /// The file that was not made.
        file: String,
        /// Bytes that must be free for it.
        needed: u64,
    },
    /// The operating system refused a change.
    #[error(
        "cannot write the snapshot {file}: {source}; those there are stay; check the directory, its permissions and the disk"
    )]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The operating system refused to read.
    #[error("cannot read the snapshot {file}: {source}; check the file and its permissions")]
    Read {
        /// The file or directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its bytes are not those that were written.
    #[error(
        "the snapshot {file} is damaged: {what}; use the one before it, check the disk, then delete this file"
    )]
    Damaged {
        /// The file.
        file: String,
        /// What was seen.
        what: &'static str,
    },
    /// Intact, but of a format this build does not know.
    #[error(
        "the snapshot {file} has format version {found}, and this build reads {known}; use the build that wrote it, or the snapshot before it"
    )]
    Version {
        /// The file.
        file: String,
        /// The version found.
        found: u32,
        /// The version this build reads and writes.
        known: u32,
    },
}

/// The snapshots of a data directory. Any number may read; one writes and removes at a time.
#[derive(Clone, Debug)]
pub struct Snapshots<S: Storage> {
    storage: S,
    directory: &'static str,
    reserve: u64,
}

impl<S: Storage> Snapshots<S> {
    /// The snapshots in `storage`. Writing one leaves 128 MiB free, for the journal.
    pub fn new(storage: S) -> Self {
        Self { storage, directory: DIRECTORY, reserve: RESERVE_BYTES }
    }

    /// The same of what the consumers of events have made of them, in a directory of their own: made
    /// again from the events where there is none.
    pub fn of_views(storage: S) -> Self {
        Self { directory: VIEWS, ..Self::new(storage) }
    }

    /// The same, but leaving `bytes` free.
    #[must_use]
    pub fn with_reserve(self, bytes: u64) -> Self {
        Self { reserve: bytes, ..self }
    }

    /// The sequences there are snapshots of, newest first. None of them has been read.
    pub fn list(&self) -> Result<Vec<Sequence>, SnapshotError> {
        let mut sequences: Vec<_> = self.names()?.iter().filter_map(|name| parse_name(name)).collect();
        sequences.sort_unstable_by(|left, right| right.cmp(left));
        Ok(sequences)
    }

    /// Writes a snapshot, durably, replacing one of the same sequence. What an attempt before left
    /// behind is removed. After an error, and after a crash at any moment, those that were there are as
    /// they were, and this one is there whole or not at all.
    pub fn write(&self, info: &SnapshotInfo, payload: &[u8]) -> Result<(), SnapshotError> {
        let path = self.path(info.sequence);
        let failed = |source| SnapshotError::Write { file: self.storage.locate(&path), source };
        self.storage.create_directory(self.directory).map_err(failed)?;
        for name in self.names()?.iter().filter(|name| is_left_over(name)) {
            self.storage.remove(&format!("{}/{name}", self.directory)).map_err(failed)?;
        }
        let length = (HEADER + payload.len()) as u64;
        let needed = length.saturating_add(self.reserve);
        let no_room = || SnapshotError::NoRoom { file: self.storage.locate(&path), needed };
        if self.storage.free_space().map_err(failed)? < needed {
            return Err(no_room());
        }
        let temporary = format!("{path}.tmp");
        self.write_beside(&temporary, &path, info, payload).map_err(|source| {
            // Gives its room back. Should this fail too, the next attempt removes it.
            let _ = self.storage.remove(&temporary);
            if is_no_room(&source) { no_room() } else { failed(source) }
        })
    }

    fn write_beside(
        &self,
        temporary: &str,
        path: &str,
        info: &SnapshotInfo,
        payload: &[u8],
    ) -> io::Result<()> {
        let file = self.storage.open(temporary, Access::Create)?;
        file.preallocate((HEADER + payload.len()) as u64)?;
        let mut digest = Digest::new();
        let mut offset = HEADER as u64;
        for piece in payload.chunks(PIECE_BYTES) {
            digest.write(piece);
            file.write_at(&[piece], offset)?;
            file.sync_data()?;
            offset += piece.len() as u64;
        }
        let header = Header::new(info, payload.len() as u64, digest.sum64());
        file.write_at(&[header.as_bytes()], 0)?;
        file.sync_data()?;
        self.storage.rename(temporary, path)?;
        self.storage.sync_directory(self.directory)
    }

    /// What the snapshot of `sequence` says of itself, and how many bytes its payload has. The payload
    /// is not read.
    pub fn info(&self, sequence: Sequence) -> Result<(SnapshotInfo, u64), SnapshotError> {
        let (_, header) = self.open(sequence)?;
        Ok((header.info(), header.payload_length.get()))
    }

    /// The snapshot of `sequence`, verified.
    pub fn read(&self, sequence: Sequence) -> Result<Snapshot, SnapshotError> {
        let (file, header) = self.open(sequence)?;
        let failed = |source| SnapshotError::Read { file: self.locate(sequence), source };
        // `open` has compared the length with the file's.
        let mut payload = vec![0; header.payload_length.get() as usize];
        let mut digest = Digest::new();
        let mut offset = HEADER as u64;
        for piece in payload.chunks_mut(PIECE_BYTES) {
            let count = file.read_at(piece, offset).map_err(failed)?;
            digest.write(&piece[..count]);
            offset += count as u64;
        }
        if header.payload_checksum != digest.sum64() {
            return Err(self.damaged(sequence, "the payload's checksum does not match"));
        }
        Ok(Snapshot { info: header.info(), payload })
    }

    fn open(&self, sequence: Sequence) -> Result<(S::File, Header), SnapshotError> {
        let failed = |source| SnapshotError::Read { file: self.locate(sequence), source };
        let file = self.storage.open(&self.path(sequence), Access::Read).map_err(failed)?;
        let mut bytes = [0; HEADER];
        let count = file.read_at(&mut bytes, 0).map_err(failed)?;
        let header = Header::parse(&bytes[..count]).map_err(|invalid| match invalid {
            Invalid::Damaged(what) => self.damaged(sequence, what),
            Invalid::Version(found) => {
                SnapshotError::Version { file: self.locate(sequence), found, known: FORMAT_VERSION }
            }
        })?;
        if header.info().sequence != sequence {
            return Err(self.damaged(sequence, "the header names another sequence than the file's name"));
        }
        let length = file.length().map_err(failed)?;
        if length.checked_sub(HEADER as u64) != Some(header.payload_length.get()) {
            return Err(self.damaged(sequence, "the file is shorter or longer than its header says"));
        }
        Ok((file, header))
    }

    /// The newest snapshot at or below `at_most` (`None`: of all) that is whole and that `accept` makes
    /// something of; `accept` answers what is wrong with it otherwise. Those that were passed over are
    /// told too, newest first.
    pub fn newest_good<T>(
        &self,
        at_most: Option<Sequence>,
        mut accept: impl FnMut(&SnapshotInfo, &[u8]) -> Result<T, String>,
    ) -> Result<NewestGood<T>, SnapshotError> {
        let mut passed_over = Vec::new();
        for sequence in self.list()? {
            if at_most.is_some_and(|at_most| sequence > at_most) {
                continue;
            }
            let accepted = match self.read(sequence) {
                Ok(Snapshot { info, payload }) => accept(&info, &payload).map(|made| (info, made)),
                Err(error) => Err(error.to_string()),
            };
            match accepted {
                Ok(good) => return Ok((Some(good), passed_over)),
                Err(reason) => {
                    passed_over.push(BadSnapshot { sequence, file: self.locate(sequence), reason });
                }
            }
        }
        Ok((None, passed_over))
    }

    /// Removes what is older than the newest `count`, of which one always stays. Returns what was removed,
    /// newest first.
    pub fn retain(&self, count: usize) -> Result<Vec<Sequence>, SnapshotError> {
        self.retain_for(count, None)
    }

    /// Removes what is older than the newest `count`, of which one always stays, and than the newest at
    /// or below `position`: what a consumer that has got so far is fed again from. Snapshots whose header
    /// is damaged do not count, and go once they are older than all that stay. Returns what was removed,
    /// newest first.
    pub fn retain_for(
        &self,
        count: usize,
        position: Option<Sequence>,
    ) -> Result<Vec<Sequence>, SnapshotError> {
        let listed = self.list()?;
        let good: Vec<_> = listed.iter().copied().filter(|sequence| self.info(*sequence).is_ok()).collect();
        let newest = good.iter().take(count.max(1));
        let fed_from = position.and_then(|position| good.iter().find(|sequence| **sequence <= position));
        let Some(&oldest) = newest.chain(fed_from).min() else { return Ok(Vec::new()) };
        let removed: Vec<_> = listed.into_iter().filter(|sequence| *sequence < oldest).collect();
        for sequence in &removed {
            self.remove(*sequence)?;
        }
        if !removed.is_empty() {
            self.storage.sync_directory(self.directory).map_err(|source| SnapshotError::Write {
                file: self.storage.locate(self.directory),
                source,
            })?;
        }
        Ok(removed)
    }

    fn remove(&self, sequence: Sequence) -> Result<(), SnapshotError> {
        self.storage
            .remove(&self.path(sequence))
            .map_err(|source| SnapshotError::Write { file: self.locate(sequence), source })
    }

    fn names(&self) -> Result<Vec<String>, SnapshotError> {
        self.storage
            .list(self.directory)
            .map_err(|source| SnapshotError::Read { file: self.storage.locate(self.directory), source })
    }

    fn damaged(&self, sequence: Sequence, what: &'static str) -> SnapshotError {
        SnapshotError::Damaged { file: self.locate(sequence), what }
    }

    fn path(&self, sequence: Sequence) -> String {
        format!("{}/snapshot-{sequence:020}.bin", self.directory)
    }

    /// Where the snapshot of `sequence` is or would be, for messages.
    pub fn locate(&self, sequence: Sequence) -> String {
        self.storage.locate(&self.path(sequence))
    }
}

fn parse_name(name: &str) -> Option<Sequence> {
    let digits = name.strip_prefix("snapshot-")?.strip_suffix(".bin")?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn is_left_over(name: &str) -> bool {
    name.strip_suffix(".tmp").is_some_and(|name| parse_name(name).is_some())
}
