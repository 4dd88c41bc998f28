//! How much each address has asked for this minute, and how many orders each account has placed
//! (dialect §2.7). Counts truly and in bounded memory; refuses nobody.

use protocol::{AccountId, Time};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The request weight an address may use in a minute.
pub(crate) const WEIGHT_PER_MINUTE: u32 = 6_000;
/// The orders an account may place in 10 seconds.
pub(crate) const ORDERS_PER_10_SECONDS: u32 = 100;
/// The orders an account may place in a day.
pub(crate) const ORDERS_PER_DAY: u32 = 200_000;
/// The requests an address may send in 5 minutes.
pub(crate) const RAW_REQUESTS_PER_5_MINUTES: u32 = 61_000;

/// The most addresses counted apart in one minute; those that come after share one count.
const ADDRESSES_MAX: usize = 100_000;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const TEN_SECONDS: u64 = 10 * SECOND;
const DAY: u64 = 86_400 * SECOND;

/// Orders an account has placed in the present windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OrderCount {
    /// Which 10 seconds, counted from 1970.
    window: u64,
    /// In those 10 seconds.
    pub(crate) ten_seconds: u32,
    /// Since midnight UTC.
    pub(crate) day: u32,
}

/// All counts. Each lock is held for one look into a map.
#[derive(Debug, Default)]
pub(crate) struct RateCounts {
    weights: Mutex<Weights>,
    orders: Mutex<Orders>,
}

#[derive(Debug, Default)]
struct Weights {
    minute: u64,
    used: HashMap<IpAddr, u32>,
    others: u32,
}

/// One entry for each account that has placed an order today: bounded by the accounts there are.
#[derive(Debug, Default)]
struct Orders {
    day: u64,
    placed: HashMap<AccountId, OrderCount>,
}

impl RateCounts {
    /// Adds to what an address has used this minute, and returns the sum.
    pub(crate) fn use_weight(&self, address: IpAddr, weight: u32, now: Time) -> u32 {
        let mut weights = locked(&self.weights);
        let minute = now.0 / MINUTE;
        if weights.minute != minute {
            weights.minute = minute;
            weights.others = 0;
            weights.used.clear();
        }
        let full = weights.used.len() >= ADDRESSES_MAX;
        let used = if full && !weights.used.contains_key(&address) {
            &mut weights.others
        } else {
            weights.used.entry(address).or_default()
        };
        *used = used.saturating_add(weight);
        *used
    }

    /// Counts an order that an account places.
    pub(crate) fn count_order(&self, account: AccountId, now: Time) {
        let mut orders = locked(&self.orders);
        orders.turn_to(now);
        let count = orders.placed.entry(account).or_default();
        let window = now.0 / TEN_SECONDS;
        if count.window != window {
            count.window = window;
            count.ten_seconds = 0;
        }
        count.ten_seconds = count.ten_seconds.saturating_add(1);
        count.day = count.day.saturating_add(1);
    }

    /// What an account has placed.
    pub(crate) fn orders(&self, account: AccountId, now: Time) -> OrderCount {
        let mut orders = locked(&self.orders);
        orders.turn_to(now);
        let mut count = orders.placed.get(&account).copied().unwrap_or_default();
        if count.window != now.0 / TEN_SECONDS {
            count.ten_seconds = 0;
        }
        count
    }
}

impl Orders {
    fn turn_to(&mut self, now: Time) {
        let day = now.0 / DAY;
        if self.day != day {
            self.day = day;
            self.placed.clear();
        }
    }
}

/// Counts stay usable whatever happened to a thread that held them.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_within_a_minute() {
        let counts = RateCounts::default();
        let address = |last| IpAddr::from([127, 0, 0, last]);
        for (last, weight, minute, expected) in
            [(1, 5, 0, 5), (1, 20, 0, 25), (2, 1, 0, 1), (1, 2, 1, 2), (2, 4, 1, 4)]
        {
            let now = Time(minute * MINUTE + 1);
            assert_eq!(counts.use_weight(address(last), weight, now), expected, "{last} {minute}");
        }
    }

    #[test]
    fn orders_are_counted_by_ten_seconds_and_by_day() {
        let counts = RateCounts::default();
        let account = AccountId(3);
        for (second, ten_seconds, day) in [(0, 1, 1), (9, 2, 2), (10, 1, 3), (86_399, 1, 4), (86_400, 1, 1)] {
            let now = Time(second * SECOND);
            counts.count_order(account, now);
            let count = counts.orders(account, now);
            assert_eq!((count.ten_seconds, count.day), (ten_seconds, day), "second {second}");
        }
        assert_eq!(counts.orders(AccountId(4), Time(0)), OrderCount::default());
        assert_eq!(counts.orders(account, Time(86_411 * SECOND)).ten_seconds, 0);
    }

    #[test]
    fn addresses_beyond_the_bound_share_a_count() {
        let counts = RateCounts::default();
        for index in 0..ADDRESSES_MAX as u32 {
            counts.use_weight(IpAddr::from(index.to_be_bytes()), 1, Time(0));
        }
        let stranger = |last| IpAddr::from([255, 255, 255, last]);
        assert_eq!(counts.use_weight(stranger(1), 1, Time(0)), 1);
        assert_eq!(counts.use_weight(stranger(2), 1, Time(0)), 2);
        assert_eq!(counts.use_weight(IpAddr::from([0, 0, 0, 0]), 1, Time(0)), 2);
    }
}
