//! What leaves the disk once a snapshot is made: older snapshots, and segments of the journal that no
//! start and no consumer needs, into the archive if one is kept. Refuses to know when that is due.

use crate::Sequence;
use crate::archive::{Archive, ArchiveError};
use crate::error::{ReadError, SyncFailed};
use crate::events::EventLogSync;
use crate::retention::{ClosedSegment, Position, RetentionRule, closed_segments};
use crate::snapshots::{SnapshotError, Snapshots};
use crate::storage::Storage;
use thiserror::Error;

/// What stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepRules {
    /// The newest snapshots, at least one.
    pub snapshots: usize,
    /// Segments of the journal that nobody needs.
    pub journal: RetentionRule,
    /// Whether segments that leave go into the archive first.
    pub archive: bool,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tidied {
    /// How far the event log is on disk.
    pub synced: Sequence,
    /// The snapshots that went, newest first.
    pub snapshots: Vec<Sequence>,
    /// The segments that left, oldest first.
    pub segments: Vec<ClosedSegment>,
}

/// Something stays that might have gone; nothing that is needed has gone.
#[derive(Debug, Error)]
pub enum TidyError {
    /// The event log could not be synced.
    #[error(transparent)]
    Sync(#[from] SyncFailed),
    /// Snapshots could not be looked at or removed.
    #[error(transparent)]
    Snapshots(#[from] SnapshotError),
    /// The journal could not be looked at.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A segment could not be archived or removed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Syncs the event log, up to whose command `written` it is written, and lets go of what nobody needs.
/// `told` hears the first sequence of each segment that has left.
pub fn tidy<S: Storage>(
    storage: &S,
    event_log: &mut EventLogSync<S>,
    written: Sequence,
    rules: &KeepRules,
    told: impl FnMut(Sequence),
) -> Result<Tidied, TidyError> {
    let synced = event_log.sync(written)?;
    let snapshots = Snapshots::new(storage.clone());
    let gone = snapshots.retain_for(rules.snapshots, Some(synced))?;
    // A rotten one is no ground to let go of what it stands for.
    let oldest = snapshots.list()?.into_iter().rfind(|sequence| snapshots.read(*sequence).is_ok());
    let position = Position { name: "event log".to_owned(), sequence: Some(synced) };
    let plan = rules.journal.plan(&closed_segments(storage)?, oldest, &[position]);
    let archive = rules.archive.then(|| Archive::of(storage.clone()));
    let segments = plan.execute(storage, archive.as_ref(), told)?;
    Ok(Tidied { synced, snapshots: gone, segments })
}
