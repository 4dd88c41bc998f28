//! Tickers over a window that the client chooses: the last minutes, hours or days, or the trading day
//! by the client's clock (dialect §4.13). Refuses to know accounts.

use super::{
    Reply, Request,
    market::{close_time, zone_minutes},
    tickers::{Extent, MiniTicker, Movement, extent, mini, movement, rows},
};
use crate::{
    dialect::DialectError,
    views::{Interval, Listing, ZonedInterval},
};
use protocol::Time;
use serde::Serialize;

/// The most instruments one question may name.
const SYMBOLS_MAX: usize = 100;
/// In nanoseconds.
const MINUTE: u64 = 60_000_000_000;

#[derive(Serialize)]
struct WindowTicker {
    #[serde(flatten)]
    movement: Movement,
    #[serde(flatten)]
    mini: MiniTicker,
}

/// The last `windowSize`. It begins on a whole minute, and so is up to a minute longer.
pub(super) fn rolling(request: &Request<'_>) -> Reply {
    let minutes = window_minutes(request.parameters.text("windowSize").unwrap_or("1d"))?;
    let since = Time(request.now.minute().saturating_sub(minutes) * MINUTE);
    tickers(request, since, request.unit.of(request.now))
}

/// The day that it is by the clock of `timeZone`.
pub(super) fn trading_day(request: &Request<'_>) -> Reply {
    let zone_minutes = request.parameters.text("timeZone").map_or(Ok(0), zone_minutes)?;
    let day = ZonedInterval { interval: Interval::OneDay, zone_minutes };
    let since = day.open(request.now);
    tickers(request, since, close_time(day.next(since), request.unit))
}

/// `shown_end` is what the answer calls its `closeTime`.
fn tickers(request: &Request<'_>, since: Time, shown_end: u64) -> Reply {
    let extent = extent(request)?;
    if !request.parameters.has("symbol") {
        let several = request.listings()?.ok_or_else(|| DialectError::either("symbol", "symbols"))?;
        if several.len() > SYMBOLS_MAX {
            return Err(DialectError::invalid_data("symbols"));
        }
    }
    let mini = |listing: &Listing| -> Result<_, DialectError> {
        let window = request.market(listing)?.window(since, request.now);
        Ok((mini(listing, &window, request.unit, shown_end), window))
    };
    match extent {
        Extent::Mini => rows(request, |listing| mini(listing).map(|(row, _)| row)),
        Extent::Full => rows(request, |listing| {
            let (mini, window) = mini(listing)?;
            Ok(WindowTicker { movement: movement(listing, &window), mini })
        }),
    }
}

/// `1m` to `59m`, `1h` to `23h`, `1d` to `7d`, in minutes.
fn window_minutes(text: &str) -> Result<u64, DialectError> {
    let invalid = || DialectError::invalid_data("windowSize");
    let (digits, most, length) = [("m", 59, 1), ("h", 23, 60), ("d", 7, 1_440)]
        .into_iter()
        .find_map(|(unit, most, length)| Some((text.strip_suffix(unit)?, most, length)))
        .ok_or_else(invalid)?;
    let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = if plain { digits.parse().map_err(|_| invalid())? } else { 0 };
    if (1..=most).contains(&number) { Ok(number * length) } else { Err(invalid()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_minutes_hours_or_days() {
        for (text, expected) in [
            ("1m", Some(1)),
            ("59m", Some(59)),
            ("60m", None),
            ("1h", Some(60)),
            ("23h", Some(1_380)),
            ("24h", None),
            ("1d", Some(1_440)),
            ("7d", Some(10_080)),
            ("8d", None),
            ("0m", None),
            ("m", None),
            ("", None),
            ("1d2h", None),
            ("+1d", None),
            ("001d", None),
            ("1w", None),
        ] {
            assert_eq!(window_minutes(text).ok(), expected, "{text}");
        }
    }
}
