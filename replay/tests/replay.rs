//! A journal that an exchange wrote, looked at while it is open and when it has stopped.

#![allow(clippy::unwrap_used, reason = "tests")]

use engine_runtime::pipeline::{Exchange, Options};
use protocol::{
    AccountId, AssetId, ClientOrderId, Price, Quantity, Sequence, Side, SourceId,
    command::{Command, CreateInstrument, LedgerOperation, OpenAccount, PlaceOrder, sample},
};
use replay::{
    EventFilter, Explained, Exported, Format, Place, ReplayError, TableName, diff, events, explain, export,
    state, verify,
};
use serde_json::Value;
use services::CommandPort;
use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::SystemTime,
};

const ALICE: AccountId = AccountId(5);
const BOB: AccountId = AccountId(6);

fn open(directory: &Path) -> Exchange {
    Exchange::open_directory(directory, Options { reserve_bytes: 0, ..Options::default() }, Vec::new())
        .unwrap()
}

/// Two assets, an instrument, two accounts with 10 of each, and two orders that trade in part.
fn trade(exchange: &Exchange) {
    let port = exchange.port(SourceId(1));
    let ask = |command: Command| port.submit(&command, 0).unwrap().wait().unwrap();
    for name in ["BTC", "USDT"] {
        ask(Command::CreateAsset(sample::asset(name)));
    }
    ask(Command::CreateInstrument(CreateInstrument { instrument: sample::instrument() }));
    for account in [ALICE, BOB] {
        ask(Command::OpenAccount(OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] }));
        for asset in [1, 2] {
            let external = AccountId(2 + u32::from(asset));
            ask(Command::Ledger(LedgerOperation::transfer(external, account, AssetId(asset), 1_000_000_000)));
        }
    }
    for (account, side, quantity) in
        [(ALICE, Side::Buy, 5), (BOB, Side::Sell, 3), (AccountId(99), Side::Buy, 1)]
    {
        let order = PlaceOrder {
            account,
            side,
            price: Price(100),
            quantity: Quantity(quantity),
            ..sample::limit_order()
        };
        ask(Command::PlaceOrder { order, client_order_id: ClientOrderId::parse("mine"), terms: None });
    }
}

fn all(directory: &Path, filter: &EventFilter) -> Vec<Value> {
    let mut found = Vec::new();
    let see = |event: &Value| {
        found.push(event.clone());
        Ok(())
    };
    events(directory, filter, &mut |_| {}, see).unwrap();
    found
}

fn files(directory: &Path) -> Vec<(std::path::PathBuf, u64, SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let metadata = path.metadata().unwrap();
            found.push((path, metadata.len(), metadata.modified().unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_live_and_a_stopped_journal_are_verified_and_nothing_is_touched() {
    let directory = tempfile::tempdir().unwrap();
    let exchange = open(directory.path());
    trade(&exchange);
    let before = files(directory.path());
    let live = verify(directory.path(), &mut |_| {}).unwrap();
    assert_eq!(files(directory.path()), before);
    let hash = exchange.stop().engine.unwrap().state_hash().to_string();
    let stopped = verify(directory.path(), &mut |_| {}).unwrap();
    for report in [live, stopped] {
        assert!(report.equal, "{:?}", report.difference);
        assert_eq!((report.first_sequence, report.last_sequence, &report.state_hash), (1, 12, &hash));
    }
    assert_eq!(state(directory.path(), None, None, &mut |_| {}).unwrap().state_hash, hash);
}

/// Lets the writer end however the reader does.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn every_command_reads_a_directory_that_is_being_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let options = Options {
        reserve_bytes: 0,
        journal_segment_bytes: 64 << 10,
        event_segment_bytes: 64 << 10,
        ..Options::default()
    };
    let exchange = Exchange::open_directory(path, options, Vec::new()).unwrap();
    trade(&exchange);
    let is_over = AtomicBool::new(false);
    let asked = Explained { account: ALICE, asset: "USDT".into(), at: None };
    let out = tempfile::tempdir().unwrap();
    let exported = Exported {
        format: Format::Csv,
        out: out.path().to_owned(),
        from: None,
        to: None,
        tables: vec![TableName::Postings],
        force: true,
    };
    let (mut seen, mut rounds) = (0, 0);
    let written = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let port = exchange.port(SourceId(2));
            let mut written = 0_u64;
            while !is_over.load(Ordering::Relaxed) {
                let sell = written % 2 == 1;
                let order = PlaceOrder {
                    account: if sell { BOB } else { ALICE },
                    side: if sell { Side::Sell } else { Side::Buy },
                    price: Price(100 + (written % 7) as u32),
                    quantity: Quantity(1 + written % 3),
                    ..sample::limit_order()
                };
                let command = Command::PlaceOrder { order, client_order_id: None, terms: None };
                port.submit(&command, 0).unwrap().wait().unwrap();
                written += 1;
            }
            written
        });
        let over = Over(&is_over);
        // Until the journal has grown under the reader's eyes, often enough.
        while rounds < 5 || seen < 1_000 {
            let report = verify(path, &mut |_| {}).unwrap();
            assert!(report.equal && report.last_sequence >= seen, "{report:?}");
            seen = report.last_sequence;
            assert!(explain(path, &asked, &mut |_| {}, |_| Ok(())).unwrap().equal);
            assert!(export(path, &exported, &mut |_| {}).unwrap().last_sequence >= seen);
            assert!(state(path, Some(Sequence(seen)), None, &mut |_| {}).unwrap().sequence == seen);
            let report = diff(path, path, &mut |_| {}).unwrap();
            assert!(report.equal || report.parted == Some(Place::Length), "{report:?}");
            rounds += 1;
        }
        drop(over);
        writer.join().unwrap()
    });
    assert!(written > 100, "it was written meanwhile: {written}");
    let hash = exchange.stop().engine.unwrap().state_hash().to_string();
    assert_eq!(verify(path, &mut |_| {}).unwrap().state_hash, hash);
}

#[test]
fn an_event_log_that_says_something_else_is_a_difference() {
    let directory = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    for (directory, extra) in [(&directory, 1), (&other, 2)] {
        let exchange = open(directory.path());
        let port = exchange.port(SourceId(extra));
        port.submit(&Command::Tick, 0).unwrap().wait().unwrap();
    }
    fs::remove_dir_all(directory.path().join("events")).unwrap();
    assert!(verify(directory.path(), &mut |_| {}).unwrap().equal, "a log that is missing is made again");
    fs::rename(other.path().join("events"), directory.path().join("events")).unwrap();
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    assert!(!report.equal && report.difference.unwrap().contains("commands 1 to 1"));
}

#[test]
fn events_of_a_command_that_the_journal_has_lost_are_a_difference() {
    let directory = tempfile::tempdir().unwrap();
    let exchange = open(directory.path());
    trade(&exchange);
    exchange.stop();
    let segment = fs::read_dir(directory.path().join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    // A rotten last command looks like a torn write.
    bytes[last] ^= 1;
    fs::write(segment, bytes).unwrap();
    let report = verify(directory.path(), &mut |_| {}).unwrap();
    assert!(!report.equal && report.last_sequence < 12, "{report:?}");
    assert!(report.difference.as_ref().unwrap().contains("commands are lost"), "{report:?}");
}

#[test]
fn the_state_is_that_after_a_sequence() {
    let directory = tempfile::tempdir().unwrap();
    let exchange = open(directory.path());
    trade(&exchange);
    let end = state(directory.path(), None, Some(ALICE), &mut |_| {}).unwrap();
    let shown: Vec<_> = end
        .balances
        .iter()
        .map(|row| (row.asset.as_str(), row.available.as_str(), row.held.as_str()))
        .collect();
    assert_eq!(shown, [("BTC", "10.00003000", "0.00000000"), ("USDT", "9.99995000", "0.00002000")]);
    let [order] = end.orders.as_slice() else { panic!("one order: {:?}", end.orders) };
    assert_eq!((order.leaves_qty.as_str(), order.cum_qty.as_str()), ("0.00002000", "0.00003000"));
    assert_eq!(order.client_order_id.as_deref(), Some("mine"));
    let before = state(directory.path(), Some(Sequence(10)), Some(ALICE), &mut |_| {}).unwrap();
    assert_eq!((before.sequence, before.orders[0].leaves_qty.as_str()), (10, "0.00005000"));
    let past = state(directory.path(), Some(Sequence(13)), None, &mut |_| {});
    assert!(matches!(past, Err(ReplayError::PastTheEnd { last: Sequence(12), .. })));
    let nobody = state(directory.path(), None, Some(AccountId(77)), &mut |_| {});
    assert!(matches!(nobody, Err(ReplayError::UnknownAccount(AccountId(77)))));
}

#[test]
fn events_are_filtered() {
    let directory = tempfile::tempdir().unwrap();
    let exchange = open(directory.path());
    trade(&exchange);
    let names = |filter: &EventFilter| -> Vec<String> {
        all(directory.path(), filter)
            .iter()
            .map(|event| event["event"].as_str().unwrap().to_owned())
            .collect()
    };
    let bob = EventFilter { account: Some(BOB), ..EventFilter::default() };
    assert_eq!(names(&bob), ["AccountOpened", "Transferred", "Transferred", "OrderAccepted", "Trade"]);
    let market = EventFilter { instrument: Some("BTCUSDT".into()), ..EventFilter::default() };
    assert_eq!(names(&market), ["InstrumentCreated", "OrderAccepted", "OrderAccepted", "Trade"]);
    let end = EventFilter { from: Some(Sequence(12)), ..EventFilter::default() };
    assert_eq!(names(&end), ["CommandRefused"]);
    let one = EventFilter { from: Some(Sequence(11)), to: Some(Sequence(11)), ..EventFilter::default() };
    let events = all(directory.path(), &one);
    assert_eq!((&events[1]["price"], &events[1]["last_qty"]), (&"1.00000000".into(), &"0.00003000".into()));
    assert_eq!((&events[1]["sequence"], &events[1]["index"]), (&11.into(), &1.into()));
}

#[test]
fn what_is_no_journal_or_a_broken_one_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let nothing = verify(directory.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(nothing, ReplayError::NoJournal(_)));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is made");
    let exchange = open(directory.path());
    trade(&exchange);
    drop(exchange);
    let segment = fs::read_dir(directory.path().join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[4_096 + 60] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let error = verify(directory.path(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("segment-") && error.contains("offset 4096"), "{error}");
}
