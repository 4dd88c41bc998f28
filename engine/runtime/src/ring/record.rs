//! How long a record is and how many slots it takes. Refuses to know anything else about it.

use super::producer::PushError;
use super::slot::PAYLOAD_BYTES;

/// The length that stands at the front of a record.
#[inline]
pub(super) fn length_at(front: [u8; 2]) -> usize {
    usize::from(u16::from_le_bytes(front))
}

/// The slots that a record of `length` bytes takes.
#[inline]
pub(super) fn slots_of(length: usize) -> u64 {
    length.div_ceil(PAYLOAD_BYTES) as u64
}

/// The slots that a run of whole records takes, or the first fault in it.
#[inline]
pub(super) fn measure(records: &[u8]) -> Result<u64, PushError> {
    let mut slots = 0;
    let mut offset = 0;
    while let Some(&[low, high]) = records.get(offset..offset + 2) {
        let length = length_at([low, high]);
        if length < 8 || !length.is_multiple_of(8) || length > records.len() - offset {
            return Err(PushError::Malformed { offset, length });
        }
        slots += slots_of(length);
        offset += length;
    }
    if offset != records.len() || offset == 0 {
        return Err(PushError::Malformed { offset, length: records.len() - offset });
    }
    Ok(slots)
}
