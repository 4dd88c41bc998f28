//! The state hash: SHA-256 over the logical content, never over layout, so that it is equal on
//! every machine, build and path of recovery (invariant 6). Everything that can change what a
//! later command does is in it; how it is kept in memory is not.

use crate::{Engine, books::Books, market::Market};
use protocol::{InstrumentId, Side, terms::OrderFilters};
use sha2::{Digest, Sha256};
use std::fmt;
use zerocopy::IntoBytes;

/// Version of what is hashed and in which order.
const HASH_VERSION: u64 = 2;

/// A hash of the whole state.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateHash(pub [u8; 32]);

impl fmt::Display for StateHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for StateHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StateHash({self})")
    }
}

/// Numbers and bytes, hashed in the order they are told; each part is preceded by its name.
pub(crate) struct Content(Sha256);

impl Content {
    pub(crate) fn part(&mut self, name: &str) {
        self.number(name.len() as u64);
        self.0.update(name.as_bytes());
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    pub(crate) fn numbers(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.number(*number);
        }
    }

    pub(crate) fn signed(&mut self, number: i64) {
        self.0.update(number.to_le_bytes());
    }

    fn wide(&mut self, number: u128) {
        self.0.update(number.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }
}

impl<B: Books> Engine<B> {
    /// The hash of the state after the last command.
    pub fn state_hash(&self) -> StateHash {
        let mut content = Content(Sha256::new());
        content.numbers(&[
            HASH_VERSION,
            u64::from(self.rules),
            self.sequence.0,
            self.time.0,
            self.orders,
            self.prevented_matches,
            self.events,
        ]);
        self.hash_ledger(&mut content);
        content.part("markets");
        for market in &self.markets {
            hash_market(market, &mut content);
            for side in [Side::Buy, Side::Sell] {
                self.hash_side(market.instrument.id, side, &mut content);
            }
        }
        content.part("sources");
        for (id, source) in self.sources.iter() {
            content.numbers(&[u64::from(id.0), source.next, u64::from(source.stopped)]);
            for kept in source.kept.iter() {
                let codes = u64::from(kept.code()) << 16 | u64::from(kept.cancel_code());
                content.numbers(&[kept.content_hash, kept.result(), codes]);
            }
        }
        self.hash_contingent(&mut content);
        StateHash(content.0.finalize().into())
    }

    fn hash_ledger(&self, content: &mut Content) {
        content.part("accounts");
        for (id, account) in self.ledger.accounts.iter() {
            let state = account.kind as u64
                | u64::from(account.suspended) << 8
                | u64::from(account.fee_tier) << 16
                | u64::from(account.killed) << 24;
            content.numbers(&[u64::from(id.0), u64::from(account.trade_group), state]);
            if let Some(limits) = self.ledger.accounts.limits(id) {
                content.numbers(&[u64::from(limits.max_open_orders), u64::from(limits.open_orders)]);
                for (asset, limits) in &limits.notional {
                    content.number(u64::from(asset.0));
                    content.signed(limits.max_order);
                    content.signed(limits.max_open);
                    match i64::try_from(limits.open) {
                        Ok(open) => content.signed(open),
                        Err(_) => content.wide(limits.open as u128),
                    }
                }
            }
        }
        content.part("assets");
        for (id, asset) in self.ledger.assets() {
            content.bytes(asset.name.as_bytes());
            content.numbers(&[u64::from(id.0), u64::from(asset.scale), u64::from(asset.external.0)]);
            content.signed(asset.max_supply);
        }
        content.part("balances");
        for (asset, account, balance) in self.ledger.balances.iter() {
            content.numbers(&[u64::from(asset.0), u64::from(account.0)]);
            content.signed(balance.available);
            content.signed(balance.held);
        }
        content.part("holds");
        content.number(self.ledger.holds.opened());
        for (id, hold) in self.ledger.holds.iter() {
            content.numbers(&[
                id.0,
                u64::from(hold.account.0),
                u64::from(hold.asset.0),
                u64::from(hold.purpose),
            ]);
            content.signed(hold.rest);
            content.numbers(&[hold.expires_at.0, hold.reference[0], hold.reference[1]]);
        }
    }

    fn hash_side(&self, instrument: InstrumentId, side: Side, content: &mut Content) {
        content.part("side");
        let mut next = self.books.front(instrument, side);
        while let Some(handle) = next {
            let order = self.books.order(handle);
            let expires_at = self.expiring.time(order.order_id).unwrap_or_default();
            content.numbers(&[
                order.order_id.0,
                u64::from(order.account.0),
                u64::from(order.price.0),
                order.leaves.0,
                self.books.executed(handle).0,
                expires_at.0,
            ]);
            match self.books.client_order_id(handle) {
                Some(name) => content.bytes(name.as_bytes()),
                None => content.number(0),
            }
            next = self.books.after(handle);
        }
    }
}

fn hash_market(market: &Market, content: &mut Content) {
    content.part("market");
    content.bytes(market.instrument.as_bytes());
    content.bytes(market.fees.as_bytes());
    let last_price = market.last_price().map_or(0, |price| u64::from(price.0));
    content.numbers(&[market.trades, market.aggregates, last_price, u64::from(market.left_crossed)]);
    if market.order_filters != OrderFilters::open() {
        content.bytes(market.order_filters.as_bytes());
    }
    let mut buckets: Vec<_> = market.average.kept().collect();
    buckets.sort_by_key(|bucket| bucket.minute);
    for bucket in buckets {
        content.number(bucket.minute);
        content.wide(bucket.notional);
        content.wide(bucket.quantity);
    }
}
