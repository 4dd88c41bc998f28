//! A client's RSA public key: reading it, and checking PKCS#1 v1.5 signatures with SHA-256. Refuses
//! private keys, and moduli that are too short to prove anything or too long to be checked on every
//! request.

use ed25519_dalek::pkcs8::spki::{
    ObjectIdentifier, SubjectPublicKeyInfoRef,
    der::{Decode, Reader, SliceReader, asn1::UintRef},
};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use std::ops::RangeInclusive;

/// `rsaEncryption` of PKCS#1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Lengths of a modulus, in bits.
const MODULUS_BITS: RangeInclusive<usize> = 2_048..=4_096;
/// The longest public exponent, in bytes; nearly all are 65537.
const EXPONENT_BYTES_MAX: usize = 4;

/// An RSA public key of 2048 to 4096 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaPublicKey {
    /// PKCS#1's `RSAPublicKey`, in DER.
    der: Vec<u8>,
}

impl RsaPublicKey {
    /// Reads PKCS#1's `RSAPublicKey` in DER. An error says what is wrong.
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, &'static str> {
        let (modulus, exponent) = parts(der).map_err(|_| "it is not an RSA public key")?;
        let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        if !MODULUS_BITS.contains(&bits) {
            return Err("an RSA key must have 2048 to 4096 bits");
        }
        let is_odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte % 2 == 1);
        if !is_odd(modulus) || !is_odd(exponent) || exponent.len() > EXPONENT_BYTES_MAX || exponent == [1] {
            return Err("its modulus or exponent is none of RSA's");
        }
        Ok(Self { der: der.to_vec() })
    }

    /// Reads X.509's `SubjectPublicKeyInfo` in DER, as in a `BEGIN PUBLIC KEY`; `None` when it is of
    /// another algorithm.
    pub(crate) fn from_spki(der: &[u8]) -> Option<Result<Self, &'static str>> {
        let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
        if info.algorithm.oid != RSA_ENCRYPTION {
            return None;
        }
        let key = info.subject_public_key.as_bytes();
        Some(key.ok_or("it is not an RSA public key").and_then(Self::from_pkcs1))
    }

    /// PKCS#1's `RSAPublicKey`, in DER.
    pub(crate) fn as_pkcs1(&self) -> &[u8] {
        &self.der
    }

    /// Whether the private half signed `payload`.
    pub(crate) fn verifies(&self, payload: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.der).verify(payload, signature).is_ok()
    }
}

/// Modulus and exponent, big-endian without leading zeros.
fn parts(der: &[u8]) -> Result<(&[u8], &[u8]), ed25519_dalek::pkcs8::spki::der::Error> {
    let mut reader = SliceReader::new(der)?;
    let parts = reader.sequence(|reader| {
        let modulus = UintRef::decode(reader)?;
        let exponent = UintRef::decode(reader)?;
        Ok::<_, ed25519_dalek::pkcs8::spki::der::Error>((modulus.as_bytes(), exponent.as_bytes()))
    })?;
    reader.finish()?;
    Ok(parts)
}
