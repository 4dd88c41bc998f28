//! A client of the test exchange: keys that sign as clients do, and answers that are easy to look at.

use super::TOKEN;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request},
};
use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer as _, SigningKey, pkcs8::DecodePrivateKey};
use hmac::{Hmac, KeyInit, Mac};
use protocol::Time;
use serde_json::Value;
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};
use tower::ServiceExt;

/// An API key with what signs for it.
pub struct Key {
    pub api_key: String,
    pub signer: Signer,
}

pub enum Signer {
    Hmac(String),
    Ed25519(Box<SigningKey>),
}

impl Key {
    /// From the admin API's answer.
    pub fn made(made: &Value) -> Self {
        let signer = if let Some(secret) = made["secret"].as_str() {
            Signer::Hmac(secret.to_owned())
        } else {
            let pem = made["private_key_pem"].as_str().expect("a secret or a private key");
            Signer::Ed25519(Box::new(SigningKey::from_pkcs8_pem(pem).unwrap()))
        };
        Self { api_key: made["api_key"].as_str().unwrap().to_owned(), signer }
    }

    /// The signature of a payload, as it stands in JSON.
    pub fn sign(&self, payload: &str) -> String {
        match &self.signer {
            Signer::Hmac(secret) => {
                let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
                mac.update(payload.as_bytes());
                HEXLOWER.encode(&mac.finalize().into_bytes())
            }
            Signer::Ed25519(key) => BASE64.encode(&key.sign(payload.as_bytes()).to_bytes()),
        }
    }

    /// `parameters` with a timestamp and the signature, percent-encoded.
    pub fn signed_query(&self, parameters: &str) -> String {
        let separator = if parameters.is_empty() { "" } else { "&" };
        let payload = format!("{parameters}{separator}timestamp={}", now().millis());
        let signature = self.sign(&payload).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("{payload}&signature={signature}")
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    /// The body of an answer that must be good.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Status, code and text of an answer that must be an error.
    pub fn error(&self) -> (u16, i64, &str) {
        let code = self.body["code"].as_i64().unwrap_or_else(|| panic!("no error: {self:?}"));
        (self.status, code, self.body["msg"].as_str().unwrap())
    }
}

pub fn now() -> Time {
    Time(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64)
}

pub async fn send(
    router: &Router,
    method: &str,
    path_and_query: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Reply {
    let mut request = Request::builder().method(method).uri(path_and_query);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Reply { status: parts.status.as_u16(), headers: parts.headers, body }
}

pub async fn admin(router: &Router, method: &str, path: &str, body: &Value) -> Reply {
    let token = format!("Bearer {TOKEN}");
    let text = if body.is_null() { String::new() } else { body.to_string() };
    send(router, method, path, &[("authorization", &token)], text).await
}

pub async fn signed(router: &Router, key: &Key, method: &str, path: &str, parameters: &str) -> Reply {
    let query = key.signed_query(parameters);
    let headers = [("x-mbx-apikey", key.api_key.as_str())];
    if method == "POST" {
        send(router, method, path, &headers, query).await
    } else {
        send(router, method, &format!("{path}?{query}"), &headers, String::new()).await
    }
}
