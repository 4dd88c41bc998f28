//! What may be traded and by which rules (dialect §4.3). Lists only what works: order types, flags and
//! filters are what the core does today. Refuses to know accounts.

use super::{Json, Reply, Request};
use crate::{
    dialect::{Decimal, DialectError, status_name},
    views::{Listing, words},
};
use protocol::{
    InstrumentStatus, Quantity,
    instrument::{Filters, MULTIPLIER_ONE},
    money::SUPPLY_MAX,
};
use serde::Serialize;
use serde_json::{Value, json};

/// Decimals of a percent-price multiplier.
const MULTIPLIER_SCALE: u8 = 4;
const _: () =
    assert!(10_u32.pow(MULTIPLIER_SCALE as u32) == MULTIPLIER_ONE, "multipliers have four decimals");
/// Shown for a multiplier without a bound.
const MULTIPLIER_OPEN: u32 = 10_000 * MULTIPLIER_ONE;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExchangeInfo {
    timezone: &'static str,
    server_time: u64,
    rate_limits: Vec<Value>,
    exchange_filters: [Value; 0],
    symbols: Vec<Value>,
}

pub(super) fn exchange_info(request: &Request<'_>) -> Reply {
    let parameters = request.parameters;
    let one = request.optional_listing()?;
    let several = request.listings()?;
    let permissions = parameters.list("permissions")?;
    let status = request.symbol_status()?;
    let named = one.is_some() || several.is_some();
    if named && (permissions.is_some() || parameters.has("symbolStatus")) {
        return Err(DialectError::optional_combination());
    }
    let show_sets = parameters.boolean("showPermissionSets", true)?;
    let permitted = permissions.is_none_or(|list| list.iter().any(|permission| permission == "SPOT"));
    let listings = match (one, several) {
        (Some(listing), _) => vec![listing],
        (None, Some(listings)) => listings,
        // What was delisted is shown to those who name it.
        (None, None) => {
            let listings = request.directory.listings().iter();
            listings.filter(|listing| !is_delisted(listing)).cloned().collect()
        }
    };
    let symbols = listings
        .iter()
        .filter(|listing| permitted && status.passes(listing))
        .map(|listing| symbol(listing, show_sets))
        .collect();
    Ok(Json::of(&ExchangeInfo {
        timezone: "UTC",
        server_time: request.unit.of(request.now),
        rate_limits: request.gateway.limiter.limits().rows().into(),
        exchange_filters: [],
        symbols,
    }))
}

/// The answer of a futures exchange that lists nothing: clients ask for it while they load markets.
pub(super) fn empty(request: &Request<'_>) -> Json {
    Json::of(&ExchangeInfo {
        timezone: "UTC",
        server_time: request.unit.of(request.now),
        rate_limits: Vec::new(),
        exchange_filters: [],
        symbols: Vec::new(),
    })
}

fn status_of(listing: &Listing) -> &'static str {
    status_name(listing.instrument.status)
}

/// Which status an instrument must have: `symbolStatus`, any when it was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SymbolStatus(Option<&'static str>);

impl SymbolStatus {
    const KNOWN: [&str; 5] = ["TRADING", "HALT", "BREAK", "CANCEL_ONLY", "END_OF_DAY"];

    pub(super) fn parse(text: Option<&str>) -> Result<Self, DialectError> {
        let Some(text) = text else { return Ok(Self(None)) };
        let known = Self::KNOWN.into_iter().find(|known| *known == text);
        known.map(|known| Self(Some(known))).ok_or_else(DialectError::symbol_status)
    }

    pub(super) fn passes(self, listing: &Listing) -> bool {
        self.0.is_none_or(|status| status_of(listing) == status)
    }

    /// For an instrument that was named: one of another status is refused.
    pub(super) fn check(self, listing: &Listing) -> Result<(), DialectError> {
        if self.passes(listing) { Ok(()) } else { Err(DialectError::symbol_status_mismatch()) }
    }
}

fn is_delisted(listing: &Listing) -> bool {
    listing.instrument.status == InstrumentStatus::Delisted
}

fn symbol(listing: &Listing, show_sets: bool) -> Value {
    let instrument = &listing.instrument;
    let sets: &[[&str; 1]] = if show_sets { &[["SPOT"]] } else { &[] };
    json!({
        "symbol": listing.symbol(),
        "status": status_of(listing),
        "baseAsset": listing.base.name.as_str(),
        "baseAssetPrecision": listing.base.scale,
        "quoteAsset": listing.quote.name.as_str(),
        "quotePrecision": listing.quote.scale,
        "quoteAssetPrecision": listing.quote.scale,
        "baseCommissionPrecision": listing.base.scale,
        "quoteCommissionPrecision": listing.quote.scale,
        "orderTypes": [
            "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT",
        ],
        "icebergAllowed": instrument.filters.iceberg_parts > 0,
        "ocoAllowed": true,
        "otoAllowed": true,
        "opoAllowed": false,
        "quoteOrderQtyMarketAllowed": true,
        "allowTrailingStop": true,
        "cancelReplaceAllowed": true,
        "amendAllowed": true,
        "pegInstructionsAllowed": true,
        "isSpotTradingAllowed": instrument.status != InstrumentStatus::CancelOnly && !is_delisted(listing),
        "isMarginTradingAllowed": false,
        "filters": filters(listing),
        "permissions": [],
        "permissionSets": sets,
        "defaultSelfTradePreventionMode": words::self_trade_prevention(instrument.default_self_trade_prevention),
        "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"],
    })
}

/// The filters, in the dialect's form.
pub(super) fn filters(listing: &Listing) -> Vec<Value> {
    let instrument = &listing.instrument;
    let filters = &instrument.filters;
    let price = |price: protocol::Price| Decimal::new(price.0, instrument.price_scale);
    let quantity = |quantity: Quantity| Decimal::new(quantity.0, instrument.quantity_scale);
    let notional = |units: i64| Decimal::new(units, listing.quote.scale);
    let mut list = vec![
        json!({
            "filterType": "PRICE_FILTER", "minPrice": price(filters.min_price),
            "maxPrice": price(filters.max_price), "tickSize": price(filters.tick_size),
        }),
        json!({
            "filterType": "LOT_SIZE", "minQty": quantity(filters.min_quantity),
            "maxQty": quantity(filters.max_quantity), "stepSize": quantity(filters.lot_size),
        }),
        json!({"filterType": "ICEBERG_PARTS", "limit": filters.iceberg_parts}),
        json!({
            "filterType": "MARKET_LOT_SIZE", "minQty": quantity(filters.min_quantity),
            "maxQty": quantity(market_quantity_max(filters)), "stepSize": quantity(filters.lot_size),
        }),
    ];
    if let Some(percent) = percent_price(filters) {
        list.push(percent);
    }
    let max_notional = if filters.max_notional == 0 { SUPPLY_MAX } else { filters.max_notional };
    list.push(json!({
        "filterType": "NOTIONAL", "minNotional": notional(filters.min_notional),
        "applyMinToMarket": filters.min_notional_on_market != 0, "maxNotional": notional(max_notional),
        "applyMaxToMarket": filters.max_notional_on_market != 0, "avgPriceMins": filters.average_minutes,
    }));
    list.push(json!({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": filters.max_account_orders}));
    list.extend(order_filters(listing));
    list
}

/// The filters of orders that are not plain; a bound that is off is not shown.
fn order_filters(listing: &Listing) -> Vec<Value> {
    let filters = &listing.order_filters;
    let counts = [
        ("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", filters.max_algo_orders),
        ("MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", filters.max_iceberg_orders),
        ("MAX_NUM_ORDER_LISTS", "maxNumOrderLists", filters.max_order_lists),
        ("MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends", filters.max_order_amends),
    ];
    let counts = counts.into_iter().filter(|(_, _, most)| *most > 0);
    let mut list: Vec<Value> =
        counts.map(|(kind, name, most)| json!({"filterType": kind, name: most})).collect();
    if filters.max_position.0 > 0 {
        let most = Decimal::new(filters.max_position.0, listing.instrument.quantity_scale);
        list.push(json!({"filterType": "MAX_POSITION", "maxPosition": most}));
    }
    list.push(json!({
        "filterType": "TRAILING_DELTA",
        "minTrailingAboveDelta": filters.min_trailing_above, "maxTrailingAboveDelta": filters.max_trailing_above,
        "minTrailingBelowDelta": filters.min_trailing_below, "maxTrailingBelowDelta": filters.max_trailing_below,
    }));
    list
}

fn market_quantity_max(filters: &Filters) -> Quantity {
    if filters.max_market_quantity.0 == 0 { filters.max_quantity } else { filters.max_market_quantity }
}

/// How a percent-price multiplier is shown.
pub(super) fn multiplier(multiplier: u32) -> Decimal {
    Decimal::new(multiplier, MULTIPLIER_SCALE)
}

fn percent_price(filters: &Filters) -> Option<Value> {
    let bounds = [
        filters.bid_multiplier_up,
        filters.bid_multiplier_down,
        filters.ask_multiplier_up,
        filters.ask_multiplier_down,
    ];
    if bounds == [0; 4] {
        return None;
    }
    let up = |bound: u32| multiplier(if bound == 0 { MULTIPLIER_OPEN } else { bound });
    Some(json!({
        "filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": up(bounds[0]),
        "bidMultiplierDown": multiplier(bounds[1]), "askMultiplierUp": up(bounds[2]),
        "askMultiplierDown": multiplier(bounds[3]), "avgPriceMins": filters.average_minutes,
    }))
}
