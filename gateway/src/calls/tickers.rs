//! Tickers and average prices, of one instrument, several or all (dialect §4.9 to 4.12). Refuses to
//! know accounts.

use super::{
    Json, Reply, Request,
    exchange_info::SymbolStatus,
    market::{price, quantity, quote, volume},
};
use crate::{
    dialect::{Decimal, DialectError, Percent},
    views::{Candle, Level, Listing, TimeUnit},
};
use protocol::{Price, filter::AveragePrice};
use serde::Serialize;
use std::sync::Arc;

/// One row for `symbol`, which must have the `symbolStatus` that is asked for; an array of those that
/// have it otherwise.
pub(super) fn rows<R: Serialize>(
    request: &Request<'_>,
    row: impl Fn(&Listing) -> Result<R, DialectError>,
) -> Reply {
    let status = request.symbol_status()?;
    if let Some(listings) = request.listings()? {
        return all(&listings, status, row);
    }
    match request.optional_listing()? {
        Some(listing) => {
            status.check(&listing)?;
            Ok(Json::of(&row(&listing)?))
        }
        None => all(request.directory.listings(), status, row),
    }
}

fn all<R: Serialize>(
    listings: &[Arc<Listing>],
    status: SymbolStatus,
    row: impl Fn(&Listing) -> Result<R, DialectError>,
) -> Reply {
    let wanted = listings.iter().filter(|listing| status.passes(listing));
    let rows = wanted.map(|listing| row(listing)).collect::<Result<Vec<_>, _>>()?;
    Ok(Json::of(&rows))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MiniTicker {
    symbol: String,
    open_price: Decimal,
    high_price: Decimal,
    low_price: Decimal,
    last_price: Decimal,
    volume: Decimal,
    quote_volume: Decimal,
    open_time: u64,
    close_time: u64,
    first_id: i64,
    last_id: i64,
    count: u64,
}

/// How far the price went in a window, and its average there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Movement {
    price_change: Decimal,
    price_change_percent: Percent,
    weighted_avg_price: Decimal,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FullTicker {
    #[serde(flatten)]
    movement: Movement,
    prev_close_price: Decimal,
    last_qty: Decimal,
    bid_price: Decimal,
    bid_qty: Decimal,
    ask_price: Decimal,
    ask_qty: Decimal,
    #[serde(flatten)]
    mini: MiniTicker,
}

/// How much of a ticker a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Full,
    Mini,
}

pub(super) fn extent(request: &Request<'_>) -> Result<Extent, DialectError> {
    match request.parameters.text("type").unwrap_or("FULL") {
        "FULL" => Ok(Extent::Full),
        "MINI" => Ok(Extent::Mini),
        _ => Err(DialectError::ticker_type()),
    }
}

/// The last 24 hours.
pub(super) fn day(request: &Request<'_>) -> Reply {
    match extent(request)? {
        Extent::Full => rows(request, |listing| full(request, listing)),
        Extent::Mini => rows(request, |listing| {
            let ticker = request.market(listing)?.ticker(request.now);
            Ok(mini(listing, &ticker.window, request.unit, request.unit.of(request.now)))
        }),
    }
}

fn full(request: &Request<'_>, listing: &Listing) -> Result<FullTicker, DialectError> {
    let ticker = request.market(listing)?.ticker(request.now);
    let window = &ticker.window;
    let ((bid_price, bid_qty), (ask_price, ask_qty)) =
        (level(listing, ticker.best.bid), level(listing, ticker.best.ask));
    Ok(FullTicker {
        movement: movement(listing, window),
        prev_close_price: price(listing, ticker.previous_close),
        last_qty: quantity(listing, ticker.last_quantity.0),
        bid_price,
        bid_qty,
        ask_price,
        ask_qty,
        mini: mini(listing, window, request.unit, request.unit.of(request.now)),
    })
}

pub(super) fn movement(listing: &Listing, window: &Candle) -> Movement {
    let change = i128::from(window.close.0) - i128::from(window.open.0);
    Movement {
        price_change: Decimal::new(change, listing.instrument.price_scale),
        price_change_percent: Percent(thousandths_of_percent(change, window.open)),
        weighted_avg_price: weighted_average(listing, window.quote_volume, window.volume),
    }
}

/// `close_time` is in the asker's unit.
pub(super) fn mini(listing: &Listing, window: &Candle, unit: TimeUnit, close_time: u64) -> MiniTicker {
    // The dialect's word for "no trade" is -1; trade ids fit 53 bits.
    let id = |id: u64| if window.trades == 0 { -1 } else { id as i64 };
    MiniTicker {
        symbol: listing.symbol().to_owned(),
        open_price: price(listing, window.open),
        high_price: price(listing, window.high),
        low_price: price(listing, window.low),
        last_price: price(listing, window.close),
        volume: quantity(listing, volume(window.volume)),
        quote_volume: quote(listing, volume(window.quote_volume)),
        open_time: unit.of(window.open_time),
        close_time,
        first_id: id(window.first_trade.0),
        last_id: id(window.last_trade.0),
        count: window.trades,
    }
}

fn last_price(request: &Request<'_>, listing: &Listing) -> Result<Price, DialectError> {
    Ok(request.market(listing)?.last_trade().map_or(Price(0), |trade| trade.price))
}

/// The last price.
pub(super) fn last(request: &Request<'_>) -> Reply {
    #[derive(Serialize)]
    struct Row {
        symbol: String,
        price: Decimal,
    }
    rows(request, |listing| {
        let last = last_price(request, listing)?;
        Ok(Row { symbol: listing.symbol().to_owned(), price: price(listing, last) })
    })
}

/// The best of either side.
pub(super) fn book(request: &Request<'_>) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Row {
        symbol: String,
        bid_price: Decimal,
        bid_qty: Decimal,
        ask_price: Decimal,
        ask_qty: Decimal,
    }
    rows(request, |listing| {
        let best = request.market(listing)?.best();
        let ((bid_price, bid_qty), (ask_price, ask_qty)) =
            (level(listing, best.bid), level(listing, best.ask));
        Ok(Row { symbol: listing.symbol().to_owned(), bid_price, bid_qty, ask_price, ask_qty })
    })
}

/// The average that the percent-price filter looks at.
pub(super) fn average_price(request: &Request<'_>) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Row {
        mins: u8,
        price: Decimal,
        close_time: u64,
    }
    let listing = request.listing()?;
    let market = request.market(&listing)?;
    let mins = listing.instrument.filters.average_minutes;
    let average = average(&listing, market.average_price(mins, request.now));
    let price = average.map_or(Decimal::ZERO, |average| average_decimal(&listing, average));
    let close_time = market.last_trade().map_or(0, |trade| request.unit.of(trade.time));
    Ok(Json::of(&Row { mins, price, close_time }))
}

/// An average as clients read it: to 10^-8 of the quote, cut.
pub(super) fn average_decimal(listing: &Listing, average: AveragePrice) -> Decimal {
    // A price has at most eight decimals.
    let one = 10_u128.pow(u32::from(8 - listing.instrument.price_scale));
    Decimal::new(volume(average.notional.saturating_mul(one) / average.quantity), 8)
}

/// The average of trades, else the reference price.
pub(super) fn average(listing: &Listing, traded: Option<AveragePrice>) -> Option<AveragePrice> {
    let reference = listing.instrument.filters.reference_price;
    traded.or_else(|| (reference.0 > 0).then(|| AveragePrice::of(reference)))
}

fn level(listing: &Listing, level: Option<Level>) -> (Decimal, Decimal) {
    level.map_or((Decimal::ZERO, Decimal::ZERO), |level| {
        (price(listing, level.price), quantity(listing, level.quantity.0))
    })
}

/// Quote over base, in ledger units of the quote asset for one of the base.
fn weighted_average(listing: &Listing, quote_volume: u128, base_volume: u128) -> Decimal {
    if base_volume == 0 {
        return Decimal::ZERO;
    }
    let one = 10_u128.pow(u32::from(listing.instrument.quantity_scale));
    Decimal::new(volume(quote_volume.saturating_mul(one) / base_volume), listing.quote.scale)
}

/// `change` of `base`, rounded to the nearest thousandth of a percent.
fn thousandths_of_percent(change: i128, base: Price) -> i128 {
    if base.0 == 0 {
        return 0;
    }
    let (twice, base) = (change * 200_000, i128::from(base.0));
    (twice + base * change.signum()) / (2 * base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_rounded_to_the_nearest() {
        for (change, base, expected) in
            [(0, 100, 0), (1, 0, 0), (1, 3, 33_333), (2, 3, 66_667), (-2, 3, -66_667), (50, 100, 50_000)]
        {
            assert_eq!(thousandths_of_percent(change, Price(base)), expected, "{change} of {base}");
        }
    }
}
