//! What can go wrong when opening, reading and appending: each says what, where and what to do.

use std::io;

use thiserror::Error;

use crate::Sequence;

/// A journal could not be read. Nothing was changed on disk.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read {file}: {source}; nothing was changed; check the file and its permissions")]
    Io {
        /// The file or directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Damage with something valid after it, so it is no torn tail.
    #[error(
        "{file} is damaged at byte offset {offset}: {what}; nothing was changed; restore this file from a backup or a replica"
    )]
    Corrupt {
        /// The segment file.
        file: String,
        /// Where the damage begins, in bytes from the start of the file.
        offset: u64,
        /// What was seen there.
        what: &'static str,
    },
    /// Written by a format this build does not know.
    #[error(
        "{file} has at byte offset {offset} format version {found}, and this build reads {known}; use the build that wrote it"
    )]
    Version {
        /// The segment file.
        file: String,
        /// Where, in bytes from the start of the file.
        offset: u64,
        /// The version found.
        found: u32,
        /// The version this build reads and writes.
        known: u32,
    },
    /// The journal begins after the sequence asked for.
    #[error(
        "the journal in {file} begins at sequence {first}, after {wanted}; start from a later snapshot, or put the archived segments back"
    )]
    Deleted {
        /// The journal's directory.
        file: String,
        /// The sequence asked for.
        wanted: Sequence,
        /// The first sequence that is there.
        first: Sequence,
    },
    /// The journal ends before the sequence asked for.
    #[error("the journal in {file} ends with sequence {last}, before {wanted}; ask for an earlier one")]
    Ended {
        /// The journal's directory.
        file: String,
        /// The sequence asked for.
        wanted: Sequence,
        /// The last sequence that is there.
        last: Sequence,
    },
}

/// A data directory could not be opened for writing.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The operating system refused a change.
    #[error("cannot write {file}: {source}; check the directory, its permissions and the room left")]
    Io {
        /// The file or directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A consumer has already seen, or a snapshot has, what the journal does not hold.
    #[error(
        "a consumer or a snapshot has sequence {published}, but the journal ends at {last} ({file}, byte offset {offset}): acknowledged commands are lost; nothing was changed; restore the journal from a replica"
    )]
    PublishedAboveEnd {
        /// The consumer's position, or the snapshot's.
        published: Sequence,
        /// The last valid sequence.
        last: Sequence,
        /// The file that holds the journal's end.
        file: String,
        /// The end, in bytes from the start of the file.
        offset: u64,
    },
    /// The journal belongs to another engine, or to a later epoch than the identity file knows.
    #[error(
        "{file} was written by engine {found_engine} in epoch {found_epoch}, but the identity file says engine {engine} in epoch {epoch}; nothing was changed; put back the identity file that belongs to this journal"
    )]
    Foreign {
        /// The segment file.
        file: String,
        /// The engine that wrote it.
        found_engine: u32,
        /// The epoch it was written in.
        found_epoch: u32,
        /// The engine of the identity file.
        engine: u32,
        /// The epoch of the identity file.
        epoch: u32,
    },
    /// There are segments but no identity file.
    #[error("{file} is missing beside a journal; nothing was changed; put it back from a backup")]
    IdentityMissing {
        /// The identity file.
        file: String,
    },
}

/// A batch was not appended.
#[derive(Debug, Error)]
pub enum AppendError {
    /// No room on disk. The batch is not there, nothing was lost, and the same call may succeed later.
    #[error("no room on disk for {file}: {needed} bytes needed; the batch was not written; free some room")]
    NoRoom {
        /// The file that could not grow or be made.
        file: String,
        /// Bytes asked for.
        needed: u64,
    },
    /// A sync failed: abort the process.
    #[error(transparent)]
    SyncFailed(#[from] SyncFailed),
    /// The writer refuses every call since a sync or a write failed.
    #[error("the journal refuses to write after a failed sync or write; abort the process and start again")]
    Poisoned,
    /// A write failed for a reason other than room. What is on disk is unknown: abort the process.
    #[error("cannot write {file}: {source}; abort the process and start again")]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The caller broke the contract; nothing was written.
    #[error("batch refused, nothing was written: {0}")]
    Refused(Refusal),
}

/// How a batch broke the contract of `append_batch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Sequences are dense.
    #[error("it begins at sequence {given}, but the next one is {expected}")]
    OutOfOrder {
        /// The first sequence of the batch.
        given: Sequence,
        /// The one that must come next.
        expected: Sequence,
    },
    /// Larger than one segment holds.
    #[error("its {length} bytes are more than the {maximum} that fit a segment")]
    TooLarge {
        /// Bytes of the payload.
        length: usize,
        /// The most that fit.
        maximum: usize,
    },
    /// The records do not add up to the payload and the count.
    #[error("its bytes are not {count} whole records")]
    Malformed {
        /// The count given.
        count: u32,
    },
}

/// A `fdatasync` failed. It must not be retried: the kernel marks the pages clean after the first
/// failure, so a second call answers Ok and lies. The caller must abort the process.
#[derive(Debug, Error)]
#[error(
    "sync of {file} failed: {source}; nothing of this batch may be answered; abort the process, check the disk, start again"
)]
pub struct SyncFailed {
    /// The file or directory.
    pub file: String,
    /// What the system said.
    pub source: io::Error,
}
