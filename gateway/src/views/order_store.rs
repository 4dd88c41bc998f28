//! The orders of one account, open and closed, by id and by name; the closed ones bounded. Refuses
//! to know what happens to an order.

use super::{Bounds, Order, OrderQuery, names::order_named};
use protocol::{ClientOrderId, InstrumentId, OrderId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// An account's orders.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OrderStore {
    orders: BTreeMap<OrderId, Order>,
    open: BTreeSet<OrderId>,
    /// In the order of closing.
    closed: VecDeque<OrderId>,
    /// The latest order of each name a client gave.
    names: HashMap<ClientOrderId, OrderId>,
}

impl OrderStore {
    /// Takes in a new order; `name` is what its client called it.
    pub(super) fn add(&mut self, order: &Order, name: Option<ClientOrderId>) {
        if let Some(name) = name {
            self.names.insert(name, order.order_id);
        }
        self.open.insert(order.order_id);
        self.orders.insert(order.order_id, *order);
    }

    /// Changes an open order, and says what it is now; `None` if there is no such open order.
    pub(super) fn change(
        &mut self,
        order_id: OrderId,
        bounds: &Bounds,
        change: impl FnOnce(&mut Order),
    ) -> Option<Order> {
        if !self.open.contains(&order_id) {
            return None;
        }
        let order = self.orders.get_mut(&order_id)?;
        change(order);
        let order = *order;
        if !order.status.is_open() {
            self.open.remove(&order_id);
            self.closed.push_back(order_id);
            if self.closed.len() > bounds.closed_orders_of_account.max(1)
                && let Some(oldest) = self.closed.pop_front()
            {
                self.drop_order(oldest);
            }
        }
        Some(order)
    }

    /// Gives an order a new name.
    pub(super) fn rename(&mut self, order_id: OrderId, name: ClientOrderId) {
        if let Some(order) = self.orders.get_mut(&order_id) {
            let old = std::mem::replace(&mut order.client_order_id, name);
            if self.names.get(&old) == Some(&order_id) {
                self.names.remove(&old);
            }
            self.names.insert(name, order_id);
        }
    }

    /// Forgets a closed order, if it is still kept: then it is the one that closed first.
    pub(super) fn forget(&mut self, order_id: OrderId) {
        if self.closed.front() == Some(&order_id) {
            self.closed.pop_front();
            self.drop_order(order_id);
        }
    }

    fn drop_order(&mut self, order_id: OrderId) {
        if let Some(order) = self.orders.remove(&order_id)
            && self.names.get(&order.client_order_id) == Some(&order_id)
        {
            self.names.remove(&order.client_order_id);
        }
    }

    pub(super) fn get(&self, order_id: OrderId) -> Option<&Order> {
        self.orders.get(&order_id)
    }

    /// The latest order of this name, given or made.
    pub(super) fn named(&self, name: &ClientOrderId) -> Option<&Order> {
        if let Some(order_id) = self.names.get(name) {
            return self.orders.get(order_id);
        }
        let order = self.orders.get(&order_named(name)?)?;
        (order.client_order_id == *name).then_some(order)
    }

    /// Every open order, by id.
    pub(super) fn open(&self) -> impl Iterator<Item = &Order> {
        self.open.iter().filter_map(|order_id| self.orders.get(order_id))
    }

    /// Looks at `count` open orders from an id on: those of the instrument, and where to go on.
    pub(super) fn open_page(
        &self,
        from: OrderId,
        instrument: Option<InstrumentId>,
        count: usize,
    ) -> (Vec<Order>, Option<OrderId>) {
        let mut ids = self.open.range(from..);
        let orders = ids.by_ref().take(count).filter_map(|order_id| self.orders.get(order_id));
        let wanted = orders.filter(|order| instrument.is_none_or(|wanted| order.instrument == wanted));
        (wanted.copied().collect(), ids.next().copied())
    }

    /// Orders by id (see [`OrderQuery`]).
    pub(super) fn query(&self, query: &OrderQuery) -> Vec<Order> {
        let wanted = |order: &&Order| {
            query.instrument.is_none_or(|instrument| order.instrument == instrument)
                && query.start.is_none_or(|start| order.time >= start)
                && query.end.is_none_or(|end| order.time <= end)
        };
        let from = self.orders.range(query.from_id.unwrap_or_default()..).map(|(_, order)| order);
        if query.from_id.is_some() || query.start.is_some() {
            return from.filter(wanted).take(query.limit).copied().collect();
        }
        let mut last: Vec<_> = from.rev().filter(wanted).take(query.limit).copied().collect();
        last.reverse();
        last
    }
}
