//! What the streams of trades, books and candles say, as JSON in the dialect's keys (§8). Refuses to know when and to whom.

use super::{
    AggregateTrade, BestPrices, Candle, Depth, Interval, Level, Listing, PublicTrade, TimeUnit, Units,
    depth::DepthChange,
};
use protocol::{Price, Quantity, Sequence, Side, Time, TradeId};
use serde::Serialize;

/// JSON of a value made of texts, numbers and lists.
pub(super) fn json(value: &impl Serialize) -> String {
    // Only maps with keys that are no text, and writers that fail, make this fail; here is neither.
    serde_json::to_string(value).expect("plain values can be written")
}

#[derive(Serialize)]
struct TradePayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    t: u64,
    p: Units,
    q: Units,
    #[serde(rename = "T")]
    time: u64,
    m: bool,
    #[serde(rename = "M")]
    best_match: bool,
}

/// `<symbol>@trade`.
pub(super) fn trade(listing: &Listing, trade: &PublicTrade, unit: TimeUnit) -> String {
    json(&TradePayload {
        e: "trade",
        event_time: unit.of(trade.time),
        s: listing.symbol(),
        t: trade.trade_id.0,
        p: listing.price(trade.price),
        q: listing.quantity(trade.quantity.0),
        time: unit.of(trade.time),
        m: trade.taker_side == Side::Sell,
        best_match: true,
    })
}

#[derive(Serialize)]
struct AggregatePayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    a: u64,
    p: Units,
    q: Units,
    f: u64,
    l: u64,
    #[serde(rename = "T")]
    time: u64,
    m: bool,
    #[serde(rename = "M")]
    best_match: bool,
}

/// `<symbol>@aggTrade`.
pub(super) fn aggregate_trade(listing: &Listing, trade: &AggregateTrade, unit: TimeUnit) -> String {
    json(&AggregatePayload {
        e: "aggTrade",
        event_time: unit.of(trade.time),
        s: listing.symbol(),
        a: trade.aggregate_id,
        p: listing.price(trade.price),
        q: listing.quantity(trade.quantity.0),
        f: trade.first.0,
        l: trade.last.0,
        time: unit.of(trade.time),
        m: trade.taker_side == Side::Sell,
        best_match: true,
    })
}

fn levels(listing: &Listing, levels: &[Level]) -> Vec<(Units, Units)> {
    levels.iter().map(|level| (listing.price(level.price), listing.quantity(level.quantity.0))).collect()
}

#[derive(Serialize)]
struct DepthPayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    #[serde(rename = "U")]
    first: u64,
    u: u64,
    b: Vec<(Units, Units)>,
    a: Vec<(Units, Units)>,
}

/// `<symbol>@depth`.
pub(super) fn depth(listing: &Listing, change: &DepthChange, now: Time, unit: TimeUnit) -> String {
    json(&DepthPayload {
        e: "depthUpdate",
        event_time: unit.of(now),
        s: listing.symbol(),
        first: change.first.0,
        u: change.last.0,
        b: levels(listing, &change.bids),
        a: levels(listing, &change.asks),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartialDepthPayload {
    last_update_id: u64,
    bids: Vec<(Units, Units)>,
    asks: Vec<(Units, Units)>,
}

/// `<symbol>@depth5`, `10`, `20`.
pub(super) fn partial_depth(listing: &Listing, depth: &Depth) -> String {
    let Depth { last_update_id: Sequence(last_update_id), bids, asks } = depth;
    let last_update_id = *last_update_id;
    json(&PartialDepthPayload { last_update_id, bids: levels(listing, bids), asks: levels(listing, asks) })
}

#[derive(Serialize)]
struct BookTickerPayload<'a> {
    u: u64,
    s: &'a str,
    b: Units,
    #[serde(rename = "B")]
    bid_quantity: Units,
    a: Units,
    #[serde(rename = "A")]
    ask_quantity: Units,
}

/// `<symbol>@bookTicker`. An empty side shows zeros.
pub(super) fn book_ticker(listing: &Listing, best: &BestPrices) -> String {
    let nothing = Level { price: Price(0), quantity: Quantity(0) };
    let (bid, ask) = (best.bid.unwrap_or(nothing), best.ask.unwrap_or(nothing));
    json(&BookTickerPayload {
        u: best.update_id.0,
        s: listing.symbol(),
        b: listing.price(bid.price),
        bid_quantity: listing.quantity(bid.quantity.0),
        a: listing.price(ask.price),
        ask_quantity: listing.quantity(ask.quantity.0),
    })
}

#[derive(Serialize)]
struct CandleEvent<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    k: CandlePayload<'a>,
}

#[derive(Serialize)]
struct CandlePayload<'a> {
    t: u64,
    #[serde(rename = "T")]
    close_time: u64,
    s: &'a str,
    i: &'a str,
    f: i64,
    #[serde(rename = "L")]
    last_trade: i64,
    o: Units,
    c: Units,
    h: Units,
    l: Units,
    v: Units,
    n: u64,
    x: bool,
    q: Units,
    #[serde(rename = "V")]
    taker_volume: Units,
    #[serde(rename = "Q")]
    taker_quote_volume: Units,
    #[serde(rename = "B")]
    ignored: &'a str,
}

/// `<symbol>@kline_<interval>`.
pub(super) fn candle(
    listing: &Listing,
    interval: Interval,
    candle: &Candle,
    closed: bool,
    now: Time,
    unit: TimeUnit,
) -> String {
    json(&CandleEvent {
        e: "kline",
        event_time: unit.of(now),
        s: listing.symbol(),
        k: CandlePayload {
            t: unit.of(candle.open_time),
            close_time: unit.of(candle.end_time).saturating_sub(1),
            s: listing.symbol(),
            i: interval.text(),
            f: id_or_none(candle.first_trade),
            last_trade: id_or_none(candle.last_trade),
            o: listing.price(candle.open),
            c: listing.price(candle.close),
            h: listing.price(candle.high),
            l: listing.price(candle.low),
            v: listing.quantity(candle.volume as i128),
            n: candle.trades,
            x: closed,
            q: listing.quote.amount(candle.quote_volume as i128),
            taker_volume: listing.quantity(candle.taker_volume as i128),
            taker_quote_volume: listing.quote.amount(candle.taker_quote_volume as i128),
            ignored: "0",
        },
    })
}

/// A trade id as the dialect says it: −1 is none.
pub(super) fn id_or_none(trade_id: TradeId) -> i64 {
    if trade_id.0 == 0 { -1 } else { trade_id.0 as i64 } // ids fit 53 bits
}
