//! The market of one instrument as anyone may see it: book, trades, candles, ticker. Refuses to
//! know whose orders these are.

use super::{Bounds, Interval};
use protocol::{InstrumentId, Price, Quantity, Sequence, Side, Time, TradeId, filter::AveragePrice};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The last 24 hours, by whole minutes: from the minute 1,439 before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticker {
    /// Prices and volumes over the window. Flat at the last price (0 before the first trade) when
    /// there was no trade in it.
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
    /// At most so many: the first from `start`, or the last up to `end` when `start` is `None`.
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

/// The market of one instrument. Every method takes its lock for a moment and copies out.
#[derive(Debug)]
pub struct Market {
    instrument: InstrumentId,
}

impl Market {
    pub(super) fn new(instrument: InstrumentId, _bounds: &Bounds) -> Self {
        Self { instrument }
    }

    /// Of which instrument.
    pub const fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    /// The book, at most `limit` levels a side, at the version that the difference stream last
    /// sent: a client that joins both finds no gap.
    pub fn depth(&self, limit: usize) -> Depth {
        todo!("{limit}")
    }

    /// The best of either side just now.
    pub fn best(&self) -> BestPrices {
        todo!()
    }

    /// The last trade, if there was one.
    pub fn last_trade(&self) -> Option<PublicTrade> {
        todo!()
    }

    /// The last `limit` trades, the oldest first.
    pub fn last_trades(&self, limit: usize) -> Vec<PublicTrade> {
        todo!("{limit}")
    }

    /// `limit` trades from an id on (or from the oldest that is kept).
    pub fn trades_from(&self, from: TradeId, limit: usize) -> Vec<PublicTrade> {
        todo!("{from} {limit}")
    }

    /// Aggregate trades, the oldest first.
    pub fn aggregate_trades(&self, query: &AggregateQuery) -> Vec<AggregateTrade> {
        todo!("{query:?}")
    }

    /// Candles, the oldest first; flat ones where nothing traded, up to the interval of `now`.
    /// None before the first trade there ever was (or that is kept).
    pub fn candles(&self, query: &CandleQuery, now: Time) -> Vec<Candle> {
        todo!("{query:?} {now}")
    }

    /// The last 24 hours.
    pub fn ticker(&self, now: Time) -> Ticker {
        todo!("{now}")
    }

    /// The average over the last `minutes` (the instrument's `average_minutes`), or the last price
    /// when nothing traded in them; `None` before the first trade.
    pub fn average_price(&self, minutes: u8, now: Time) -> Option<AveragePrice> {
        todo!("{minutes} {now}")
    }
}
