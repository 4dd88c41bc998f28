//! API keys: made, listed, disabled, replaced. A secret is shown once, when it is made. Refuses to hand a
//! secret out again.

mod credential;
mod record;

pub use credential::{NewCredential, Revealed};
pub use record::KeySummary;
pub(crate) use record::load_enabled;

use crate::api_key::KEY_LENGTH;
use crate::{Accounts, AccountsError, ApiKey, ApiKeyId, IpAllowList, KeyType, Scopes, audit, random};
use credential::Made;
use database::{DatabaseError, Transaction, Value};
use protocol::{AccountId, Time};
use serde_json::json;

/// The longest label, in characters.
const LABEL_LENGTH_MAX: usize = 100;

/// What a new key is to be.
#[derive(Debug)]
pub struct NewKey {
    /// The account that it acts for; the engine must have opened it.
    pub account_id: AccountId,
    /// How its requests are signed.
    pub credential: NewCredential,
    /// What it may do.
    pub scopes: Scopes,
    /// From where.
    pub ip_allow_list: IpAllowList,
    /// The owner's name for it: at most 100 characters, no control characters.
    pub label: String,
}

/// A key that was just made.
#[derive(Debug)]
pub struct CreatedKey {
    /// Its public name.
    pub api_key: ApiKeyId,
    /// The account that it acts for.
    pub account_id: AccountId,
    /// How its requests are signed.
    pub key_type: KeyType,
    /// What only its owner may know. It cannot be had a second time.
    pub revealed: Revealed,
}

impl Accounts {
    /// Makes a key. It works from when this returns.
    pub async fn create_key(&self, actor: &str, new: NewKey, now: Time) -> Result<CreatedKey, AccountsError> {
        if new.label.chars().count() > LABEL_LENGTH_MAX || new.label.chars().any(char::is_control) {
            return Err(AccountsError::Label);
        }
        let made = new.credential.make()?;
        let id = random_id()?;
        let mut transaction = self.database.begin().await?;
        let key = ApiKey::new(id, new.account_id, made.credential, new.scopes, new.ip_allow_list, new.label);
        self.insert(&mut transaction, &key, now).await?;
        let details = json!({
            "api_key": key.id.as_str(), "account_id": key.account_id.0,
            "key_type": key.credential.key_type().name(), "scopes": key.scopes.to_string(),
            "ip_allow_list": key.ip_allow_list.to_string(), "label": key.label,
        });
        audit::append_in(&mut transaction, now, actor, "key.create", &details).await?;
        transaction.commit().await?;
        let created = created(&key, made.revealed);
        self.key_store.change(None, [key]);
        Ok(created)
    }

    /// Disables a key, for ever. It stops working when this returns, and also when this fails at the
    /// commit or is given up half-way: until the next start then, which goes by what was written.
    pub async fn disable_key(&self, actor: &str, id: &ApiKeyId, now: Time) -> Result<(), AccountsError> {
        let mut transaction = self.database.begin().await?;
        disable(&mut transaction, id).await?;
        let details = json!({"api_key": id.as_str()});
        audit::append_in(&mut transaction, now, actor, "key.disable", &details).await?;
        // Before the commit: a caller that goes away during it must not leave a disabled key at work.
        self.key_store.change(Some(id), []);
        Ok(transaction.commit().await?)
    }

    /// Puts a new key in the place of an old one: same account, scopes, allow-list and label, another
    /// name and credential. The old one stops working before the new one starts, and on a failure as in
    /// [`disable_key`](Self::disable_key).
    pub async fn rotate_key(
        &self,
        actor: &str,
        id: &ApiKeyId,
        credential: NewCredential,
        now: Time,
    ) -> Result<CreatedKey, AccountsError> {
        let Made { credential, revealed } = credential.make()?;
        let new_id = random_id()?;
        let mut transaction = self.database.begin().await?;
        let old = disable(&mut transaction, id).await?;
        let key = ApiKey::new(new_id, old.account_id, credential, old.scopes, old.ip_allow_list, old.label);
        self.insert(&mut transaction, &key, now).await?;
        let details = json!({
            "api_key": id.as_str(), "new_api_key": new_id.as_str(), "account_id": key.account_id.0,
            "key_type": key.credential.key_type().name(),
        });
        audit::append_in(&mut transaction, now, actor, "key.rotate", &details).await?;
        self.key_store.change(Some(id), []);
        transaction.commit().await?;
        let created = created(&key, revealed);
        self.key_store.change(None, [key]);
        Ok(created)
    }

    /// Every key, enabled or not, in the order they were made; without secrets.
    pub async fn keys(&self) -> Result<Vec<KeySummary>, AccountsError> {
        let rows = self
            .database
            .rows(
                "SELECT api_key, account_id, key_type, scopes, ip_allow_list, label, enabled, created_at, \
                 last_used_at FROM api_keys ORDER BY created_at, api_key",
                &[],
            )
            .await?;
        rows.iter().map(record::summary).collect()
    }

    /// Writes the uses noted since the last call, and returns how many keys had one. To be called from
    /// time to time and before the end; what a crash loses is only a date.
    pub async fn flush_last_used(&self) -> Result<usize, AccountsError> {
        let used: Vec<_> = self
            .key_store
            .snapshot()
            .iter()
            .filter_map(|key| key.take_last_used().map(|time| (key.id, time)))
            .collect();
        if used.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.database.begin().await?;
        for (id, time) in &used {
            let values = [Value::Text(id.as_str()), Value::Integer(time.0 as i64)];
            transaction.execute("UPDATE api_keys SET last_used_at = $2 WHERE api_key = $1", &values).await?;
        }
        transaction.commit().await?;
        Ok(used.len())
    }

    async fn insert(
        &self,
        transaction: &mut Transaction,
        key: &ApiKey,
        now: Time,
    ) -> Result<(), AccountsError> {
        let stored = record::stored(key, &self.sealer)?;
        let inserted = transaction
            .execute(
                "INSERT INTO api_keys (api_key, account_id, key_type, sealed_secret, public_key, scopes, \
                 ip_allow_list, label, enabled, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)",
                &[
                    Value::Text(key.id.as_str()),
                    Value::Integer(i64::from(key.account_id.0)),
                    Value::Text(key.credential.key_type().name()),
                    Value::OptionalText(stored.sealed_secret.as_deref()),
                    Value::OptionalText(stored.public_key.as_deref()),
                    Value::Integer(i64::from(key.scopes.bits())),
                    Value::Text(&key.ip_allow_list.to_string()),
                    Value::Text(&key.label),
                    Value::Integer(now.0 as i64),
                ],
            )
            .await;
        match inserted {
            Err(DatabaseError::ForeignKey(_)) => Err(AccountsError::NoAccount(key.account_id)),
            other => Ok(other.map(|_| ())?),
        }
    }
}

async fn disable(transaction: &mut Transaction, id: &ApiKeyId) -> Result<KeySummary, AccountsError> {
    let rows = transaction
        .rows(
            "UPDATE api_keys SET enabled = 0 WHERE api_key = $1 AND enabled = 1 \
             RETURNING api_key, account_id, key_type, scopes, ip_allow_list, label, enabled, created_at, \
             last_used_at",
            &[Value::Text(id.as_str())],
        )
        .await?;
    record::summary(rows.first().ok_or(AccountsError::NoKey(*id))?)
}

fn created(key: &ApiKey, revealed: Revealed) -> CreatedKey {
    CreatedKey { api_key: key.id, account_id: key.account_id, key_type: key.credential.key_type(), revealed }
}

fn random_id() -> Result<ApiKeyId, AccountsError> {
    let text = random::alphanumeric::<KEY_LENGTH>()?;
    let id = std::str::from_utf8(text.as_slice()).ok().and_then(ApiKeyId::parse);
    Ok(id.expect("64 random letters and digits have a key's form"))
}
