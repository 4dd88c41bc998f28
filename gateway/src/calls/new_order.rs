//! Reading a new order: which parameters each type takes, and in whose units (dialect §5.1). The price
//! and quantity filters are the core's. Refuses to know balances and the book.

use crate::{
    dialect::{
        DialectError, Parameters, order_type_from, self_trade_prevention_from, side_from, time_in_force_from,
    },
    views::Listing,
};
use protocol::{
    AccountId, ClientOrderId, OrderType, Price, Quantity, Time, TimeInForce,
    command::{PlaceOrder, QuantityKind},
};

/// The lowest `strategyType` that is not the exchange's own.
const STRATEGY_TYPE_MIN: u64 = 1_000_000;

/// How much of the answer a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseType {
    /// Ids and time.
    Ack,
    /// And how the order stands.
    Result,
    /// And its fills.
    Full,
}

/// An order as a client asks for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewOrder {
    /// What the core is told.
    pub(super) order: PlaceOrder,
    /// The client's name for it.
    pub(super) client_order_id: Option<ClientOrderId>,
    /// How much of the answer is wanted.
    pub(super) response: ResponseType,
}

/// Parameters that make another kind of order than the types listed: no combination that is taken.
const OTHER_KINDS: [&str; 2] = ["stopPrice", "trailingDelta"];
/// Parameters that ask for what this exchange does not do.
const NOT_DONE: [&str; 4] = ["icebergQty", "pegPriceType", "pegOffsetValue", "pegOffsetType"];

/// Reads an order of `account` in `listing`.
pub(super) fn parse(
    parameters: &Parameters<'_>,
    listing: &Listing,
    account: AccountId,
) -> Result<NewOrder, DialectError> {
    let side = side_from(parameters.required("side")?)?;
    let order_type = order_type_from(parameters.required("type")?)?;
    if OTHER_KINDS.iter().any(|name| parameters.has(name)) {
        return Err(DialectError::unsupported_combination());
    }
    if NOT_DONE.iter().any(|name| parameters.has(name)) {
        return Err(DialectError::not_supported());
    }
    let time_in_force = time_in_force(parameters, order_type)?;
    let price = match order_type {
        OrderType::Market | OrderType::StopLoss | OrderType::TakeProfit => {
            absent(parameters, "price")?;
            Price(0)
        }
        OrderType::Limit | OrderType::LimitMaker | OrderType::StopLossLimit | OrderType::TakeProfitLimit => {
            price(parameters, listing)?
        }
    };
    let (quantity_kind, quantity) = quantity(parameters, listing, order_type)?;
    let client_order_id = parameters.client_order_id("newClientOrderId")?;
    let self_trade_prevention = match parameters.text("selfTradePreventionMode") {
        Some(text) => self_trade_prevention_from(text)?,
        None => listing.instrument.default_self_trade_prevention,
    };
    if parameters.integer("strategyType")?.is_some_and(|strategy| strategy < STRATEGY_TYPE_MIN) {
        return Err(DialectError::invalid_data("strategyType"));
    }
    parameters.integer("strategyId")?;
    let order = PlaceOrder {
        account,
        instrument: listing.id(),
        side,
        order_type,
        time_in_force,
        self_trade_prevention,
        quantity_kind,
        ids: 0, // said when the command is encoded
        price,
        quantity,
        expires_at: Time::NEVER,
    };
    Ok(NewOrder { order, client_order_id, response: response_type(parameters, order_type)? })
}

fn time_in_force(parameters: &Parameters<'_>, order_type: OrderType) -> Result<TimeInForce, DialectError> {
    match order_type {
        OrderType::Limit | OrderType::StopLossLimit | OrderType::TakeProfitLimit => {
            time_in_force_from(parameters.required("timeInForce")?)
        }
        OrderType::LimitMaker => {
            absent(parameters, "timeInForce")?;
            Ok(TimeInForce::GoodTillCancel)
        }
        OrderType::Market | OrderType::StopLoss | OrderType::TakeProfit => {
            absent(parameters, "timeInForce")?;
            Ok(TimeInForce::ImmediateOrCancel)
        }
    }
}

fn price(parameters: &Parameters<'_>, listing: &Listing) -> Result<Price, DialectError> {
    parameters.required("price")?;
    let scale = listing.instrument.price_scale;
    let filter = || DialectError::filter("PRICE_FILTER");
    let units = units(parameters, "price", scale, listing.quote.scale, filter)?;
    match u32::try_from(units) {
        Ok(units) if units > 0 => Ok(Price(units)),
        _ => Err(filter()),
    }
}

fn quantity(
    parameters: &Parameters<'_>,
    listing: &Listing,
    order_type: OrderType,
) -> Result<(QuantityKind, Quantity), DialectError> {
    if order_type == OrderType::Market && parameters.has("quoteOrderQty") {
        absent(parameters, "quantity")?;
        let units = parameters.units("quoteOrderQty", listing.quote.scale)?.unwrap_or_default();
        if units == 0 {
            return Err(DialectError::filter("NOTIONAL"));
        }
        return Ok((QuantityKind::Quote, Quantity(units)));
    }
    absent(parameters, "quoteOrderQty")?;
    if order_type == OrderType::Market && !parameters.has("quantity") {
        return Err(DialectError::either("quantity", "quoteOrderQty"));
    }
    Ok((QuantityKind::Base, base_quantity(parameters, listing, "quantity")?))
}

/// A quantity of the base asset, from one unit on.
pub(super) fn base_quantity(
    parameters: &Parameters<'_>,
    listing: &Listing,
    name: &str,
) -> Result<Quantity, DialectError> {
    parameters.required(name)?;
    let filter = || DialectError::filter("LOT_SIZE");
    let units = units(parameters, name, listing.instrument.quantity_scale, listing.base.scale, filter)?;
    if units == 0 { Err(filter()) } else { Ok(Quantity(units)) }
}

/// A decimal in units of 10^-`scale`. Finer than the asset itself is too precise (-1111); finer than
/// the instrument's unit only is a multiple of no tick or lot, and so the filter's refusal.
fn units(
    parameters: &Parameters<'_>,
    name: &str,
    scale: u8,
    asset_scale: u8,
    filter: impl Fn() -> DialectError,
) -> Result<u64, DialectError> {
    match parameters.units(name, scale) {
        Ok(units) => Ok(units.unwrap_or_default()),
        Err(error) if error.code == -1111 && decimals(parameters, name) <= usize::from(asset_scale) => {
            Err(filter())
        }
        Err(error) => Err(error),
    }
}

/// Decimals that a parameter was sent with, zeros at the end aside.
fn decimals(parameters: &Parameters<'_>, name: &str) -> usize {
    let fraction = parameters.text(name).and_then(|text| text.split_once('.'));
    fraction.map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len())
}

fn absent(parameters: &Parameters<'_>, name: &str) -> Result<(), DialectError> {
    if parameters.has(name) { Err(DialectError::not_required(name)) } else { Ok(()) }
}

fn response_type(parameters: &Parameters<'_>, order_type: OrderType) -> Result<ResponseType, DialectError> {
    match parameters.text("newOrderRespType") {
        Some("ACK") => Ok(ResponseType::Ack),
        Some("RESULT") => Ok(ResponseType::Result),
        Some("FULL") => Ok(ResponseType::Full),
        Some(_) => Err(DialectError::invalid_data("newOrderRespType")),
        None if order_type == OrderType::LimitMaker => Ok(ResponseType::Ack),
        None => Ok(ResponseType::Full),
    }
}
