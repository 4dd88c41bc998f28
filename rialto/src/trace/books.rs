//! The rows of the books of record that a message's command made or changed last. Refuses to change
//! anything.

use database::{Database, DatabaseLocation, Row, TableGroup, Value};
use protocol::Sequence;
use serde::Serialize;
use serde_json::{Value as Json, json};

/// What the books have of a command.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BookRows {
    /// The last command in the books.
    pub(crate) position: u64,
    /// Orders that it changed and nothing since, by id.
    pub(crate) orders: Vec<Json>,
    /// Trades that it made.
    pub(crate) trades: Vec<Json>,
    /// Legs that it posted.
    pub(crate) postings: Vec<Json>,
}

/// Looks the command up in the books at `location`.
pub(crate) async fn look_up(location: &DatabaseLocation, sequence: Sequence) -> anyhow::Result<BookRows> {
    let database = Database::open(location, TableGroup::Settlement).await?;
    let rows = rows(&database, sequence).await;
    database.close().await;
    rows
}

async fn rows(database: &Database, sequence: Sequence) -> anyhow::Result<BookRows> {
    let at = [Value::Integer(sequence.0 as i64)];
    let position = database.rows("SELECT sequence FROM position", &[]).await?;
    let position = position.first().map(|row| row.integer("sequence")).transpose()?.unwrap_or(0);
    let orders =
        "SELECT order_id, account, status, updated_at FROM orders WHERE sequence = $1 ORDER BY order_id";
    let trades = "SELECT instrument, trade_id, event_index, price, quantity, maker_order_id, taker_order_id \
                  FROM trades WHERE sequence = $1 ORDER BY event_index";
    let postings = "SELECT event_index, leg, account, asset, available, held FROM postings \
                    WHERE sequence = $1 ORDER BY event_index, leg";
    let of = async |statement, columns: &[&'static str]| -> anyhow::Result<Vec<Json>> {
        let rows = database.rows(statement, &at).await?;
        rows.iter().map(|row| as_json(row, columns)).collect()
    };
    Ok(BookRows {
        position: position as u64,
        orders: of(orders, &["order_id", "account", "status", "updated_at"]).await?,
        trades: of(
            trades,
            &[
                "instrument",
                "trade_id",
                "event_index",
                "price",
                "quantity",
                "maker_order_id",
                "taker_order_id",
            ],
        )
        .await?,
        postings: of(postings, &["event_index", "leg", "account", "asset", "available", "held"]).await?,
    })
}

fn as_json(row: &Row, columns: &[&'static str]) -> anyhow::Result<Json> {
    let mut fields = json!({});
    for column in columns {
        fields[*column] = row.integer(column)?.into();
    }
    Ok(fields)
}
