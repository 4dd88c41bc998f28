//! A REST client that signs with HMAC-SHA256, as a trader's own would. Refuses to retry: an answer
//! that did not come is told as such.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use std::{
    fmt::Write as _,
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use thiserror::Error;
use ureq::{
    Agent,
    http::{Method, Request},
};

/// How long an answer may take. It is far above what one takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// One account's client, with connections that it keeps.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    base: String,
    api_key: String,
    secret: String,
}

/// Why there is no good answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The exchange's no.
    #[error("HTTP {status}: {code} {message}")]
    Refused {
        /// HTTP's.
        status: u16,
        /// The dialect's.
        code: i64,
        /// The dialect's.
        message: String,
    },
    /// Nobody knows what became of the request.
    #[error("no answer: {0}")]
    NoAnswer(#[from] ureq::Error),
}

impl Client {
    /// A client that speaks to `address`.
    pub fn new(address: SocketAddr, api_key: String, secret: String) -> Self {
        Self { agent: agent(), base: format!("http://{address}"), api_key, secret }
    }

    /// Asks without a key.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn public(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, ClientError> {
        self.send(&Method::GET, path, &encoded(parameters))
    }

    /// Asks with a signature.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn signed(
        &self,
        method: &Method,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, ClientError> {
        self.signed_at(&milliseconds_now().to_string(), method, path, parameters)
    }

    /// Asks with a signature of this time, in milliseconds since 1970.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn signed_at(
        &self,
        timestamp: &str,
        method: &Method,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, ClientError> {
        let mut all = parameters.to_vec();
        all.extend([("recvWindow", "60000"), ("timestamp", timestamp)]);
        let mut query = encoded(&all);
        let signature = self.signature(&query);
        // Writing to a String cannot fail.
        let _ = write!(query, "&signature={signature}");
        self.send(method, path, &query)
    }

    /// The signature of a payload.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    pub fn signature(&self, payload: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).expect("a key of any length");
        mac.update(payload.as_bytes());
        HEXLOWER.encode(&mac.finalize().into_bytes())
    }

    /// The public half of its key.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    fn send(&self, method: &Method, path: &str, query: &str) -> Result<Value, ClientError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}?{query}", self.base))
            .header("X-MBX-APIKEY", &self.api_key)
            .body(())
            .map_err(ureq::Error::Http)?;
        let mut response = self.agent.run(request)?;
        let status = response.status().as_u16();
        // As many as an account can have of anything at once.
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string()?;
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{method} {path} was answered with HTTP {status} and no JSON ({error}): {text:?}")
        });
        if status == 200 {
            return Ok(value);
        }
        let code = value["code"].as_i64().unwrap_or_default();
        let message = value["msg"].as_str().unwrap_or_default().to_owned();
        Err(ClientError::Refused { status, code, message })
    }
}

/// An HTTP client that gives every answer back as it is.
pub(crate) fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        // A proxy of this environment is for the world outside.
        .proxy(None);
    config.build().into()
}

/// Milliseconds since 1970.
///
/// # Panics
/// When the clock is before that.
pub fn milliseconds_now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_millis()
}

/// As a query. The tests' own values need no escapes.
fn encoded(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}
