//! The bytes of a segment, on disk or taken out of an archive into memory: read alike. It does not
//! know what they mean.

use std::io;

use crate::storage::StorageFile;

/// Bytes that are read at an offset.
pub(crate) trait ReadAt {
    /// How many there are.
    fn length(&self) -> io::Result<u64>;
    /// Fills `buffer` from `offset` as far as they go; returns how many.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl<F: StorageFile> ReadAt for F {
    fn length(&self) -> io::Result<u64> {
        StorageFile::length(self)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        StorageFile::read_at(self, buffer, offset)
    }
}

/// A segment that was opened.
#[derive(Debug)]
pub(crate) enum SegmentFile<F> {
    /// In its own file, which may grow.
    Live(F),
    /// The whole of it, decompressed.
    Archived(Vec<u8>),
}

impl<F: StorageFile> ReadAt for SegmentFile<F> {
    fn length(&self) -> io::Result<u64> {
        match self {
            Self::Live(file) => StorageFile::length(file),
            Self::Archived(bytes) => Ok(bytes.len() as u64),
        }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::Live(file) => StorageFile::read_at(file, buffer, offset),
            Self::Archived(bytes) => {
                let rest = bytes.get(offset as usize..).unwrap_or(&[]);
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
        }
    }
}
