//! What an order may ask beyond price and quantity: a trigger, a trail, an iceberg's tip, a peg, a
//! session to end with; and the words of order lists. They follow an order's fixed part only where
//! they are asked for, so that a plain order carries none of it. Refuses to know books and balances.

use crate::{OrderListId, OrderType, Price, Quantity, record::record_struct};
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// A trailing delta of 100 %, in basis points: what a delta is a share of.
pub const BASIS_POINTS: u32 = 10_000;

/// What a pegged order's price is taken from, once, as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum PegPrice {
    /// Not pegged: the order says its price.
    None = 0,
    /// The best price of its own side.
    Primary = 1,
    /// The best price of the other side.
    Market = 2,
}

record_struct! {
    /// What an order asks beyond its fixed part: 40 bytes. What it does not ask is zero.
    OrderTerms {
        /// The last price at which a stop or take-profit order goes in, or, with a trailing delta,
        /// from which on it trails; 0 is none.
        stop_price: Price,
        /// How far the trigger follows the best price since, in basis points of it; 0 is not at all.
        trailing_delta: u32,
        /// An iceberg's tip: at most so much shows at a time; 0 is all of it.
        visible_quantity: Quantity,
        /// The session that placed it, in its gateway's own count, if the order shall end with it;
        /// 0 is none.
        session: u64,
        /// The client's number for its strategy, carried back; 0 is none.
        strategy_id: i64,
        /// The client's number for the kind of strategy, carried back; 0 is none.
        strategy_type: u32,
        /// What the price is taken from.
        peg: PegPrice,
        /// Levels behind that price, 0 to 100.
        peg_offset: u8,
        /// Zero.
        reserved: [u8; 2],
    }
}

impl OrderTerms {
    /// Terms that ask for nothing.
    pub const NONE: Self = Self {
        stop_price: Price(0),
        trailing_delta: 0,
        visible_quantity: Quantity(0),
        session: 0,
        strategy_id: 0,
        strategy_type: 0,
        peg: PegPrice::None,
        peg_offset: 0,
        reserved: [0; 2],
    };
}

impl OrderType {
    /// Whether it waits for the last price to trigger it.
    pub const fn is_triggered(self) -> bool {
        matches!(self, Self::StopLoss | Self::StopLossLimit | Self::TakeProfit | Self::TakeProfitLimit)
    }

    /// Whether it is a take-profit: its trigger is on the gaining side of the price.
    pub const fn is_take_profit(self) -> bool {
        matches!(self, Self::TakeProfit | Self::TakeProfitLimit)
    }

    /// Whether its owner names no price: what trades is bounded by the protection price.
    pub const fn is_market(self) -> bool {
        matches!(self, Self::Market | Self::StopLoss | Self::TakeProfit)
    }
}

/// Where an order with terms, or of a list, begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum OrderPhase {
    /// It works: it trades and rests as any order.
    Working = 0,
    /// It waits for its trigger, its funds held, in no book.
    Waiting = 1,
    /// It waits for the working order of its list to be filled and holds nothing.
    Pending = 2,
}

record_struct! {
    /// What is said of an accepted order beyond its fixed part: 56 bytes.
    AcceptedTerms {
        /// As asked.
        terms: OrderTerms,
        /// Its list; 0 is none.
        list_id: OrderListId,
        /// The last price that triggers it, as it stands now (a trailing one moves); 0 is none.
        trigger_price: Price,
        /// Where it begins.
        phase: OrderPhase,
        /// Zero.
        reserved: [u8; 3],
    }
}

/// How the orders of a list depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Contingency {
    /// One cancels the other: the first that trades or triggers ends its sibling. The leg above,
    /// then the leg below.
    OneCancelsOther = 0,
    /// One triggers the other: the second goes in when the first is filled. The working order, then
    /// the pending one.
    OneTriggersOther = 1,
    /// One triggers a pair of which one cancels the other: the working order, then the legs above
    /// and below.
    OneTriggersOneCancelsOther = 2,
}

impl Contingency {
    /// How many orders such a list has.
    pub const fn orders(self) -> usize {
        match self {
            Self::OneCancelsOther | Self::OneTriggersOther => 2,
            Self::OneTriggersOneCancelsOther => 3,
        }
    }
}

/// Where a list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum OrderListStatus {
    /// Its orders are in: `EXEC_STARTED`, `EXECUTING`.
    Started = 0,
    /// Pending orders went in: `UPDATED`, `EXECUTING`.
    Updated = 1,
    /// None of its orders is open: `ALL_DONE`.
    Done = 2,
}

/// Whether an account's kill switch is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum KillSwitch {
    /// Orders are taken.
    Off = 0,
    /// Every order was cancelled and none is taken.
    On = 1,
}

record_struct! {
    /// Filters of orders that are not plain, for one instrument: 48 bytes. A bound of 0 is off.
    OrderFilters {
        /// MAX_NUM_ALGO_ORDERS: orders of an account that wait for a trigger.
        max_algo_orders: u32,
        /// MAX_NUM_ICEBERG_ORDERS: icebergs of an account.
        max_iceberg_orders: u32,
        /// MAX_NUM_ORDER_LISTS: order lists of an account.
        max_order_lists: u32,
        /// MAX_NUM_ORDER_AMENDS: amends of an order.
        max_order_amends: u32,
        /// TRAILING_DELTA, in basis points: the least of a trigger above the price (a stop-loss buy,
        /// a take-profit sell).
        min_trailing_above: u32,
        /// The largest.
        max_trailing_above: u32,
        /// The least of a trigger below the price.
        min_trailing_below: u32,
        /// The largest; below 10,000.
        max_trailing_below: u32,
        /// MAX_POSITION: an account's balance of the base asset and what its open buys would add,
        /// in quantity units, beyond which no buy is taken.
        max_position: Quantity,
        /// Zero.
        reserved: u64,
    }
}

impl OrderFilters {
    /// No bound but on trailing deltas: 0.01 % to 99.99 %.
    pub const fn open() -> Self {
        Self {
            max_algo_orders: 0,
            max_iceberg_orders: 0,
            max_order_lists: 0,
            max_order_amends: 0,
            min_trailing_above: 1,
            max_trailing_above: BASIS_POINTS - 1,
            min_trailing_below: 1,
            max_trailing_below: BASIS_POINTS - 1,
            max_position: Quantity(0),
            reserved: 0,
        }
    }

    /// Whether they do not contradict themselves.
    pub const fn is_valid(&self) -> bool {
        let above = self.min_trailing_above >= 1
            && self.min_trailing_above <= self.max_trailing_above
            && self.max_trailing_above < BASIS_POINTS * 100;
        let below = self.min_trailing_below >= 1
            && self.min_trailing_below <= self.max_trailing_below
            && self.max_trailing_below < BASIS_POINTS;
        above && below
    }
}

record_struct! {
    /// When an instrument halts by itself: 24 bytes. A band of 0 is never.
    Breaker {
        /// How far the last price may move within the window, in basis points of the window's
        /// lowest (upward) or highest (downward) price.
        band: u32,
        /// Zero.
        reserved: u32,
        /// The window, in nanoseconds.
        window: u64,
        /// How long the halt lasts before the reopening auction, in nanoseconds.
        halt: u64,
    }
}

impl Breaker {
    /// No breaker.
    pub const OFF: Self = Self { band: 0, reserved: 0, window: 0, halt: 0 };

    /// Whether it is off, or a window and a halt of at least a second each and at most a day.
    pub const fn is_valid(&self) -> bool {
        const SECOND: u64 = 1_000_000_000;
        const DAY: u64 = 86_400 * SECOND;
        self.band == 0
            || (self.window >= SECOND && self.window <= DAY && self.halt >= SECOND && self.halt <= DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_and_breakers_that_contradict_themselves_are_told() {
        assert!(OrderFilters::open().is_valid());
        let bad: [fn(&mut OrderFilters); 4] = [
            |filters| filters.min_trailing_above = 0,
            |filters| filters.min_trailing_below = 0,
            |filters| filters.max_trailing_below = BASIS_POINTS,
            |filters| filters.max_trailing_above = 0,
        ];
        for spoil in bad {
            let mut filters = OrderFilters::open();
            spoil(&mut filters);
            assert!(!filters.is_valid(), "{filters:?}");
        }
        let second = 1_000_000_000;
        let breaker = Breaker { band: 500, reserved: 0, window: second, halt: second };
        assert!(Breaker::OFF.is_valid() && breaker.is_valid());
        assert!(!Breaker { window: 0, ..breaker }.is_valid());
        assert!(!Breaker { halt: 86_401 * second, ..breaker }.is_valid());
    }

    #[test]
    fn lists_and_types_say_what_they_are() {
        let orders = [
            (Contingency::OneCancelsOther, 2),
            (Contingency::OneTriggersOther, 2),
            (Contingency::OneTriggersOneCancelsOther, 3),
        ];
        for (contingency, count) in orders {
            assert_eq!(contingency.orders(), count);
        }
        let types = [
            (OrderType::Limit, false, false, false),
            (OrderType::Market, false, false, true),
            (OrderType::LimitMaker, false, false, false),
            (OrderType::StopLoss, true, false, true),
            (OrderType::StopLossLimit, true, false, false),
            (OrderType::TakeProfit, true, true, true),
            (OrderType::TakeProfitLimit, true, true, false),
        ];
        for (order_type, triggered, takes_profit, market) in types {
            let said = (order_type.is_triggered(), order_type.is_take_profit(), order_type.is_market());
            assert_eq!(said, (triggered, takes_profit, market), "{order_type:?}");
        }
    }
}
