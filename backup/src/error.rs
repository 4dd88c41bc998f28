//! What can go wrong with a backup: each says what, where and what to do.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A backup was not made, not restored, or is not what it should be.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The operating system refused.
    #[error("cannot {doing} {path}: {source}; check that it exists, its permissions and the room left")]
    Io {
        /// `read`, `write`, …
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key file does not hold a key.
    #[error("{0} does not hold a key: 64 hexadecimal characters; make one with: openssl rand -hex 32")]
    KeyMalformed(PathBuf),
    /// Others may read the key.
    #[error("the key {path} can be read by others (mode {mode:03o}); run: chmod 600 {path}")]
    KeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another key encrypted it.
    #[error("the key is not the one that {0} was made with; give the right one (or its manifest is damaged)")]
    WrongKey(PathBuf),
    /// Bytes of a backup are not those that were written.
    #[error("{path} is damaged: {what}; restore from another backup, and check the disk of this one")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen.
        what: String,
    },
    /// Written by a format this build does not know.
    #[error("{path} has format {found}, and this build reads {known}; use the build that wrote it")]
    Format {
        /// The manifest.
        path: PathBuf,
        /// The version found.
        found: u32,
        /// The version this build reads and writes.
        known: u32,
    },
    /// There is no backup, or none of that name.
    #[error("{directory} holds no backup{named}; `rialto backup list {directory}` shows those there are")]
    NoBackup {
        /// Where the backups are.
        directory: PathBuf,
        /// ` named …`, or nothing.
        named: String,
    },
    /// A backup that others build on is not there.
    #[error(
        "{child} builds on {parent}, which is not in {directory}; put it back, or restore an earlier one"
    )]
    ParentMissing {
        /// Where the backups are.
        directory: PathBuf,
        /// The one that builds on it.
        child: String,
        /// The one that is missing.
        parent: String,
    },
    /// An incremental backup has nothing to build on.
    #[error(
        "there is no earlier backup of engine {engine_id} in {directory}; make a full one first: --kind full"
    )]
    NothingToBuildOn {
        /// Where the backups are.
        directory: PathBuf,
        /// The engine.
        engine_id: u32,
    },
    /// The journal is not the one that the earlier backup was made of.
    #[error(
        "the journal does not go on from {parent}: it was restored to an earlier command, or is another one's, or segments since were deleted without an archive; make a full backup: --kind full"
    )]
    AnotherHistory {
        /// The earlier backup.
        parent: String,
    },
    /// Administration kept making promises while the journal was copied.
    #[error(
        "administration changed the database in each of {0} attempts; try again when fewer changes are made"
    )]
    Restless(u32),
    /// The directory to restore to is in use.
    #[error("{0} is not empty; restore into a new directory")]
    NotEmpty(PathBuf),
    /// There is no exchange in the directory.
    #[error("{0} holds no exchange; give its data directory")]
    NoExchange(PathBuf),
    /// The sequence asked for is not in the backup.
    #[error("{backup} ends with command {last}, before {wanted}; ask for an earlier one, or a later backup")]
    PastTheEnd {
        /// The backup.
        backup: String,
        /// The sequence asked for.
        wanted: u64,
        /// The last one there is.
        last: u64,
    },
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] engine_journal::ReadError),
    /// A segment of the archive could not be read.
    #[error(transparent)]
    Open(#[from] engine_journal::OpenError),
    /// The snapshots could not be looked at.
    #[error(transparent)]
    Snapshot(#[from] engine_journal::SnapshotError),
    /// Another process has the directory.
    #[error(transparent)]
    Lock(#[from] engine_journal::LockError),
    /// The state could not be made again.
    #[error(transparent)]
    Replay(#[from] replay::ReplayError),
    /// The database could not be copied.
    #[error(transparent)]
    Database(#[from] database::DatabaseError),
}

impl BackupError {
    /// The system refused `doing` something with `path`.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
