//! What an account may look up of its orders beside their trades: prevented matches, amendments,
//! allocations, and the filters that bind it (dialect §6.6). Refuses to know how they are kept.

use super::{
    Json, Reply, Request, exchange_info,
    market::{price, quantity},
};
use crate::{
    dialect::{Decimal, DialectError},
    views::{Amendment, AmendmentQuery, Listing, PreventedMatch, PreventedMatchQuery, words},
};
use protocol::OrderId;
use serde::Serialize;
use serde_json::json;

/// The most rows.
const ROWS_MAX: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreventedRow {
    symbol: String,
    prevented_match_id: u64,
    taker_order_id: u64,
    maker_symbol: String,
    maker_order_id: u64,
    trade_group_id: i64,
    self_trade_prevention_mode: &'static str,
    price: Decimal,
    maker_prevented_quantity: Decimal,
    transact_time: u64,
}

/// Matches that self-trade prevention stopped: one of them, or an order's.
pub(super) async fn prevented_matches(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let parameters = request.parameters;
    let query = PreventedMatchQuery {
        instrument: listing.id(),
        prevented_match_id: parameters.integer("preventedMatchId")?,
        order_id: parameters.integer("orderId")?.map(OrderId),
        from_id: parameters.integer("fromPreventedMatchId")?,
        limit: parameters.limit(500, ROWS_MAX)?,
    };
    match (query.prevented_match_id, query.order_id) {
        (None, None) => return Err(DialectError::either("preventedMatchId", "orderId")),
        (Some(_), Some(_)) => return Err(DialectError::optional_combination()),
        (Some(_), None) if query.from_id.is_some() => return Err(DialectError::optional_combination()),
        _ => {}
    }
    let summary = request.gateway.views.accounts().summary(account);
    let group = summary.map_or(0, |summary| summary.trade_group);
    let prevented = request.past().prevented_matches(account, &query).await?;
    let rows: Vec<_> =
        prevented.iter().map(|prevented| prevented_row(request, &listing, group, prevented)).collect();
    Ok(Json::of(&rows))
}

fn prevented_row(
    request: &Request<'_>,
    listing: &Listing,
    group: u32,
    prevented: &PreventedMatch,
) -> PreventedRow {
    PreventedRow {
        symbol: listing.symbol().to_owned(),
        prevented_match_id: prevented.prevented_match_id,
        taker_order_id: prevented.taker_order_id.0,
        maker_symbol: listing.symbol().to_owned(),
        maker_order_id: prevented.maker_order_id.0,
        trade_group_id: if group == 0 { -1 } else { group.into() },
        self_trade_prevention_mode: words::self_trade_prevention(prevented.mode),
        price: price(listing, prevented.price),
        maker_prevented_quantity: quantity(listing, prevented.quantity.0),
        transact_time: request.unit.of(prevented.time),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AmendmentRow {
    symbol: String,
    order_id: u64,
    execution_id: u64,
    orig_client_order_id: String,
    new_client_order_id: String,
    orig_qty: Decimal,
    new_qty: Decimal,
    time: u64,
}

/// How an order became smaller, step by step.
pub(super) async fn amendments(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let parameters = request.parameters;
    let order_id = parameters.integer("orderId")?.ok_or_else(|| DialectError::mandatory("orderId"))?;
    let query = AmendmentQuery {
        order_id: OrderId(order_id),
        from_execution_id: parameters.integer("fromExecutionId")?.unwrap_or(0),
        limit: parameters.limit(500, ROWS_MAX)?,
    };
    let amendments = request.past().amendments(account, &query).await?;
    let rows: Vec<_> = amendments
        .iter()
        .filter(|amendment| amendment.instrument == listing.id())
        .map(|amendment| amendment_row(request, &listing, amendment))
        .collect();
    Ok(Json::of(&rows))
}

fn amendment_row(request: &Request<'_>, listing: &Listing, amendment: &Amendment) -> AmendmentRow {
    AmendmentRow {
        symbol: listing.symbol().to_owned(),
        order_id: amendment.order_id.0,
        execution_id: amendment.execution_id,
        orig_client_order_id: amendment.name_before.to_string(),
        new_client_order_id: amendment.name.to_string(),
        orig_qty: quantity(listing, amendment.quantity_before.0),
        new_qty: quantity(listing, amendment.quantity.0),
        time: request.unit.of(amendment.time),
    }
}

/// Trades that smart order routing allocated: there is no such routing.
pub(super) fn allocations(request: &Request<'_>) -> Reply {
    request.caller()?;
    request.listing()?;
    Ok(Json("[]".to_owned()))
}

/// The filters that bind the caller in an instrument.
pub(super) fn my_filters(request: &Request<'_>) -> Reply {
    request.caller()?;
    let listing = request.listing()?;
    Ok(Json::of(&json!({
        "exchangeFilters": [],
        "symbolFilters": exchange_info::filters(&listing),
        "assetFilters": [],
    })))
}
