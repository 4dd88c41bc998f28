//! What an order would find if it traded now: how much, and at what cost. Changes nothing.

use super::Taker;
use crate::{
    Engine,
    books::{Books, MARKED, RestingOrder},
    contingent::Hidden,
};
use protocol::{AccountId, Price, Quantity, SelfTradePrevention, command::QuantityKind};
use std::collections::VecDeque;

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    /// Quantity units that would trade, plus what self-trade prevention would decrement.
    pub(crate) quantity: u64,
    /// Ledger units of the quote asset for what would trade.
    pub(crate) notional: u128,
}

impl Found {
    /// No bound.
    pub(crate) const ALL: Self = Self { quantity: u64::MAX, notional: u128::MAX };
}

impl<B: Books> Engine<B> {
    /// Walks the book as [`Engine::trade`] will, self-trade prevention included, until more is found
    /// than `enough` in either measure: an order that is refused then walks no further than one that
    /// is not.
    pub(crate) fn walk(&self, taker: &Taker, enough: Found) -> Found {
        let mut found = Found::default();
        let mut left = *taker;
        let mut hidden = VecDeque::new();
        let mut next = self.books.front(taker.instrument, taker.side.opposite());
        while let Some(handle) = next {
            next = self.books.after(handle);
            let resting = self.books.order(handle);
            // Icebergs' next slices come behind the others at their price.
            if hidden.front().is_some_and(|hidden: &Hidden| hidden.price != resting.price)
                && !self.walk_slices(&mut hidden, &mut left, &mut found, enough)
            {
                return found;
            }
            if self.is_over(resting) && left.reaches(resting.price) {
                continue;
            }
            let RestingOrder { account, price, leaves, flags, .. } = *resting;
            if !self.step(&mut left, (account, price, leaves), &mut found, enough) {
                return found;
            }
            if flags & MARKED != 0 && !self.is_passed_over(&left, account) {
                hidden.extend(self.hidden(resting));
            }
        }
        self.walk_slices(&mut hidden, &mut left, &mut found, enough);
        found
    }

    /// Counts what one order, or slice, would trade; says whether to go on behind it.
    #[inline]
    fn step(
        &self,
        left: &mut Taker,
        (account, price, leaves): (AccountId, Price, Quantity),
        found: &mut Found,
        enough: Found,
    ) -> bool {
        let is_enough = found.quantity > enough.quantity || found.notional > enough.notional;
        if left.leaves == 0 || is_enough || !left.reaches(price) {
            return false;
        }
        let prevented =
            left.self_trade_prevention != SelfTradePrevention::None && self.same_party(left.account, account);
        if prevented {
            match left.self_trade_prevention {
                SelfTradePrevention::ExpireTaker | SelfTradePrevention::ExpireBoth => return false,
                SelfTradePrevention::ExpireMaker | SelfTradePrevention::None => return true,
                SelfTradePrevention::Decrement => {}
            }
        }
        let quantity = left.wants(price, leaves);
        if quantity.0 == 0 {
            return false;
        }
        let cost = cost(left, price, quantity);
        if !prevented {
            found.notional += cost;
        }
        found.quantity += quantity.0;
        left.leaves -= match left.kind {
            QuantityKind::Base => quantity.0,
            // At most `leaves`: `wants` divided it.
            QuantityKind::Quote => cost as u64,
        };
        true
    }

    /// Whether an order of this account would expire rather than trade: its slices would not come.
    fn is_passed_over(&self, left: &Taker, account: AccountId) -> bool {
        left.self_trade_prevention == SelfTradePrevention::ExpireMaker
            && self.same_party(left.account, account)
    }

    /// Walks the slices that icebergs at one price would still show.
    #[cold]
    fn walk_slices(
        &self,
        hidden: &mut VecDeque<Hidden>,
        left: &mut Taker,
        found: &mut Found,
        enough: Found,
    ) -> bool {
        while let Some(mut next) = hidden.pop_front() {
            let slice = (next.account, next.price, next.next_slice());
            if !self.step(left, slice, found, enough) {
                return false;
            }
            if next.reserve.0 != 0 {
                hidden.push_back(next);
            }
        }
        true
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
