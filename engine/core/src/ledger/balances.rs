//! Who has how much: `available` and `held` for each (account, asset). Refuses to know why money
//! moves.
//!
//! A balance that would become negative, where it may not, is a broken invariant: every command
//! checks before it moves. It panics, and the exchange halts before anything wrong leaves.

use crate::paged::Paged;
use protocol::{AccountId, AssetId};

/// An account's money in one asset, in ledger units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What may be spent. Negative only for external accounts.
    pub available: i64,
    /// What is set aside.
    pub held: i64,
}

/// All balances.
#[derive(Debug, Default)]
pub struct Balances {
    balances: Paged<Balance>,
}

impl Balance {
    /// Adds to what may be spent.
    #[inline]
    pub(crate) fn credit(&mut self, amount: i64) {
        // Supplies are at most 2^62, so no sum leaves an i64.
        self.available += amount;
    }

    /// Takes from what may be spent.
    #[inline]
    pub(crate) fn debit(&mut self, amount: i64) {
        self.available -= amount;
        if self.available < 0 {
            broken("available");
        }
    }

    /// Sets aside.
    #[inline]
    pub(crate) fn hold(&mut self, amount: i64) {
        self.debit(amount);
        self.held += amount;
    }

    /// Gives back what was set aside.
    #[inline]
    pub(crate) fn release(&mut self, amount: i64) {
        self.capture(amount);
        self.available += amount;
    }

    /// Spends what was set aside.
    #[inline]
    pub(crate) fn capture(&mut self, amount: i64) {
        self.held -= amount;
        if self.held < 0 {
            broken("held");
        }
    }
}

impl Balances {
    pub(crate) fn open_asset(&mut self, asset: AssetId) {
        self.balances.open(asset.0);
    }

    /// The balance; nothing where there never was one.
    #[inline]
    pub fn get(&self, account: AccountId, asset: AssetId) -> Balance {
        *self.balances.get(asset.0, account)
    }

    /// The balance, to move.
    #[inline]
    pub(crate) fn of(&mut self, account: AccountId, asset: AssetId) -> &mut Balance {
        self.balances.entry(asset.0, account)
    }

    /// Every balance that is not nothing, by asset, then account.
    pub fn iter(&self) -> impl Iterator<Item = (AssetId, AccountId, Balance)> {
        let all = self.balances.iter().filter(|(_, _, balance)| **balance != Balance::default());
        all.map(|(asset, account, balance)| (AssetId(asset), account, *balance))
    }
}

#[cold]
#[inline(never)]
fn broken(what: &str) -> ! {
    panic!("broken invariant: {what} of a balance would be negative");
}
