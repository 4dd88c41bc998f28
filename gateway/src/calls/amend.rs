//! Making an open order smaller without losing its place (dialect §5.6). Refuses to decide whether it
//! may be: that is the core's.

use super::{
    Json, Reply, Request,
    cancel::{CANCEL, target},
    market::{price, quantity, quote},
    new_order::base_quantity,
    order_json::{self, working_time},
};
use crate::{
    dialect::{Decimal, DialectError, Purpose, refusal},
    views::{Listing, Order, words},
};
use protocol::{
    OrderId,
    command::{AmendOrder, Command},
    event::{Event, EventChunk},
    reject::Outcome,
};
use serde::Serialize;
use services::Answer;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Amended {
    transact_time: u64,
    execution_id: u64,
    #[serde(rename = "amendedOrder")]
    order: AmendedOrder,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AmendedOrder {
    symbol: String,
    order_id: u64,
    order_list_id: i64,
    orig_client_order_id: String,
    client_order_id: String,
    price: Decimal,
    qty: Decimal,
    executed_qty: Decimal,
    prevented_qty: Decimal,
    quote_order_qty: Decimal,
    cumulative_quote_qty: Decimal,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    order_type: &'static str,
    side: &'static str,
    working_time: i64,
    self_trade_prevention_mode: &'static str,
}

pub(super) async fn amend(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let new_quantity = base_quantity(request.parameters, &listing, "newQty")?;
    let (order_id, ids) = target(request, CANCEL)?;
    let orders = request.gateway.views.accounts();
    let before = match ids.original {
        Some(name) => orders.order_named(account, &name),
        None => orders.order(account, order_id),
    };
    let amend = AmendOrder { account, instrument: listing.id(), ids: 0, reserved: 0, order_id, new_quantity };
    let answer = request.submit(&Command::AmendOrder { amend, ids }).await?;
    if let Outcome::Refused(reject) = answer.outcome {
        return Err(refusal(reject, Purpose::Amend));
    }
    let (order_id, execution_id) = execution(&answer).ok_or_else(DialectError::unknown)?;
    let order = orders.order(account, order_id).ok_or_else(DialectError::unknown)?;
    let original = before.map_or(order.client_order_id, |before| before.client_order_id);
    Ok(Json::of(&Amended {
        transact_time: request.unit.of(answer.time),
        execution_id,
        order: row(&order, &listing, original.to_string(), request),
    }))
}

/// The order that was amended, and the number of the event that says so, as the views count it.
fn execution(answer: &Answer) -> Option<(OrderId, u64)> {
    EventChunk::all(&answer.chunks).flatten().find_map(|chunk| {
        chunk.events().flatten().zip(chunk.header.first_event..).find_map(|(event, number)| match event {
            Event::OrderAmended(amended, _) => Some((amended.order_id, number * 2)),
            _ => None,
        })
    })
}

fn row(order: &Order, listing: &Listing, original: String, request: &Request<'_>) -> AmendedOrder {
    AmendedOrder {
        symbol: listing.symbol().to_owned(),
        order_id: order.order_id.0,
        order_list_id: order.shown_list_id(),
        orig_client_order_id: original,
        client_order_id: order.client_order_id.to_string(),
        price: price(listing, order_json::limit(order)),
        qty: quantity(listing, order.original_quantity().0),
        executed_qty: quantity(listing, order.executed.0),
        prevented_qty: quantity(listing, order.prevented.0),
        quote_order_qty: quote(listing, order.original_quote_quantity()),
        cumulative_quote_qty: quote(listing, order.cumulative_quote),
        status: order.status.text(),
        time_in_force: words::time_in_force(order.order_type, order.time_in_force),
        order_type: words::order_type(order.order_type),
        side: words::side(order.side),
        working_time: working_time(order, request.unit),
        self_trade_prevention_mode: words::self_trade_prevention(order.self_trade_prevention),
    }
}
