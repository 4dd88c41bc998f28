//! Reads backups back: that nobody changed them, that every byte is the one that went in, and that those
//! they build on are there. Refuses to write.

use std::io;
use std::path::Path;

use crate::blob::copy_out;
use crate::catalogue::Catalogue;
use crate::key::{BackupKey, BackupKeys};
use crate::manifest::Manifest;
use crate::{BackupError, Progress, Stage, Watch};

/// What was found of one backup.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Which.
    pub id: String,
    /// Whether it is whole, and all it builds on is there.
    pub good: bool,
    /// What is wrong with it, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Reads back the backup named `id` in `directory` with those it builds on, or all of them.
pub fn verify(
    directory: &Path,
    key: &BackupKey,
    id: Option<&str>,
    watch: Watch<'_>,
) -> Result<Vec<Verified>, BackupError> {
    let catalogue = Catalogue::read(directory)?;
    let mut found = Vec::new();
    let wanted = if let Some(id) = id {
        catalogue.chain(catalogue.find(Some(id))?)?
    } else {
        found.extend(catalogue.unreadable().iter().map(|(id, error)| bad(id, error)));
        catalogue.backups().iter().collect()
    };
    if wanted.is_empty() && found.is_empty() {
        return Err(BackupError::NoBackup { directory: directory.to_owned(), named: String::new() });
    }
    for manifest in wanted {
        let path = catalogue.path(&manifest.id);
        let checked = catalogue.chain(manifest).and_then(|_| {
            let (manifest, keys) = Manifest::read_proved(&path, key)?;
            check_files(&path, &manifest, &keys, watch)
        });
        found.push(match checked {
            Ok(()) => Verified { id: manifest.id.clone(), good: true, fault: None },
            Err(error @ BackupError::WrongKey(_)) => return Err(error),
            Err(error) => bad(&manifest.id, &error),
        });
    }
    Ok(found)
}

fn bad(id: &str, error: &BackupError) -> Verified {
    Verified { id: id.to_owned(), good: false, fault: Some(error.to_string()) }
}

/// Decrypts every file of the backup in `directory` and compares it with the manifest.
pub(crate) fn check_files(
    directory: &Path,
    manifest: &Manifest,
    keys: &BackupKeys,
    watch: Watch<'_>,
) -> Result<(), BackupError> {
    let (mut done, total) = (0, manifest.length());
    for (number, entry) in manifest.files.iter().enumerate() {
        copy_out(directory, number, entry, keys, &mut io::sink(), directory, &mut |count| {
            done += count;
            watch(Progress { stage: Stage::Checking, done, total });
        })?;
    }
    Ok(())
}
