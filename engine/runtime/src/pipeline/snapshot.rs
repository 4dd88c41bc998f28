//! Making snapshots: a follower goes from the snapshot before to a command that is on disk, with a core
//! of its own, so that the exchange's core never pauses; and each snapshot is thereby made from the one
//! before it, as a recovery would. Refuses to know when one is due.

use super::OpenError;
use super::reapply::{Reached, Reapply};
use super::recovery::restore;
use engine_core::{Engine, SNAPSHOT_VERSION, StateHash};
use engine_journal::{Identity, SnapshotError, SnapshotInfo, Snapshots, Storage};
use protocol::{Sequence, event::EventBuffer};
use std::time::{Duration, Instant};
use thiserror::Error;

/// A snapshot that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeSnapshot {
    /// The last command in it.
    pub sequence: Sequence,
    /// The state it holds.
    pub state_hash: StateHash,
    /// Bytes of it.
    pub bytes: u64,
    /// The command whose snapshot it was made from; 0 is none.
    pub from: Sequence,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why there is no snapshot.
#[derive(Debug, Error)]
pub enum MakeSnapshotError {
    /// Snapshots before it, or the journal, cannot be read.
    #[error(transparent)]
    Read(#[from] OpenError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] SnapshotError),
    /// The directory has no identity, so there is nothing to make one of.
    #[error("there is no journal yet, so there is nothing to make a snapshot of")]
    Nothing,
    /// The journal ends before the command asked for.
    #[error("the journal ends at command {last}, before {wanted}")]
    JournalEnds {
        /// What was asked for.
        wanted: Sequence,
        /// What there is.
        last: Sequence,
    },
    /// A command broke an invariant.
    #[error("command {sequence} broke an invariant: {what}; no snapshot of it is made")]
    Broken {
        /// Which.
        sequence: Sequence,
        /// What was found.
        what: String,
    },
}

/// Makes the snapshot of the command `sequence`, which must be on disk: a snapshot is never ahead of
/// the journal. Of a directory that an exchange is writing, or of one at rest.
///
/// # Errors
/// See [`MakeSnapshotError`]; the snapshots there were stay as they are.
pub fn make_snapshot<S: Storage>(storage: &S, sequence: Sequence) -> Result<MadeSnapshot, MakeSnapshotError> {
    let begun = Instant::now();
    let mut engine = restore(storage, Some(sequence), 0)?.unwrap_or_else(|| Engine::new(0));
    let from = engine.sequence();
    let mut journal = Reapply::new(storage, &engine)?;
    let mut events = EventBuffer::growing();
    loop {
        let reached = journal.batch(&mut engine, sequence, &mut events, |_, events| {
            events.clear();
            Ok(())
        })?;
        match reached {
            Reached::Batch => {}
            Reached::End => break,
            Reached::Broken { sequence, what, .. } => {
                return Err(MakeSnapshotError::Broken { sequence, what });
            }
        }
    }
    if engine.sequence() < sequence {
        return Err(MakeSnapshotError::JournalEnds { wanted: sequence, last: engine.sequence() });
    }
    let made = write_snapshot(storage, &engine)?;
    Ok(MadeSnapshot { from, elapsed: begun.elapsed(), ..made })
}

/// Writes the snapshot of an engine whose last command is on disk.
///
/// # Errors
/// See [`MakeSnapshotError`].
pub fn write_snapshot<S: Storage>(storage: &S, engine: &Engine) -> Result<MadeSnapshot, MakeSnapshotError> {
    let begun = Instant::now();
    let identity = Identity::read(storage).map_err(OpenError::from)?.ok_or(MakeSnapshotError::Nothing)?;
    if engine.sequence() == Sequence(0) {
        return Err(MakeSnapshotError::Nothing);
    }
    let mut content = Vec::new();
    engine.write_snapshot(&mut |bytes| content.extend_from_slice(bytes));
    let state_hash = StateHash::of_snapshot(&content);
    let info = SnapshotInfo {
        sequence: engine.sequence().0,
        engine_id: identity.engine_id,
        epoch: identity.epoch,
        rules_version: engine.rules(),
        content_version: SNAPSHOT_VERSION,
        state_hash: state_hash.0,
    };
    Snapshots::new(storage.clone()).write(&info, &content)?;
    Ok(MadeSnapshot {
        sequence: engine.sequence(),
        state_hash,
        bytes: content.len() as u64,
        from: Sequence(0),
        elapsed: begun.elapsed(),
    })
}
