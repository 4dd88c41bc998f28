//! The bytes of segment, batch and event-group headers, and what makes one valid on its own.
//! It does not know files, order of batches, or what a payload means. All numbers are little-endian.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Sequence;
use crate::checksum::checksum;

/// The version of every layout here; a reader refuses another rather than guess.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// Where a segment's first batch begins: its own 4 KiB block, so appending never rewrites the block
/// of the header.
pub(crate) const FIRST_BATCH_OFFSET: u64 = 4096;
/// Batches and records begin at multiples of this.
pub(crate) const ALIGNMENT: u64 = 8;
/// The header's length in bytes.
pub(crate) const SEGMENT_HEADER: usize = size_of::<SegmentHeader>();
/// The header's length in bytes.
pub(crate) const BATCH_HEADER: usize = size_of::<BatchHeader>();
/// The header's length in bytes.
pub(crate) const GROUP_HEADER: usize = size_of::<GroupHeader>();

const SEGMENT_MAGIC: u64 = u64::from_le_bytes(*b"RIALTOJ\n");
const BATCH_MAGIC: u32 = u32::from_le_bytes(*b"RJb\n");
const GROUP_MAGIC: u32 = u32::from_le_bytes(*b"REg\n");

/// Why bytes are not a valid header or batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// Not there, damaged, or half written.
    Damaged(&'static str),
    /// Intact, but of a format version this build does not know.
    Version(u32),
}

/// The first bytes of a segment file.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct SegmentHeader {
    magic: U64,
    version: U32,
    pub(crate) engine_id: U32,
    pub(crate) epoch: U32,
    reserved: U32,
    pub(crate) first_sequence: U64,
    /// The checksum of the last batch of the segment before; 0 in the very first.
    pub(crate) previous_checksum: U64,
    /// The file's preallocated length in bytes.
    pub(crate) segment_size: U64,
    header_checksum: U64,
}

impl SegmentHeader {
    pub(crate) fn new(
        engine_id: u32,
        epoch: u32,
        first_sequence: Sequence,
        previous_checksum: u64,
        segment_size: u64,
    ) -> Self {
        let mut header = Self {
            magic: SEGMENT_MAGIC.into(),
            version: FORMAT_VERSION.into(),
            engine_id: engine_id.into(),
            epoch: epoch.into(),
            reserved: 0.into(),
            first_sequence: first_sequence.into(),
            previous_checksum: previous_checksum.into(),
            segment_size: segment_size.into(),
            header_checksum: 0.into(),
        };
        header.header_checksum = own_checksum(header.as_bytes()).into();
        header
    }

    /// Reads the header at the start of `bytes`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let (header, _) = Self::read_from_prefix(bytes)
            .map_err(|_| Invalid::Damaged("the file is shorter than a segment header"))?;
        if header.magic != SEGMENT_MAGIC {
            return Err(Invalid::Damaged("the segment header does not begin with the magic number"));
        }
        if header.header_checksum != own_checksum(header.as_bytes()) {
            return Err(Invalid::Damaged("the segment header's checksum does not match"));
        }
        if header.version != FORMAT_VERSION {
            return Err(Invalid::Version(header.version.get()));
        }
        Ok(header)
    }
}

/// The first bytes of a batch. Two checksums: one over the header alone, so that `length` is trusted
/// before anything is read by it; one over header and payload, chained to the batch before through
/// `previous_checksum`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct BatchHeader {
    magic: U32,
    version: U32,
    pub(crate) engine_id: U32,
    pub(crate) epoch: U32,
    pub(crate) first_sequence: U64,
    pub(crate) count: U32,
    /// Of the payload, in bytes.
    pub(crate) length: U32,
    /// `checksum` of the batch before; of the very first, 0.
    pub(crate) previous_checksum: U64,
    /// Over all fields above and the payload.
    pub(crate) checksum: U64,
    header_checksum: U64,
}

/// Bytes of a batch header that its `checksum` covers: all before it.
const CHAINED: usize = BATCH_HEADER - 16;

impl BatchHeader {
    pub(crate) fn new(
        engine_id: u32,
        epoch: u32,
        first_sequence: Sequence,
        count: u32,
        previous_checksum: u64,
        payload: &[u8],
    ) -> Self {
        let mut header = Self {
            magic: BATCH_MAGIC.into(),
            version: FORMAT_VERSION.into(),
            engine_id: engine_id.into(),
            epoch: epoch.into(),
            first_sequence: first_sequence.into(),
            count: count.into(),
            length: (payload.len() as u32).into(),
            previous_checksum: previous_checksum.into(),
            checksum: 0.into(),
            header_checksum: 0.into(),
        };
        header.checksum = checksum(&[&header.as_bytes()[..CHAINED], payload]).into();
        header.header_checksum = own_checksum(header.as_bytes()).into();
        header
    }

    /// Reads the header at the start of `bytes`, of whatever version: fields may be added to it, but
    /// those that are there keep their places. The payload is not looked at.
    pub(crate) fn parse_any_version(bytes: &[u8]) -> Result<Self, Invalid> {
        let (header, _) = Self::read_from_prefix(bytes)
            .map_err(|_| Invalid::Damaged("the file ends within a batch header"))?;
        if header.magic != BATCH_MAGIC {
            return Err(Invalid::Damaged("no batch begins here"));
        }
        if header.header_checksum != own_checksum(header.as_bytes()) {
            return Err(Invalid::Damaged("the batch header's checksum does not match"));
        }
        Ok(header)
    }

    /// Reads the header at the start of `bytes`; the payload is not looked at.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let header = Self::parse_any_version(bytes)?;
        if header.version != FORMAT_VERSION {
            return Err(Invalid::Version(header.version.get()));
        }
        Ok(header)
    }

    /// Whether the payload is the one this header was written for.
    pub(crate) fn covers(&self, payload: &[u8]) -> bool {
        payload.len() == self.length.get() as usize
            && self.checksum == checksum(&[&self.as_bytes()[..CHAINED], payload])
    }

    /// The last sequence of the batch.
    pub(crate) fn last_sequence(&self) -> Sequence {
        self.first_sequence.get() + u64::from(self.count.get()) - 1
    }
}

/// The first bytes of a group of the event log: the events of whole commands, `first_sequence` to
/// `last_sequence`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct GroupHeader {
    magic: U32,
    version: U32,
    pub(crate) engine_id: U32,
    pub(crate) length: U32,
    pub(crate) first_sequence: U64,
    pub(crate) last_sequence: U64,
    checksum: U64,
    header_checksum: U64,
}

impl GroupHeader {
    pub(crate) fn new(engine_id: u32, first: Sequence, last: Sequence, payload: &[u8]) -> Self {
        let mut header = Self {
            magic: GROUP_MAGIC.into(),
            version: FORMAT_VERSION.into(),
            engine_id: engine_id.into(),
            length: (payload.len() as u32).into(),
            first_sequence: first.into(),
            last_sequence: last.into(),
            checksum: 0.into(),
            header_checksum: 0.into(),
        };
        header.checksum = checksum(&[&header.as_bytes()[..GROUP_HEADER - 16], payload]).into();
        header.header_checksum = own_checksum(header.as_bytes()).into();
        header
    }

    /// Reads the header at the start of `bytes`; the payload is not looked at.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let (header, _) = Self::read_from_prefix(bytes)
            .map_err(|_| Invalid::Damaged("the file ends within a group header"))?;
        if header.magic != GROUP_MAGIC {
            return Err(Invalid::Damaged("no group begins here"));
        }
        if header.header_checksum != own_checksum(header.as_bytes()) {
            return Err(Invalid::Damaged("the group header's checksum does not match"));
        }
        if header.version != FORMAT_VERSION {
            return Err(Invalid::Version(header.version.get()));
        }
        Ok(header)
    }

    /// Whether the payload is the one this header was written for.
    pub(crate) fn covers(&self, payload: &[u8]) -> bool {
        payload.len() == self.length.get() as usize
            && self.checksum == checksum(&[&self.as_bytes()[..GROUP_HEADER - 16], payload])
    }
}

/// The checksum of a header, whose last field holds it.
fn own_checksum(header: &[u8]) -> u64 {
    checksum(&[&header[..header.len() - size_of::<u64>()]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive_the_trip_and_refuse_each_flipped_bit() {
        let segment = SegmentHeader::new(7, 3, 42, 99, 1 << 20);
        let batch = BatchHeader::new(7, 3, 42, 2, 99, &[1; 16]);
        let group = GroupHeader::new(7, 42, 43, &[1; 16]);
        assert_eq!(SegmentHeader::parse(segment.as_bytes()).unwrap().first_sequence, 42);
        assert_eq!(BatchHeader::parse(batch.as_bytes()).unwrap().last_sequence(), 43);
        assert_eq!(GroupHeader::parse(group.as_bytes()).unwrap().last_sequence, 43);
        assert!(batch.covers(&[1; 16]) && group.covers(&[1; 16]));
        assert!(!batch.covers(&[1; 15]) && !batch.covers(&[2; 16]));
        for (good, parse) in [
            (segment.as_bytes(), (|b: &[u8]| SegmentHeader::parse(b).is_ok()) as fn(&[u8]) -> bool),
            (batch.as_bytes(), |b| BatchHeader::parse(b).is_ok()),
            (group.as_bytes(), |b| GroupHeader::parse(b).is_ok()),
        ] {
            let mut bytes = good.to_vec();
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert!(!parse(&bytes), "bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            assert!(!parse(&bytes[..bytes.len() - 1]));
        }
    }

    #[test]
    fn another_version_is_named_not_called_damage() {
        let mut batch = BatchHeader::new(1, 1, 1, 1, 0, &[]);
        batch.version = 9.into();
        batch.header_checksum = own_checksum(batch.as_bytes()).into();
        assert_eq!(BatchHeader::parse(batch.as_bytes()).unwrap_err(), Invalid::Version(9));
    }
}
