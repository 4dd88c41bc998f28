//! The public past of an instrument: trades, aggregate trades, candles. Refuses to know whose they were.

use super::{bound, rows_limit, trade_ids};
use crate::{
    SettlementError,
    order_row::{number, word},
    projection::read_candle,
};
use database::{Database, DatabaseError, Row, Value::Integer};
use protocol::{
    InstrumentId, Price, Quantity, Time, TradeId,
    history::{AggregateTrade, Candle, PublicTrade},
};
use services::{AggregateQuery, KeptCandleQuery, TradeQuery};

pub(super) const TRADES_FORWARD: &str = "SELECT trade_id, price, quantity, quote_quantity, time, taker_side FROM trades WHERE instrument = $1 \
     AND trade_id >= $2 ORDER BY trade_id LIMIT $3";
pub(super) const TRADES_BACKWARD: &str = "SELECT trade_id, price, quantity, quote_quantity, time, taker_side FROM trades WHERE instrument = $1 \
     AND trade_id >= $2 ORDER BY trade_id DESC LIMIT $3";
pub(super) const AGGREGATE_OF: &str =
    "SELECT aggregate_id FROM trades WHERE instrument = $1 AND trade_id = $2";

macro_rules! aggregates {
    ($order:literal) => {
        concat!(
            "SELECT aggregate_id, MIN(trade_id) AS first_trade, MAX(trade_id) AS last_trade, \
             CAST(SUM(quantity) AS BIGINT) AS quantity, MIN(price) AS price, MIN(time) AS time, \
             MIN(taker_side) AS taker_side FROM trades WHERE instrument = $1 AND aggregate_id >= $2 \
             AND aggregate_id <= $3 AND time >= $4 AND time <= $5 GROUP BY aggregate_id \
             ORDER BY aggregate_id ",
            $order,
            " LIMIT $6"
        )
    };
}

pub(super) const AGGREGATES_FORWARD: &str = aggregates!("");
pub(super) const AGGREGATES_BACKWARD: &str = aggregates!("DESC");
pub(super) const CANDLE_BEFORE: &str = "SELECT * FROM candles WHERE instrument = $1 AND interval_number = $2 \
     AND open_time < $3 ORDER BY open_time DESC LIMIT 1";
pub(super) const CANDLES: &str = "SELECT * FROM candles WHERE instrument = $1 AND interval_number = $2 \
     AND open_time >= $3 AND open_time < $4 ORDER BY open_time LIMIT $5";

pub(super) async fn trades(
    database: &Database,
    instrument: InstrumentId,
    query: TradeQuery,
) -> Result<Vec<PublicTrade>, SettlementError> {
    let values = [
        Integer(instrument.0.into()),
        Integer(bound(query.from_id.map(|id| id.0), 0)),
        Integer(rows_limit(query.limit)),
    ];
    let forward = query.from_id.is_some();
    let rows = database.rows(if forward { TRADES_FORWARD } else { TRADES_BACKWARD }, &values).await?;
    let mut trades = rows.iter().map(read_trade).collect::<Result<Vec<_>, _>>()?;
    if !forward {
        trades.reverse();
    }
    Ok(trades)
}

fn read_trade(row: &Row) -> Result<PublicTrade, DatabaseError> {
    Ok(PublicTrade {
        trade_id: TradeId(number(row, "trade_id")?),
        price: Price(number(row, "price")?),
        quantity: Quantity(number(row, "quantity")?),
        quote: row.integer("quote_quantity")?,
        time: Time(number(row, "time")?),
        taker_side: word(row, "taker_side")?,
    })
}

pub(super) async fn aggregate_trades(
    database: &Database,
    instrument: InstrumentId,
    query: AggregateQuery,
) -> Result<Vec<AggregateTrade>, SettlementError> {
    let Some((first, last)) = trade_ids(database, instrument, query.start, query.end).await? else {
        return Ok(Vec::new());
    };
    let mut ids = (bound(query.from_id, 0), i64::MAX);
    for (trade_id, place) in [(first, 0), (last, 1)] {
        let values = [Integer(instrument.0.into()), Integer(trade_id)];
        if let Some(row) = database.rows(AGGREGATE_OF, &values).await?.first() {
            let id = row.integer("aggregate_id")?;
            ids = if place == 0 { (ids.0.max(id), ids.1) } else { (ids.0, id) };
        }
    }
    let values = [
        Integer(instrument.0.into()),
        Integer(ids.0),
        Integer(ids.1),
        Integer(bound(query.start.map(|time| time.0), 0)),
        Integer(bound(query.end.map(|time| time.0), i64::MAX)),
        Integer(rows_limit(query.limit)),
    ];
    let forward = query.is_forward();
    let statement = if forward { AGGREGATES_FORWARD } else { AGGREGATES_BACKWARD };
    let rows = database.rows(statement, &values).await?;
    let mut trades = rows.iter().map(read_aggregate).collect::<Result<Vec<_>, _>>()?;
    if !forward {
        trades.reverse();
    }
    Ok(trades)
}

fn read_aggregate(row: &Row) -> Result<AggregateTrade, DatabaseError> {
    Ok(AggregateTrade {
        aggregate_id: number(row, "aggregate_id")?,
        price: Price(number(row, "price")?),
        quantity: Quantity(number(row, "quantity")?),
        first: TradeId(number(row, "first_trade")?),
        last: TradeId(number(row, "last_trade")?),
        time: Time(number(row, "time")?),
        taker_side: word(row, "taker_side")?,
    })
}

pub(super) async fn candles(
    database: &Database,
    instrument: InstrumentId,
    query: KeptCandleQuery,
) -> Result<Vec<Candle>, SettlementError> {
    let (instrument, interval) = (Integer(instrument.0.into()), Integer(query.interval as i64));
    let from = Integer(bound(Some(query.from.0), 0));
    let mut rows = database.rows(CANDLE_BEFORE, &[instrument, interval, from]).await?;
    let until = Integer(bound(Some(query.until.0), 0));
    let limit = Integer(rows_limit(query.limit));
    rows.extend(database.rows(CANDLES, &[instrument, interval, from, until, limit]).await?);
    Ok(rows.iter().map(read_candle).collect::<Result<Vec<_>, _>>()?)
}
