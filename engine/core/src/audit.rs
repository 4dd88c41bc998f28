//! The books and the ledger checked against themselves: invariants 1 to 4 of requirements §10.6
//! and what makes a book a book. Walks everything, so it runs after every command in tests, and in
//! production where the journal is re-applied (`rialto replay verify`), never on the core's own
//! thread. Changes nothing.

use crate::{
    Engine,
    books::{Books, LATE},
    ledger::accounts::AccountKind,
};
use protocol::{AccountId, AssetId, InstrumentId, Side};
use std::collections::BTreeMap;
use thiserror::Error;

/// What was found broken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuditError {
    /// Invariant 1.
    #[error("the balances of asset {asset} sum to {sum}, not to zero")]
    SumNotZero {
        /// Of what.
        asset: AssetId,
        /// What they sum to.
        sum: i128,
    },
    /// Invariant 2.
    #[error("account {account} has {held} of asset {asset} held, its orders and holds say {expected}")]
    HeldDiffers {
        /// Whose.
        account: AccountId,
        /// Of what.
        asset: AssetId,
        /// What the balance says.
        held: i64,
        /// What orders and holds say.
        expected: i128,
    },
    /// Invariant 3.
    #[error("account {account} has a negative balance of asset {asset}")]
    Negative {
        /// Whose.
        account: AccountId,
        /// Of what.
        asset: AssetId,
    },
    /// What an account with limits is counted to have open.
    #[error("account {account} is counted to have other orders open than it has")]
    Counted {
        /// Whose.
        account: AccountId,
    },
    /// The price-time order, or a link, or a count of a book.
    #[error("the book of instrument {instrument} is broken: {what}")]
    Book {
        /// Where.
        instrument: InstrumentId,
        /// What was found.
        what: &'static str,
    },
}

type Held = BTreeMap<(AccountId, AssetId), i128>;

impl<B: Books> Engine<B> {
    /// Checks everything.
    pub fn audit(&self) -> Result<(), AuditError> {
        let mut held = Held::new();
        for market in &self.markets {
            self.audit_book(market.instrument.id, &mut held)?;
        }
        self.audit_limits()?;
        for (_, hold) in self.ledger.holds.iter() {
            *held.entry((hold.account, hold.asset)).or_default() += i128::from(hold.rest);
        }
        let mut sums: BTreeMap<AssetId, i128> = BTreeMap::new();
        for (asset, account, balance) in self.ledger.balances.iter() {
            *sums.entry(asset).or_default() += i128::from(balance.available) + i128::from(balance.held);
            let external = self.ledger.accounts.known(account).kind == AccountKind::External;
            if (balance.available < 0 && !external) || balance.held < 0 {
                return Err(AuditError::Negative { account, asset });
            }
            let expected = held.remove(&(account, asset)).unwrap_or(0);
            if expected != i128::from(balance.held) {
                return Err(AuditError::HeldDiffers { account, asset, held: balance.held, expected });
            }
        }
        if let Some(((account, asset), expected)) = held.into_iter().find(|(_, expected)| *expected != 0) {
            return Err(AuditError::HeldDiffers { account, asset, held: 0, expected });
        }
        match sums.into_iter().find(|(_, sum)| *sum != 0) {
            Some((asset, sum)) => Err(AuditError::SumNotZero { asset, sum }),
            None => Ok(()),
        }
    }

    fn audit_limits(&self) -> Result<(), AuditError> {
        for (account, _) in self.ledger.accounts.iter() {
            let Some(limits) = self.ledger.accounts.limits(account) else { continue };
            let is_right = self.all_open(account, AssetId(0)).0 == limits.open_orders
                && limits
                    .notional
                    .iter()
                    .all(|(quote, by_asset)| self.all_open(account, *quote).1 == by_asset.open);
            if !is_right {
                return Err(AuditError::Counted { account });
            }
        }
        Ok(())
    }

    fn audit_book(&self, instrument: InstrumentId, held: &mut Held) -> Result<(), AuditError> {
        let broken = |what| AuditError::Book { instrument, what };
        let market = self.market(instrument).ok_or(broken("no such market"))?;
        let mut counts: BTreeMap<AccountId, u32> = BTreeMap::new();
        for side in [Side::Buy, Side::Sell] {
            let mut next = self.books.front(instrument, side);
            let mut before: Option<(protocol::Price, protocol::OrderId)> = None;
            let mut before_flags = 0;
            while let Some(handle) = next {
                let order = self.books.order(handle);
                if order.instrument != instrument || order.side != side || order.leaves.0 == 0 {
                    return Err(broken("an order that does not belong"));
                }
                if self.books.find(order.order_id) != Some(handle) {
                    return Err(broken("an order that its id does not find"));
                }
                if let Some((price, order_id)) = before {
                    let worse = if side == Side::Buy { order.price < price } else { order.price > price };
                    let late = (order.flags | before_flags) & LATE != 0;
                    if !worse && (order.price != price || (order.order_id < order_id && !late)) {
                        return Err(broken("not in order of price, then time"));
                    }
                }
                if let Some(name) = self.books.client_order_id(handle)
                    && self.books.find_by_client_order_id(order.account, &name) != Some(handle)
                {
                    return Err(broken("an order that its name does not find"));
                }
                before = Some((order.price, order.order_id));
                before_flags = order.flags;
                *counts.entry(order.account).or_default() += 1;
                let amount =
                    market.hold(side, order.price, order.leaves).ok_or(broken("a hold too large"))?;
                *held.entry((order.account, market.paid_asset(side))).or_default() += i128::from(amount);
                next = self.books.after(handle);
            }
        }
        self.audit_marked(instrument, held, &mut counts)?;
        for (account, count) in counts {
            let listed = std::iter::successors(self.books.newest(account, instrument), |handle| {
                self.books.older(*handle)
            });
            if listed.count() as u32 != count || self.books.count(account, instrument) != count {
                return Err(broken("an account's list or count differs from the book"));
            }
        }
        if market.instrument.status.matches() && !market.left_crossed && self.is_crossed(instrument) {
            return Err(broken("crossed while trading"));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
