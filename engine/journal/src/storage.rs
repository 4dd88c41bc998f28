//! The narrow door to the disk, so that tests can lose unsynced writes. It knows files, bytes and
//! what is durable; not what is in them. Paths are relative to the data directory, with `/` between.

mod file;
mod simulated;

use std::fmt::Debug;
use std::io;

pub use file::{File, FileStorage};
pub use simulated::{SimulatedFile, SimulatedStorage};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// An existing file, to read.
    Read,
    /// An existing file, to read and write.
    Write,
    /// A new file, or an old one emptied, to read and write.
    Create,
}

/// A data directory.
pub trait Storage: Clone + Debug {
    /// An open file in it.
    type File: StorageFile;

    /// Opens a file.
    fn open(&self, path: &str, access: Access) -> io::Result<Self::File>;
    /// The names of the files in a directory, unsorted; of a directory that is not there, none.
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;
    /// Makes a directory, durably, if it is not there.
    fn create_directory(&self, directory: &str) -> io::Result<()>;
    /// Gives a file a new name, replacing what has it. Durable after `sync_directory`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file. Durable after `sync_directory`.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Makes the names in a directory durable. A failure must not be retried.
    fn sync_directory(&self, directory: &str) -> io::Result<()>;
    /// Bytes that may still be allocated.
    fn free_space(&self) -> io::Result<u64>;
    /// The path as an operator knows it, for messages.
    fn locate(&self, path: &str) -> String;
}

/// An open file.
pub trait StorageFile: Debug {
    /// Bytes in the file.
    fn length(&self) -> io::Result<u64>;
    /// Fills `buffer` from `offset` as far as the file goes; returns how many bytes.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes the parts one after the other from `offset`, all of them or an error; after an error
    /// any prefix may have been written.
    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()>;
    /// Gives the file room and zeros up to `length`; never shortens it.
    fn preallocate(&self, length: u64) -> io::Result<()>;
    /// Cuts the file at `length`.
    fn truncate(&self, length: u64) -> io::Result<()>;
    /// Makes content and length durable (`fdatasync`). A failure must not be retried.
    fn sync_data(&self) -> io::Result<()>;
}

/// Whether an error says that there is no room, which passes, rather than that the disk is broken.
pub(crate) fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
