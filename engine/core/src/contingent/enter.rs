//! The way in of orders that are not plain: accepted, then waiting for their trigger, or trading as
//! any order does and resting with what is known beside the books. Refuses to know triggers and
//! lists beyond telling them.

use super::{
    Special,
    check::{Ready, Stage},
    lists::Happening,
    paid,
};
use crate::{
    Engine,
    books::{Books, EXPIRES, LATE, MARKED, PENDING, RestingOrder, WAITING},
    engine::Ended,
    matching::{Found, close_taker},
};
use protocol::{
    ClientOrderId, OrderId, OrderListId, OrderTerms, OrderType, Quantity, Reject, SourceId, Time,
    TimeInForce,
    command::{CancelIds, CancelReplace, CommandRecord, PlaceOrder},
    event::{EventBuffer, EventKind, OrderAccepted, OrderRested, ReserveChanged},
    order::{CloseReason, ReplaceMode},
    reject::Outcome,
    terms::{AcceptedTerms, OrderPhase},
};

impl<B: Books> Engine<B> {
    /// Places an order that has terms; returns its id.
    #[cold]
    pub(crate) fn place_with_terms(
        &mut self,
        command: &CommandRecord<'_>,
        order: &PlaceOrder,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let ready = self.read_and_check(command, order)?;
        self.place_ready(&ready, command.header.source, client_order_id, events)
    }

    fn read_and_check(&mut self, command: &CommandRecord<'_>, order: &PlaceOrder) -> Result<Ready, Reject> {
        let terms = command.terms().map_err(|_| Reject::Malformed)?.ok_or(Reject::Malformed)?;
        self.check_special(order, &terms, Stage::Entry)
    }

    /// Cancels an order and places one that has terms, as [`Engine::cancel_replace`] does.
    #[cold]
    pub(crate) fn replace_with_terms(
        &mut self,
        command: &CommandRecord<'_>,
        (replace, ids, client_order_id): (&CancelReplace, CancelIds, Option<&ClientOrderId>),
        events: &mut EventBuffer,
    ) -> Ended {
        if replace.order.account != replace.cancel.account
            || replace.order.instrument != replace.cancel.instrument
        {
            return Err(Reject::BadCombination).into();
        }
        let ready = match self.read_and_check(command, &replace.order) {
            Ok(ready) => ready,
            Err(reject) => return Err(reject).into(),
        };
        let cancelled = self.cancel_for(&replace.cancel, &ids, CloseReason::Replaced, events);
        let cancel_code = cancelled.map_or_else(|reject| reject as u16, |_| 0);
        if cancelled.is_err() && replace.mode == ReplaceMode::StopOnFailure {
            let outcome = Outcome::Refused(Reject::ReplaceCancelFailed);
            return Ended { outcome, result: 0, cancel_code };
        }
        self.settle_lists(events);
        let placed: Ended = self.place_ready(&ready, command.header.source, client_order_id, events).into();
        Ended { cancel_code, ..placed }
    }

    /// The rest of the checks (names, limits, funds), and the order's way in.
    fn place_ready(
        &mut self,
        ready: &Ready,
        source: SourceId,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        if ready.order.order_type == OrderType::Market {
            // Nothing of it rests: its terms are said, and that is all.
            self.check_admission(ready, client_order_id)?;
            self.contingent.said = Some(accepted_terms(ready, OrderListId(0), OrderPhase::Working));
            let placed = self.place_market(&ready.order, client_order_id, events);
            self.contingent.said = None;
            return placed;
        }
        self.check_admission(ready, client_order_id)?;
        let (account, asset) = paid(&self.markets[usize::from(ready.order.instrument.0) - 1], &ready.order);
        if ready.hold > self.ledger.balances.get(account, asset).available {
            return Err(Reject::InsufficientBalance);
        }
        Ok(self.admit(ready, source, OrderListId(0), client_order_id, events).0)
    }

    /// Names and limits, and that a post-only order takes nothing.
    pub(super) fn check_admission(
        &self,
        ready: &Ready,
        client_order_id: Option<&ClientOrderId>,
    ) -> Result<(), Reject> {
        let order = &ready.order;
        if let Some(id) = client_order_id
            && self.books.find_by_client_order_id(order.account, id).is_some()
        {
            return Err(Reject::DuplicateClientOrderId);
        }
        // What waits is open whatever becomes of it later.
        let open = PlaceOrder { time_in_force: TimeInForce::GoodTillCancel, ..*order };
        self.check_limits(if order.order_type.is_triggered() { &open } else { order })?;
        if order.order_type == OrderType::LimitMaker && self.crosses(order) {
            return Err(Reject::WouldTake);
        }
        Ok(())
    }

    /// Whether the order would trade with what rests now.
    pub(super) fn crosses(&self, order: &PlaceOrder) -> bool {
        let opposite = self.books.best_price(order.instrument, order.side.opposite());
        let trades = self.markets[usize::from(order.instrument.0) - 1].instrument.status.matches();
        trades && opposite.is_some_and(|best| order.side.pick(best <= order.price, best >= order.price))
    }

    /// Accepts an order whose checks have passed, and lets it wait or trade and rest.
    pub(super) fn admit(
        &mut self,
        ready: &Ready,
        source: SourceId,
        list_id: OrderListId,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) -> OrderId {
        let waits = ready.order.order_type.is_triggered();
        let phase = if waits { OrderPhase::Waiting } else { OrderPhase::Working };
        let order_id = self.accept_beside(ready, source, (list_id, phase), client_order_id, events);
        let order = &ready.order;
        if waits {
            let (account, asset) = paid(&self.markets[usize::from(order.instrument.0) - 1], order);
            self.ledger.balances.of(account, asset).hold(ready.hold);
            self.arm(order_id, ready.trigger, ready.trails);
        } else {
            let handle = self.books.find(order_id).expect("it was just put there");
            self.run(handle, 0, events);
        }
        order_id
    }

    /// Gives an order its id, says so, and keeps it beside the books.
    pub(super) fn accept_beside(
        &mut self,
        ready: &Ready,
        source: SourceId,
        (list_id, phase): (OrderListId, OrderPhase),
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) -> OrderId {
        self.contingent.said = Some(accepted_terms(ready, list_id, phase));
        let order = &ready.order;
        let order_id = self.accept(order, client_order_id, false, events);
        self.contingent.said = None;
        let PlaceOrder { account, price, instrument, side, expires_at, .. } = *order;
        let state = if phase == OrderPhase::Waiting { WAITING } else { PENDING };
        let expires = if expires_at == Time::NEVER { 0 } else { EXPIRES };
        let flags = state | expires | MARKED;
        let beside =
            RestingOrder { order_id, leaves: order.quantity, account, price, instrument, side, flags };
        self.books.insert_beside(beside, client_order_id);
        self.count_open(beside, beside.leaves, 1);
        if expires != 0 {
            self.expiring.insert(order_id, expires_at);
            self.note_expiry();
        }
        let special = Special {
            order: *order,
            terms: ready.terms,
            source,
            list_id,
            phase,
            reserve: Quantity(0),
            trigger: protocol::Price(0),
            extreme: protocol::Price(0),
            amends: 0,
        };
        self.contingent.remember(order_id, special);
        order_id
    }

    /// Says that an order is in, with its terms.
    #[cold]
    pub(crate) fn say_accepted(
        &self,
        accepted: &OrderAccepted,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) {
        let said = self.contingent.said.expect("who places an order with terms says which");
        let rests = if said.phase == OrderPhase::Waiting { 2 } else { 0 };
        let accepted = OrderAccepted { rests, ..*accepted };
        events.push_with_terms(EventKind::OrderAccepted, &accepted, client_order_id, &said);
    }

    /// An order beside the books, which holds nothing, trades, and what is left of it rests or
    /// expires. `late` is [`LATE`] when its id does not say that it comes now.
    pub(super) fn run(&mut self, handle: B::Handle, late: u8, events: &mut EventBuffer) {
        let resting = *self.books.order(handle);
        let special = *self.contingent.special(resting.order_id);
        let order = PlaceOrder { quantity: resting.leaves, price: resting.price, ..special.order };
        self.count_open(resting, resting.leaves, -1);
        let mut taker = self.taker(&order, order.price);
        taker.order_id = resting.order_id;
        let crosses = self.crosses(&order);
        let fills_whole = order.time_in_force != TimeInForce::FillOrKill
            || (crosses && self.walk(&taker, Found::ALL).quantity == taker.leaves);
        let mut stopped = None;
        if order.order_type == OrderType::LimitMaker && crosses {
            stopped = Some(CloseReason::WouldTake);
        } else if !fills_whole {
            stopped = Some(CloseReason::NotFillableWhole);
        } else if crosses {
            stopped = self.trade(&mut taker, events);
        }
        let lasts = matches!(order.time_in_force, TimeInForce::GoodTillCancel | TimeInForce::GoodTillDate)
            && !order.order_type.is_market();
        if taker.leaves > 0 && stopped.is_none() && lasts {
            return self.rest(handle, Quantity(taker.leaves), Quantity(taker.executed), late, events);
        }
        let filled = taker.executed == order.quantity.0;
        let reason = stopped.unwrap_or_else(|| {
            if order.order_type.is_market() {
                self.why_market_stopped(&taker)
            } else {
                CloseReason::NoMoreLiquidity
            }
        });
        self.drop_special(handle);
        if taker.leaves > 0 {
            close_taker(&taker, order.price, reason, events);
        }
        let happening = if filled { Happening::Filled } else { Happening::Left(reason) };
        self.note(special.list_id, resting.order_id, happening);
    }

    /// Takes an order that holds nothing out from beside the books.
    pub(super) fn drop_special(&mut self, handle: B::Handle) {
        let order = *self.books.order(handle);
        self.books.remove_beside(handle);
        self.contingent.forget(order.order_id);
        if order.flags & EXPIRES != 0 {
            self.expiring.remove(order.order_id);
            self.note_expiry();
        }
    }

    /// Puts what is left of an order into the book: of an iceberg its first slice.
    pub(super) fn rest(
        &mut self,
        handle: B::Handle,
        leaves: Quantity,
        executed: Quantity,
        late: u8,
        events: &mut EventBuffer,
    ) {
        let RestingOrder { order_id, account, price, instrument, side, .. } = *self.books.order(handle);
        let special = self.contingent.special_mut(order_id);
        let slice = special.slice_of(leaves);
        special.reserve = Quantity(leaves.0 - slice.0);
        special.phase = OrderPhase::Working;
        let (reserve, list_id) = (special.reserve, special.list_id);
        let mark = if special.stays_marked() { MARKED } else { 0 };
        self.contingent.beside.remove(&(instrument, order_id));
        let market = &self.markets[usize::from(instrument.0) - 1];
        let hold = market.held(side, price, leaves);
        self.ledger.balances.of(account, market.paid_asset(side)).hold(hold);
        if reserve.0 != 0 {
            let reserved = ReserveChanged {
                order_id,
                account,
                price,
                old: Quantity(0),
                new: reserve,
                instrument,
                side,
                reserved: [0; 5],
            };
            events.push(EventKind::ReserveChanged, &reserved);
        }
        let rested =
            OrderRested { order_id, account, price, leaves: slice, instrument, side, reserved: [0; 5] };
        events.push(EventKind::OrderRested, &rested);
        self.books.change(handle, |order| {
            order.leaves = slice;
            order.flags = (order.flags & !(PENDING | WAITING | MARKED | LATE)) | mark | late;
        });
        self.books.enter(handle, executed);
        let order = *self.books.order(handle);
        self.count_open(order, slice, 1);
        self.count_reserve(&order, reserve, true);
        if mark == 0 {
            self.contingent.forget(order_id);
        } else if executed.0 != 0 {
            self.note(list_id, order_id, Happening::Traded);
        }
    }
}

fn accepted_terms(ready: &Ready, list_id: OrderListId, phase: OrderPhase) -> AcceptedTerms {
    let terms = OrderTerms { reserved: [0; 2], ..ready.terms };
    AcceptedTerms { terms, list_id, trigger_price: ready.trigger, phase, reserved: [0; 3] }
}
