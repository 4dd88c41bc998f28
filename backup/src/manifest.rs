//! What a backup says of itself: a JSON file that anyone may read, and beside it the proof that nobody
//! changed it. Refuses to know how files are copied.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::BackupError;
use crate::key::{BackupKey, BackupKeys, SALT};
use crate::private;

/// The version of a backup's layout; a reader refuses another rather than guess.
pub(crate) const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const PROOF: &str = "manifest.hmac";

/// Whether a backup stands by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// All there is.
    Full,
    /// The journal since the backup before, its parent; and the database again.
    Incremental,
}

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The layout's version.
    pub format: u32,
    /// The backup's name: its directory's.
    pub id: String,
    /// Full or incremental.
    pub kind: Kind,
    /// The backup it builds on.
    pub parent: Option<String>,
    /// When it was begun, in milliseconds since 1970.
    pub created: u64,
    /// The program that made it.
    pub program: String,
    /// The engine whose directory it was.
    pub engine_id: u32,
    /// The epoch in which it was made.
    pub epoch: u32,
    /// The first command of the journal it holds; 0 when it holds none.
    pub first_sequence: u64,
    /// The last command there was: restored with its parents, it ends with this one.
    pub last_sequence: u64,
    /// The hash of the state after that command, if it was worked out.
    pub state_hash: Option<String>,
    /// Which key it is encrypted with.
    pub key: String,
    /// Random: no two backups have the same keys.
    pub salt: String,
    /// What it holds.
    pub files: Vec<Entry>,
}

/// A piece of a file, as it is in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is.
    pub content: Content,
    /// Its bytes before compression and encryption.
    pub length: u64,
    /// Their SHA-256.
    pub sha256: String,
    /// The file that holds it, in the backup's directory.
    pub blob: String,
    /// Bytes of that file.
    pub stored: u64,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Content {
    /// A stretch of a segment of the journal.
    Journal {
        /// The segment, by its first sequence.
        segment: u64,
        /// Where the stretch begins.
        offset: u64,
        /// The segment's whole length; what follows the stretches is zeros.
        file_length: u64,
    },
    /// A segment of the archive.
    Archived {
        /// Its first sequence.
        segment: u64,
    },
    /// A snapshot.
    Snapshot {
        /// Its command.
        sequence: u64,
    },
    /// A command that did not happen.
    Void {
        /// Which.
        sequence: u64,
    },
    /// The accounts' database.
    Accounts,
    /// The key of the secrets in it.
    MasterKey,
    /// The key that closed days' proofs are made with.
    ProofKey,
}

impl Content {
    /// Where it belongs in a data directory.
    pub fn path(&self) -> String {
        match self {
            Self::Journal { segment, .. } => engine_journal::journal_segment(*segment),
            Self::Archived { segment } => format!("archive/segment-{segment:020}.log.zst"),
            Self::Snapshot { sequence } => format!("snapshots/snapshot-{sequence:020}.bin"),
            Self::Void { sequence } => format!("voids/void-{sequence:020}.txt"),
            Self::Accounts => "accounts.sqlite".to_owned(),
            Self::MasterKey => "master.key".to_owned(),
            Self::ProofKey => "proof.key".to_owned(),
        }
    }
}

impl Manifest {
    /// Bytes it takes on disk, but for the manifest.
    pub fn stored(&self) -> u64 {
        self.files.iter().map(|entry| entry.stored).sum()
    }

    /// Bytes of what it holds.
    pub fn length(&self) -> u64 {
        self.files.iter().map(|entry| entry.length).sum()
    }

    /// Reads the manifest of the backup in `directory`, on its word.
    pub fn read(directory: &Path) -> Result<Self, BackupError> {
        Self::parse(directory).map(|(manifest, _)| manifest)
    }

    /// Reads the manifest of the backup in `directory`, proves that it is as it was written, and gives
    /// the keys of its files.
    pub(crate) fn read_proved(directory: &Path, key: &BackupKey) -> Result<(Self, BackupKeys), BackupError> {
        let (manifest, bytes) = Self::parse(directory)?;
        let path = directory.join(MANIFEST);
        let damaged = |what: &str| BackupError::Damaged { path: path.clone(), what: what.to_owned() };
        let mut salt = [0; SALT];
        let decoded = HEXLOWER.decode(manifest.salt.as_bytes()).unwrap_or_default();
        if decoded.len() != SALT {
            return Err(damaged("its salt is not 32 bytes"));
        }
        salt.copy_from_slice(&decoded);
        let keys = key.of_backup(&salt);
        if keys.name() != manifest.key {
            return Err(BackupError::WrongKey(directory.to_owned()));
        }
        let proof_path = directory.join(PROOF);
        let proof = fs::read(&proof_path).map_err(BackupError::io("read", &proof_path))?;
        let proof = HEXLOWER.decode(&proof).map_err(|_| BackupError::Damaged {
            path: proof_path,
            what: "it is not 64 hexadecimal characters".to_owned(),
        })?;
        hmac::verify(&keys.manifest(), &bytes, &proof).map_err(|_| damaged("it is not as it was written"))?;
        if directory.file_name().and_then(|name| name.to_str()) != Some(&manifest.id) {
            return Err(damaged("it is the manifest of another backup"));
        }
        Ok((manifest, keys))
    }

    fn parse(directory: &Path) -> Result<(Self, Vec<u8>), BackupError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let path = directory.join(MANIFEST);
        let bytes = fs::read(&path).map_err(BackupError::io("read", &path))?;
        let damaged = |error: serde_json::Error| BackupError::Damaged {
            path: path.clone(),
            what: format!("it is no manifest ({error})"),
        };
        let Version { format } = serde_json::from_slice(&bytes).map_err(damaged)?;
        if format != FORMAT {
            return Err(BackupError::Format { path, found: format, known: FORMAT });
        }
        Ok((serde_json::from_slice(&bytes).map_err(damaged)?, bytes))
    }

    /// Writes it, with its proof, to the backup in `directory`.
    pub(crate) fn write(&self, directory: &Path, keys: &BackupKeys) -> Result<(), BackupError> {
        // A manifest has no maps with keys that are not text, which is all that can fail.
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest is JSON");
        bytes.push(b'\n');
        let proof = HEXLOWER.encode(hmac::sign(&keys.manifest(), &bytes).as_ref());
        private::write(&directory.join(PROOF), proof.as_bytes())?;
        private::write(&directory.join(MANIFEST), &bytes)
    }

    /// The file of an entry of the backup in `directory`.
    pub(crate) fn blob(directory: &Path, entry: &Entry) -> PathBuf {
        directory.join(&entry.blob)
    }
}
