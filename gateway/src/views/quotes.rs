//! What the market views answer with, and what they are asked: plain values. Refuses to know how
//! they are made and how they are shown.

use super::Interval;
use protocol::{Price, Quantity, Sequence, Side, Time, TradeId};
use serde::{Deserialize, Serialize};

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

/// A trade as anyone may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicTrade {
    /// Consecutive within the instrument.
    pub trade_id: TradeId,
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// Price × quantity in ledger units of the quote asset.
    pub quote: i64,
    /// When.
    pub time: Time,
    /// The side of the order that came; the buyer is the maker when it sold.
    pub taker_side: Side,
}

/// The fills of one taker at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AggregateTrade {
    /// Consecutive within the instrument.
    pub aggregate_id: u64,
    /// At which price.
    pub price: Price,
    /// How much, all fills together.
    pub quantity: Quantity,
    /// The first fill.
    pub first: TradeId,
    /// The last fill.
    pub last: TradeId,
    /// When.
    pub time: Time,
    /// The side of the order that came.
    pub taker_side: Side,
}

/// What happened in one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    /// When the interval begins.
    pub open_time: Time,
    /// The first nanosecond after it; clients are shown one millisecond (or microsecond) less.
    pub end_time: Time,
    /// The first price; of a flat candle, the last one before it.
    pub open: Price,
    /// The highest price.
    pub high: Price,
    /// The lowest price.
    pub low: Price,
    /// The last price.
    pub close: Price,
    /// Quantity units traded.
    pub volume: u128,
    /// Ledger units of the quote asset traded.
    pub quote_volume: u128,
    /// Quantity units that takers bought.
    pub taker_volume: u128,
    /// Ledger units of the quote asset that takers bought with.
    pub taker_quote_volume: u128,
    /// How many trades; 0 makes it a flat candle.
    pub trades: u64,
    /// The first trade; 0 in a flat candle.
    pub first_trade: TradeId,
    /// The last trade; 0 in a flat candle.
    pub last_trade: TradeId,
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

impl Candle {
    /// The last price less the first, in price units.
    pub const fn change(&self) -> i64 {
        self.close.0 as i64 - self.open.0 as i64
    }

    /// The change in 1/1,000 of a percent of the first price, rounded to the nearest; 0 before any
    /// trade.
    pub const fn change_percent(&self) -> i64 {
        let open = self.open.0 as i64;
        let change = self.change();
        if open == 0 { 0 } else { (change * 200_000 + open * change.signum()) / (2 * open) }
    }

    /// The change in percent as clients are sent it: three decimals.
    pub fn change_percent_text(&self) -> String {
        let thousandths = self.change_percent();
        let sign = if thousandths < 0 { "-" } else { "" };
        let magnitude = thousandths.unsigned_abs();
        format!("{sign}{}.{:03}", magnitude / 1_000, magnitude % 1_000)
    }

    /// The volume-weighted average price in 10^-8 of the quote asset for one of the base, cut; 0
    /// when nothing traded. `quote_scale` and `quantity_scale` are the instrument's.
    pub fn weighted_average(&self, quote_scale: u8, quantity_scale: u8) -> i128 {
        if self.volume == 0 {
            return 0;
        }
        // price_scale + quantity_scale are at most quote_scale, which is at most 8: no underflow.
        let shift = u32::from(8 + quantity_scale - quote_scale);
        let scaled = self.quote_volume.saturating_mul(10_u128.pow(shift));
        (scaled / self.volume) as i128
    }
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

/// Which aggregate trades are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggregateQuery {
    /// From this id on.
    pub from_id: Option<u64>,
    /// Not before.
    pub start: Option<Time>,
    /// Not after.
    pub end: Option<Time>,
    /// At most so many: the first from `from_id` or `start`, otherwise the last.
    pub limit: usize,
}
