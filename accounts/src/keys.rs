//! API keys: made, listed, changed, replaced, revoked. A secret is shown once, when it is made. Refuses to
//! hand a secret out again.

mod actor;
mod change;
mod credential;
mod public_key;
mod record;

pub use actor::Actor;
pub use change::KeyChange;
pub use credential::{NewCredential, Revealed};
pub use public_key::PublicKey;
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
/// The most keys, revoked ones aside, that an account may come to by itself.
const OWN_KEYS_MAX: usize = 30;

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
    pub async fn create_key(
        &self,
        actor: impl Into<Actor<'_>>,
        new: NewKey,
        now: Time,
    ) -> Result<CreatedKey, AccountsError> {
        let actor = actor.into();
        check_label(&new.label)?;
        if !actor.manages(new.account_id) {
            return Err(AccountsError::NoAccount(new.account_id));
        }
        actor.may_hand_out(new.scopes, &new.ip_allow_list)?;
        let made = new.credential.make()?;
        let id = random_id()?;
        let mut transaction = self.begin(actor, now).await?;
        if actor.is_owner() {
            let statement = "SELECT api_key FROM api_keys WHERE account_id = $1 AND revoked = 0";
            let account = [Value::Integer(i64::from(new.account_id.0))];
            if transaction.rows(statement, &account).await?.len() >= OWN_KEYS_MAX {
                return Err(AccountsError::TooManyKeys(OWN_KEYS_MAX));
            }
        }
        let key = ApiKey::new(id, new.account_id, made.credential, new.scopes, new.ip_allow_list, new.label);
        self.insert(&mut transaction, &key, now).await?;
        let details = json!({
            "api_key": key.id.as_str(), "account_id": key.account_id.0,
            "key_type": key.credential.key_type().name(), "scopes": key.scopes.to_string(),
            "ip_allow_list": key.ip_allow_list.to_string(), "label": key.label,
        });
        audit::append_in(&mut transaction, now, &actor.name(), "key.create", &details).await?;
        let created = created(&key, made.revealed);
        let works = self.key_store.change_for_now(None, key);
        transaction.commit().await?;
        works.keep();
        Ok(created)
    }

    /// Revokes a key: it never works again. It stops when this returns, and also when this fails at the
    /// commit or is given up half-way: until the next start then, which goes by what was written.
    pub async fn revoke_key(
        &self,
        actor: impl Into<Actor<'_>>,
        id: &ApiKeyId,
        now: Time,
    ) -> Result<(), AccountsError> {
        let actor = actor.into();
        let mut transaction = self.begin(actor, now).await?;
        revoke(&mut transaction, actor, id).await?;
        let details = json!({"api_key": id.as_str()});
        audit::append_in(&mut transaction, now, &actor.name(), "key.revoke", &details).await?;
        // Before the commit: a caller that goes away during it must not leave a revoked key at work.
        self.key_store.change(Some(id), []);
        Ok(transaction.commit().await?)
    }

    /// Puts a new key in the place of an old one that works: same account, scopes, allow-list and label,
    /// another name and credential. The old one stops working as the new one starts, and on a failure
    /// as in [`revoke_key`](Self::revoke_key).
    pub async fn rotate_key(
        &self,
        actor: impl Into<Actor<'_>>,
        id: &ApiKeyId,
        credential: NewCredential,
        now: Time,
    ) -> Result<CreatedKey, AccountsError> {
        let actor = actor.into();
        let Made { credential, revealed } = credential.make()?;
        let new_id = random_id()?;
        let mut transaction = self.begin(actor, now).await?;
        if !record::find(&mut transaction, id).await?.is_some_and(|old| old.enabled) {
            return Err(AccountsError::NoKey(*id));
        }
        let old = revoke(&mut transaction, actor, id).await?;
        actor.may_hand_out(old.scopes, &old.ip_allow_list)?;
        let key = ApiKey::new(new_id, old.account_id, credential, old.scopes, old.ip_allow_list, old.label);
        self.insert(&mut transaction, &key, now).await?;
        let details = json!({
            "api_key": id.as_str(), "new_api_key": new_id.as_str(), "account_id": key.account_id.0,
            "key_type": key.credential.key_type().name(),
        });
        audit::append_in(&mut transaction, now, &actor.name(), "key.rotate", &details).await?;
        let created = created(&key, revealed);
        let works = self.key_store.change_for_now(Some(id), key);
        transaction.commit().await?;
        works.keep();
        Ok(created)
    }

    /// Every key, whatever its state, in the order they were made; without secrets.
    pub async fn keys(&self) -> Result<Vec<KeySummary>, AccountsError> {
        let rows = self
            .database
            .rows(
                "SELECT api_key, account_id, key_type, scopes, ip_allow_list, label, enabled, revoked, \
                 created_at, last_used_at FROM api_keys ORDER BY created_at, api_key",
                &[],
            )
            .await?;
        rows.iter().map(record::summary).collect()
    }

    /// An account's keys that are not revoked, in the order they were made; with uses that have not been
    /// written down yet.
    pub async fn keys_of(&self, account: AccountId) -> Result<Vec<KeySummary>, AccountsError> {
        let rows = self
            .database
            .rows(
                "SELECT api_key, account_id, key_type, scopes, ip_allow_list, label, enabled, revoked, \
                 created_at, last_used_at FROM api_keys WHERE account_id = $1 AND revoked = 0 \
                 ORDER BY created_at, api_key",
                &[Value::Integer(i64::from(account.0))],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let key = record::summary(row)?;
                let noted = self.key_store.lookup(&key.api_key).and_then(|key| key.last_used());
                Ok(KeySummary { last_used_at: key.last_used_at.max(noted), ..key })
            })
            .collect()
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
                 ip_allow_list, label, enabled, revoked, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, 0, $9)",
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

async fn revoke(
    transaction: &mut Transaction,
    actor: Actor<'_>,
    id: &ApiKeyId,
) -> Result<KeySummary, AccountsError> {
    let rows = transaction
        .rows(
            "UPDATE api_keys SET enabled = 0, revoked = 1 WHERE api_key = $1 AND revoked = 0 \
             RETURNING api_key, account_id, key_type, scopes, ip_allow_list, label, enabled, revoked, \
             created_at, last_used_at",
            &[Value::Text(id.as_str())],
        )
        .await?;
    let key = record::summary(rows.first().ok_or(AccountsError::NoKey(*id))?)?;
    if actor.manages(key.account_id) { Ok(key) } else { Err(AccountsError::NoKey(*id)) }
}

fn check_label(label: &str) -> Result<(), AccountsError> {
    if label.chars().count() > LABEL_LENGTH_MAX || label.chars().any(char::is_control) {
        return Err(AccountsError::Label);
    }
    Ok(())
}

fn created(key: &ApiKey, revealed: Revealed) -> CreatedKey {
    CreatedKey { api_key: key.id, account_id: key.account_id, key_type: key.credential.key_type(), revealed }
}

fn random_id() -> Result<ApiKeyId, AccountsError> {
    let text = random::alphanumeric::<KEY_LENGTH>()?;
    let id = std::str::from_utf8(text.as_slice()).ok().and_then(ApiKeyId::parse);
    Ok(id.expect("64 random letters and digits have a key's form"))
}
