//! What a directory holds, to tell whether anything in it was touched. Refuses to know what the files
//! are.

use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Each file's path in the directory, with its length and the hash of its content.
pub type Content = BTreeMap<PathBuf, (u64, [u8; 32])>;

/// All files of `directory`, at any depth.
///
/// # Errors
/// When one cannot be read.
pub fn content(directory: &Path) -> io::Result<Content> {
    let mut content = Content::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let bytes = fs::read(&path)?;
            // Every path was found below the directory.
            let name = path.strip_prefix(directory).unwrap_or(&path).to_owned();
            content.insert(name, (bytes.len() as u64, Sha256::digest(&bytes).into()));
        }
    }
    Ok(content)
}
