//! Encryption of secrets at rest: XChaCha20-Poly1305 under the master key, with a random nonce. Refuses
//! to know what the secrets are for.
//!
//! A sealed text is lowercase hexadecimal: nonce (24 bytes), ciphertext, tag (16 bytes). It opens only in
//! the context it was sealed for, so that rows cannot be swapped.

use crate::AccountsError;
use crate::random;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};

const NONCE_LENGTH: usize = 24;

/// Seals and opens under one key. Debug output shows nothing of it.
#[derive(Debug)]
pub(crate) struct Sealer {
    key: SecretBox<[u8; 32]>,
}

/// The text was sealed under another key or for another context, or was changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CannotOpen;

impl Sealer {
    pub(crate) fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self { key }
    }

    /// Encrypts `secret` for `context`.
    pub(crate) fn seal(&self, context: &str, secret: &SecretString) -> Result<String, AccountsError> {
        let nonce = random::bytes::<NONCE_LENGTH>()?;
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: context.as_bytes() };
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(*nonce), payload)
            .expect("a secret is far shorter than the cipher's limit of 256 GiB");
        Ok(HEXLOWER.encode(&[nonce.as_slice(), &ciphertext].concat()))
    }

    /// Decrypts what [`seal`](Self::seal) made for the same `context`.
    pub(crate) fn open(&self, context: &str, sealed: &str) -> Result<SecretString, CannotOpen> {
        let bytes = HEXLOWER.decode(sealed.as_bytes()).map_err(|_| CannotOpen)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_LENGTH>().ok_or(CannotOpen)?;
        let payload = Payload { msg: ciphertext, aad: context.as_bytes() };
        let secret = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| CannotOpen)?;
        let secret = Zeroizing::new(secret);
        std::str::from_utf8(&secret).map(SecretString::from).map_err(|_| CannotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.expose_secret().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(SecretBox::new(Box::new([byte; 32])))
    }

    #[test]
    fn opens_only_what_it_sealed_for_the_same_context() {
        let sealed = sealer(1).seal("row 1", &"canary".into()).unwrap();
        assert_eq!(sealer(1).open("row 1", &sealed).unwrap().expose_secret(), "canary");
        assert!(sealer(1).open("row 2", &sealed).is_err());
        assert!(sealer(2).open("row 1", &sealed).is_err());
        assert_ne!(sealer(1).seal("row 1", &"canary".into()).unwrap(), sealed, "nonces differ");
        assert!(!sealed.contains(&HEXLOWER.encode(b"canary")));
        for length in 0..sealed.len() {
            assert!(sealer(1).open("row 1", &sealed[..length]).is_err());
        }
        for place in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            assert!(sealer(1).open("row 1", std::str::from_utf8(&changed).unwrap()).is_err());
        }
    }

    #[test]
    fn debug_output_shows_no_key() {
        assert!(!format!("{:?}", sealer(0xAB)).contains("171"));
    }
}
