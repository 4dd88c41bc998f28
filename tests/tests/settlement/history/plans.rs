//! Every statement by which history is read is answered by the index that is there for it, in both databases,
//! and never by reading orders, trades or postings from end to end.

use super::written::Written;
use crate::place;
use database::{
    Database, DatabaseLocation,
    Value::{self, Integer, Text},
};
use settlement::HISTORY_STATEMENTS;
use tests::postgres::Postgres;

/// What the plans for a question must have one of: in SQLite; and in PostgreSQL, where the indexes of a month's
/// partition are called after its columns. Where two indexes can serve, it hangs on the rows which does.
fn indexes(question: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match question {
        "an order by its id" => {
            (&["sqlite_autoindex_orders_1 (order_id=?)"], &["orders_pkey", "orders_by_account"])
        }
        "an order by its name" => (&["orders_by_client_order_id (account=?"], &["orders_by_client_order_id"]),
        "the first order from a time" => (&["orders_by_time (created_at>?)"], &["orders_by_time"]),
        "the last order until a time" => (&["orders_by_time (created_at<?)"], &["orders_by_time"]),
        "an account's orders in an instrument, the first"
        | "an account's orders in an instrument, the last" => (
            &["orders_by_account (account=? AND instrument=? AND order_id>?"],
            &["orders_by_account", "orders_pkey"],
        ),
        "an account's orders, the first" | "an account's orders, the last" => (
            &["orders_by_account (account=?)", "sqlite_autoindex_orders_1 (order_id>?"],
            &["orders_by_account", "orders_pkey"],
        ),
        "an account's trades as taker, the first" | "an account's trades as taker, the last" => (
            &["trades_by_taker (taker_account=? AND instrument=? AND trade_id>?"],
            &["_taker_account_instrument_trade_id_idx"],
        ),
        "an account's trades as maker, the first" | "an account's trades as maker, the last" => (
            &["trades_by_maker (maker_account=? AND instrument=? AND trade_id>?"],
            &["_maker_account_instrument_trade_id_idx"],
        ),
        "an order's trades as taker, the first" | "an order's trades as taker, the last" => (
            &[
                "trades_by_taker_order (taker_order_id=?",
                "trades_by_taker (taker_account=? AND instrument=? AND trade_id>?",
            ],
            &["_taker_order_id_idx", "_taker_account_instrument_trade_id_idx"],
        ),
        "an order's trades as maker, the first" | "an order's trades as maker, the last" => (
            &[
                "trades_by_maker_order (maker_order_id=?",
                "trades_by_maker (maker_account=? AND instrument=? AND trade_id>?",
            ],
            &["_maker_order_id_idx", "_maker_account_instrument_trade_id_idx"],
        ),
        "an order list by its id" => {
            (&["order_lists_by_account (account=? AND list_id=?)"], &["order_lists_by_account"])
        }
        "an order list by its name" => {
            (&["order_lists_by_client_order_id (account=?"], &["order_lists_by_client_order_id"])
        }
        "an account's order lists, the first" | "an account's order lists, the last" => {
            (&["order_lists_by_account (account=? AND list_id>?)"], &["order_lists_by_account"])
        }
        "an account's prevented matches as taker" => (
            &["prevented_matches_by_taker (taker_account=?"],
            &["prevented_matches_by_taker", "prevented_matches_pkey"],
        ),
        "an account's prevented matches as maker" => (
            &["prevented_matches_by_maker (maker_account=?"],
            &["prevented_matches_by_maker", "prevented_matches_pkey"],
        ),
        "an order's amendments" => (&["sqlite_autoindex_amendments_1 (order_id=?"], &["amendments_pkey"]),
        "the first trade from a time"
        | "the last trade until a time"
        | "candles from a time"
        | "the candle before a time" => (
            &["sqlite_autoindex_candles_1 (instrument=? AND interval_number=? AND open_time"],
            &["candles_pkey"],
        ),
        "trades, the first" | "trades, the last" | "the aggregate of a trade" => {
            (&["SEARCH trades USING PRIMARY KEY (instrument=? AND trade_id"], &["_pkey"])
        }
        "aggregate trades, the first" | "aggregate trades, the last" => {
            (&["trades_by_aggregate (instrument=? AND aggregate_id>?"], &["_instrument_aggregate_id_idx"])
        }
        "a balance at a moment" | "what moved a balance" => {
            (&["USING PRIMARY KEY (account=? AND asset=? AND time"], &["_pkey"])
        }
        other => panic!("which index answers {other:?}?"),
    }
}

/// Whose trades there are most of, and where; and an order of theirs.
struct Busiest {
    account: i64,
    instrument: i64,
    order: i64,
}

impl Busiest {
    async fn of(database: &Database) -> Self {
        let busiest = "SELECT taker_account, instrument, MAX(taker_order_id) AS taker_order FROM trades \
                       GROUP BY taker_account, instrument ORDER BY COUNT(*) DESC LIMIT 1";
        let rows = database.rows(busiest, &[]).await.expect("trades are read");
        let number = |column| rows[0].integer(column).expect("a number");
        Self {
            account: number("taker_account"),
            instrument: number("instrument"),
            order: number("taker_order"),
        }
    }

    /// A value for each parameter: a page of all that they have, from the beginning on.
    fn values(&self, statement: &str) -> Vec<Value<'static>> {
        let value_of = |number: usize| {
            let before = statement.split_once(&format!("${number}"))?.0.trim_end();
            let mut words = before.rsplit(' ');
            Some(match (words.next()?, words.next()?.rsplit('.').next()?) {
                ("<" | "<=", _) => Integer(i64::MAX),
                ("LIMIT", _) => Integer(500),
                ("=", "client_order_id") => Text("a name"),
                ("=", "account" | "taker_account" | "maker_account") => Integer(self.account),
                ("=", "instrument") => Integer(self.instrument),
                ("=", "order_id" | "taker_order_id" | "maker_order_id") => Integer(self.order),
                _ => Integer(1),
            })
        };
        (1..).map_while(value_of).collect()
    }
}

/// How the database means to answer.
async fn plan(
    database: &Database,
    location: &DatabaseLocation,
    statement: &str,
    values: &[Value<'_>],
) -> String {
    let (explain, column) = match location {
        DatabaseLocation::Sqlite(_) => ("EXPLAIN QUERY PLAN", "detail"),
        DatabaseLocation::Postgres { .. } => ("EXPLAIN", "QUERY PLAN"),
    };
    // Statements are written in the source, but for these.
    let explained = format!("{explain} {statement}").leak();
    let rows = database.rows(explained, values).await.expect("it can be explained");
    let lines: Vec<String> = rows.iter().map(|row| row.text(column).expect("a text")).collect();
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_about_the_past_is_answered_by_its_index() {
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let written = Written::new(&server, directory.path(), 53, 6_000).await;
    // So few rows are read from end to end and sorted where that costs less; what is asked is whether an index
    // can serve, in its order.
    for dear in ["enable_seqscan", "enable_bitmapscan", "enable_sort"] {
        server.psql("rialto", &format!("ALTER DATABASE rialto SET {dear} = off"));
    }
    server.psql("rialto", "ANALYZE");
    let mut wrong = Vec::new();
    for (location, writer) in &written.databases {
        if matches!(location, DatabaseLocation::Sqlite(_)) {
            let mut transaction = writer.begin().await.expect("a transaction");
            transaction.execute("ANALYZE", &[]).await.expect("it is analysed");
            transaction.commit().await.expect("it commits");
        }
        // PostgreSQL's settings are those of connections made since.
        let database = place::open(location).await;
        let busiest = Busiest::of(&database).await;
        for (question, statement) in HISTORY_STATEMENTS {
            let plan = plan(&database, location, statement, &busiest.values(statement)).await;
            let (in_sqlite, in_postgres) = indexes(question);
            let (wanted, from_end_to_end) = match location {
                DatabaseLocation::Sqlite(_) => (in_sqlite, "SCAN "),
                DatabaseLocation::Postgres { .. } => (in_postgres, "Seq Scan"),
            };
            if plan.contains(from_end_to_end) || !wanted.iter().any(|index| plan.contains(index)) {
                wrong.push(format!(
                    "{location}: {question}: none of {wanted:?}, or {from_end_to_end}, in\n{plan}"
                ));
            }
        }
        println!("{location}: {} statements were explained", HISTORY_STATEMENTS.len());
        database.close().await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
