//! The rules at the time of execution, and the price that they are reckoned from (dialect §4.13).
//! Refuses to apply them: the core does.

use super::{
    Json, Reply, Request,
    exchange_info::multiplier,
    tickers::{average, average_decimal},
};
use crate::{
    dialect::{Decimal, DialectError},
    views::Listing,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The average is kept in buckets of a minute.
const BUCKET_MILLISECONDS: u64 = 60_000;

/// Which prices no order trades beyond, by instrument.
pub(super) fn execution_rules(request: &Request<'_>) -> Reply {
    let status = request.symbol_status()?;
    let listings: Vec<Arc<Listing>> = match (request.optional_listing()?, request.listings()?) {
        (Some(listing), _) => vec![listing],
        (None, Some(listings)) => listings,
        (None, None) => request.directory.listings().to_vec(),
    };
    if request.parameters.has("symbolStatus")
        && (request.parameters.has("symbol") || request.parameters.has("symbols"))
    {
        return Err(DialectError::optional_combination());
    }
    let rows: Vec<Value> = listings
        .iter()
        .filter(|listing| status.passes(listing))
        .map(|listing| json!({"symbol": listing.symbol(), "rules": price_range(listing)}))
        .collect();
    Ok(Json::of(&json!({"symbolRules": rows})))
}

/// A buy trades at most so far above the reference price, a sell at least so far below it. The other
/// two bounds are the PERCENT_PRICE_BY_SIDE filter's alone: a better price is never refused.
fn price_range(listing: &Listing) -> Vec<Value> {
    let filters = &listing.instrument.filters;
    let mut rule = json!({"ruleType": "PRICE_RANGE"});
    let bounds =
        [("bidLimitMultUp", filters.bid_multiplier_up), ("askLimitMultDown", filters.ask_multiplier_down)];
    for (name, bound) in bounds.into_iter().filter(|(_, bound)| *bound != 0) {
        rule[name] = json!(multiplier(bound));
    }
    if bounds.iter().all(|(_, bound)| *bound == 0) { Vec::new() } else { vec![rule] }
}

/// The price that bounds are reckoned from just now; null before there is any.
pub(super) fn reference_price(request: &Request<'_>) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Row {
        symbol: String,
        reference_price: Option<Decimal>,
        timestamp: u64,
    }
    let listing = request.listing()?;
    request.symbol_status()?.check(&listing)?;
    let minutes = listing.instrument.filters.average_minutes;
    let traded = request.market(&listing)?.average_price(minutes, request.now);
    Ok(Json::of(&Row {
        symbol: listing.symbol().to_owned(),
        reference_price: average(&listing, traded).map(|average| average_decimal(&listing, average)),
        timestamp: request.unit.of(request.now),
    }))
}

/// How that price is made.
pub(super) fn reference_price_calculation(request: &Request<'_>) -> Reply {
    let listing = request.listing()?;
    request.symbol_status()?.check(&listing)?;
    Ok(Json::of(&json!({
        "symbol": listing.symbol(),
        "calculationType": "ARITHMETIC_MEAN",
        "bucketCount": listing.instrument.filters.average_minutes,
        "bucketWidthMs": BUCKET_MILLISECONDS,
    })))
}
