//! A journal with a command that breaks an invariant: found, voided by two people, passed over.

#![allow(clippy::unwrap_used, reason = "tests")]

use engine_journal::{FileStorage, JournalOptions, JournalWriter};
use engine_runtime::pipeline::{Exchange, Options};
use protocol::{
    Sequence, SourceId, SourceNumber,
    command::{Command, OpenAccount, sample},
};
use replay::{EventFilter, ReplayError, events, state, verify, void};
use services::{CommandPort as _, EngineState, EngineStatus as _};
use std::path::Path;

const SOURCE: SourceId = SourceId(2);

fn open(directory: &Path) -> Exchange {
    Exchange::open_directory(directory, Options { reserve_bytes: 0, ..Options::default() }, Vec::new())
        .unwrap()
}

/// Two commands, and a third whose time lies before theirs.
fn broken(directory: &Path) -> Sequence {
    let exchange = open(directory);
    let port = exchange.port(SOURCE);
    for name in ["BTC", "USDT"] {
        port.submit(&Command::CreateAsset(sample::asset(name)), 0).unwrap().wait().unwrap();
    }
    exchange.stop();
    let options = JournalOptions { reserve: 0, ..JournalOptions::default() };
    let (mut journal, _) = JournalWriter::open(FileStorage::new(directory), options).unwrap();
    journal.append_batch(3, 1, &Command::Tick.encode(SOURCE, SourceNumber(3), 0)).unwrap();
    Sequence(3)
}

fn two() -> [String; 2] {
    ["Ada".to_owned(), "Grace".to_owned()]
}

#[test]
fn a_voided_command_is_refused_and_what_follows_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path();
    let sequence = broken(directory);
    let watch = &mut |_| {};
    let report = verify(directory, watch).unwrap();
    let difference = report.difference.unwrap();
    assert!(!report.equal && difference.contains("command 3 breaks an invariant"), "{difference}");
    assert_eq!((report.first_sequence, report.last_sequence), (1, 2));
    assert!(matches!(
        state(directory, None, None, watch),
        Err(ReplayError::Broken { sequence: Sequence(3), .. })
    ));
    assert_eq!(state(directory, Some(Sequence(2)), None, watch).unwrap().sequence, 2);

    let same = ["Ada".to_owned(), " ada".to_owned()];
    assert!(matches!(void(directory, sequence, "why", same, watch), Err(ReplayError::OneAdministrator)));
    assert!(matches!(
        void(directory, Sequence(2), "why", two(), watch),
        Err(ReplayError::NotBroken(Sequence(2)))
    ));
    let exchange = open(directory);
    assert!(matches!(exchange.status().state(), EngineState::Halted(_)));
    assert!(matches!(void(directory, sequence, "why", two(), watch), Err(ReplayError::Lock(_))));
    drop(exchange);
    let report = void(directory, sequence, "a broken clock", two(), watch).unwrap();
    assert!(report.broken.contains("time runs backwards"), "{report:?}");
    assert!(matches!(void(directory, sequence, "why", two(), watch), Err(ReplayError::NotBroken(_))));

    let exchange = open(directory);
    let port = exchange.port(SOURCE);
    assert_eq!(port.next_number(), SourceNumber(4), "its number was used");
    let account = OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] };
    assert_eq!(port.submit(&Command::OpenAccount(account), 0).unwrap().wait().unwrap().sequence, Sequence(4));
    exchange.stop();
    let report = verify(directory, watch).unwrap();
    assert_eq!((report.equal, report.last_sequence), (true, 4), "{report:?}");
    let mut said = Vec::new();
    events(directory, &EventFilter::default(), watch, |event| {
        said.push((
            event["sequence"].as_u64().unwrap(),
            event["event"].as_str().unwrap().to_owned(),
            event["reject"].clone(),
        ));
        Ok(())
    })
    .unwrap();
    assert!(said.contains(&(3, "CommandRefused".to_owned(), "Voided".into())), "{said:?}");
}
