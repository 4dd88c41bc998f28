//! Replays that begin with a snapshot: they say the same as those that begin with nothing, and what
//! is wrong with a snapshot is found.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../engine/core/tests/exchange/mod.rs"]
mod exchange;
mod support;

use engine_journal::{FileStorage, Snapshots};
use exchange::steps::{Step, steps};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use protocol::{
    AccountId, Price, Quantity, Sequence, Side,
    command::{Command, PlaceOrder, sample},
};
use replay::{EventFilter, Explained, ReplayError, StateReport, events, explain, state, verify};
use std::{collections::BTreeSet, fs, path::Path};
use support::{ALICE, BTC, Recorder};

/// A stream that is the same every time.
fn stream() -> Vec<Step> {
    let mut runner = TestRunner::deterministic();
    let mut all = std::iter::repeat_with(|| steps(600).new_tree(&mut runner).unwrap().current());
    all.find(|stream| stream.len() > 300).unwrap()
}

/// Records the stream with a snapshot after every `each` commands.
fn record(directory: &Path, each: usize) -> Recorder {
    let mut recorder = Recorder::new(directory);
    recorder.set_up();
    for (index, step) in stream().into_iter().enumerate() {
        recorder.time = step.time(recorder.time);
        let command = step.command(recorder.orders, recorder.time);
        recorder.apply(&command);
        if index % each == each - 1 {
            recorder.snapshot();
        }
    }
    recorder.write();
    recorder
}

fn state_at(directory: &Path, at: u64) -> Result<StateReport, ReplayError> {
    state(directory, Some(Sequence(at)), None, &mut |_| {})
}

fn all_events(directory: &Path, from: u64) -> Vec<serde_json::Value> {
    let mut found = Vec::new();
    let filter = EventFilter { from: Some(Sequence(from)), ..EventFilter::default() };
    let see = |event: &serde_json::Value| {
        found.push(event.clone());
        Ok(())
    };
    events(directory, &filter, &mut |_| {}, see).unwrap();
    found
}

/// The segments of the journal that end before `sequence` are removed, as retention does; returns how
/// many.
fn forget_before(directory: &Path, sequence: u64) -> usize {
    let mut segments: Vec<_> = fs::read_dir(directory.join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("segment-"))
        .collect();
    segments.sort();
    let first = |path: &Path| -> u64 {
        path.file_stem().unwrap().to_str().unwrap().strip_prefix("segment-").unwrap().parse().unwrap()
    };
    let mut removed = 0;
    for pair in segments.windows(2) {
        if first(&pair[1]) <= sequence + 1 {
            fs::remove_file(&pair[0]).unwrap();
            removed += 1;
        }
    }
    removed
}

#[test]
fn every_snapshot_is_compared_and_gone_on_from() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = record(directory.path(), 90);
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    assert!(report.equal, "{:?}", report.difference);
    assert!(report.snapshots >= 3);
    assert_eq!((report.first_sequence, report.last_sequence), (1, recorder.engine.sequence().0));
    assert_eq!(report.state_hash, recorder.engine.state_hash().to_string());
}

#[test]
fn a_state_is_the_same_from_a_snapshot_and_from_nothing() {
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let recorder = record(with.path(), 70);
    record(without.path(), 1_000);
    let last = recorder.engine.sequence().0;
    for at in (1..=last).step_by(23).chain([last]) {
        assert_eq!(state_at(with.path(), at).unwrap(), state_at(without.path(), at).unwrap(), "at {at}");
    }
    let phases: BTreeSet<_> = (1..=last)
        .step_by(23)
        .flat_map(|at| state_at(with.path(), at).unwrap().orders)
        .map(|order| order.phase)
        .collect();
    assert_eq!(phases.into_iter().collect::<Vec<_>>(), ["Pending", "Waiting", "Working"]);
    for from in [1, 50, 200, last] {
        assert_eq!(all_events(with.path(), from), all_events(without.path(), from), "from {from}");
    }
}

#[test]
fn a_snapshot_of_another_state_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut recorder = record(directory.path(), 1_000);
    recorder.snapshot();
    let good = recorder.info();
    // A state that never was, with a header that fits it: only the journal can tell.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut other = Recorder::new(elsewhere.path());
    other.set_up();
    while other.engine.sequence() < recorder.engine.sequence() {
        other.done(&Command::Tick);
    }
    let mut payload = Vec::new();
    other.engine.write_snapshot(&mut |bytes| payload.extend_from_slice(bytes));
    let snapshots = Snapshots::new(FileStorage::new(directory.path())).with_reserve(0);
    snapshots.write(&other.info(), &payload).unwrap();
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    let difference = report.difference.unwrap();
    assert!(
        !report.equal && difference.contains(&format!("after command {}", good.sequence)),
        "{difference}"
    );
    assert!(difference.contains(&other.engine.state_hash().to_string()), "{difference}");
    // One that says more than the journal has.
    let beyond = engine_journal::SnapshotInfo { sequence: good.sequence + 5, ..good };
    snapshots.write(&beyond, &payload).unwrap();
    fs::remove_file(snapshot_file(directory.path(), good.sequence)).unwrap();
    let difference = verify(directory.path(), &mut |_| {}).unwrap().difference.unwrap();
    assert!(difference.contains("but the journal ends at"), "{difference}");
}

fn snapshot_file(directory: &Path, sequence: u64) -> std::path::PathBuf {
    directory.join(format!("snapshots/snapshot-{sequence:020}.bin"))
}

#[test]
fn a_damaged_snapshot_is_found_and_not_gone_on_from() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = record(directory.path(), 100);
    let last = recorder.engine.sequence().0;
    let expected = state_at(directory.path(), last).unwrap();
    let newest = Snapshots::new(FileStorage::new(directory.path())).list().unwrap()[0];
    let file = snapshot_file(directory.path(), newest);
    let whole = fs::read(&file).unwrap();
    for place in [3, whole.len() / 2, whole.len() - 1] {
        let mut spoilt = whole.clone();
        spoilt[place] ^= 1;
        fs::write(&file, &spoilt).unwrap();
        let report = verify(directory.path(), &mut |_| {}).unwrap();
        assert!(!report.equal && report.difference.unwrap().contains("damaged"), "byte {place}");
        assert_eq!(state_at(directory.path(), last).unwrap(), expected, "the one before it does");
    }
}

#[test]
fn where_the_first_commands_are_gone_a_balance_is_brought_forward() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = record(directory.path(), 100);
    let last = recorder.engine.sequence().0;
    let snapshots = Snapshots::new(FileStorage::new(directory.path()));
    let oldest = *snapshots.list().unwrap().last().unwrap();
    let asked = Explained { account: ALICE, asset: "BTC".to_owned(), at: None };
    let mut whole = Vec::new();
    let see = |entry: &replay::Entry| {
        whole.push(entry.clone());
        Ok(())
    };
    let before = explain(directory.path(), &asked, &mut |_| {}, see).unwrap();
    assert_eq!(before.brought_forward, None);
    let expected = state_at(directory.path(), last).unwrap();

    assert!(forget_before(directory.path(), oldest) > 0);
    let mut rest = Vec::new();
    let see = |entry: &replay::Entry| {
        rest.push(entry.clone());
        Ok(())
    };
    let after = explain(directory.path(), &asked, &mut |_| {}, see).unwrap();
    let forward = after.brought_forward.clone().unwrap();
    assert!(after.equal && forward.sequence <= oldest, "{after:?}");
    assert_eq!((&after.available, &after.held), (&before.available, &before.held));
    assert_eq!(rest, whole[whole.len() - rest.len()..], "what is left is told as before");
    assert!(rest.len() < whole.len() && rest[0].sequence > forward.sequence);
    let balance = recorder.engine.ledger().balances.get(ALICE, BTC);
    assert_eq!(after.available, protocol::decimal::print_units(i128::from(balance.available), 8));

    assert_eq!(state_at(directory.path(), last).unwrap(), expected);
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    assert!(report.equal, "{:?}", report.difference);
    assert_eq!((report.first_sequence, report.last_sequence), (forward.sequence + 1, last));
    let gone = state_at(directory.path(), 5).unwrap_err();
    assert!(matches!(gone, ReplayError::BeforeTheBeginning { wanted: Sequence(5), .. }), "{gone}");
    let nobody = Explained { account: AccountId(99), ..asked };
    let nobody = explain(directory.path(), &nobody, &mut |_| {}, |_| Ok(()));
    assert!(matches!(nobody, Err(ReplayError::UnknownAccount(AccountId(99)))));
    for sequence in snapshots.list().unwrap() {
        fs::remove_file(snapshot_file(directory.path(), sequence)).unwrap();
    }
    let nothing = state_at(directory.path(), last).unwrap_err();
    assert!(matches!(nothing, ReplayError::Gap { expected: Sequence(1), .. }), "{nothing}");
}

#[test]
fn a_voided_command_did_not_happen_anywhere() {
    let directory = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(directory.path());
    recorder.set_up();
    recorder.void(&Command::PlaceOrder { order: sample_order(), client_order_id: None, terms: None });
    let voided = recorder.engine.sequence();
    recorder.place(ALICE, Side::Buy, 30, 5);
    recorder.write();
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    assert!(report.equal, "{:?}", report.difference);
    assert_eq!(report.state_hash, recorder.engine.state_hash().to_string());
    let told = all_events(directory.path(), voided.0);
    assert_eq!((&told[0]["event"], &told[0]["reject"]), (&"CommandRefused".into(), &"Voided".into()));
    let orders = state_at(directory.path(), voided.0 + 1).unwrap().orders;
    assert_eq!(orders.iter().map(|order| order.leaves_qty.as_str()).collect::<Vec<_>>(), ["0.00005000"]);
    // Without its void the same journal means something else.
    let copy = tempfile::tempdir().unwrap();
    let mut other = Recorder::new(copy.path());
    other.set_up();
    other.done(&Command::PlaceOrder { order: sample_order(), client_order_id: None, terms: None });
    other.place(ALICE, Side::Buy, 30, 5);
    other.write();
    fs::remove_dir_all(copy.path().join("events")).unwrap();
    let report = replay::diff(directory.path(), copy.path(), &mut |_| {}).unwrap();
    assert_eq!((report.parted, report.first_difference), (Some(replay::Place::Void), Some(voided.0)));
    assert!(report.differences.iter().any(|difference| difference.what == "order 1"), "{report:#?}");
    // A void of another journal is not believed.
    fs::rename(directory.path().join("voids"), copy.path().join("voids")).unwrap();
    let file = fs::read_dir(copy.path().join("voids")).unwrap().next().unwrap().unwrap().path();
    assert!(verify(copy.path(), &mut |_| {}).is_ok());
    let moved = copy.path().join(format!("voids/void-{:020}.txt", voided.0 + 1));
    fs::rename(file, moved).unwrap();
    assert!(
        matches!(verify(copy.path(), &mut |_| {}), Err(ReplayError::Void(_))),
        "its name says another command"
    );
}

fn sample_order() -> PlaceOrder {
    PlaceOrder { account: ALICE, price: Price(25), quantity: Quantity(7), ..sample::limit_order() }
}
