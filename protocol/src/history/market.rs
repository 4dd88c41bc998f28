//! Trades as anyone may see them, and candles made of them. Refuses to know whose they are.

use crate::{Price, Quantity, Side, Time, TradeId};
use serde::{Deserialize, Serialize};

/// A trade as anyone may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicTrade {
    /// Consecutive within the instrument, from 1.
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
    /// Consecutive within the instrument, from 1.
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

impl Candle {
    /// A candle of a single trade.
    pub fn of(trade: &PublicTrade, open_time: Time, end_time: Time) -> Self {
        let (volume, quote_volume) = (u128::from(trade.quantity.0), trade.quote as u128);
        let bought = u128::from(trade.taker_side == Side::Buy);
        Self {
            open_time,
            end_time,
            open: trade.price,
            high: trade.price,
            low: trade.price,
            close: trade.price,
            volume,
            quote_volume,
            taker_volume: volume * bought,
            taker_quote_volume: quote_volume * bought,
            trades: 1,
            first_trade: trade.trade_id,
            last_trade: trade.trade_id,
        }
    }

    /// A candle of an interval without trades.
    pub fn flat(price: Price, open_time: Time, end_time: Time) -> Self {
        Self {
            open_time,
            end_time,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 0,
            quote_volume: 0,
            taker_volume: 0,
            taker_quote_volume: 0,
            trades: 0,
            first_trade: TradeId(0),
            last_trade: TradeId(0),
        }
    }

    /// Takes in a later candle's trades; its own times stay.
    pub fn merge(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume += later.volume;
        self.quote_volume += later.quote_volume;
        self.taker_volume += later.taker_volume;
        self.taker_quote_volume += later.taker_quote_volume;
        self.trades += later.trades;
        self.last_trade = later.last_trade;
    }

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
