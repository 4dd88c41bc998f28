//! Who asks, and whether they may: key, address, scopes, timing and signature, in the dialect's order
//! (§2.4). Refuses to know the transport: it is given the texts and the signed bytes.

use super::{DialectError, Parameters, payload::SIGNATURE};
use crate::calls::Caller;
use accounts::{
    ApiKey, ApiKeyId, KeyStore, Scopes, SignedRequest,
    signature::verify,
    timing::{Timing, TimingError, check_timing},
};
use protocol::Time;
use std::{net::IpAddr, sync::Arc};

/// A request whose signature was found good.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// The key that signed it.
    pub(crate) key: Arc<ApiKey>,
    /// For how long it is good: asked again before a command is handed on.
    pub(crate) timing: Timing,
    /// The request itself, where the call is one to be carried out once.
    pub(crate) request: Option<SignedRequest>,
}

impl Signed {
    /// Who makes the call.
    pub(crate) fn into_caller(self) -> Caller {
        let Self { key, timing, request } = self;
        Caller { account: key.account_id, key, timing: Some(timing), request }
    }
}

/// The key of a request that need not be signed but names who asks.
pub(crate) fn key(
    keys: &KeyStore,
    api_key: Option<&str>,
    needed: Scopes,
    address: IpAddr,
) -> Result<Arc<ApiKey>, DialectError> {
    let id = api_key.and_then(ApiKeyId::parse).ok_or_else(DialectError::key_format)?;
    let key = keys.lookup(&id).ok_or_else(DialectError::key_refused)?;
    key.permits(needed, address).map_err(|_| DialectError::key_refused())?;
    Ok(key)
}

/// The whole check of a signed request. `payload` makes the signed bytes, when it comes to that.
pub(crate) fn signed(
    keys: &KeyStore,
    api_key: Option<&str>,
    needed: Scopes,
    address: IpAddr,
    parameters: &Parameters<'_>,
    now: Time,
    payload: impl FnOnce() -> Vec<u8>,
) -> Result<Signed, DialectError> {
    let key = key(keys, api_key, needed, address)?;
    let signature = parameters.required(SIGNATURE);
    let timestamp = parameters.required("timestamp")?;
    let signature = signature?;
    let timing =
        check_timing(timestamp, parameters.text("recvWindow"), now.micros()).map_err(timing_error)?;
    let payload = payload();
    verify(&key, &payload, signature).map_err(|_| DialectError::signature())?;
    key.mark_used(now);
    let once = needed.contains(Scopes::KEYS) || needed.contains(Scopes::WITHDRAW);
    let request = once.then(|| SignedRequest::new(Arc::clone(&key), &payload, timing));
    Ok(Signed { key, timing, request })
}

/// What a client is told of its timing.
pub(crate) fn timing_error(error: TimingError) -> DialectError {
    match error {
        TimingError::TimestampMalformed => DialectError::illegal_characters("timestamp", "^[0-9]{1,20}$"),
        TimingError::RecvWindowMalformed => {
            DialectError::illegal_characters("recvWindow", r"^[0-9]{1,5}(\.[0-9]{1,3})?$")
        }
        TimingError::RecvWindowTooLarge => DialectError::recv_window_too_large(),
        TimingError::Ahead => DialectError::ahead_of_server(),
        TimingError::OutsideRecvWindow => DialectError::outside_recv_window(),
    }
}
