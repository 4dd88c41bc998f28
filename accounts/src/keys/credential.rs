//! New credentials: an HMAC secret, a public key that the client gives, or a whole Ed25519 pair.
//! Refuses to keep a private key: it is shown once and forgotten.

use super::PublicKey;
use crate::api_key::KEY_LENGTH;
use crate::{AccountsError, Credential, KeyType, random};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{EncodePrivateKey as _, KeypairBytes, spki};
use secrecy::SecretString;

/// How a new key's requests are to be signed.
#[derive(Clone, Debug)]
pub enum NewCredential {
    /// With HMAC-SHA256, under a new random secret of 64 letters and digits.
    Hmac,
    /// By the private key that belongs to this public one, which the client has made.
    PublicKey(PublicKey),
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
    /// What someone asks for by the name of a key type and a public key, either of which may be left
    /// out: a public key says its type itself, and without one the type is HMAC or Ed25519, made here.
    pub fn wanted(key_type: Option<&str>, public_key: Option<&str>) -> Result<Self, AccountsError> {
        let kind = key_type
            .map(|name| KeyType::from_name(name).ok_or_else(|| AccountsError::KeyType(name.to_owned())))
            .transpose()?;
        match (kind, public_key.map(PublicKey::parse).transpose()?) {
            (None | Some(KeyType::Hmac), None) => Ok(Self::Hmac),
            (Some(KeyType::Ed25519), None) => Ok(Self::Ed25519Generated),
            (Some(KeyType::Rsa), None) => Err(AccountsError::PublicKey("RSA keys are made by their owners")),
            (Some(kind), Some(public)) if kind != public.key_type() => {
                Err(AccountsError::PublicKey("it is not of the key type asked for"))
            }
            (_, Some(public)) => Ok(Self::PublicKey(public)),
        }
    }

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
            Self::PublicKey(public) => {
                Ok(Made { credential: public.into_credential(), revealed: Revealed::Nothing })
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;
    use ed25519_dalek::pkcs8::DecodePrivateKey as _;
    use secrecy::ExposeSecret as _;

    #[test]
    fn type_and_public_key_must_agree() {
        let rsa = include_str!("../../tests/fixtures/rsa-2048.public.pem");
        let ed25519 = BASE64.encode(SigningKey::from_bytes(&[7; 32]).verifying_key().as_bytes());
        for (key_type, public_key, expected) in [
            (None, None, Some(KeyType::Hmac)),
            (Some("hmac"), None, Some(KeyType::Hmac)),
            (Some("Ed25519"), None, Some(KeyType::Ed25519)),
            (Some("ED25519"), Some(ed25519.as_str()), Some(KeyType::Ed25519)),
            (None, Some(ed25519.as_str()), Some(KeyType::Ed25519)),
            (Some("RSA"), Some(rsa), Some(KeyType::Rsa)),
            (None, Some(rsa), Some(KeyType::Rsa)),
            (Some("RSA"), None, None),
            (Some("HMAC"), Some(rsa), None),
            (Some("ED25519"), Some(rsa), None),
            (Some("DSA"), None, None),
        ] {
            let made = NewCredential::wanted(key_type, public_key).and_then(NewCredential::make);
            let kind = made.ok().map(|made| made.credential.key_type());
            assert_eq!(kind, expected, "{key_type:?} {public_key:?}");
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
