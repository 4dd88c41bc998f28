//! Holds that are not an order's: a withdrawal, a reserve, a transfer under way. Refuses to know
//! what they are for: `purpose` and `reference` are their sender's.

use protocol::{AccountId, AssetId, HoldId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Money set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// What is left of it, in ledger units; never 0 while the hold is open.
    pub rest: i64,
    /// The sender's code.
    pub purpose: u32,
    /// When it is released by itself.
    pub expires_at: Time,
    /// The sender's business key.
    pub reference: [u64; 2],
}

/// All open holds. A closed one's id is never used again: ids only grow.
#[derive(Debug, Default)]
pub struct Holds {
    open: BTreeMap<HoldId, Hold>,
    expiring: BTreeSet<(Time, HoldId)>,
    /// How many were ever opened.
    opened: u64,
}

impl Holds {
    pub(crate) fn open(&mut self, hold: Hold) -> HoldId {
        self.opened += 1;
        let id = HoldId(self.opened);
        self.put_back(id, hold);
        id
    }

    /// Undoes the opening of the newest hold, in a batch that failed.
    pub(crate) fn unopen(&mut self, id: HoldId) {
        self.close(id);
        self.opened -= 1;
    }

    /// Puts a hold in place under an id it had.
    pub(crate) fn put_back(&mut self, id: HoldId, hold: Hold) {
        if hold.expires_at != Time::NEVER {
            self.expiring.insert((hold.expires_at, id));
        }
        self.open.insert(id, hold);
    }

    /// The hold, if it is open.
    pub fn get(&self, id: HoldId) -> Option<&Hold> {
        self.open.get(&id)
    }

    pub(crate) fn set_rest(&mut self, id: HoldId, rest: i64) {
        if rest == 0 {
            self.close(id);
        } else if let Some(hold) = self.open.get_mut(&id) {
            hold.rest = rest;
        }
    }

    pub(crate) fn set_expiry(&mut self, id: HoldId, expires_at: Time) {
        if let Some(mut hold) = self.close(id) {
            hold.expires_at = expires_at;
            self.put_back(id, hold);
        }
    }

    pub(crate) fn close(&mut self, id: HoldId) -> Option<Hold> {
        let hold = self.open.remove(&id)?;
        self.expiring.remove(&(hold.expires_at, id));
        Some(hold)
    }

    /// The next to expire.
    pub(crate) fn next_expiry(&self) -> Option<(Time, HoldId)> {
        self.expiring.first().copied()
    }

    /// Every open hold, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.open.iter().map(|(id, hold)| (*id, hold))
    }

    /// Puts back how many were ever opened.
    pub(crate) fn set_opened(&mut self, opened: u64) {
        self.opened = opened;
    }

    /// How many were ever opened.
    pub fn opened(&self) -> u64 {
        self.opened
    }
}
