//! Where two journals part: the first command that is not the same in both, and what it made of the
//! two states. Where the commands are the same, what was kept of their effects is compared: snapshots
//! and event logs. Refuses to say which of the two is right.

mod logged;
mod records;
mod states;

use crate::{
    ReplayError, Watch,
    begin::{Begin, made_again},
    history::{replay, storage},
};
use engine_core::Engine;
use engine_journal::{FileStorage, Snapshots, Void};
use protocol::{Sequence, command::CommandRecord, event::Event};
use records::{Parted, Records};
use serde::Serialize;
use std::path::Path;

/// The most differences of a state that are listed; a count says how many more there are.
const LISTED: usize = 100;

/// Whether two data directories say the same, and if not, from where on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiffReport {
    /// Whether all that both keep is the same.
    pub equal: bool,
    /// The first command that both still have; 0 when one of them has none.
    pub first_sequence: u64,
    /// Up to here all commands are the same; 0 when none is.
    pub equal_up_to: u64,
    /// The last command on the left.
    pub left_last_sequence: u64,
    /// The last command on the right.
    pub right_last_sequence: u64,
    /// The first command at which they part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<u64>,
    /// In what they part.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub parted: Option<Place>,
    /// The same in a sentence.
    pub summary: String,
    /// What differs there, one thing a row.
    pub differences: Vec<Difference>,
    /// How many more there are.
    pub more: u64,
}

/// In what two data directories part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The commands.
    Journal,
    /// One goes on where the other ends.
    Length,
    /// Two snapshots after the same command.
    Snapshot,
    /// Two event logs of the same command.
    EventLog,
    /// A command that one side's operators decided did not happen.
    Void,
}

/// One thing that differs. What is not there on a side is `-`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What.
    pub what: String,
    /// As it is on the left.
    pub left: String,
    /// As it is on the right.
    pub right: String,
}

impl Difference {
    fn new(what: impl Into<String>, left: impl Into<String>, right: impl Into<String>) -> Self {
        Self { what: what.into(), left: left.into(), right: right.into() }
    }
}

/// Compares two data directories.
///
/// # Errors
/// When one of them cannot be read; see [`ReplayError`].
pub fn diff(left: &Path, right: &Path, watch: Watch<'_>) -> Result<DiffReport, ReplayError> {
    let storages = [storage(left)?, storage(right)?];
    let records = Records::compare(&storages, watch)?;
    let Records { first, equal_up_to, last, parted } = records;
    let mut report = DiffReport {
        equal: false,
        first_sequence: first,
        equal_up_to,
        left_last_sequence: last[0],
        right_last_sequence: last[1],
        first_difference: None,
        parted: None,
        summary: String::new(),
        differences: Vec::new(),
        more: 0,
    };
    let snapshots = snapshots_part(&storages, equal_up_to)?;
    let logged = logged::part(&storages, first, equal_up_to)?;
    let voided = voids_part(&storages, [left, right], equal_up_to, watch)?;
    let found = voided.into_iter().chain(snapshots).chain(logged).min_by_key(|found| found.sequence);
    if let Some(found) = found {
        found.tell(&mut report);
        return Ok(report);
    }
    let found = match parted {
        None => {
            report.equal = true;
            report.summary = match equal_up_to {
                0 => "both are empty".to_owned(),
                last => format!("the same from command {first} to the last one, {last}"),
            };
            return Ok(report);
        }
        Some(Parted::Length) => {
            let (longer, more) = if last[0] > last[1] { ("left", last[0]) } else { ("right", last[1]) };
            Found {
                sequence: equal_up_to + 1,
                place: Place::Length,
                summary: format!(
                    "the same up to command {equal_up_to}, where one ends; the {longer} one goes on to {more}"
                ),
                differences: Vec::new(),
            }
        }
        Some(Parted::Commands(commands)) => commands_part([left, right], equal_up_to + 1, &commands, watch)?,
    };
    found.tell(&mut report);
    Ok(report)
}

/// The first thing at which two directories part.
struct Found {
    sequence: u64,
    place: Place,
    summary: String,
    differences: Vec<Difference>,
}

impl Found {
    fn tell(mut self, report: &mut DiffReport) {
        report.more = self.differences.len().saturating_sub(LISTED) as u64;
        self.differences.truncate(LISTED);
        report.first_difference = Some(self.sequence);
        report.parted = Some(self.place);
        report.summary = self.summary;
        report.differences = self.differences;
    }
}

/// Two commands of one sequence that are not the same: what they say, and what they made.
fn commands_part(
    directories: [&Path; 2],
    sequence: u64,
    commands: &[Vec<u64>; 2],
    watch: Watch<'_>,
) -> Result<Found, ReplayError> {
    let mut differences = records::differences(commands, Sequence(sequence))?;
    effects(directories, sequence, &mut differences, watch)?;
    Ok(Found {
        sequence,
        place: Place::Journal,
        summary: match sequence - 1 {
            0 => "the first commands are not the same".to_owned(),
            before => format!("the same up to command {before}; command {sequence} is not the same"),
        },
        differences,
    })
}

/// Adds what a command made on each side.
fn effects(
    [left, right]: [&Path; 2],
    sequence: u64,
    differences: &mut Vec<Difference>,
    watch: Watch<'_>,
) -> Result<(), ReplayError> {
    let (left, did) = made(left, sequence, watch)?;
    let (right, others_did) = made(right, sequence, watch)?;
    states::events([&left, &right], [&did, &others_did], differences);
    states::compare(&left, &right, differences);
    Ok(())
}

/// The first of the same commands that did not happen on one side.
fn voids_part(
    storages: &[FileStorage; 2],
    directories: [&Path; 2],
    equal_up_to: u64,
    watch: Watch<'_>,
) -> Result<Option<Found>, ReplayError> {
    let [left, right] = [Void::read_all(&storages[0])?, Void::read_all(&storages[1])?];
    let voided = |voids: &[Void], sequence| voids.iter().any(|void| void.sequence == sequence);
    let all = left.iter().chain(&right).map(|void| void.sequence);
    let first = all.filter(|sequence| voided(&left, *sequence) != voided(&right, *sequence)).min();
    let Some(sequence) = first.filter(|sequence| *sequence <= equal_up_to) else { return Ok(None) };
    let told = |voids: &[Void]| if voided(voids, sequence) { "voided" } else { "applied" };
    let mut differences = vec![Difference::new("the command", told(&left), told(&right))];
    effects(directories, sequence, &mut differences, watch)?;
    let summary = format!("the commands are the same, but command {sequence} is voided on one side");
    Ok(Some(Found { sequence, place: Place::Void, summary, differences }))
}

/// The state after a command, and the command's events.
fn made(directory: &Path, sequence: u64, watch: Watch<'_>) -> Result<(Engine, Vec<Event>), ReplayError> {
    let begin = Begin::Nearest(Some(Sequence(sequence - 1)));
    let mut events = Vec::new();
    let engine = replay(directory, begin, Some(Sequence(sequence)), watch, |step| {
        if step.sequence.0 == sequence {
            step.events(|_, event| {
                events.push(*event);
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok((engine, events))
}

/// Snapshots after the same command that hold other states, the earliest first.
fn snapshots_part(storages: &[FileStorage; 2], equal_up_to: u64) -> Result<Option<Found>, ReplayError> {
    let [left, right] = storages.each_ref().map(|storage| Snapshots::new(storage.clone()));
    let others = right.list()?;
    for sequence in left.list()?.into_iter().rev() {
        if sequence > equal_up_to || !others.contains(&sequence) {
            continue;
        }
        let (Ok((one, _)), Ok((other, _))) = (left.info(sequence), right.info(sequence)) else {
            continue; // damage is found by `verify`
        };
        if one.content_version != other.content_version || one.state_hash == other.state_hash {
            continue;
        }
        let engine = |snapshots: &Snapshots<FileStorage>| -> Result<Engine, String> {
            let snapshot = snapshots.read(sequence).map_err(|error| error.to_string())?;
            made_again(&snapshot.info, &snapshot.payload)
        };
        let mut differences = Vec::new();
        match (engine(&left), engine(&right)) {
            (Ok(one), Ok(other)) => states::compare(&one, &other, &mut differences),
            (one, other) => {
                let said = |side: Result<Engine, String>| side.map_or_else(|why| why, |_| "good".to_owned());
                differences.push(Difference::new("the snapshot", said(one), said(other)));
            }
        }
        return Ok(Some(Found {
            sequence,
            place: Place::Snapshot,
            summary: format!(
                "the commands are the same, but not the states in the snapshots of command {sequence}"
            ),
            differences,
        }));
    }
    Ok(None)
}

/// A record that was copied to where it can be read.
fn record(words: &[u64], sequence: Sequence) -> Result<CommandRecord<'_>, ReplayError> {
    use zerocopy::IntoBytes as _;
    CommandRecord::parse(words.as_bytes()).map_err(|source| ReplayError::Record { sequence, source })
}
