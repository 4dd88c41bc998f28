//! The order lists of one account, open and done; the done ones bounded. Refuses to know what happens to
//! their orders.

use super::{
    OrderList, OrderListQuery,
    bounds::{Gone, Held, Leave},
    page::Asked,
};
use protocol::{AssetId, ClientOrderId, OrderListId, Time, event::OrderListChanged, terms::OrderListStatus};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// An account's order lists.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OrderLists {
    lists: BTreeMap<OrderListId, OrderList>,
    /// In the order they were done.
    done: VecDeque<OrderListId>,
    /// The latest list of each name.
    names: HashMap<ClientOrderId, OrderListId>,
    gone: Gone,
    /// The highest id that has left, and when it was placed: all above it are here.
    gone_highest: (OrderListId, Time),
}

impl OrderLists {
    /// Takes in where a list stands, and says so.
    pub(super) fn set(
        &mut self,
        event: &OrderListChanged,
        name: Option<ClientOrderId>,
        time: Time,
        leave: &Leave,
    ) -> OrderList {
        let changed = OrderList::changed(event, name, time);
        let list = self.lists.entry(event.list_id).or_insert(changed);
        (list.status, list.update_time) = (event.status, time);
        let list = *list;
        self.names.insert(list.client_order_id, list.list_id);
        if list.status == OrderListStatus::Done {
            self.done.push_back(list.list_id);
            self.let_go(leave);
        }
        list
    }

    /// Lets those go that were done first, as far as they may.
    fn let_go(&mut self, leave: &Leave) {
        while let Some(oldest) = self.done.front().and_then(|oldest| self.lists.get(oldest)).copied()
            && leave.oldest(self.done.len(), leave.bounds.records_of_account, oldest.update_time)
        {
            self.done.pop_front();
            self.lists.remove(&oldest.list_id);
            if self.names.get(&oldest.client_order_id) == Some(&oldest.list_id) {
                self.names.remove(&oldest.client_order_id);
            }
            self.gone.note(leave, oldest.update_time);
            self.gone_highest = self.gone_highest.max((oldest.list_id, oldest.time));
        }
    }

    /// Takes in that a list's orders hold more together by `held`, or less.
    pub(super) fn hold(&mut self, list_id: OrderListId, asset: AssetId, held: i64) {
        if let Some(list) = self.lists.get_mut(&list_id) {
            list.hold += held;
            list.hold_asset = asset;
        }
    }

    pub(super) fn get(&self, list_id: OrderListId) -> Held<Option<OrderList>> {
        let found = self.lists.get(&list_id).copied();
        let may_have_left = found.is_none() && list_id <= self.gone_highest.0;
        Held { found, lacks: self.gone.until().filter(|_| may_have_left) }
    }

    pub(super) fn named(&self, name: &ClientOrderId) -> Held<Option<OrderList>> {
        let found = self.names.get(name).and_then(|list_id| self.lists.get(list_id)).copied();
        Held { found, lacks: self.gone.until().filter(|_| found.is_none()) }
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &OrderList> {
        self.lists.values().filter(|list| list.status != OrderListStatus::Done)
    }

    /// Lists by id (see [`OrderListQuery`]).
    pub(super) fn query(&self, query: &OrderListQuery) -> Held<Vec<OrderList>> {
        let asked = Asked {
            from: query.from_id.unwrap_or_default(),
            until: OrderListId(u64::MAX),
            start: query.start,
            end: query.end,
            limit: query.limit,
            is_forward: query.is_forward(),
        };
        asked.of(&self.lists, |list| list.time, |_| true, self.gone, self.gone_highest)
    }
}
