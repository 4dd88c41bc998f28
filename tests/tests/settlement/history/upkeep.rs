//! Days that are over are closed by themselves, alike in both databases; months past their retention go, and
//! everything still adds up from the closing before them on.

use super::{reconcile::Core, written::Written};
use database::{Database, Value::Integer};
use protocol::{AccountId, Time};
use settlement::{
    Closing, Day, Extent, Reconciler, SettlementError, Statement, Upkeep, UpkeepDone, drop_expired,
    proof::ProofKey,
};
use std::num::NonZeroU32;
use tests::postgres::Postgres;

fn upkeep() -> Upkeep {
    Upkeep { proof_key: ProofKey::new([7; 32]), months_kept: None }
}

async fn root(database: &Database, day: Day) -> String {
    let closing = Closing::of(database, day, Time(9), &upkeep().proof_key).await.expect("it closes");
    closing.report().expect("a report").root
}

#[tokio::test(flavor = "multi_thread")]
async fn each_day_that_is_over_is_closed_once_and_alike_in_both_databases() {
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let written = Written::new(&server, directory.path(), 59, 6_000).await;
    let core = Core::of(&written.history.engine);
    let last = Day::of(written.history.engine.time());
    let mut all = Vec::new();
    for (location, database) in &written.databases {
        let done = upkeep().run(database, Time(9)).await.expect("it is done");
        let days: Vec<String> = done.closed.iter().map(Day::to_string).collect();
        assert!(days.len() >= 3, "{location}: {days:?}");
        assert_eq!((days[0].as_str(), done.last_closed), ("2026-10-31", last.before()), "{location}");
        let again = upkeep().run(database, Time(10)).await.expect("it is done");
        assert_eq!(again, UpkeepDone { last_closed: last.before(), ..UpkeepDone::default() }, "{location}");

        // What is added up is what came after the closing before the last one.
        let reconciler = Reconciler::new(database.clone());
        let whole = reconciler.run(Some(&core), Extent::All, Time(1)).await.expect("it can be done");
        let recent = Reconciler::new(database.clone());
        let recent = recent.run(Some(&core), Extent::Recent, Time(2)).await.expect("it can be done");
        assert_eq!((whole.breaks, recent.breaks), (vec![], vec![]), "{location}");
        assert_eq!((whole.since, recent.since), (None, days.iter().rev().nth(1).cloned()), "{location}");
        assert!(recent.postings > 0 && recent.postings < whole.postings, "{location}");

        let other = Upkeep { proof_key: ProofKey::new([8; 32]), months_kept: None };
        let refused = Closing::of(database, done.closed[0], Time(9), &other.proof_key).await;
        assert!(matches!(refused, Err(SettlementError::AnotherProofKey { .. })), "{location}");
        let mut roots = Vec::new();
        for day in done.closed {
            roots.push(root(database, day).await);
        }
        all.push(roots);
    }
    assert_eq!(all[0], all[1], "the same roots");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_past_its_retention_goes_and_the_rest_adds_up_from_its_closing_on() {
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let written = Written::new(&server, directory.path(), 61, 4_000).await;
    let core = Core::of(&written.history.engine);
    let (_, database) = written.databases.last().expect("PostgreSQL");
    let october: Day = "2026-10-31".parse().expect("a day");
    let month = NonZeroU32::MIN;
    let december = Time(october.end().0 + 31 * 86_400_000_000_000);
    assert_eq!(
        drop_expired(database, month, december).await.expect("asked"),
        [""; 0],
        "nothing is closed yet"
    );
    upkeep().run(database, Time(9)).await.expect("it is done");
    let all_kept = drop_expired(database, month, Time(december.0 - 86_400_000_000_000 * 2)).await;
    assert_eq!(all_kept.expect("asked"), [""; 0], "October is the month before November");

    let reconcile = async || {
        let reconciler = Reconciler::new(database.clone());
        reconciler.run(Some(&core), Extent::All, Time(1)).await.expect("it can be done")
    };
    let read =
        async |account, from: Time| Statement::read(database, AccountId(account), from, december).await;
    let (whole, closed) = (reconcile().await, root(database, october).await);
    let mut statements = Vec::new();
    for account in 0..20 {
        statements.push(read(account, october.end()).await.expect("it adds up"));
    }
    assert!(statements.iter().any(|statement| statement.assets.iter().any(|asset| asset.opening != 0)));

    let dropped = drop_expired(database, month, december).await.expect("dropped");
    assert_eq!(dropped, ["postings_2026_10", "trades_2026_10"]);
    let kept = reconcile().await;
    assert_eq!(kept.breaks, []);
    assert_eq!((kept.since.as_deref(), kept.balances), (Some("2026-10-31"), whole.balances));
    assert!(kept.postings > 0 && kept.postings < whole.postings);
    for (account, statement) in (0..20).zip(&statements) {
        assert_eq!(&read(account, october.end()).await.expect("it adds up"), statement);
        let earlier = read(account, october.begin()).await;
        assert!(matches!(earlier, Err(SettlementError::NotKept(_))), "{earlier:?}");
    }
    assert_eq!(root(database, october).await, closed);
    let early = Closing::of(database, october.before().expect("a day"), Time(9), &upkeep().proof_key).await;
    assert!(matches!(early, Err(SettlementError::NotKept(_))), "{early:?}");

    // A wrong row among those that are kept is still named.
    let picked = "SELECT account, asset, time, sequence, event_index, leg FROM postings WHERE account > 2 \
                  AND reason = 3 ORDER BY sequence DESC, event_index, leg LIMIT 1";
    let rows = database.rows(picked, &[]).await.expect("a posting");
    let number = |column| Integer(rows[0].integer(column).expect("a number"));
    let key = ["account", "asset", "sequence", "event_index", "leg"].map(number);
    let wrong = "UPDATE postings SET available = available + 1 WHERE account = $1 AND asset = $2 \
                 AND sequence = $3 AND event_index = $4 AND leg = $5";
    let mut transaction = database.begin().await.expect("a transaction");
    assert_eq!(transaction.execute(wrong, &key).await.expect("it runs"), 1);
    transaction.commit().await.expect("it commits");
    let report = reconcile().await;
    let sequence = rows[0].integer("sequence").expect("a number");
    let named = format!("does not follow from the one before is (sequence {sequence},");
    assert!(report.breaks.iter().any(|found| found.rows.contains(&named)), "{:?}", report.breaks);
}
