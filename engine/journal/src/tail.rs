//! Looks at what stands in a segment after the place where a walk stopped. It does not know which
//! batch should stand there, nor what is done about it.

use std::io;

use crate::layout::{ALIGNMENT, BATCH_HEADER, BatchHeader, Invalid};
use crate::storage::StorageFile;

/// Bytes looked at together.
const STRIDE: usize = 1 << 20;

/// What stands after a place.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Whether the header of another batch begins after it. That is evidence enough that the record
    /// at the place was once whole: a batch is written only after the one before was synced.
    pub(crate) has_batch: bool,
    /// The offset of the last byte, from the place on, that is not zero.
    pub(crate) last_byte: Option<u64>,
}

/// Looks at everything from `offset`, the place of a record, to the end of the file.
pub(crate) fn look_after<F: StorageFile>(file: &F, offset: u64) -> io::Result<Tail> {
    let mut tail = Tail::default();
    let left = file.length()?.saturating_sub(offset) as usize;
    // One byte more than there is, so that a read that fills the buffer has more to come.
    let mut buffer = vec![0; (STRIDE + BATCH_HEADER).min(left + 1)];
    let mut start = offset;
    loop {
        let count = file.read_at(&mut buffer, start)?;
        let bytes = &buffer[..count];
        if let Some(last) = last_nonzero(bytes) {
            tail.last_byte = Some(start + last as u64);
            let begins = (0..count.min(STRIDE)).step_by(ALIGNMENT as usize);
            tail.has_batch |= begins
                .filter(|begin| start + *begin as u64 > offset)
                .any(|begin| !matches!(BatchHeader::parse(&bytes[begin..]), Err(Invalid::Damaged(_))));
        }
        if count < buffer.len() {
            return Ok(tail);
        }
        start += STRIDE as u64;
    }
}

/// The length of a file without the zeros at its end.
pub(crate) fn content_length<F: StorageFile>(file: &F) -> io::Result<u64> {
    let mut end = file.length()?;
    let mut buffer = vec![0; STRIDE.min(end as usize)];
    while end > 0 {
        let start = end.saturating_sub(STRIDE as u64);
        let count = file.read_at(&mut buffer[..(end - start) as usize], start)?;
        if let Some(last) = last_nonzero(&buffer[..count]) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Where the last byte that is not zero stands. Zeros are what a preallocated segment mostly holds,
/// so they are passed over by whole blocks, which compare at the speed of memory.
fn last_nonzero(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 4096;
    static ZEROS: [u8; BLOCK] = [0; BLOCK];
    let mut end = bytes.len();
    for block in bytes.rchunks(BLOCK) {
        if block != &ZEROS[..block.len()] {
            break;
        }
        end -= block.len();
    }
    bytes[..end].iter().rposition(|byte| *byte != 0)
}

#[cfg(test)]
mod tests {
    use zerocopy::IntoBytes;

    use super::*;
    use crate::storage::{Access, SimulatedStorage, Storage};

    fn tail_of(content: Vec<u8>, offset: u64) -> (Tail, u64) {
        let storage = SimulatedStorage::new();
        storage.set_content("file", content);
        let file = storage.open("file", Access::Read).unwrap();
        (look_after(&file, offset).unwrap(), content_length(&file).unwrap())
    }

    #[test]
    fn the_last_byte_is_found_wherever_it_stands() {
        assert_eq!(tail_of(Vec::new(), 0), (Tail::default(), 0));
        assert_eq!(tail_of(vec![0; 100], 200), (Tail::default(), 0));
        let length = 2 * STRIDE + 5000;
        for at in [0, 1, 4095, 4096, STRIDE - 1, STRIDE, STRIDE + BATCH_HEADER, 2 * STRIDE, length - 1] {
            let mut content = vec![0; length];
            content[at] = 1;
            let (tail, end) = tail_of(content, 0);
            assert_eq!((tail.last_byte, tail.has_batch, end), (Some(at as u64), false, at as u64 + 1));
        }
    }

    #[test]
    fn a_later_header_is_found_also_across_strides_but_not_the_place_itself() {
        let header = BatchHeader::new(1, 1, 1, 1, 0, &[]);
        for at in [64, 72, STRIDE - 8, STRIDE - 48, STRIDE + 64, 2 * STRIDE] {
            let mut content = vec![0; 2 * STRIDE + 4096];
            content[at..at + BATCH_HEADER].copy_from_slice(header.as_bytes());
            assert!(tail_of(content.clone(), 64 - 8).0.has_batch, "at {at}");
            assert!(!tail_of(content, at as u64).0.has_batch, "at {at}");
        }
    }
}
