//! API keys: making, listing, changing, revoking. A secret is in the answer that makes it and nowhere else.
//! Refuses to know how requests are signed.

use super::{
    Admin,
    administration::now,
    error::{AdminError, Answered, Result},
    received::{actor, body},
};
use accounts::{ApiKeyId, IpAllowList, KeyChange, KeySummary, NewCredential, NewKey, Revealed, Scopes};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
};
use protocol::Time;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    key_type: Option<String>,
    #[serde(default)]
    scopes: Option<String>,
    #[serde(default)]
    ip_allow_list: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    public_key: Option<String>,
}

pub(super) async fn create(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let wanted: Wanted = body(&bytes)?;
    let (_, account_id) = admin.administration.named(&name).await?;
    let credential = NewCredential::wanted(wanted.key_type.as_deref(), wanted.public_key.as_deref())?;
    let scopes = match wanted.scopes {
        Some(text) => {
            text.parse().map_err(|error: accounts::UnknownScope| AdminError::bad(error.to_string()))?
        }
        None => Scopes::READ | Scopes::TRADE,
    };
    let ip_allow_list = allow_list(&wanted.ip_allow_list)?;
    let new = NewKey { account_id, credential, scopes, ip_allow_list, label: wanted.label };
    let created = admin.administration.accounts().create_key(actor(&headers).as_str(), new, now()).await?;
    let mut answer = json!({
        "account": name,
        "api_key": created.api_key.as_str(),
        "key_type": created.key_type.name(),
        "scopes": scopes.to_string(),
    });
    match &created.revealed {
        Revealed::HmacSecret(secret) => answer["secret"] = secret.expose_secret().into(),
        Revealed::PrivateKeyPem(pem) => answer["private_key_pem"] = pem.expose_secret().into(),
        Revealed::Nothing => {}
    }
    Ok(Answered(answer))
}

pub(super) async fn list(State(admin): State<Admin>, Path(name): Path<String>) -> Result {
    let (_, account_id) = admin.administration.named(&name).await?;
    let keys = admin.administration.accounts().keys().await?;
    Ok(Answered(keys.iter().filter(|key| key.account_id == account_id).map(row).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    ip_allow_list: Option<String>,
    #[serde(default)]
    label: Option<String>,
}

pub(super) async fn change(
    State(admin): State<Admin>,
    Path(api_key): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result {
    let Change { enabled, ip_allow_list, label } = body(&bytes)?;
    let ip_allow_list = ip_allow_list.as_deref().map(allow_list).transpose()?;
    let change = KeyChange { enabled, ip_allow_list, label };
    let accounts = admin.administration.accounts();
    Ok(Answered(row(&accounts.change_key(actor(&headers).as_str(), &id(&api_key)?, change, now()).await?)))
}

pub(super) async fn revoke(
    State(admin): State<Admin>,
    Path(api_key): Path<String>,
    headers: HeaderMap,
) -> Result {
    admin.administration.accounts().revoke_key(actor(&headers).as_str(), &id(&api_key)?, now()).await?;
    Ok(Answered(json!({"api_key": api_key, "enabled": false, "revoked": true})))
}

fn id(api_key: &str) -> Result<ApiKeyId> {
    ApiKeyId::parse(api_key).ok_or_else(|| AdminError::bad("an API key is 64 letters and digits"))
}

fn allow_list(text: &str) -> Result<IpAllowList> {
    text.parse().map_err(|error| AdminError::from(accounts::AccountsError::from(error)))
}

fn row(key: &KeySummary) -> Value {
    json!({
        "api_key": key.api_key.as_str(),
        "key_type": key.key_type.name(),
        "scopes": key.scopes.to_string(),
        "ip_allow_list": key.ip_allow_list.to_string(),
        "label": key.label,
        "enabled": key.enabled,
        "revoked": key.revoked,
        "created_at": key.created_at.millis(),
        "last_used_at": key.last_used_at.map(Time::millis),
    })
}
