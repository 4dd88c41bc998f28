//! What a server does beside a working exchange: makes snapshots by the follower, syncs the event log,
//! and lets go of snapshots and journal files that nobody needs. Refuses to know when it is due.

use crate::disk::Disk;
use crate::random::Random;
use anyhow::Context as _;
use engine_journal::{
    Archive, ArchiveError, EventLogSync, Position, RetentionRule, SnapshotError, Snapshots, closed_segments,
};
use engine_runtime::pipeline::{MakeSnapshotError, make_snapshot};
use protocol::Sequence;

/// What is kept.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Snapshots.
    snapshots: usize,
    /// Closed segments of the journal that nobody needs.
    segments: usize,
    /// Whether segments that leave go into the archive.
    pub(crate) archives: bool,
}

impl Rules {
    /// A seed's rules.
    pub fn draw(random: &mut Random) -> Self {
        Self {
            snapshots: random.pick(&[1, 2, 3]),
            segments: random.pick(&[0, 0, 1, 4]),
            archives: random.once_in(2),
        }
    }
}

/// Does it, for one life of the exchange.
#[derive(Debug)]
pub struct Keeper {
    disk: Disk,
    event_log: EventLogSync<Disk>,
    rules: Rules,
}

impl Keeper {
    /// For a disk.
    pub fn new(disk: &Disk, rules: Rules) -> Self {
        Self { disk: disk.clone(), event_log: EventLogSync::new(disk.clone()), rules }
    }

    /// Makes a snapshot of the last command on disk, and tidies up; `written` is the last command that
    /// the event log has. Returns what left.
    ///
    /// # Errors
    /// As the parts say; see [`is_no_room`].
    pub fn keep(&mut self, durable: Sequence, written: Sequence) -> anyhow::Result<String> {
        let made = make_snapshot(&self.disk, durable)?;
        let synced = self.event_log.sync(written.0).context("the event log")?;
        let snapshots = Snapshots::new(self.disk.clone());
        let gone = snapshots.retain_for(self.rules.snapshots, Some(synced))?;
        let oldest = snapshots.list()?.into_iter().rfind(|sequence| snapshots.read(*sequence).is_ok());
        let position = Position { name: "event log".to_owned(), sequence: Some(synced) };
        let rule = RetentionRule { segments: self.rules.segments, bytes: 0 };
        let plan = rule.plan(&closed_segments(&self.disk)?, oldest, &[position]);
        let archive = self.rules.archives.then(|| Archive::of(self.disk.clone()));
        let left = plan.execute(&self.disk, archive.as_ref(), |_| {})?;
        Ok(format!(
            "a snapshot of {} is made from {}; the event log is synced to {synced}; {} snapshots and {} segments go",
            made.sequence,
            made.from,
            gone.len(),
            left.len()
        ))
    }
}

/// Whether it was for want of room.
pub fn is_no_room(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(SnapshotError::NoRoom { .. }))
            || matches!(cause.downcast_ref(), Some(ArchiveError::NoRoom { .. }))
            || matches!(cause.downcast_ref(), Some(MakeSnapshotError::Write(SnapshotError::NoRoom { .. })))
            || cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
    })
}
