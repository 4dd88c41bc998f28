//! What events do to orders and their lists. How an order changes is `protocol::history`'s; here it is
//! only found and kept. Refuses to know balances.

use super::{Moment, Projection, Tracked};
use crate::order_row::{self, KeptOrder, kept_name};
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, Quantity, SelfTradePrevention, Sequence, Time,
    event::{OrderAccepted, OrderAmended, OrderListChanged, TradePrevented},
    history::{Order, Prevention},
    terms::{AcceptedTerms, Contingency, OrderListStatus},
};

/// An order list.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListState {
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) contingency: Contingency,
    pub(super) status: OrderListStatus,
    /// What its client called it.
    pub(super) name: Option<ClientOrderId>,
    pub(super) orders: [OrderId; 3],
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
    pub(super) sequence: Sequence,
}

impl Projection {
    pub(super) fn accept(
        &mut self,
        accepted: &OrderAccepted,
        name: Option<ClientOrderId>,
        terms: Option<AcceptedTerms>,
        at: Moment,
    ) {
        let order = Order::accepted(accepted, name, terms, at.time);
        let value = KeptOrder { order, sequence: at.sequence, updated_sequence: at.sequence };
        self.orders.insert(order.order_id, Tracked { value, changed: true });
        self.changed_orders.push(order.order_id);
    }

    /// Changes an open order. One that has ended stays as it is: after its last fill, less than one lot
    /// short, an order is filled, though a close of what is left follows.
    pub(super) fn change_order(
        &mut self,
        order_id: OrderId,
        at: Moment,
        change: impl FnOnce(&mut Order),
    ) -> Option<&mut Order> {
        let kept = self.orders.get_mut(&order_id)?;
        if !kept.value.order.status.is_open() {
            return None;
        }
        change(&mut kept.value.order);
        kept.value.updated_sequence = at.sequence;
        if !std::mem::replace(&mut kept.changed, true) {
            self.changed_orders.push(order_id);
        }
        Some(&mut kept.value.order)
    }

    pub(super) fn amend(&mut self, amended: &OrderAmended, name: Option<ClientOrderId>, at: Moment) {
        let order_id = amended.order_id;
        let mut before = None;
        let order = self.change_order(order_id, at, |order| {
            before = Some((order.client_order_id, order.asked));
            // What an iceberg keeps out of sight has changed before, by an event of its own.
            order.leaves = Quantity(amended.new_leaves.0 + order.hidden.0);
            order.asked = Quantity(order.executed.0 + order.leaves.0);
            order.update_time = at.time;
            if let Some(name) = name {
                order.client_order_id = name;
            }
        });
        let (Some(order), Some((name_before, quantity_before))) = (order, before) else { return };
        let (name_after, quantity_after) = (order.client_order_id, order.asked);
        self.tables
            .amendments
            .add()
            .integer(order_id.0 as i64)
            .integer(2 * at.number as i64)
            .integer(amended.account.0.into())
            .integer(amended.instrument.0.into())
            .optional_text(kept_name(order_id, name_before))
            .optional_text(kept_name(order_id, name_after))
            .integer(quantity_before.0 as i64)
            .integer(quantity_after.0 as i64)
            .integer(at.sequence.0 as i64)
            .integer(at.event_index.into())
            .integer(at.time.0 as i64)
            .end();
    }

    pub(super) fn prevent(&mut self, prevented: &TradePrevented, at: Moment) {
        self.tables
            .prevented_matches
            .add()
            .integer(prevented.prevented_match_id as i64)
            .integer(prevented.instrument.0.into())
            .integer(prevented.taker_order_id.0 as i64)
            .integer(prevented.taker_account.0.into())
            .integer(prevented.taker_side as i64)
            .integer(prevented.maker_order_id.0 as i64)
            .integer(prevented.maker_account.0.into())
            .integer(prevented.mode as i64)
            .integer(prevented.price.0.into())
            .integer(prevented.quantity.0 as i64)
            .integer(prevented.maker_decrement.0 as i64)
            .integer(at.sequence.0 as i64)
            .integer(at.event_index.into())
            .integer(at.time.0 as i64)
            .end();
        let TradePrevented { price, quantity, mode, prevented_match_id, .. } = *prevented;
        let (taker, maker) = (prevented.taker_order_id, prevented.maker_order_id);
        let decrements = mode == SelfTradePrevention::Decrement;
        let both = decrements || mode == SelfTradePrevention::ExpireBoth;
        let of_taker = if decrements { quantity } else { Quantity::ZERO };
        let mut prevent = |order_id, counter_order_id, decrement| {
            let prevention = Prevention { prevented_match_id, counter_order_id, quantity, price };
            self.change_order(order_id, at, |order| order.prevent(prevention, decrement, at.time));
        };
        if both || mode == SelfTradePrevention::ExpireTaker {
            prevent(taker, maker, of_taker);
        }
        if both || mode == SelfTradePrevention::ExpireMaker {
            prevent(maker, taker, prevented.maker_decrement);
        }
    }

    pub(super) fn change_list(
        &mut self,
        changed: &OrderListChanged,
        name: Option<ClientOrderId>,
        at: Moment,
    ) {
        let list = self.lists.entry(changed.list_id).or_insert(Tracked {
            value: ListState {
                account: changed.account,
                instrument: changed.instrument,
                contingency: changed.contingency,
                status: changed.status,
                name,
                orders: changed.orders,
                created_at: at.time,
                updated_at: at.time,
                sequence: at.sequence,
            },
            changed: false,
        });
        list.value.status = changed.status;
        list.value.updated_at = at.time;
        list.value.sequence = at.sequence;
        if !std::mem::replace(&mut list.changed, true) {
            self.changed_lists.push(changed.list_id);
        }
    }

    /// Rows of the orders that changed; those that have ended are known no more.
    pub(super) fn take_orders(&mut self) {
        for order_id in self.changed_orders.drain(..) {
            let Some(kept) = self.orders.get_mut(&order_id) else { continue };
            kept.changed = false;
            order_row::add(&mut self.tables.orders, &kept.value);
            if !kept.value.order.status.is_open() {
                self.orders.remove(&order_id);
            }
        }
    }

    /// As [`Self::take_orders`].
    pub(super) fn take_lists(&mut self) {
        for list_id in self.changed_lists.drain(..) {
            let Some(list) = self.lists.get_mut(&list_id) else { continue };
            list.changed = false;
            let ListState { orders, name, .. } = list.value;
            let third = (list.value.contingency.orders() > 2).then_some(orders[2].0 as i64);
            self.tables
                .order_lists
                .add()
                .integer(list_id.0 as i64)
                .integer(list.value.account.0.into())
                .integer(list.value.instrument.0.into())
                .integer(list.value.contingency as i64)
                .integer(list.value.status as i64)
                .optional_text(name.map(|name| name.as_str().to_owned()))
                .integer(orders[0].0 as i64)
                .integer(orders[1].0 as i64)
                .optional(third)
                .integer(list.value.created_at.0 as i64)
                .integer(list.value.updated_at.0 as i64)
                .integer(list.value.sequence.0 as i64)
                .end();
            if list.value.status == OrderListStatus::Done {
                self.lists.remove(&list_id);
            }
        }
    }
}
