//! API keys: making, listing, disabling. A secret is in the answer that makes it and nowhere else.
//! Refuses to know how requests are signed.

use super::{
    Admin,
    administration::now,
    error::{AdminError, Answered, Result},
    received::{actor, body},
};
use accounts::{ApiKeyId, IpAllowList, KeySummary, NewCredential, NewKey, Revealed, Scopes};
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
    key_type: String,
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
    let credential = match (wanted.key_type.to_ascii_uppercase().as_str(), wanted.public_key) {
        ("HMAC", None) => NewCredential::Hmac,
        ("HMAC", Some(_)) => return Err(AdminError::bad("an HMAC key has no public_key")),
        ("ED25519", None) => NewCredential::Ed25519Generated,
        ("ED25519", Some(public_key)) => NewCredential::Ed25519PublicKey(public_key),
        _ => return Err(AdminError::bad("key_type must be HMAC or ED25519")),
    };
    let scopes = match wanted.scopes {
        Some(text) => {
            text.parse().map_err(|error: accounts::UnknownScope| AdminError::bad(error.to_string()))?
        }
        None => Scopes::READ | Scopes::TRADE,
    };
    let ip_allow_list: IpAllowList = wanted
        .ip_allow_list
        .parse()
        .map_err(|error| AdminError::from(accounts::AccountsError::from(error)))?;
    let new = NewKey { account_id, credential, scopes, ip_allow_list, label: wanted.label };
    let created = admin.administration.accounts().create_key(&actor(&headers), new, now()).await?;
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

pub(super) async fn disable(
    State(admin): State<Admin>,
    Path(api_key): Path<String>,
    headers: HeaderMap,
) -> Result {
    let id =
        ApiKeyId::parse(&api_key).ok_or_else(|| AdminError::bad("an API key is 64 letters and digits"))?;
    admin.administration.accounts().disable_key(&actor(&headers), &id, now()).await?;
    Ok(Answered(json!({"api_key": api_key, "enabled": false})))
}

fn row(key: &KeySummary) -> Value {
    json!({
        "api_key": key.api_key.as_str(),
        "key_type": key.key_type.name(),
        "scopes": key.scopes.to_string(),
        "ip_allow_list": key.ip_allow_list.to_string(),
        "label": key.label,
        "enabled": key.enabled,
        "created_at": key.created_at.millis(),
        "last_used_at": key.last_used_at.map(Time::millis),
    })
}
