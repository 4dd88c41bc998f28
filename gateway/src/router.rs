//! The routes of the traders' port: REST, by the endpoints' tables, and WebSocket (dialect §1). Refuses to know what is behind a
//! route.

use crate::{
    Gateway,
    calls::Call,
    dialect::DialectError,
    endpoints,
    limits::admitted,
    openapi,
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

/// The traders' port: every path of the dialect. Serve it with connection info
/// (`into_make_service_with_connect_info::<SocketAddr>()`), or keys with an address list are refused.
pub fn router(gateway: Gateway) -> Router {
    let router = endpoints::all().fold(Router::new(), |router, endpoint| {
        router.route(endpoint.path, method_router(filter(endpoint.method), endpoint.call))
    });
    router
        .merge(openapi::routes())
        .merge(streams::routes())
        .merge(websocket_api::routes())
        .fallback(async || error_response(&DialectError::unknown_path()))
        .method_not_allowed_fallback(async || error_response(&DialectError::unknown_method()))
        .with_state(gateway.clone())
        .layer(middleware::from_fn_with_state(gateway, admitted))
        .layer(cors())
}

const fn filter(method: endpoints::Method) -> MethodFilter {
    match method {
        endpoints::Method::Get => MethodFilter::GET,
        endpoints::Method::Post => MethodFilter::POST,
        endpoints::Method::Put => MethodFilter::PUT,
        endpoints::Method::Delete => MethodFilter::DELETE,
    }
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
            rest::TRACE,
            RETRY_AFTER,
        ])
        .max_age(Duration::from_hours(1))
}
