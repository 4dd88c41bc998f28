//! Public market data of one instrument: book, trades, candles (dialect §4.2, 4.4 to 4.8). Refuses to
//! know accounts.

use super::{Json, Reply, Request};
use crate::{
    dialect::{Decimal, DialectError, Parameters},
    views::{AggregateQuery, Candle, CandleQuery, Interval, Level, Listing, PublicTrade, TimeUnit},
};
use protocol::{Side, Time, TradeId};
use serde::Serialize;
use services::TradeQuery;

/// The most rows of trades or candles.
const ROWS_MAX: usize = 1_000;

pub(super) fn time(request: &Request<'_>) -> Json {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ServerTime {
        server_time: u64,
    }
    Json::of(&ServerTime { server_time: request.unit.of(request.now) })
}

pub(super) fn depth(request: &Request<'_>) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Depth {
        last_update_id: u64,
        bids: Vec<[Decimal; 2]>,
        asks: Vec<[Decimal; 2]>,
    }
    let listing = request.listing()?;
    request.symbol_status()?.check(&listing)?;
    let limit = request.parameters.limit(100, 5_000)?;
    let depth = request.market(&listing)?.depth(limit);
    let rows = |levels: &[Level]| levels.iter().map(|level| level_row(&listing, *level)).collect();
    Ok(Json::of(&Depth {
        last_update_id: depth.last_update_id.0,
        bids: rows(&depth.bids),
        asks: rows(&depth.asks),
    }))
}

pub(super) async fn trades(request: &Request<'_>) -> Reply {
    let listing = request.listing()?;
    let limit = request.parameters.limit(500, ROWS_MAX)?;
    let query = TradeQuery { from_id: None, limit };
    let trades = request.past().trades(&*request.market(&listing)?, query).await?;
    Ok(trade_rows(&listing, &trades, request.unit))
}

pub(super) async fn historical_trades(request: &Request<'_>) -> Reply {
    let listing = request.listing()?;
    let limit = request.parameters.limit(500, ROWS_MAX)?;
    let query = TradeQuery { from_id: request.parameters.integer("fromId")?.map(TradeId), limit };
    let trades = request.past().trades(&*request.market(&listing)?, query).await?;
    Ok(trade_rows(&listing, &trades, request.unit))
}

/// Trades agreed on outside the book: there are none here.
pub(super) fn block_trades(request: &Request<'_>) -> Reply {
    request.listing()?;
    Ok(Json("[]".to_owned()))
}

pub(super) async fn aggregate_trades(request: &Request<'_>) -> Reply {
    #[derive(Serialize)]
    struct Row {
        a: u64,
        p: Decimal,
        q: Decimal,
        f: u64,
        l: u64,
        #[serde(rename = "T")]
        time: u64,
        m: bool,
        #[serde(rename = "M")]
        best: bool,
    }
    let listing = request.listing()?;
    let (start, end) = window(request.parameters)?;
    let query = AggregateQuery {
        from_id: request.parameters.integer("fromId")?,
        start,
        end,
        limit: request.parameters.limit(500, ROWS_MAX)?,
    };
    let trades = request.past().aggregate_trades(&*request.market(&listing)?, &query).await?;
    let rows: Vec<Row> = trades
        .iter()
        .map(|trade| Row {
            a: trade.aggregate_id,
            p: price(&listing, trade.price),
            q: quantity(&listing, trade.quantity.0),
            f: trade.first.0,
            l: trade.last.0,
            time: request.unit.of(trade.time),
            m: trade.taker_side == Side::Sell,
            best: true,
        })
        .collect();
    Ok(Json::of(&rows))
}

pub(super) async fn klines(request: &Request<'_>) -> Reply {
    let listing = request.listing()?;
    let interval = request.parameters.required("interval")?;
    let interval = Interval::parse(interval).ok_or_else(DialectError::interval)?;
    let (start, end) = window(request.parameters)?;
    let query = CandleQuery {
        interval,
        start,
        end,
        limit: request.parameters.limit(500, ROWS_MAX)?,
        zone_minutes: request.parameters.text("timeZone").map_or(Ok(0), zone_minutes)?,
    };
    let candles = request.past().candles(&*request.market(&listing)?, &query, request.now).await?;
    let rows: Vec<_> = candles.iter().map(|candle| candle_row(&listing, candle, request.unit)).collect();
    Ok(Json::of(&rows))
}

/// `startTime` and `endTime`, in order.
pub(super) fn window(parameters: &Parameters<'_>) -> Result<(Option<Time>, Option<Time>), DialectError> {
    let (start, end) = (parameters.time("startTime")?, parameters.time("endTime")?);
    match (start, end) {
        (Some(start), Some(end)) if start > end => Err(DialectError::invalid_data("endTime")),
        window => Ok(window),
    }
}

pub(super) fn price(listing: &Listing, price: protocol::Price) -> Decimal {
    Decimal::new(price.0, listing.instrument.price_scale)
}

pub(super) fn quantity(listing: &Listing, units: impl Into<i128>) -> Decimal {
    Decimal::new(units, listing.instrument.quantity_scale)
}

pub(super) fn quote(listing: &Listing, units: impl Into<i128>) -> Decimal {
    Decimal::new(units, listing.quote.scale)
}

/// Volumes are kept wider than any amount; a sum past 2^127 cannot be reached.
pub(super) fn volume(units: u128) -> i128 {
    i128::try_from(units).unwrap_or(i128::MAX)
}

/// The last instant shown of an interval that ends before `end`.
pub(super) fn close_time(end: Time, unit: TimeUnit) -> u64 {
    unit.of(end).saturating_sub(1)
}

fn level_row(listing: &Listing, level: Level) -> [Decimal; 2] {
    [price(listing, level.price), quantity(listing, level.quantity.0)]
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TradeRow {
    id: u64,
    price: Decimal,
    qty: Decimal,
    quote_qty: Decimal,
    time: u64,
    is_buyer_maker: bool,
    is_best_match: bool,
}

fn trade_rows(listing: &Listing, trades: &[PublicTrade], unit: TimeUnit) -> Json {
    let rows: Vec<TradeRow> = trades
        .iter()
        .map(|trade| TradeRow {
            id: trade.trade_id.0,
            price: price(listing, trade.price),
            qty: quantity(listing, trade.quantity.0),
            quote_qty: quote(listing, trade.quote),
            time: unit.of(trade.time),
            is_buyer_maker: trade.taker_side == Side::Sell,
            is_best_match: true,
        })
        .collect();
    Json::of(&rows)
}

fn candle_row(listing: &Listing, candle: &Candle, unit: TimeUnit) -> impl Serialize {
    (
        unit.of(candle.open_time),
        price(listing, candle.open),
        price(listing, candle.high),
        price(listing, candle.low),
        price(listing, candle.close),
        quantity(listing, volume(candle.volume)),
        close_time(candle.end_time, unit),
        quote(listing, volume(candle.quote_volume)),
        candle.trades,
        quantity(listing, volume(candle.taker_volume)),
        quote(listing, volume(candle.taker_quote_volume)),
        "0",
    )
}

/// `8`, `-1:00`, `05:45`: minutes east of UTC, −12:00 to +14:00.
pub(super) fn zone_minutes(text: &str) -> Result<i32, DialectError> {
    let invalid = || DialectError::invalid_data("timeZone");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let part = |part: &str| -> Option<i32> {
        let good = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        good.then(|| part.parse().ok())?
    };
    let (hours, minutes) = (part(hours).ok_or_else(invalid)?, part(minutes).ok_or_else(invalid)?);
    let total = sign * (hours * 60 + minutes);
    if minutes < 60 && (-720..=840).contains(&total) { Ok(total) } else { Err(invalid()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_minutes_east_or_refused() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("8", Ok(480)),
            ("-1:00", Ok(-60)),
            ("05:45", Ok(345)),
            ("+14:00", Ok(840)),
            ("-12:00", Ok(-720)),
            ("14:01", Err(-1130)),
            ("-13", Err(-1130)),
            ("8:60", Err(-1130)),
            ("x", Err(-1130)),
            ("", Err(-1130)),
        ] {
            assert_eq!(zone_minutes(text).map_err(|error| error.code), expected, "{text}");
        }
    }
}
