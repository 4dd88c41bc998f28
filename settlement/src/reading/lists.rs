//! An account's order lists, with what their orders are called. Refuses to know how orders depend on each
//! other.

use super::{bound, rows_limit};
use crate::{
    SettlementError,
    order_row::{name, number, word},
};
use database::{
    Database, DatabaseError, Row,
    Value::{Integer, Text},
};
use protocol::{
    AccountId, AssetId, ClientOrderId, InstrumentId, OrderId, OrderListId, Time,
    history::{OrderList, is_made_list_id, shown_client_order_id, shown_list_client_order_id},
};
use services::{NamedOrderList, OrderListQuery};

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT l.list_id, l.account, l.instrument, l.contingency, l.status, l.client_order_id, \
             l.first_order, l.second_order, l.third_order, l.created_at, l.updated_at, \
             a.client_order_id AS first_name, b.client_order_id AS second_name, \
             c.client_order_id AS third_name FROM order_lists l \
             LEFT JOIN orders a ON a.order_id = l.first_order \
             LEFT JOIN orders b ON b.order_id = l.second_order \
             LEFT JOIN orders c ON c.order_id = l.third_order WHERE l.account = $1 ",
            $condition
        )
    };
}

pub(super) const BY_ID: &str = select!("AND l.list_id = $2");
pub(super) const NAMED: &str = select!("AND l.client_order_id = $2 ORDER BY l.list_id DESC LIMIT 1");
pub(super) const FORWARD: &str =
    select!("AND l.list_id >= $2 AND l.created_at >= $3 AND l.created_at <= $4 ORDER BY l.list_id LIMIT $5");
pub(super) const BACKWARD: &str = select!(
    "AND l.list_id >= $2 AND l.created_at >= $3 AND l.created_at <= $4 ORDER BY l.list_id DESC LIMIT $5"
);

pub(super) async fn by_id(
    database: &Database,
    account: AccountId,
    list_id: OrderListId,
) -> Result<Option<NamedOrderList>, SettlementError> {
    let values = [Integer(account.0.into()), Integer(bound(Some(list_id.0), 0))];
    Ok(database.rows(BY_ID, &values).await?.first().map(read).transpose()?)
}

pub(super) async fn named(
    database: &Database,
    account: AccountId,
    name: ClientOrderId,
) -> Result<Option<NamedOrderList>, SettlementError> {
    if is_made_list_id(&name) {
        let id = name.as_str().rsplit('-').next().and_then(|digits| digits.parse().ok());
        let Some(id) = id else { return Ok(None) };
        let found = by_id(database, account, OrderListId(id)).await?;
        return Ok(found.filter(|found| found.list.client_order_id == name));
    }
    let values = [Integer(account.0.into()), Text(name.as_str())];
    Ok(database.rows(NAMED, &values).await?.first().map(read).transpose()?)
}

pub(super) async fn page(
    database: &Database,
    account: AccountId,
    query: OrderListQuery,
) -> Result<Vec<NamedOrderList>, SettlementError> {
    let values = [
        Integer(account.0.into()),
        Integer(bound(query.from_id.map(|id| id.0), 0)),
        Integer(bound(query.start.map(|time| time.0), 0)),
        Integer(bound(query.end.map(|time| time.0), i64::MAX)),
        Integer(rows_limit(query.limit)),
    ];
    let statement = if query.is_forward() { FORWARD } else { BACKWARD };
    let rows = database.rows(statement, &values).await?;
    let mut lists = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if !query.is_forward() {
        lists.reverse();
    }
    Ok(lists)
}

fn read(row: &Row) -> Result<NamedOrderList, DatabaseError> {
    let list_id = OrderListId(number(row, "list_id")?);
    let list = OrderList {
        list_id,
        client_order_id: shown_list_client_order_id(list_id, name(row, "client_order_id")?),
        account: AccountId(number(row, "account")?),
        instrument: InstrumentId(number(row, "instrument")?),
        contingency: word(row, "contingency")?,
        status: word(row, "status")?,
        time: Time(number(row, "created_at")?),
        update_time: Time(number(row, "updated_at")?),
        placed: [
            OrderId(number(row, "first_order")?),
            OrderId(number(row, "second_order")?),
            OrderId(row.optional_integer("third_order")?.unwrap_or(0) as u64),
        ],
        // Only an open list's orders hold anything, and those are in memory.
        hold: 0,
        hold_asset: AssetId(0),
    };
    let names = list
        .orders()
        .iter()
        .zip(["first_name", "second_name", "third_name"])
        .map(|(order_id, column)| Ok(shown_client_order_id(*order_id, name(row, column)?)))
        .collect::<Result<_, DatabaseError>>()?;
    Ok(NamedOrderList { list, names })
}
