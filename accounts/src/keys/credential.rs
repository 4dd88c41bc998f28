//! New credentials: an HMAC secret, an Ed25519 public key that the client gives, or a whole Ed25519 pair.
//! Refuses to keep a private key: it is shown once and forgotten.

use crate::api_key::KEY_LENGTH;
use crate::{AccountsError, Credential, random};
use data_encoding::BASE64;
use ed25519_dalek::pkcs8::{DecodePublicKey as _, EncodePrivateKey as _, KeypairBytes, spki};
use ed25519_dalek::{SigningKey, VerifyingKey};
use secrecy::SecretString;

/// How a new key's requests are to be signed.
#[derive(Clone, Debug)]
pub enum NewCredential {
    /// With HMAC-SHA256, under a new random secret of 64 letters and digits.
    Hmac,
    /// With Ed25519, by the private key that belongs to this public one: PEM (`BEGIN PUBLIC KEY`), the
    /// PEM's inside alone, or the 32 bytes in base64.
    Ed25519PublicKey(String),
    /// With Ed25519, by a new random pair.
    Ed25519Generated,
}

/// What only the owner of a new key may know. Debug output hides it.
#[derive(Debug)]
pub enum Revealed {
    /// The HMAC secret.
    HmacSecret(SecretString),
    /// The private key: PKCS#8 PEM (`BEGIN PRIVATE KEY`), version 1, which every client's library reads.
    PrivateKeyPem(SecretString),
    /// Nothing: the client kept its private key.
    Nothing,
}

/// A credential and what is to be shown of it.
pub(super) struct Made {
    pub(super) credential: Credential,
    pub(super) revealed: Revealed,
}

impl NewCredential {
    pub(super) fn make(self) -> Result<Made, AccountsError> {
        match self {
            Self::Hmac => {
                let text = random::alphanumeric::<KEY_LENGTH>()?;
                let text = std::str::from_utf8(text.as_slice()).expect("letters and digits are text");
                Ok(Made {
                    credential: Credential::Hmac(text.into()),
                    revealed: Revealed::HmacSecret(text.into()),
                })
            }
            Self::Ed25519PublicKey(text) => Ok(Made {
                credential: Credential::Ed25519(parse_public_key(&text)?),
                revealed: Revealed::Nothing,
            }),
            Self::Ed25519Generated => {
                let seed = random::bytes::<32>()?;
                let signing_key = SigningKey::from_bytes(&seed);
                // Without the public half the encoding is version 1; OpenSSL before 3 reads no other.
                let pem = KeypairBytes { secret_key: *seed, public_key: None }
                    .to_pkcs8_pem(spki::der::pem::LineEnding::LF)
                    .expect("32 bytes always encode");
                Ok(Made {
                    credential: Credential::Ed25519(signing_key.verifying_key()),
                    revealed: Revealed::PrivateKeyPem(pem.as_str().into()),
                })
            }
        }
    }
}

/// Reads a client's public key and refuses the few that prove nothing.
fn parse_public_key(text: &str) -> Result<VerifyingKey, AccountsError> {
    let unreadable = AccountsError::PublicKey("it is not an Ed25519 public key");
    let text = text.trim();
    let key = if text.starts_with("-----BEGIN PUBLIC KEY-----") {
        VerifyingKey::from_public_key_pem(text).map_err(|_| unreadable)?
    } else {
        let Ok(bytes) = BASE64.decode(text.as_bytes()) else { return Err(unreadable) };
        match <&[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(raw) => VerifyingKey::from_bytes(raw).map_err(|_| unreadable)?,
            Err(_) => VerifyingKey::from_public_key_der(&bytes).map_err(|_| unreadable)?,
        }
    };
    if key.is_weak() {
        return Err(AccountsError::PublicKey("it is a weak point: anyone could sign for it"));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_public_key_is_read_in_each_of_its_forms() {
        let expected = SigningKey::from_bytes(&[7; 32]).verifying_key();
        let pem = expected.to_public_key_pem(spki::der::pem::LineEnding::LF).unwrap();
        let der = BASE64.encode(expected.to_public_key_der().unwrap().as_bytes());
        let raw = BASE64.encode(expected.as_bytes());
        for text in [pem.clone(), pem.replace('\n', "\r\n"), format!("\n{pem}\n"), der, raw] {
            assert_eq!(parse_public_key(&text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let signing_key = SigningKey::from_bytes(&[7; 32]);
        let private = signing_key.to_pkcs8_pem(spki::der::pem::LineEnding::LF).unwrap();
        let rsa = "-----BEGIN PUBLIC KEY-----\nMCgCIQDCAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAwIDAQAB\n-----END PUBLIC KEY-----";
        // A point of small order, in place of a key.
        let weak = BASE64.encode(&[[1].as_slice(), &[0; 31]].concat());
        for bad in ["", "x", "AAAA", private.as_str(), rsa, &BASE64.encode(&[0; 33]), &weak] {
            let error = parse_public_key(bad).unwrap_err();
            assert!(matches!(error, AccountsError::PublicKey(_)), "{bad}: {error}");
        }
    }

    #[test]
    fn a_generated_pair_belongs_together() {
        let made = NewCredential::Ed25519Generated.make().unwrap();
        let (Credential::Ed25519(public), Revealed::PrivateKeyPem(pem)) = (made.credential, made.revealed)
        else {
            panic!("a generated Ed25519 key shows its private half");
        };
        let pem = pem.expose_secret();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI"), "version 1: {pem}");
        assert_eq!(SigningKey::from_pkcs8_pem(pem).unwrap().verifying_key(), public);
    }
}
