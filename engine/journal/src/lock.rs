//! One process at a time in a data directory. It knows the lock file, not what the lock protects.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The lock on a data directory, held until dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    file: File,
    /// What the file said before: who had it last.
    found: Vec<u8>,
}

/// The lock was not taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{directory} is in use by {holder}; stop that process, or use another data directory")]
    Held {
        /// The data directory.
        directory: PathBuf,
        /// Process id and command, as the holder wrote them.
        holder: String,
    },
    /// The operating system refused.
    #[error("cannot lock {file}: {source}; check the directory and its permissions")]
    Io {
        /// The lock file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Takes the lock of `directory`, which must exist, without waiting. `command` is what a second
    /// process is told, such as `rialto serve`.
    pub fn acquire(directory: &Path, command: &str) -> Result<Self, LockError> {
        let path = directory.join("LOCK");
        let failed = |source| LockError::Io { file: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false) // what the holder wrote must stay until the lock is ours
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The message is all the holder's name is for: unreadable, it is left unsaid.
                let known = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = if known {
                    holder.trim().to_owned()
                } else {
                    "a process that did not say which".to_owned()
                };
                return Err(LockError::Held { directory: directory.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut found = Vec::new();
        file.read_to_end(&mut found).map_err(failed)?;
        let mut lock = Self { file, found };
        lock.say(format!("process {} ({command})\n", std::process::id()).as_bytes()).map_err(failed)?;
        Ok(lock)
    }

    /// Gives the lock back with its file as it was found: for a start that gave up before it touched
    /// anything.
    ///
    /// # Errors
    /// When the file cannot be written; the lock is given back all the same.
    pub fn give_back_untouched(mut self) -> io::Result<()> {
        let found = std::mem::take(&mut self.found);
        self.say(&found)
    }

    fn say(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_has_it_and_gets_it_afterwards() {
        let directory = tempfile::tempdir().unwrap();
        let lock = DirectoryLock::acquire(directory.path(), "rialto serve").unwrap();
        let message = DirectoryLock::acquire(directory.path(), "rialto engine").unwrap_err().to_string();
        assert!(message.contains(&format!("process {} (rialto serve)", std::process::id())), "{message}");
        drop(lock);
        DirectoryLock::acquire(directory.path(), "rialto engine").unwrap();
    }

    #[test]
    fn given_back_untouched_the_file_is_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let said = || std::fs::read_to_string(directory.path().join("LOCK")).unwrap();
        DirectoryLock::acquire(directory.path(), "first").unwrap().give_back_untouched().unwrap();
        assert_eq!(said(), "");
        drop(DirectoryLock::acquire(directory.path(), "a command with a longer name").unwrap());
        let before = said();
        let lock = DirectoryLock::acquire(directory.path(), "x").unwrap();
        assert_ne!(said(), before);
        lock.give_back_untouched().unwrap();
        assert_eq!(said(), before);
        DirectoryLock::acquire(directory.path(), "x").unwrap();
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = DirectoryLock::acquire(Path::new("/nonexistent/data"), "x").unwrap_err();
        assert!(error.to_string().contains("/nonexistent/data/LOCK"), "{error}");
    }

    #[test]
    fn a_holder_that_has_not_said_who_it_is_is_called_so() {
        let directory = tempfile::tempdir().unwrap();
        let file = File::create(directory.path().join("LOCK")).unwrap();
        file.lock().unwrap();
        let message = DirectoryLock::acquire(directory.path(), "x").unwrap_err().to_string();
        assert!(message.contains("a process that did not say which"), "{message}");
    }
}
