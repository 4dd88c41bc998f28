//! The backups in a directory, and which build on which. Refuses to know what is in them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::BackupError;
use crate::manifest::{Kind, Manifest};

/// What a directory's name begins with while it is being written or removed.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// The backups in a directory, by when they were made.
#[derive(Debug)]
pub struct Catalogue {
    directory: PathBuf,
    backups: Vec<Manifest>,
    unreadable: Vec<(String, BackupError)>,
}

impl Catalogue {
    /// Reads the manifests in `directory`, on their word. One that is not there holds none.
    pub fn read(directory: &Path) -> Result<Self, BackupError> {
        let mut catalogue =
            Self { directory: directory.to_owned(), backups: Vec::new(), unreadable: Vec::new() };
        for name in names(directory)? {
            let path = directory.join(&name);
            if name.starts_with('.') || !path.is_dir() {
                continue;
            }
            match Manifest::read(&path) {
                Ok(manifest) => catalogue.backups.push(manifest),
                Err(error) => catalogue.unreadable.push((name, error)),
            }
        }
        catalogue.backups.sort_by(|left, right| (left.created, &left.id).cmp(&(right.created, &right.id)));
        Ok(catalogue)
    }

    /// All of them, the oldest first.
    pub fn backups(&self) -> &[Manifest] {
        &self.backups
    }

    /// Directories that are no backup, or whose manifest cannot be read.
    pub fn unreadable(&self) -> &[(String, BackupError)] {
        &self.unreadable
    }

    /// Where a backup is.
    pub fn path(&self, id: &str) -> PathBuf {
        self.directory.join(id)
    }

    /// The backup of this name, or the newest.
    pub fn find(&self, id: Option<&str>) -> Result<&Manifest, BackupError> {
        let found = match id {
            Some(id) => self.backups.iter().find(|manifest| manifest.id == id),
            None => self.backups.last(),
        };
        found.ok_or_else(|| BackupError::NoBackup {
            directory: self.directory.clone(),
            named: id.map_or_else(String::new, |id| format!(" named {id}")),
        })
    }

    /// The newest backup of this engine.
    pub fn newest_of(&self, engine_id: u32) -> Result<&Manifest, BackupError> {
        self.backups
            .iter()
            .rev()
            .find(|manifest| manifest.engine_id == engine_id)
            .ok_or_else(|| BackupError::NothingToBuildOn { directory: self.directory.clone(), engine_id })
    }

    /// What it takes to restore `backup`: a full one, and each that builds on the one before it.
    pub fn chain<'a>(&'a self, backup: &'a Manifest) -> Result<Vec<&'a Manifest>, BackupError> {
        let mut chain = vec![backup];
        while let Some(child) = chain.last().filter(|child| child.kind == Kind::Incremental) {
            let parent = child.parent.as_deref().unwrap_or("a backup it does not name");
            // Each parent is older than its child, so this ends.
            let found = self
                .backups
                .iter()
                .find(|manifest| manifest.id == parent && manifest.created < child.created)
                .ok_or_else(|| BackupError::ParentMissing {
                    directory: self.directory.clone(),
                    child: child.id.clone(),
                    parent: parent.to_owned(),
                })?;
            chain.push(found);
        }
        chain.reverse();
        Ok(chain)
    }
}

/// The names in a directory, of one that is not there none.
pub(crate) fn names(directory: &Path) -> Result<Vec<String>, BackupError> {
    let failed = || BackupError::io("read", directory);
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed())?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is not UTF-8 is none of ours.
        names.extend(entry.map_err(failed())?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}
