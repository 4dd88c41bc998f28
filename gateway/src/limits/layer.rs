//! What every request of the traders' port passes first: its client's address is found, and the
//! request is counted. Refuses to read it.

use super::ClientAddress;
use crate::{Gateway, rest::error_response};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

/// Notes the client's address and goes on, unless the client has asked too often.
pub(crate) async fn admitted(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let proxies = &gateway.limiter.limits().trusted_proxies;
    let client = ClientAddress::of(request.extensions(), request.headers(), proxies);
    let now = gateway.now();
    if let Err(exceeded) = gateway.limiter.enter(client.0, now) {
        return error_response(&exceeded.told(now));
    }
    request.extensions_mut().insert(client);
    next.run(request).await
}
