//! The average price of the last minutes, for the percent-price filter: volume-weighted, in
//! buckets of a minute. Refuses to know orders.

use protocol::{Price, Quantity, Time, filter::AveragePrice, instrument::AVERAGE_MINUTES_MAX};

const BUCKETS: usize = AVERAGE_MINUTES_MAX as usize;
/// In nanoseconds.
const MINUTE: u64 = 60_000_000_000;

/// What traded in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) minute: u64,
    pub(crate) notional: u128,
    pub(crate) quantity: u128,
}

/// A rolling average.
#[derive(Clone, Debug)]
pub(crate) struct Average {
    minutes: u64,
    last_price: Price,
    /// When the newest bucket's minute ends.
    minute_ends: Time,
    /// By `minute % BUCKETS`.
    buckets: [Bucket; BUCKETS],
    newest: u64,
    /// Sums over the window but for its newest minute.
    notional: u128,
    quantity: u128,
}

impl Average {
    pub(crate) fn new(minutes: u8) -> Self {
        Self {
            minutes: u64::from(minutes),
            last_price: Price(0),
            minute_ends: Time(0),
            buckets: [Bucket::default(); BUCKETS],
            newest: 0,
            notional: 0,
            quantity: 0,
        }
    }

    /// A new window, of the same trades.
    pub(crate) fn set_minutes(&mut self, minutes: u8) {
        self.minutes = u64::from(minutes);
        self.sum();
    }

    pub(crate) fn last_price(&self) -> Option<Price> {
        (self.last_price.0 != 0).then_some(self.last_price)
    }

    /// Minutes that have left the window at `time` no longer count.
    #[inline]
    pub(crate) fn roll(&mut self, time: Time) {
        if time >= self.minute_ends {
            self.open_minute(time);
        }
    }

    #[cold]
    fn open_minute(&mut self, time: Time) {
        self.newest = time.minute();
        self.minute_ends = Time((self.newest + 1) * MINUTE);
        let bucket = &mut self.buckets[self.newest as usize % BUCKETS];
        *bucket = Bucket { minute: self.newest, ..Bucket::default() };
        self.sum();
    }

    fn sum(&mut self) {
        let newest = self.newest;
        let older = self.counted().filter(|bucket| bucket.minute != newest);
        let sums = older.fold((0, 0), |(notional, quantity), bucket| {
            (notional + bucket.notional, quantity + bucket.quantity)
        });
        (self.notional, self.quantity) = sums;
    }

    /// Every minute that was looked at and is not written over yet, oldest first.
    pub(crate) fn minutes(&self) -> impl Iterator<Item = &Bucket> {
        let oldest = (self.newest + 1) as usize % BUCKETS;
        let ring = self.buckets[oldest..].iter().chain(&self.buckets[..oldest]);
        ring.filter(|bucket| bucket.minute > 0)
    }

    /// The last price (0 is none), and when the newest minute ends.
    pub(crate) fn position(&self) -> (Price, Time) {
        (self.last_price, self.minute_ends)
    }

    /// Puts back what [`Average::position`] and [`Average::minutes`] said.
    pub(crate) fn put_back(&mut self, (last_price, minute_ends): (Price, Time), minutes: &[Bucket]) {
        self.last_price = last_price;
        self.minute_ends = minute_ends;
        self.newest = (minute_ends.0 / MINUTE).saturating_sub(1);
        for bucket in minutes {
            self.buckets[bucket.minute as usize % BUCKETS] = *bucket;
        }
        self.sum();
    }

    fn counted(&self) -> impl Iterator<Item = &Bucket> {
        let oldest = (self.newest + 1).saturating_sub(self.minutes);
        self.buckets.iter().filter(move |bucket| bucket.minute >= oldest && bucket.quantity > 0)
    }

    /// Counts a trade, in the minute that [`Average::roll`] opened.
    #[inline]
    pub(crate) fn add(&mut self, price: Price, quantity: Quantity) {
        let notional = u128::from(price.0) * u128::from(quantity.0);
        let bucket = &mut self.buckets[self.newest as usize % BUCKETS];
        bucket.notional += notional;
        bucket.quantity += u128::from(quantity.0);
        self.last_price = price;
    }

    /// The average; the last price when nothing traded in the window; `reference` (0 is none)
    /// before the first trade.
    #[inline]
    pub(crate) fn price(&self, reference: Price) -> Option<AveragePrice> {
        let newest = &self.buckets[self.newest as usize % BUCKETS];
        let quantity = self.quantity + newest.quantity;
        if quantity > 0 {
            return Some(AveragePrice { notional: self.notional + newest.notional, quantity });
        }
        let price = if self.last_price.0 == 0 { reference } else { self.last_price };
        (price.0 != 0).then(|| AveragePrice::of(price))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_leave_the_window() {
        let mut average = Average::new(2);
        assert_eq!(average.price(Price(0)), None);
        assert_eq!(average.price(Price(7)), Some(AveragePrice::of(Price(7))));
        average.roll(Time(100 * MINUTE));
        average.add(Price(10), Quantity(1));
        average.roll(Time(101 * MINUTE));
        average.add(Price(20), Quantity(3));
        assert_eq!(average.price(Price(7)), Some(AveragePrice { notional: 70, quantity: 4 }));
        average.roll(Time(102 * MINUTE));
        assert_eq!(average.price(Price(7)), Some(AveragePrice { notional: 60, quantity: 3 }));
        average.roll(Time(103 * MINUTE));
        assert_eq!(average.price(Price(7)), Some(AveragePrice::of(Price(20))), "the last price stands in");
        average.set_minutes(3);
        assert_eq!(average.price(Price(7)), Some(AveragePrice { notional: 60, quantity: 3 }));
        // A slot of the ring is used again ten minutes later: its old minute is gone.
        average.roll(Time(111 * MINUTE));
        average.add(Price(5), Quantity(1));
        assert_eq!(average.price(Price(7)), Some(AveragePrice { notional: 5, quantity: 1 }));
    }
}
