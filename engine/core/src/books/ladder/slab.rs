//! Slots for resting orders, used again after an order leaves. Refuses to know what the links mean.
//!
//! What an order is, its places in the lists, and what few orders have lie in three arrays: an order
//! that leaves writes to the links of its neighbours alone, and those of a hundred thousand orders
//! fit in the processor's cache where whole slots would not.

use super::NIL;
use crate::books::RestingOrder;
use protocol::{AccountId, InstrumentId, OrderId, Price, Quantity, Side};

/// An order's places in the lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    /// The order before it at its price.
    pub(super) prev: u32,
    /// The order behind it at its price; in a free slot, the next free one.
    pub(super) next: u32,
    /// The account's order in the instrument that came before it.
    pub(super) older: u32,
    /// The account's order in the instrument that came after it.
    pub(super) newer: u32,
}

/// What is read only of orders whose flags say so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rare {
    /// What of it has traded, if it is [`TRADED`](crate::books::TRADED).
    pub(super) executed: u64,
    /// Where its client's name is kept, if it is [`NAMED`](super::NAMED).
    pub(super) name: u32,
}

/// All slots; the first is nobody's, see [`NIL`].
#[derive(Debug)]
pub(super) struct Slab {
    pub(super) orders: Vec<RestingOrder>,
    pub(super) links: Vec<Links>,
    pub(super) rare: Vec<Rare>,
    free: u32,
}

impl Default for Slab {
    fn default() -> Self {
        let mut slab = Self { orders: Vec::new(), links: Vec::new(), rare: Vec::new(), free: NIL };
        let nobody = RestingOrder {
            order_id: OrderId(0),
            leaves: Quantity(0),
            account: AccountId(0),
            price: Price(0),
            instrument: InstrumentId(0),
            side: Side::Buy,
            flags: 0,
        };
        slab.grow(NIL, nobody, Links { prev: NIL, next: NIL, older: NIL, newer: NIL });
        slab
    }
}

impl Slab {
    /// A free slot, to be filled.
    #[inline]
    pub(super) fn vacant(&self) -> u32 {
        if self.free == NIL { self.orders.len() as u32 } else { self.free }
    }

    /// Fills the slot that [`Slab::vacant`] named.
    #[inline]
    pub(super) fn fill(&mut self, slot: u32, order: RestingOrder, links: Links) {
        match (self.orders.get_mut(slot as usize), self.links.get_mut(slot as usize)) {
            (Some(place), Some(place_of_links)) => {
                self.free = place_of_links.next;
                *place = order;
                *place_of_links = links;
            }
            _ => self.grow(slot, order, links),
        }
    }

    #[cold]
    fn grow(&mut self, slot: u32, order: RestingOrder, links: Links) {
        assert!(slot < u32::MAX, "fewer than 2^32 orders rest at once");
        self.orders.push(order);
        self.links.push(links);
        self.rare.push(Rare { executed: 0, name: 0 });
    }

    /// Frees a slot that is in no list any more.
    #[inline]
    pub(super) fn give_back(&mut self, slot: u32) {
        self.links[slot as usize].next = self.free;
        self.free = slot;
    }

    #[inline]
    pub(super) fn order(&self, slot: u32) -> &RestingOrder {
        &self.orders[slot as usize]
    }

    #[inline]
    pub(super) fn links(&mut self, slot: u32) -> &mut Links {
        &mut self.links[slot as usize]
    }
}
