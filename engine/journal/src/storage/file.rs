//! [`Storage`] on the real file system: `pwritev`, `fdatasync`, `fallocate`.

use std::fs;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::{Errno, pwritev};

use super::{Access, Storage, StorageFile};

/// A data directory on disk.
#[derive(Clone, Debug)]
pub struct FileStorage {
    root: PathBuf,
}

impl FileStorage {
    /// The data directory `root`, which must exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Storage for FileStorage {
    type File = File;

    fn open(&self, path: &str, access: Access) -> io::Result<File> {
        let mut options = fs::OpenOptions::new();
        options.read(true);
        match access {
            Access::Read => {}
            Access::Write => _ = options.write(true),
            Access::Create => _ = options.write(true).create(true).truncate(true),
        }
        Ok(File { file: options.open(self.root.join(path))? })
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.root.join(directory)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        // A name that is not UTF-8 is none of ours.
        entries
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect()
    }

    fn create_directory(&self, directory: &str) -> io::Result<()> {
        let path = self.root.join(directory);
        if path.is_dir() {
            return Ok(());
        }
        fs::create_dir(&path)?;
        path.parent().map_or(Ok(()), sync_directory)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.root.join(from), self.root.join(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.root.join(path))
    }

    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        sync_directory(&self.root.join(directory))
    }

    fn free_space(&self) -> io::Result<u64> {
        let status = statvfs(&self.root)?;
        Ok(status.f_bavail.saturating_mul(status.f_frsize))
    }

    fn locate(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// An open file on disk.
#[derive(Debug)]
pub struct File {
    file: fs::File,
}

impl StorageFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, parts: &[&[u8]], mut offset: u64) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut left = slices.as_mut_slice();
        IoSlice::advance_slices(&mut left, 0); // skips empty parts at the front
        while !left.is_empty() {
            match pwritev(&self.file, left, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    offset += count as u64;
                    IoSlice::advance_slices(&mut left, count);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        match fallocate(&self.file, FallocateFlags::empty(), 0, length) {
            // A file system without fallocate: the length at least; room then shows when writing.
            Err(Errno::OPNOTSUPP) if self.length()? < length => self.file.set_len(length),
            Err(Errno::OPNOTSUPP) => Ok(()),
            result => Ok(result?),
        }
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_read_cut_and_given_room() {
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(directory.path());
        let file = storage.open("file", Access::Create).unwrap();
        file.write_at(&[b"", b"abc", b"", b"defg"], 2).unwrap();
        assert_eq!(file.length().unwrap(), 9);
        let mut buffer = [9; 12];
        assert_eq!(file.read_at(&mut buffer, 1).unwrap(), 8);
        assert_eq!(&buffer, b"\0abcdefg\x09\x09\x09\x09");
        file.truncate(4).unwrap();
        assert_eq!((file.length().unwrap(), file.read_at(&mut buffer, 0).unwrap()), (4, 4));
        file.preallocate(8192).unwrap();
        file.preallocate(100).unwrap();
        assert_eq!(file.length().unwrap(), 8192, "never shorter");
    }

    #[test]
    fn what_the_system_refuses_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(directory.path());
        assert_eq!(storage.list("nothing").unwrap(), Vec::<String>::new(), "not there: no files");
        assert!(storage.sync_directory("nothing").is_err());
        drop(storage.open("file", Access::Create).unwrap());
        assert_eq!(storage.list("file").unwrap_err().kind(), io::ErrorKind::NotADirectory);
        // A device that cannot be synced.
        let device = FileStorage::new("/dev").open("null", Access::Write).unwrap();
        assert!(device.sync_data().is_err());
    }
}
