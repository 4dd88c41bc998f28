//! A data directory that an older build wrote, kept for ever: this build reads it, makes the same
//! events and the same balances of it, and goes on from it. `data/v1/README.md` says what it is.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../engine/core/tests/exchange/mod.rs"]
mod exchange;
mod support;

use engine_core::SNAPSHOT_VERSION;
use engine_runtime::pipeline::{Exchange, Options};
use exchange::steps::steps;
use proptest::{strategy::Strategy as _, strategy::ValueTree as _, test_runner::TestRunner};
use protocol::{AccountId, SourceId, command::Command};
use replay::{Explained, diff, explain, state, verify};
use serde_json::{Value, json};
use services::CommandPort as _;
use std::{
    fs,
    path::{Path, PathBuf},
};
use support::Recorder;

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/v1")
}

fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(kept().join("expected.json")).unwrap()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every entry of every balance, in words, and where each ends.
fn balances(directory: &Path) -> Value {
    let mut all = Vec::new();
    for account in 1..=7 {
        for asset in ["BTC", "USDT"] {
            let asked = Explained { account: AccountId(account), asset: asset.to_owned(), at: None };
            let mut told = Vec::new();
            let report = explain(directory, &asked, &mut |_| {}, |entry| {
                let changes = entry.changes.iter().map(|change| {
                    format!("{} {} {}", change.kind.name(), change.available_change, change.held_change)
                });
                told.push(format!("{}: {}", entry.sequence, changes.collect::<Vec<_>>().join("; ")));
                Ok(())
            })
            .unwrap();
            assert!(report.equal, "{:?}", report.difference);
            all.push(json!({
                "account": account, "asset": asset, "available": report.available, "held": report.held,
                "sums": report.sums, "entries": told.len(), "last_entries": told[told.len().saturating_sub(5)..],
            }));
        }
    }
    Value::Array(all)
}

/// What this build makes of a directory, but for what a new version of the state's hash changes.
fn made_of(directory: &Path) -> Value {
    let report = state(directory, None, None, &mut |_| {}).unwrap();
    json!({
        "sequence": report.sequence, "time": report.time,
        "orders": report.orders, "holds": report.holds, "balances": balances(directory),
    })
}

#[test]
fn what_an_older_build_wrote_is_read_and_means_what_it_meant() {
    let directory = kept().join("data");
    let expected = expected();
    let report = verify(&directory, &mut |_| {}).unwrap();
    // The event log beside it was written by that build: its events are these, byte for byte.
    assert!(report.equal, "{:?}", report.difference);
    assert_eq!(report.last_sequence, expected["made"]["sequence"]);
    assert_eq!(made_of(&directory), expected["made"]);
    if expected["snapshot_version"] == SNAPSHOT_VERSION {
        assert_eq!(report.state_hash, expected["state_hash"]);
        assert_eq!((report.snapshots, report.passed_over.len()), (2, 0));
    } else {
        // Its snapshots are passed over, and the journal is applied instead.
        assert_eq!((report.snapshots, report.passed_over.len()), (0, 2));
    }
}

#[test]
fn an_exchange_goes_on_from_what_an_older_build_wrote_and_back() {
    let directory = tempfile::tempdir().unwrap();
    copy(&kept().join("data"), directory.path());
    let before = expected()["made"]["sequence"].as_u64().unwrap();
    let options = Options { reserve_bytes: 0, ..Options::default() };
    let exchange = Exchange::open_directory(directory.path(), options, Vec::new()).unwrap();
    exchange.port(SourceId(2)).submit(&Command::Tick, 0).unwrap().wait().unwrap();
    let hash = exchange.stop().engine.unwrap().state_hash().to_string();
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    assert!(report.equal, "{:?}", report.difference);
    assert_eq!((report.last_sequence, report.state_hash), (before + 1, hash));
    // What was there is there still, for the build that wrote it to read.
    let report = diff(&kept().join("data"), directory.path(), &mut |_| {}).unwrap();
    assert_eq!((report.equal_up_to, report.first_difference), (before, Some(before + 1)));
}

/// Writes the directory anew. Only for a new version of what is written, into a directory of its own
/// beside this one: what older builds wrote stays.
#[test]
#[ignore = "writes test data: see tests/data/v1/README.md"]
fn write_the_kept_data() {
    let directory = PathBuf::from(std::env::var("RIALTO_KEPT_DATA").expect("a directory to write"));
    let data = directory.join("data");
    fs::create_dir_all(&data).unwrap();
    let mut recorder = Recorder::new(&data);
    recorder.set_up();
    let mut runner = TestRunner::deterministic();
    for round in 0..6 {
        for step in steps(120).new_tree(&mut runner).unwrap().current() {
            recorder.time = step.time(recorder.time);
            let command = step.command(recorder.orders, recorder.time);
            recorder.apply(&command);
        }
        if round % 2 == 1 && round < 5 {
            recorder.snapshot();
        }
    }
    recorder.write();
    let expected = json!({
        "snapshot_version": SNAPSHOT_VERSION,
        "state_hash": recorder.engine.state_hash().to_string(),
        "made": made_of(&data),
    });
    let text = serde_json::to_string_pretty(&expected).unwrap();
    fs::write(directory.join("expected.json"), text + "\n").unwrap();
}
