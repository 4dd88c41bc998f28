//! What is checked of an order that is not plain, before it changes anything: which terms go
//! together, the filters of dialect §4.3 that only such orders meet, its price if it is pegged, its
//! trigger. The rest is checked as of any order. Refuses to know what the account has.

use super::{is_met, rises, triggers::trail};
use crate::{Engine, books::Books, market::Market};
use protocol::{
    OrderTerms, OrderType, Price, Reject, Side, Time, TimeInForce,
    command::{HAS_TERMS, PlaceOrder, QuantityKind},
    filter::{self, AveragePrice},
    terms::PegPrice,
};

/// The farthest level that an order may be pegged to.
const PEG_OFFSET_MAX: u8 = 100;

/// An order whose terms were checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    /// With the price it holds at: a pegged order's, or the protection price.
    pub(super) order: PlaceOrder,
    pub(super) terms: OrderTerms,
    /// What it holds, in ledger units of what it pays with.
    pub(super) hold: i64,
    /// The last price that triggers it, or from which on it trails; 0 when that is not known yet.
    pub(super) trigger: Price,
    /// Whether it trails from now on.
    pub(super) trails: bool,
}

/// When an order is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It goes in at once.
    Entry,
    /// It waits for its list.
    Pending,
}

impl<B: Books> Engine<B> {
    /// Checks an order's terms.
    pub(super) fn check_special(
        &mut self,
        order: &PlaceOrder,
        terms: &OrderTerms,
        stage: Stage,
    ) -> Result<Ready, Reject> {
        let mut order = PlaceOrder { ids: order.ids | HAS_TERMS, ..*order };
        check_together(&order, terms, stage)?;
        if terms.peg != PegPrice::None {
            order.price = self.peg_price(&order, terms)?;
        }
        // A trigger aside, it is a limit or a market order, and its filters are theirs.
        let order_type = match order.order_type {
            OrderType::StopLossLimit | OrderType::TakeProfitLimit => OrderType::Limit,
            OrderType::StopLoss | OrderType::TakeProfit => OrderType::Market,
            plain => plain,
        };
        let hold = self.check_terms(&PlaceOrder { order_type, ..order })?;
        // `check_terms` found the market.
        let market = &self.markets[usize::from(order.instrument.0) - 1];
        check_filters(market, &order, terms)?;
        let mut ready = Ready { order, terms: *terms, hold, trigger: Price(0), trails: false };
        if order.order_type.is_triggered() {
            check_trigger(market, &mut ready, stage)?;
        }
        self.check_counts(&ready)?;
        Ok(ready)
    }

    /// The price of a level, best price first.
    fn peg_price(&self, order: &PlaceOrder, terms: &OrderTerms) -> Result<Price, Reject> {
        self.market(order.instrument).ok_or(Reject::UnknownInstrument)?;
        let side = if terms.peg == PegPrice::Primary { order.side } else { order.side.opposite() };
        let mut price = self.books.best_price(order.instrument, side);
        for _ in 0..terms.peg_offset {
            price = price.and_then(|price| self.books.price_after(order.instrument, side, price));
        }
        price.ok_or(Reject::NoPegPrice)
    }

    /// What an account may have open of a kind.
    fn check_counts(&self, ready: &Ready) -> Result<(), Reject> {
        let order = &ready.order;
        let market = &self.markets[usize::from(order.instrument.0) - 1];
        let filters = &market.order_filters;
        let counts = self.contingent.counts(order.account, order.instrument);
        let is_full = |count: u32, most: u32| most != 0 && count >= most;
        if order.order_type.is_triggered() && is_full(counts.algo, filters.max_algo_orders) {
            return Err(Reject::TooManyAlgoOrders);
        }
        if ready.terms.visible_quantity.0 != 0 && is_full(counts.icebergs, filters.max_iceberg_orders) {
            return Err(Reject::TooManyIcebergOrders);
        }
        Ok(())
    }
}

/// Which terms go together.
fn check_together(order: &PlaceOrder, terms: &OrderTerms, stage: Stage) -> Result<(), Reject> {
    let triggered = order.order_type.is_triggered();
    let has_trigger = terms.stop_price.0 != 0 || terms.trailing_delta != 0;
    let by_quote = order.quantity_kind == QuantityKind::Quote;
    if triggered != has_trigger || (triggered && by_quote) {
        return Err(Reject::BadCombination);
    }
    let market = order.order_type.is_market();
    if market && triggered && (order.price.0 != 0 || order.expires_at != Time::NEVER) {
        return Err(Reject::BadCombination);
    }
    let rests = order.time_in_force == TimeInForce::GoodTillCancel;
    if terms.visible_quantity.0 != 0 {
        if market || !rests {
            return Err(Reject::BadCombination);
        }
        if terms.visible_quantity > order.quantity {
            return Err(Reject::VisibleExceedsQuantity);
        }
    }
    let pegged = terms.peg != PegPrice::None;
    let peggable = matches!(order.order_type, OrderType::Limit | OrderType::LimitMaker);
    if pegged && (!peggable || order.price.0 != 0 || terms.peg_offset > PEG_OFFSET_MAX) {
        return Err(Reject::BadCombination);
    }
    if (!pegged && terms.peg_offset != 0) || (pegged && stage == Stage::Pending) {
        return Err(if pegged { Reject::NotSupported } else { Reject::BadCombination });
    }
    if stage == Stage::Pending && by_quote {
        return Err(Reject::NotSupported);
    }
    Ok(())
}

/// ICEBERG_PARTS, TRAILING_DELTA, and PRICE_FILTER for the stop price.
fn check_filters(market: &Market, order: &PlaceOrder, terms: &OrderTerms) -> Result<(), Reject> {
    let filters = &market.instrument.filters;
    if terms.visible_quantity.0 != 0 {
        if !terms.visible_quantity.0.is_multiple_of(filters.lot_size.0) {
            return Err(Reject::LotSize);
        }
        let parts = order.quantity.0.div_ceil(terms.visible_quantity.0);
        if parts > u64::from(filters.iceberg_parts) {
            return Err(Reject::IcebergParts);
        }
    }
    if terms.stop_price.0 != 0 {
        filter::price(filters, terms.stop_price)?;
    }
    if terms.trailing_delta != 0 {
        let bounds = &market.order_filters;
        let (least, most) = if rises(order, false) {
            (bounds.min_trailing_above, bounds.max_trailing_above)
        } else {
            (bounds.min_trailing_below, bounds.max_trailing_below)
        };
        if !(least..=most).contains(&terms.trailing_delta) {
            return Err(Reject::TrailingDelta);
        }
    }
    Ok(())
}

/// Finds the trigger, and from it a market order's protection price and hold.
fn check_trigger(market: &Market, ready: &mut Ready, stage: Stage) -> Result<(), Reject> {
    let Ready { order, terms, .. } = ready;
    let last = market.last_price();
    if stage == Stage::Entry
        && terms.stop_price.0 != 0
        && last.is_some_and(|last| is_met(order, terms.stop_price, last))
    {
        return Err(Reject::WouldTrigger);
    }
    if order.order_type.is_market() {
        order.time_in_force = TimeInForce::ImmediateOrCancel;
    }
    if stage == Stage::Pending {
        return Ok(());
    }
    find_trigger(market, ready)
}

/// The trigger as it is now, and what the order holds by it.
pub(super) fn find_trigger(market: &Market, ready: &mut Ready) -> Result<(), Reject> {
    let Ready { order, terms, .. } = ready;
    ready.trigger = terms.stop_price;
    if terms.stop_price.0 == 0
        && let Some(last) = market.last_price()
    {
        ready.trails = true;
        ready.trigger = trail(order.side, last, terms.trailing_delta);
    }
    if order.order_type.is_market() {
        if ready.trigger.0 == 0 {
            return Err(Reject::NoPriceYet);
        }
        let average = AveragePrice::of(ready.trigger);
        order.price = filter::protection_price(&market.instrument, order.side, Some(average));
    }
    let hold = market.hold(order.side, order.price, order.quantity);
    ready.hold =
        hold.ok_or(if order.side == Side::Buy { Reject::Notional } else { Reject::AmountOutOfRange })?;
    Ok(())
}
