//! Candles of one interval: those with trades are kept, flat ones between them are made when
//! read. Refuses to know any clock but the times given to it.

use super::{Candle, Interval, PublicTrade, ZonedInterval};
use protocol::{Price, Side, Time, TradeId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

impl Candle {
    /// A candle of a single trade.
    pub(super) fn of(trade: &PublicTrade, open_time: Time, end_time: Time) -> Self {
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
    pub(super) fn flat(price: Price, open_time: Time, end_time: Time) -> Self {
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
    pub(super) fn merge(&mut self, later: &Self) {
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
}

/// The candles of one interval, the oldest first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CandleSeries {
    interval: Interval,
    candles: VecDeque<Candle>,
    bound: usize,
}

/// Which part of a series is asked for (see [`super::CandleQuery`]).
#[derive(Clone, Copy, Debug)]
pub(super) struct CandleRange {
    pub(super) start: Option<Time>,
    pub(super) end: Option<Time>,
    pub(super) limit: usize,
}

impl CandleSeries {
    pub(super) fn new(interval: Interval, bound: usize) -> Self {
        Self { interval, candles: VecDeque::new(), bound: bound.max(1) }
    }

    /// Keeps so many from now on.
    pub(super) fn set_bound(&mut self, bound: usize) {
        self.bound = bound.max(1);
    }

    /// Takes in a trade; times never go backwards.
    pub(super) fn add(&mut self, trade: &PublicTrade) {
        match self.candles.back_mut() {
            Some(last) if trade.time < last.end_time => {
                last.merge(&Candle::of(trade, last.open_time, last.end_time));
            }
            _ => {
                let open_time = self.interval.open(trade.time);
                if self.candles.len() >= self.bound {
                    self.candles.pop_front();
                }
                self.candles.push_back(Candle::of(trade, open_time, self.interval.next(open_time)));
            }
        }
    }

    /// The candles that have trades, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Candle> {
        self.candles.iter().rev()
    }

    /// Candles up to the interval of `now`, flat ones made.
    pub(super) fn read(&self, range: CandleRange, now: Time) -> Vec<Candle> {
        read(&self.candles, ZonedInterval::utc(self.interval), range, now)
    }

    /// Candles of a longer interval, by a clock of its own, made from these.
    pub(super) fn read_as(&self, zoned: ZonedInterval, range: CandleRange, now: Time) -> Vec<Candle> {
        let mut merged: VecDeque<Candle> = VecDeque::new();
        for candle in &self.candles {
            match merged.back_mut() {
                Some(last) if candle.open_time < last.end_time => last.merge(candle),
                _ => {
                    let open_time = zoned.open(candle.open_time);
                    merged.push_back(Candle { open_time, end_time: zoned.next(open_time), ..*candle });
                }
            }
        }
        read(&merged, zoned, range, now)
    }
}

fn read(candles: &VecDeque<Candle>, zoned: ZonedInterval, range: CandleRange, now: Time) -> Vec<Candle> {
    let (Some(oldest), Some(newest)) = (candles.front(), candles.back()) else { return Vec::new() };
    let mut last = zoned.open(now).max(newest.open_time);
    if let Some(end) = range.end {
        last = last.min(zoned.open(end));
    }
    let mut open = match range.start {
        Some(start) => {
            let open = zoned.open(start);
            if open < start { zoned.next(open) } else { open }
        }
        None => (1..range.limit).fold(last, |open, _| zoned.open(Time(open.0.saturating_sub(1)))),
    };
    open = open.max(oldest.open_time);
    let mut index = candles.partition_point(|candle| candle.open_time < open);
    let mut close = index.checked_sub(1).map_or(oldest.open, |before| candles[before].close);
    let mut answer = Vec::with_capacity(range.limit.min(1_000));
    while open <= last && answer.len() < range.limit {
        let next = zoned.next(open);
        match candles.get(index) {
            Some(candle) if candle.open_time == open => {
                answer.push(*candle);
                close = candle.close;
                index += 1;
            }
            _ => answer.push(Candle::flat(close, open, next)),
        }
        open = next;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Quantity;

    const MINUTE: u64 = 60_000_000_000;

    fn trade(id: u64, minute: u64, price: u32, taker_side: Side) -> PublicTrade {
        PublicTrade {
            trade_id: TradeId(id),
            price: Price(price),
            quantity: Quantity(2),
            quote: i64::from(price) * 2,
            time: Time(minute * MINUTE + id),
            taker_side,
        }
    }

    fn series(bound: usize) -> CandleSeries {
        let mut series = CandleSeries::new(Interval::OneMinute, bound);
        for (id, minute, price, side) in
            [(1, 100, 5, Side::Buy), (2, 100, 9, Side::Sell), (3, 100, 4, Side::Buy), (4, 103, 7, Side::Sell)]
        {
            series.add(&trade(id, minute, price, side));
        }
        series
    }

    fn closes(candles: &[Candle]) -> Vec<(u64, u32, u64)> {
        candles.iter().map(|candle| (candle.open_time.minute(), candle.close.0, candle.trades)).collect()
    }

    #[test]
    fn a_candle_sums_its_trades() {
        let all = CandleRange { start: Some(Time(0)), end: None, limit: 1 };
        let expected = Candle {
            open_time: Time(100 * MINUTE),
            end_time: Time(101 * MINUTE),
            open: Price(5),
            high: Price(9),
            low: Price(4),
            close: Price(4),
            volume: 6,
            quote_volume: 36,
            taker_volume: 4,
            taker_quote_volume: 18,
            trades: 3,
            first_trade: TradeId(1),
            last_trade: TradeId(3),
        };
        assert_eq!(series(9).read(all, Time(200 * MINUTE)), [expected]);
    }

    #[test]
    fn empty_intervals_are_flat_and_ranges_hold() {
        let at = |minute: u64| Some(Time(minute * MINUTE));
        let series = series(9);
        let now = Time(105 * MINUTE);
        let whole = [(100, 4, 3), (101, 4, 0), (102, 4, 0), (103, 7, 1), (104, 7, 0), (105, 7, 0)];
        for (start, end, limit, expected) in [
            (at(0), None, 1_000, &whole[..]),
            (None, None, 1_000, &whole[..]),
            (None, None, 2, &whole[4..]),
            (at(101), None, 2, &whole[1..3]),
            (Some(Time(100 * MINUTE + 1)), None, 1, &whole[1..2]),
            (None, at(103), 3, &whole[1..4]),
            (at(102), Some(Time(103 * MINUTE - 1)), 9, &whole[2..3]),
            (at(106), None, 9, &[]),
            (at(0), at(99), 9, &[]),
            (None, None, 0, &[]),
        ] {
            let read = series.read(CandleRange { start, end, limit }, now);
            assert_eq!(closes(&read), expected, "{start:?} {end:?} {limit}");
        }
        let none = CandleSeries::new(Interval::OneMinute, 9);
        assert!(none.read(CandleRange { start: at(0), end: None, limit: 9 }, now).is_empty());
    }

    #[test]
    fn the_oldest_candle_goes_first() {
        let all = CandleRange { start: Some(Time(0)), end: None, limit: 9 };
        assert_eq!(closes(&series(1).read(all, Time(104 * MINUTE))), [(103, 7, 1), (104, 7, 0)]);
    }

    #[test]
    fn a_zone_moves_where_days_begin() {
        let mut hours = CandleSeries::new(Interval::OneHour, 99);
        let hour = 60;
        for (id, at) in [(1, 24 * 10 * hour), (2, (24 * 10 + 15) * hour), (3, (24 * 10 + 16) * hour)] {
            hours.add(&trade(id, at, 5 + id as u32, Side::Buy));
        }
        let all = CandleRange { start: Some(Time(0)), end: None, limit: 9 };
        let days = hours.read_as(
            ZonedInterval { interval: Interval::OneDay, zone_minutes: 8 * 60 },
            all,
            Time((24 * 10 + 17) * hour * MINUTE),
        );
        let start = (24 * 10 - 8) * hour;
        assert_eq!(closes(&days), [(start, 7, 2), (start + 24 * hour, 8, 1)]);
    }
}
