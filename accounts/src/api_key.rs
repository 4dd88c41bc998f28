//! An API key in memory: whose it is, how its requests are proved, what it may do. Refuses to know
//! where it is stored.

use crate::{IpAllowList, RsaPublicKey, Scopes};
use ed25519_dalek::VerifyingKey;
use protocol::{AccountId, Time};
use secrecy::SecretString;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many characters an API key, and an HMAC secret, have.
pub(crate) const KEY_LENGTH: usize = 64;

/// The public name of a key, sent with every request: 64 letters and digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKeyId([u8; KEY_LENGTH]);

impl ApiKeyId {
    /// Parses a client's text; `None` when it does not have the form of a key (dialect -2014).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; KEY_LENGTH] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// The client's text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only letters and digits are let in by `parse`")
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for ApiKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ApiKeyId({self})")
    }
}

/// How a key's requests are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// HMAC-SHA256 under a secret that both sides hold.
    Hmac,
    /// Ed25519: the private key never leaves the client.
    Ed25519,
    /// RSA, PKCS#1 v1.5 with SHA-256: the private key never leaves the client.
    Rsa,
}

impl KeyType {
    /// The name in the database and in the admin API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hmac => "HMAC",
            Self::Ed25519 => "ED25519",
            Self::Rsa => "RSA",
        }
    }

    /// The kind of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Hmac, Self::Ed25519, Self::Rsa].into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// What proves a request.
#[derive(Debug)]
pub enum Credential {
    /// The shared secret: its text's bytes are the HMAC key.
    Hmac(SecretString),
    /// The client's public key.
    Ed25519(VerifyingKey),
    /// The client's public key.
    Rsa(RsaPublicKey),
}

impl Credential {
    /// The kind of signature that it checks.
    pub const fn key_type(&self) -> KeyType {
        match self {
            Self::Hmac(_) => KeyType::Hmac,
            Self::Ed25519(_) => KeyType::Ed25519,
            Self::Rsa(_) => KeyType::Rsa,
        }
    }
}

/// Why a key that exists may not make this request. The client is told the same in both cases
/// (dialect -2015), so that an outsider learns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The address is not on the key's list.
    #[error("the key may not be used from this address")]
    Address,
    /// The key lacks a scope.
    #[error("the key lacks a scope that this call needs")]
    Scope,
}

/// An enabled API key.
#[derive(Debug)]
pub struct ApiKey {
    /// Its public name.
    pub id: ApiKeyId,
    /// The account that it acts for.
    pub account_id: AccountId,
    /// What proves its requests.
    pub credential: Credential,
    /// What it may do.
    pub scopes: Scopes,
    /// From where.
    pub ip_allow_list: IpAllowList,
    /// The owner's name for it.
    pub label: String,
    /// The latest use in nanoseconds; 0: not since it was loaded. Written to the database lazily.
    last_used: AtomicU64,
}

impl ApiKey {
    /// A key that has not been used yet.
    pub fn new(
        id: ApiKeyId,
        account_id: AccountId,
        credential: Credential,
        scopes: Scopes,
        ip_allow_list: IpAllowList,
        label: String,
    ) -> Self {
        Self { id, account_id, credential, scopes, ip_allow_list, label, last_used: AtomicU64::new(0) }
    }

    /// Whether this key may make a call that needs `needed`, from `address`.
    pub fn permits(&self, needed: Scopes, address: IpAddr) -> Result<(), Refusal> {
        if !self.ip_allow_list.allows(address) {
            return Err(Refusal::Address);
        }
        if !self.scopes.contains(needed) {
            return Err(Refusal::Scope);
        }
        Ok(())
    }

    /// Whether `other` is the same key with the same rights. A key's name stands for its credential.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
            && self.account_id == other.account_id
            && self.scopes == other.scopes
            && self.ip_allow_list == other.ip_allow_list
            && self.label == other.label
    }

    /// Notes a use. Cheap: the database hears of it from [`crate::Accounts::flush_last_used`].
    pub fn mark_used(&self, now: Time) {
        self.last_used.fetch_max(now.0, Ordering::Relaxed);
    }

    /// The latest noted use that the database has not heard of.
    pub(crate) fn last_used(&self) -> Option<Time> {
        Some(Time(self.last_used.load(Ordering::Relaxed))).filter(|time| time.0 > 0)
    }

    /// The latest noted use that the database has not heard of, which is forgotten here.
    pub(crate) fn take_last_used(&self) -> Option<Time> {
        match self.last_used.swap(0, Ordering::Relaxed) {
            0 => None,
            nanos => Some(Time(nanos)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_64_letters_and_digits() {
        let good = "aB3d".repeat(16);
        assert_eq!(ApiKeyId::parse(&good).unwrap().as_str(), good);
        for bad in ["", &good[1..], &format!("{good}a"), &format!("{}-", &good[1..]), &"é".repeat(32)] {
            assert_eq!(ApiKeyId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_key_permits_by_address_and_scope_and_hides_its_secret() {
        let canary = "CANARY".repeat(11)[..64].to_owned();
        let id = ApiKeyId::parse(&"k".repeat(64)).unwrap();
        let key = ApiKey::new(
            id,
            AccountId(3),
            Credential::Hmac(canary.into()),
            Scopes::READ | Scopes::TRADE,
            "10.0.0.0/8".parse().unwrap(),
            "desk".to_owned(),
        );
        let inside = "10.1.2.3".parse().unwrap();
        assert_eq!(key.permits(Scopes::TRADE, inside), Ok(()));
        assert_eq!(key.permits(Scopes::WITHDRAW, inside), Err(Refusal::Scope));
        assert_eq!(key.permits(Scopes::READ, "11.1.2.3".parse().unwrap()), Err(Refusal::Address));
        assert!(!format!("{key:?} {key:#?}").contains("CANARY"));

        assert_eq!(key.take_last_used(), None);
        key.mark_used(Time(7));
        key.mark_used(Time(5));
        assert_eq!(key.take_last_used(), Some(Time(7)));
        assert_eq!(key.take_last_used(), None);
    }
}
