//! The secret that engine and gateways share, and the proof of knowing it without saying it: HMAC-SHA256
//! over both sides' chance numbers. It keeps strangers from submitting; what is sent after it is neither
//! hidden nor sealed, so the socket belongs on loopback or a private network. Refuses to know sockets.

use crate::handshake::Hello;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;
use std::path::Path;
use thiserror::Error;
use zerocopy::IntoBytes as _;

/// Bytes of a chance number.
pub(crate) const NONCE_BYTES: usize = 32;
/// Bytes of a proof.
pub(crate) const PROOF_BYTES: usize = 32;
/// The fewest bytes of a secret: 32 hexadecimal digits.
const SECRET_BYTES_MIN: usize = 32;

/// What engine and gateways share.
#[derive(Clone, Debug)]
pub struct Secret(SecretSlice<u8>);

/// Why there is no secret.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error(
        "the secret of engine and gateways cannot be read from {path}: {source}; make it with: openssl rand -hex 32 > {path}; chmod 600 {path}"
    )]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is easily guessed.
    #[error(
        "the secret of engine and gateways has {0} characters, and needs {SECRET_BYTES_MIN} or more; make one with: openssl rand -hex 32"
    )]
    Short(usize),
}

/// Who proves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prover {
    Engine,
    Gateway,
}

impl Secret {
    /// From its text, without what is blank around it.
    ///
    /// # Errors
    /// [`SecretError::Short`].
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.len() < SECRET_BYTES_MIN {
            return Err(SecretError::Short(text.len()));
        }
        Ok(Self(text.as_bytes().to_vec().into()))
    }

    /// From a file.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SecretError::Unreadable { path: path.display().to_string(), source })?;
        Self::new(&text)
    }

    /// The proof that `prover` knows it, for this hello and the engine's chance number.
    pub(crate) fn proof(
        &self,
        prover: Prover,
        hello: &Hello,
        nonce: &[u8; NONCE_BYTES],
    ) -> [u8; PROOF_BYTES] {
        self.mac(prover, hello, nonce).finalize().into_bytes().into()
    }

    /// Whether `proof` is that proof; takes as long whatever it is.
    pub(crate) fn is_proven(
        &self,
        prover: Prover,
        hello: &Hello,
        nonce: &[u8; NONCE_BYTES],
        proof: &[u8; PROOF_BYTES],
    ) -> bool {
        self.mac(prover, hello, nonce).verify_slice(proof).is_ok()
    }

    fn mac(&self, prover: Prover, hello: &Hello, nonce: &[u8; NONCE_BYTES]) -> Hmac<Sha256> {
        // HMAC takes a key of any length.
        let mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("a key of any length");
        // A proof of one side is none of the other's: what one said cannot be given back to it.
        let label: &[u8] = match prover {
            Prover::Engine => b"rialto engine 1",
            Prover::Gateway => b"rialto gateway 1",
        };
        mac.chain_update(label).chain_update(hello.as_bytes()).chain_update(nonce)
    }
}

/// A chance number.
pub(crate) fn nonce() -> std::io::Result<[u8; NONCE_BYTES]> {
    let mut bytes = [0; NONCE_BYTES];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::SourceId;

    #[test]
    fn a_proof_holds_for_its_secret_side_hello_and_challenge_alone() {
        let secret = Secret::new(&"a".repeat(32)).unwrap();
        let other = Secret::new(&"b".repeat(32)).unwrap();
        let hello = Hello::new(SourceId(16), 1, true, [1; 32]);
        let proof = secret.proof(Prover::Gateway, &hello, &[2; 32]);
        assert!(secret.is_proven(Prover::Gateway, &hello, &[2; 32], &proof));
        assert!(!other.is_proven(Prover::Gateway, &hello, &[2; 32], &proof));
        assert!(!secret.is_proven(Prover::Engine, &hello, &[2; 32], &proof));
        assert!(!secret.is_proven(Prover::Gateway, &hello, &[3; 32], &proof));
        let as_another = Hello::new(SourceId(17), 1, true, [1; 32]);
        assert!(!secret.is_proven(Prover::Gateway, &as_another, &[2; 32], &proof));
    }

    #[test]
    fn a_short_or_absent_secret_is_refused_with_what_to_do() {
        let short = Secret::new(" abc \n").unwrap_err().to_string();
        assert!(short.contains("3 characters") && short.contains("openssl rand"), "{short}");
        let absent = Secret::read(Path::new("/nowhere/secret")).unwrap_err().to_string();
        assert!(absent.contains("/nowhere/secret") && absent.contains("chmod 600"), "{absent}");
    }
}
