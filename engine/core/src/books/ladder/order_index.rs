//! From an order's id to its slot, without a hash: ids are dense, so a paged array does. A page
//! whose orders are nearly all gone hands the few that live long to a map and is used again, so
//! that one old order does not keep a page. Refuses to know orders.

use super::NIL;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use protocol::OrderId;

/// In place of a page: its orders are gone, or in the map.
const NO_PAGE: u32 = u32::MAX;

const PAGE_BITS: u32 = 12;
const PAGE_SLOTS: usize = 1 << PAGE_BITS;
/// A full page with fewer live orders than this is emptied into the map.
const SPARSE_BELOW: u16 = 64;

/// Order ids to slots.
#[derive(Debug)]
pub(super) struct OrderIndex {
    /// By `id >> PAGE_BITS`: which page, or [`NO_PAGE`].
    directory: Vec<u32>,
    /// By `page * PAGE_SLOTS + id % PAGE_SLOTS`.
    slots: Vec<u32>,
    /// How many orders of a page are there.
    live: Vec<u16>,
    free: Vec<u32>,
    /// Long-lived orders of pages given up. Never iterated.
    old: HashMap<u64, u32, FixedState>,
}

impl Default for OrderIndex {
    fn default() -> Self {
        Self {
            directory: Vec::new(),
            slots: Vec::new(),
            live: Vec::new(),
            free: Vec::new(),
            old: HashMap::with_hasher(FixedState::with_seed(0)),
        }
    }
}

#[inline]
fn split(order_id: OrderId) -> (usize, usize) {
    ((order_id.0 >> PAGE_BITS) as usize, order_id.0 as usize & (PAGE_SLOTS - 1))
}

impl OrderIndex {
    #[inline]
    pub(super) fn insert(&mut self, order_id: OrderId, slot: u32) {
        let (high, low) = split(order_id);
        // Ids grow: an order that comes is in the last page.
        let page = match self.directory.get(high) {
            Some(&page) if page != NO_PAGE => page as usize,
            _ => self.open_page(high),
        };
        self.slots[page * PAGE_SLOTS + low] = slot;
        self.live[page] += 1;
    }

    #[inline]
    pub(super) fn find(&self, order_id: OrderId) -> u32 {
        let (high, low) = split(order_id);
        match self.directory.get(high) {
            Some(&page) if page != NO_PAGE => self.slots[page as usize * PAGE_SLOTS + low],
            Some(_) => self.find_old(order_id),
            None => NIL,
        }
    }

    #[cold]
    fn find_old(&self, order_id: OrderId) -> u32 {
        self.old.get(&order_id.0).copied().unwrap_or(NIL)
    }

    #[inline]
    pub(super) fn remove(&mut self, order_id: OrderId) {
        let (high, low) = split(order_id);
        let page = self.directory[high];
        if page == NO_PAGE {
            self.old.remove(&order_id.0);
            return;
        }
        self.slots[page as usize * PAGE_SLOTS + low] = NIL;
        let live = &mut self.live[page as usize];
        *live -= 1;
        // The last page still grows; only those before it may be given up.
        if *live < SPARSE_BELOW && high + 1 < self.directory.len() {
            self.give_up_page(high, page);
        }
    }

    #[cold]
    fn open_page(&mut self, high: usize) -> usize {
        // The page before it no longer grows: if its orders are gone, nothing would give it up later.
        if let Some(&page) = self.directory.last()
            && page != NO_PAGE
            && self.live[page as usize] < SPARSE_BELOW
        {
            self.give_up_page(self.directory.len() - 1, page);
        }
        while self.directory.len() <= high {
            self.directory.push(NO_PAGE);
        }
        let page = self.free.pop().unwrap_or_else(|| {
            self.slots.resize(self.slots.len() + PAGE_SLOTS, NIL);
            self.live.push(0);
            self.live.len() as u32 - 1
        });
        self.directory[high] = page;
        page as usize
    }

    #[cold]
    fn give_up_page(&mut self, high: usize, page: u32) {
        let slots = &mut self.slots[page as usize * PAGE_SLOTS..][..PAGE_SLOTS];
        for (low, slot) in slots.iter_mut().enumerate().filter(|(_, slot)| **slot != NIL) {
            self.old.insert((high as u64) << PAGE_BITS | low as u64, *slot);
            *slot = NIL;
        }
        self.live[page as usize] = 0;
        self.directory[high] = NO_PAGE;
        self.free.push(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn finds_what_a_map_finds(steps in proptest::collection::vec((0_u8..5, 0_u64..40_000), 1..2_000)) {
            let mut index = OrderIndex::default();
            let mut model = BTreeMap::new();
            let mut next = 1_u64;
            for (kind, value) in steps {
                if kind < 2 {
                    next += 1 + value % 61;
                    index.insert(OrderId(next), value as u32);
                    model.insert(next, value as u32);
                } else if let Some(id) = model.range(value % next..).next().map(|(id, _)| *id) {
                    index.remove(OrderId(id));
                    model.remove(&id);
                }
                // A page in use has at least SPARSE_BELOW live orders, but for the last.
                let pages = index.live.len() - index.free.len();
                prop_assert!(pages <= model.len() / usize::from(SPARSE_BELOW) + 1, "{} pages in use", pages);
                let probe = value % (next + 2);
                prop_assert_eq!(index.find(OrderId(probe)), model.get(&probe).copied().unwrap_or(NIL));
            }
            for (id, slot) in model {
                prop_assert_eq!(index.find(OrderId(id)), slot);
            }
        }
    }
}
