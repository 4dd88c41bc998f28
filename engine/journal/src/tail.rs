//! Looks at what stands in a segment after the place where a walk stopped: more of the log, or what
//! merely looks like it. It does not know what is done about it.
//!
//! Clients choose some of a payload's bytes, and may choose them to look like the header of a batch. In
//! what is left of an unfinished write such a header must not pass for proof that the log went on, or
//! one client could keep the exchange from starting.

use std::io;

use crate::Sequence;
use crate::layout::{ALIGNMENT, BATCH_HEADER, BatchHeader};
use crate::segment_file::ReadAt;

/// Bytes looked at together.
const STRIDE: usize = 1 << 20;

/// What the batch that the walk looked for must say of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) first_sequence: Sequence,
    pub(crate) previous_checksum: u64,
    /// `None` while no segment was read.
    pub(crate) engine_id: Option<u32>,
    /// Or a later one.
    pub(crate) epoch: u32,
}

impl Expected {
    /// Whether it is the batch that was looked for.
    pub(crate) fn is_met_by(&self, header: &BatchHeader) -> bool {
        header.first_sequence == self.first_sequence
            && header.previous_checksum == self.previous_checksum
            && self.engine_id == Some(header.engine_id.get())
            && header.epoch >= self.epoch
    }

    /// Whether a batch that begins `distance` bytes after the place may be of the same log. A record has
    /// at least 8 bytes, so there is no room for many sequences between.
    fn may_be_followed_by(&self, header: &BatchHeader, distance: u64) -> bool {
        let between = header.first_sequence.get().checked_sub(self.first_sequence);
        self.engine_id.is_none_or(|engine_id| header.engine_id == engine_id)
            && header.epoch >= self.epoch
            && between.is_some_and(|between| between <= distance / ALIGNMENT)
            && header.count > 0
            && u64::from(header.length.get()) >= u64::from(header.count.get()) * ALIGNMENT
    }
}

/// What stands after a place.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Whether another batch of the log begins after it. Its header is evidence enough that the record
    /// at the place was once whole: a batch is written only after the one before was synced.
    pub(crate) has_batch: bool,
    /// The offset of the last byte, from the place on, that is not zero.
    pub(crate) last_byte: Option<u64>,
}

/// Looks at everything from `offset`, the place where the `expected` batch or its segment's header is
/// not, to the end of the file.
pub(crate) fn look_after<F: ReadAt>(file: &F, offset: u64, expected: &Expected) -> io::Result<Tail> {
    let mut tail = Tail::default();
    let left = file.length()?.saturating_sub(offset) as usize;
    // One byte more than there is, so that a read that fills the buffer has more to come.
    let mut buffer = vec![0; (STRIDE + BATCH_HEADER).min(left + 1)];
    let mut start = offset;
    // Where another batch may begin at the earliest.
    let mut earliest = offset + ALIGNMENT;
    loop {
        let count = file.read_at(&mut buffer, start)?;
        let bytes = &buffer[..count];
        if start == offset
            && let Ok(header) = BatchHeader::parse(bytes)
            && expected.is_met_by(&header)
        {
            // The header came through, so that it is known how far its payload reaches.
            earliest = offset + BATCH_HEADER as u64 + u64::from(header.length.get());
        }
        if let Some(last) = last_nonzero(bytes) {
            tail.last_byte = Some(start + last as u64);
            tail.has_batch |= (0..count.min(STRIDE)).step_by(ALIGNMENT as usize).any(|begin| {
                let place = start + begin as u64;
                place >= earliest
                    && BatchHeader::parse_any_version(&bytes[begin..])
                        .is_ok_and(|header| expected.may_be_followed_by(&header, place - offset))
            });
        }
        if count < buffer.len() {
            return Ok(tail);
        }
        start += STRIDE as u64;
    }
}

/// The length of a file without the zeros at its end.
pub(crate) fn content_length<F: ReadAt>(file: &F) -> io::Result<u64> {
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

    /// A walk that has stopped before sequence 100, in epoch 3 of engine 7.
    const EXPECTED: Expected =
        Expected { first_sequence: 100, previous_checksum: 99, engine_id: Some(7), epoch: 3 };

    fn tail_of(content: Vec<u8>, offset: u64) -> (Tail, u64) {
        let storage = SimulatedStorage::new();
        storage.set_content("file", content);
        let file = storage.open("file", Access::Read).unwrap();
        (look_after(&file, offset, &EXPECTED).unwrap(), content_length(&file).unwrap())
    }

    /// A file whose batch at 4096 has lost its header, with `header` at `at`.
    fn with_header(header: &BatchHeader, at: usize) -> Vec<u8> {
        let mut content = vec![0; 2 * STRIDE + 8192];
        content[at..at + BATCH_HEADER].copy_from_slice(header.as_bytes());
        content
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
        let header = BatchHeader::new(7, 3, 101, 1, 0, &[0; 8]);
        for distance in [64, 72, STRIDE - 8, STRIDE - 48, STRIDE + 64, 2 * STRIDE] {
            let at = 4096 + distance;
            assert!(tail_of(with_header(&header, at), 4096).0.has_batch, "at {at}");
            assert!(!tail_of(with_header(&header, at), at as u64).0.has_batch, "at {at}");
        }
    }

    #[test]
    fn only_what_the_log_could_go_on_with_is_a_later_batch() {
        const DISTANCE: u64 = 800;
        let of = |engine_id, epoch, first, count, payload: &[u8]| {
            BatchHeader::new(engine_id, epoch, first, count, 5, payload)
        };
        let text = u64::from_le_bytes(*b"my-order");
        for (header, expected, why) in [
            (of(7, 3, 101, 1, &[0; 8]), true, "the next batch"),
            (of(7, 4, 101, 1, &[0; 8]), true, "written after another start"),
            (of(7, 3, 100 + DISTANCE / 8, 1, &[0; 8]), true, "the highest sequence that has room"),
            (of(7, 3, 100, 1, &[0; 8]), true, "behind a segment's header that is gone"),
            (of(8, 3, 101, 1, &[0; 8]), false, "another engine"),
            (of(7, 2, 101, 1, &[0; 8]), false, "an epoch that has ended"),
            (of(7, 3, 99, 1, &[0; 8]), false, "a sequence that there was"),
            (of(7, 3, 101 + DISTANCE / 8, 1, &[0; 8]), false, "more sequences than room for them"),
            (of(7, 3, text, 1, &[0; 8]), false, "a client order id"),
            (of(7, 3, u64::MAX, 1, &[0; 8]), false, "the highest number"),
            (of(7, 3, 101, 0, &[]), false, "no record"),
            (of(7, 3, 101, 2, &[0; 8]), false, "shorter than its records"),
        ] {
            let tail = tail_of(with_header(&header, 4096 + DISTANCE as usize), 4096).0;
            assert_eq!(tail.has_batch, expected, "{why}");
        }
    }

    #[test]
    fn within_the_payload_of_a_known_header_nothing_begins() {
        let inner = BatchHeader::new(7, 3, 101, 1, 5, &[0; 8]);
        let mut payload = vec![1; 400];
        payload[80..80 + BATCH_HEADER].copy_from_slice(inner.as_bytes());
        let outer = BatchHeader::new(7, 3, 100, 10, 99, &payload);
        let mut content = [vec![0; 4096], outer.as_bytes().to_vec(), payload, vec![0; 4096]].concat();
        let end = 4096 + BATCH_HEADER + 400;
        content[end - 8..end].fill(0);
        assert!(!tail_of(content.clone(), 4096).0.has_batch, "the payload was being written");
        content[end..end + BATCH_HEADER].copy_from_slice(inner.as_bytes());
        assert!(tail_of(content.clone(), 4096).0.has_batch, "and after it");
        // Of a header from another place nobody knows how far it reaches.
        let other = BatchHeader::new(7, 3, 100, 10, 98, &[0; 400]);
        content[end..].fill(0);
        content[4096..4096 + BATCH_HEADER].copy_from_slice(other.as_bytes());
        assert!(tail_of(content, 4096).0.has_batch, "the header is not the one expected");
    }
}
