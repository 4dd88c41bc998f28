//! A message's command in the journal, its events, and where they are in the event log. Refuses to
//! change anything, and to know who asks.

use anyhow::Context as _;
use engine_journal::{EventReader, FileStorage, JournalReader};
use protocol::{Sequence, command::CommandHeader};
use replay::EventFilter;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;
use zerocopy::TryFromBytes as _;

/// A command as the journal has it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Journaled {
    /// Its place.
    pub(crate) sequence: u64,
    /// When it was taken, UTC nanoseconds.
    pub(crate) time: u64,
    /// Which command.
    pub(crate) command: String,
    /// Who sent it: 1 and from 16 on gateways, 2 administration, 3 the engine for its gateways.
    pub(crate) source: u32,
    /// The sender's own number.
    pub(crate) number: u64,
    /// The request's trace, in hexadecimal.
    pub(crate) trace: String,
    /// Which opening of the engine wrote it.
    pub(crate) epoch: u32,
    /// The file that holds it, by its first sequence.
    pub(crate) segment: u64,
}

/// The group of the event log that holds a command's events.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Logged {
    /// The group's first command.
    pub(crate) first: u64,
    /// Its last.
    pub(crate) last: u64,
}

/// The commands of a request, from `from` on: one, or two of a cancel and replace in two steps.
pub(crate) fn find_trace(directory: &Path, trace: u64, from: Sequence) -> anyhow::Result<Vec<Journaled>> {
    let mut found = Vec::new();
    walk(directory, from, |command, header| {
        if header.trace == trace {
            found.push(command());
        }
        true
    })?;
    Ok(found)
}

/// The command of this place, if it is there.
pub(crate) fn find_sequence(directory: &Path, sequence: Sequence) -> anyhow::Result<Vec<Journaled>> {
    let mut found = Vec::new();
    walk(directory, sequence, |command, _| {
        let command = command();
        if command.sequence == sequence.0 {
            found.push(command);
        }
        false
    })?;
    Ok(found)
}

/// Shows each command from `from` on, until `see` has seen enough.
fn walk(
    directory: &Path,
    from: Sequence,
    mut see: impl FnMut(&dyn Fn() -> Journaled, &CommandHeader) -> bool,
) -> anyhow::Result<()> {
    let mut reader = JournalReader::open(FileStorage::new(directory), from.0)
        .with_context(|| format!("the journal of {} cannot be read", directory.display()))?;
    loop {
        let segment = |reader: &JournalReader<FileStorage>| reader.place().map_or(0, |place| place.segment);
        let Some(batch) = reader.next_batch()? else { return Ok(()) };
        let epoch = batch.epoch;
        let records: Vec<_> = batch
            .records()
            .filter_map(|(sequence, record)| {
                Some((sequence, CommandHeader::try_read_from_prefix(record).ok()?.0))
            })
            .collect();
        let segment = segment(&reader);
        for (sequence, header) in &records {
            let command = || Journaled {
                sequence: *sequence,
                time: header.time.0,
                command: format!("{:?}", header.kind),
                source: header.source.0,
                number: header.number.0,
                trace: format!("{:016x}", header.trace),
                epoch,
                segment,
            };
            if !see(&command, header) {
                return Ok(());
            }
        }
    }
}

/// What the command did, in words and decimals.
pub(crate) fn events(directory: &Path, sequence: Sequence) -> anyhow::Result<Vec<Value>> {
    let filter = EventFilter { from: Some(sequence), to: Some(sequence), ..EventFilter::default() };
    let mut events = Vec::new();
    replay::events(directory, &filter, &mut |_| {}, |event| {
        events.push(event.clone());
        Ok(())
    })?;
    Ok(events)
}

/// Where the command's events are in the event log; nothing when they are not there yet.
pub(crate) fn logged(directory: &Path, sequence: Sequence) -> anyhow::Result<Option<Logged>> {
    let mut log = EventReader::open(FileStorage::new(directory), sequence.0)?;
    let group = log.next_group()?;
    Ok(group
        .filter(|group| (group.first_sequence..=group.last_sequence).contains(&sequence.0))
        .map(|group| Logged { first: group.first_sequence, last: group.last_sequence }))
}
