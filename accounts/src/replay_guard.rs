//! Signed requests that change who may do what: each is carried out once, also across a restart. What
//! only reads may come twice. Refuses to know what a request asks for.
//!
//! A request is remembered in the transaction of what it changes, until its own timing would refuse it.

use crate::timing::Timing;
use crate::{AccountsError, ApiKey};
use data_encoding::HEXLOWER;
use database::{DatabaseError, Transaction, Value};
use protocol::Time;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// A request whose signature was found good, by which its account changes something.
#[derive(Clone, Debug)]
pub struct SignedRequest {
    key: Arc<ApiKey>,
    fingerprint: String,
    expires_at: Time,
}

impl SignedRequest {
    /// A request of `key`, of the bytes that it signed. What was signed counts, not the signature: some
    /// kinds of signatures can be written in more than one way.
    pub fn new(key: Arc<ApiKey>, payload: &[u8], timing: Timing) -> Self {
        let mut hasher = Sha256::new();
        // A key's name has a fixed length: no two pairs have the same bytes.
        hasher.update(key.id.as_str());
        hasher.update(payload);
        let expires_at = timing.timestamp_micros.saturating_add(timing.recv_window_micros);
        Self {
            key,
            fingerprint: HEXLOWER.encode(&hasher.finalize()),
            expires_at: Time(expires_at.saturating_mul(1_000)),
        }
    }

    /// The key that signed it.
    pub fn key(&self) -> &ApiKey {
        &self.key
    }

    /// Uses the request up, or refuses one that was used before or whose key works no more.
    pub(crate) async fn spend_in(
        &self,
        transaction: &mut Transaction,
        now: Time,
    ) -> Result<(), AccountsError> {
        let id = [Value::Text(self.key.id.as_str())];
        let enabled = "SELECT enabled FROM api_keys WHERE api_key = $1 AND enabled = 1";
        if transaction.rows(enabled, &id).await?.is_empty() {
            return Err(AccountsError::NoKey(self.key.id));
        }
        let expired = "DELETE FROM spent_requests WHERE expires_at < $1";
        transaction.execute(expired, &[Value::Integer(now.0 as i64)]).await?;
        let statement = "INSERT INTO spent_requests (fingerprint, expires_at) VALUES ($1, $2)";
        let values = [Value::Text(&self.fingerprint), Value::Integer(self.expires_at.0 as i64)];
        match transaction.execute(statement, &values).await {
            Err(DatabaseError::Duplicate(_)) => Err(AccountsError::Replayed),
            other => Ok(other.map(|_| ())?),
        }
    }
}
