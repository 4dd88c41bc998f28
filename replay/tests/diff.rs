//! Two data directories compared: where they part, and how.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use engine_journal::{FileStorage, Snapshots};
use protocol::{Side, Time, command::Command};
use replay::{DiffReport, Place, ReplayError, diff};
use std::{fs, path::Path};
use support::{ALICE, BOB, Recorder};
use tempfile::TempDir;

/// What is done otherwise on one side.
#[derive(Clone, Copy, PartialEq)]
enum Otherwise {
    Nothing,
    /// The groups are cut otherwise.
    Groups,
    /// An order's price.
    Price,
    /// A command's time.
    Time,
    /// Three commands more.
    More,
}

const PLACED: u64 = 16;
const LAST: u64 = 38;

fn record(otherwise: Otherwise) -> (TempDir, Recorder) {
    let directory = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(directory.path());
    recorder.set_up();
    recorder.place(ALICE, Side::Buy, if otherwise == Otherwise::Price { 31 } else { 30 }, 50);
    assert_eq!(recorder.engine.sequence().0, PLACED);
    recorder.place(BOB, Side::Sell, 25, 20);
    for tick in 0..20 {
        let late = otherwise == Otherwise::Time && tick == 10;
        recorder.time = Time(recorder.time.0 + 1_000 + u64::from(late));
        recorder.done(&Command::Tick);
        if otherwise == Otherwise::Groups && tick % 3 == 0 {
            recorder.write();
        }
    }
    if otherwise == Otherwise::More {
        (0..3).for_each(|_| recorder.done(&Command::Tick));
    }
    recorder.write();
    (directory, recorder)
}

fn compare(left: &Path, right: &Path) -> DiffReport {
    diff(left, right, &mut |_| {}).unwrap()
}

fn of<'a>(report: &'a DiffReport, what: &str) -> (&'a str, &'a str) {
    let found = report.differences.iter().find(|difference| difference.what == what);
    let found = found.unwrap_or_else(|| panic!("no {what} in {report:#?}"));
    (&found.left, &found.right)
}

#[test]
fn the_same_commands_are_equal_however_they_are_grouped() {
    let (left, _) = record(Otherwise::Nothing);
    for otherwise in [Otherwise::Nothing, Otherwise::Groups] {
        let (right, _) = record(otherwise);
        let report = compare(left.path(), right.path());
        assert!(report.equal, "{report:?}");
        assert_eq!((report.first_sequence, report.equal_up_to, report.first_difference), (1, LAST - 1, None));
        assert_eq!(report.summary, "the same from command 1 to the last one, 37");
    }
}

#[test]
fn one_that_goes_on_is_told_from_one_that_is_other() {
    let (left, _) = record(Otherwise::Groups);
    let (right, _) = record(Otherwise::More);
    for (one, other, longer) in [(&left, &right, "right"), (&right, &left, "left")] {
        let report = compare(one.path(), other.path());
        assert_eq!((report.equal, report.parted), (false, Some(Place::Length)));
        assert_eq!((report.equal_up_to, report.first_difference), (37, Some(38)));
        let expected = format!("the same up to command 37, where one ends; the {longer} one goes on to 40");
        assert_eq!(report.summary, expected);
    }
}

#[test]
fn another_price_is_named_with_all_that_follows_from_it() {
    let (left, _) = record(Otherwise::Nothing);
    let (right, _) = record(Otherwise::Price);
    let report = compare(left.path(), right.path());
    assert_eq!((report.parted, report.first_difference), (Some(Place::Journal), Some(PLACED)));
    assert_eq!((report.equal_up_to, report.more), (PLACED - 1, 0));
    let content = of(&report, "the command's content");
    assert!(content.0.contains("Price(30)") && content.1.contains("Price(31)"), "{content:?}");
    assert_eq!(of(&report, "event 0, OrderAccepted: price"), ("0.30000000", "0.31000000"));
    let balances = ("0.00045000 available and 0.00015000 held", "0.00044500 available and 0.00015500 held");
    assert_eq!(of(&report, "balance of account 5 in USDT"), balances);
    let order = |price| {
        format!("Buy BTCUSDT 0.00050000 at {price}, 0.00000000 filled, account 5, client order id mine")
    };
    assert_eq!(of(&report, "order 1"), (order("0.30000000").as_str(), order("0.31000000").as_str()));
    assert!(report.differences.iter().all(|difference| !difference.what.contains("account 6")));
}

#[test]
fn another_time_is_named() {
    let (left, _) = record(Otherwise::Nothing);
    let (right, _) = record(Otherwise::Time);
    let report = compare(left.path(), right.path());
    assert_eq!((report.parted, report.first_difference), (Some(Place::Journal), Some(28)));
    let times = ("2026-01-01T00:00:00.000011000Z", "2026-01-01T00:00:00.000011001Z");
    assert_eq!(of(&report, "the command's time"), times);
    let whats: Vec<_> = report.differences.iter().map(|difference| difference.what.as_str()).collect();
    assert_eq!(whats, ["the command's time", "the state's hash"]);
}

#[test]
fn other_snapshots_of_the_same_commands_are_named() {
    let (left, mut one) = record(Otherwise::Nothing);
    let (right, _) = record(Otherwise::Groups);
    let (_elsewhere, other) = record(Otherwise::Price);
    one.snapshot();
    let mut payload = Vec::new();
    other.engine.write_snapshot(&mut |bytes| payload.extend_from_slice(bytes));
    let snapshots = Snapshots::new(FileStorage::new(right.path())).with_reserve(0);
    snapshots.write(&other.info(), &payload).unwrap();
    let report = compare(left.path(), right.path());
    assert_eq!((report.parted, report.first_difference), (Some(Place::Snapshot), Some(37)));
    assert_eq!((report.equal, report.equal_up_to), (false, 37));
    assert_ne!(of(&report, "order 1").0, of(&report, "order 1").1);
}

#[test]
fn another_event_log_of_the_same_commands_is_named() {
    let (left, _) = record(Otherwise::Nothing);
    let (right, _) = record(Otherwise::Groups);
    let (other, _) = record(Otherwise::Price);
    fs::remove_dir_all(right.path().join("events")).unwrap();
    assert!(compare(left.path(), right.path()).equal, "a log that is missing is made again");
    fs::rename(other.path().join("events"), right.path().join("events")).unwrap();
    let report = compare(left.path(), right.path());
    assert_eq!((report.parted, report.first_difference), (Some(Place::EventLog), Some(PLACED)));
    let event = of(&report, "event 0");
    assert!(event.0.contains("Price(30)") && event.1.contains("Price(31)"), "{event:?}");
}

#[test]
fn what_is_no_journal_cannot_be_compared() {
    let (left, _) = record(Otherwise::Nothing);
    let nothing = tempfile::tempdir().unwrap();
    let error = diff(left.path(), nothing.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, ReplayError::NoJournal(path) if path == nothing.path()));
}
