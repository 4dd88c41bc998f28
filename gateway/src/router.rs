//! The routes of the traders' port: REST and WebSocket (dialect §1). Refuses to know what is behind a
//! route.

use crate::{
    Gateway,
    calls::Call,
    dialect::DialectError,
    limits::admitted,
    rest::{self, error_response, rest},
    streams, websocket_api,
};
use axum::{
    Router,
    extract::{Request, State},
    http::{Method, header::RETRY_AFTER},
    middleware,
    response::Response,
    routing::{MethodFilter, MethodRouter, on},
};
use std::time::Duration;
use tower_http::cors::{Any, CorsLayer};

/// Every REST call: method, path, call.
const REST: &[(MethodFilter, &str, Call)] = &[
    (MethodFilter::GET, "/api/v3/ping", Call::Ping),
    (MethodFilter::GET, "/api/v3/time", Call::Time),
    (MethodFilter::GET, "/api/v3/exchangeInfo", Call::ExchangeInfo),
    (MethodFilter::GET, "/api/v3/depth", Call::Depth),
    (MethodFilter::GET, "/api/v3/trades", Call::Trades),
    (MethodFilter::GET, "/api/v3/historicalTrades", Call::HistoricalTrades),
    (MethodFilter::GET, "/api/v3/aggTrades", Call::AggregateTrades),
    (MethodFilter::GET, "/api/v3/klines", Call::Klines),
    (MethodFilter::GET, "/api/v3/uiKlines", Call::Klines),
    (MethodFilter::GET, "/api/v3/ticker/24hr", Call::Ticker24Hours),
    (MethodFilter::GET, "/api/v3/ticker/price", Call::TickerPrice),
    (MethodFilter::GET, "/api/v3/ticker/bookTicker", Call::TickerBook),
    (MethodFilter::GET, "/api/v3/avgPrice", Call::AveragePrice),
    (MethodFilter::GET, "/api/v3/ticker", Call::RollingTicker),
    (MethodFilter::GET, "/api/v3/ticker/tradingDay", Call::TradingDayTicker),
    (MethodFilter::GET, "/api/v3/executionRules", Call::ExecutionRules),
    (MethodFilter::GET, "/api/v3/referencePrice", Call::ReferencePrice),
    (MethodFilter::GET, "/api/v3/referencePrice/calculation", Call::ReferencePriceCalculation),
    (MethodFilter::GET, "/api/v3/historicalBlockTrades", Call::BlockTrades),
    (MethodFilter::POST, "/api/v3/order", Call::PlaceOrder),
    (MethodFilter::GET, "/api/v3/order", Call::QueryOrder),
    (MethodFilter::DELETE, "/api/v3/order", Call::CancelOrder),
    (MethodFilter::POST, "/api/trade/create-order", Call::CreateOrder),
    (MethodFilter::GET, "/api/trade/orders", Call::ListOrders),
    (MethodFilter::POST, "/api/trade/cancel-order", Call::CancelNamedOrder),
    // Binance's futures have it and its spot has not; some clients ask all the same.
    (MethodFilter::PUT, "/api/v3/order", Call::NotSupported),
    (MethodFilter::POST, "/api/v3/order/test", Call::TestOrder),
    (MethodFilter::POST, "/api/v3/order/cancelReplace", Call::CancelReplace),
    (MethodFilter::PUT, "/api/v3/order/amend/keepPriority", Call::AmendOrder),
    (MethodFilter::GET, "/api/v3/openOrders", Call::OpenOrders),
    (MethodFilter::DELETE, "/api/v3/openOrders", Call::CancelOpenOrders),
    (MethodFilter::GET, "/api/v3/allOrders", Call::AllOrders),
    (MethodFilter::GET, "/api/v3/account", Call::Account),
    (MethodFilter::GET, "/api/v3/account/commission", Call::Commission),
    (MethodFilter::GET, "/api/v3/myTrades", Call::MyTrades),
    (MethodFilter::GET, "/api/v3/rateLimit/order", Call::OrderRateLimits),
    (MethodFilter::GET, "/api/v3/myPreventedMatches", Call::PreventedMatches),
    (MethodFilter::GET, "/api/v3/myAllocations", Call::Allocations),
    (MethodFilter::GET, "/api/v3/order/amendments", Call::Amendments),
    (MethodFilter::GET, "/api/v3/myFilters", Call::MyFilters),
    // Binance has taken listen keys back; old clients are told so.
    (MethodFilter::POST, "/api/v3/userDataStream", Call::ListenKey),
    (MethodFilter::PUT, "/api/v3/userDataStream", Call::ListenKey),
    (MethodFilter::DELETE, "/api/v3/userDataStream", Call::ListenKey),
    (MethodFilter::GET, "/sapi/v1/system/status", Call::SystemStatus),
    (MethodFilter::GET, "/sapi/v1/capital/config/getall", Call::Coins),
    (MethodFilter::GET, "/sapi/v1/asset/tradeFee", Call::TradeFee),
    (MethodFilter::GET, "/sapi/v1/account/apiRestrictions", Call::ApiRestrictions),
    (MethodFilter::GET, "/sapi/v1/account/status", Call::AccountStatus),
    (MethodFilter::GET, "/sapi/v1/account/apiTradingStatus", Call::TradingStatus),
    (MethodFilter::POST, "/sapi/v3/asset/getUserAsset", Call::UserAssets),
    (MethodFilter::GET, "/sapi/v1/capital/deposit/address", Call::DepositAddress),
    (MethodFilter::GET, "/sapi/v1/capital/deposit/hisrec", Call::NoTransfers),
    (MethodFilter::POST, "/sapi/v1/capital/withdraw/apply", Call::Withdraw),
    (MethodFilter::GET, "/sapi/v1/capital/withdraw/history", Call::NoTransfers),
    (MethodFilter::GET, "/sapi/v1/margin/allPairs", Call::EmptyList),
    (MethodFilter::GET, "/sapi/v1/margin/isolated/allPairs", Call::EmptyList),
    (MethodFilter::GET, "/sapi/v1/spot/delist-schedule", Call::EmptyList),
    (MethodFilter::GET, "/fapi/v1/exchangeInfo", Call::EmptyExchangeInfo),
    (MethodFilter::GET, "/dapi/v1/exchangeInfo", Call::EmptyExchangeInfo),
];

/// The traders' port: every path of the dialect. Serve it with connection info
/// (`into_make_service_with_connect_info::<SocketAddr>()`), or keys with an address list are refused.
pub fn router(gateway: Gateway) -> Router {
    let router = REST.iter().fold(Router::new(), |router, (method, path, call)| {
        router.route(path, method_router(*method, *call))
    });
    router
        .merge(streams::routes())
        .merge(websocket_api::routes())
        .fallback(async || error_response(&DialectError::unknown_path()))
        .method_not_allowed_fallback(async || error_response(&DialectError::unknown_method()))
        .with_state(gateway.clone())
        .layer(middleware::from_fn_with_state(gateway, admitted))
        .layer(cors())
}

fn method_router(method: MethodFilter, call: Call) -> MethodRouter<Gateway> {
    on(method, async move |State(gateway): State<Gateway>, request: Request| -> Response {
        rest(call, gateway, request).await
    })
}

/// Any page may ask: requests carry signatures, never cookies.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(Any)
        .expose_headers([
            rest::USED_WEIGHT,
            rest::USED_WEIGHT_1M,
            rest::SAPI_USED_WEIGHT_1M,
            rest::ORDER_COUNT_10S,
            rest::ORDER_COUNT_1D,
            RETRY_AFTER,
        ])
        .max_age(Duration::from_hours(1))
}
