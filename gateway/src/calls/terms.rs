//! Reading what an order asks beyond price and quantity: trigger, trail, iceberg, peg, strategy (dialect
//! §5.1). Refuses to know where the price stands: whether a trigger would fire is the core's.

use super::new_order::{absent, base_quantity, price};
use crate::{
    dialect::{DialectError, Parameters},
    views::Listing,
};
use protocol::{OrderTerms, OrderType, Price, Quantity, TimeInForce, terms::PegPrice};

/// The lowest `strategyType` that is not the exchange's own.
const STRATEGY_TYPE_MIN: u64 = 1_000_000;
/// How many levels a peg may be behind.
const PEG_OFFSET_MAX: u64 = 100;

/// Reads the terms of an order of this type; [`OrderTerms::NONE`] when it is plain.
pub(super) fn parse(
    parameters: &Parameters<'_>,
    listing: &Listing,
    order_type: OrderType,
    time_in_force: TimeInForce,
) -> Result<OrderTerms, DialectError> {
    let (stop_price, trailing_delta) = trigger(parameters, listing, order_type)?;
    let (peg, peg_offset) = peg(parameters, order_type)?;
    let (strategy_id, strategy_type) = strategy(parameters)?;
    Ok(OrderTerms {
        stop_price,
        trailing_delta,
        visible_quantity: iceberg(parameters, listing, order_type, time_in_force)?,
        strategy_id,
        strategy_type,
        peg,
        peg_offset,
        ..OrderTerms::NONE
    })
}

fn trigger(
    parameters: &Parameters<'_>,
    listing: &Listing,
    order_type: OrderType,
) -> Result<(Price, u32), DialectError> {
    if !order_type.is_triggered() {
        absent(parameters, "stopPrice")?;
        absent(parameters, "trailingDelta")?;
        return Ok((Price(0), 0));
    }
    let delta = parameters.integer("trailingDelta")?;
    if delta.is_none() && !parameters.has("stopPrice") {
        let (stop, delta) = (parameters.called("stopPrice"), parameters.called("trailingDelta"));
        return Err(DialectError::either(&stop, &delta));
    }
    let stop = if parameters.has("stopPrice") { price(parameters, listing, "stopPrice")? } else { Price(0) };
    let delta = match delta.map(u32::try_from) {
        None => 0,
        Some(Ok(delta)) if delta > 0 => delta,
        Some(_) => return Err(DialectError::filter("TRAILING_DELTA")),
    };
    Ok((stop, delta))
}

fn iceberg(
    parameters: &Parameters<'_>,
    listing: &Listing,
    order_type: OrderType,
    time_in_force: TimeInForce,
) -> Result<Quantity, DialectError> {
    if order_type.is_market() {
        absent(parameters, "icebergQty")?;
    }
    if !parameters.has("icebergQty") {
        return Ok(Quantity::ZERO);
    }
    if time_in_force != TimeInForce::GoodTillCancel {
        return Err(DialectError::unsupported_combination());
    }
    base_quantity(parameters, listing, "icebergQty")
}

fn peg(parameters: &Parameters<'_>, order_type: OrderType) -> Result<(PegPrice, u8), DialectError> {
    let offset_type = parameters.text("pegOffsetType");
    let offset = parameters.integer("pegOffsetValue")?;
    let Some(to) = parameters.text("pegPriceType") else {
        absent(parameters, "pegOffsetType")?;
        absent(parameters, "pegOffsetValue")?;
        return Ok((PegPrice::None, 0));
    };
    if order_type.is_market() {
        return Err(DialectError::not_required(&parameters.called("pegPriceType")));
    }
    let to = match to {
        "PRIMARY_PEG" => PegPrice::Primary,
        "MARKET_PEG" => PegPrice::Market,
        _ => return Err(DialectError::invalid_data(&parameters.called("pegPriceType"))),
    };
    match (offset_type, offset) {
        (None, None) => Ok((to, 0)),
        // At most 100: it fits.
        (Some("PRICE_LEVEL"), Some(offset)) if offset <= PEG_OFFSET_MAX => Ok((to, offset as u8)),
        (Some("PRICE_LEVEL"), Some(_)) => {
            Err(DialectError::invalid_data(&parameters.called("pegOffsetValue")))
        }
        (Some("PRICE_LEVEL"), None) => Err(DialectError::mandatory(&parameters.called("pegOffsetValue"))),
        (None, Some(_)) => Err(DialectError::mandatory(&parameters.called("pegOffsetType"))),
        (Some(_), _) => Err(DialectError::invalid_data(&parameters.called("pegOffsetType"))),
    }
}

fn strategy(parameters: &Parameters<'_>) -> Result<(i64, u32), DialectError> {
    let overflow = |name: &str| DialectError::overflow(&parameters.called(name));
    let id = parameters.integer("strategyId")?.unwrap_or_default();
    let kind = parameters.integer("strategyType")?;
    if kind.is_some_and(|kind| kind < STRATEGY_TYPE_MIN) {
        return Err(DialectError::invalid_data(&parameters.called("strategyType")));
    }
    let id = i64::try_from(id).map_err(|_| overflow("strategyId"))?;
    let kind = u32::try_from(kind.unwrap_or_default()).map_err(|_| overflow("strategyType"))?;
    Ok((id, kind))
}
