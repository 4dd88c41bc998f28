//! The proof that a request was signed by its key, as a pure function of the bytes received. Refuses to
//! know how the payload is put together or the text was found in the request (dialect §2.2 and §9: the
//! gateway's part), and never tries a second reading: one text, one meaning.

use crate::{ApiKey, Credential};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ed25519_dalek::Signature;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::ExposeSecret as _;
use sha2::Sha256;

/// Why a signature was refused. The client is told the same in both cases (dialect -1022).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The text does not have the form that this key's type asks for.
    #[error(
        "the signature is not written as this key's type asks (HMAC: 64 hexadecimal; Ed25519, RSA: base64)"
    )]
    Malformed,
    /// The form is right; this key did not sign this payload.
    #[error("the signature does not belong to this payload and key")]
    Mismatch,
}

/// Checks that `key` signed `payload`.
///
/// `signature_text` is percent-decoded already. HMAC-SHA256: hexadecimal of any case, compared in
/// constant time. Ed25519: standard base64 with its padding, checked strictly (no weak keys). RSA:
/// standard base64 with its padding, PKCS#1 v1.5 over SHA-256.
pub fn verify(key: &ApiKey, payload: &[u8], signature_text: &str) -> Result<(), SignatureError> {
    match &key.credential {
        Credential::Hmac(secret) => {
            let tag: [u8; 32] = decoded(&HEXLOWER_PERMISSIVE, signature_text)?;
            let mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
                .expect("HMAC takes a key of any length");
            mac.chain_update(payload).verify_slice(&tag).map_err(|_| SignatureError::Mismatch)
        }
        Credential::Ed25519(public_key) => {
            let signature = Signature::from_bytes(&decoded(&BASE64, signature_text)?);
            public_key.verify_strict(payload, &signature).map_err(|_| SignatureError::Mismatch)
        }
        Credential::Rsa(public_key) => {
            let signature =
                BASE64.decode(signature_text.as_bytes()).map_err(|_| SignatureError::Malformed)?;
            if public_key.verifies(payload, &signature) { Ok(()) } else { Err(SignatureError::Mismatch) }
        }
    }
}

/// Decodes exactly `N` bytes.
fn decoded<const N: usize>(
    encoding: &data_encoding::Encoding,
    text: &str,
) -> Result<[u8; N], SignatureError> {
    let bytes = encoding.decode(text.as_bytes()).map_err(|_| SignatureError::Malformed)?;
    bytes.try_into().map_err(|_| SignatureError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiKeyId, IpAllowList, PublicKey, Scopes};
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::*;
    use protocol::AccountId;

    fn key(credential: Credential) -> ApiKey {
        let id = ApiKeyId::parse(&"k".repeat(64)).unwrap();
        ApiKey::new(id, AccountId(3), credential, Scopes::ALL, IpAllowList::default(), String::new())
    }

    // Dialect §2.2.
    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    const PAYLOAD: &[u8] = b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    const SIGNATURE: &str = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";

    #[test]
    fn hmac_signatures_are_checked() {
        let key = key(Credential::Hmac(SECRET.into()));
        let upper = SIGNATURE.to_uppercase();
        let mixed = format!("{}{}", &SIGNATURE[..32], &upper[32..]);
        for good in [SIGNATURE, &upper, &mixed] {
            assert_eq!(verify(&key, PAYLOAD, good), Ok(()), "{good}");
        }
        let other = SIGNATURE.replacen('c', "d", 1);
        assert_eq!(verify(&key, PAYLOAD, &other), Err(SignatureError::Mismatch));
        assert_eq!(verify(&key, &PAYLOAD[1..], SIGNATURE), Err(SignatureError::Mismatch));
        let (short, long, space) =
            (&SIGNATURE[2..], format!("{SIGNATURE}00"), format!(" {}", &SIGNATURE[1..]));
        for malformed in ["", "0", short, &long, &space, "é", &"g".repeat(64)] {
            assert_eq!(verify(&key, PAYLOAD, malformed), Err(SignatureError::Malformed), "{malformed:?}");
        }
    }

    #[test]
    fn ed25519_signatures_are_checked() {
        // RFC 8032 §7.1, test 2.
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        let bytes: [u8; 32] = HEXLOWER_PERMISSIVE.decode(public.as_bytes()).unwrap().try_into().unwrap();
        let key = key(Credential::Ed25519(ed25519_dalek::VerifyingKey::from_bytes(&bytes).unwrap()));
        let text = BASE64.encode(&HEXLOWER_PERMISSIVE.decode(signature.as_bytes()).unwrap());
        assert_eq!(verify(&key, &[0x72], &text), Ok(()));
        assert_eq!(verify(&key, &[0x73], &text), Err(SignatureError::Mismatch));
        // No padding, the URL alphabet's characters, another length, hexadecimal.
        let bare = text.trim_end_matches('=');
        for malformed in ["", bare, &text.replace('+', "-"), "AAAA", &signature[..64]] {
            assert_eq!(verify(&key, &[0x72], malformed), Err(SignatureError::Malformed), "{malformed:?}");
        }
    }

    #[test]
    fn rsa_signatures_are_checked() {
        // Made with OpenSSL: dgst -sha256 -sign.
        let public = include_str!("../tests/fixtures/rsa-2048.public.pem");
        let text = include_str!("../tests/fixtures/rsa-2048.signature.txt");
        let Ok(PublicKey::Rsa(public)) = PublicKey::parse(public) else { panic!("an RSA key") };
        let key = key(Credential::Rsa(public));
        assert_eq!(verify(&key, PAYLOAD, text), Ok(()));
        assert_eq!(verify(&key, &PAYLOAD[1..], text), Err(SignatureError::Mismatch));
        let mut bytes = BASE64.decode(text.as_bytes()).unwrap();
        for place in [0, 100, 255] {
            bytes[place] ^= 1;
            assert_eq!(verify(&key, PAYLOAD, &BASE64.encode(&bytes)), Err(SignatureError::Mismatch));
            bytes[place] ^= 1;
        }
        for shorter in ["", "AAAA"] {
            assert_eq!(verify(&key, PAYLOAD, shorter), Err(SignatureError::Mismatch), "{shorter:?}");
        }
        for malformed in [text.trim_end_matches('='), &format!("{text} "), SIGNATURE.split_at(63).0] {
            assert_eq!(verify(&key, PAYLOAD, malformed), Err(SignatureError::Malformed), "{malformed:?}");
        }
    }

    #[test]
    fn a_signature_of_one_type_is_no_signature_of_the_other() {
        let signer = SigningKey::from_bytes(&[7; 32]);
        let text = BASE64.encode(&signer.sign(PAYLOAD).to_bytes());
        assert_eq!(
            verify(&key(Credential::Hmac(SECRET.into())), PAYLOAD, &text),
            Err(SignatureError::Malformed)
        );
        let key = key(Credential::Ed25519(signer.verifying_key()));
        assert_eq!(verify(&key, PAYLOAD, SIGNATURE), Err(SignatureError::Malformed));
    }

    proptest! {
        #[test]
        fn no_other_bit_passes(payload in proptest::collection::vec(any::<u8>(), 1..80), bit in 0_usize..512, seed in any::<[u8; 32]>()) {
            let signer = SigningKey::from_bytes(&seed);
            let key = key(Credential::Ed25519(signer.verifying_key()));
            let mut signature = signer.sign(&payload).to_bytes();
            prop_assert_eq!(verify(&key, &payload, &BASE64.encode(&signature)), Ok(()));
            signature[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(verify(&key, &payload, &BASE64.encode(&signature)), Err(SignatureError::Mismatch));
        }

        #[test]
        fn any_text_is_answered(payload in proptest::collection::vec(any::<u8>(), 0..40), text in ".{0,100}") {
            let hmac = key(Credential::Hmac(SECRET.into()));
            let ed25519 = key(Credential::Ed25519(SigningKey::from_bytes(&[7; 32]).verifying_key()));
            prop_assert!(verify(&hmac, &payload, &text).is_err());
            prop_assert!(verify(&ed25519, &payload, &text).is_err());
        }
    }
}
