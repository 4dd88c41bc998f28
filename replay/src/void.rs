//! Voiding a command that breaks an invariant, so that an exchange that halted at it goes on. The one
//! thing here that writes: a small file beside the journal, which is never rewritten. Refuses to void
//! a command that breaks nothing, and to do it on one person's word.

use crate::{
    ReplayError, Watch,
    begin::Begin,
    history::{replay, storage},
};
use engine_journal::{DirectoryLock, JournalReader, Void, record_checksum};
use protocol::Sequence;
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// A command that was voided.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct VoidReport {
    /// Which.
    pub sequence: u64,
    /// What was wrong with it.
    pub broken: String,
    /// Why it was voided.
    pub reason: String,
    /// Who decided.
    pub administrators: [String; 2],
}

/// Voids the command `sequence` of a stopped exchange's directory, having seen that it breaks an
/// invariant.
///
/// # Errors
/// When an exchange runs there, when the command breaks nothing or another one breaks first, and when
/// it cannot be written; see [`ReplayError`].
pub fn void(
    directory: &Path,
    sequence: Sequence,
    reason: &str,
    administrators: [String; 2],
    watch: Watch<'_>,
) -> Result<VoidReport, ReplayError> {
    if administrators[0].trim().eq_ignore_ascii_case(administrators[1].trim()) {
        return Err(ReplayError::OneAdministrator);
    }
    let storage = storage(directory)?;
    let _lock = DirectoryLock::acquire(directory, "rialto replay void")?;
    let broken = match replay(directory, Begin::First, Some(sequence), watch, |_| Ok(())) {
        Err(ReplayError::Broken { sequence: found, what }) if found == sequence => what,
        Ok(_) => return Err(ReplayError::NotBroken(sequence)),
        Err(error) => return Err(error),
    };
    let mut reader = JournalReader::open(storage.clone(), sequence.0)?;
    let batch = reader.next_batch()?;
    let record = batch.and_then(|batch| batch.records().next().map(|(_, record)| record));
    let record =
        record.ok_or(ReplayError::PastTheEnd { wanted: sequence, last: Sequence(sequence.0 - 1) })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let void = Void {
        sequence: sequence.0,
        record_checksum: record_checksum(record),
        administrators: administrators.clone(),
        time: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
        reason: reason.to_owned(),
    };
    void.write(&storage)?;
    Ok(VoidReport { sequence: sequence.0, broken, reason: reason.to_owned(), administrators })
}
