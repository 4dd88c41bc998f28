//! The order lists of one account, open and done; the done ones bounded. Refuses to know what happens to
//! their orders.

use super::{Bounds, OrderListQuery, names::shown_list_client_order_id};
use protocol::{
    AccountId, AssetId, ClientOrderId, InstrumentId, OrderId, OrderListId, Time,
    event::OrderListChanged,
    terms::{Contingency, OrderListStatus},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Orders that depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderList {
    /// Its id.
    pub list_id: OrderListId,
    /// What its owner calls it, or what was made for it.
    pub client_order_id: ClientOrderId,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub instrument: InstrumentId,
    /// How its orders depend on each other.
    pub contingency: Contingency,
    /// Where it stands.
    pub status: OrderListStatus,
    /// When it was placed.
    pub time: Time,
    /// When it last stood otherwise.
    pub update_time: Time,
    orders: [OrderId; 3],
    /// What its orders hold together beyond the sum of what each holds, in ledger units: two legs hold
    /// once, so it is negative.
    pub(super) hold: i64,
    pub(super) hold_asset: AssetId,
}

impl OrderList {
    /// The list as an event says it stands; `name` is what its client called it.
    pub(crate) fn changed(event: &OrderListChanged, name: Option<ClientOrderId>, time: Time) -> Self {
        Self {
            list_id: event.list_id,
            client_order_id: shown_list_client_order_id(event.list_id, name),
            account: event.account,
            instrument: event.instrument,
            contingency: event.contingency,
            status: event.status,
            time,
            update_time: time,
            orders: event.orders,
            hold: 0,
            hold_asset: AssetId(0),
        }
    }

    /// Its orders, in the order they were placed in.
    pub fn orders(&self) -> &[OrderId] {
        &self.orders[..self.contingency.orders()]
    }

    /// `contingencyType`: `OCO` or `OTO`.
    pub const fn contingency_text(&self) -> &'static str {
        match self.contingency {
            Contingency::OneCancelsOther => "OCO",
            Contingency::OneTriggersOther | Contingency::OneTriggersOneCancelsOther => "OTO",
        }
    }

    /// `listStatusType`.
    pub const fn status_type_text(&self) -> &'static str {
        match self.status {
            OrderListStatus::Started => "EXEC_STARTED",
            OrderListStatus::Updated => "UPDATED",
            OrderListStatus::Done => "ALL_DONE",
        }
    }

    /// `listOrderStatus`.
    pub const fn order_status_text(&self) -> &'static str {
        match self.status {
            OrderListStatus::Started | OrderListStatus::Updated => "EXECUTING",
            OrderListStatus::Done => "ALL_DONE",
        }
    }
}

/// An account's order lists.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OrderLists {
    lists: BTreeMap<OrderListId, OrderList>,
    /// In the order they were done.
    done: VecDeque<OrderListId>,
    /// The latest list of each name.
    names: HashMap<ClientOrderId, OrderListId>,
}

impl OrderLists {
    /// Takes in where a list stands, and says so.
    pub(super) fn set(
        &mut self,
        event: &OrderListChanged,
        name: Option<ClientOrderId>,
        time: Time,
        bounds: &Bounds,
    ) -> OrderList {
        let changed = OrderList::changed(event, name, time);
        let list = self.lists.entry(event.list_id).or_insert(changed);
        (list.status, list.update_time) = (event.status, time);
        let list = *list;
        self.names.insert(list.client_order_id, list.list_id);
        if list.status == OrderListStatus::Done {
            self.done.push_back(list.list_id);
            if self.done.len() > bounds.records_of_account.max(1)
                && let Some(oldest) = self.done.pop_front().and_then(|oldest| self.lists.remove(&oldest))
                && self.names.get(&oldest.client_order_id) == Some(&oldest.list_id)
            {
                self.names.remove(&oldest.client_order_id);
            }
        }
        list
    }

    /// Takes in that a list's orders hold more together by `held`, or less.
    pub(super) fn hold(&mut self, list_id: OrderListId, asset: AssetId, held: i64) {
        if let Some(list) = self.lists.get_mut(&list_id) {
            list.hold += held;
            list.hold_asset = asset;
        }
    }

    pub(super) fn get(&self, list_id: OrderListId) -> Option<&OrderList> {
        self.lists.get(&list_id)
    }

    pub(super) fn named(&self, name: &ClientOrderId) -> Option<&OrderList> {
        self.lists.get(self.names.get(name)?)
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &OrderList> {
        self.lists.values().filter(|list| list.status != OrderListStatus::Done)
    }

    /// Lists by id (see [`OrderListQuery`]).
    pub(super) fn query(&self, query: &OrderListQuery) -> Vec<OrderList> {
        let wanted = |list: &&OrderList| {
            query.start.is_none_or(|start| list.time >= start) && query.end.is_none_or(|end| list.time <= end)
        };
        let from = self.lists.range(query.from_id.unwrap_or_default()..).map(|(_, list)| list);
        if query.from_id.is_some() || query.start.is_some() {
            return from.filter(wanted).take(query.limit).copied().collect();
        }
        let mut last: Vec<_> = from.rev().filter(wanted).take(query.limit).copied().collect();
        last.reverse();
        last
    }
}
