//! Order lists: one cancels the other, one triggers the other, one triggers such a pair. Two legs of
//! which one cancels the other hold once, as much as the larger. Refuses to know how orders trade.

use super::{
    check::{Ready, Stage},
    paid,
};
use crate::{Engine, books::Books};
use protocol::{
    AccountId, AssetId, ClientOrderId, InstrumentId, OrderId, OrderListId, OrderTerms, OrderType, Reject,
    SourceId,
    command::{CancelIds, CancelOrderList, HAS_FIRST_ID, ListedOrder, PlaceOrderList},
    event::{EventBuffer, EventKind, ListHoldChanged, OrderListChanged},
    order::CloseReason,
    terms::{Contingency, OrderListStatus, OrderPhase},
};
use std::collections::{BTreeMap, VecDeque};

/// A list with an open order.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderList {
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) contingency: Contingency,
    pub(super) name: Option<ClientOrderId>,
    /// 0 where there is no third.
    pub(super) orders: [OrderId; 3],
    pub(super) open: [bool; 3],
    /// Ledger units that two open legs hold less than each would alone; 0 when there are no two.
    pub(super) shared: i64,
    /// Whether both legs of the pair are in, and neither traded nor was triggered.
    pub(super) paired: bool,
}

/// What an order's list hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// Some of it traded, or was decremented away.
    Traded,
    /// It is filled.
    Filled,
    /// It left otherwise.
    Left(CloseReason),
}

/// All lists with an open order.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) open: BTreeMap<OrderListId, OrderList>,
    names: BTreeMap<(AccountId, ClientOrderId), OrderListId>,
    pub(super) opened: u64,
    /// Not told yet; empty between commands.
    heard: VecDeque<(OrderListId, OrderId, Happening)>,
}

impl OrderList {
    fn place_of(&self, order_id: OrderId) -> Option<usize> {
        self.orders.iter().position(|other| *other == order_id)
    }

    /// The places of the two legs of which one cancels the other.
    fn pair(&self) -> Option<[usize; 2]> {
        match self.contingency {
            Contingency::OneCancelsOther => Some([0, 1]),
            Contingency::OneTriggersOther => None,
            Contingency::OneTriggersOneCancelsOther => Some([1, 2]),
        }
    }

    /// The other leg of the pair.
    fn sibling(&self, order_id: OrderId) -> Option<OrderId> {
        let [one, other] = self.pair()?.map(|place| self.orders[place]);
        match order_id {
            id if id == one => Some(other),
            id if id == other => Some(one),
            _ => None,
        }
    }
}

impl Lists {
    /// Puts a list back as it was.
    pub(super) fn put_back(&mut self, list_id: OrderListId, list: OrderList) {
        if let Some(name) = list.name {
            self.names.insert((list.account, name), list_id);
        }
        self.open.insert(list_id, list);
    }

    pub(super) fn note(&mut self, list_id: OrderListId, order_id: OrderId, what: Happening) {
        self.heard.push_back((list_id, order_id, what));
    }

    /// The pair parts, if the order is one of a pair: returns what it held less.
    pub(super) fn part(&mut self, list_id: OrderListId, order_id: OrderId) -> i64 {
        let Some(list) = self.open.get_mut(&list_id) else { return 0 };
        if !list.paired || list.sibling(order_id).is_none() {
            return 0;
        }
        list.paired = false;
        std::mem::take(&mut list.shared)
    }
}

impl<B: Books> Engine<B> {
    /// Places a list; returns its id. Every order's checks pass before the first goes in.
    pub(crate) fn place_list(
        &mut self,
        (list, name, orders): (&PlaceOrderList, Option<&ClientOrderId>, &[ListedOrder]),
        source: SourceId,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let ready = self.check_list(list, name, orders)?;
        self.contingent.lists.opened += 1;
        let list_id = OrderListId(self.contingent.lists.opened);
        let mut ids = [OrderId(0); 3];
        for (place, id) in ids.iter_mut().take(ready.len()).enumerate() {
            *id = OrderId(self.orders + 1 + place as u64);
        }
        let opened = OrderList {
            account: list.account,
            instrument: list.instrument,
            contingency: list.contingency,
            name: name.copied(),
            orders: ids,
            open: ids.map(|id| id.0 != 0),
            shared: 0,
            paired: false,
        };
        self.contingent.lists.open.insert(list_id, opened);
        if let Some(name) = name {
            self.contingent.lists.names.insert((list.account, *name), list_id);
        }
        self.contingent.count(list.account, list.instrument, |counts| counts.lists += 1);
        say_list(list_id, &opened, OrderListStatus::Started, events);
        let mut before = None;
        for (place, ready) in ready.iter().enumerate() {
            let name = orders[place].client_order_id.as_ref();
            let works = list.contingency == Contingency::OneCancelsOther || place == 0;
            if works && place == 1 {
                self.share(list_id, [before.unwrap_or(ready), ready], events);
            }
            let order_id = if works {
                self.admit(ready, source, list_id, name, events)
            } else {
                self.accept_beside(ready, source, (list_id, OrderPhase::Pending), name, events)
            };
            debug_assert!(order_id == ids[place], "ids are given in the order of acceptance");
            before = Some(ready);
        }
        Ok(list_id.0)
    }

    fn check_list(
        &mut self,
        list: &PlaceOrderList,
        name: Option<&ClientOrderId>,
        orders: &[ListedOrder],
    ) -> Result<Vec<Ready>, Reject> {
        let oco = list.contingency == Contingency::OneCancelsOther;
        let mut ready = Vec::with_capacity(orders.len());
        for (place, listed) in orders.iter().enumerate() {
            if listed.order.account != list.account || listed.order.instrument != list.instrument {
                return Err(Reject::BadCombination);
            }
            let terms = listed.terms.unwrap_or(OrderTerms::NONE);
            let stage = if oco || place == 0 { Stage::Entry } else { Stage::Pending };
            ready.push(self.check_special(&listed.order, &terms, stage)?);
        }
        match list.contingency {
            Contingency::OneCancelsOther => check_pair(&ready[0], &ready[1])?,
            Contingency::OneTriggersOther => check_working(&ready[0])?,
            Contingency::OneTriggersOneCancelsOther => {
                check_working(&ready[0])?;
                check_pair(&ready[1], &ready[2])?;
            }
        }
        let names: Vec<_> = orders.iter().filter_map(|listed| listed.client_order_id).collect();
        if names.iter().enumerate().any(|(place, name)| names[..place].contains(name)) {
            return Err(Reject::DuplicateClientOrderId);
        }
        if name.is_some_and(|name| self.contingent.lists.names.contains_key(&(list.account, *name))) {
            return Err(Reject::DuplicateListClientOrderId);
        }
        self.check_room(list, &ready)?;
        for (place, (ready, listed)) in ready.iter().zip(orders).enumerate() {
            match self.check_admission(ready, listed.client_order_id.as_ref()) {
                // A pending post-only order may find another book when its turn comes.
                Err(Reject::WouldTake) if !oco && place > 0 => {}
                checked => checked?,
            }
        }
        let (account, asset) = paid(&self.markets[usize::from(list.instrument.0) - 1], &ready[0].order);
        let needed = if oco { ready[0].hold.max(ready[1].hold) } else { ready[0].hold };
        if needed > self.ledger.balances.get(account, asset).available {
            return Err(Reject::InsufficientBalance);
        }
        Ok(ready)
    }

    /// Room for all of the orders at once, and for the list.
    fn check_room(&self, list: &PlaceOrderList, ready: &[Ready]) -> Result<(), Reject> {
        let market = &self.markets[usize::from(list.instrument.0) - 1];
        let filters = &market.order_filters;
        let counts = self.contingent.counts(list.account, list.instrument);
        if filters.max_order_lists != 0 && counts.lists >= filters.max_order_lists {
            return Err(Reject::TooManyOrderLists);
        }
        let more = ready.len() as u32;
        let open = self.books.count(list.account, list.instrument);
        let here = self.books.open_orders(list.instrument);
        let bounds = &market.instrument.filters;
        if open + more > bounds.max_account_orders || here.saturating_add(more) > bounds.max_open_orders {
            return Err(Reject::TooManyOrders);
        }
        let algo = ready.iter().filter(|ready| ready.order.order_type.is_triggered()).count() as u32;
        if filters.max_algo_orders != 0 && counts.algo + algo > filters.max_algo_orders {
            return Err(Reject::TooManyAlgoOrders);
        }
        let icebergs = ready.iter().filter(|ready| ready.terms.visible_quantity.0 != 0).count() as u32;
        if filters.max_iceberg_orders != 0 && counts.icebergs + icebergs > filters.max_iceberg_orders {
            return Err(Reject::TooManyIcebergOrders);
        }
        match self.ledger.accounts.limits(list.account) {
            Some(limits)
                if limits.max_open_orders != 0 && limits.open_orders + more > limits.max_open_orders =>
            {
                Err(Reject::OpenOrdersLimit)
            }
            _ => Ok(()),
        }
    }

    /// The first leg of a pair holds, the second is about to: from here on they hold once.
    fn share(&mut self, list_id: OrderListId, legs: [&Ready; 2], events: &mut EventBuffer) {
        let shared = legs[0].hold.min(legs[1].hold);
        let order = &legs[0].order;
        let (account, asset) = paid(&self.markets[usize::from(order.instrument.0) - 1], order);
        let list = self.contingent.lists.open.get_mut(&list_id).expect("a list that is open");
        (list.paired, list.shared) = (true, shared);
        self.ledger.balances.of(account, asset).release(shared);
        say_shared(list_id, (account, asset), -shared, events);
    }

    /// One leg of a pair is about to go in: the other ends.
    pub(super) fn end_sibling(&mut self, order_id: OrderId, events: &mut EventBuffer) {
        let list_id = self.contingent.special(order_id).list_id;
        let Some(list) = self.contingent.lists.open.get(&list_id).filter(|list| list.paired) else { return };
        if let Some(handle) = list.sibling(order_id).and_then(|sibling| self.books.find(sibling)) {
            self.close_resting(handle, CloseReason::ListContingency, None, events);
        }
    }

    /// Lets lists hear what happened to their orders, until nothing more follows.
    pub(crate) fn settle_lists(&mut self, events: &mut EventBuffer) {
        while let Some((list_id, order_id, what)) = self.contingent.lists.heard.pop_front() {
            let Some(list) = self.contingent.lists.open.get_mut(&list_id) else { continue };
            let Some(place) = list.place_of(order_id) else { continue };
            if what != Happening::Traded {
                list.open[place] = false;
            }
            let list = *list;
            let works_alone = place == 0 && list.contingency != Contingency::OneCancelsOther;
            match what {
                Happening::Filled if works_alone => self.contingent.activations.push_back(list_id),
                Happening::Traded if works_alone => {}
                Happening::Left(reason) if works_alone => {
                    self.end_orders(&list, |other| other != 0, shown(reason), events);
                }
                Happening::Traded | Happening::Filled => {
                    self.end_pair(&list, place, CloseReason::ListContingency, events);
                }
                // It made way for its sibling.
                Happening::Left(CloseReason::ListContingency) => {}
                Happening::Left(reason) => self.end_pair(&list, place, shown(reason), events),
            }
            self.finish_list(list_id, events);
        }
    }

    fn end_pair(&mut self, list: &OrderList, place: usize, reason: CloseReason, events: &mut EventBuffer) {
        let pair = list.pair().unwrap_or([place; 2]);
        self.end_orders(list, |other| other != place && pair.contains(&other), reason, events);
    }

    fn end_orders(
        &mut self,
        list: &OrderList,
        which: impl Fn(usize) -> bool,
        reason: CloseReason,
        events: &mut EventBuffer,
    ) {
        for (place, order_id) in list.orders.iter().enumerate() {
            if list.open[place]
                && which(place)
                && let Some(handle) = self.books.find(*order_id)
            {
                self.close_resting(handle, reason, None, events);
            }
        }
    }

    fn finish_list(&mut self, list_id: OrderListId, events: &mut EventBuffer) {
        let Some(list) = self.contingent.lists.open.get(&list_id).copied() else { return };
        if list.open.contains(&true) {
            return;
        }
        self.contingent.lists.open.remove(&list_id);
        if let Some(name) = list.name {
            self.contingent.lists.names.remove(&(list.account, name));
        }
        self.contingent.count(list.account, list.instrument, |counts| counts.lists -= 1);
        say_list(list_id, &list, OrderListStatus::Done, events);
    }

    /// A list's working order is filled: its pending orders go in.
    pub(super) fn activate_list(&mut self, list_id: OrderListId, events: &mut EventBuffer) {
        let Some(list) = self.contingent.lists.open.get(&list_id).copied() else { return };
        say_list(list_id, &list, OrderListStatus::Updated, events);
        match list.pair() {
            None => self.activate(list.orders[1], events),
            Some(_) => self.activate_pair(list_id, [list.orders[1], list.orders[2]], events),
        }
    }

    /// Both legs of a pair go in and hold once, or neither does.
    fn activate_pair(&mut self, list_id: OrderListId, legs: [OrderId; 2], events: &mut EventBuffer) {
        let ready = legs.map(|leg| self.prepare(leg));
        let [Ok(one), Ok(other)] = &ready else {
            let refused = ready.iter().zip(legs).find_map(|(ready, leg)| Some((leg, ready.as_ref().err()?)));
            return self.end_leg(refused.map(|(leg, reason)| (leg, *reason)), events);
        };
        let (account, asset) = paid(&self.markets[usize::from(one.order.instrument.0) - 1], &one.order);
        if one.hold.max(other.hold) > self.ledger.balances.get(account, asset).available {
            return self.end_leg(Some((legs[0], CloseReason::InsufficientBalance)), events);
        }
        self.go_in(legs[0], one, events);
        self.share(list_id, [one, other], events);
        self.go_in(legs[1], other, events);
    }

    /// A pending leg that cannot go in leaves; its sibling hears of it.
    fn end_leg(&mut self, leg: Option<(OrderId, CloseReason)>, events: &mut EventBuffer) {
        if let Some((leg, reason)) = leg
            && let Some(handle) = self.books.find(leg)
        {
            self.close_resting(handle, reason, None, events);
        }
    }

    /// Cancels a list; returns its id.
    pub(crate) fn cancel_list(
        &mut self,
        cancel: &CancelOrderList,
        ids: &CancelIds,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let lists = &self.contingent.lists;
        let by_name = ids.original.map(|name| lists.names.get(&(cancel.account, name)).copied());
        let list_id = match (cancel.list_id, by_name) {
            (OrderListId(0), Some(named)) => named.ok_or(Reject::UnknownOrderList)?,
            (list_id, None) => list_id,
            (list_id, Some(named)) if named == Some(list_id) => list_id,
            _ => return Err(Reject::UnknownOrderList),
        };
        let own = |list: &&OrderList| list.account == cancel.account && list.instrument == cancel.instrument;
        let list = *lists.open.get(&list_id).filter(own).ok_or(Reject::UnknownOrderList)?;
        for order_id in list.orders {
            if let Some(handle) = self.books.find(order_id) {
                self.close_resting(handle, CloseReason::Cancelled, ids.request.as_ref(), events);
            }
        }
        self.settle_lists(events);
        Ok(list_id.0)
    }
}

/// Says that two legs hold `held` more than they did, of what they shared; 0 says nothing.
pub(super) fn say_shared(
    list_id: OrderListId,
    (account, asset): (AccountId, AssetId),
    held: i64,
    events: &mut EventBuffer,
) {
    if held != 0 {
        let changed = ListHoldChanged { list_id, account, asset, reserved: [0; 2], held };
        events.push(EventKind::ListHoldChanged, &changed);
    }
}

fn say_list(list_id: OrderListId, list: &OrderList, status: OrderListStatus, events: &mut EventBuffer) {
    let OrderList { account, instrument, contingency, orders, .. } = *list;
    let changed = OrderListChanged { list_id, account, instrument, contingency, status, orders };
    events.push_with_id(EventKind::OrderListChanged, &changed, HAS_FIRST_ID, list.name.as_ref());
}

/// What the other orders of a list are said to have left for.
fn shown(reason: CloseReason) -> CloseReason {
    match reason {
        CloseReason::Cancelled | CloseReason::Replaced => CloseReason::Cancelled,
        CloseReason::AccountSuspended
        | CloseReason::ByOperator
        | CloseReason::Delisted
        | CloseReason::CancelTimer
        | CloseReason::KillSwitch
        | CloseReason::SessionClosed => reason,
        _ => CloseReason::ListContingency,
    }
}

/// A working order is a limit order.
fn check_working(ready: &Ready) -> Result<(), Reject> {
    let limit = matches!(ready.order.order_type, OrderType::Limit | OrderType::LimitMaker);
    if limit { Ok(()) } else { Err(Reject::BadCombination) }
}

/// The leg above and the leg below: one takes what is gained, the other stops what is lost.
fn check_pair(above: &Ready, below: &Ready) -> Result<(), Reject> {
    let (one, other) = (&above.order, &below.order);
    if one.side != other.side || one.quantity != other.quantity {
        return Err(Reject::BadCombination);
    }
    let gains = |order_type| {
        matches!(order_type, OrderType::LimitMaker | OrderType::TakeProfit | OrderType::TakeProfitLimit)
    };
    let stops = |order_type| matches!(order_type, OrderType::StopLoss | OrderType::StopLossLimit);
    let (gaining, stopping) = one.side.pick((other, one), (one, other));
    if !gains(gaining.order_type) || !stops(stopping.order_type) {
        return Err(Reject::BadCombination);
    }
    let price = |ready: &Ready| {
        if ready.order.order_type == OrderType::LimitMaker {
            ready.order.price
        } else {
            ready.terms.stop_price
        }
    };
    let (high, low) = (price(above), price(below));
    if high.0 != 0 && low.0 != 0 && high <= low { Err(Reject::ListPrices) } else { Ok(()) }
}
