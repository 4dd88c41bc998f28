//! An account's own API keys (`/api/account/keys`, Rialto's own): listed, made, changed, replaced, revoked
//! by a key with the scope KEYS. What is signed is all that is done: a parameter that a call does not
//! know is refused, so that no request means one thing at one path and another at the next; and a
//! change is carried out once. Refuses to decide who may hand out what: that is the accounts' room.

use super::{Json, Reply, Request};
use crate::dialect::DialectError;
use accounts::{
    AccountsError, Actor, ApiKeyId, CreatedKey, IpAllowList, KeyChange, KeySummary, NewCredential, NewKey,
    Revealed, Scopes, SignedRequest, UnknownScope,
};
use protocol::Time;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// What every signed call takes.
const SIGNED: [&str; 3] = ["timestamp", "recvWindow", "signature"];
/// The key that is to be changed.
const TARGET: &str = "targetKey";

pub(super) async fn list(request: &Request<'_>) -> Reply {
    read_only(request, &[])?;
    let account = request.caller()?.account;
    let keys = request.gateway.accounts.keys_of(account).await.map_err(refused)?;
    Ok(Json::of(&keys.iter().map(|key| row(request, key)).collect::<Vec<_>>()))
}

pub(super) async fn create(request: &Request<'_>) -> Reply {
    read_only(request, &["keyType", "publicKey", "scopes", "ipAllowList", "label"])?;
    let parameters = request.parameters;
    let scopes: Scopes =
        parameters.required("scopes")?.parse().map_err(|error: UnknownScope| invalid(&error))?;
    let new = NewKey {
        account_id: request.caller()?.account,
        credential: credential(request)?,
        scopes,
        ip_allow_list: allow_list(request)?.unwrap_or_default(),
        label: parameters.sent("label").unwrap_or_default().to_owned(),
    };
    let accounts = &request.gateway.accounts;
    let made = accounts.create_key(Actor::Owner(signed(request)?), new, request.now).await;
    Ok(created(&made.map_err(refused)?))
}

pub(super) async fn change(request: &Request<'_>) -> Reply {
    read_only(request, &[TARGET, "enabled", "ipAllowList", "label"])?;
    let parameters = request.parameters;
    let change = KeyChange {
        enabled: parameters.has("enabled").then(|| parameters.boolean("enabled", false)).transpose()?,
        ip_allow_list: allow_list(request)?,
        label: parameters.sent("label").map(str::to_owned),
    };
    if change.enabled.is_none() && change.ip_allow_list.is_none() && change.label.is_none() {
        return Err(DialectError::mandatory("enabled"));
    }
    let accounts = &request.gateway.accounts;
    let actor = Actor::Owner(signed(request)?);
    let key = accounts.change_key(actor, &target(request)?, change, request.now).await.map_err(refused)?;
    Ok(Json::of(&row(request, &key)))
}

pub(super) async fn rotate(request: &Request<'_>) -> Reply {
    read_only(request, &[TARGET, "keyType", "publicKey"])?;
    let accounts = &request.gateway.accounts;
    let actor = Actor::Owner(signed(request)?);
    let made = accounts.rotate_key(actor, &target(request)?, credential(request)?, request.now).await;
    Ok(created(&made.map_err(refused)?))
}

pub(super) async fn revoke(request: &Request<'_>) -> Reply {
    read_only(request, &[TARGET])?;
    let id = target(request)?;
    let accounts = &request.gateway.accounts;
    accounts.revoke_key(Actor::Owner(signed(request)?), &id, request.now).await.map_err(refused)?;
    Ok(Json::of(&json!({"apiKey": id.as_str(), "revoked": true})))
}

/// Refuses parameters that the call does not know.
fn read_only(request: &Request<'_>, known: &[&str]) -> Result<(), DialectError> {
    let (mut read, mut sent) = (0, 0);
    for name in request.parameters.names() {
        sent += 1;
        read += usize::from(known.contains(&name) || SIGNED.contains(&name));
    }
    if read == sent { Ok(()) } else { Err(DialectError::unread(read, sent)) }
}

/// The caller's request, to be used up. A session's frames have none: they sign nothing.
fn signed<'a>(request: &'a Request<'_>) -> Result<&'a SignedRequest, DialectError> {
    request.caller()?.request.as_ref().ok_or_else(DialectError::unauthorized)
}

fn target(request: &Request<'_>) -> Result<ApiKeyId, DialectError> {
    ApiKeyId::parse(request.parameters.required(TARGET)?).ok_or_else(|| DialectError::invalid_data(TARGET))
}

/// The kind must be said, though a public key says it too: it is what tells the calls apart.
fn credential(request: &Request<'_>) -> Result<NewCredential, DialectError> {
    let kind = request.parameters.required("keyType")?;
    NewCredential::wanted(Some(kind), request.parameters.text("publicKey")).map_err(refused)
}

/// The list that was sent; an empty one lets a key be used from anywhere.
fn allow_list(request: &Request<'_>) -> Result<Option<IpAllowList>, DialectError> {
    let list = request.parameters.sent("ipAllowList").map(str::parse::<IpAllowList>);
    list.transpose().map_err(|error| refused(error.into()))
}

fn row(request: &Request<'_>, key: &KeySummary) -> Value {
    json!({
        "apiKey": key.api_key.as_str(),
        "keyType": key.key_type.name(),
        "scopes": key.scopes.to_string(),
        "ipAllowList": key.ip_allow_list.to_string(),
        "label": key.label,
        "enabled": key.enabled,
        "createTime": request.unit.of(key.created_at),
        "lastUsedTime": key.last_used_at.map(|time: Time| request.unit.of(time)),
    })
}

/// What is shown of a new key, once.
fn created(key: &CreatedKey) -> Json {
    let mut answer = json!({"apiKey": key.api_key.as_str(), "keyType": key.key_type.name()});
    match &key.revealed {
        Revealed::HmacSecret(secret) => answer["secretKey"] = secret.expose_secret().into(),
        Revealed::PrivateKeyPem(pem) => answer["privateKey"] = pem.expose_secret().into(),
        Revealed::Nothing => {}
    }
    Json::of(&answer)
}

fn invalid(error: &impl ToString) -> DialectError {
    DialectError::new(400, -1130, error.to_string())
}

fn refused(error: AccountsError) -> DialectError {
    match error {
        AccountsError::Label
        | AccountsError::PublicKey(_)
        | AccountsError::KeyType(_)
        | AccountsError::Network(_)
        | AccountsError::NoKey(_)
        | AccountsError::TooManyKeys(_)
        | AccountsError::Replayed => invalid(&error),
        AccountsError::BeyondOwnRights(_) => DialectError::new(401, -1002, error.to_string()),
        error => {
            tracing::error!(%error, "an account's keys could not be changed");
            DialectError::unknown()
        }
    }
}
