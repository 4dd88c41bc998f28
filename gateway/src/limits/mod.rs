//! How much a client may ask for (dialect §2.7): request weight, raw requests and new connections by
//! address, orders by account; and what comes of asking for more. Exact counts in fixed windows, since
//! that is what the headers show and clients reckon with; bounded memory; one short lock a look, on
//! the doors' threads alone. Refuses to know calls, sockets and the engine.
//!
//! Whoever asks on after a refusal is banned for a while, and for twice as long each time.

mod addresses;
mod client_address;
mod exceeded;
mod layer;
mod orders;
mod window;

pub(crate) use client_address::ClientAddress;
pub(crate) use exceeded::Exceeded;
pub(crate) use layer::admitted;
pub(crate) use orders::OrderCount;

use accounts::IpAllowList;
use addresses::Addresses;
use orders::Orders;
use protocol::{AccountId, Time};
use serde_json::{Value, json};
use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use window::{FIVE_MINUTES, MINUTE};

/// What clients may use. The defaults are Binance's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// The request weight an address may use in a minute.
    pub request_weight_per_minute: u32,
    /// The requests an address may send in 5 minutes, whatever they weigh.
    pub raw_requests_per_5_minutes: u32,
    /// The WebSocket connections an address may open in 5 minutes, for streams and for the WebSocket
    /// API each.
    pub connections_per_5_minutes: u32,
    /// The orders an account may place in 10 seconds.
    pub orders_per_10_seconds: u32,
    /// The orders an account may place in a day (UTC).
    pub orders_per_day: u32,
    /// The control frames a market-stream connection may send in a second, in the long run.
    pub stream_messages_per_second: NonZeroU32,
    /// The control frames a market-stream connection may send at once.
    pub stream_message_burst: NonZeroU32,
    /// The requests of one minute that an address may have refused before it is banned.
    pub refusals_before_ban: u32,
    /// The proxies whose `X-Forwarded-For` is believed; empty: nobody's.
    pub trusted_proxies: IpAllowList,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            request_weight_per_minute: 6_000,
            raw_requests_per_5_minutes: 61_000,
            connections_per_5_minutes: 300,
            orders_per_10_seconds: 100,
            orders_per_day: 200_000,
            stream_messages_per_second: NonZeroU32::new(5).expect("5 is not 0"),
            stream_message_burst: NonZeroU32::new(50).expect("50 is not 0"),
            refusals_before_ban: 20,
            trusted_proxies: IpAllowList::default(),
        }
    }
}

impl RateLimits {
    /// The limits as `exchangeInfo` tells them.
    pub(crate) fn rows(&self) -> [Value; 4] {
        [
            row("REQUEST_WEIGHT", "MINUTE", 1, self.request_weight_per_minute),
            row("ORDERS", "SECOND", 10, self.orders_per_10_seconds),
            row("ORDERS", "DAY", 1, self.orders_per_day),
            row("RAW_REQUESTS", "MINUTE", 5, self.raw_requests_per_5_minutes),
        ]
    }

    /// What an address has used.
    pub(crate) fn weight_row(&self, used: u32) -> Value {
        counted(row("REQUEST_WEIGHT", "MINUTE", 1, self.request_weight_per_minute), used)
    }

    /// What an account has placed.
    pub(crate) fn order_rows(&self, count: OrderCount) -> [Value; 2] {
        [
            counted(row("ORDERS", "SECOND", 10, self.orders_per_10_seconds), count.ten_seconds),
            counted(row("ORDERS", "DAY", 1, self.orders_per_day), count.day),
        ]
    }
}

fn row(kind: &str, interval: &str, number: u32, limit: u32) -> Value {
    json!({"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit})
}

fn counted(mut row: Value, count: u32) -> Value {
    row["count"] = count.into();
    row
}

/// A door that counts its connections apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Streams,
    WebSocketApi,
}

/// What a request used, and whether it was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// What the address has used this minute, this request included.
    pub(crate) used: u32,
    /// Whether the request may be answered.
    pub(crate) admitted: Result<(), Exceeded>,
}

/// The limits and all counts.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: RateLimits,
    addresses: Mutex<Addresses>,
    orders: Mutex<Orders>,
    refused: AtomicU64,
}

impl Limiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self { limits, addresses: Mutex::default(), orders: Mutex::default(), refused: AtomicU64::new(0) }
    }

    /// What may be used.
    pub(crate) fn limits(&self) -> &RateLimits {
        &self.limits
    }

    /// How often something was refused, for any reason.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Counts a request before anything of it is read.
    pub(crate) fn enter(&self, address: IpAddr, now: Time) -> Result<(), Exceeded> {
        let limit = self.limits.raw_requests_per_5_minutes;
        let admitted = self.addresses().with(address, now, |usage| {
            usage.not_banned(now)?;
            if usage.raw.add(FIVE_MINUTES, now, 1) <= limit {
                return Ok(());
            }
            let until = FIVE_MINUTES.end(now);
            usage.refuse(self.limits.refusals_before_ban, now, Exceeded::RawRequests { limit, until })
        });
        self.noted(admitted)
    }

    /// Counts what a request weighs, refused ones too.
    pub(crate) fn charge(&self, address: IpAddr, weight: u32, now: Time) -> Charge {
        let limit = self.limits.request_weight_per_minute;
        let charge = self.addresses().with(address, now, |usage| {
            let banned = usage.not_banned(now);
            let used = usage.weight.add(MINUTE, now, weight);
            let admitted = if banned.is_err() || used <= limit {
                banned
            } else {
                let until = MINUTE.end(now);
                usage.refuse(self.limits.refusals_before_ban, now, Exceeded::Weight { limit, until })
            };
            Charge { used, admitted }
        });
        Charge { admitted: self.noted(charge.admitted), ..charge }
    }

    /// Counts a connection that is about to open.
    pub(crate) fn connect(&self, address: IpAddr, door: Door, now: Time) -> Result<(), Exceeded> {
        let limit = self.limits.connections_per_5_minutes;
        let admitted = self.addresses().with(address, now, |usage| {
            if usage.connections[door as usize].add(FIVE_MINUTES, now, 1) <= limit {
                return Ok(());
            }
            let until = FIVE_MINUTES.end(now);
            usage.refuse(self.limits.refusals_before_ban, now, Exceeded::Connections { limit, until })
        });
        self.noted(admitted)
    }

    /// Counts orders that an account is about to place; those that are refused are not counted.
    pub(crate) fn take_orders(&self, account: AccountId, number: u32, now: Time) -> Result<(), Exceeded> {
        let limits = (self.limits.orders_per_10_seconds, self.limits.orders_per_day);
        let taken = self.orders().take(account, number, limits, now);
        self.noted(taken)
    }

    /// What an account has placed.
    pub(crate) fn orders_of(&self, account: AccountId, now: Time) -> OrderCount {
        self.orders().count(account, now)
    }

    fn noted(&self, result: Result<(), Exceeded>) -> Result<(), Exceeded> {
        if result.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    fn addresses(&self) -> MutexGuard<'_, Addresses> {
        locked(&self.addresses)
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        locked(&self.orders)
    }
}

/// Counts stay usable whatever happened to a thread that held them.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
