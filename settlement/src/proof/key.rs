//! The secret that the nonces of all proofs are made from: who has it can make each proof again, to the
//! root. Refuses to know where it is kept.

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use protocol::AccountId;
use sha2::Sha256;
use std::fmt;

use crate::Day;

/// 32 random bytes.
#[derive(Clone)]
pub struct ProofKey([u8; 32]);

impl ProofKey {
    /// Of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Of 64 hexadecimal digits, as in a file.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// An account's nonce in a day's proof: HMAC-SHA256 of both under the key. Who has one knows nothing of
    /// any other.
    pub(crate) fn nonce(&self, day: Day, account: AccountId) -> [u8; 32] {
        // A key of any length will do.
        let mut nonce = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key");
        nonce.update(b"rialto-proof-1");
        nonce.update(&day.number().to_be_bytes());
        nonce.update(&account.0.to_be_bytes());
        nonce.finalize().into_bytes().into()
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ProofKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_another_nonce_each_day_and_the_same_again() {
        let key = ProofKey::parse(&"0a".repeat(32)).expect("a key");
        let (day, account) = (Day::numbered(20_778), AccountId(7));
        let nonce = key.nonce(day, account);
        assert_eq!(nonce, ProofKey::new([10; 32]).nonce(day, account));
        for other in [
            key.nonce(day.after(), account),
            key.nonce(day, AccountId(8)),
            ProofKey::new([11; 32]).nonce(day, account),
        ] {
            assert_ne!(nonce, other);
        }
    }

    #[test]
    fn a_key_is_64_digits_and_never_shown() {
        for text in ["", "0a", &"0a".repeat(33), &"zz".repeat(32)] {
            assert!(ProofKey::parse(text).is_none(), "{text}");
        }
        let key = ProofKey::parse(&format!("{}\n", "0A".repeat(32))).expect("a key");
        assert_eq!(format!("{key:?}"), "ProofKey(secret)");
    }
}
