//! The orders of one account, open and closed, by id and by name; the closed ones bounded. Refuses
//! to know what happens to an order.

use super::{
    Order, OrderQuery,
    bounds::{Gone, Held, Leave},
    order_named,
    page::Asked,
};
use protocol::{ClientOrderId, InstrumentId, OrderId, Time};
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
    gone: Gone,
    /// The highest id that has left, and when it was accepted: all above it are here.
    gone_highest: (OrderId, Time),
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
        leave: &Leave,
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
            while let Some(oldest) = self.closed.front().copied()
                && self.is_to_go(oldest, leave)
            {
                self.forget(oldest, leave);
            }
        }
        Some(order)
    }

    fn is_to_go(&self, oldest: OrderId, leave: &Leave) -> bool {
        let closed_at = self.orders.get(&oldest).map_or(Time(0), |order| order.update_time);
        leave.oldest(self.closed.len(), leave.bounds.closed_orders_of_account, closed_at)
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
    pub(super) fn forget(&mut self, order_id: OrderId, leave: &Leave) {
        if self.closed.front() != Some(&order_id) {
            return;
        }
        self.closed.pop_front();
        let Some(order) = self.orders.remove(&order_id) else { return };
        if self.names.get(&order.client_order_id) == Some(&order_id) {
            self.names.remove(&order.client_order_id);
        }
        self.gone.note(leave, order.update_time);
        self.gone_highest = self.gone_highest.max((order_id, order.time));
    }

    /// An order by its id.
    pub(super) fn get(&self, order_id: OrderId) -> Held<Option<Order>> {
        let found = self.orders.get(&order_id).copied();
        let may_have_left = found.is_none() && order_id <= self.gone_highest.0;
        Held { found, lacks: self.gone.until().filter(|_| may_have_left) }
    }

    /// The latest order of this name, given or made.
    pub(super) fn named(&self, name: &ClientOrderId) -> Held<Option<Order>> {
        let found = match self.names.get(name) {
            Some(order_id) => self.orders.get(order_id),
            None => order_named(name)
                .and_then(|order_id| self.orders.get(&order_id))
                .filter(|order| order.client_order_id == *name),
        };
        Held { found: found.copied(), lacks: self.gone.until().filter(|_| found.is_none()) }
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
    pub(super) fn query(&self, query: &OrderQuery) -> Held<Vec<Order>> {
        let asked = Asked {
            from: query.from_id.unwrap_or_default(),
            until: query.until_id.unwrap_or(OrderId(u64::MAX)),
            start: query.start,
            end: query.end,
            limit: query.limit,
            is_forward: query.is_forward(),
        };
        let wanted = |order: &Order| query.instrument.is_none_or(|wanted| order.instrument == wanted);
        asked.of(&self.orders, |order| order.time, wanted, self.gone, self.gone_highest)
    }
}
