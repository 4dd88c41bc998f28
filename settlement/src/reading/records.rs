//! What an account may look up of its orders beside their trades: prevented matches and amendments.
//! Refuses to know the orders.

use super::{bound, rows_limit};
use crate::{
    SettlementError,
    order_row::{number, shown_name, word},
};
use database::{Database, DatabaseError, Row, Value::Integer};
use protocol::{
    AccountId, InstrumentId, OrderId, Price, Quantity, Time,
    history::{Amendment, PreventedMatch},
};
use services::{AmendmentQuery, PreventedMatchQuery};

pub(super) const TAKER: &str = "SELECT * FROM prevented_matches WHERE taker_account = $1 AND instrument = $2 \
     AND prevented_match_id >= $3 AND prevented_match_id <= $4 \
     AND ($5 = 0 OR taker_order_id = $5 OR maker_order_id = $5) ORDER BY prevented_match_id LIMIT $6";
pub(super) const MAKER: &str = "SELECT * FROM prevented_matches WHERE maker_account = $1 AND instrument = $2 \
     AND prevented_match_id >= $3 AND prevented_match_id <= $4 \
     AND ($5 = 0 OR taker_order_id = $5 OR maker_order_id = $5) ORDER BY prevented_match_id LIMIT $6";
pub(super) const AMENDMENTS: &str = "SELECT * FROM amendments WHERE order_id = $1 AND account = $2 AND execution_id >= $3 \
     ORDER BY execution_id LIMIT $4";

pub(super) async fn prevented_matches(
    database: &Database,
    account: AccountId,
    query: PreventedMatchQuery,
) -> Result<Vec<PreventedMatch>, SettlementError> {
    let from = bound(query.from_id.max(query.prevented_match_id), 0);
    let values = [
        Integer(account.0.into()),
        Integer(query.instrument.0.into()),
        Integer(from),
        Integer(bound(query.prevented_match_id, i64::MAX)),
        Integer(bound(query.order_id.map(|order_id| order_id.0), 0)),
        Integer(rows_limit(query.limit)),
    ];
    let mut found: Vec<PreventedMatch> = Vec::new();
    for statement in [TAKER, MAKER] {
        for row in database.rows(statement, &values).await? {
            found.push(read_prevented(&row)?);
        }
    }
    // A match of an account with itself is found from either side.
    found.sort_unstable_by_key(|prevented| prevented.prevented_match_id);
    found.dedup_by_key(|prevented| prevented.prevented_match_id);
    found.truncate(query.limit);
    Ok(found)
}

fn read_prevented(row: &Row) -> Result<PreventedMatch, DatabaseError> {
    Ok(PreventedMatch {
        prevented_match_id: number(row, "prevented_match_id")?,
        instrument: InstrumentId(number(row, "instrument")?),
        taker_order_id: OrderId(number(row, "taker_order_id")?),
        taker_account: AccountId(number(row, "taker_account")?),
        taker_side: word(row, "taker_side")?,
        maker_order_id: OrderId(number(row, "maker_order_id")?),
        maker_account: AccountId(number(row, "maker_account")?),
        mode: word(row, "mode")?,
        price: Price(number(row, "price")?),
        quantity: Quantity(number(row, "quantity")?),
        time: Time(number(row, "time")?),
    })
}

pub(super) async fn amendments(
    database: &Database,
    account: AccountId,
    query: AmendmentQuery,
) -> Result<Vec<Amendment>, SettlementError> {
    let values = [
        Integer(bound(Some(query.order_id.0), 0)),
        Integer(account.0.into()),
        Integer(bound(Some(query.from_execution_id), 0)),
        Integer(rows_limit(query.limit)),
    ];
    let rows = database.rows(AMENDMENTS, &values).await?;
    Ok(rows.iter().map(read_amendment).collect::<Result<Vec<_>, _>>()?)
}

fn read_amendment(row: &Row) -> Result<Amendment, DatabaseError> {
    let order_id = OrderId(number(row, "order_id")?);
    Ok(Amendment {
        instrument: InstrumentId(number(row, "instrument")?),
        order_id,
        execution_id: number(row, "execution_id")?,
        name_before: shown_name(row, "name_before", order_id)?,
        name: shown_name(row, "name_after", order_id)?,
        quantity_before: Quantity(number(row, "quantity_before")?),
        quantity: Quantity(number(row, "quantity_after")?),
        time: Time(number(row, "time")?),
    })
}
