//! Which closed segments of the journal may go: a pure plan, and its execution. It does not know when
//! a plan is due, nor who the consumers are: it is given their names and positions.

use crate::Sequence;
use crate::archive::{Archive, ArchiveError};
use crate::error::ReadError;
use crate::segments::{JOURNAL, journal_segments, segment_path};
use crate::storage::{Access, Storage, StorageFile};

/// What stays although nobody needs it: closed segments, the newest ones. One stays when either rule
/// keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionRule {
    /// So many. Default 4.
    pub segments: usize,
    /// As many as have so many bytes together. Default 1 GiB.
    pub bytes: u64,
}

impl Default for RetentionRule {
    fn default() -> Self {
        Self { segments: 4, bytes: 1 << 30 }
    }
}

/// How far a consumer of the journal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Who, as an operator knows it, such as `event log`.
    pub name: String,
    /// The last sequence it has durably; `None` of one that has nothing yet.
    pub sequence: Option<Sequence>,
}

/// A closed segment in the journal's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedSegment {
    /// Its first sequence.
    pub first: Sequence,
    /// Its last sequence.
    pub last: Sequence,
    /// Bytes on disk.
    pub bytes: u64,
}

/// Why the oldest segment that stays does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptFor {
    /// There is no snapshot: a start reads it.
    NoSnapshot,
    /// The oldest snapshot kept does not cover it.
    Snapshot(Sequence),
    /// A consumer has not got so far.
    Consumer(Position),
    /// The rule keeps it.
    Rule,
}

/// What may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionPlan {
    /// First sequences of the segments, oldest first: always the oldest there are, without a gap.
    pub delete: Vec<Sequence>,
    /// Why the next one stays, if there is a closed one.
    pub kept: Option<(Sequence, KeptFor)>,
}

/// The closed segments of the journal in `storage`, oldest first: all but the one being written.
pub fn closed_segments<S: Storage>(storage: &S) -> Result<Vec<ClosedSegment>, ReadError> {
    journal_segments(storage)?
        .windows(2)
        .map(|pair| {
            let path = segment_path(JOURNAL, pair[0]);
            let bytes = storage.open(&path, Access::Read).and_then(|file| file.length());
            let bytes = bytes.map_err(|source| ReadError::Io { file: storage.locate(&path), source })?;
            Ok(ClosedSegment { first: pair[0], last: pair[1] - 1, bytes })
        })
        .collect()
}

impl RetentionRule {
    /// Plans which of `segments`, oldest first, may go: those that the oldest snapshot kept covers, that
    /// every consumer has passed, and that this rule does not keep. While a consumer has not got as far as
    /// that snapshot none may: it is fed again from a snapshot at or below its position, or from the first
    /// command.
    pub fn plan(
        &self,
        segments: &[ClosedSegment],
        oldest_snapshot: Option<Sequence>,
        positions: &[Position],
    ) -> RetentionPlan {
        let beyond_rule = segments.len() - self.kept(segments);
        let mut plan = RetentionPlan::default();
        for (index, segment) in segments.iter().enumerate() {
            let needed = oldest_snapshot.max(Some(segment.last));
            let behind = positions.iter().find(|position| position.sequence < needed);
            let kept_for = match (oldest_snapshot, behind) {
                (None, _) => KeptFor::NoSnapshot,
                (Some(snapshot), _) if snapshot < segment.last => KeptFor::Snapshot(snapshot),
                (_, Some(position)) => KeptFor::Consumer(position.clone()),
                _ if index >= beyond_rule => KeptFor::Rule,
                _ => {
                    plan.delete.push(segment.first);
                    continue;
                }
            };
            plan.kept = Some((segment.first, kept_for));
            break;
        }
        plan
    }

    /// How many of the newest the rule keeps.
    fn kept(&self, segments: &[ClosedSegment]) -> usize {
        let mut together = 0_u64;
        let within = segments.iter().rev().take_while(|segment| {
            together = together.saturating_add(segment.bytes);
            together <= self.bytes
        });
        within.count().max(self.segments).min(segments.len())
    }
}

impl RetentionPlan {
    /// Deletes what is planned, oldest first, each only once it is in the archive if there is one.
    /// Returns what was deleted. After an error or a crash the rest stays, and the same plan may be
    /// executed again. `told` hears the first sequence of each that is gone.
    pub fn execute<S: Storage>(
        &self,
        storage: &S,
        archive: Option<&Archive<S>>,
        mut told: impl FnMut(Sequence),
    ) -> Result<Vec<ClosedSegment>, ArchiveError> {
        let mut deleted = Vec::new();
        for segment in closed_segments(storage)? {
            // The oldest first, and no further than planned: there is never a gap.
            if !self.delete.contains(&segment.first) {
                break;
            }
            if let Some(archive) = archive {
                archive.store(storage, segment.first)?;
            }
            let path = segment_path(JOURNAL, segment.first);
            // Synced one by one: a power cut must not bring back an older one and not a later one.
            storage
                .remove(&path)
                .and_then(|()| storage.sync_directory(JOURNAL))
                .map_err(|source| ArchiveError::Write { file: storage.locate(&path), source })?;
            told(segment.first);
            deleted.push(segment);
        }
        Ok(deleted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments of 10 sequences and 100 bytes each, from sequence 1.
    fn segments(count: u64) -> Vec<ClosedSegment> {
        (0..count)
            .map(|index| ClosedSegment { first: index * 10 + 1, last: index * 10 + 10, bytes: 100 })
            .collect()
    }

    fn at(name: &str, sequence: impl Into<Option<Sequence>>) -> Position {
        Position { name: name.to_owned(), sequence: sequence.into() }
    }

    /// Of five segments `gone` may go, and the next one stays for the reason given.
    fn assert_plan(
        rule: (usize, u64),
        snapshot: Option<Sequence>,
        positions: &[Position],
        gone: usize,
        kept_for: Option<KeptFor>,
    ) {
        let (rule, segments) = (RetentionRule { segments: rule.0, bytes: rule.1 }, segments(5));
        let plan = rule.plan(&segments, snapshot, positions);
        let firsts: Vec<_> = segments.iter().map(|segment| segment.first).collect();
        let what = format!("{rule:?} {snapshot:?} {positions:?}");
        assert_eq!(plan.delete, firsts[..gone], "{what}");
        assert_eq!(plan.kept, kept_for.map(|why| (firsts[gone], why)), "{what}");
    }

    #[test]
    fn a_segment_goes_when_the_oldest_snapshot_covers_it() {
        assert_plan((0, 0), Some(50), &[], 5, None);
        assert_plan((0, 0), None, &[], 0, Some(KeptFor::NoSnapshot));
        assert_plan((0, 0), Some(1), &[], 0, Some(KeptFor::Snapshot(1)));
        assert_plan((0, 0), Some(29), &[], 2, Some(KeptFor::Snapshot(29)));
        assert_plan((0, 0), Some(30), &[], 3, Some(KeptFor::Snapshot(30)));
    }

    #[test]
    fn a_segment_goes_when_every_consumer_has_passed_it() {
        let slow = |sequence: Option<Sequence>| at("Kafka", sequence);
        let others = [at("event log", 1000), at("settlement", 30)];
        for (sequence, snapshot, gone) in [(30, 30, 3), (30, 29, 2), (29, 29, 2), (19, 10, 1), (10, 10, 1)] {
            let positions = [others[0].clone(), slow(Some(sequence)), others[1].clone()];
            let kept_for = KeptFor::Snapshot(snapshot);
            assert_plan((0, 0), Some(snapshot), &positions, gone, Some(kept_for));
        }
        assert_plan((0, 0), Some(50), &others[..1], 5, None);
    }

    #[test]
    fn nothing_goes_while_a_consumer_is_behind_the_oldest_snapshot() {
        for sequence in [None, Some(9), Some(10), Some(49)] {
            let behind = at("event log", sequence);
            let kept_for = KeptFor::Consumer(behind.clone());
            assert_plan((0, 0), Some(50), &[at("settlement", 90), behind], 0, Some(kept_for));
        }
        assert_plan((0, 0), Some(50), &[at("event log", 50)], 5, None);
    }

    #[test]
    fn a_segment_stays_when_either_rule_keeps_it() {
        for (rule, gone) in [
            ((2, 0), 3),
            ((5, 0), 0),
            ((9, 0), 0),
            ((0, 300), 2),
            ((0, 299), 3),
            ((0, 99), 5),
            ((1, 400), 1),
            ((4, 100), 1),
            ((0, u64::MAX), 0),
        ] {
            let kept_for = (gone < 5).then_some(KeptFor::Rule);
            assert_plan(rule, Some(50), &[at("event log", 50)], gone, kept_for);
        }
        let rule = RetentionRule::default();
        assert_eq!(rule.plan(&[], Some(1), &[]), RetentionPlan::default(), "an empty journal");
    }
}
