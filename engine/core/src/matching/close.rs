//! Orders leave or shrink: cancel, cancel all, cancel-replace, amend. What they held goes back at
//! once (C-ORD-02); nobody touches another's order (C-ORD-05).

use super::place::place_of;
use crate::{
    Engine,
    books::{Books, MARKED},
    engine::Ended,
};
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, Quantity, Reject,
    command::{AmendOrder, CancelAll, CancelIds, CancelOrder, CancelReplace, HAS_SECOND_ID},
    event::{EventBuffer, EventKind, NOT_ATTEMPTED, OrderAmended, OrderClosed},
    filter,
    order::{CancelRestriction, CloseReason, ReplaceMode},
    reject::Outcome,
};

impl<B: Books> Engine<B> {
    /// Cancels an order; returns its id.
    #[inline]
    pub(crate) fn cancel(
        &mut self,
        cancel: &CancelOrder,
        ids: &CancelIds,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        self.cancel_for(cancel, ids, CloseReason::Cancelled, events)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "every cancel comes this way; the other calls are cold")]
    pub(crate) fn cancel_for(
        &mut self,
        cancel: &CancelOrder,
        ids: &CancelIds,
        reason: CloseReason,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let handle =
            self.own_order(cancel.account, cancel.instrument, cancel.order_id, ids.original.as_ref())?;
        let order = self.books.order(handle);
        let allowed = match cancel.restriction {
            CancelRestriction::None => true,
            CancelRestriction::OnlyNew => self.books.executed(handle).0 == 0,
            CancelRestriction::OnlyPartiallyFilled => self.books.executed(handle).0 > 0,
        };
        if !allowed {
            return Err(Reject::CancelRestricted);
        }
        let order_id = order.order_id;
        self.close_resting(handle, reason, ids.request.as_ref(), events);
        Ok(order_id.0)
    }

    /// The account's own resting order, by its id, its name, or both if they agree.
    #[inline]
    fn own_order(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        order_id: OrderId,
        name: Option<&ClientOrderId>,
    ) -> Result<B::Handle, Reject> {
        let found = match (order_id.0, name) {
            (0, None) => None,
            (0, Some(name)) => self.books.find_by_client_order_id(account, name),
            (_, None) => self.books.find(order_id),
            (_, Some(name)) => {
                let found = self.books.find(order_id);
                found.filter(|handle| self.books.client_order_id(*handle).as_ref() == Some(name))
            }
        };
        let handle = found.ok_or(Reject::UnknownOrder)?;
        let order = self.books.order(handle);
        if order.account == account && order.instrument == instrument {
            Ok(handle)
        } else {
            Err(Reject::UnknownOrder)
        }
    }

    /// Takes an order out of the book, gives back what it held and says so.
    #[inline]
    pub(crate) fn close_resting(
        &mut self,
        handle: B::Handle,
        reason: CloseReason,
        request: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) {
        let order = *self.books.order(handle);
        if order.flags & MARKED != 0 {
            return self.close_marked(handle, reason, request, events);
        }
        let market = &self.markets[place_of(order.instrument)];
        let held = market.held(order.side, order.price, order.leaves);
        self.ledger.balances.of(order.account, market.paid_asset(order.side)).release(held);
        self.count_open(order, order.leaves, -1);
        self.take_out(handle, order.order_id, order.flags);
        let closed = OrderClosed {
            order_id: order.order_id,
            account: order.account,
            price: order.price,
            leaves: order.leaves,
            instrument: order.instrument,
            side: order.side,
            reason,
            rested: 1,
            reserved: [0; 3],
        };
        events.push_with_id(EventKind::OrderClosed, &closed, HAS_SECOND_ID, request);
    }

    /// Cancels every open order of the account, newest first; returns how many.
    pub(crate) fn cancel_all(&mut self, cancel: &CancelAll, events: &mut EventBuffer) -> Result<u64, Reject> {
        self.ledger.accounts.get(cancel.account).ok_or(Reject::UnknownAccount)?;
        if cancel.instrument.0 != 0 && self.market(cancel.instrument).is_none() {
            return Err(Reject::UnknownInstrument);
        }
        let count = self.close_all(cancel.account, cancel.instrument, cancel.reason, events);
        if count == 0 { Err(Reject::NothingToCancel) } else { Ok(count) }
    }

    /// Closes the account's open orders in one instrument, or in all for 0.
    pub(crate) fn close_all(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        reason: CloseReason,
        events: &mut EventBuffer,
    ) -> u64 {
        let mut count = 0;
        for index in 0..self.markets.len() {
            let here = self.markets[index].instrument.id;
            if instrument.0 != 0 && instrument != here {
                continue;
            }
            while let Some(handle) = self.books.newest(account, here) {
                self.close_resting(handle, reason, None, events);
                count += 1;
            }
        }
        count
    }

    /// Cancels an order and places another (dialect §5.5): the new order's terms are checked
    /// first, then comes the cancel, then the new order, which may use what the cancel gave back.
    pub(crate) fn cancel_replace(
        &mut self,
        replace: &CancelReplace,
        ids: &CancelIds,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) -> Ended {
        if replace.order.account != replace.cancel.account
            || replace.order.instrument != replace.cancel.instrument
        {
            return Err(Reject::BadCombination).into();
        }
        let hold = match self.check_terms(&replace.order) {
            Ok(hold) => hold,
            Err(reject) => return Err(reject).into(),
        };
        let cancelled = self.cancel_for(&replace.cancel, ids, CloseReason::Replaced, events);
        let cancel_code = cancelled.map_or_else(|reject| reject as u16, |_| 0);
        debug_assert!(cancel_code != NOT_ATTEMPTED, "no reject has this code");
        if cancelled.is_err() && replace.mode == ReplaceMode::StopOnFailure {
            let outcome = Outcome::Refused(Reject::ReplaceCancelFailed);
            return Ended { outcome, result: 0, cancel_code };
        }
        let placed: Ended = self.place_checked(&replace.order, hold, client_order_id, events).into();
        Ended { cancel_code, ..placed }
    }

    /// Makes an order smaller; it keeps its place. Returns its id.
    pub(crate) fn amend(
        &mut self,
        amend: &AmendOrder,
        ids: &CancelIds,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let handle =
            self.own_order(amend.account, amend.instrument, amend.order_id, ids.original.as_ref())?;
        let order = *self.books.order(handle);
        if order.flags & MARKED != 0 {
            return self.amend_marked(handle, amend, ids, events);
        }
        let market = &self.markets[place_of(order.instrument)];
        if market.order_filters.max_order_amends != 0 {
            self.mark_amended(handle);
            return self.amend_marked(handle, amend, ids, events);
        }
        filter::lot(&market.instrument.filters, amend.new_quantity)?;
        let new_leaves =
            amend.new_quantity.0.checked_sub(self.books.executed(handle).0).ok_or(Reject::AmendNotLess)?;
        if new_leaves == 0 || new_leaves >= order.leaves.0 {
            return Err(Reject::AmendNotLess);
        }
        if let Some(name) = ids.request {
            match self.books.find_by_client_order_id(order.account, &name) {
                Some(other) if other != handle => return Err(Reject::DuplicateClientOrderId),
                _ => self.books.rename(handle, &name),
            }
        }
        let less = Quantity(order.leaves.0 - new_leaves);
        let released = market.held(order.side, order.price, less);
        self.ledger.balances.of(order.account, market.paid_asset(order.side)).release(released);
        self.books.reduce(handle, less, false);
        self.count_open(order, less, 0);
        let amended = OrderAmended {
            order_id: order.order_id,
            account: order.account,
            price: order.price,
            old_leaves: order.leaves,
            new_leaves: Quantity(new_leaves),
            instrument: order.instrument,
            side: order.side,
            waits: 0,
            holds_nothing: 0,
            reserved: [0; 3],
        };
        events.push_with_id(EventKind::OrderAmended, &amended, HAS_SECOND_ID, ids.request.as_ref());
        Ok(order.order_id.0)
    }
}
