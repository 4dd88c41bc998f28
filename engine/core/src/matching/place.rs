//! An order comes in: checked, accepted, matched, and what is left of it rests or expires.
//!
//! Checks come in a fixed order (C-TRD-03, -04): who, where, terms, filters, names, limits, funds.
//! Nothing is changed before the last of them has passed.

use super::{Taker, walk::Found};
use crate::{
    Engine,
    books::{Books, EXPIRES, RestingOrder},
    ledger::accounts::AccountKind,
    market::Market,
};
use protocol::{
    ClientOrderId, OrderId, OrderType, Price, Quantity, Reject, SelfTradePrevention, Side, Time, TimeInForce,
    command::{HAS_FIRST_ID, HAS_TERMS, PlaceOrder, QuantityKind},
    event::{EventBuffer, EventKind, OrderAccepted, OrderClosed, OrderRested},
    filter,
    money::SUPPLY_MAX,
    order::CloseReason,
};

/// Where an instrument's market is in the list.
#[inline]
pub(super) fn place_of(instrument: protocol::InstrumentId) -> usize {
    usize::from(instrument.0).wrapping_sub(1)
}

impl<B: Books> Engine<B> {
    /// Places an order; returns its id.
    #[inline]
    pub(crate) fn place(
        &mut self,
        order: &PlaceOrder,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let hold = self.check_terms(order)?;
        self.place_checked(order, hold, client_order_id, events)
    }

    /// The checks that do not depend on what the account has open: a cancel-replace makes them
    /// before its cancel (dialect §5.5). Returns what a limit order holds.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "every order comes this way, from two places")]
    pub(crate) fn check_terms(&mut self, order: &PlaceOrder) -> Result<i64, Reject> {
        let account = self.ledger.accounts.get(order.account).ok_or(Reject::UnknownAccount)?;
        if account.kind != AccountKind::Customer {
            return Err(Reject::NotAllowedForSystemAccount);
        }
        if account.suspended | account.killed {
            return Err(if account.suspended { Reject::AccountSuspended } else { Reject::KillSwitchOn });
        }
        let time = self.time;
        let market = self.markets.get_mut(place_of(order.instrument)).ok_or(Reject::UnknownInstrument)?;
        market.average.roll(time);
        let instrument = &market.instrument;
        let filters = &instrument.filters;
        let status = instrument.status;
        let takes = status.matches() || (status.accepts_orders() && may_rest(order));
        if !takes {
            return Err(Reject::MarketClosed);
        }
        check_combination(order, time)?;
        if order.order_type == OrderType::Market {
            return check_market_terms(market, order).map(|()| 0);
        }
        filter::price(filters, order.price)?;
        filter::lot(filters, order.quantity)?;
        let notional = instrument.notional(order.price, order.quantity).ok_or(Reject::Notional)?;
        filter::notional(filters, notional)?;
        if filter::bounds_price(filters, order.side) {
            let average = market.average.price(filters.reference_price);
            filter::percent_price(filters, order.side, order.price, average)?;
        }
        let base_amount = instrument.base_amount(order.quantity).unwrap_or(i64::MAX);
        let hold = order.side.pick(notional, base_amount);
        if hold == i64::MAX { Err(Reject::AmountOutOfRange) } else { Ok(hold) }
    }

    /// The rest of the checks, and the order's way into the book.
    #[inline]
    pub(super) fn place_checked(
        &mut self,
        order: &PlaceOrder,
        hold: i64,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        if let Some(id) = client_order_id
            && self.books.find_by_client_order_id(order.account, id).is_some()
        {
            return Err(Reject::DuplicateClientOrderId);
        }
        self.check_limits(order)?;
        if order.order_type == OrderType::Market {
            return self.place_market(order, client_order_id, events);
        }
        let market = &self.markets[place_of(order.instrument)];
        let balance = self.ledger.balances.of(order.account, market.paid_asset(order.side));
        if hold > balance.available {
            return Err(Reject::InsufficientBalance);
        }
        let opposite = self.books.best_price(order.instrument, order.side.opposite());
        let reaches = |best: Price| order.side.pick(best <= order.price, best >= order.price);
        let crosses = opposite.is_some_and(reaches) & market.instrument.status.matches();
        if crosses | !may_rest(order) {
            return self.place_crossing(order, client_order_id, events);
        }
        balance.hold(hold);
        let order_id = self.accept(order, client_order_id, true, events);
        self.insert(order, order_id, order.quantity, Quantity(0), client_order_id);
        Ok(order_id.0)
    }

    /// An order that trades at once, or does not rest.
    #[inline(never)]
    fn place_crossing(
        &mut self,
        order: &PlaceOrder,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        if order.order_type == OrderType::LimitMaker {
            return Err(Reject::WouldTake);
        }
        let mut taker = self.taker(order, order.price);
        let whole = order.time_in_force != TimeInForce::FillOrKill
            || self.walk(&taker, Found::ALL).quantity == taker.leaves;
        taker.order_id = self.accept(order, client_order_id, false, events);
        if !whole {
            close_taker(&taker, order.price, CloseReason::NotFillableWhole, events);
            return Ok(taker.order_id.0);
        }
        let stopped = self.trade(&mut taker, events);
        if taker.leaves == 0 {
            // Filled, or what was left was decremented away: see TradePrevented.
        } else if let Some(reason) = stopped {
            close_taker(&taker, order.price, reason, events);
        } else if may_rest(order) {
            self.rest_remainder(order, &taker, client_order_id, events);
        } else {
            close_taker(&taker, order.price, CloseReason::NoMoreLiquidity, events);
        }
        Ok(taker.order_id.0)
    }

    /// A market order: what it will cost is found first by walking the book (C-TRD-02), refused if
    /// there is not enough of it, and then it trades; what is left expires.
    #[inline(never)]
    pub(crate) fn place_market(
        &mut self,
        order: &PlaceOrder,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let market = &self.markets[place_of(order.instrument)];
        let average = market.average.price(market.instrument.filters.reference_price);
        let protection = filter::protection_price(&market.instrument, order.side, average);
        let paid_asset = market.paid_asset(order.side);
        let available = self.ledger.balances.get(order.account, paid_asset).available;
        let mut taker = self.taker(order, protection);
        let needed = match (order.side, order.quantity_kind) {
            (Side::Buy, QuantityKind::Quote) => i128::from(order.quantity.0),
            (Side::Sell, QuantityKind::Base) => {
                i128::from(market.instrument.base_amount(order.quantity).ok_or(Reject::AmountOutOfRange)?)
            }
            (Side::Buy, QuantityKind::Base) => {
                // Nothing available is negative: this is a customer's account.
                let enough = Found { notional: available as u128, ..Found::ALL };
                self.walk(&taker, enough).notional as i128
            }
            (Side::Sell, QuantityKind::Quote) => {
                let base_per_unit = market.instrument.base_per_unit;
                let enough = Found { quantity: (available / base_per_unit) as u64, ..Found::ALL };
                i128::from(self.walk(&taker, enough).quantity) * i128::from(base_per_unit)
            }
        };
        if needed > i128::from(available) {
            return Err(Reject::InsufficientBalance);
        }
        if self.books.front(order.instrument, order.side.opposite()).is_none() {
            return Err(Reject::NotEnoughLiquidity);
        }
        taker.order_id = self.accept(order, client_order_id, false, events);
        let stopped = self.trade(&mut taker, events);
        if taker.leaves > 0 {
            let reason = stopped.unwrap_or_else(|| self.why_market_stopped(&taker));
            close_taker(&taker, Price(0), reason, events);
        }
        Ok(taker.order_id.0)
    }

    pub(crate) fn why_market_stopped(&self, taker: &Taker) -> CloseReason {
        match self.books.front(taker.instrument, taker.side.opposite()).map(|handle| self.books.order(handle))
        {
            None => CloseReason::NoMoreLiquidity,
            Some(resting) if !taker.reaches(resting.price) => CloseReason::ProtectionPrice,
            Some(_) => CloseReason::LessThanOneLot,
        }
    }

    #[inline]
    pub(crate) fn taker(&self, order: &PlaceOrder, limit: Price) -> Taker {
        let instrument = &self.markets[place_of(order.instrument)].instrument;
        Taker {
            order_id: OrderId(0),
            account: order.account,
            instrument: order.instrument,
            side: order.side,
            self_trade_prevention: order.self_trade_prevention,
            kind: order.quantity_kind,
            leaves: order.quantity.0,
            executed: 0,
            limit,
            lot_size: instrument.filters.lot_size,
            quote_per_unit: instrument.quote_per_unit,
        }
    }

    /// Gives the order its id and says so.
    #[inline]
    pub(crate) fn accept(
        &mut self,
        order: &PlaceOrder,
        client_order_id: Option<&ClientOrderId>,
        rests: bool,
        events: &mut EventBuffer,
    ) -> OrderId {
        self.orders += 1;
        let order_id = OrderId(self.orders);
        let accepted = OrderAccepted {
            order_id,
            account: order.account,
            price: order.price,
            instrument: order.instrument,
            side: order.side,
            order_type: order.order_type,
            time_in_force: order.time_in_force,
            self_trade_prevention: order.self_trade_prevention,
            quantity_kind: order.quantity_kind,
            rests: u8::from(rests),
            quantity: order.quantity,
            expires_at: order.expires_at,
        };
        if order.ids & HAS_TERMS == 0 {
            events.push_with_id(EventKind::OrderAccepted, &accepted, HAS_FIRST_ID, client_order_id);
        } else {
            self.say_accepted(&accepted, client_order_id, events);
        }
        order_id
    }

    /// What an order that traded leaves rests.
    fn rest_remainder(
        &mut self,
        order: &PlaceOrder,
        taker: &Taker,
        client_order_id: Option<&ClientOrderId>,
        events: &mut EventBuffer,
    ) {
        let rested = OrderRested {
            order_id: taker.order_id,
            account: order.account,
            price: order.price,
            leaves: Quantity(taker.leaves),
            instrument: order.instrument,
            side: order.side,
            reserved: [0; 5],
        };
        events.push(EventKind::OrderRested, &rested);
        let market = &self.markets[place_of(order.instrument)];
        let hold = market.held(order.side, order.price, Quantity(taker.leaves));
        self.ledger.balances.of(order.account, market.paid_asset(order.side)).hold(hold);
        let executed = Quantity(taker.executed);
        self.insert(order, taker.order_id, Quantity(taker.leaves), executed, client_order_id);
    }

    /// Puts an order whose funds are held into the book.
    #[inline]
    fn insert(
        &mut self,
        order: &PlaceOrder,
        order_id: OrderId,
        leaves: Quantity,
        executed: Quantity,
        client_order_id: Option<&ClientOrderId>,
    ) {
        let PlaceOrder { account, price, instrument, side, expires_at, .. } = *order;
        let flags = if expires_at == Time::NEVER { 0 } else { EXPIRES };
        let resting = RestingOrder { order_id, leaves, account, price, instrument, side, flags };
        self.books.insert(resting, executed, client_order_id);
        self.count_open(resting, leaves, 1);
        if flags != 0 {
            self.expiring.insert(order_id, expires_at);
            self.note_expiry();
        }
    }
}

/// Whether what does not trade at once rests.
#[inline]
pub(super) fn may_rest(order: &PlaceOrder) -> bool {
    let lasting = (order.time_in_force == TimeInForce::GoodTillCancel)
        | (order.time_in_force == TimeInForce::GoodTillDate);
    (order.order_type != OrderType::Market) & lasting
}

#[inline]
fn check_combination(order: &PlaceOrder, now: Time) -> Result<(), Reject> {
    let expires = order.expires_at != Time::NEVER;
    if expires != (order.time_in_force == TimeInForce::GoodTillDate) {
        return Err(Reject::BadCombination);
    }
    if expires && order.expires_at <= now {
        return Err(Reject::ExpiryInThePast);
    }
    let fits = match order.order_type {
        OrderType::Limit => (order.quantity_kind == QuantityKind::Base) & (order.price.0 > 0),
        OrderType::LimitMaker => {
            order.quantity_kind == QuantityKind::Base && order.price.0 > 0 && may_rest(order)
        }
        OrderType::Market => order.price.0 == 0 && !expires,
        // They come with terms, another way.
        OrderType::StopLoss
        | OrderType::StopLossLimit
        | OrderType::TakeProfit
        | OrderType::TakeProfitLimit => false,
    };
    // Decrementing counts units of the base on both sides; an order by quote quantity has none.
    let decrements_quote = order.quantity_kind == QuantityKind::Quote
        && order.self_trade_prevention == SelfTradePrevention::Decrement;
    if fits && !decrements_quote { Ok(()) } else { Err(Reject::BadCombination) }
}

#[inline(never)]
fn check_market_terms(market: &Market, order: &PlaceOrder) -> Result<(), Reject> {
    let filters = &market.instrument.filters;
    let average = market.average.price(filters.reference_price);
    match order.quantity_kind {
        QuantityKind::Base => {
            filter::market_lot(filters, order.quantity)?;
            let Some(average) = average else { return Ok(()) };
            let notional =
                market.instrument.notional(average.price(), order.quantity).ok_or(Reject::Notional)?;
            filter::market_notional(filters, notional)
        }
        QuantityKind::Quote => {
            let amount =
                i64::try_from(order.quantity.0).ok().filter(|amount| (1..=SUPPLY_MAX).contains(amount));
            filter::market_notional(filters, amount.ok_or(Reject::AmountOutOfRange)?)
        }
    }
}

/// Says that what is left of an order that never rested expires.
pub(crate) fn close_taker(taker: &Taker, price: Price, reason: CloseReason, events: &mut EventBuffer) {
    let closed = OrderClosed {
        order_id: taker.order_id,
        account: taker.account,
        price,
        leaves: Quantity(taker.leaves),
        instrument: taker.instrument,
        side: taker.side,
        reason,
        rested: 0,
        reserved: [0; 3],
    };
    events.push(EventKind::OrderClosed, &closed);
}
