//! Why a replay could not be done.

use engine_journal::{LockError, ReadError, SnapshotError, VoidError};
use protocol::{AccountId, Sequence, record::DecodeError};
use std::path::PathBuf;

/// Why a replay could not be done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no journal.
    #[error("{0} holds no journal; give the data directory of an exchange")]
    NoJournal(PathBuf),
    /// The journal or the event log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The snapshots cannot be looked at.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The journal does not go on from the first command, nor from a snapshot.
    #[error(
        "the journal has command {found} where {expected} must be, and no snapshot fills the gap; restore the segments before it"
    )]
    Gap {
        /// The sequence that is there.
        found: u64,
        /// The one that must be.
        expected: Sequence,
    },
    /// A command of another build.
    #[error("command {sequence} of the journal cannot be read: {source}; use the build that wrote it")]
    Record {
        /// Which.
        sequence: Sequence,
        /// Why.
        source: DecodeError,
    },
    /// A command that broke an invariant, and was not voided.
    #[error(
        "command {sequence} breaks an invariant: {what}; an exchange stops before it, and goes on once it is voided: `rialto replay void`"
    )]
    Broken {
        /// Which.
        sequence: Sequence,
        /// What was found.
        what: String,
    },
    /// A void cannot be read or written.
    #[error(transparent)]
    Void(#[from] VoidError),
    /// An exchange runs in the directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A command that may not be voided.
    #[error(
        "command {0} breaks no invariant when the journal is applied from its beginning, and only such a command can be voided; if an exchange halted at it, the state it began with was wrong: see what `rialto replay verify` says of the snapshots"
    )]
    NotBroken(Sequence),
    /// One person's word is not enough.
    #[error("a command is voided by two administrators: give --administrator twice, with two names")]
    OneAdministrator,
    /// The journal ends before the sequence asked for.
    #[error("the journal ends at sequence {last}, before {wanted}; ask for an earlier one")]
    PastTheEnd {
        /// The sequence asked for.
        wanted: Sequence,
        /// The last one.
        last: Sequence,
    },
    /// The commands that made a state are gone.
    #[error(
        "the commands up to sequence {first} are gone, and {wanted} is before that; ask for {first} or a later one, or restore the segments before it"
    )]
    BeforeTheBeginning {
        /// The sequence asked for.
        wanted: Sequence,
        /// The first one whose state can be made.
        first: Sequence,
    },
    /// Nobody of this id.
    #[error("there is no account {0} at this sequence; `rialto replay state DIR` lists those there are")]
    UnknownAccount(AccountId),
    /// No asset of this name.
    #[error("there is no asset {name} at this sequence; there are {known}")]
    UnknownAsset {
        /// The name asked for.
        name: String,
        /// Those there are, by comma.
        known: String,
    },
    /// A file would be replaced.
    #[error("{0} is there already; nothing was written; give another --out, or --force to replace it")]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {file}: {source}; check the directory, its permissions and the room on disk")]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nowhere to print to.
    #[error("cannot write the answer: {0}")]
    Output(#[from] std::io::Error),
}
