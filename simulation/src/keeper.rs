//! What a server does beside a working exchange: makes snapshots by the follower, syncs the event log,
//! and lets go of snapshots and journal files that nobody needs. Refuses to know when it is due.

use crate::disk::Disk;
use crate::random::Random;
use engine_journal::{ArchiveError, EventLogSync, KeepRules, RetentionRule, SnapshotError, TidyError, tidy};
use engine_runtime::pipeline::{MakeSnapshotError, make_snapshot};
use protocol::Sequence;

/// A seed's rules.
pub fn draw(random: &mut Random) -> KeepRules {
    KeepRules {
        snapshots: random.pick(&[1, 2, 3]),
        journal: RetentionRule { segments: random.pick(&[0, 0, 1, 4]), bytes: 0 },
        archive: random.once_in(2),
    }
}

/// Does it, for one life of the exchange.
#[derive(Debug)]
pub struct Keeper {
    disk: Disk,
    event_log: EventLogSync<Disk>,
    rules: KeepRules,
}

impl Keeper {
    /// For a disk.
    pub fn new(disk: &Disk, rules: KeepRules) -> Self {
        Self { disk: disk.clone(), event_log: EventLogSync::new(disk.clone()), rules }
    }

    /// Makes a snapshot of the last command on disk, and tidies up; `written` is the last command that
    /// the event log has. Returns what left.
    ///
    /// # Errors
    /// As the parts say; see [`is_no_room`].
    pub fn keep(&mut self, durable: Sequence, written: Sequence) -> anyhow::Result<String> {
        let made = make_snapshot(&self.disk, durable)?;
        let tidied = tidy(&self.disk, &mut self.event_log, written.0, &self.rules, |_| {})?;
        Ok(format!(
            "a snapshot of {} is made from {}; the event log is synced to {}; {} snapshots and {} segments go",
            made.sequence,
            made.from,
            tidied.synced,
            tidied.snapshots.len(),
            tidied.segments.len()
        ))
    }
}

/// Whether it was for want of room.
pub fn is_no_room(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(TidyError::Archive(ArchiveError::NoRoom { .. })))
            || matches!(cause.downcast_ref(), Some(MakeSnapshotError::Write(SnapshotError::NoRoom { .. })))
            || cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
    })
}
