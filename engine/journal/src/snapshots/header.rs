//! The first bytes of a snapshot file, and what makes them valid. It does not know files, nor what the
//! payload means. All numbers are little-endian.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::SnapshotInfo;
use crate::checksum::checksum;
use crate::layout::{FORMAT_VERSION, Invalid};

const MAGIC: u64 = u64::from_le_bytes(*b"RIALTOS\n");

/// The header's length in bytes: where the payload begins.
pub(super) const HEADER: usize = size_of::<Header>();

/// What stands before the payload.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Header {
    magic: U64,
    version: U32,
    engine_id: U32,
    epoch: U32,
    rules_version: U32,
    content_version: U32,
    reserved: U32,
    sequence: U64,
    pub(super) payload_length: U64,
    state_hash: [u8; 32],
    pub(super) payload_checksum: U64,
    own_checksum: U64,
}

impl Header {
    pub(super) fn new(info: &SnapshotInfo, payload_length: u64, payload_checksum: u64) -> Self {
        let mut header = Self {
            magic: MAGIC.into(),
            version: FORMAT_VERSION.into(),
            engine_id: info.engine_id.into(),
            epoch: info.epoch.into(),
            rules_version: info.rules_version.into(),
            content_version: info.content_version.into(),
            reserved: 0.into(),
            sequence: info.sequence.into(),
            payload_length: payload_length.into(),
            state_hash: info.state_hash,
            payload_checksum: payload_checksum.into(),
            own_checksum: 0.into(),
        };
        header.own_checksum = header.checksum_of_header().into();
        header
    }

    /// Reads the header at the start of `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let (header, _) = Self::read_from_prefix(bytes)
            .map_err(|_| Invalid::Damaged("the file is shorter than a snapshot header"))?;
        if header.magic != MAGIC {
            return Err(Invalid::Damaged("the file does not begin with a snapshot's magic number"));
        }
        if header.own_checksum != header.checksum_of_header() {
            return Err(Invalid::Damaged("the header's checksum does not match"));
        }
        if header.version != FORMAT_VERSION {
            return Err(Invalid::Version(header.version.get()));
        }
        Ok(header)
    }

    pub(super) fn info(&self) -> SnapshotInfo {
        SnapshotInfo {
            sequence: self.sequence.get(),
            engine_id: self.engine_id.get(),
            epoch: self.epoch.get(),
            rules_version: self.rules_version.get(),
            content_version: self.content_version.get(),
            state_hash: self.state_hash,
        }
    }

    fn checksum_of_header(&self) -> u64 {
        checksum(&[&self.as_bytes()[..HEADER - size_of::<u64>()]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_another_version_is_named_not_called_damage() {
        let info = SnapshotInfo {
            sequence: 1,
            engine_id: 2,
            epoch: 3,
            rules_version: 4,
            content_version: 5,
            state_hash: [6; 32],
        };
        let mut header = Header::new(&info, 7, 8);
        assert_eq!(Header::parse(header.as_bytes()).unwrap().info(), info);
        header.version = 9.into();
        header.own_checksum = header.checksum_of_header().into();
        assert_eq!(Header::parse(header.as_bytes()).unwrap_err(), Invalid::Version(9));
    }
}
