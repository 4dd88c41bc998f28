//! Balances explained: every account's, of streams of every kind of order and operation there is.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../engine/core/tests/exchange/mod.rs"]
mod exchange;
mod support;

use exchange::steps::{Step, steps};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use protocol::{
    AccountId, HoldId, InstrumentId, OrderId, Sequence, Side, Time,
    command::{CancelIds, CancelOrder, Command, DelistInstrument, LedgerOperation, sample},
    decimal::print_units,
};
use replay::{Entry, ExplainReport, Explained, MovementKind, ReplayError, explain};
use std::{collections::BTreeSet, path::Path};
use support::{ALICE, BOB, BTC, CAROL, Recorder, USDT};

fn explained(
    directory: &Path,
    account: AccountId,
    asset: &str,
    at: Option<Sequence>,
) -> Result<(Vec<Entry>, ExplainReport), ReplayError> {
    let asked = Explained { account, asset: asset.to_owned(), at };
    let mut entries = Vec::new();
    let report = explain(directory, &asked, &mut |_| {}, |entry| {
        entries.push(entry.clone());
        Ok(())
    })?;
    Ok((entries, report))
}

fn units(decimal: &str) -> i64 {
    let (sign, digits) = decimal.strip_prefix('-').map_or((1, decimal), |digits| (-1, digits));
    sign * i64::try_from(protocol::decimal::parse_units(digits, 8).unwrap()).unwrap()
}

/// A movement of the ledger's own, in small numbers.
#[derive(Clone, Copy, Debug)]
struct Move {
    kind: u8,
    from: u8,
    to: u8,
    quote: bool,
    amount: u16,
    hold: u8,
}

impl Move {
    fn command(self, recorder: &Recorder) -> Command {
        let asset = if self.quote { USDT } else { BTC };
        let external = recorder.engine.ledger().asset(asset).unwrap().external;
        let account = |place: u8| [ALICE, BOB, CAROL, external][usize::from(place % 4)];
        let (from, to, amount) = (account(self.from), account(self.to), i64::from(self.amount));
        let opened = recorder.engine.ledger().holds.opened();
        let hold = HoldId(opened.saturating_sub(u64::from(self.hold % 4)));
        let operations = [
            LedgerOperation::transfer(from, to, asset, amount).with_reference(u128::from(self.hold)),
            LedgerOperation::hold(from, asset, amount, Time::NEVER),
            LedgerOperation::capture(hold, to, amount / 4, self.hold.is_multiple_of(2)),
            LedgerOperation::release(hold, amount / 4),
        ];
        match self.kind {
            0 => Command::Batch(operations[..2].to_vec()),
            kind => Command::Ledger(operations[usize::from(kind % 4)]),
        }
    }
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = (0..16_u8, any::<u8>(), any::<u8>(), any::<bool>(), 1..400_u16, any::<u8>());
    let one =
        one.prop_map(|(kind, from, to, quote, amount, hold)| Move { kind, from, to, quote, amount, hold });
    proptest::collection::vec(one, 1..60)
}

/// Records a stream; returns what the core has at its end.
fn record(directory: &Path, stream: &[Step], moves: &[Move]) -> Recorder {
    let mut recorder = Recorder::new(directory);
    recorder.set_up();
    let mut moves = moves.iter();
    for (index, step) in stream.iter().enumerate() {
        recorder.time = step.time(recorder.time);
        let command = step.command(recorder.orders, recorder.time);
        recorder.apply(&command);
        if index % 4 == 0
            && let Some(next) = moves.next()
        {
            let command = next.command(&recorder);
            recorder.apply(&command);
        }
    }
    recorder.write();
    recorder
}

/// Every entry follows from the one before, is told in words, and the last is the balance.
fn holds_together(entries: &[Entry], report: &ExplainReport) {
    let (mut available, mut held, mut before) = (0, 0, 0);
    for entry in entries {
        assert!(entry.sequence > before, "in order, each command once");
        before = entry.sequence;
        assert!(!entry.changes.is_empty());
        for change in &entry.changes {
            available += units(&change.available_change);
            held += units(&change.held_change);
            assert_eq!((units(&change.available), units(&change.held)), (available, held), "{entry:?}");
            assert!(change.text.len() > 10 && !change.text.contains("moved by"), "{change:?}");
        }
        assert_eq!((units(&entry.available), units(&entry.held)), (available, held), "{entry:?}");
    }
    assert_eq!((units(&report.available), units(&report.held)), (available, held));
    let sums = |of: fn(&replay::SumRow) -> &str| report.sums.iter().map(|sum| units(of(sum))).sum::<i64>();
    assert_eq!((sums(|sum| &sum.available_change), sums(|sum| &sum.held_change)), (available, held));
    assert_eq!(report.commands, entries.len() as u64);
}

fn check_all(directory: &Path, recorder: &Recorder, kinds: &mut BTreeSet<String>) {
    let ledger = recorder.engine.ledger();
    for (account, _) in ledger.accounts.iter() {
        for (id, asset) in ledger.assets() {
            let (entries, report) = explained(directory, account, &asset.name.to_string(), None).unwrap();
            assert_eq!((report.equal, report.difference.as_deref()), (true, None));
            holds_together(&entries, &report);
            let balance = ledger.balances.get(account, id);
            let shown = |units| print_units(i128::from(units), 8);
            assert_eq!((&report.available, &report.held), (&shown(balance.available), &shown(balance.held)));
            kinds.extend(report.sums.iter().map(|sum| sum.kind.name().to_owned()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn every_balance_adds_up_and_is_told_in_words(stream in steps(250), moves in moves()) {
        let directory = tempfile::tempdir().unwrap();
        let recorder = record(directory.path(), &stream, &moves);
        check_all(directory.path(), &recorder, &mut BTreeSet::new());
    }
}

/// Streams that are the same every time.
fn streams(count: usize) -> impl Iterator<Item = (Vec<Step>, Vec<Move>)> {
    let mut runner = TestRunner::deterministic();
    let strategy = (steps(400), moves());
    (0..count).map(move |_| strategy.new_tree(&mut runner).unwrap().current())
}

#[test]
fn every_reason_and_every_kind_of_event_is_told() {
    let mut kinds = BTreeSet::new();
    let mut texts = String::new();
    for (stream, moves) in streams(40) {
        let directory = tempfile::tempdir().unwrap();
        let mut recorder = record(directory.path(), &stream, &moves);
        recorder.apply(&Command::DelistInstrument(DelistInstrument {
            instrument: InstrumentId(1),
            reserved: [0; 6],
        }));
        recorder.write();
        check_all(directory.path(), &recorder, &mut kinds);
        for account in [ALICE, BOB, CAROL] {
            for asset in ["BTC", "USDT"] {
                let (entries, _) = explained(directory.path(), account, asset, None).unwrap();
                texts.extend(
                    entries.iter().flat_map(|entry| &entry.changes).map(|change| change.text.as_str()),
                );
            }
        }
    }
    let all: BTreeSet<String> = MovementKind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
    assert_eq!(kinds, all);
    let told = [
        "deposit of",
        "withdrawal of",
        "transferred to account",
        "transferred from account",
        "opened for purpose",
        "captured by account",
        "received from hold",
        "its last capture left so much",
        "it was released",
        "its time came",
        "aside: the working order of its list is filled",
        "aside, until it is triggered",
        "rest and set",
        "its owner cancelled it",
        "its owner replaced it",
        "its owner made it smaller",
        "the last price",
        "an iceberg, keeps out of sight",
        "no longer set aside",
        "hold once, not twice",
        "no longer hold together",
        "self-trade prevention made it smaller",
        "self-trade prevention ended it",
        "in a call auction",
        "the auction's price",
        "as maker",
        "as taker",
        "fee of",
        "rebate of",
        "another order of its list",
        "kill switch is on",
        "session that placed it ended",
        "it expired",
        "cancel timer ran out",
        "its instrument was delisted",
    ];
    for words in told {
        assert!(texts.contains(words), "nothing was told as {words:?}");
    }
}

/// A deposit, an order that rests and is filled in part, a cancel.
fn scenario(directory: &Path) -> Recorder {
    let mut recorder = Recorder::new(directory);
    recorder.set_up();
    recorder.place(ALICE, Side::Buy, 30, 50);
    recorder.place(BOB, Side::Sell, 25, 20);
    let cancel = CancelOrder { account: ALICE, order_id: OrderId(1), ..sample::cancel_order() };
    recorder.done(&Command::CancelOrder { cancel, ids: CancelIds::default() });
    recorder.write();
    recorder
}

#[test]
fn a_dispute_is_answered_line_by_line() {
    let directory = tempfile::tempdir().unwrap();
    scenario(directory.path());
    let (entries, report) = explained(directory.path(), ALICE, "USDT", None).unwrap();
    let lines: Vec<_> = entries
        .iter()
        .flat_map(|entry| entry.changes.iter().map(|change| (entry.sequence, change)))
        .map(|(sequence, change)| {
            format!(
                "{sequence} {} | {} {} | {} {}",
                change.text, change.available_change, change.held_change, change.available, change.held
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "6 deposit of 0.00060000 USDT from external account 4 (reference 5) | 0.00060000 0.00000000 | 0.00060000 0.00000000",
            "16 order 1 (limit buy BTCUSDT 0.00050000 at 0.30000000, client order id mine) set 0.00015000 USDT aside | -0.00015000 0.00015000 | 0.00045000 0.00015000",
            "17 paid 0.00006000 USDT for 0.00020000 BTC at 0.30000000 USDT, as maker: order 1 against order 2, trade 1 of BTCUSDT | 0.00000000 -0.00006000 | 0.00045000 0.00009000",
            "18 order 1 (buy BTCUSDT at 0.30000000) gave back 0.00009000 USDT: its owner cancelled it | 0.00009000 -0.00009000 | 0.00054000 0.00000000",
        ]
    );
    assert_eq!(entries[2].changes[0].counterparty_order_id, Some(2));
    assert_eq!(entries[0].time_iso, "2026-01-01T00:00:00.000000000Z");
    assert_eq!(
        (report.available.as_str(), report.held.as_str(), report.commands),
        ("0.00054000", "0.00000000", 4)
    );
    let (entries, _) = explained(directory.path(), BOB, "USDT", None).unwrap();
    let texts: Vec<_> = entries[1].changes.iter().map(|change| change.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "received 0.00006000 USDT for 0.00020000 BTC at 0.30000000 USDT, as taker: order 2 (limit sell BTCUSDT 0.00020000 at 0.25000000, client order id mine) against order 1, trade 1 of BTCUSDT",
            "fee of 0.00000090 USDT as taker, order 2, trade 1 of BTCUSDT",
        ]
    );
    let before = explained(directory.path(), ALICE, "USDT", Some(Sequence(16))).unwrap().1;
    assert_eq!((before.sequence, before.held.as_str()), (16, "0.00015000"));
}

#[test]
fn what_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    scenario(directory.path());
    let message =
        |account, asset, at| explained(directory.path(), account, asset, at).unwrap_err().to_string();
    assert!(message(ALICE, "EUR", None).contains("there is no asset EUR"));
    assert!(message(ALICE, "EUR", None).contains("BTC, USDT"));
    assert!(message(AccountId(99), "BTC", None).contains("no account 99"));
    assert!(message(ALICE, "BTC", Some(Sequence(99))).contains("ends at sequence 18"));
}
