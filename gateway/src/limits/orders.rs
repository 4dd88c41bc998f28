//! The orders each account has placed in the present windows. Refuses to know what became of them.

use super::{
    Exceeded,
    exceeded::OrderInterval,
    window::{DAY, TEN_SECONDS, Window},
};
use protocol::{AccountId, Time};
use std::collections::HashMap;

/// Orders an account has placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OrderCount {
    /// In these 10 seconds.
    pub(crate) ten_seconds: u32,
    /// Since midnight UTC.
    pub(crate) day: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Placed {
    ten_seconds: Window,
    day: Window,
}

/// One entry for each account that has placed an order: bounded by the accounts there are.
#[derive(Debug, Default)]
pub(super) struct Orders(HashMap<AccountId, Placed>);

impl Orders {
    /// Counts `number` orders, or none of them if that would be more than the limits of 10 seconds
    /// and of a day.
    pub(super) fn take(
        &mut self,
        account: AccountId,
        number: u32,
        limits: (u32, u32),
        now: Time,
    ) -> Result<(), Exceeded> {
        let placed = self.0.entry(account).or_default();
        for (window, length, limit, interval) in [
            (&placed.day, DAY, limits.1, OrderInterval::Day),
            (&placed.ten_seconds, TEN_SECONDS, limits.0, OrderInterval::TenSeconds),
        ] {
            if window.count(length, now).saturating_add(number) > limit {
                return Err(Exceeded::Orders { limit, interval, until: length.end(now) });
            }
        }
        placed.ten_seconds.add(TEN_SECONDS, now, number);
        placed.day.add(DAY, now, number);
        Ok(())
    }

    /// What an account has placed.
    pub(super) fn count(&self, account: AccountId, now: Time) -> OrderCount {
        self.0.get(&account).map_or_else(OrderCount::default, |placed| OrderCount {
            ten_seconds: placed.ten_seconds.count(TEN_SECONDS, now),
            day: placed.day.count(DAY, now),
        })
    }
}
