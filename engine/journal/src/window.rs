//! Reads a file through one growing buffer: small reads at a live end, large ones through history.

use std::io;

use crate::storage::StorageFile;

const SMALLEST: usize = 64 << 10;
const LARGEST: usize = 4 << 20;

/// A stretch of a file held in memory.
#[derive(Debug)]
pub(crate) struct Window {
    buffer: Vec<u8>,
    start: u64,
    filled: usize,
    stride: usize,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self { buffer: Vec::new(), start: 0, filled: 0, stride: SMALLEST }
    }

    /// `length` bytes at `offset`, or fewer where the file ends.
    pub(crate) fn get<F: StorageFile>(&mut self, file: &F, offset: u64, length: usize) -> io::Result<&[u8]> {
        let end = self.start + self.filled as u64;
        if offset < self.start || offset + length as u64 > end {
            // Keep what the buffer already has of it, then read on from there.
            let kept = if (self.start..end).contains(&offset) {
                let from = (offset - self.start) as usize;
                self.buffer.copy_within(from..self.filled, 0);
                self.filled - from
            } else {
                0
            };
            let wanted = length.max(self.stride);
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted, 0);
            }
            self.start = offset;
            self.filled = 0; // should the read fail, nothing half read is believed
            let count = file.read_at(&mut self.buffer[kept..wanted], offset + kept as u64)?;
            self.filled = kept + count;
            self.stride = (self.stride * 2).min(LARGEST);
        }
        let from = (offset - self.start) as usize;
        Ok(&self.buffer[from..self.filled.min(from + length)])
    }

    /// Forgets what was read: the file may have changed, or is another one.
    pub(crate) fn forget(&mut self) {
        self.filled = 0;
        self.start = 0;
        self.stride = SMALLEST;
    }
}
