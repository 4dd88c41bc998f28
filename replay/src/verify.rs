//! Whether a journal means what was said it did: applied again, it must make the events of the event
//! log and the state of every snapshot, and books and ledger must agree with themselves. Applied from
//! a snapshot on, it must come to the same. Refuses to repair.

mod logged;
mod snapshots;

use crate::{
    ReplayError, Watch,
    begin::{self, Begin},
    history::{go_on, storage},
};
use logged::LoggedEvents;
use protocol::Sequence;
use snapshots::Known;
use std::{path::Path, sync::mpsc, thread, time::Instant};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct VerifyReport {
    /// The first command there is; 0 of an empty journal.
    pub first_sequence: u64,
    /// The last command there is.
    pub last_sequence: u64,
    /// How many snapshots were compared, and gone on from.
    pub snapshots: u64,
    /// The state at the end.
    pub state_hash: String,
    /// How fast the journal was applied.
    pub commands_per_second: u64,
    /// Whether all agrees.
    pub equal: bool,
    /// The first command at which something does not, and what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// Snapshots of other builds: nobody goes on from them, and nothing was compared with them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
}

/// Applies the whole journal and compares: once from nothing (or from the oldest snapshot, where the
/// commands before it are gone), and beside it from every snapshot to the next one, the last to the
/// end. Each stretch ends in a state that was compared, so together they say that every snapshot
/// leads to the same end.
///
/// # Errors
/// When it cannot be read; see [`ReplayError`].
pub fn verify(directory: &Path, watch: Watch<'_>) -> Result<VerifyReport, ReplayError> {
    match verify_until(directory, None, watch) {
        Err(error @ ReplayError::Broken { sequence, .. }) => {
            let before = Sequence(sequence.0 - 1);
            let report = verify_until(directory, Some(before), watch)?;
            // Whatever differs earlier is what broke it.
            let difference = report.difference.clone().or_else(|| Some(error.to_string()));
            Ok(VerifyReport { equal: false, difference, ..report })
        }
        verified => verified,
    }
}

/// The same of the commands up to `until`.
fn verify_until(
    directory: &Path,
    until: Option<Sequence>,
    watch: Watch<'_>,
) -> Result<VerifyReport, ReplayError> {
    let storage = storage(directory)?;
    let known = Known::read(&storage)?;
    let start = Instant::now();
    let (end, asked_end) = mpsc::channel();
    thread::scope(|scope| {
        // Dropped when this thread fails: the other one then waits for no end.
        let end = end;
        let (known, storage) = (&known, &storage);
        let others = scope.spawn(move || known.go_on_from_each(storage, &asked_end));
        let mut differences = known.damaged.clone();
        let mut log = LoggedEvents::open(storage.clone())?;
        let engine = begin::engine(storage, Begin::First)?;
        let begun = engine.sequence().0;
        let engine = go_on(storage.clone(), engine, until, watch, |step| {
            differences.extend(log.compare(step.sequence, step.chunks)?);
            differences.extend(known.compare(step.engine));
            Ok(())
        })?;
        let seconds = start.elapsed().as_secs_f64().max(1e-6);
        let last_sequence = engine.sequence().0;
        let state_hash = engine.state_hash();
        if let Err(error) = engine.audit() {
            differences.push((last_sequence, error.to_string()));
        }
        differences.extend(known.beyond(last_sequence));
        differences.extend(log.beyond(storage, last_sequence)?);
        // The other thread may have given up already, and then says so itself.
        let _ = end.send((last_sequence, state_hash));
        let joined = others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        differences.extend(joined?);
        let first = differences.into_iter().min_by_key(|(sequence, _)| *sequence);
        Ok(VerifyReport {
            first_sequence: if last_sequence > begun { begun + 1 } else { 0 },
            last_sequence,
            snapshots: known.count(),
            state_hash: state_hash.to_string(),
            commands_per_second: ((last_sequence - begun) as f64 / seconds) as u64,
            equal: first.is_none(),
            difference: first.map(|(_, what)| what),
            passed_over: known.passed_over.clone(),
        })
    })
}
