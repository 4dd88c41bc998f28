//! The fast books: price-indexed levels, intrusive lists in one slab, no tree and no hash on the
//! way of an order that was given no name.
//!
//! A resting order is a 64-byte slot. Slots of a price form a queue, slots of an account in an
//! instrument a second list; both are doubly linked by slot number, so that taking an order out
//! touches its neighbours and nothing else. Each side keeps its front slot, so the best order is
//! one load away. After warm-up nothing is allocated: slots, pages and names are used again.

mod account_orders;
mod client_ids;
mod levels;
mod order_index;
mod slab;

use super::{Books, RestingOrder};
use crate::Engine;
use account_orders::AccountOrders;
use client_ids::ClientIds;
use levels::{Levels, PagePool};
use order_index::OrderIndex;
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, Price, Quantity, Sequence, Side, Time,
    command::CommandRecord, event::EventBuffer, reject::Outcome,
};
use slab::{Slab, Slot};

/// No slot.
const NIL: u32 = u32::MAX;

/// Books as ladders of levels.
#[derive(Debug)]
pub struct LadderBooks {
    slab: Slab,
    index: OrderIndex,
    /// By instrument, then side: `instrument * 2 + side`.
    sides: Vec<Levels>,
    pages: PagePool,
    accounts: AccountOrders,
    names: ClientIds,
}

#[inline]
fn side_of(instrument: InstrumentId, side: Side) -> usize {
    usize::from(instrument.0) * 2 + side as usize
}

impl Books for LadderBooks {
    type Handle = u32;

    fn new(hash_seed: u64) -> Self {
        Self {
            slab: Slab::default(),
            index: OrderIndex::default(),
            sides: Vec::new(),
            pages: PagePool::default(),
            accounts: AccountOrders::default(),
            names: ClientIds::new(hash_seed),
        }
    }

    fn apply(
        engine: &mut Engine<Self>,
        command: &CommandRecord<'_>,
        time: Time,
        sequence: Sequence,
        events: &mut EventBuffer,
    ) -> Outcome {
        engine.apply_command(command, time, sequence, events)
    }

    fn open_instrument(&mut self, instrument: InstrumentId) {
        let sides = (usize::from(instrument.0) + 1) * 2;
        while self.sides.len() < sides {
            let side = if self.sides.len().is_multiple_of(2) { Side::Buy } else { Side::Sell };
            self.sides.push(Levels::new(side));
        }
        self.accounts.open_instrument(instrument);
    }

    #[inline]
    fn insert(&mut self, order: RestingOrder, client_order_id: Option<&ClientOrderId>) {
        let RestingOrder { order_id, account, price, instrument, side, .. } = order;
        let slot = self.slab.vacant();
        let prev = self.sides[side_of(instrument, side)].push_back(price, slot, &mut self.pages);
        let older = self.accounts.push(account, instrument, slot);
        self.slab.fill(slot, Slot { order, prev, next: NIL, older, newer: NIL, name: NIL });
        if prev != NIL {
            self.slab[prev].next = slot;
        }
        if older != NIL {
            self.slab[older].newer = slot;
        }
        self.index.insert(order_id, slot);
        if let Some(id) = client_order_id {
            self.names.insert(slot, id, &mut self.slab);
        }
    }

    #[inline]
    fn best_price(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        let best = self.sides[side_of(instrument, side)].best();
        (best.0 != 0).then_some(best)
    }

    #[inline]
    fn front(&self, instrument: InstrumentId, side: Side) -> Option<u32> {
        let front = self.sides[side_of(instrument, side)].front();
        (front != NIL).then_some(front)
    }

    #[inline]
    fn after(&self, handle: u32) -> Option<u32> {
        let slot = &self.slab[handle];
        let next = if slot.next == NIL {
            self.sides[side_of(slot.order.instrument, slot.order.side)]
                .head_after(slot.order.price, &self.pages)
        } else {
            slot.next
        };
        (next != NIL).then_some(next)
    }

    #[inline]
    fn order(&self, handle: u32) -> &RestingOrder {
        &self.slab[handle].order
    }

    fn client_order_id(&self, handle: u32) -> Option<ClientOrderId> {
        self.names.get(self.slab[handle].name)
    }

    fn rename(&mut self, handle: u32, client_order_id: &ClientOrderId) {
        self.names.remove(handle, &mut self.slab);
        self.names.insert(handle, client_order_id, &mut self.slab);
    }

    #[inline]
    fn reduce(&mut self, handle: u32, quantity: Quantity, traded: bool) {
        let order = &mut self.slab[handle].order;
        assert!(quantity < order.leaves, "an order is reduced to nothing only by removing it");
        order.leaves.0 -= quantity.0;
        if traded {
            order.executed.0 += quantity.0;
        }
    }

    #[inline]
    fn remove(&mut self, handle: u32) {
        let Slot { order, prev, next, older, newer, name } = &self.slab[handle];
        let (order_id, account, price) = (order.order_id, order.account, order.price);
        let (instrument, side) = (order.instrument, order.side);
        let (queue, account_list, named) = ((*prev, *next), (*older, *newer), *name != NIL);
        if named {
            self.names.remove(handle, &mut self.slab);
        }
        self.sides[side_of(instrument, side)].remove(price, queue, &mut self.slab, &mut self.pages);
        self.accounts.remove(account, instrument, account_list, &mut self.slab);
        self.index.remove(order_id);
        self.slab.give_back(handle);
    }

    #[inline]
    fn find(&self, order_id: OrderId) -> Option<u32> {
        let slot = self.index.find(order_id);
        (slot != NIL).then_some(slot)
    }

    fn find_by_client_order_id(&self, account: AccountId, id: &ClientOrderId) -> Option<u32> {
        self.names.find(account, id, &self.slab)
    }

    #[inline]
    fn count(&self, account: AccountId, instrument: InstrumentId) -> u32 {
        self.accounts.get(account, instrument).count
    }

    fn newest(&self, account: AccountId, instrument: InstrumentId) -> Option<u32> {
        let newest = self.accounts.get(account, instrument).newest;
        (newest != NIL).then_some(newest)
    }

    fn older(&self, handle: u32) -> Option<u32> {
        let older = self.slab[handle].older;
        (older != NIL).then_some(older)
    }
}
