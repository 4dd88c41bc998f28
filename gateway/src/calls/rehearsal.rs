//! What would become of an order, for `order/test` (dialect §5.2): the core's filters, asked as the pure
//! functions they are, then its name, its funds and the best price, as the views have them. The core may
//! still decide otherwise a moment later. Refuses to submit anything.

use super::{Request, new_order::NewOrder, tickers::average};
use crate::{
    dialect::{DialectError, Purpose, refusal},
    views::Listing,
};
use protocol::{
    OrderType, Price, Reject, Side, TimeInForce,
    command::{PlaceOrder, QuantityKind},
    filter::{self, AveragePrice},
    posting::order_hold,
};

/// Says why an order would be refused.
pub(super) fn rehearse(request: &Request<'_>, listing: &Listing, new: &NewOrder) -> Result<(), DialectError> {
    let market = request.market(listing)?;
    let traded = market.average_price(listing.instrument.filters.average_minutes, request.now);
    let best = market.best();
    let opposite = match new.order.side {
        Side::Buy => best.ask,
        Side::Sell => best.bid,
    };
    account(request)
        .and_then(|()| filters(&new.order, listing, average(listing, traded)))
        .and_then(|()| name(request, new))
        .and_then(|()| post_only(&new.order, opposite.map(|level| level.price)))
        .and_then(|()| funds(request, listing, &new.order))
        .map_err(|reject| refusal(reject, Purpose::Place))
}

fn account(request: &Request<'_>) -> Result<(), Reject> {
    let caller = request.caller.as_ref().ok_or(Reject::UnknownAccount)?;
    let summary = request.gateway.views.accounts().summary(caller.account).ok_or(Reject::UnknownAccount)?;
    if summary.suspended { Err(Reject::AccountSuspended) } else { Ok(()) }
}

/// A name must be the only one among the open orders.
fn name(request: &Request<'_>, new: &NewOrder) -> Result<(), Reject> {
    let Some(name) = &new.client_order_id else { return Ok(()) };
    let named = request.gateway.views.accounts().order_named(new.order.account, name);
    if named.is_some_and(|order| order.status.is_open()) {
        Err(Reject::DuplicateClientOrderId)
    } else {
        Ok(())
    }
}

fn post_only(order: &PlaceOrder, opposite: Option<Price>) -> Result<(), Reject> {
    let Some(opposite) = opposite.filter(|_| order.order_type == OrderType::LimitMaker) else {
        return Ok(());
    };
    let takes = match order.side {
        Side::Buy => order.price >= opposite,
        Side::Sell => order.price <= opposite,
    };
    if takes { Err(Reject::WouldTake) } else { Ok(()) }
}

/// What the order would hold, as far as it is known without the book.
fn funds(request: &Request<'_>, listing: &Listing, order: &PlaceOrder) -> Result<(), Reject> {
    let instrument = &listing.instrument;
    let (asset, needed) = match (order.order_type, order.side, order.quantity_kind) {
        // A market buy by quantity costs what the book asks; a sale by quote quantity sells what it takes.
        (OrderType::Market, Side::Buy, QuantityKind::Base)
        | (OrderType::Market, Side::Sell, QuantityKind::Quote) => {
            return Ok(());
        }
        (OrderType::Market, Side::Buy, QuantityKind::Quote) => (instrument.quote, order.quantity.0 as i64),
        _ => order_hold(instrument, order.side, order.price, order.quantity),
    };
    let available = request.gateway.views.accounts().balance(order.account, asset).available;
    if available < needed { Err(Reject::InsufficientBalance) } else { Ok(()) }
}

/// What the core's filters say of an order.
fn filters(order: &PlaceOrder, listing: &Listing, average: Option<AveragePrice>) -> Result<(), Reject> {
    let instrument = &listing.instrument;
    let filters = &instrument.filters;
    let status = instrument.status;
    let immediate =
        order.order_type == OrderType::Market || order.time_in_force != TimeInForce::GoodTillCancel;
    if !status.accepts_orders() || (immediate && !status.matches()) {
        return Err(Reject::MarketClosed);
    }
    let overflow = |notional: Option<i64>| notional.ok_or(Reject::Notional);
    match (order.order_type, order.quantity_kind) {
        (OrderType::Market, QuantityKind::Quote) => filter::market_notional(filters, order.quantity.0 as i64),
        (OrderType::Market, QuantityKind::Base) => {
            filter::market_lot(filters, order.quantity)?;
            let average = average.ok_or(Reject::NoPriceYet)?;
            let notional = overflow(instrument.notional(average.price(), order.quantity))?;
            filter::market_notional(filters, notional)
        }
        (_, _) => {
            filter::price(filters, order.price)?;
            filter::lot(filters, order.quantity)?;
            filter::notional(filters, overflow(instrument.notional(order.price, order.quantity))?)?;
            filter::percent_price(filters, order.side, order.price, average)
        }
    }
}
