//! A day's closing is what every account had at midnight, its proof holds for each and is checked by another
//! program, and statements of a day begin and end with it.

use super::written::Written;
use protocol::{AccountId, Sequence, Time};
use settlement::{
    Closing, Day, SettlementError, Statement,
    proof::{ProofKey, check},
};
use std::{collections::BTreeMap, process::Command};
use tests::postgres::Postgres;

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api/check_proof.py");

const KEY: ProofKey = ProofKey::new([7; 32]);

/// What every account has in all before a moment, from the events alone.
fn totals_before(written: &Written, moment: Time) -> BTreeMap<(AccountId, u16), i64> {
    use protocol::{
        Instrument,
        event::{Event, EventChunk},
        posting::postings,
    };
    let mut instruments: Vec<Instrument> = Vec::new();
    let mut totals = BTreeMap::new();
    for batch in &written.history.batches {
        for chunk in EventChunk::all(&batch.chunks) {
            let chunk = chunk.expect("a chunk");
            if chunk.header.time >= moment {
                continue;
            }
            for event in chunk.events() {
                let event = event.expect("an event");
                match &event {
                    Event::InstrumentCreated(created) => instruments.push(created.instrument),
                    Event::InstrumentChanged(changed) => {
                        instruments[usize::from(changed.instrument.id.0) - 1] = changed.instrument;
                    }
                    _ => {}
                }
                let instrument = |id: protocol::InstrumentId| instruments.get(usize::from(id.0) - 1);
                postings(&event, instrument, |posting| {
                    *totals.entry((posting.account, posting.asset.0)).or_insert(0) +=
                        posting.available + posting.held;
                });
            }
        }
    }
    totals.retain(|_, total| *total != 0);
    totals
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_day_is_proved_for_every_account_and_by_another_program() {
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let written = Written::new(&server, directory.path(), 47, 4_000).await;
    let last = Day::of(written.history.engine.time());
    let day = last.before().expect("a day before");
    let mut roots = Vec::new();
    for (location, database) in &written.databases {
        let early = Closing::of(database, last, Time(9), &KEY).await;
        assert!(matches!(early, Err(SettlementError::NotOver { .. })), "{location}: the day is not over");
        let closing = Closing::of(database, day, Time(9), &KEY).await.expect("it closes");
        let (published, files) = closing.proofs().expect("proofs");
        let expected = totals_before(&written, day.end());
        assert!(files.len() > 3 && closing.sequence < written.history.end(), "{location}: something follows");
        let mut proved = BTreeMap::new();
        for file in &files {
            assert_eq!(check(file), Ok(()), "{location}");
            for (asset, balance) in (1..).zip(&file.proof.balances) {
                let balance: i64 = balance.parse().expect("digits");
                if balance != 0 {
                    proved.insert((AccountId(file.proof.account), asset), balance);
                }
            }
        }
        let outside: Vec<AccountId> =
            expected.iter().filter(|(_, total)| **total < 0).map(|(key, _)| key.0).collect();
        let owed: BTreeMap<_, _> = expected
            .iter()
            .filter(|((account, _), _)| !outside.contains(account))
            .map(|(key, total)| (*key, *total))
            .collect();
        assert_eq!(proved, owed, "{location}");
        let report = closing.report().expect("a report");
        assert_eq!((report.accounts, &report.root), (files.len(), &published.root));
        for asset in &report.assets {
            assert_eq!(format!("-{}", asset.liabilities), asset.outside, "{location}: owed is what came in");
        }

        // Closed once: the same root whenever it is asked for.
        let again = Closing::of(database, day, Time(10), &KEY).await.expect("closed");
        assert_eq!(again.proofs().expect("proofs").0, published, "{location}");
        roots.push(published.root.clone());

        for (number, file) in files.iter().enumerate().step_by(3) {
            let path = directory.path().join(format!("{number}.json"));
            let python = |file: &settlement::proof::ProofFile| {
                std::fs::write(&path, serde_json::to_vec(file).expect("JSON")).expect("written");
                Command::new("python3").arg(PYTHON).arg(&path).output().expect("python3 runs").status.code()
            };
            assert_eq!(python(file), Some(0), "{location}");
            let mut other = file.clone();
            other.proof.balances[0] = "123456789".to_owned();
            assert_eq!(python(&other), Some(1), "{location}");
        }
    }
    assert_eq!(roots[0], roots[1], "both databases close alike");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_add_up_and_follow_each_other_without_a_gap() {
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let written = Written::new(&server, directory.path(), 53, 3_000).await;
    let (newest, oldest) = (written.history.engine.time(), Time(0));
    let middle = Day::of(newest).begin();
    let after = Time(newest.0 + 1);
    let totals = totals_before(&written, after);
    for (location, database) in &written.databases {
        let mut movements = 0;
        for account in (0..20).map(AccountId) {
            let read = async |from, until| {
                Statement::read(database, account, from, until).await.expect("it adds up")
            };
            let (first, second, whole) =
                (read(oldest, middle).await, read(middle, after).await, read(oldest, after).await);
            assert_eq!(whole.written.0, written.history.end());
            for asset in &whole.assets {
                let of = |statement: &Statement| {
                    statement.assets.iter().find(|one| one.asset == asset.asset).cloned()
                };
                let (first, second) = (of(&first), of(&second));
                let count = |part: &Option<settlement::AssetStatement>| {
                    part.as_ref().map_or(0, |part| part.movements.len())
                };
                assert_eq!(count(&first) + count(&second), asset.movements.len(), "{location}");
                let closing = first.map_or(0, |first| first.closing);
                assert_eq!(closing, second.map_or(closing, |second| second.opening), "{location}");
                let total = totals.get(&(account, asset.asset.0)).copied().unwrap_or(0);
                assert_eq!((asset.opening, asset.closing), (0, total), "{location} {account}");
                movements += asset.movements.len();
            }
        }
        assert!(movements > 500, "{location}: {movements}");
        // One that is wrong by a unit is refused, not printed.
        let mut transaction = database.begin().await.expect("a transaction");
        let change = "UPDATE postings SET available = available + 1 WHERE reason = 7 AND account > 2 \
                      AND available > 1 AND sequence = (SELECT MIN(sequence) FROM postings WHERE reason = 7)";
        let changed = transaction.execute(change, &[]).await.expect("it runs");
        transaction.commit().await.expect("it commits");
        let mut refused = 0;
        for account in (0..20).map(AccountId) {
            let statement = Statement::read(database, account, oldest, after).await;
            refused += u64::from(matches!(statement, Err(SettlementError::DoesNotAddUp(_))));
        }
        assert_eq!(refused, changed, "{location}");
        assert!(changed > 0, "{location}");
    }
    assert!(written.history.end() > Sequence(0));
}
