//! An account's past orders and trades (dialect §6.4, 6.5). Refuses to know the public market.

use super::{
    Json, Reply, Request,
    market::{price, quantity, quote, window},
    orders,
};
use crate::{
    dialect::{Decimal, DialectError, Parameters},
    views::{Listing, OrderQuery, OwnTrade, OwnTradeQuery, TimeUnit},
};
use protocol::{OrderId, Side, Time, TradeId};
use serde::Serialize;

/// The most rows.
const ROWS_MAX: usize = 1_000;
/// The longest window, in nanoseconds.
const DAY: u64 = 86_400_000_000_000;

pub(super) async fn all_orders(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let (start, end) = day(request.parameters)?;
    let query = OrderQuery {
        instrument: Some(listing.id()),
        from_id: request.parameters.integer("orderId")?.map(OrderId),
        until_id: None,
        start,
        end,
        limit: request.parameters.limit(500, ROWS_MAX)?,
    };
    Ok(orders::rows(request, &request.past().orders(account, &query).await?))
}

pub(super) async fn my_trades(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let (start, end) = day(request.parameters)?;
    let from_id = request.parameters.integer("fromId")?.map(TradeId);
    if from_id.is_some() && (start.is_some() || end.is_some()) {
        return Err(DialectError::optional_combination());
    }
    let query = OwnTradeQuery {
        instrument: listing.id(),
        order_id: request.parameters.integer("orderId")?.map(OrderId),
        from_id,
        start,
        end,
        limit: request.parameters.limit(500, ROWS_MAX)?,
    };
    let trades = request.past().own_trades(account, &query).await?;
    let rows: Vec<_> = trades.iter().map(|trade| trade_row(request, &listing, trade, request.unit)).collect();
    Ok(Json::of(&rows))
}

/// `startTime` and `endTime`, at most a day apart.
fn day(parameters: &Parameters<'_>) -> Result<(Option<Time>, Option<Time>), DialectError> {
    match window(parameters)? {
        (Some(start), Some(end)) if end.0 - start.0 > DAY => Err(DialectError::interval_too_big()),
        window => Ok(window),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TradeRow {
    symbol: String,
    id: u64,
    order_id: u64,
    order_list_id: i64,
    price: Decimal,
    qty: Decimal,
    quote_qty: Decimal,
    commission: Decimal,
    commission_asset: String,
    time: u64,
    is_buyer: bool,
    is_maker: bool,
    is_best_match: bool,
}

fn trade_row(request: &Request<'_>, listing: &Listing, trade: &OwnTrade, unit: TimeUnit) -> TradeRow {
    let asset = request.directory.asset(trade.commission_asset);
    TradeRow {
        symbol: listing.symbol().to_owned(),
        id: trade.trade_id.0,
        order_id: trade.order_id.0,
        order_list_id: -1,
        price: price(listing, trade.price),
        qty: quantity(listing, trade.quantity.0),
        quote_qty: quote(listing, trade.quote),
        commission: Decimal::new(trade.commission, asset.map_or(0, |asset| asset.scale)),
        commission_asset: asset.map_or_else(String::new, |asset| asset.name.to_string()),
        time: unit.of(trade.time),
        is_buyer: trade.side == Side::Buy,
        is_maker: trade.is_maker,
        is_best_match: true,
    }
}
