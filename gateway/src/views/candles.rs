//! Candles of one interval: those with trades are kept, flat ones between them are made when
//! read. Refuses to know any clock but the times given to it.

use super::{
    Candle, Interval, PublicTrade, ZonedInterval,
    bounds::{Gone, Held, Leave},
};
use protocol::Time;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The candles of one interval, the oldest first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CandleSeries {
    interval: Interval,
    candles: VecDeque<Candle>,
    gone: Gone,
}

/// Which part of a series is asked for (see [`super::CandleQuery`]).
#[derive(Clone, Copy, Debug)]
pub(crate) struct CandleRange {
    pub(crate) start: Option<Time>,
    pub(crate) end: Option<Time>,
    pub(crate) limit: usize,
}

impl CandleSeries {
    pub(super) const fn new(interval: Interval) -> Self {
        Self { interval, candles: VecDeque::new(), gone: Gone::NOTHING }
    }

    /// Takes in a trade; times never go backwards.
    pub(super) fn add(&mut self, trade: &PublicTrade, leave: &Leave) {
        match self.candles.back_mut() {
            Some(last) if trade.time < last.end_time => {
                last.merge(&Candle::of(trade, last.open_time, last.end_time));
            }
            _ => {
                let open_time = self.interval.open(trade.time);
                self.candles.push_back(Candle::of(trade, open_time, self.interval.next(open_time)));
                self.let_go(leave);
            }
        }
    }

    fn let_go(&mut self, leave: &Leave) {
        while let Some(oldest) = self.candles.front() {
            let last_moment = Time(oldest.end_time.0.saturating_sub(1));
            if !leave.oldest(self.candles.len(), leave.bounds.candles, last_moment) {
                return;
            }
            self.candles.pop_front();
            self.gone.note(leave, last_moment);
        }
    }

    /// The candles that have trades, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Candle> {
        self.candles.iter().rev()
    }

    /// The candles that have trades, the oldest first.
    pub(super) fn kept(&self) -> Vec<Candle> {
        self.candles.iter().copied().collect()
    }

    /// Candles up to the interval of `now`, flat ones made, of this interval or of a longer one by a clock
    /// of its own.
    pub(super) fn read(&self, zoned: ZonedInterval, range: CandleRange, now: Time) -> Held<Vec<Candle>> {
        let is_all = self.candles.front().is_none_or(|oldest| {
            // Of a longer interval the first may lack what has left.
            let first_whole = if zoned == ZonedInterval::utc(self.interval) {
                oldest.open_time
            } else {
                zoned.next(zoned.open(oldest.open_time))
            };
            first_open(zoned, range, self.last_open(zoned, range, now)) >= first_whole
        });
        let found = if zoned == ZonedInterval::utc(self.interval) {
            page(&self.candles, zoned, range, now)
        } else {
            page(&merged(self.candles.iter().copied(), zoned), zoned, range, now)
        };
        Held { found, lacks: self.gone.until().filter(|_| !is_all) }
    }

    fn last_open(&self, zoned: ZonedInterval, range: CandleRange, now: Time) -> Time {
        let newest = self.candles.back().map_or(Time(0), |newest| zoned.open(newest.open_time));
        last_open(zoned, range, newest, now)
    }
}

/// Candles of a longer interval, by a clock of its own, made from those of a shorter one.
pub(crate) fn merged(candles: impl Iterator<Item = Candle>, zoned: ZonedInterval) -> VecDeque<Candle> {
    let mut merged: VecDeque<Candle> = VecDeque::new();
    for candle in candles {
        match merged.back_mut() {
            Some(last) if candle.open_time < last.end_time => last.merge(&candle),
            _ => {
                let open_time = zoned.open(candle.open_time);
                merged.push_back(Candle { open_time, end_time: zoned.next(open_time), ..candle });
            }
        }
    }
    merged
}

/// When the last candle opens that a range has in it.
pub(crate) fn last_open(zoned: ZonedInterval, range: CandleRange, newest: Time, now: Time) -> Time {
    let last = zoned.open(now).max(newest);
    range.end.map_or(last, |end| last.min(zoned.open(end)))
}

/// When the first candle opens that a range has in it, if there are candles so early.
pub(crate) fn first_open(zoned: ZonedInterval, range: CandleRange, last: Time) -> Time {
    match range.start {
        Some(start) => {
            let open = zoned.open(start);
            if open < start { zoned.next(open) } else { open }
        }
        None => (1..range.limit).fold(last, |open, _| zoned.open(Time(open.0.saturating_sub(1)))),
    }
}

/// The candles of a range, flat ones made where there are none.
pub(crate) fn page(
    candles: &VecDeque<Candle>,
    zoned: ZonedInterval,
    range: CandleRange,
    now: Time,
) -> Vec<Candle> {
    let (Some(oldest), Some(newest)) = (candles.front(), candles.back()) else { return Vec::new() };
    let last = last_open(zoned, range, newest.open_time, now);
    let mut open = first_open(zoned, range, last).max(oldest.open_time);
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
    use crate::views::Bounds;
    use protocol::{Price, Quantity, Sequence, Side, TradeId};

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

    const MINUTES: ZonedInterval = ZonedInterval::utc(Interval::OneMinute);

    fn keep(candles: usize) -> Leave {
        let bounds = Bounds { candles, ..Bounds::default() };
        Leave { bounds, books: None, now: Sequence(7) }
    }

    fn series(bound: usize) -> CandleSeries {
        let mut series = CandleSeries::new(Interval::OneMinute);
        for (id, minute, price, side) in
            [(1, 100, 5, Side::Buy), (2, 100, 9, Side::Sell), (3, 100, 4, Side::Buy), (4, 103, 7, Side::Sell)]
        {
            series.add(&trade(id, minute, price, side), &keep(bound));
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
        assert_eq!(series(9).read(MINUTES, all, Time(200 * MINUTE)).found, [expected]);
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
            let read = series.read(MINUTES, CandleRange { start, end, limit }, now);
            assert_eq!(closes(&read.found), expected, "{start:?} {end:?} {limit}");
        }
        let none = CandleSeries::new(Interval::OneMinute);
        assert!(none.read(MINUTES, CandleRange { start: at(0), end: None, limit: 9 }, now).found.is_empty());
    }

    #[test]
    fn the_oldest_candle_goes_first() {
        let all = CandleRange { start: Some(Time(0)), end: None, limit: 9 };
        let read = series(1).read(MINUTES, all, Time(104 * MINUTE));
        assert_eq!(closes(&read.found), [(103, 7, 1), (104, 7, 0)]);
        assert_eq!(read.lacks, Some(Sequence(7)), "there were others before");
        let late = CandleRange { start: Some(Time(103 * MINUTE)), ..all };
        assert_eq!(series(1).read(MINUTES, late, Time(104 * MINUTE)).lacks, None);
    }

    #[test]
    fn a_zone_moves_where_days_begin() {
        let mut hours = CandleSeries::new(Interval::OneHour);
        let hour = 60;
        for (id, at) in [(1, 24 * 10 * hour), (2, (24 * 10 + 15) * hour), (3, (24 * 10 + 16) * hour)] {
            hours.add(&trade(id, at, 5 + id as u32, Side::Buy), &keep(99));
        }
        let all = CandleRange { start: Some(Time(0)), end: None, limit: 9 };
        let days = hours.read(
            ZonedInterval { interval: Interval::OneDay, zone_minutes: 8 * 60 },
            all,
            Time((24 * 10 + 17) * hour * MINUTE),
        );
        let start = (24 * 10 - 8) * hour;
        assert_eq!(closes(&days.found), [(start, 7, 2), (start + 24 * hour, 8, 1)]);
    }
}
