//! Which waiting orders a last price meets, and in which order (docs/decisions/triggers.md). Refuses
//! to know what happens to them.

use protocol::{OrderId, Price, Side, terms::BASIS_POINTS};
use std::{cmp::Reverse, collections::BTreeSet};

/// The triggers of one instrument.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    /// Met by a last price at or above.
    rising: BTreeSet<(Price, OrderId)>,
    /// Met by a last price at or below.
    falling: BTreeSet<(Reverse<Price>, OrderId)>,
    /// Buys that trail, by the lowest price since.
    lows: BTreeSet<(Price, OrderId)>,
    /// Sells that trail, by the highest price since.
    highs: BTreeSet<(Price, OrderId)>,
}

/// The trigger that follows `extreme` by `delta` basis points of it: the nearest price unit that is
/// that far or farther.
pub(super) fn trail(side: Side, extreme: Price, delta: u32) -> Price {
    let (extreme, delta) = (u64::from(extreme.0), u64::from(delta));
    let one = u64::from(BASIS_POINTS);
    let trigger = match side {
        Side::Buy => (extreme * (one + delta)).div_ceil(one),
        Side::Sell => extreme * one.saturating_sub(delta) / one,
    };
    Price(u32::try_from(trigger).unwrap_or(u32::MAX).max(1))
}

impl Triggers {
    /// Adds an order's trigger; `rises` says from which side it is met.
    pub(super) fn insert(&mut self, rises: bool, trigger: Price, order_id: OrderId) {
        if rises {
            self.rising.insert((trigger, order_id));
        } else {
            self.falling.insert((Reverse(trigger), order_id));
        }
    }

    /// Takes it out.
    pub(super) fn remove(&mut self, rises: bool, trigger: Price, order_id: OrderId) {
        if rises {
            self.rising.remove(&(trigger, order_id));
        } else {
            self.falling.remove(&(Reverse(trigger), order_id));
        }
    }

    /// Notes from which price on an order trails.
    pub(super) fn insert_extreme(&mut self, side: Side, extreme: Price, order_id: OrderId) {
        match side {
            Side::Buy => self.lows.insert((extreme, order_id)),
            Side::Sell => self.highs.insert((extreme, order_id)),
        };
    }

    /// Takes it out.
    pub(super) fn remove_extreme(&mut self, side: Side, extreme: Price, order_id: OrderId) {
        match side {
            Side::Buy => self.lows.remove(&(extreme, order_id)),
            Side::Sell => self.highs.remove(&(extreme, order_id)),
        };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rising.is_empty() && self.falling.is_empty() && self.lows.is_empty() && self.highs.is_empty()
    }

    /// An order whose extreme `last` goes beyond: it trails from there.
    pub(super) fn outrun(&self, last: Price) -> Option<OrderId> {
        let low = self.lows.last().filter(|(low, _)| *low > last);
        let high = self.highs.first().filter(|(high, _)| *high < last);
        low.or(high).map(|(_, order_id)| *order_id)
    }

    /// The order that goes in first at `last`: of those met from below the lowest trigger, then of
    /// those met from above the highest; of one trigger the oldest order.
    pub(super) fn first_met(&self, last: Price) -> Option<OrderId> {
        let rising = self.rising.first().filter(|(trigger, _)| *trigger <= last).map(|(_, id)| *id);
        let falling = || self.falling.first().filter(|(trigger, _)| trigger.0 >= last).map(|(_, id)| *id);
        rising.or_else(falling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trails_by_no_less_than_the_delta() {
        let cases = [
            (Side::Sell, 10_000, 100, 9_900),
            (Side::Sell, 9_999, 100, 9_899), // 9,899.01
            (Side::Buy, 10_000, 100, 10_100),
            (Side::Buy, 9_999, 100, 10_099), // 10,098.99
            (Side::Sell, 1, 5_000, 1),
            (Side::Buy, u32::MAX - 1, 9_999, u32::MAX),
        ];
        for (side, extreme, delta, trigger) in cases {
            assert_eq!(trail(side, Price(extreme), delta), Price(trigger), "{side:?} {extreme} {delta}");
        }
    }

    #[test]
    fn the_lowest_from_below_then_the_highest_from_above_then_the_oldest() {
        let mut triggers = Triggers::default();
        for (rises, trigger, order_id) in
            [(true, 11, 4), (true, 10, 9), (true, 10, 3), (false, 12, 5), (false, 13, 7), (false, 13, 6)]
        {
            triggers.insert(rises, Price(trigger), OrderId(order_id));
        }
        let mut order = Vec::new();
        while let Some(first) = triggers.first_met(Price(11)) {
            order.push(first.0);
            for rises in [true, false] {
                for trigger in 10..14 {
                    triggers.remove(rises, Price(trigger), first);
                }
            }
        }
        assert_eq!(order, [3, 9, 4, 6, 7, 5]);
        assert!(triggers.is_empty());
    }
}
