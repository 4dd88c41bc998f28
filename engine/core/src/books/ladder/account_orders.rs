//! An account's open orders in an instrument: how many, and a list from the newest to the oldest.
//! Refuses to know prices.

use super::{NIL, slab::Slab};
use crate::paged::Paged;
use protocol::{AccountId, InstrumentId};
use std::hint::select_unpredictable;

/// An account's open orders in one instrument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) newest: u32,
    pub(super) count: u32,
}

impl Default for Entry {
    fn default() -> Self {
        Self { newest: NIL, count: 0 }
    }
}

/// By instrument and account.
#[derive(Debug, Default)]
pub(super) struct AccountOrders {
    entries: Paged<Entry>,
}

impl AccountOrders {
    pub(super) fn open_instrument(&mut self, instrument: InstrumentId) {
        self.entries.open(instrument.0);
    }

    #[inline]
    pub(super) fn get(&self, account: AccountId, instrument: InstrumentId) -> Entry {
        *self.entries.get(instrument.0, account)
    }

    /// Puts a slot before the account's newest; returns that one.
    #[inline]
    pub(super) fn push(&mut self, account: AccountId, instrument: InstrumentId, slot: u32) -> u32 {
        let entry = self.entries.entry(instrument.0, account);
        entry.count += 1;
        std::mem::replace(&mut entry.newest, slot)
    }

    /// Takes a slot that stands between these two out of the account's list.
    #[inline]
    pub(super) fn remove(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        (older, newer): (u32, u32),
        slab: &mut Slab,
    ) {
        let entry = self.entries.entry(instrument.0, account);
        entry.count -= 1;
        entry.newest = select_unpredictable(newer == NIL, older, entry.newest);
        slab.links(newer).older = older;
        slab.links(older).newer = newer;
    }
}
