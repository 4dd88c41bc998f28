//! Waiting orders go in when the last price meets their trigger; pending ones when their list's
//! working order is filled. Refuses to know who asks for it: that is `follow`.

use super::{
    Special,
    check::{Ready, find_trigger},
    paid,
    triggers::trail,
};
use crate::{
    Engine,
    books::{Books, LATE, PENDING, WAITING},
    matching::Found,
};
use protocol::{
    InstrumentId, OrderId, Price, Side,
    command::PlaceOrder,
    event::{EventBuffer, EventKind, OrderActivated, OrderTriggered},
    filter,
    order::{CloseReason, OrderType},
    terms::OrderPhase,
};

impl<B: Books> Engine<B> {
    /// Lets an order wait for its trigger; one that trails does so from the last price on.
    pub(super) fn arm(&mut self, order_id: OrderId, trigger: Price, trails: bool) {
        let special = self.contingent.special_mut(order_id);
        let (instrument, side) = (special.order.instrument, special.order.side);
        special.trigger = trigger;
        let last = self.markets[usize::from(instrument.0) - 1].last_price();
        let triggers = self.contingent.triggers.entry(instrument).or_default();
        let special = self.contingent.orders.get_mut(&order_id).expect("it was just there");
        if let (true, Some(last)) = (trails, last) {
            special.extreme = last;
            triggers.insert_extreme(side, last, order_id);
        }
        // One that is to trail and cannot yet, for want of any price, begins with the first trade.
        if trigger.0 == 0 {
            special.extreme = Price(0);
            special.trigger = Price(if special.rises() { 1 } else { u32::MAX });
        }
        triggers.insert(special.rises(), special.trigger, order_id);
        self.markets[usize::from(instrument.0) - 1].watched = true;
    }

    /// The order no longer waits for its trigger.
    pub(super) fn disarm(&mut self, order_id: OrderId) {
        let special = self.contingent.special_mut(order_id);
        let (instrument, side) = (special.order.instrument, special.order.side);
        let (rises, trigger, extreme) = (special.rises(), special.trigger, special.extreme);
        if let Some(triggers) = self.contingent.triggers.get_mut(&instrument) {
            triggers.remove(rises, trigger, order_id);
            triggers.remove_extreme(side, extreme, order_id);
            if triggers.is_empty() {
                self.contingent.triggers.remove(&instrument);
            }
        }
        self.watch(instrument);
    }

    /// Keeps in the market whether anyone looks at its last price.
    pub(super) fn watch(&mut self, instrument: InstrumentId) {
        self.markets[usize::from(instrument.0) - 1].watched = self.contingent.watches(instrument);
    }

    /// Trailing orders follow a last price that is better than the best they saw.
    pub(super) fn follow_trails(&mut self, instrument: InstrumentId, last: Price) {
        while let Some(order_id) =
            self.contingent.triggers.get(&instrument).and_then(|triggers| triggers.outrun(last))
        {
            self.trail_from(order_id, last);
        }
    }

    fn trail_from(&mut self, order_id: OrderId, last: Price) {
        self.disarm(order_id);
        let special = self.contingent.special(order_id);
        let trigger = trail(special.order.side, last, special.terms.trailing_delta);
        self.arm(order_id, trigger, true);
    }

    /// The order that the last price meets first goes in, or begins to trail. Returns whether there
    /// was one.
    pub(super) fn trigger_next(&mut self, instrument: InstrumentId, events: &mut EventBuffer) -> bool {
        let Some(last) = self.market(instrument).and_then(crate::Market::last_price) else { return false };
        self.follow_trails(instrument, last);
        let met = self.contingent.triggers.get(&instrument).and_then(|triggers| triggers.first_met(last));
        let Some(order_id) = met else { return false };
        let special = self.contingent.special(order_id);
        if special.terms.trailing_delta != 0 && special.extreme.0 == 0 {
            self.trail_from(order_id, last);
        } else {
            self.trigger(order_id, last, events);
        }
        true
    }

    /// A waiting order goes in.
    fn trigger(&mut self, order_id: OrderId, last_price: Price, events: &mut EventBuffer) {
        let handle = self.books.find(order_id).expect("an order that waits is known by its id");
        if self.is_over(self.books.order(handle)) {
            return self.close_resting(handle, CloseReason::TimeReached, None, events);
        }
        self.end_sibling(order_id, events);
        self.disarm(order_id);
        let resting = *self.books.order(handle);
        let special = self.contingent.special_mut(order_id);
        special.phase = OrderPhase::Working;
        let order_type = special.order.order_type;
        let market = &self.markets[usize::from(resting.instrument.0) - 1];
        let held = market.held(resting.side, resting.price, resting.leaves);
        self.ledger.balances.of(resting.account, market.paid_asset(resting.side)).release(held);
        self.books.change(handle, |order| order.flags = (order.flags & !WAITING) | PENDING);
        let triggered = OrderTriggered {
            order_id,
            account: resting.account,
            price: resting.price,
            quantity: resting.leaves,
            instrument: resting.instrument,
            side: resting.side,
            order_type,
            last_price,
        };
        events.push(EventKind::OrderTriggered, &triggered);
        self.run(handle, LATE, events);
    }

    /// A pending order's turn: it waits for its trigger or trades, if there is enough for it.
    pub(super) fn activate(&mut self, order_id: OrderId, events: &mut EventBuffer) {
        let Some(handle) = self.books.find(order_id) else { return };
        let ready = self.prepare(order_id).and_then(|ready| {
            let (account, asset) =
                paid(&self.markets[usize::from(ready.order.instrument.0) - 1], &ready.order);
            let enough = ready.hold <= self.ledger.balances.get(account, asset).available;
            if enough { Ok(ready) } else { Err(CloseReason::InsufficientBalance) }
        });
        match ready {
            Ok(ready) => self.go_in(order_id, &ready, events),
            Err(reason) => self.close_resting(handle, reason, None, events),
        }
    }

    /// What a pending order needs now, and its trigger; or why it cannot go in.
    pub(super) fn prepare(&self, order_id: OrderId) -> Result<Ready, CloseReason> {
        let special = self.contingent.special(order_id);
        let Special { mut order, terms, .. } = *special;
        let market = &self.markets[usize::from(order.instrument.0) - 1];
        let mut ready = Ready { order, terms, hold: 0, trigger: Price(0), trails: false };
        if order.order_type.is_triggered() {
            find_trigger(market, &mut ready).map_err(|_| CloseReason::NoMoreLiquidity)?;
        } else if order.order_type == OrderType::Market {
            let average = market.average.price(market.instrument.filters.reference_price);
            order.price = filter::protection_price(&market.instrument, order.side, average);
            ready.order = order;
            ready.hold = self.cost_now(&order).ok_or(CloseReason::InsufficientBalance)?;
        } else if order.order_type == OrderType::LimitMaker && self.crosses(&order) {
            return Err(CloseReason::WouldTake);
        } else {
            ready.hold = market.held(order.side, order.price, order.quantity);
        }
        Ok(ready)
    }

    /// A pending order that was prepared, and for which there is enough, goes in.
    pub(super) fn go_in(&mut self, order_id: OrderId, ready: &Ready, events: &mut EventBuffer) {
        let handle = self.books.find(order_id).expect("an order that is pending is known by its id");
        let resting = *self.books.order(handle);
        let waits = ready.order.order_type.is_triggered();
        let price = ready.order.price;
        self.count_open(resting, resting.leaves, -1);
        self.books.change(handle, |order| order.price = price);
        let resting = *self.books.order(handle);
        self.count_open(resting, resting.leaves, 1);
        let phase = if waits { OrderPhase::Waiting } else { OrderPhase::Working };
        let special = self.contingent.special_mut(order_id);
        (special.phase, special.order.price) = (phase, price);
        let activated = OrderActivated {
            order_id,
            account: resting.account,
            price,
            quantity: resting.leaves,
            instrument: resting.instrument,
            side: resting.side,
            phase,
            trigger_price: ready.trigger,
        };
        events.push(EventKind::OrderActivated, &activated);
        if waits {
            let (account, asset) = paid(&self.markets[usize::from(resting.instrument.0) - 1], &ready.order);
            self.ledger.balances.of(account, asset).hold(ready.hold);
            self.books.change(handle, |order| order.flags = (order.flags & !PENDING) | WAITING);
            self.arm(order_id, ready.trigger, ready.trails);
            self.wake(resting.instrument);
        } else {
            self.run(handle, LATE, events);
        }
    }

    /// What a market order costs now, up to the protection price that is its price.
    fn cost_now(&self, order: &PlaceOrder) -> Option<i64> {
        match order.side {
            Side::Sell => {
                self.markets[usize::from(order.instrument.0) - 1].instrument.base_amount(order.quantity)
            }
            Side::Buy => {
                let taker = self.taker(order, order.price);
                i64::try_from(self.walk(&taker, Found::ALL).notional).ok()
            }
        }
    }
}
