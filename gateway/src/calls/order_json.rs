//! Orders as clients read them (dialect §5.1, 5.3, 6.2): one row type for each answer, from one
//! [`Order`]. Refuses to know where the order came from.

use super::market::{price, quantity, quote};
use crate::{
    dialect::Decimal,
    views::{Listing, Order, TimeUnit, words},
};
use protocol::{ClientOrderId, OrderId, Price, Time, terms::PegPrice};
use serde::Serialize;

/// How an order stands: what every answer but ACK has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Standing {
    price: Decimal,
    orig_qty: Decimal,
    executed_qty: Decimal,
    orig_quote_order_qty: Decimal,
    /// The dialect's spelling.
    cummulative_quote_qty: Decimal,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    order_type: &'static str,
    side: &'static str,
    working_time: i64,
    self_trade_prevention_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_match_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_quantity: Option<Decimal>,
}

/// What is said of an order only where it has it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Conditional {
    #[serde(skip_serializing_if = "Option::is_none")]
    iceberg_qty: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_delta: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_type: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peg_price_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peg_offset_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peg_offset_value: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pegged_price: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_reason: Option<&'static str>,
}

/// A new order, acknowledged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Acknowledged {
    symbol: String,
    order_id: u64,
    order_list_id: i64,
    client_order_id: String,
    transact_time: u64,
}

/// One fill of a new order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FillRow {
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    pub(super) commission: Decimal,
    pub(super) commission_asset: String,
    pub(super) trade_id: u64,
}

/// A new order with its standing, and its fills if they are wanted.
#[derive(Debug, Serialize)]
pub(super) struct Placed {
    #[serde(flatten)]
    acknowledged: Acknowledged,
    #[serde(flatten)]
    standing: Standing,
    #[serde(flatten)]
    conditional: Conditional,
    #[serde(skip_serializing_if = "Option::is_none")]
    fills: Option<Vec<FillRow>>,
}

/// An order as a query shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Queried {
    symbol: String,
    order_id: u64,
    order_list_id: i64,
    client_order_id: String,
    #[serde(flatten)]
    standing: Standing,
    #[serde(flatten)]
    conditional: Conditional,
    time: u64,
    update_time: u64,
    is_working: bool,
}

/// A cancelled order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancelled {
    symbol: String,
    orig_client_order_id: String,
    order_id: u64,
    order_list_id: i64,
    client_order_id: String,
    transact_time: u64,
    #[serde(flatten)]
    standing: Standing,
    #[serde(flatten)]
    conditional: Conditional,
}

impl Cancelled {
    /// Whether it is the order that a request named by either.
    pub(super) fn is(&self, order_id: OrderId, name: Option<&ClientOrderId>) -> bool {
        self.order_id == order_id.0 || name.is_some_and(|name| name.as_str() == self.orig_client_order_id)
    }
}

pub(super) fn acknowledged(order: &Order, listing: &Listing, time: Time, unit: TimeUnit) -> Acknowledged {
    Acknowledged {
        symbol: listing.symbol().to_owned(),
        order_id: order.order_id.0,
        order_list_id: order.shown_list_id(),
        client_order_id: order.client_order_id.to_string(),
        transact_time: unit.of(time),
    }
}

pub(super) fn placed(
    order: &Order,
    listing: &Listing,
    time: Time,
    unit: TimeUnit,
    fills: Option<Vec<FillRow>>,
) -> Placed {
    Placed {
        acknowledged: acknowledged(order, listing, time, unit),
        standing: standing(order, listing, unit),
        conditional: conditional(order, listing, unit),
        fills,
    }
}

pub(super) fn queried(order: &Order, listing: &Listing, unit: TimeUnit) -> Queried {
    Queried {
        symbol: listing.symbol().to_owned(),
        order_id: order.order_id.0,
        order_list_id: order.shown_list_id(),
        client_order_id: order.client_order_id.to_string(),
        standing: standing(order, listing, unit),
        conditional: Conditional {
            stop_price: Some(price(listing, order.stop_price())),
            iceberg_qty: Some(quantity(listing, order.terms.visible_quantity.0)),
            ..conditional(order, listing, unit)
        },
        time: unit.of(order.time),
        update_time: unit.of(order.update_time),
        is_working: order.is_working(),
    }
}

/// `request` is what the cancel is called.
pub(super) fn cancelled(
    order: &Order,
    listing: &Listing,
    request: ClientOrderId,
    time: Time,
    unit: TimeUnit,
) -> Cancelled {
    Cancelled {
        symbol: listing.symbol().to_owned(),
        orig_client_order_id: order.client_order_id.to_string(),
        order_id: order.order_id.0,
        order_list_id: order.shown_list_id(),
        client_order_id: request.to_string(),
        transact_time: unit.of(time),
        standing: standing(order, listing, unit),
        conditional: conditional(order, listing, unit),
    }
}

/// `price`: what its owner gave; 0 of an order that the book gave its price.
pub(super) fn limit(order: &Order) -> Price {
    if order.terms.peg == PegPrice::None { order.price } else { Price(0) }
}

/// `workingTime`: -1 of an order that waits.
pub(super) fn working_time(order: &Order, unit: TimeUnit) -> i64 {
    time_or_never(order.working_time, unit)
}

/// A time that may not have come yet: then it is -1.
pub(super) fn time_or_never(time: Option<Time>, unit: TimeUnit) -> i64 {
    time.map_or(-1, |time| unit.of(time) as i64) // until the year 294,000
}

fn conditional(order: &Order, listing: &Listing, unit: TimeUnit) -> Conditional {
    let terms = &order.terms;
    let pegged = (terms.peg != PegPrice::None).then(|| words::peg_price(terms.peg));
    let trails = terms.trailing_delta > 0;
    Conditional {
        iceberg_qty: (terms.visible_quantity.0 > 0).then(|| quantity(listing, terms.visible_quantity.0)),
        stop_price: order.order_type.is_triggered().then(|| price(listing, order.stop_price())),
        trailing_delta: trails.then_some(terms.trailing_delta),
        trailing_time: trails.then(|| time_or_never(order.trailing_since, unit)),
        strategy_id: (terms.strategy_id != 0).then_some(terms.strategy_id),
        strategy_type: (terms.strategy_type != 0).then_some(terms.strategy_type),
        peg_price_type: pegged,
        peg_offset_type: pegged.filter(|_| terms.peg_offset > 0).map(|_| "PRICE_LEVEL"),
        peg_offset_value: pegged.filter(|_| terms.peg_offset > 0).map(|_| terms.peg_offset),
        pegged_price: pegged.map(|_| price(listing, order.price)),
        expiry_reason: words::expiry_reason(order),
    }
}

fn standing(order: &Order, listing: &Listing, unit: TimeUnit) -> Standing {
    Standing {
        price: price(listing, limit(order)),
        orig_qty: quantity(listing, order.original_quantity().0),
        executed_qty: quantity(listing, order.executed.0),
        orig_quote_order_qty: quote(listing, order.original_quote_quantity()),
        cummulative_quote_qty: quote(listing, order.cumulative_quote),
        status: order.status.text(),
        time_in_force: words::time_in_force(order.order_type, order.time_in_force),
        order_type: words::order_type(order.order_type),
        side: words::side(order.side),
        working_time: working_time(order, unit),
        self_trade_prevention_mode: words::self_trade_prevention(order.self_trade_prevention),
        prevented_match_id: order.last_prevention.map(|prevention| prevention.prevented_match_id),
        prevented_quantity: order.last_prevention.map(|_| quantity(listing, order.prevented.0)),
    }
}
