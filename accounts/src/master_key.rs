//! Where the master key comes from: the environment, or a file in the data directory, made at the first
//! start. Refuses to make a second one while the database holds secrets under the first.
//!
//! Text form, in both places: 64 hexadecimal characters (32 bytes). The file is for its owner only
//! (mode 0600), and is backed up apart from the database: either without the other opens nothing.

use crate::AccountsError;
use crate::random;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The environment variable that holds the master key; it goes before the file.
pub const MASTER_KEY_VARIABLE: &str = "RIALTO_MASTER_KEY";
/// The file's name in the data directory.
pub const MASTER_KEY_FILE: &str = "master.key";

/// Why there is no usable master key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeyError {
    /// The text is not 64 hexadecimal characters.
    #[error("the master key in {0} is not 64 hexadecimal characters; restore it from its backup")]
    Malformed(String),
    /// Others may read the file.
    #[error("the master key {path} can be read by others (mode {mode:03o}); run: chmod 600 {path}")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The database has secrets, and there is no key.
    #[error(
        "the database holds secrets under a master key, and {0} is not there; restore that file from its backup, or set RIALTO_MASTER_KEY"
    )]
    Missing(PathBuf),
    /// The key is well formed, and another one sealed the database's secrets.
    #[error(
        "the master key in {0} is not the one that this database's secrets are encrypted with; give the right one"
    )]
    Wrong(String),
    /// The file could not be read or written.
    #[error("cannot {doing} the master key {path}: {source}")]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Where to look for the master key.
#[derive(Clone, Debug)]
pub struct MasterKeySource {
    environment: Option<SecretString>,
    file: PathBuf,
}

/// A master key and where it was found.
#[derive(Debug)]
pub(crate) struct MasterKey {
    pub(crate) key: SecretBox<[u8; 32]>,
    pub(crate) origin: String,
}

impl MasterKeySource {
    /// The process's environment first, then `master.key` in `data_directory`.
    pub fn from_environment(data_directory: &Path) -> Self {
        // What is not text becomes a malformed key, not an absent one.
        let environment = std::env::var_os(MASTER_KEY_VARIABLE)
            .map(|value| SecretString::from(value.into_string().unwrap_or_default()));
        Self::new(environment, data_directory.join(MASTER_KEY_FILE))
    }

    /// `environment`, if given, holds the key's text; otherwise `file` does.
    pub fn new(environment: Option<SecretString>, file: PathBuf) -> Self {
        Self { environment, file }
    }

    /// The file that holds the key, when the environment does not.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Finds the key; `None` when there is neither a variable nor a file.
    pub(crate) fn load(&self) -> Result<Option<MasterKey>, MasterKeyError> {
        if let Some(text) = &self.environment {
            return parse(text.expose_secret(), MASTER_KEY_VARIABLE.to_owned()).map(Some);
        }
        let failed = |source| MasterKeyError::File { doing: "read", path: self.file.clone(), source };
        let mode = match fs::metadata(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?.mode() & 0o777,
        };
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::Exposed { path: self.file.clone(), mode });
        }
        let text = Zeroizing::new(fs::read_to_string(&self.file).map_err(failed)?);
        parse(text.trim_end(), self.file.display().to_string()).map(Some)
    }

    /// Makes a new random key in the file: whole and synced before it has its name.
    pub(crate) fn create(&self) -> Result<MasterKey, AccountsError> {
        let bytes = random::bytes::<32>()?;
        let mut text = Zeroizing::new(HEXLOWER.encode(bytes.as_slice()));
        text.push('\n');
        write_synced(&self.file, text.as_bytes()).map_err(|source| MasterKeyError::File {
            doing: "write",
            path: self.file.clone(),
            source,
        })?;
        Ok(MasterKey { key: SecretBox::new(Box::new(*bytes)), origin: self.file.display().to_string() })
    }
}

fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("key.new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn parse(text: &str, origin: String) -> Result<MasterKey, MasterKeyError> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map(Zeroizing::new);
    match bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()) {
        Some(key) => Ok(MasterKey { key: SecretBox::new(Box::new(key)), origin }),
        None => Err(MasterKeyError::Malformed(origin)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn exposed(key: &MasterKey) -> [u8; 32] {
        *key.key.expose_secret()
    }

    #[test]
    fn a_made_key_is_found_again_and_is_its_owners_only() {
        let directory = tempfile::tempdir().unwrap();
        let source = MasterKeySource::new(None, directory.path().join(MASTER_KEY_FILE));
        assert!(source.load().unwrap().is_none());
        let made = source.create().unwrap();
        assert_eq!(exposed(&source.load().unwrap().unwrap()), exposed(&made));
        assert_eq!(fs::metadata(source.file()).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left behind");

        fs::set_permissions(source.file(), fs::Permissions::from_mode(0o640)).unwrap();
        let error = source.load().unwrap_err().to_string();
        assert!(error.contains("640") && error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(MASTER_KEY_FILE);
        MasterKeySource::new(None, file.clone()).create().unwrap();
        let text = "0fF0".repeat(16);
        let key = MasterKeySource::new(Some(text.into()), file).load().unwrap().unwrap();
        assert_eq!(exposed(&key), [0x0f, 0xf0].repeat(16).as_slice());
        assert_eq!(key.origin, MASTER_KEY_VARIABLE);
    }

    #[test]
    fn a_malformed_key_is_refused_without_being_shown() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(MASTER_KEY_FILE);
        for bad in ["", "CANARY", &"0".repeat(63), &"0".repeat(66), &"0CANARY0".repeat(8)] {
            let source = MasterKeySource::new(Some(bad.into()), file.clone());
            let error = source.load().unwrap_err();
            assert!(matches!(error, MasterKeyError::Malformed(_)), "{bad}: {error:?}");
            assert!(!format!("{error} {error:?} {source:?}").contains("CANARY"));
        }
    }
}
