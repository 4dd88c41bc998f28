//! A public key that a client gives: of which type it is, it says itself. Refuses private keys, and
//! public keys that prove nothing.

use crate::{AccountsError, Credential, KeyType, RsaPublicKey};
use data_encoding::BASE64;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::{DecodePublicKey as _, spki::der::Document};

/// A key that signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519.
    Ed25519(VerifyingKey),
    /// RSA of 2048 to 4096 bits.
    Rsa(RsaPublicKey),
}

impl PublicKey {
    /// Reads PEM (`BEGIN PUBLIC KEY`, or `BEGIN RSA PUBLIC KEY`), the PEM's inside alone, or the 32
    /// bytes of an Ed25519 key in base64.
    pub fn parse(text: &str) -> Result<Self, AccountsError> {
        let unreadable = || AccountsError::PublicKey("it is no Ed25519 and no RSA public key");
        let text = text.trim();
        if text.starts_with("-----BEGIN") {
            let (label, document) = Document::from_pem(text).map_err(|_| unreadable())?;
            return match label {
                "PUBLIC KEY" => Self::from_spki(document.as_bytes()).ok_or_else(unreadable)?,
                "RSA PUBLIC KEY" => {
                    let key = RsaPublicKey::from_pkcs1(document.as_bytes());
                    key.map(Self::Rsa).map_err(AccountsError::PublicKey)
                }
                _ => Err(unreadable()),
            };
        }
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| unreadable())?;
        match <&[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(raw) => Self::ed25519(VerifyingKey::from_bytes(raw).map_err(|_| unreadable())?),
            Err(_) => Self::from_spki(&bytes).ok_or_else(unreadable)?,
        }
    }

    /// Its type.
    pub const fn key_type(&self) -> KeyType {
        match self {
            Self::Ed25519(_) => KeyType::Ed25519,
            Self::Rsa(_) => KeyType::Rsa,
        }
    }

    pub(super) fn into_credential(self) -> Credential {
        match self {
            Self::Ed25519(key) => Credential::Ed25519(key),
            Self::Rsa(key) => Credential::Rsa(key),
        }
    }

    /// `None` when the bytes are of neither type.
    fn from_spki(der: &[u8]) -> Option<Result<Self, AccountsError>> {
        if let Ok(key) = VerifyingKey::from_public_key_der(der) {
            return Some(Self::ed25519(key));
        }
        let key = RsaPublicKey::from_spki(der)?;
        Some(key.map(Self::Rsa).map_err(AccountsError::PublicKey))
    }

    fn ed25519(key: VerifyingKey) -> Result<Self, AccountsError> {
        if key.is_weak() {
            return Err(AccountsError::PublicKey("it is a weak point: anyone could sign for it"));
        }
        Ok(Self::Ed25519(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use ed25519_dalek::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, spki::der::pem::LineEnding};

    const RSA: &str = include_str!("../../tests/fixtures/rsa-2048.public.pem");

    #[test]
    fn a_public_key_is_read_in_each_of_its_forms() {
        let expected = SigningKey::from_bytes(&[7; 32]).verifying_key();
        let pem = expected.to_public_key_pem(LineEnding::LF).unwrap();
        let der = BASE64.encode(expected.to_public_key_der().unwrap().as_bytes());
        let raw = BASE64.encode(expected.as_bytes());
        for text in [pem.clone(), pem.replace('\n', "\r\n"), format!("\n{pem}\n"), der, raw] {
            assert_eq!(PublicKey::parse(&text).unwrap(), PublicKey::Ed25519(expected), "{text}");
        }
        let rsa = PublicKey::parse(RSA).unwrap();
        assert_eq!(rsa.key_type(), KeyType::Rsa);
        let inside: String = RSA.lines().filter(|line| !line.starts_with("-----")).collect();
        let pkcs1 = include_str!("../../tests/fixtures/rsa-2048.pkcs1.public.pem");
        for text in [RSA.replace('\n', "\r\n"), inside, pkcs1.to_owned()] {
            assert_eq!(PublicKey::parse(&text).unwrap(), rsa, "{text}");
        }
        let PublicKey::Rsa(key) = rsa else { panic!("an RSA key") };
        assert_eq!(RsaPublicKey::from_pkcs1(key.as_pkcs1()), Ok(key));
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let private = SigningKey::from_bytes(&[7; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
        // A point of small order, in place of a key.
        let weak = BASE64.encode(&[[1].as_slice(), &[0; 31]].concat());
        let cut = RSA.replace("MIIB", "MIIA");
        let short = include_str!("../../tests/fixtures/rsa-1024.public.pem");
        let other = include_str!("../../tests/fixtures/p256.public.pem");
        for bad in ["", "x", "AAAA", private.as_str(), &cut, &BASE64.encode(&[0; 33]), &weak, short, other] {
            let error = PublicKey::parse(bad).unwrap_err();
            assert!(matches!(error, AccountsError::PublicKey(_)), "{bad}: {error}");
        }
        assert!(PublicKey::parse(short).unwrap_err().to_string().contains("2048"));
    }
}
