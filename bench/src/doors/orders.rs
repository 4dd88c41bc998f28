//! The orders that are measured, signed beforehand: a limit order, immediate or cancel, far from any other,
//! so that each goes all the way (checked, numbered, on disk, applied, answered) and leaves nothing behind.
//! Refuses to know how they are sent.

use anyhow::Context as _;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// A demo account's key.
#[derive(Clone, Debug, Deserialize)]
pub struct Key {
    /// Public.
    pub api_key: String,
    /// Of an HMAC key.
    pub secret: Option<String>,
}

impl Key {
    /// The first of a data directory's keys.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn first(data: &Path) -> anyhow::Result<Self> {
        let path = data.join("demo-keys.json");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let keys: Vec<Self> = serde_json::from_str(&text)?;
        keys.into_iter().next().context("the demo has keys")
    }

    fn sign(&self, payload: &str) -> anyhow::Result<String> {
        let secret = self.secret.as_deref().context("the first demo key is an HMAC key")?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
        mac.update(payload.as_bytes());
        Ok(HEXLOWER.encode(&mac.finalize().into_bytes()))
    }

    /// The body of a REST order.
    ///
    /// # Errors
    /// When the key is none that signs so.
    pub fn rest_order(&self) -> anyhow::Result<String> {
        let query = format!(
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=40000&quantity=0.001&recvWindow=60000&\
             timestamp={}",
            now()?
        );
        Ok(format!("{query}&signature={}", self.sign(&query)?))
    }

    /// The frame that logs on.
    ///
    /// # Errors
    /// When the key is none that signs so.
    pub fn log_on(&self) -> anyhow::Result<String> {
        let (key, timestamp) = (&self.api_key, now()?);
        let signature = self.sign(&format!("apiKey={key}&timestamp={timestamp}"))?;
        Ok(format!(
            r#"{{"id":1,"method":"session.logon","params":{{"apiKey":"{key}","timestamp":{timestamp},"signature":"{signature}"}}}}"#
        ))
    }
}

/// The frame of an order in a session that is logged on.
pub const SESSION_ORDER: &str = concat!(
    r#"{"id":2,"method":"order.place","params":{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","#,
    r#""timeInForce":"IOC","price":"40000","quantity":"0.001"}}"#
);

fn now() -> anyhow::Result<u128> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())
}
