//! Slots for resting orders: one cache line each, used again after an order leaves. Refuses to
//! know what the links mean.

use super::NIL;
use crate::books::RestingOrder;
use std::ops::{Index, IndexMut};

/// An order and its places in the lists.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Slot {
    pub(super) order: RestingOrder,
    /// The order before it at its price.
    pub(super) prev: u32,
    /// The order behind it at its price; in a free slot, the next free one.
    pub(super) next: u32,
    /// The account's order in the instrument that came before it.
    pub(super) older: u32,
    /// The account's order in the instrument that came after it.
    pub(super) newer: u32,
    /// Where its client's name is kept.
    pub(super) name: u32,
}

/// All slots.
#[derive(Debug)]
pub(super) struct Slab {
    slots: Vec<Slot>,
    free: u32,
}

impl Default for Slab {
    fn default() -> Self {
        Self { slots: Vec::new(), free: NIL }
    }
}

impl Slab {
    /// A free slot, to be filled.
    #[inline]
    pub(super) fn vacant(&self) -> u32 {
        if self.free == NIL { self.slots.len() as u32 } else { self.free }
    }

    /// Fills the slot that [`Slab::vacant`] named.
    #[inline]
    pub(super) fn fill(&mut self, slot: u32, content: Slot) {
        if let Some(place) = self.slots.get_mut(slot as usize) {
            self.free = place.next;
            *place = content;
        } else {
            assert!(slot < NIL, "fewer than 2^32 orders rest at once");
            self.slots.push(content);
        }
    }

    /// Frees a slot that is in no list any more.
    #[inline]
    pub(super) fn give_back(&mut self, slot: u32) {
        self.slots[slot as usize].next = self.free;
        self.free = slot;
    }
}

impl Index<u32> for Slab {
    type Output = Slot;
    #[inline]
    fn index(&self, slot: u32) -> &Slot {
        &self.slots[slot as usize]
    }
}

impl IndexMut<u32> for Slab {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Slot {
        &mut self.slots[slot as usize]
    }
}
