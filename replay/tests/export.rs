//! Tables written and read back: what they say is what the core did, to the last unit.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../engine/core/tests/exchange/mod.rs"]
mod exchange;
mod support;

use exchange::steps::steps;
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};
use proptest::{strategy::Strategy as _, strategy::ValueTree as _, test_runner::TestRunner};
use protocol::{AccountId, Sequence, decimal::print_units};
use replay::{ExportReport, Exported, Format, ReplayError, TableName, export, state};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::Path,
};
use support::Recorder;

/// A row by its columns' names; what has nothing is left out.
type Row = BTreeMap<String, String>;

fn record(directory: &Path) -> Recorder {
    let mut recorder = Recorder::new(directory);
    recorder.set_up();
    let mut runner = TestRunner::deterministic();
    for _ in 0..4 {
        for step in steps(500).new_tree(&mut runner).unwrap().current() {
            recorder.time = step.time(recorder.time);
            let command = step.command(recorder.orders, recorder.time);
            recorder.apply(&command);
        }
        recorder.snapshot();
    }
    recorder
}

fn asked(format: Format, out: &Path) -> Exported {
    let tables = TableName::ALL.to_vec();
    Exported { format, out: out.to_owned(), from: None, to: None, tables, force: false }
}

fn write(directory: &Path, asked: &Exported) -> Result<ExportReport, ReplayError> {
    export(directory, asked, &mut |_| {})
}

fn csv(directory: &Path, table: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(directory.join(format!("{table}.csv"))).unwrap();
    let names = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        let cells = names.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
        cells.map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// The same from Parquet: decimals exactly as they are kept.
fn parquet(directory: &Path, table: &str) -> Vec<Row> {
    let file = File::open(directory.join(format!("{table}.parquet"))).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let cell = |field: &Field| match field {
        Field::Null => None,
        Field::Long(number) => Some(number.to_string()),
        Field::Str(text) => Some(text.clone()),
        Field::Bool(flag) => Some(flag.to_string()),
        Field::Decimal(decimal) => {
            assert_eq!((decimal.precision(), decimal.scale()), (38, 8));
            let bytes = <[u8; 16]>::try_from(decimal.data()).unwrap();
            Some(print_units(i128::from_be_bytes(bytes), 8))
        }
        other => panic!("a column of another kind: {other:?}"),
    };
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| {
        let columns = row.get_column_iter();
        columns.filter_map(|(name, field)| Some((name.clone(), cell(field)?))).collect()
    })
    .collect()
}

fn units(decimal: &str) -> i64 {
    let (sign, digits) = decimal.strip_prefix('-').map_or((1, decimal), |digits| (-1, digits));
    sign * i64::try_from(protocol::decimal::parse_units(digits, 8).unwrap()).unwrap()
}

const TABLES: [&str; 4] = ["commands", "orders", "trades", "postings"];

#[test]
fn both_formats_say_the_same_and_it_adds_up() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = record(directory.path());
    let out = tempfile::tempdir().unwrap();
    let report = write(directory.path(), &asked(Format::Csv, out.path())).unwrap();
    let same = write(directory.path(), &asked(Format::Parquet, out.path())).unwrap();
    let rows = |report: &ExportReport| report.files.iter().map(|file| file.rows).collect::<Vec<_>>();
    assert_eq!(rows(&report), rows(&same));
    for (table, file) in TABLES.iter().zip(&report.files) {
        let found = csv(out.path(), table);
        assert_eq!(found.len() as u64, file.rows);
        assert!(found == parquet(out.path(), table), "{table}");
    }
    let last = recorder.engine.sequence().0;
    assert_eq!((report.first_sequence, report.last_sequence), (1, last));
    assert_eq!(report.files[0].rows, last, "one row a command");
    let names = fs::read_dir(out.path()).unwrap().count();
    assert_eq!(names, 8, "nothing is left beside the tables");

    // Each balance goes on from the one before, and the last is the ledger's.
    let mut balances: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in csv(out.path(), "postings") {
        let balance = balances.entry((row["account"].clone(), row["asset"].clone())).or_default();
        balance.0 += units(&row["available_change"]);
        balance.1 += units(&row["held_change"]);
        assert_eq!((units(&row["available"]), units(&row["held"])), *balance, "{row:?}");
        *sums.entry((row["sequence"].clone(), row["asset"].clone())).or_default() +=
            units(&row["available_change"]) + units(&row["held_change"]);
    }
    assert!(sums.values().all(|sum| *sum == 0), "money only moves");
    balances.retain(|_, balance| *balance != (0, 0));
    let ledger = recorder.engine.ledger();
    let kept = ledger.balances.iter().map(|(asset, account, balance)| {
        let name = ledger.asset(asset).unwrap().name.to_string();
        ((account.0.to_string(), name), (balance.available, balance.held))
    });
    assert_eq!(balances, kept.collect());
}

#[test]
fn orders_and_trades_agree_with_each_other_and_with_the_book() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = record(directory.path());
    let out = tempfile::tempdir().unwrap();
    write(directory.path(), &asked(Format::Csv, out.path())).unwrap();
    let (orders, trades) = (csv(out.path(), "orders"), csv(out.path(), "trades"));
    let fills = orders.iter().filter(|row| row["event"] == "traded");
    assert_eq!(fills.clone().count(), 2 * trades.len());
    assert_eq!(trades.len() as u64, recorder.engine.markets()[0].trades());
    for (index, trade) in trades.iter().enumerate() {
        assert_eq!(trade["trade_id"], (index + 1).to_string(), "consecutive");
    }
    let told: BTreeSet<_> = orders.iter().map(|row| row["event"].as_str()).collect();
    let all =
        ["accepted", "activated", "amended", "closed", "rested", "trade_prevented", "traded", "triggered"];
    assert_eq!(told.into_iter().collect::<Vec<_>>(), all);
    // What is left of each open order is what was wanted less what traded, unless it was made smaller.
    let mut filled: BTreeMap<&str, i64> = BTreeMap::new();
    for row in fills {
        *filled.entry(&row["order_id"]).or_default() += units(&row["last_qty"]);
    }
    for row in &orders {
        assert!(!row.contains_key("quote_quantity") || !row.contains_key("quantity"), "{row:?}");
    }
    let open = state(directory.path(), None, None, &mut |_| {}).unwrap().orders;
    for order in &open {
        let executed = filled.get(order.order_id.to_string().as_str()).copied().unwrap_or(0);
        assert_eq!(units(&order.cum_qty), executed, "{order:?}");
    }
    let by_quote = orders.iter().filter(|row| row.contains_key("leaves_quote_qty")).count();
    assert!(by_quote > 0, "what is left of an order by quote is told in the quote asset");
}

#[test]
fn a_part_is_the_same_part_of_the_whole() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = record(directory.path());
    let (whole, part) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(directory.path(), &asked(Format::Csv, whole.path())).unwrap();
    let last = recorder.engine.sequence().0;
    let (from, to) = (last / 2, last - 20);
    let bounds =
        Exported { from: Some(Sequence(from)), to: Some(Sequence(to)), ..asked(Format::Csv, part.path()) };
    let report = write(directory.path(), &bounds).unwrap();
    assert_eq!((report.first_sequence, report.last_sequence), (from, to));
    for table in TABLES {
        let mut rows = csv(whole.path(), table);
        rows.retain(|row| (from..=to).contains(&row["sequence"].parse().unwrap()));
        assert!(rows == csv(part.path(), table), "{table}");
    }
    // Without the orders it begins with a snapshot, and says the same.
    let other = tempfile::tempdir().unwrap();
    let tables = vec![TableName::Postings];
    write(directory.path(), &Exported { tables, out: other.path().to_owned(), ..bounds }).unwrap();
    assert!(csv(other.path(), "postings") == csv(part.path(), "postings"));
    assert!(!other.path().join("orders.csv").exists());
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(directory.path());
    recorder.set_up();
    recorder.write();
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("trades.csv");
    fs::write(&file, "mine").unwrap();
    let refused = write(directory.path(), &asked(Format::Csv, out.path())).unwrap_err();
    assert!(matches!(&refused, ReplayError::Exists(path) if *path == file), "{refused}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1, "and nothing else was written");
    // Neither does a failure on the way leave anything.
    let past = Exported { to: Some(Sequence(99)), force: true, ..asked(Format::Csv, out.path()) };
    assert!(matches!(write(directory.path(), &past), Err(ReplayError::PastTheEnd { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
    let forced = Exported { force: true, ..asked(Format::Csv, out.path()) };
    write(directory.path(), &forced).unwrap();
    assert!(fs::read_to_string(&file).unwrap().starts_with("sequence,event_index,time_ns,time,instrument"));
    let fees = AccountId::FEES.0.to_string();
    assert!(csv(out.path(), "postings").iter().any(|row| row["account"] == fees && row["kind"] == "deposit"));
}
