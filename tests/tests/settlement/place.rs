//! Where a test's books are, and how they are read. Refuses to know how they are written.

use database::{Database, DatabaseLocation, TableGroup, Value};
use engine_core::Engine;
use settlement::{RowHash, row_hash};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};
use tests::postgres::Postgres;

static SCHEMAS: AtomicU32 = AtomicU32::new(1);

/// A file of its own.
pub fn sqlite(directory: &Path) -> DatabaseLocation {
    DatabaseLocation::Sqlite(directory.join("settlement.sqlite"))
}

/// A schema of its own on the server.
pub fn postgres(server: &Postgres) -> DatabaseLocation {
    postgres_at(server.url())
}

/// A schema of its own at `url`.
pub fn postgres_at(url: String) -> DatabaseLocation {
    let schema = format!("settlement_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
    DatabaseLocation::Postgres { url, password: None, schema }
}

pub async fn open(location: &DatabaseLocation) -> Database {
    Database::open(location, TableGroup::Settlement).await.expect("the books open")
}

pub async fn hash(location: &DatabaseLocation) -> RowHash {
    let database = open(location).await;
    let hash = row_hash(&database).await.expect("the books are read");
    database.close().await;
    hash
}

/// The books say of every account what the core says, every balance is the sum of its postings, and the
/// postings of every event sum to zero.
pub async fn assert_books_are_the_core_s(location: &DatabaseLocation, engine: &Engine) {
    let database = open(location).await;
    let mut expected: BTreeMap<(i64, i64), (i64, i64)> = engine
        .ledger()
        .balances
        .iter()
        .map(|(asset, account, balance)| {
            ((account.0.into(), asset.0.into()), (balance.available, balance.held))
        })
        .collect();
    expected.retain(|_, balance| *balance != (0, 0));
    let tables = [
        "SELECT account, asset, available, held FROM balances",
        "SELECT account, asset, CAST(SUM(available) AS BIGINT) AS available, CAST(SUM(held) AS BIGINT) AS held \
         FROM postings GROUP BY account, asset",
    ];
    for table in tables {
        let rows = database.rows(table, &[]).await.expect("balances are read");
        let mut found: BTreeMap<(i64, i64), (i64, i64)> = rows
            .iter()
            .map(|row| {
                let number = |column| row.integer(column).expect("a whole number");
                ((number("account"), number("asset")), (number("available"), number("held")))
            })
            .collect();
        found.retain(|_, balance| *balance != (0, 0));
        assert_eq!(found, expected, "{table}");
    }
    let unbalanced = "SELECT sequence FROM postings GROUP BY sequence, event_index, asset \
                      HAVING SUM(available + held) <> $1";
    let rows = database.rows(unbalanced, &[Value::Integer(0)]).await.expect("postings are read");
    assert!(rows.is_empty(), "events whose postings do not sum to zero: {rows:?}");
    database.close().await;
}
