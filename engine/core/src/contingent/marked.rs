//! A marked order that rests trades, shrinks or is filled: an iceberg shows its next slice, a list
//! hears of it. Refuses to know who took it.

use super::{Special, lists::Happening};
use crate::{
    Engine,
    books::{Books, EXPIRES, LATE, MARKED, RestingOrder},
};
use protocol::{
    AccountId, OrderListId, OrderTerms, OrderType, Price, Quantity, SelfTradePrevention, SourceId, Time,
    TimeInForce,
    command::{PlaceOrder, QuantityKind},
    event::{EventBuffer, EventKind, OrderRested, ReserveChanged},
    order::CloseReason,
    terms::OrderPhase,
};

/// An iceberg's slices that come after the one a walk has passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hidden {
    pub(crate) account: AccountId,
    pub(crate) price: Price,
    pub(crate) reserve: Quantity,
    visible: Quantity,
}

impl Hidden {
    /// The next slice; the rest stays hidden.
    pub(crate) fn next_slice(&mut self) -> Quantity {
        let slice = self.reserve.min(self.visible);
        self.reserve.0 -= slice.0;
        slice
    }
}

impl<B: Books> Engine<B> {
    /// All that showed of a marked order is gone: `resting` is how it was, `traded` says whether it
    /// traded. The next slice goes behind those at its price, or the order leaves.
    #[cold]
    pub(crate) fn finish_marked(
        &mut self,
        handle: B::Handle,
        resting: RestingOrder,
        traded: bool,
        events: &mut EventBuffer,
    ) {
        let order_id = resting.order_id;
        let executed = self.books.executed(handle);
        let special = self.contingent.special_mut(order_id);
        let list_id = special.list_id;
        let old = special.reserve;
        if old.0 == 0 {
            self.books.remove(handle);
            if resting.flags & EXPIRES != 0 {
                self.expiring.remove(order_id);
                self.note_expiry();
            }
            self.contingent.forget(order_id);
            let happening = if traded { Happening::Filled } else { Happening::Left(CloseReason::SelfTrade) };
            return self.note(list_id, order_id, happening);
        }
        let slice = special.slice_of(old);
        let new = Quantity(old.0 - slice.0);
        special.reserve = new;
        let RestingOrder { account, price, instrument, side, .. } = resting;
        let changed =
            ReserveChanged { order_id, account, price, old, new, instrument, side, reserved: [0; 5] };
        events.push(EventKind::ReserveChanged, &changed);
        let rested =
            OrderRested { order_id, account, price, leaves: slice, instrument, side, reserved: [0; 5] };
        events.push(EventKind::OrderRested, &rested);
        let executed = if traded { Quantity(executed.0 + resting.leaves.0) } else { executed };
        self.books.change(handle, |order| order.flags |= LATE);
        self.books.requeue(handle, slice, executed);
        let order = *self.books.order(handle);
        self.count_reserve(&order, slice, false);
        self.count_open(order, slice, 1);
        self.note_traded(&resting);
    }

    /// A marked order traded, or was decremented, in part.
    #[cold]
    pub(crate) fn note_traded(&mut self, resting: &RestingOrder) {
        let list_id = self.contingent.special(resting.order_id).list_id;
        self.note(list_id, resting.order_id, Happening::Traded);
    }

    /// Tells a list of one of its orders; 0 is no list.
    pub(super) fn note(&mut self, list_id: OrderListId, order_id: protocol::OrderId, what: Happening) {
        if list_id.0 != 0 {
            self.contingent.lists.note(list_id, order_id, what);
            self.awake = true;
        }
    }

    /// What comes after a marked order's slice, for a walk.
    #[cold]
    pub(crate) fn hidden(&self, resting: &RestingOrder) -> Option<Hidden> {
        let special = self.contingent.special(resting.order_id);
        let visible = special.terms.visible_quantity;
        let hidden =
            Hidden { account: resting.account, price: resting.price, reserve: special.reserve, visible };
        (hidden.reserve.0 != 0).then_some(hidden)
    }

    /// A plain order's amends are counted from now on.
    #[cold]
    pub(crate) fn mark_amended(&mut self, handle: B::Handle) {
        let RestingOrder { order_id, leaves, account, price, instrument, side, .. } =
            *self.books.order(handle);
        let order = PlaceOrder {
            account,
            instrument,
            side,
            order_type: OrderType::Limit,
            time_in_force: TimeInForce::GoodTillCancel,
            self_trade_prevention: SelfTradePrevention::None,
            quantity_kind: QuantityKind::Base,
            ids: 0,
            price,
            quantity: leaves,
            expires_at: Time::NEVER,
        };
        let special = Special {
            order,
            terms: OrderTerms::NONE,
            source: SourceId(0),
            list_id: OrderListId(0),
            phase: OrderPhase::Working,
            reserve: Quantity(0),
            trigger: Price(0),
            extreme: Price(0),
            amends: 0,
        };
        self.books.change(handle, |order| order.flags |= MARKED);
        self.contingent.remember(order_id, special);
    }
}
