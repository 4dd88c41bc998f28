//! What the market views answer with, beside trades and candles: plain values. Refuses to know how they
//! are made and how they are shown.

use super::candles::CandleRange;
use protocol::{
    Price, Quantity, Sequence, Time,
    history::{Candle, Interval, ZonedInterval},
};

/// The most candles one question is answered with.
const CANDLES_MAX: usize = 5_000;

/// A price of the book and all that rests there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// The sum of what rests there; 0 in a difference takes the level away.
    pub quantity: Quantity,
}

/// The book at one version, best prices first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// The version: the sequence of the last command that is in it (`lastUpdateId`).
    pub last_update_id: Sequence,
    /// Buyers, the highest first.
    pub bids: Vec<Level>,
    /// Sellers, the lowest first.
    pub asks: Vec<Level>,
}

/// The best of either side just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BestPrices {
    /// The book's version.
    pub update_id: Sequence,
    /// The highest buyer.
    pub bid: Option<Level>,
    /// The lowest seller.
    pub ask: Option<Level>,
}

/// The last 24 hours, by whole minutes: from the minute 1,439 before this one until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticker {
    /// Prices and volumes over the window; `open_time` and `end_time` are its `openTime` and
    /// `closeTime`. Flat at the last price (0 before the first trade) when nothing traded in it.
    pub window: Candle,
    /// The last price before the window; the window's first price when there is none.
    pub previous_close: Price,
    /// The last trade's quantity; 0 before the first trade.
    pub last_quantity: Quantity,
    /// The best of either side.
    pub best: BestPrices,
}

/// Which candles are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleQuery {
    /// How long each is.
    pub interval: Interval,
    /// Not those that begin before.
    pub start: Option<Time>,
    /// Not those that begin after.
    pub end: Option<Time>,
    /// At most so many (and at most 5,000): the first from `start`, or the last up to `end` when
    /// `start` is `None`.
    pub limit: usize,
    /// The asker's zone in minutes east of UTC, −720 to 840: intervals begin by its clock.
    pub zone_minutes: i32,
}

impl CandleQuery {
    /// Which intervals, and which of them.
    pub(crate) fn zoned_range(&self) -> (ZonedInterval, CandleRange) {
        let Self { interval, start, end, limit, zone_minutes } = *self;
        (ZonedInterval { interval, zone_minutes }, CandleRange { start, end, limit: limit.min(CANDLES_MAX) })
    }
}
