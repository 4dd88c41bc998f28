//! The calls that frames may ask for, which are REST's, and answering one. Refuses to know
//! subscriptions.

use super::{frame, session::Options};
use crate::{
    Gateway,
    calls::{self, Access, Call, Caller, Json, Request},
    dialect::{DialectError, Parameters, authentication},
};
use accounts::{ApiKeyId, Scopes, timing::check_timing};
use axum::extract::ws::Utf8Bytes;
use protocol::{AccountId, Time};
use std::{net::IpAddr, sync::atomic::Ordering};

/// Every call by its method.
const METHODS: &[(&str, Call)] = &[
    ("ping", Call::Ping),
    ("time", Call::Time),
    ("exchangeInfo", Call::ExchangeInfo),
    ("depth", Call::Depth),
    ("trades.recent", Call::Trades),
    ("trades.historical", Call::HistoricalTrades),
    ("trades.aggregate", Call::AggregateTrades),
    ("klines", Call::Klines),
    ("uiKlines", Call::Klines),
    ("avgPrice", Call::AveragePrice),
    ("ticker.24hr", Call::Ticker24Hours),
    ("ticker", Call::RollingTicker),
    ("ticker.tradingDay", Call::TradingDayTicker),
    ("ticker.price", Call::TickerPrice),
    ("ticker.book", Call::TickerBook),
    ("executionRules", Call::ExecutionRules),
    ("referencePrice", Call::ReferencePrice),
    ("referencePrice.calculation", Call::ReferencePriceCalculation),
    ("order.place", Call::PlaceOrder),
    ("order.test", Call::TestOrder),
    ("order.status", Call::QueryOrder),
    ("order.cancel", Call::CancelOrder),
    ("order.cancelReplace", Call::CancelReplace),
    ("order.amend.keepPriority", Call::AmendOrder),
    ("order.amendments", Call::Amendments),
    ("orderList.place", Call::PlaceOcoOldForm),
    ("orderList.place.oco", Call::PlaceOco),
    ("orderList.place.oto", Call::PlaceOto),
    ("orderList.place.otoco", Call::PlaceOtoco),
    ("orderList.cancel", Call::CancelList),
    ("orderList.status", Call::QueryList),
    ("openOrderLists.status", Call::OpenLists),
    ("allOrderLists", Call::AllLists),
    ("openOrders.status", Call::OpenOrders),
    ("openOrders.cancelAll", Call::CancelOpenOrders),
    ("allOrders", Call::AllOrders),
    ("myTrades", Call::MyTrades),
    ("account.status", Call::Account),
    ("account.commission", Call::Commission),
    ("account.rateLimits.orders", Call::OrderRateLimits),
    ("myPreventedMatches", Call::PreventedMatches),
    ("myAllocations", Call::Allocations),
    ("myFilters", Call::MyFilters),
    // Rialto's own.
    ("account.cancelTimer", Call::CancelTimer),
    ("account.killSwitch", Call::KillSwitch),
    // What is gone says so.
    ("userDataStream.start", Call::ListenKey),
    ("userDataStream.ping", Call::ListenKey),
    ("userDataStream.stop", Call::ListenKey),
];

/// The call of a method.
pub(super) fn call_of(method: &str) -> Option<Call> {
    METHODS.iter().find(|(known, _)| *known == method).map(|(_, call)| *call)
}

/// Who is at the other end, as far as the connection knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    pub(super) options: Options,
    /// The key that logged on.
    pub(super) session_key: Option<ApiKeyId>,
    /// The session that this key's orders are to end with, if they are.
    pub(super) session: Option<u64>,
}

/// Answers one frame. `text` was read before and found good.
pub(super) async fn answer(call: Call, gateway: Gateway, peer: Peer, text: Utf8Bytes) -> String {
    let now = gateway.now();
    let frame = match frame::parse(&text) {
        Ok(frame) => frame,
        Err((id, error)) => return frame::answer(id, &Err(error), None),
    };
    let parameters = match frame.params.map_or_else(|| Ok(Parameters::default()), Parameters::from_json) {
        Ok(parameters) => parameters,
        Err(error) => return frame::answer(frame.id, &Err(error), None),
    };
    let used = match admit(&gateway, peer, calls::weight(call, &parameters), now) {
        Ok(used) => used,
        Err((used, error)) => {
            let limits = report(&gateway, peer, &parameters, used, true, None, now);
            return frame::answer(frame.id, &Err(error), limits.as_deref());
        }
    };
    let (result, account) = match caller(call.access(), &gateway, peer, &parameters, now) {
        Ok(caller) => {
            let account = caller.as_ref().map(|caller| caller.account);
            let directory = gateway.views.directory();
            let unit = peer.options.unit;
            let trace = gateway.next_trace();
            // An order that brings a signature of its own is not the session's.
            let session =
                peer.session.filter(|_| peer.session_key.is_some_and(|key| !signs_itself(&parameters, &key)));
            let request = Request {
                gateway: &gateway,
                parameters: &parameters,
                caller,
                session,
                unit,
                now,
                trace,
                directory,
            };
            (calls::answer(call, &request).await, account)
        }
        Err(error) => (Err(error), None),
    };
    let orders_of = account.filter(|_| call.places_orders());
    let limits = report(&gateway, peer, &parameters, used, result.is_err(), orders_of, now);
    frame::answer(frame.id, &result, limits.as_deref())
}

/// Counts what a frame weighs, before anything is done for it: what its address has used this minute,
/// and the refusal if that is too much.
pub(super) fn admit(
    gateway: &Gateway,
    peer: Peer,
    weight: u32,
    now: Time,
) -> Result<u32, (u32, DialectError)> {
    let charge = gateway.limiter.charge(peer.address, weight, now);
    charge.admitted.map(|()| charge.used).map_err(|exceeded| (charge.used, exceeded.told(now)))
}

/// Counts an answered frame; what the client has used, if it wants to know.
pub(super) fn report(
    gateway: &Gateway,
    peer: Peer,
    parameters: &Parameters<'_>,
    used: u32,
    failed: bool,
    orders_of: Option<AccountId>,
    now: Time,
) -> Option<String> {
    gateway.counters.websocket_requests.fetch_add(1, Ordering::Relaxed);
    if failed {
        gateway.counters.websocket_errors.fetch_add(1, Ordering::Relaxed);
    }
    // A value that is no boolean was not worth failing an order for.
    let wanted = parameters.boolean("returnRateLimits", peer.options.return_rate_limits);
    if !wanted.unwrap_or(peer.options.return_rate_limits) {
        return None;
    }
    let limits = gateway.limiter.limits();
    let mut rows = Vec::with_capacity(3);
    if let Some(account) = orders_of {
        rows.extend(limits.order_rows(gateway.limiter.orders_of(account, now)));
    }
    rows.push(limits.weight_row(used));
    Some(Json::of(&rows).0)
}

/// Who makes a call: the key that signed it, or the one that logged on.
fn caller(
    access: Access,
    gateway: &Gateway,
    peer: Peer,
    parameters: &Parameters<'_>,
    now: Time,
) -> Result<Option<Caller>, DialectError> {
    let Access::Signed(scopes) = access else { return Ok(None) };
    match peer.session_key {
        Some(key) if !signs_itself(parameters, &key) => {
            session_caller(gateway, peer, &key, scopes, parameters, now).map(Some)
        }
        _ => {
            let signed = signed(gateway, peer.address, scopes, parameters, now)?;
            Ok(Some(signed.into_caller()))
        }
    }
}

/// Whether a request in a session brings a signature, or another key, of its own.
fn signs_itself(parameters: &Parameters<'_>, session_key: &ApiKeyId) -> bool {
    parameters.has("signature") || parameters.text("apiKey").is_some_and(|key| key != session_key.as_str())
}

/// The check of a signed frame.
pub(super) fn signed(
    gateway: &Gateway,
    address: IpAddr,
    scopes: Scopes,
    parameters: &Parameters<'_>,
    now: Time,
) -> Result<authentication::Signed, DialectError> {
    let key = Some(parameters.required("apiKey")?);
    let payload = || parameters.sorted_payload().into_bytes();
    authentication::signed(&gateway.keys, key, scopes, address, parameters, now, payload)
}

/// A logged-on session's key, looked up again: a key that was disabled stops at once.
fn session_caller(
    gateway: &Gateway,
    peer: Peer,
    key: &ApiKeyId,
    scopes: Scopes,
    parameters: &Parameters<'_>,
    now: Time,
) -> Result<Caller, DialectError> {
    let key = authentication::key(&gateway.keys, Some(key.as_str()), scopes, peer.address)?;
    let timing = parameters
        .text("timestamp")
        .map(|timestamp| check_timing(timestamp, parameters.text("recvWindow"), now.micros()))
        .transpose()
        .map_err(authentication::timing_error)?;
    key.mark_used(now);
    Ok(Caller { account: key.account_id, key, timing, request: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_stands_for_one_call() {
        for (index, (method, call)) in METHODS.iter().enumerate() {
            assert_eq!(call_of(method), Some(*call));
            assert!(METHODS[..index].iter().all(|(known, _)| known != method), "{method}");
        }
        assert_eq!(call_of("order.sell"), None);
    }
}
