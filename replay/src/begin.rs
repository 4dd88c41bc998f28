//! Where a replay begins: with nothing, or with a snapshot that an engine is made of again. A snapshot
//! is believed only when the state made of it has the hash it was written with. Refuses to read the
//! journal further than its first command.

use crate::ReplayError;
use engine_core::{Engine, SNAPSHOT_VERSION};
use engine_journal::{FileStorage, JournalReader, SnapshotInfo, Snapshots};
use protocol::Sequence;

/// From where on one wants to see commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// All of them; or, where the first segments of the journal are gone, as many as there are.
    First,
    /// Only those after the newest snapshot at or below this command, or the newest of all.
    Nearest(Option<Sequence>),
}

impl Begin {
    /// As near as may be before the commands from `from` on.
    pub(crate) fn before(from: Option<Sequence>) -> Self {
        from.map_or(Self::First, |Sequence(from)| Self::Nearest(Some(Sequence(from.saturating_sub(1)))))
    }
}

/// The core that the first command read is applied to.
pub(crate) fn engine(storage: &FileStorage, begin: Begin) -> Result<Engine, ReplayError> {
    if let Begin::Nearest(at_most) = begin {
        // What is passed over is found by `verify`; here the one before it will do.
        let at_most = at_most.map(|sequence| sequence.0);
        let (found, _) = Snapshots::new(storage.clone()).newest_good(at_most, made_again)?;
        if let Some((_, engine)) = found {
            return Ok(engine);
        }
    }
    let first = JournalReader::open(storage.clone(), 0)?.next_batch()?.map(|batch| batch.first_sequence);
    match first {
        Some(1) => Ok(Engine::new(0)),
        first => after_what_is_gone(storage, first),
    }
}

/// The first commands are gone: the oldest snapshot that what is left goes on from, or the newest one
/// when nothing is left.
fn after_what_is_gone(storage: &FileStorage, first: Option<u64>) -> Result<Engine, ReplayError> {
    let snapshots = Snapshots::new(storage.clone());
    let mut sequences = snapshots.list()?;
    if first.is_some() {
        sequences.reverse();
    }
    for sequence in sequences {
        if first.is_some_and(|first| sequence + 1 < first) {
            continue;
        }
        if let Ok(snapshot) = snapshots.read(sequence)
            && let Ok(engine) = made_again(&snapshot.info, &snapshot.payload)
        {
            return Ok(engine);
        }
    }
    match first {
        None => Ok(Engine::new(0)),
        Some(found) => Err(ReplayError::Gap { found, expected: Sequence(1) }),
    }
}

/// The engine that wrote a snapshot; or what is wrong with it.
pub(crate) fn made_again(info: &SnapshotInfo, payload: &[u8]) -> Result<Engine, String> {
    if info.content_version != SNAPSHOT_VERSION {
        return Err(format!(
            "the snapshot of command {} is of version {}, this build reads {SNAPSHOT_VERSION}",
            info.sequence, info.content_version
        ));
    }
    let engine: Engine = Engine::from_snapshot(payload, 0).map_err(|error| error.to_string())?;
    if engine.sequence().0 != info.sequence {
        return Err(format!(
            "the snapshot of command {} holds the state after command {}",
            info.sequence,
            engine.sequence()
        ));
    }
    if engine.state_hash().0 != info.state_hash {
        return Err(format!("the snapshot of command {} does not have the hash it says", info.sequence));
    }
    Ok(engine)
}
