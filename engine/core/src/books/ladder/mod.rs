//! The fast books: price-indexed levels, intrusive lists in one slab, no tree and no hash on the
//! way of an order that was given no name.
//!
//! A resting order is a slot: 32 bytes of order, 16 of links. Slots of a price form a queue, slots of
//! an account in an instrument a second list; both are doubly linked by slot number, so that taking
//! an order out touches its neighbours' links and nothing else. Each side keeps its front slot, so the best order is
//! one load away. After warm-up nothing is allocated: slots, pages and names are used again.

mod account_orders;
mod beside;
mod client_ids;
mod levels;
mod order_index;
mod slab;
#[cfg(test)]
mod tests;

use super::{Books, RestingOrder, TRADED};
use crate::{
    Engine,
    lookahead::{Ahead, LOOK_AHEAD, Payer, Placing},
};
use account_orders::AccountOrders;
use client_ids::ClientIds;
use levels::{Levels, PagePool};
use order_index::OrderIndex;
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, Price, Quantity, Sequence, Side, Time,
    command::CommandRecord, event::EventBuffer, reject::Outcome,
};
use slab::{Links, Slab};

/// No slot. It has a place in the slab all the same, which no order uses: neighbours that do not
/// exist are then linked like those that do, without asking, and asking is what costs.
const NIL: u32 = 0;
/// Up to this many slots, all that commands touch stays in a processor's cache of 8 MB.
const ORDERS_NEAR: usize = 1 << 15;
/// In a resting order's flags, of these books alone: its client gave it a name.
const NAMED: u8 = 0x80;

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

    fn outgrow_the_cache(&self) -> bool {
        self.slab.orders.len() > ORDERS_NEAR
    }

    fn look_ahead(&self, ahead: &mut Ahead) {
        // All reads of a step are independent of one another, and nothing branches on what was
        // just read: a wrong guess would wait for it.
        let mut orders = [NIL; 2 * LOOK_AHEAD];
        let mut ends = [NIL; 3 * LOOK_AHEAD];
        let mut count = 0;
        for (cancelling, (order, end)) in ahead.cancelling.iter().zip(orders.iter_mut().zip(&mut ends)) {
            *end = self.accounts.get(cancelling.account, cancelling.instrument).newest;
            *order = self.index.find(cancelling.order_id);
            count += 1;
        }
        let cancelled = count;
        let mut ends_count = count;
        for placing in &ahead.placing {
            let Placing { account, instrument, side, price } = *placing;
            ends[ends_count] = self.accounts.get(account, instrument).newest;
            ends[ends_count + 1] = self.sides[side_of(instrument, side)].tail(price, &self.pages);
            ends_count += 2;
            let opposite = &self.sides[side_of(instrument, side.opposite())];
            if (opposite.best().0 != 0) & side.pick(opposite.best() <= price, opposite.best() >= price) {
                orders[count] = opposite.front();
                count += 1;
            }
        }
        for slot in &orders[..count] {
            let RestingOrder { account, instrument, side, .. } = *self.slab.order(*slot);
            ahead.payers.push(Payer { account, instrument, side });
        }
        for order in &orders[cancelled..count] {
            // It will be met, and paid in the other asset.
            let RestingOrder { account, instrument, side, .. } = *self.slab.order(*order);
            ahead.payers.push(Payer { account, instrument, side: side.opposite() });
        }
        for slot in &ends[..ends_count] {
            ahead.read ^= u64::from(self.slab.links[*slot as usize].next);
        }
        for slot in &orders[..count] {
            let Links { prev, next, older, newer } = self.slab.links[*slot as usize];
            for near in [prev, next, older, newer] {
                ahead.read ^= u64::from(self.slab.links[near as usize].next);
            }
        }
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
    fn insert(&mut self, order: RestingOrder, executed: Quantity, client_order_id: Option<&ClientOrderId>) {
        let RestingOrder { order_id, account, price, instrument, side, .. } = order;
        let slot = self.slab.vacant();
        let prev = self.sides[side_of(instrument, side)].push_back(price, slot, &mut self.pages);
        let older = self.accounts.push(account, instrument, slot);
        self.slab.fill(slot, order, Links { prev, next: NIL, older, newer: NIL });
        self.slab.links(prev).next = slot;
        self.slab.links(older).newer = slot;
        self.index.insert(order_id, slot);
        if executed.0 != 0 {
            self.slab.rare[slot as usize].executed = executed.0;
            self.slab.orders[slot as usize].flags |= TRADED;
        }
        if let Some(id) = client_order_id {
            self.names.insert(slot, id, &mut self.slab);
        }
    }

    fn insert_beside(&mut self, order: RestingOrder, client_order_id: Option<&ClientOrderId>) {
        self.hold_beside(order, client_order_id);
    }

    fn remove_beside(&mut self, handle: u32) {
        self.drop_beside(handle);
    }

    fn change(&mut self, handle: u32, change: impl FnOnce(&mut RestingOrder)) {
        change(&mut self.slab.orders[handle as usize]);
    }

    fn enter(&mut self, handle: u32, executed: Quantity) {
        self.enter_level(handle, executed);
    }

    fn requeue(&mut self, handle: u32, leaves: Quantity, executed: Quantity) {
        self.back_of_level(handle, leaves, executed);
    }

    #[inline]
    fn best_price(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        let best = self.sides[side_of(instrument, side)].best();
        (best.0 != 0).then_some(best)
    }

    fn price_after(&self, instrument: InstrumentId, side: Side, price: Price) -> Option<Price> {
        let (next, _) = self.sides[side_of(instrument, side)].level_after(price, &self.pages);
        (next.0 != 0).then_some(next)
    }

    #[inline]
    fn front(&self, instrument: InstrumentId, side: Side) -> Option<u32> {
        let front = self.sides[side_of(instrument, side)].front();
        (front != NIL).then_some(front)
    }

    #[inline]
    fn after(&self, handle: u32) -> Option<u32> {
        let mut next = self.slab.links[handle as usize].next;
        if next == NIL {
            let order = self.slab.order(handle);
            let levels = &self.sides[side_of(order.instrument, order.side)];
            (_, next) = levels.level_after(order.price, &self.pages);
        }
        (next != NIL).then_some(next)
    }

    #[inline]
    fn order(&self, handle: u32) -> &RestingOrder {
        self.slab.order(handle)
    }

    #[inline]
    fn executed(&self, handle: u32) -> Quantity {
        let traded = self.slab.order(handle).flags & TRADED != 0;
        Quantity(if traded { self.slab.rare[handle as usize].executed } else { 0 })
    }

    fn client_order_id(&self, handle: u32) -> Option<ClientOrderId> {
        self.names.get(handle, &self.slab)
    }

    fn rename(&mut self, handle: u32, client_order_id: &ClientOrderId) {
        self.names.remove(handle, &mut self.slab);
        self.names.insert(handle, client_order_id, &mut self.slab);
    }

    #[inline]
    fn reduce(&mut self, handle: u32, quantity: Quantity, traded: bool) {
        let executed = self.executed(handle);
        let order = &mut self.slab.orders[handle as usize];
        assert!(quantity < order.leaves, "an order is reduced to nothing only by removing it");
        order.leaves.0 -= quantity.0;
        if traded {
            order.flags |= TRADED;
            self.slab.rare[handle as usize].executed = executed.0 + quantity.0;
        }
    }

    #[inline]
    fn remove(&mut self, handle: u32) {
        let order = self.slab.order(handle);
        let (order_id, account, price) = (order.order_id, order.account, order.price);
        let (instrument, side) = (order.instrument, order.side);
        if order.flags & NAMED != 0 {
            self.names.remove(handle, &mut self.slab);
        }
        let Links { prev, next, older, newer } = *self.slab.links(handle);
        self.sides[side_of(instrument, side)].remove(price, (prev, next), &mut self.slab, &mut self.pages);
        self.accounts.remove(account, instrument, (older, newer), &mut self.slab);
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
    fn open_orders(&self, instrument: InstrumentId) -> u32 {
        let orders = |side| self.sides[side_of(instrument, side)].orders();
        orders(Side::Buy) + orders(Side::Sell)
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
        let older = self.slab.links[handle as usize].older;
        (older != NIL).then_some(older)
    }
}
