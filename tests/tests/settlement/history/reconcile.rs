//! Books that agree with the core are said to; each way of not agreeing is found, and its rows are named.

use super::written::Written;
use database::{Database, Value::Integer};
use engine_core::Engine;
use protocol::{Sequence, Time};
use services::{MetricSource as _, WithdrawalPause as _};
use settlement::{Amounts, Balances, EngineBalances, Extent, PendingBalances, Reconciler};
use tests::postgres::Postgres;

/// The core itself.
#[derive(Debug)]
pub struct Core(Balances, Sequence);

impl Core {
    pub fn of(engine: &Engine) -> Self {
        let balances = engine.ledger().balances.iter().map(|(asset, account, balance)| {
            ((account, asset), Amounts { available: balance.available, held: balance.held })
        });
        Self(balances.collect(), engine.sequence())
    }
}

impl EngineBalances for Core {
    fn balances_at(&self, sequence: Sequence) -> PendingBalances<'_> {
        assert_eq!(sequence, self.1);
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

async fn execute(database: &Database, statement: &'static str, values: &[database::Value<'_>]) {
    let mut transaction = database.begin().await.expect("a transaction");
    assert_eq!(transaction.execute(statement, values).await.expect("it runs"), 1, "{statement}");
    transaction.commit().await.expect("it commits");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_books_agree_and_every_wrong_row_is_named() {
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let written = Written::new(&server, directory.path(), 31, 3_000).await;
    let core = Core::of(&written.history.engine);
    for (location, database) in &written.databases {
        let fresh = || Reconciler::new(database.clone());
        let reconciler = fresh();
        let report = reconciler.run(Some(&core), Extent::All, Time(1)).await.expect("it can be done");
        assert_eq!((&report.breaks[..], report.with_engine), (&[][..], true), "{location}");
        assert_eq!(report.sequence, written.history.end().0);
        assert!(report.balances > 10 && report.postings > 1_000, "{report:?}");
        assert_eq!(reconciler.paused(), None);

        let picked = "SELECT account, asset, time, sequence, event_index, leg FROM postings \
                      WHERE reason = 3 AND account > 2 ORDER BY sequence, event_index, leg LIMIT 1";
        let rows = database.rows(picked, &[]).await.expect("a posting");
        let number = |column| rows[0].integer(column).expect("a number");
        let (account, asset, sequence) = (number("account"), number("asset"), number("sequence"));
        let balance = [Integer(1), Integer(account), Integer(asset)];
        let posting = [
            Integer(1),
            Integer(account),
            Integer(asset),
            Integer(sequence),
            Integer(number("event_index")),
            Integer(number("leg")),
        ];

        let more = "UPDATE balances SET available = available + $1 WHERE account = $2 AND asset = $3";
        execute(database, more, &balance).await;
        let report = reconciler.run(Some(&core), Extent::All, Time(2)).await.expect("it can be done");
        let checks: Vec<_> = report.breaks.iter().map(|found| (found.check, found.account)).collect();
        let account_u32 = u32::try_from(account).expect("an id");
        assert_eq!(
            checks,
            [("engine", Some(account_u32)), ("asset_sum", None), ("postings", Some(account_u32))],
            "{location} {:?}",
            report.breaks
        );
        assert!(report.breaks[0].rows.contains(&format!("account {account}, asset {asset}")), "{report:?}");
        let paused = reconciler.paused().expect("withdrawals wait");
        assert_eq!(paused, report.breaks[0].rows);
        let metric = |name: &str| {
            let metrics = reconciler.metrics();
            metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
        };
        assert_eq!(metric("reconciliation_breaks"), Some(3));
        assert_eq!(metric("reconciliation_withdrawals_paused"), Some(1));
        let less = "UPDATE balances SET available = available - $1 WHERE account = $2 AND asset = $3";
        execute(database, less, &balance).await;
        let report = reconciler.run(Some(&core), Extent::All, Time(3)).await.expect("it can be done");
        assert_eq!(report.breaks, []);
        assert!(reconciler.paused().is_some(), "until somebody has looked");
        reconciler.resume();
        assert_eq!(reconciler.paused(), None);

        // A posting that was changed: its event, its chain and the fees say so, by its sequence.
        let change = "UPDATE postings SET available = available + $1 WHERE account = $2 AND asset = $3 \
                      AND sequence = $4 AND event_index = $5 AND leg = $6";
        execute(database, change, &posting).await;
        let report = fresh().run(None, Extent::All, Time(4)).await.expect("it can be done");
        let checks: Vec<_> = report.breaks.iter().map(|found| (found.check, found.sequence)).collect();
        assert_eq!(checks, [("postings", sequence as u64), ("event", sequence as u64)], "{location}");
        assert!(report.breaks[0].rows.contains(&format!("sequence {sequence}")), "{report:?}");
        let back = "UPDATE postings SET available = available - $1 WHERE account = $2 AND asset = $3 \
                    AND sequence = $4 AND event_index = $5 AND leg = $6";
        execute(database, back, &posting).await;

        let fee = "UPDATE trades SET taker_fee = taker_fee + $1 WHERE instrument = 1 AND trade_id = 1";
        execute(database, fee, &[Integer(5)]).await;
        let report = fresh().run(None, Extent::All, Time(5)).await.expect("it can be done");
        assert_eq!(report.breaks.iter().map(|found| found.check).collect::<Vec<_>>(), ["fees"], "{location}");
        let fee = "UPDATE trades SET taker_fee = taker_fee - $1 WHERE instrument = 1 AND trade_id = 1";
        execute(database, fee, &[Integer(5)]).await;

        // A lost posting is found as the gap it leaves in the chain.
        let lost = "DELETE FROM postings WHERE $1 = 1 AND account = $2 AND asset = $3 AND sequence = $4 \
                    AND event_index = $5 AND leg = $6";
        execute(database, lost, &posting).await;
        let report = fresh().run(None, Extent::All, Time(6)).await.expect("it can be done");
        let checks: Vec<_> = report.breaks.iter().map(|found| found.check).collect();
        assert!(checks.contains(&"postings") && checks.contains(&"event"), "{location} {report:?}");
        let noted = database.rows("SELECT breaks FROM reconciliations ORDER BY made_at", &[]).await;
        let noted: Vec<_> =
            noted.expect("notes").iter().map(|row| row.integer("breaks").expect("a number")).collect();
        assert_eq!(noted[..3], [0, 3, 0], "{location}");
    }
}
