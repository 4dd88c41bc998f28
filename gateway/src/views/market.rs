//! The market of one instrument as anyone may see it: book, trades, candles, ticker. Refuses to
//! know whose orders these are.

use super::{
    AggregateQuery, AggregateTrade, BestPrices, Candle, CandleQuery, Depth, Interval, PublicTrade, Ticker,
    ZonedInterval,
    book::LiveBook,
    bounds::{Held, Leave},
    candles::CandleSeries,
    depth::PublishedBook,
    locks::{read, write},
    tape::Tape,
};
use protocol::{Instrument, InstrumentId, Price, Quantity, Time, filter::AveragePrice};
use services::TradeQuery;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Minutes of the 24-hour ticker.
const DAY_MINUTES: u64 = 1_440;
const MINUTE: u64 = 60_000_000_000;

/// The market of one instrument. Every method takes its lock for a moment and copies out.
#[derive(Debug)]
pub struct Market {
    instrument: InstrumentId,
    /// Ledger units of the quote asset that one quantity unit costs at price 1; never changes.
    quote_per_unit: u128,
    live: RwLock<LiveMarket>,
    published: RwLock<PublishedBook>,
}

/// What the last event left.
#[derive(Debug)]
pub(super) struct LiveMarket {
    pub(super) book: LiveBook,
    pub(super) tape: Tape,
    /// By [`Interval::ALL`].
    series: Vec<CandleSeries>,
}

impl LiveMarket {
    /// Takes in a trade; the book is told of it apart.
    pub(super) fn add_trade(&mut self, trade: &PublicTrade, aggregate_id: u64, leave: &Leave) {
        self.tape.add(trade, aggregate_id, leave);
        for series in &mut self.series {
            series.add(trade, leave);
        }
    }

    /// Its candles, by [`Interval::ALL`].
    pub(super) fn all_series(&self) -> &[CandleSeries] {
        &self.series
    }

    fn series(&self, interval: Interval) -> &CandleSeries {
        &self.series[interval as usize]
    }

    /// All trades from `since` on in one candle; `None` when there are none.
    fn window(&self, since: Time) -> Option<(Candle, Price)> {
        let mut minutes = self.series(Interval::OneMinute).newest_first();
        let mut window = *minutes.next().filter(|candle| candle.open_time >= since)?;
        for candle in minutes {
            if candle.open_time < since {
                return Some((window, candle.close));
            }
            let later = std::mem::replace(&mut window, *candle);
            window.merge(&later);
        }
        Some((window, window.open))
    }
}

impl Market {
    pub(super) fn new(instrument: &Instrument) -> Self {
        let live = LiveMarket {
            book: LiveBook::default(),
            tape: Tape::default(),
            series: Interval::ALL.into_iter().map(CandleSeries::new).collect(),
        };
        Self {
            instrument: instrument.id,
            quote_per_unit: instrument.quote_per_unit.unsigned_abs().into(),
            live: RwLock::new(live),
            published: RwLock::default(),
        }
    }

    /// The market that was left as these.
    pub(super) fn restored(
        instrument: &Instrument,
        book: LiveBook,
        tape: Tape,
        series: Vec<CandleSeries>,
    ) -> Self {
        Self { live: RwLock::new(LiveMarket { book, tape, series }), ..Self::new(instrument) }
    }

    /// Of which instrument.
    pub const fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    /// The book, at most `limit` levels a side, at the version that the difference stream last
    /// sent: a client that joins both finds no gap.
    pub fn depth(&self, limit: usize) -> Depth {
        read(&self.published).depth(limit)
    }

    /// The best of either side just now.
    pub fn best(&self) -> BestPrices {
        read(&self.live).book.best()
    }

    /// The last trade, if there was one.
    pub fn last_trade(&self) -> Option<PublicTrade> {
        read(&self.live).tape.last()
    }

    /// Trades, the oldest first.
    pub fn trades(&self, query: TradeQuery) -> Held<Vec<PublicTrade>> {
        read(&self.live).tape.trades(query)
    }

    /// Aggregate trades, the oldest first.
    pub fn aggregate_trades(&self, query: &AggregateQuery) -> Held<Vec<AggregateTrade>> {
        read(&self.live).tape.aggregates(query)
    }

    /// Candles, the oldest first; flat ones where nothing traded, up to the interval of `now`.
    /// None before the first trade there ever was.
    pub fn candles(&self, query: &CandleQuery, now: Time) -> Held<Vec<Candle>> {
        let (zoned, range) = query.zoned_range();
        read(&self.live).series(zoned.made_from()).read(zoned, range, now)
    }

    /// The kept candles that an interval's are made from, the oldest first, those with trades alone.
    pub(crate) fn kept_candles(&self, made_from: Interval) -> Vec<Candle> {
        read(&self.live).series(made_from).kept()
    }

    /// The candle that begins at `open_time`, flat if nothing traded in it; `None` when nothing
    /// had traded before it either.
    pub(super) fn candle_at(&self, zoned: ZonedInterval, open_time: Time) -> Option<Candle> {
        let ZonedInterval { interval, zone_minutes } = zoned;
        let (start, end) = (Some(open_time), Some(open_time));
        let query = CandleQuery { interval, start, end, limit: 1, zone_minutes };
        self.candles(&query, open_time).found.first().copied()
    }

    /// The last 24 hours.
    pub fn ticker(&self, now: Time) -> Ticker {
        let since = Time((now.minute() + 1).saturating_sub(DAY_MINUTES) * MINUTE);
        let live = read(&self.live);
        let last = live.tape.last();
        let (window, previous_close) = live.window(since).unwrap_or_else(|| {
            let price = last.map_or(Price(0), |trade| trade.price);
            (Candle::flat(price, since, now), price)
        });
        Ticker {
            window: Candle { open_time: since, end_time: now, ..window },
            previous_close,
            last_quantity: last.map_or(Quantity(0), |trade| trade.quantity),
            best: live.book.best(),
        }
    }

    /// What traded from `since` (a whole minute) until `now`, as one candle; flat at the last price
    /// when nothing did. Minutes are kept for as many as [`Bounds::candles`](super::Bounds::candles) says.
    pub fn window(&self, since: Time, now: Time) -> Candle {
        let live = read(&self.live);
        let window = live.window(since).map_or_else(
            || Candle::flat(live.tape.last().map_or(Price(0), |trade| trade.price), since, now),
            |(window, _)| window,
        );
        Candle { open_time: since, end_time: now, ..window }
    }

    /// The average over the last `minutes` (the instrument's `average_minutes`), or the last price
    /// when nothing traded in them; `None` before the first trade.
    pub fn average_price(&self, minutes: u8, now: Time) -> Option<AveragePrice> {
        let since = Time((now.minute() + 1).saturating_sub(u64::from(minutes)) * MINUTE);
        let live = read(&self.live);
        match live.window(since) {
            Some((window, _)) => Some(AveragePrice {
                notional: window.quote_volume / self.quote_per_unit,
                quantity: window.volume,
            }),
            None => live.tape.last().map(|trade| AveragePrice::of(trade.price)),
        }
    }

    /// The price that bounds are reckoned from just now, in 10^-8 of the quote asset, cut: the average
    /// of trades, else the instrument's reference price; `None` when there is neither.
    pub(super) fn reference_price(&self, instrument: &Instrument, now: Time) -> Option<i128> {
        let reference = instrument.filters.reference_price;
        let average = self
            .average_price(instrument.filters.average_minutes, now)
            .or_else(|| (reference.0 > 0).then(|| AveragePrice::of(reference)))?;
        // A price has at most eight decimals.
        let one = 10_u128.pow(u32::from(8 - instrument.price_scale));
        Some((average.notional.saturating_mul(one) / average.quantity) as i128)
    }

    pub(super) fn live(&self) -> RwLockReadGuard<'_, LiveMarket> {
        read(&self.live)
    }

    pub(super) fn live_mut(&self) -> RwLockWriteGuard<'_, LiveMarket> {
        write(&self.live)
    }

    pub(super) fn published_mut(&self) -> RwLockWriteGuard<'_, PublishedBook> {
        write(&self.published)
    }
}
