//! An account's trades, on either side. Refuses to know who was on the other.

use super::{bound, rows_limit, trade_ids};
use crate::{
    SettlementError,
    order_row::{number, word},
};
use database::{Database, DatabaseError, Row, Value::Integer};
use protocol::{
    AccountId, AssetId, InstrumentId, OrderId, Price, Quantity, Side, Time, TradeId, history::OwnTrade,
};
use services::OwnTradeQuery;

macro_rules! statement {
    ($side:literal, [$($of_order:literal),*], $direction:literal) => {
        concat!(
            "SELECT * FROM trades WHERE ",
            $side,
            "_account = $1 AND instrument = $2 AND trade_id >= $3 AND trade_id <= $4 \
             AND time >= $5 AND time <= $6",
            $($of_order,)*
            " ORDER BY trade_id",
            $direction,
            " LIMIT $7"
        )
    };
}

macro_rules! statements {
    ($side:literal) => {
        [
            statement!($side, [], ""),
            statement!($side, [], " DESC"),
            statement!($side, [" AND ", $side, "_order_id = $8"], ""),
            statement!($side, [" AND ", $side, "_order_id = $8"], " DESC"),
        ]
    };
}

/// First and last of an account's, first and last of an order's.
pub(super) const TAKER: [&str; 4] = statements!("taker");
pub(super) const MAKER: [&str; 4] = statements!("maker");

pub(super) async fn page(
    database: &Database,
    account: AccountId,
    query: OwnTradeQuery,
) -> Result<Vec<OwnTrade>, SettlementError> {
    let Some((first, last)) = trade_ids(database, query.instrument, query.start, query.end).await? else {
        return Ok(Vec::new());
    };
    let from = first.max(bound(query.from_id.map(|id| id.0), 0));
    let mut values = vec![
        Integer(account.0.into()),
        Integer(query.instrument.0.into()),
        Integer(from),
        Integer(last),
        Integer(bound(query.start.map(|time| time.0), 0)),
        Integer(bound(query.end.map(|time| time.0), i64::MAX)),
        Integer(rows_limit(query.limit)),
    ];
    values.extend(query.order_id.map(|order_id| Integer(bound(Some(order_id.0), 0))));
    let which = 2 * usize::from(query.order_id.is_some()) + usize::from(!query.is_forward());
    let mut trades = Vec::new();
    for (statements, is_maker) in [(TAKER, false), (MAKER, true)] {
        for row in database.rows(statements[which], &values).await? {
            trades.push(read(&row, is_maker)?);
        }
    }
    trades.sort_unstable_by_key(|trade| (trade.trade_id, trade.is_maker));
    if query.is_forward() {
        trades.truncate(query.limit);
    } else {
        trades.drain(..trades.len().saturating_sub(query.limit));
    }
    Ok(trades)
}

fn read(row: &Row, is_maker: bool) -> Result<OwnTrade, DatabaseError> {
    let taker_side: Side = word(row, "taker_side")?;
    let (order_id, fee, fee_asset) = if is_maker {
        ("maker_order_id", "maker_fee", "maker_fee_asset")
    } else {
        ("taker_order_id", "taker_fee", "taker_fee_asset")
    };
    Ok(OwnTrade {
        trade_id: TradeId(number(row, "trade_id")?),
        order_id: OrderId(number(row, order_id)?),
        instrument: InstrumentId(number(row, "instrument")?),
        price: Price(number(row, "price")?),
        quantity: Quantity(number(row, "quantity")?),
        quote: row.integer("quote_quantity")?,
        commission: row.integer(fee)?,
        commission_asset: AssetId(number(row, fee_asset)?),
        time: Time(number(row, "time")?),
        side: if is_maker { taker_side.opposite() } else { taker_side },
        is_maker,
    })
}
