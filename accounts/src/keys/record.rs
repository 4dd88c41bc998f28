//! A key as a row of `api_keys`, both ways. Refuses to load a row that it cannot fully read.

use crate::seal::Sealer;
use crate::{AccountsError, ApiKey, ApiKeyId, Credential, IpAllowList, KeyType, RsaPublicKey, Scopes};
use data_encoding::HEXLOWER;
use database::{Database, Row, Transaction, Value};
use ed25519_dalek::VerifyingKey;
use protocol::{AccountId, Time};

/// A key as administration lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySummary {
    /// Its public name.
    pub api_key: ApiKeyId,
    /// The account that it acts for.
    pub account_id: AccountId,
    /// How its requests are signed.
    pub key_type: KeyType,
    /// What it may do.
    pub scopes: Scopes,
    /// From where.
    pub ip_allow_list: IpAllowList,
    /// The owner's name for it.
    pub label: String,
    /// Whether it works.
    pub enabled: bool,
    /// Whether it will never work again.
    pub revoked: bool,
    /// When it was made.
    pub created_at: Time,
    /// Its latest use that has been written down.
    pub last_used_at: Option<Time>,
}

/// What a credential becomes in the table: one of the two.
pub(super) struct Stored {
    pub(super) sealed_secret: Option<String>,
    pub(super) public_key: Option<String>,
}

pub(super) fn stored(key: &ApiKey, sealer: &Sealer) -> Result<Stored, AccountsError> {
    Ok(match &key.credential {
        Credential::Hmac(secret) => {
            Stored { sealed_secret: Some(sealer.seal(&context(&key.id), secret)?), public_key: None }
        }
        Credential::Ed25519(public) => {
            Stored { sealed_secret: None, public_key: Some(HEXLOWER.encode(public.as_bytes())) }
        }
        Credential::Rsa(public) => {
            Stored { sealed_secret: None, public_key: Some(HEXLOWER.encode(public.as_pkcs1())) }
        }
    })
}

/// Every enabled key, with its credential.
pub(crate) async fn load_enabled(database: &Database, sealer: &Sealer) -> Result<Vec<ApiKey>, AccountsError> {
    let rows = database
        .rows(
            "SELECT api_key, account_id, key_type, sealed_secret, public_key, scopes, ip_allow_list, label, \
             enabled, revoked, created_at, last_used_at FROM api_keys WHERE enabled = 1",
            &[],
        )
        .await?;
    rows.iter().map(|row| load(row, sealer)).collect()
}

/// The key of this name, whatever its state.
pub(super) async fn find(
    transaction: &mut Transaction,
    id: &ApiKeyId,
) -> Result<Option<KeySummary>, AccountsError> {
    let rows = transaction
        .rows(
            "SELECT api_key, account_id, key_type, scopes, ip_allow_list, label, enabled, revoked, created_at, \
             last_used_at FROM api_keys WHERE api_key = $1",
            &[Value::Text(id.as_str())],
        )
        .await?;
    rows.first().map(summary).transpose()
}

/// A key with its credential, from a row with every column.
pub(super) fn load(row: &Row, sealer: &Sealer) -> Result<ApiKey, AccountsError> {
    let KeySummary { api_key, account_id, key_type, scopes, ip_allow_list, label, .. } = summary(row)?;
    let damaged = |what| damaged(api_key.as_str(), what);
    let credential = match key_type {
        KeyType::Hmac => {
            let sealed = row.text("sealed_secret")?;
            let secret = sealer.open(&context(&api_key), &sealed);
            Credential::Hmac(secret.map_err(|_| damaged("sealed_secret does not open"))?)
        }
        KeyType::Rsa => {
            let der = HEXLOWER.decode(row.text("public_key")?.as_bytes()).ok();
            let public = der.and_then(|der| RsaPublicKey::from_pkcs1(&der).ok());
            Credential::Rsa(public.ok_or_else(|| damaged("public_key"))?)
        }
        KeyType::Ed25519 => {
            let bytes = HEXLOWER.decode(row.text("public_key")?.as_bytes()).ok();
            let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let public = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
            Credential::Ed25519(public.ok_or_else(|| damaged("public_key"))?)
        }
    };
    Ok(ApiKey::new(api_key, account_id, credential, scopes, ip_allow_list, label))
}

pub(super) fn summary(row: &Row) -> Result<KeySummary, AccountsError> {
    let name = row.text("api_key")?;
    let damaged = |what| damaged(&name, what);
    let account_id = u32::try_from(row.integer("account_id")?).map_err(|_| damaged("account_id"))?;
    Ok(KeySummary {
        api_key: ApiKeyId::parse(&name).ok_or_else(|| damaged("api_key"))?,
        account_id: AccountId(account_id),
        key_type: KeyType::from_name(&row.text("key_type")?).ok_or_else(|| damaged("key_type"))?,
        scopes: Scopes::from_bits(row.integer("scopes")?).ok_or_else(|| damaged("scopes"))?,
        ip_allow_list: row.text("ip_allow_list")?.parse().map_err(|_| damaged("ip_allow_list"))?,
        label: row.text("label")?,
        enabled: row.integer("enabled")? == 1,
        revoked: row.integer("revoked")? == 1,
        created_at: Time(row.integer("created_at")? as u64),
        last_used_at: row.optional_integer("last_used_at")?.map(|nanos| Time(nanos as u64)),
    })
}

/// What a secret is sealed for: its own key, so that no row opens with another row's secret.
fn context(id: &ApiKeyId) -> String {
    format!("api_keys.sealed_secret {id}")
}

fn damaged(row: &str, what: &'static str) -> AccountsError {
    AccountsError::Damaged { table: "api_keys", row: row.to_owned(), what }
}
