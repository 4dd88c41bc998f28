//! The snapshots of a data directory, compared with the states that the journal makes, and gone on
//! from. Refuses to read the event log.

use crate::{ReplayError, begin::made_again, history::go_on};
use engine_core::{Engine, SNAPSHOT_VERSION, StateHash};
use engine_journal::{FileStorage, SnapshotError, Snapshots};
use protocol::Sequence;
use std::{collections::BTreeMap, io::ErrorKind, sync::mpsc::Receiver};

/// At which command something does not agree, and what.
pub(super) type Difference = (u64, String);

/// What the snapshots say of themselves.
pub(super) struct Known {
    /// By sequence: the state's hash.
    hashes: BTreeMap<u64, StateHash>,
    /// Those that are not what was written.
    pub(super) damaged: Vec<Difference>,
    /// Those of other builds.
    pub(super) passed_over: Vec<String>,
}

impl Known {
    /// Reads every header; what the payloads hold is found when they are gone on from.
    pub(super) fn read(storage: &FileStorage) -> Result<Self, ReplayError> {
        let snapshots = Snapshots::new(storage.clone());
        let mut known = Self { hashes: BTreeMap::new(), damaged: Vec::new(), passed_over: Vec::new() };
        for sequence in snapshots.list()? {
            match snapshots.info(sequence) {
                Ok((info, _)) if info.content_version == SNAPSHOT_VERSION => {
                    known.hashes.insert(sequence, StateHash(info.state_hash));
                }
                Ok((info, _)) => known.passed_over.push(format!(
                    "the snapshot of command {sequence} is of version {}, this build reads {SNAPSHOT_VERSION}",
                    info.content_version
                )),
                Err(error @ SnapshotError::Version { .. }) => known.passed_over.push(error.to_string()),
                Err(error) => known.damaged.push((sequence, error.to_string())),
            }
        }
        Ok(known)
    }

    /// How many are compared.
    pub(super) fn count(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Compares the state after a command with its snapshot, if it has one.
    pub(super) fn compare(&self, engine: &Engine) -> Option<Difference> {
        let sequence = engine.sequence().0;
        let expected = self.hashes.get(&sequence)?;
        let found = engine.state_hash();
        (found != *expected).then(|| {
            let what = format!(
                "after command {sequence} the journal makes the state {found}, its snapshot says {expected}"
            );
            (sequence, what)
        })
    }

    /// A snapshot of a command that the journal does not have.
    pub(super) fn beyond(&self, last: u64) -> Option<Difference> {
        let (sequence, _) = self.hashes.range(last + 1..).next()?;
        Some((
            *sequence,
            format!("there is a snapshot of command {sequence}, but the journal ends at {last}"),
        ))
    }

    /// Makes an engine of each snapshot and applies what follows: up to the next snapshot, and from the
    /// last one up to the end, which `end` says once it is known, with the state there.
    pub(super) fn go_on_from_each(
        &self,
        storage: &FileStorage,
        end: &Receiver<(u64, StateHash)>,
    ) -> Result<Vec<Difference>, ReplayError> {
        let snapshots = Snapshots::new(storage.clone());
        let mut differences = Vec::new();
        let mut stops = self.hashes.iter().skip(1).map(|(sequence, hash)| (*sequence, *hash));
        for from in self.hashes.keys() {
            let stop = stops.next().or_else(|| end.recv().ok());
            // Without an end the other thread could not read the journal, and says why.
            let Some((until, expected)) = stop.filter(|(until, _)| until >= from) else { break };
            let engine = match snapshots.read(*from) {
                Ok(snapshot) => made_again(&snapshot.info, &snapshot.payload),
                // A live exchange keeps so many and removes the oldest.
                Err(SnapshotError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => continue,
                Err(error) => Err(error.to_string()),
            };
            let engine = match engine {
                Ok(engine) => engine,
                Err(what) => {
                    differences.push((*from, what));
                    continue;
                }
            };
            let mut quietly = |_| {};
            let engine = go_on(storage.clone(), engine, Some(Sequence(until)), &mut quietly, |_| Ok(()))?;
            let found = engine.state_hash();
            if found != expected {
                let what = format!(
                    "going on from the snapshot of command {from}, the state after command {until} is {found} \
                     and not {expected}"
                );
                differences.push((until, what));
            }
        }
        Ok(differences)
    }
}
