//! What the streams of tickers and of averages say, as JSON in the dialect's keys (§8). Refuses to know
//! when and to whom.

use super::{
    Candle, Level, Listing, Ticker, TickerWindow, TimeUnit, Units,
    market_stream::{id_or_none, json},
};
use protocol::{Price, Quantity, Time};
use serde::Serialize;

#[derive(Serialize)]
struct MiniTickerPayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    c: Units,
    o: Units,
    h: Units,
    l: Units,
    v: Units,
    q: Units,
}

fn mini_ticker_payload<'a>(
    listing: &'a Listing,
    ticker: &Ticker,
    now: Time,
    unit: TimeUnit,
) -> MiniTickerPayload<'a> {
    MiniTickerPayload {
        e: "24hrMiniTicker",
        event_time: unit.of(now),
        s: listing.symbol(),
        c: listing.price(ticker.window.close),
        o: listing.price(ticker.window.open),
        h: listing.price(ticker.window.high),
        l: listing.price(ticker.window.low),
        v: listing.quantity(ticker.window.volume as i128),
        q: listing.quote.amount(ticker.window.quote_volume as i128),
    }
}

/// `<symbol>@miniTicker`.
pub(super) fn mini_ticker(listing: &Listing, ticker: &Ticker, now: Time, unit: TimeUnit) -> String {
    json(&mini_ticker_payload(listing, ticker, now, unit))
}

#[derive(Serialize)]
struct TickerPayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    p: Units,
    #[serde(rename = "P")]
    change_percent: String,
    w: Units,
    x: Units,
    c: Units,
    #[serde(rename = "Q")]
    last_quantity: Units,
    b: Units,
    #[serde(rename = "B")]
    bid_quantity: Units,
    a: Units,
    #[serde(rename = "A")]
    ask_quantity: Units,
    o: Units,
    h: Units,
    l: Units,
    v: Units,
    q: Units,
    #[serde(rename = "O")]
    open_time: u64,
    #[serde(rename = "C")]
    close_time: u64,
    #[serde(rename = "F")]
    first_trade: i64,
    #[serde(rename = "L")]
    last_trade: i64,
    n: u64,
}

fn ticker_payload<'a>(listing: &'a Listing, ticker: &Ticker, now: Time, unit: TimeUnit) -> TickerPayload<'a> {
    let nothing = Level { price: Price(0), quantity: Quantity(0) };
    let (bid, ask) = (ticker.best.bid.unwrap_or(nothing), ticker.best.ask.unwrap_or(nothing));
    let window = &ticker.window;
    let instrument = &listing.instrument;
    let average = window.weighted_average(listing.quote.scale, instrument.quantity_scale);
    TickerPayload {
        e: "24hrTicker",
        event_time: unit.of(now),
        s: listing.symbol(),
        p: Units { units: window.change().into(), scale: instrument.price_scale },
        change_percent: window.change_percent_text(),
        w: Units { units: average, scale: 8 },
        x: listing.price(ticker.previous_close),
        c: listing.price(window.close),
        last_quantity: listing.quantity(ticker.last_quantity.0),
        b: listing.price(bid.price),
        bid_quantity: listing.quantity(bid.quantity.0),
        a: listing.price(ask.price),
        ask_quantity: listing.quantity(ask.quantity.0),
        o: listing.price(window.open),
        h: listing.price(window.high),
        l: listing.price(window.low),
        v: listing.quantity(window.volume as i128),
        q: listing.quote.amount(window.quote_volume as i128),
        open_time: unit.of(window.open_time),
        close_time: unit.of(window.end_time),
        first_trade: id_or_none(window.first_trade),
        last_trade: id_or_none(window.last_trade),
        n: window.trades,
    }
}

/// `<symbol>@ticker`.
pub(super) fn ticker(listing: &Listing, ticker: &Ticker, now: Time, unit: TimeUnit) -> String {
    json(&ticker_payload(listing, ticker, now, unit))
}

#[derive(Serialize)]
struct WindowTickerPayload<'a> {
    e: String,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    p: Units,
    #[serde(rename = "P")]
    change_percent: String,
    o: Units,
    h: Units,
    l: Units,
    c: Units,
    w: Units,
    v: Units,
    q: Units,
    #[serde(rename = "O")]
    open_time: u64,
    #[serde(rename = "C")]
    close_time: u64,
    #[serde(rename = "F")]
    first_trade: i64,
    #[serde(rename = "L")]
    last_trade: i64,
    n: u64,
}

fn window_ticker_payload<'a>(
    listing: &'a Listing,
    size: TickerWindow,
    window: &Candle,
    now: Time,
    unit: TimeUnit,
) -> WindowTickerPayload<'a> {
    let instrument = &listing.instrument;
    WindowTickerPayload {
        e: format!("{}Ticker", size.text()),
        event_time: unit.of(now),
        s: listing.symbol(),
        p: Units { units: window.change().into(), scale: instrument.price_scale },
        change_percent: window.change_percent_text(),
        o: listing.price(window.open),
        h: listing.price(window.high),
        l: listing.price(window.low),
        c: listing.price(window.close),
        w: Units { units: window.weighted_average(listing.quote.scale, instrument.quantity_scale), scale: 8 },
        v: listing.quantity(window.volume as i128),
        q: listing.quote.amount(window.quote_volume as i128),
        open_time: unit.of(window.open_time),
        close_time: unit.of(window.end_time),
        first_trade: id_or_none(window.first_trade),
        last_trade: id_or_none(window.last_trade),
        n: window.trades,
    }
}

/// `<symbol>@ticker_<window>`.
pub(super) fn window_ticker(
    listing: &Listing,
    size: TickerWindow,
    window: &Candle,
    now: Time,
    unit: TimeUnit,
) -> String {
    json(&window_ticker_payload(listing, size, window, now, unit))
}

/// `!ticker_<window>@arr`.
pub(super) fn window_tickers(
    size: TickerWindow,
    windows: &[(&Listing, Candle)],
    now: Time,
    unit: TimeUnit,
) -> String {
    let payloads =
        windows.iter().map(|(listing, window)| window_ticker_payload(listing, size, window, now, unit));
    json(&payloads.collect::<Vec<_>>())
}

#[derive(Serialize)]
struct AveragePricePayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    i: String,
    w: Units,
    #[serde(rename = "T")]
    last_trade_time: u64,
}

/// `<symbol>@avgPrice`: the average in 10^-8 of the quote asset, and when the last trade was.
pub(super) fn average_price(
    listing: &Listing,
    average: i128,
    last_trade: Time,
    now: Time,
    unit: TimeUnit,
) -> String {
    json(&AveragePricePayload {
        e: "avgPrice",
        event_time: unit.of(now),
        s: listing.symbol(),
        i: format!("{}m", listing.instrument.filters.average_minutes),
        w: Units { units: average, scale: 8 },
        last_trade_time: unit.of(last_trade),
    })
}

#[derive(Serialize)]
struct ReferencePricePayload<'a> {
    e: &'a str,
    s: &'a str,
    r: Option<Units>,
    t: u64,
}

/// `<symbol>@referencePrice`: in 10^-8 of the quote asset, and as of when.
pub(super) fn reference_price(
    listing: &Listing,
    reference: Option<i128>,
    time: Time,
    unit: TimeUnit,
) -> String {
    json(&ReferencePricePayload {
        e: "referencePrice",
        s: listing.symbol(),
        r: reference.map(|units| Units { units, scale: 8 }),
        t: unit.of(time),
    })
}

/// `!miniTicker@arr`.
pub(super) fn mini_tickers(tickers: &[(&Listing, Ticker)], now: Time, unit: TimeUnit) -> String {
    let payloads = tickers.iter().map(|(listing, ticker)| mini_ticker_payload(listing, ticker, now, unit));
    json(&payloads.collect::<Vec<_>>())
}

/// `!ticker@arr`.
pub(super) fn tickers(tickers: &[(&Listing, Ticker)], now: Time, unit: TimeUnit) -> String {
    let payloads = tickers.iter().map(|(listing, ticker)| ticker_payload(listing, ticker, now, unit));
    json(&payloads.collect::<Vec<_>>())
}
