//! Changing a key that stays: off and on, from where it may be used, what it is called. Refuses to change
//! its rights or its secret: for that there are new keys.

use super::{Actor, KeySummary, check_label, record};
use crate::{Accounts, AccountsError, ApiKeyId, IpAllowList, audit};
use database::Value;
use protocol::Time;
use serde_json::json;

/// What is to be changed of a key; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// Whether it works.
    pub enabled: Option<bool>,
    /// From where.
    pub ip_allow_list: Option<IpAllowList>,
    /// The owner's name for it: at most 100 characters, no control characters.
    pub label: Option<String>,
}

impl Accounts {
    /// Changes a key that is not revoked, and gives it as it is then. When it fails at the commit or is
    /// given up half-way, the key does not work until the next start, which goes by what was written.
    pub async fn change_key(
        &self,
        actor: impl Into<Actor<'_>>,
        id: &ApiKeyId,
        change: KeyChange,
        now: Time,
    ) -> Result<KeySummary, AccountsError> {
        let actor = actor.into();
        if let Some(label) = &change.label {
            check_label(label)?;
        }
        let mut transaction = self.begin(actor, now).await?;
        let old = record::find(&mut transaction, id).await?;
        let old = old.filter(|old| !old.revoked && actor.manages(old.account_id));
        let old = old.ok_or(AccountsError::NoKey(*id))?;
        let key = KeySummary {
            enabled: change.enabled.unwrap_or(old.enabled),
            ip_allow_list: change.ip_allow_list.unwrap_or_else(|| old.ip_allow_list.clone()),
            label: change.label.unwrap_or_else(|| old.label.clone()),
            ..old.clone()
        };
        let hands_out = (key.enabled && !old.enabled) || key.ip_allow_list != old.ip_allow_list;
        if hands_out {
            actor.may_hand_out(key.scopes, &key.ip_allow_list)?;
        }
        let rows = transaction
            .rows(
                "UPDATE api_keys SET enabled = $2, ip_allow_list = $3, label = $4 WHERE api_key = $1 \
                 RETURNING api_key, account_id, key_type, sealed_secret, public_key, scopes, ip_allow_list, \
                 label, enabled, revoked, created_at, last_used_at",
                &[
                    Value::Text(id.as_str()),
                    Value::Integer(i64::from(key.enabled)),
                    Value::Text(&key.ip_allow_list.to_string()),
                    Value::Text(&key.label),
                ],
            )
            .await?;
        let changed = record::load(rows.first().ok_or(AccountsError::NoKey(*id))?, &self.sealer)?;
        let details = json!({
            "api_key": id.as_str(), "enabled": key.enabled,
            "ip_allow_list": key.ip_allow_list.to_string(), "label": key.label,
        });
        audit::append_in(&mut transaction, now, &actor.name(), "key.change", &details).await?;
        if let Some(used) = self.key_store.lookup(id).and_then(|working| working.last_used()) {
            changed.mark_used(used);
        }
        if key.enabled {
            let works = self.key_store.change_for_now(Some(id), changed);
            transaction.commit().await?;
            works.keep();
        } else {
            self.key_store.change(Some(id), []);
            transaction.commit().await?;
        }
        Ok(key)
    }
}
