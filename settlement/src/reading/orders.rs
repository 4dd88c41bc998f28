//! An account's orders, by id, by name and by page. Refuses to know the other tables.

use super::{bound, rows_limit};
use crate::{SettlementError, order_row};
use database::{
    Database,
    Value::{Integer, Text},
};
use protocol::{
    AccountId, ClientOrderId, OrderId,
    history::{Order, order_named},
};
use services::OrderQuery;

pub(super) const BY_ID: &str = "SELECT * FROM orders WHERE order_id = $1 AND account = $2";
/// The highest id: names come free when an order closes, so it is the one that had it last, unless an older
/// order was given the name by an amend.
pub(super) const NAMED: &str = "SELECT * FROM orders WHERE account = $1 AND client_order_id = $2 ORDER BY order_id DESC \
     LIMIT 1";
pub(super) const FIRST_AT: &str =
    "SELECT order_id FROM orders WHERE created_at >= $1 ORDER BY created_at, order_id LIMIT 1";
pub(super) const LAST_AT: &str =
    "SELECT order_id FROM orders WHERE created_at <= $1 ORDER BY created_at DESC, order_id DESC LIMIT 1";
pub(super) const FORWARD: &str = "SELECT * FROM orders WHERE account = $1 AND instrument = $2 AND order_id >= $3 \
     AND order_id <= $4 ORDER BY order_id LIMIT $5";
pub(super) const BACKWARD: &str = "SELECT * FROM orders WHERE account = $1 AND instrument = $2 AND order_id >= $3 \
     AND order_id <= $4 ORDER BY order_id DESC LIMIT $5";
pub(super) const FORWARD_ANYWHERE: &str = "SELECT * FROM orders WHERE account = $1 AND order_id >= $2 AND order_id <= $3 \
     ORDER BY order_id LIMIT $4";
pub(super) const BACKWARD_ANYWHERE: &str = "SELECT * FROM orders WHERE account = $1 AND order_id >= $2 AND order_id <= $3 \
     ORDER BY order_id DESC LIMIT $4";

pub(super) async fn by_id(
    database: &Database,
    account: AccountId,
    order_id: OrderId,
) -> Result<Option<Order>, SettlementError> {
    let values = [Integer(bound(Some(order_id.0), 0)), Integer(account.0.into())];
    one(database, BY_ID, &values).await
}

pub(super) async fn named(
    database: &Database,
    account: AccountId,
    name: ClientOrderId,
) -> Result<Option<Order>, SettlementError> {
    if let Some(order_id) = order_named(&name) {
        let order = by_id(database, account, order_id).await?;
        if order.is_some_and(|order| order.client_order_id == name) {
            return Ok(order);
        }
    }
    one(database, NAMED, &[Integer(account.0.into()), Text(name.as_str())]).await
}

async fn one(
    database: &Database,
    statement: &'static str,
    values: &[database::Value<'_>],
) -> Result<Option<Order>, SettlementError> {
    let rows = database.rows(statement, values).await?;
    Ok(rows.first().map(order_row::read).transpose()?.map(|kept| kept.order))
}

pub(super) async fn page(
    database: &Database,
    account: AccountId,
    query: OrderQuery,
) -> Result<Vec<Order>, SettlementError> {
    let mut from = bound(query.from_id.map(|id| id.0), 0);
    let mut until = bound(query.until_id.map(|id| id.0), i64::MAX);
    // Ids grow with time.
    if let Some(start) = query.start {
        let found = database.rows(FIRST_AT, &[Integer(bound(Some(start.0), 0))]).await?;
        let Some(row) = found.first() else { return Ok(Vec::new()) };
        from = from.max(row.integer("order_id")?);
    }
    if let Some(end) = query.end {
        let found = database.rows(LAST_AT, &[Integer(bound(Some(end.0), 0))]).await?;
        let Some(row) = found.first() else { return Ok(Vec::new()) };
        until = until.min(row.integer("order_id")?);
    }
    let (account, from, until) = (Integer(account.0.into()), Integer(from), Integer(until));
    let limit = Integer(rows_limit(query.limit));
    let forward = query.is_forward();
    let rows = if let Some(instrument) = query.instrument {
        let statement = if forward { FORWARD } else { BACKWARD };
        database.rows(statement, &[account, Integer(instrument.0.into()), from, until, limit]).await?
    } else {
        let statement = if forward { FORWARD_ANYWHERE } else { BACKWARD_ANYWHERE };
        database.rows(statement, &[account, from, until, limit]).await?
    };
    let mut orders = rows
        .iter()
        .map(|row| Ok(order_row::read(row)?.order))
        .collect::<Result<Vec<_>, SettlementError>>()?;
    if !forward {
        orders.reverse();
    }
    Ok(orders)
}
