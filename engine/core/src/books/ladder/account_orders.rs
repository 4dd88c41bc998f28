//! An account's open orders in an instrument: how many, and a list from the newest to the oldest.
//! Refuses to know prices.

use super::{NIL, slab::Slab};
use protocol::{AccountId, InstrumentId};

const PAGE_BITS: u32 = 8;
const PAGE_ACCOUNTS: usize = 1 << PAGE_BITS;

/// An account's open orders in one instrument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) newest: u32,
    pub(super) count: u32,
}

const NONE: Entry = Entry { newest: NIL, count: 0 };

type Page = Option<Box<[Entry; PAGE_ACCOUNTS]>>;

/// By instrument, then by account in pages that exist once one of their accounts had an order.
#[derive(Debug, Default)]
pub(super) struct AccountOrders {
    instruments: Vec<Vec<Page>>,
}

impl AccountOrders {
    pub(super) fn open_instrument(&mut self, instrument: InstrumentId) {
        if self.instruments.len() <= usize::from(instrument.0) {
            self.instruments.resize_with(usize::from(instrument.0) + 1, Vec::new);
        }
    }

    #[inline]
    pub(super) fn get(&self, account: AccountId, instrument: InstrumentId) -> Entry {
        match self.instruments[usize::from(instrument.0)].get((account.0 >> PAGE_BITS) as usize) {
            Some(Some(page)) => page[account.0 as usize % PAGE_ACCOUNTS],
            _ => NONE,
        }
    }

    #[inline]
    fn entry(&mut self, account: AccountId, instrument: InstrumentId) -> &mut Entry {
        let pages = &mut self.instruments[usize::from(instrument.0)];
        let page = (account.0 >> PAGE_BITS) as usize;
        if pages.len() <= page {
            pages.resize_with(page + 1, || None);
        }
        let page = pages[page].get_or_insert_with(|| Box::new([NONE; PAGE_ACCOUNTS]));
        &mut page[account.0 as usize % PAGE_ACCOUNTS]
    }

    #[inline]
    pub(super) fn push(&mut self, account: AccountId, instrument: InstrumentId, slot: u32, slab: &mut Slab) {
        let entry = self.entry(account, instrument);
        let older = entry.newest;
        entry.newest = slot;
        entry.count += 1;
        slab[slot].older = older;
        if older != NIL {
            slab[older].newer = slot;
        }
    }

    #[inline]
    pub(super) fn remove(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        slot: u32,
        slab: &mut Slab,
    ) {
        let (older, newer) = (slab[slot].older, slab[slot].newer);
        let entry = self.entry(account, instrument);
        entry.count -= 1;
        if newer == NIL {
            entry.newest = older;
        } else {
            slab[newer].older = older;
        }
        if older != NIL {
            slab[older].newer = newer;
        }
    }
}
