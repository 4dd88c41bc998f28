//! Orders in no level: those that wait for a trigger or for their list; and the ways into a level
//! that plain orders do not take. Refuses to know why an order waits.

use super::{LadderBooks, NIL, TRADED, side_of, slab::Links};
use crate::books::RestingOrder;
use protocol::{ClientOrderId, Quantity};

impl LadderBooks {
    /// Known by id, name and account alone.
    #[cold]
    pub(super) fn hold_beside(&mut self, order: RestingOrder, client_order_id: Option<&ClientOrderId>) {
        let slot = self.slab.vacant();
        self.sides[side_of(order.instrument, order.side)].count_beside(true);
        let older = self.accounts.push(order.account, order.instrument, slot);
        self.slab.fill(slot, order, Links { prev: NIL, next: NIL, older, newer: NIL });
        self.slab.links(older).newer = slot;
        self.index.insert(order.order_id, slot);
        if let Some(id) = client_order_id {
            self.names.insert(slot, id, &mut self.slab);
        }
    }

    #[cold]
    pub(super) fn drop_beside(&mut self, handle: u32) {
        let order = *self.slab.order(handle);
        let Links { older, newer, .. } = *self.slab.links(handle);
        self.sides[side_of(order.instrument, order.side)].count_beside(false);
        self.names.remove(handle, &mut self.slab);
        self.accounts.remove(order.account, order.instrument, (older, newer), &mut self.slab);
        self.index.remove(order.order_id);
        self.slab.give_back(handle);
    }

    #[cold]
    pub(super) fn enter_level(&mut self, handle: u32, executed: Quantity) {
        let order = self.slab.order(handle);
        self.sides[side_of(order.instrument, order.side)].count_beside(false);
        self.join_level(handle, executed);
    }

    fn join_level(&mut self, handle: u32, executed: Quantity) {
        let order = &mut self.slab.orders[handle as usize];
        if executed.0 != 0 {
            order.flags |= TRADED;
            self.slab.rare[handle as usize].executed = executed.0;
        }
        let (instrument, side, price) = (order.instrument, order.side, order.price);
        let prev = self.sides[side_of(instrument, side)].push_back(price, handle, &mut self.pages);
        let links = self.slab.links(handle);
        (links.prev, links.next) = (prev, NIL);
        self.slab.links(prev).next = handle;
    }

    #[cold]
    pub(super) fn back_of_level(&mut self, handle: u32, leaves: Quantity, executed: Quantity) {
        let order = *self.slab.order(handle);
        let Links { prev, next, .. } = *self.slab.links(handle);
        let levels = &mut self.sides[side_of(order.instrument, order.side)];
        levels.remove(order.price, (prev, next), &mut self.slab, &mut self.pages);
        self.slab.orders[handle as usize].leaves = leaves;
        self.join_level(handle, executed);
    }
}
