//! The operator's key, and the keys of one backup made from it. Refuses to know what is encrypted.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::hkdf::{self, HKDF_SHA256, KeyType, Prk, Salt};
use ring::hmac::{self, HMAC_SHA256};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretBox};

use crate::BackupError;

/// Bytes of a backup's salt.
pub(crate) const SALT: usize = 32;

/// The key that backups are encrypted with: 32 bytes.
#[derive(Debug)]
pub struct BackupKey(SecretBox<[u8; 32]>);

impl BackupKey {
    /// Reads a key from a file that only its owner may read: 64 hexadecimal characters.
    pub fn read(path: &Path) -> Result<Self, BackupError> {
        let mut file = File::open(path).map_err(BackupError::io("read", path))?;
        let mode = file.metadata().map_err(BackupError::io("read", path))?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(BackupError::KeyExposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.by_ref().take(128).read_to_string(&mut text).map_err(BackupError::io("read", path))?;
        let bytes = Zeroizing::new(
            HEXLOWER_PERMISSIVE
                .decode(text.trim().as_bytes())
                .map_err(|_| BackupError::KeyMalformed(path.to_owned()))?,
        );
        let mut key = Box::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(BackupError::KeyMalformed(path.to_owned()));
        }
        key.copy_from_slice(&bytes);
        Ok(Self(SecretBox::new(key)))
    }

    /// The keys of the backup that has this salt.
    pub(crate) fn of_backup(&self, salt: &[u8; SALT]) -> BackupKeys {
        BackupKeys { root: Salt::new(HKDF_SHA256, salt).extract(self.0.expose_secret()) }
    }
}

/// The keys of one backup: no two backups share any.
pub(crate) struct BackupKeys {
    root: Prk,
}

impl BackupKeys {
    /// For its files' content.
    pub(crate) fn content(&self) -> LessSafeKey {
        LessSafeKey::new(self.derive(b"rialto backup content", &AES_256_GCM, |okm| UnboundKey::from(okm)))
    }

    /// For its manifest.
    pub(crate) fn manifest(&self) -> hmac::Key {
        self.derive(b"rialto backup manifest", HMAC_SHA256, |okm| hmac::Key::from(okm))
    }

    /// Says which key it is without giving it away.
    pub(crate) fn name(&self) -> String {
        let key = self.derive(b"rialto backup key name", HMAC_SHA256, |okm| hmac::Key::from(okm));
        HEXLOWER.encode(&hmac::sign(&key, b"").as_ref()[..8])
    }

    fn derive<L: KeyType, K>(
        &self,
        purpose: &[u8],
        algorithm: L,
        make: impl FnOnce(hkdf::Okm<'_, L>) -> K,
    ) -> K {
        // Fails only for keys of more than 255 hashes.
        let purpose = [purpose];
        let okm = self.root.expand(&purpose, algorithm).expect("a key is shorter than 255 hashes");
        make(okm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_64_hexadecimal_characters_in_a_file_of_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        assert!(matches!(BackupKey::read(&path), Err(BackupError::Io { .. })));
        for (text, mode, is_key) in [
            ("0a".repeat(32), 0o600, true),
            ("0A".repeat(32) + "\n", 0o400, true),
            ("0a".repeat(32), 0o640, false),
            ("0a".repeat(32), 0o604, false),
            ("0a".repeat(31), 0o600, false),
            ("0a".repeat(33), 0o600, false),
            ("0g".repeat(32), 0o600, false),
            (String::new(), 0o600, false),
        ] {
            fs::write(&path, &text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let key = BackupKey::read(&path);
            assert_eq!(key.is_ok(), is_key, "{text} {mode:o}");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn keys_differ_by_key_and_by_salt() {
        let key = |byte| BackupKey(SecretBox::new(Box::new([byte; 32])));
        let names =
            [key(1).of_backup(&[1; SALT]), key(1).of_backup(&[2; SALT]), key(2).of_backup(&[1; SALT])]
                .map(|keys| keys.name());
        assert_eq!(key(1).of_backup(&[1; SALT]).name(), names[0]);
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2], "{names:?}");
    }
}
