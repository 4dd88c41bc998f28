//! Circuit breakers: an instrument whose last price moved too far in too short a time stops, takes
//! orders, and reopens by an auction. The window is kept in sixteen parts with the lowest and the
//! highest last price of each, so that it is bounded whatever trades. Refuses to know orders.

use crate::{Engine, books::Books};
use protocol::{
    InstrumentId, InstrumentStatus, Price, Time,
    event::{EventBuffer, EventKind, InstrumentChanged, InstrumentHalted},
    terms::{BASIS_POINTS, Breaker},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Parts of a window.
const PARTS: u64 = 16;

/// The last prices of one part of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) number: u64,
    pub(super) low: Price,
    pub(super) high: Price,
}

/// A breaker and its window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watched {
    pub(super) breaker: Breaker,
    pub(super) parts: VecDeque<Part>,
}

/// All breakers, and the instruments they halted.
#[derive(Debug, Default)]
pub(super) struct Breakers {
    pub(super) watched: BTreeMap<InstrumentId, Watched>,
    pub(super) reopenings: BTreeSet<(Time, InstrumentId)>,
}

impl Watched {
    /// Takes in a last price; the price it moved too far from, if it did.
    fn add(&mut self, time: Time, last: Price) -> Option<Price> {
        let number = time.0 / (self.breaker.window / PARTS).max(1);
        while self.parts.front().is_some_and(|part| part.number + PARTS <= number) {
            self.parts.pop_front();
        }
        let low = self.parts.iter().map(|part| part.low).min();
        let high = self.parts.iter().map(|part| part.high).max();
        match self.parts.back_mut().filter(|part| part.number == number) {
            Some(part) => (part.low, part.high) = (part.low.min(last), part.high.max(last)),
            None => self.parts.push_back(Part { number, low: last, high: last }),
        }
        let scaled = |price: Price, share: u32| u64::from(price.0) * u64::from(share);
        let one = BASIS_POINTS;
        let risen = low.filter(|low| scaled(last, one) > scaled(*low, one.saturating_add(self.breaker.band)));
        let fallen =
            || high.filter(|high| scaled(last, one) < scaled(*high, one.saturating_sub(self.breaker.band)));
        risen.or_else(fallen)
    }
}

impl Breakers {
    pub(super) fn is_set(&self, instrument: InstrumentId) -> bool {
        self.watched.contains_key(&instrument)
    }

    pub(super) fn set(&mut self, instrument: InstrumentId, breaker: Breaker) {
        if breaker.band == 0 {
            self.watched.remove(&instrument);
        } else {
            self.watched.insert(instrument, Watched { breaker, parts: VecDeque::new() });
        }
    }

    pub(super) fn next_reopening(&self) -> Option<(Time, InstrumentId)> {
        self.reopenings.first().copied()
    }

    /// Another hand decides when the instrument trades.
    pub(super) fn forget_halt(&mut self, instrument: InstrumentId) {
        self.reopenings.retain(|(_, halted)| *halted != instrument);
    }
}

impl<B: Books> Engine<B> {
    /// Halts the instrument if its last price moved too far.
    pub(super) fn look_at_breaker(&mut self, instrument: InstrumentId, events: &mut EventBuffer) {
        let market = &mut self.markets[usize::from(instrument.0) - 1];
        let Some(watched) = self.contingent.breakers.watched.get_mut(&instrument) else { return };
        let Some(last_price) = market.last_price().filter(|_| market.instrument.status.matches()) else {
            return;
        };
        let Some(from_price) = watched.add(self.time, last_price) else { return };
        watched.parts.clear();
        let reopens_at = Time(self.time.0.saturating_add(watched.breaker.halt));
        market.instrument.status = InstrumentStatus::PreOpen;
        let halted = InstrumentHalted { instrument, reserved: [0; 6], last_price, from_price, reopens_at };
        events.push(EventKind::InstrumentHalted, &halted);
        events.push(EventKind::InstrumentChanged, &InstrumentChanged { instrument: market.instrument });
        self.contingent.breakers.reopenings.insert((reopens_at, instrument));
    }

    /// Reopens the instrument whose halt ends first and by `time`; says whether there was one.
    pub(super) fn reopen_due(&mut self, time: Time, events: &mut EventBuffer) -> bool {
        let due = self.contingent.breakers.next_reopening().filter(|(due, _)| *due <= time);
        let Some((due, instrument)) = due else { return false };
        self.contingent.breakers.reopenings.remove(&(due, instrument));
        self.hold_auction(instrument, events);
        let market = &mut self.markets[usize::from(instrument.0) - 1];
        market.instrument.status = InstrumentStatus::Trading;
        events.push(EventKind::InstrumentChanged, &InstrumentChanged { instrument: market.instrument });
        self.wake(instrument);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Prices = &'static [(u64, u32)];

    #[test]
    fn a_move_beyond_the_band_within_the_window_is_told() {
        const SECOND: u64 = 1_000_000_000;
        let breaker = Breaker { band: 1_000, reserved: 0, window: 16 * SECOND, halt: SECOND };
        let cases: [(Prices, Option<u32>); 6] = [
            (&[(0, 1_000), (1, 1_100)], None),
            (&[(0, 1_000), (1, 1_101)], Some(1_000)),
            (&[(0, 1_000), (1, 900)], None),
            (&[(0, 1_000), (1, 899)], Some(1_000)),
            (&[(0, 1_000), (15, 1_101)], Some(1_000)),
            (&[(0, 1_000), (16, 1_101)], None),
        ];
        for (prices, expected) in cases {
            let mut watched = Watched { breaker, parts: VecDeque::new() };
            let told =
                prices.iter().filter_map(|(second, price)| watched.add(Time(second * SECOND), Price(*price)));
            assert_eq!(told.last(), expected.map(Price), "{prices:?}");
            assert!(watched.parts.len() <= 16);
        }
    }
}
