//! Marked orders leave or shrink by another hand than a trade's. What two legs hold once is given
//! back once. Refuses to know who asked.

use super::lists::{Happening, say_shared};
use crate::{
    Engine,
    books::{Books, EXPIRES, PENDING, RestingOrder, WAITING},
};
use protocol::{
    ClientOrderId, Quantity, Reject,
    command::{AmendOrder, CancelIds, HAS_SECOND_ID},
    event::{EventBuffer, EventKind, OrderAmended, OrderClosed, ReserveChanged},
    filter,
    order::CloseReason,
};

impl<B: Books> Engine<B> {
    /// As [`Engine::close_resting`], of a marked order.
    #[cold]
    pub(crate) fn close_marked(
        &mut self,
        handle: B::Handle,
        reason: CloseReason,
        request: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) {
        let order = *self.books.order(handle);
        let RestingOrder { order_id, account, price, leaves, instrument, side, flags } = order;
        let market = &self.markets[usize::from(instrument.0) - 1];
        let asset = market.paid_asset(side);
        let special = *self.contingent.special(order_id);
        let total = Quantity(leaves.0 + special.reserve.0);
        let held = if flags & PENDING == 0 { market.held(side, price, total) } else { 0 };
        // Together with the other leg it holds less than both would apart.
        let shared = self.contingent.lists.part(special.list_id, order_id);
        self.ledger.balances.of(account, asset).release(held - shared);
        self.count_open(order, leaves, -1);
        self.count_reserve(&order, special.reserve, false);
        if flags & WAITING != 0 {
            self.disarm(order_id);
        }
        if special.reserve.0 != 0 {
            let (old, new) = (special.reserve, Quantity(0));
            let changed =
                ReserveChanged { order_id, account, price, old, new, instrument, side, reserved: [0; 5] };
            events.push(EventKind::ReserveChanged, &changed);
        }
        if flags & (PENDING | WAITING) == 0 {
            self.books.remove(handle);
        } else {
            self.books.remove_beside(handle);
        }
        self.contingent.forget(order_id);
        if flags & EXPIRES != 0 {
            self.expiring.remove(order_id);
            self.note_expiry();
        }
        let rested = match flags & (PENDING | WAITING) {
            0 => 1,
            WAITING => 2,
            _ => 0,
        };
        let closed = OrderClosed {
            order_id,
            account,
            price,
            leaves,
            instrument,
            side,
            reason,
            rested,
            reserved: [0; 3],
        };
        events.push_with_id(EventKind::OrderClosed, &closed, HAS_SECOND_ID, request);
        say_shared(special.list_id, (account, asset), shared, events);
        self.note(special.list_id, order_id, Happening::Left(reason));
    }

    /// As [`Engine::amend`], of a marked order: an iceberg loses what is out of sight first.
    #[cold]
    pub(crate) fn amend_marked(
        &mut self,
        handle: B::Handle,
        amend: &AmendOrder,
        ids: &CancelIds,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let order = *self.books.order(handle);
        let RestingOrder { order_id, account, price, leaves, instrument, side, flags } = order;
        let special = *self.contingent.special(order_id);
        if special.list_id.0 != 0 {
            return Err(Reject::NotSupported);
        }
        let market = &self.markets[usize::from(instrument.0) - 1];
        filter::lot(&market.instrument.filters, amend.new_quantity)?;
        let most = market.order_filters.max_order_amends;
        if most != 0 && special.amends >= most {
            return Err(Reject::TooManyAmends);
        }
        let executed = self.books.executed(handle);
        let total = Quantity(leaves.0 + special.reserve.0);
        let left = amend.new_quantity.0.checked_sub(executed.0).ok_or(Reject::AmendNotLess)?;
        if left == 0 || left >= total.0 {
            return Err(Reject::AmendNotLess);
        }
        if let Some(name) = ids.request {
            match self.books.find_by_client_order_id(account, &name) {
                Some(other) if other != handle => return Err(Reject::DuplicateClientOrderId),
                _ => self.books.rename(handle, &name),
            }
        }
        let released = market.held(side, price, Quantity(total.0 - left));
        self.ledger.balances.of(account, market.paid_asset(side)).release(released);
        let new_leaves = leaves.min(Quantity(left));
        let reserve = Quantity(left - new_leaves.0);
        let special_now = self.contingent.special_mut(order_id);
        special_now.reserve = reserve;
        special_now.amends += 1;
        if reserve != special.reserve {
            let (old, new) = (special.reserve, reserve);
            let changed =
                ReserveChanged { order_id, account, price, old, new, instrument, side, reserved: [0; 5] };
            events.push(EventKind::ReserveChanged, &changed);
            self.count_reserve(&order, Quantity(old.0 - new.0), false);
        }
        if new_leaves < leaves {
            let less = Quantity(leaves.0 - new_leaves.0);
            self.books.reduce(handle, less, false);
            self.count_open(order, less, 0);
        }
        let amended = OrderAmended {
            order_id,
            account,
            price,
            old_leaves: leaves,
            new_leaves,
            instrument,
            side,
            waits: u8::from(flags & WAITING != 0),
            holds_nothing: 0,
            reserved: [0; 3],
        };
        events.push_with_id(EventKind::OrderAmended, &amended, HAS_SECOND_ID, ids.request.as_ref());
        Ok(order_id.0)
    }
}
