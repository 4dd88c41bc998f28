//! The REST door: from an HTTP request to a call and back (dialect §2). Refuses to know what a call
//! does.

use crate::{
    Gateway,
    calls::{self, Access, Call, Json, Request},
    dialect::{DialectError, Parameters, authentication, payload::signed_payload, time_unit_from},
    limits::ClientAddress,
    views::TimeUnit,
};
use axum::{
    body::{Body, Bytes, to_bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
    },
    response::Response,
};
use protocol::{AccountId, Time};
use std::{net::IpAddr, sync::atomic::Ordering};

/// The largest body taken, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

const API_KEY: HeaderName = HeaderName::from_static("x-mbx-apikey");
const TIME_UNIT: HeaderName = HeaderName::from_static("x-mbx-time-unit");
/// Rialto's own: a request's trace, by which `rialto trace` follows it. A client may choose it.
pub(crate) const TRACE: HeaderName = HeaderName::from_static("x-rialto-trace");
/// Headers that say what was used, for browsers to be let read.
pub(crate) const USED_WEIGHT: HeaderName = HeaderName::from_static("x-mbx-used-weight");
pub(crate) const USED_WEIGHT_1M: HeaderName = HeaderName::from_static("x-mbx-used-weight-1m");
pub(crate) const SAPI_USED_WEIGHT_1M: HeaderName = HeaderName::from_static("x-sapi-used-ip-weight-1m");
pub(crate) const ORDER_COUNT_10S: HeaderName = HeaderName::from_static("x-mbx-order-count-10s");
pub(crate) const ORDER_COUNT_1D: HeaderName = HeaderName::from_static("x-mbx-order-count-1d");

/// Answers a request for `call`.
pub(crate) async fn rest(call: Call, gateway: Gateway, request: axum::extract::Request) -> Response {
    let now = gateway.now();
    let address = ClientAddress::noted(request.extensions());
    let sapi = request.uri().path().starts_with("/sapi");
    let mut used = Used::default();
    let trace = chosen_trace(request.headers()).unwrap_or_else(|| gateway.next_trace());
    let result = match read(request).await {
        Ok(received) => answer(call, &gateway, &received, address, now, trace, &mut used).await,
        // What cannot be read weighs something too.
        Err(error) => charge(&gateway, address, 1, now, &mut used).and(Err(error)),
    };
    gateway.counters.rest_requests.fetch_add(1, Ordering::Relaxed);
    if result.is_err() {
        gateway.counters.rest_errors.fetch_add(1, Ordering::Relaxed);
    }
    let mut response = match result {
        Ok(json) => {
            let mut response = json_response(StatusCode::OK, json.0);
            if let Some(content_type) = used.content_type {
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            }
            response
        }
        Err(error) => error_response(&error),
    };
    let headers = response.headers_mut();
    // Hexadecimal digits are a header's value.
    headers.insert(TRACE, HeaderValue::from_str(&format!("{trace:016x}")).expect("digits"));
    if sapi {
        headers.insert(SAPI_USED_WEIGHT_1M, HeaderValue::from(used.weight));
    } else {
        headers.insert(USED_WEIGHT, HeaderValue::from(used.weight));
        headers.insert(USED_WEIGHT_1M, HeaderValue::from(used.weight));
    }
    if let Some(account) = used.orders_of {
        let count = gateway.limiter.orders_of(account, now);
        headers.insert(ORDER_COUNT_10S, HeaderValue::from(count.ten_seconds));
        headers.insert(ORDER_COUNT_1D, HeaderValue::from(count.day));
    }
    response
}

/// The trace that a client gave its request: up to 16 hexadecimal digits, not all of them 0. Anything else
/// is another program's, and passed over.
fn chosen_trace(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(TRACE)?.to_str().ok()?;
    let is_ours = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|trace| is_ours && *trace != 0)
}

/// What its client has used, for the headers of a request.
#[derive(Debug, Default)]
struct Used {
    /// This minute.
    weight: u32,
    /// Whose orders the request was about.
    orders_of: Option<AccountId>,
    /// What the answer is, where it is not JSON.
    content_type: Option<&'static str>,
}

/// A request's texts, exactly as received.
#[derive(Debug)]
struct Received {
    query: String,
    body: String,
    headers: HeaderMap,
}

/// Whether an answer is shaped as `application/json` is acceptable: only a client that asks for
/// nothing but SBE is sent away.
fn takes_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_none_or(|accept| accept.trim() != "application/sbe")
}

async fn read(request: axum::extract::Request) -> Result<Received, DialectError> {
    let (parts, body) = request.into_parts();
    if !takes_json(&parts.headers) {
        return Err(DialectError::only_json());
    }
    let bytes =
        if matches!(parts.method, Method::GET | Method::HEAD) { Bytes::new() } else { whole(body).await? };
    let body = String::from_utf8(bytes.into()).map_err(|_| DialectError::illegal_encoding())?;
    let query = parts.uri.query().unwrap_or_default().to_owned();
    if query.len() > BODY_BYTES_MAX {
        return Err(DialectError::too_large());
    }
    Ok(Received { query, body, headers: parts.headers })
}

async fn whole(body: Body) -> Result<Bytes, DialectError> {
    to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| DialectError::too_large())
}

async fn answer(
    call: Call,
    gateway: &Gateway,
    received: &Received,
    address: IpAddr,
    now: Time,
    trace: u64,
    used: &mut Used,
) -> Result<Json, DialectError> {
    let header = |name: &HeaderName| received.headers.get(name).and_then(|value| value.to_str().ok());
    let parameters = match Parameters::from_request(&received.query, &received.body) {
        Ok(parameters) => parameters,
        Err(error) => return charge(gateway, address, 1, now, used).and(Err(error)),
    };
    charge(gateway, address, calls::weight(call, &parameters), now, used)?;
    let unit = header(&TIME_UNIT).map_or(Ok(TimeUnit::default()), time_unit_from)?;
    let caller = match call.access() {
        Access::Public => None,
        Access::Signed(scopes) => {
            let payload = || signed_payload(&received.query, &received.body);
            let signed = authentication::signed(
                &gateway.keys,
                header(&API_KEY),
                scopes,
                address,
                &parameters,
                now,
                payload,
            )?;
            Some(signed.into_caller())
        }
    };
    if call == Call::Statement {
        used.content_type = Some(calls::statement_type(&parameters));
    }
    if call.places_orders() {
        used.orders_of = caller.as_ref().map(|caller| caller.account);
    }
    let directory = gateway.views.directory();
    let request =
        Request { gateway, parameters: &parameters, caller, session: None, unit, now, trace, directory };
    calls::answer(call, &request).await
}

/// Counts what a request weighs, before anything is done for it.
fn charge(
    gateway: &Gateway,
    address: IpAddr,
    weight: u32,
    now: Time,
    used: &mut Used,
) -> Result<(), DialectError> {
    let charge = gateway.limiter.charge(address, weight, now);
    used.weight = charge.used;
    charge.admitted.map_err(|exceeded| exceeded.told(now))
}

/// An error as clients read it.
pub(crate) fn error_response(error: &DialectError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json_response(status, error.to_json());
    if let Some(retry) = error.retry {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry.after_seconds()));
    }
    response
}

fn json_response(status: StatusCode, json: String) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json;charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
