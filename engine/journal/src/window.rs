//! Reads a file through one growing buffer: small reads at a live end, large ones through history.

use std::io;

use crate::segment_file::ReadAt;

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
    pub(crate) fn get<F: ReadAt>(&mut self, file: &F, offset: u64, length: usize) -> io::Result<&[u8]> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Access, SimulatedStorage, Storage};

    #[test]
    fn it_gives_what_the_file_holds_in_any_order_and_size() {
        let content: Vec<u8> = (0..700_000_u32).map(|index| (index ^ (index >> 8)) as u8).collect();
        let storage = SimulatedStorage::new();
        storage.set_content("file", content.clone());
        let file = storage.open("file", Access::Read).unwrap();
        let mut window = Window::new();
        let mut place = 0_usize;
        for step in 0..2000_usize {
            // Mostly onwards, as a walk goes; now and then a jump; lengths around the strides.
            let offset = if step % 7 == 0 { step * 7919 % 710_000 } else { place };
            let length = [0, 1, 56, 4096, SMALLEST, SMALLEST + 1, 200_000][step % 7];
            let begin = offset.min(content.len());
            let expected = &content[begin..content.len().min(begin + length)];
            assert!(window.get(&file, offset as u64, length).unwrap() == expected, "step {step}");
            place = (offset + length) % content.len();
            if step % 31 == 0 {
                window.forget();
            }
        }
    }
}
