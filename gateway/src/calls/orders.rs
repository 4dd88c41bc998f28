//! Placing an order, trying one, asking for one, and the open ones (dialect §5.1, 5.2, 6.2, 6.3).
//! Refuses to know how a refusal is worded.

use super::{
    Json, Reply, Request,
    market::{price, quantity},
    new_order::{self, NewOrder, ResponseType},
    order_json::{self, FillRow, acknowledged, queried},
    placed::{PlacedOrder, placed_order, received},
    rehearsal::rehearse,
};
use crate::{
    dialect::{Decimal, DialectError, Purpose, refusal},
    views::{Listing, Order, TimeUnit, rate_text},
};
use protocol::{AccountId, FeeRate, OrderId, Time, command::Command, reject::Outcome};
use serde_json::json;
use services::Answer;

pub(super) async fn place(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let new = new_order::parse(request.parameters, &listing, account)?;
    let command =
        Command::PlaceOrder { order: new.order, client_order_id: new.client_order_id, terms: new.terms };
    request.take_orders(1)?;
    let answer = request.submit(&command).await?;
    match answer.outcome {
        Outcome::Refused(reject) => Err(refusal(reject, Purpose::Place)),
        Outcome::Done => placed_json(request, &listing, &new, &answer),
    }
}

/// The answer to an order that was taken, as much of it as the client wants.
pub(super) fn placed_json(
    request: &Request<'_>,
    listing: &Listing,
    new: &NewOrder,
    answer: &Answer,
) -> Reply {
    // An order that was taken without an event that says so would be the engine's fault.
    let placed = placed_order(answer, listing, OrderId(answer.result)).ok_or_else(DialectError::unknown)?;
    Ok(report(&placed, listing, answer.time, request.unit, new.response))
}

/// A new order, as much of it as the client wants.
pub(super) fn report(
    placed: &PlacedOrder,
    listing: &Listing,
    time: Time,
    unit: TimeUnit,
    response: ResponseType,
) -> Json {
    let PlacedOrder { order, fills } = placed;
    let received = received(listing, order.side);
    let rows = || {
        fills
            .iter()
            .map(|fill| FillRow {
                price: price(listing, fill.price),
                qty: quantity(listing, fill.quantity.0),
                commission: Decimal::new(fill.taker_fee, received.scale),
                commission_asset: received.name.to_string(),
                trade_id: fill.trade_id.0,
            })
            .collect()
    };
    match response {
        ResponseType::Ack => Json::of(&acknowledged(order, listing, time, unit)),
        ResponseType::Result => Json::of(&order_json::placed(order, listing, time, unit, None)),
        ResponseType::Full => Json::of(&order_json::placed(order, listing, time, unit, Some(rows()))),
    }
}

/// The same reading and the same checks as a real order; nothing is changed.
pub(super) fn test(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let new = new_order::parse(request.parameters, &listing, account)?;
    rehearse(request, &listing, &new)?;
    if !request.parameters.boolean("computeCommissionRates", false)? {
        return Ok(Json::empty_object());
    }
    let rates = request.gateway.views.rates(account, listing.id()).unwrap_or(listing.instrument.fees);
    let none = || json!({"maker": rate_text(FeeRate(0)), "taker": rate_text(FeeRate(0))});
    Ok(Json::of(&json!({
        "standardCommissionForOrder": {"maker": rate_text(rates.maker), "taker": rate_text(rates.taker)},
        "specialCommissionForOrder": none(),
        "taxCommissionForOrder": none(),
        "discount": {
            "enabledForAccount": false, "enabledForSymbol": false,
            "discountAsset": "", "discount": Decimal::ZERO,
        },
    })))
}

pub(super) async fn query(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let order = find(request, account)
        .await?
        .filter(|order| order.instrument == listing.id())
        .ok_or_else(DialectError::no_such_order)?;
    Ok(Json::of(&queried(&order, &listing, request.unit)))
}

/// The order that `orderId`, `origClientOrderId` or both name.
async fn find(request: &Request<'_>, account: AccountId) -> Result<Option<Order>, DialectError> {
    let order_id = request.parameters.integer("orderId")?;
    let name = request.parameters.client_order_id("origClientOrderId")?;
    let past = request.past();
    Ok(match (order_id, name) {
        (None, None) => return Err(DialectError::either("origClientOrderId", "orderId")),
        (Some(id), name) => past
            .order(account, OrderId(id))
            .await?
            .filter(|order| name.is_none_or(|name| order.client_order_id == name)),
        (None, Some(name)) => past.order_named(account, &name).await?,
    })
}

pub(super) fn open(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.optional_listing()?;
    let id = listing.map(|listing| listing.id());
    Ok(rows(request, &request.gateway.views.accounts().open_orders(account, id)))
}

/// Orders as a query shows them.
pub(super) fn rows(request: &Request<'_>, orders: &[Order]) -> Json {
    let rows: Vec<_> = orders
        .iter()
        .filter_map(|order| {
            let listing = request.directory.listing(order.instrument)?;
            Some(queried(order, listing, request.unit))
        })
        .collect();
    Json::of(&rows)
}
