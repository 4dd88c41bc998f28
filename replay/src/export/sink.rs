//! Where a table's rows go: a file beside its name, given the name when it is whole. Refuses to know
//! the format.

use super::table::Cell;
use crate::ReplayError;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Takes the rows of a table.
pub(super) trait Sink {
    /// One cell a column.
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ReplayError>;

    /// Writes what is left; gives the file back, to be synced.
    fn finish(self: Box<Self>) -> Result<File, ReplayError>;
}

/// A file that has its name only once it is whole.
pub(super) struct Beside {
    path: PathBuf,
    temporary: PathBuf,
    is_named: bool,
}

impl Beside {
    /// A new file that will be `path`. What has that name stays until then, and is refused unless it
    /// may be replaced.
    pub(super) fn create(path: PathBuf, may_replace: bool) -> Result<(Self, File), ReplayError> {
        if !may_replace && path.exists() {
            return Err(ReplayError::Exists(path));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".tmp");
        let temporary = path.with_file_name(name);
        let file = File::create(&temporary).map_err(|source| unwritable(&temporary, source))?;
        Ok((Self { path, temporary, is_named: false }, file))
    }

    /// Makes the content durable; returns how many bytes it has.
    pub(super) fn sync(&self, file: &File) -> Result<u64, ReplayError> {
        let done = file.sync_all().and_then(|()| file.metadata());
        Ok(done.map_err(|source| unwritable(&self.temporary, source))?.len())
    }

    /// Gives the file its name; returns it.
    pub(super) fn name(mut self) -> Result<PathBuf, ReplayError> {
        fs::rename(&self.temporary, &self.path).map_err(|source| unwritable(&self.path, source))?;
        self.is_named = true;
        Ok(self.path.clone())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.is_named {
            // What failed has been told; a file that stays is replaced by the next attempt.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The system refused to write a file.
pub(super) fn unwritable(file: &Path, source: io::Error) -> ReplayError {
    ReplayError::Unwritable { file: file.to_owned(), source }
}
