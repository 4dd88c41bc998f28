//! What an order would find if it traded now: how much, and at what cost. Changes nothing.

use super::Taker;
use crate::{Engine, books::Books};
use protocol::{AccountId, Price, Quantity, SelfTradePrevention, command::QuantityKind};

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// Quantity units that would trade, plus what self-trade prevention would decrement.
    pub(super) quantity: u64,
    /// Ledger units of the quote asset for what would trade.
    pub(super) notional: u128,
}

impl Found {
    /// No bound.
    pub(super) const ALL: Self = Self { quantity: u64::MAX, notional: u128::MAX };
}

impl<B: Books> Engine<B> {
    /// Walks the book as [`Engine::trade`] will, self-trade prevention included, until more is found
    /// than `enough` in either measure: an order that is refused then walks no further than one that
    /// is not.
    pub(super) fn walk(&self, taker: &Taker, enough: Found) -> Found {
        let mut found = Found::default();
        let mut left = *taker;
        let mut next = self.books.front(taker.instrument, taker.side.opposite());
        while let Some(handle) = next {
            next = self.books.after(handle);
            let resting = self.books.order(handle);
            let is_enough = found.quantity > enough.quantity || found.notional > enough.notional;
            if left.leaves == 0 || is_enough || !left.reaches(resting.price) {
                break;
            }
            if self.is_over(resting) {
                continue;
            }
            let prevented = taker.self_trade_prevention != SelfTradePrevention::None
                && self.same_party(taker.account, resting.account);
            if prevented {
                match taker.self_trade_prevention {
                    SelfTradePrevention::ExpireTaker | SelfTradePrevention::ExpireBoth => break,
                    SelfTradePrevention::ExpireMaker | SelfTradePrevention::None => continue,
                    SelfTradePrevention::Decrement => {}
                }
            }
            let quantity = left.wants(resting.price, resting.leaves);
            if quantity.0 == 0 {
                break;
            }
            let cost = cost(taker, resting.price, quantity);
            if !prevented {
                found.notional += cost;
            }
            found.quantity += quantity.0;
            left.leaves -= match left.kind {
                QuantityKind::Base => quantity.0,
                // At most `leaves`: `wants` divided it.
                QuantityKind::Quote => cost as u64,
            };
        }
        found
    }

    /// Whether the two accounts are one for self-trade prevention.
    #[inline]
    pub(super) fn same_party(&self, one: AccountId, other: AccountId) -> bool {
        let accounts = &self.ledger.accounts;
        accounts.known(one).same_party(one, accounts.known(other), other)
    }
}

/// Wider than a balance: a cost that no one may be able to pay.
fn cost(taker: &Taker, price: Price, quantity: Quantity) -> u128 {
    u128::from(price.0) * u128::from(quantity.0) * taker.quote_per_unit as u128
}
