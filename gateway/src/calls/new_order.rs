//! Reading a new order: which parameters each type takes, and in whose units (dialect §5.1). The price
//! and quantity filters are the core's. Refuses to know balances and the book.

use super::terms;
use crate::{
    dialect::{
        DialectError, Parameters, order_type_from, self_trade_prevention_from, side_from, time_in_force_from,
    },
    views::Listing,
};
use protocol::{
    AccountId, ClientOrderId, OrderTerms, OrderType, Price, Quantity, Time, TimeInForce,
    command::{PlaceOrder, QuantityKind},
    terms::PegPrice,
};

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
    /// What it asks beyond; `None` for a plain order.
    pub(super) terms: Option<OrderTerms>,
    /// The client's name for it.
    pub(super) client_order_id: Option<ClientOrderId>,
    /// How much of the answer is wanted.
    pub(super) response: ResponseType,
}

/// Reads an order of `account` in `listing`.
pub(super) fn parse(
    parameters: &Parameters<'_>,
    listing: &Listing,
    account: AccountId,
) -> Result<NewOrder, DialectError> {
    let side = side_from(parameters.required("side")?)?;
    let order_type = order_type_from(parameters.required("type")?)?;
    let time_in_force = time_in_force(parameters, order_type)?;
    let terms = terms::parse(parameters, listing, order_type, time_in_force)?;
    let price = if order_type.is_market() || terms.peg != PegPrice::None {
        absent(parameters, "price")?;
        Price(0)
    } else {
        price(parameters, listing, "price")?
    };
    let (quantity_kind, quantity) = quantity(parameters, listing, order_type)?;
    let client_order_id = parameters.client_order_id("newClientOrderId")?;
    let self_trade_prevention = match parameters.text("selfTradePreventionMode") {
        Some(text) => self_trade_prevention_from(text)?,
        None => listing.instrument.default_self_trade_prevention,
    };
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
    let response = response_type(parameters, order_type)?;
    let terms = (terms != OrderTerms::NONE).then_some(terms);
    Ok(NewOrder { order, terms, client_order_id, response })
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

/// A price, from one unit on.
pub(super) fn price(
    parameters: &Parameters<'_>,
    listing: &Listing,
    name: &str,
) -> Result<Price, DialectError> {
    parameters.required(name)?;
    let scale = listing.instrument.price_scale;
    let filter = || DialectError::filter("PRICE_FILTER");
    let units = units(parameters, name, scale, listing.quote.scale, filter)?;
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

/// Refuses a parameter that the order may not have.
pub(super) fn absent(parameters: &Parameters<'_>, name: &str) -> Result<(), DialectError> {
    if parameters.has(name) { Err(DialectError::not_required(&parameters.called(name))) } else { Ok(()) }
}

/// How much of the answer is wanted, when an order of this type is placed.
fn response_type(parameters: &Parameters<'_>, order_type: OrderType) -> Result<ResponseType, DialectError> {
    match parameters.text("newOrderRespType") {
        Some("ACK") => Ok(ResponseType::Ack),
        Some("RESULT") => Ok(ResponseType::Result),
        Some("FULL") => Ok(ResponseType::Full),
        Some(_) => Err(DialectError::invalid_data("newOrderRespType")),
        None if matches!(order_type, OrderType::Limit | OrderType::Market) => Ok(ResponseType::Full),
        None => Ok(ResponseType::Ack),
    }
}
