//! What would become of an order, for `order/test` (dialect §5.2): the core's filters, asked as the pure
//! functions they are, then its name, its funds and the best price, as the views have them. The core may
//! still decide otherwise a moment later. Refuses to submit anything.

use super::{Request, new_order::NewOrder, tickers::average};
use crate::{
    dialect::{DialectError, Purpose, refusal},
    views::Listing,
};
use protocol::{
    OrderTerms, OrderType, Price, Quantity, Reject, Side, TimeInForce,
    command::{PlaceOrder, QuantityKind},
    filter::{self, AveragePrice},
    instrument::Filters,
    posting::order_hold,
    terms::PegPrice,
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
        .and_then(|()| filters(new, listing, average(listing, traded)))
        .and_then(|()| trigger(new, market.last_trade().map(|trade| trade.price)))
        .and_then(|()| name(request, new))
        .and_then(|()| post_only(&new.order, opposite.map(|level| level.price)))
        .and_then(|()| funds(request, listing, new))
        .map_err(|reject| refusal(reject, Purpose::Place))
}

fn account(request: &Request<'_>) -> Result<(), Reject> {
    let caller = request.caller.as_ref().ok_or(Reject::UnknownAccount)?;
    let summary = request.gateway.views.accounts().summary(caller.account).ok_or(Reject::UnknownAccount)?;
    if summary.takes_orders() { Ok(()) } else { Err(Reject::AccountSuspended) }
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
fn funds(request: &Request<'_>, listing: &Listing, new: &NewOrder) -> Result<(), Reject> {
    let order = &new.order;
    let instrument = &listing.instrument;
    let (asset, needed) = match (order.order_type, order.side, order.quantity_kind) {
        // A market buy by quantity costs what the book asks; a sale by quote quantity sells what it takes.
        (OrderType::Market, Side::Buy, QuantityKind::Base)
        | (OrderType::Market, Side::Sell, QuantityKind::Quote) => {
            return Ok(());
        }
        (OrderType::Market, Side::Buy, QuantityKind::Quote) => (instrument.quote, order.quantity.0 as i64),
        (OrderType::StopLoss | OrderType::TakeProfit, Side::Buy, _) => {
            // At least what it costs at its trigger; the core holds up to the protection price.
            let stop = new.terms.map_or(Price(0), |terms| terms.stop_price);
            order_hold(instrument, Side::Buy, stop, order.quantity)
        }
        _ => order_hold(instrument, order.side, order.price, order.quantity),
    };
    let available = request.gateway.views.accounts().balance(order.account, asset).available;
    if available < needed { Err(Reject::InsufficientBalance) } else { Ok(()) }
}

/// What the core's filters say of an order.
fn filters(new: &NewOrder, listing: &Listing, average: Option<AveragePrice>) -> Result<(), Reject> {
    let (order, terms) = (&new.order, new.terms.unwrap_or(OrderTerms::NONE));
    let instrument = &listing.instrument;
    let filters = &instrument.filters;
    let status = instrument.status;
    let waits = order.order_type.is_triggered();
    let immediate = order.order_type == OrderType::Market
        || (!waits && order.time_in_force != TimeInForce::GoodTillCancel);
    if !status.accepts_orders() || (immediate && !status.matches()) {
        return Err(Reject::MarketClosed);
    }
    let notional = |price: Price| instrument.notional(price, order.quantity).ok_or(Reject::Notional);
    if terms.stop_price.0 > 0 {
        filter::price(filters, terms.stop_price)?;
    }
    iceberg(&terms, order, filters)?;
    match (order.order_type, order.quantity_kind) {
        (OrderType::Market, QuantityKind::Quote) => filter::market_notional(filters, order.quantity.0 as i64),
        (OrderType::Market, QuantityKind::Base) => {
            filter::market_lot(filters, order.quantity)?;
            let average = average.ok_or(Reject::NoPriceYet)?;
            filter::market_notional(filters, notional(average.price())?)
        }
        (OrderType::StopLoss | OrderType::TakeProfit, _) => {
            filter::market_lot(filters, order.quantity)?;
            if terms.stop_price.0 == 0 {
                return Ok(());
            }
            filter::market_notional(filters, notional(terms.stop_price)?)
        }
        // The book gives a pegged order its price.
        _ if terms.peg != PegPrice::None => filter::lot(filters, order.quantity),
        _ => {
            filter::price(filters, order.price)?;
            filter::lot(filters, order.quantity)?;
            filter::notional(filters, notional(order.price)?)?;
            filter::percent_price(filters, order.side, order.price, average)
        }
    }
}

fn iceberg(terms: &OrderTerms, order: &PlaceOrder, filters: &Filters) -> Result<(), Reject> {
    let visible = terms.visible_quantity;
    if visible == Quantity::ZERO {
        return Ok(());
    }
    if visible > order.quantity {
        return Err(Reject::VisibleExceedsQuantity);
    }
    filter::lot(filters, visible)?;
    let parts = order.quantity.0.div_ceil(visible.0);
    if parts > u64::from(filters.iceberg_parts) { Err(Reject::IcebergParts) } else { Ok(()) }
}

/// A trigger must be on the side of the last price that it has not reached.
fn trigger(new: &NewOrder, last: Option<Price>) -> Result<(), Reject> {
    let (order, terms) = (&new.order, new.terms.unwrap_or(OrderTerms::NONE));
    let Some(last) = last else { return Ok(()) };
    if !order.order_type.is_triggered() || terms.stop_price.0 == 0 {
        return Ok(());
    }
    let above = (order.side == Side::Buy) != order.order_type.is_take_profit();
    let fires = if above { terms.stop_price <= last } else { terms.stop_price >= last };
    if fires { Err(Reject::WouldTrigger) } else { Ok(()) }
}
