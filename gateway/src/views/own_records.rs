//! What an account may look up of its orders beside their trades: matches that self-trade prevention
//! stopped, and amendments. Refuses to know the orders themselves.

use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, Price, Quantity, SelfTradePrevention, Side, Time,
    event::TradePrevented,
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Two orders that would have traded, as one of their owners sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreventedMatch {
    /// Consecutive over the engine.
    pub prevented_match_id: u64,
    /// Where.
    pub instrument: InstrumentId,
    /// The order that came.
    pub taker_order_id: OrderId,
    /// Whose order came.
    pub taker_account: AccountId,
    /// The side of the order that came.
    pub taker_side: Side,
    /// The order that rested.
    pub maker_order_id: OrderId,
    /// Whose order rested.
    pub maker_account: AccountId,
    /// The mode that applied.
    pub mode: SelfTradePrevention,
    /// At which price they would have traded.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// When.
    pub time: Time,
}

/// An order that became smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// Where.
    pub instrument: InstrumentId,
    /// Which order.
    pub order_id: OrderId,
    /// Grows over the engine: twice the event's number.
    pub execution_id: u64,
    /// What the order was called before.
    pub name_before: ClientOrderId,
    /// What it is called since.
    pub name: ClientOrderId,
    /// What it asked for before, what had traded included.
    pub quantity_before: Quantity,
    /// What it asks for since.
    pub quantity: Quantity,
    /// When.
    pub time: Time,
}

/// Which prevented matches are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreventedMatchQuery {
    /// Where.
    pub instrument: InstrumentId,
    /// Only this one.
    pub prevented_match_id: Option<u64>,
    /// Only those of this order, on either side.
    pub order_id: Option<OrderId>,
    /// From this id on.
    pub from_id: Option<u64>,
    /// At most so many, the first ones.
    pub limit: usize,
}

/// The newest records of one kind, the oldest first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Records<T>(VecDeque<T>);

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Copy> Records<T> {
    pub(super) fn add(&mut self, record: T, bound: usize) {
        if self.0.len() >= bound.max(1) {
            self.0.pop_front();
        }
        self.0.push_back(record);
    }

    /// The first `limit` of those that are wanted.
    pub(super) fn first(&self, limit: usize, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        self.0.iter().filter(|record| wanted(record)).take(limit).copied().collect()
    }
}

impl PreventedMatch {
    pub(super) fn of(event: &TradePrevented, time: Time) -> Self {
        Self {
            prevented_match_id: event.prevented_match_id,
            instrument: event.instrument,
            taker_order_id: event.taker_order_id,
            taker_account: event.taker_account,
            taker_side: event.taker_side,
            maker_order_id: event.maker_order_id,
            maker_account: event.maker_account,
            mode: event.mode,
            price: event.price,
            quantity: event.quantity,
            time,
        }
    }
}

impl PreventedMatchQuery {
    pub(super) fn wants(&self, prevented: &PreventedMatch) -> bool {
        prevented.instrument == self.instrument
            && self.prevented_match_id.is_none_or(|id| prevented.prevented_match_id == id)
            && self
                .order_id
                .is_none_or(|id| [prevented.taker_order_id, prevented.maker_order_id].contains(&id))
            && self.from_id.is_none_or(|id| prevented.prevented_match_id >= id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_record_goes_first() {
        let mut records = Records::default();
        for number in 1..=5 {
            records.add(number, 3);
        }
        assert_eq!(records.first(9, |_| true), [3, 4, 5]);
        assert_eq!(records.first(1, |number| *number > 3), [4]);
    }

    #[test]
    fn prevented_matches_are_found_by_either_order() {
        let prevented = PreventedMatch {
            prevented_match_id: 7,
            instrument: InstrumentId(1),
            taker_order_id: OrderId(20),
            taker_account: AccountId(3),
            taker_side: Side::Buy,
            maker_order_id: OrderId(10),
            maker_account: AccountId(3),
            mode: SelfTradePrevention::ExpireBoth,
            price: Price(5),
            quantity: Quantity(2),
            time: Time(1),
        };
        let all = PreventedMatchQuery {
            instrument: InstrumentId(1),
            prevented_match_id: None,
            order_id: None,
            from_id: None,
            limit: 9,
        };
        for (query, wanted) in [
            (all, true),
            (PreventedMatchQuery { instrument: InstrumentId(2), ..all }, false),
            (PreventedMatchQuery { prevented_match_id: Some(7), ..all }, true),
            (PreventedMatchQuery { prevented_match_id: Some(8), ..all }, false),
            (PreventedMatchQuery { order_id: Some(OrderId(10)), ..all }, true),
            (PreventedMatchQuery { order_id: Some(OrderId(20)), ..all }, true),
            (PreventedMatchQuery { order_id: Some(OrderId(30)), ..all }, false),
            (PreventedMatchQuery { from_id: Some(7), ..all }, true),
            (PreventedMatchQuery { from_id: Some(8), ..all }, false),
        ] {
            assert_eq!(query.wants(&prevented), wanted, "{query:?}");
        }
    }
}
