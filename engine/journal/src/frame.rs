//! One frame of a log, read through a window: a header, and the payload that it is for. It does not
//! know which frame should stand at a place, nor what is done when none does.

use std::io;

use crate::Sequence;
use crate::error::ReadError;
use crate::layout::{BATCH_HEADER, BatchHeader, FORMAT_VERSION, GROUP_HEADER, GroupHeader, Invalid};
use crate::segment_file::ReadAt;
use crate::segments::segment_path;
use crate::storage::Storage;
use crate::window::Window;

/// A header that says how long its payload is and what its checksum must be.
pub(crate) trait FrameHeader: Sized {
    /// Its own length in bytes.
    const BYTES: usize;
    /// What is said of a file that ends before the payload does.
    const CUT_SHORT: &'static str;
    /// What is said of a payload that is not the header's.
    const NOT_ITS_PAYLOAD: &'static str;

    /// Reads the header at the start of `bytes`.
    fn parse(bytes: &[u8]) -> Result<Self, Invalid>;
    /// Bytes of the payload.
    fn payload_length(&self) -> usize;
    /// Whether the payload is the one this header was written for.
    fn covers(&self, payload: &[u8]) -> bool;
}

impl FrameHeader for BatchHeader {
    const BYTES: usize = BATCH_HEADER;
    const CUT_SHORT: &'static str = "the file ends within a batch";
    const NOT_ITS_PAYLOAD: &'static str = "the batch's checksum does not match";

    fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        Self::parse(bytes)
    }

    fn payload_length(&self) -> usize {
        self.length.get() as usize
    }

    fn covers(&self, payload: &[u8]) -> bool {
        self.covers(payload)
    }
}

impl FrameHeader for GroupHeader {
    const BYTES: usize = GROUP_HEADER;
    const CUT_SHORT: &'static str = "the file ends within a group";
    const NOT_ITS_PAYLOAD: &'static str = "the group's checksum does not match";

    fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        Self::parse(bytes)
    }

    fn payload_length(&self) -> usize {
        self.length.get() as usize
    }

    fn covers(&self, payload: &[u8]) -> bool {
        self.covers(payload)
    }
}

/// A segment of a log, for what is said about it.
#[derive(Debug)]
pub(crate) struct Segment<'a, S> {
    pub(crate) storage: &'a S,
    pub(crate) directory: &'a str,
    /// What its name ends with beyond a segment's own.
    pub(crate) suffix: &'static str,
    pub(crate) first: Sequence,
}

impl<S: Storage> Segment<'_, S> {
    /// Where it is, as the storage knows it.
    pub(crate) fn path(&self) -> String {
        segment_path(self.directory, self.first) + self.suffix
    }

    /// The same, as an operator knows it.
    pub(crate) fn file(&self) -> String {
        self.storage.locate(&self.path())
    }

    /// The system refused to read it.
    pub(crate) fn unreadable(&self, source: io::Error) -> ReadError {
        ReadError::Io { file: self.file(), source }
    }

    /// It is damaged at `offset`.
    pub(crate) fn corrupt(&self, offset: u64, what: &'static str) -> ReadError {
        ReadError::Corrupt { file: self.file(), offset, what }
    }

    /// Damage as text; a version we do not know is an error at once, for nothing after it can be
    /// judged.
    pub(crate) fn damage(&self, offset: u64, invalid: Invalid) -> Result<&'static str, ReadError> {
        match invalid {
            Invalid::Damaged(what) => Ok(what),
            Invalid::Version(found) => {
                Err(ReadError::Version { file: self.file(), offset, found, known: FORMAT_VERSION })
            }
        }
    }

    /// The header of the frame at `offset` if header and payload are whole and belong together; or
    /// what is wrong there.
    pub(crate) fn read_frame<H: FrameHeader>(
        &self,
        file: &impl ReadAt,
        window: &mut Window,
        offset: u64,
    ) -> Result<Result<H, &'static str>, ReadError> {
        let bytes = window.get(file, offset, H::BYTES).map_err(|source| self.unreadable(source))?;
        let header = match H::parse(bytes) {
            Ok(header) => header,
            Err(invalid) => return self.damage(offset, invalid).map(Err),
        };
        let length = H::BYTES + header.payload_length();
        let whole = window.get(file, offset, length).map_err(|source| self.unreadable(source))?;
        Ok(if whole.len() < length {
            Err(H::CUT_SHORT)
        } else if !header.covers(&whole[H::BYTES..]) {
            Err(H::NOT_ITS_PAYLOAD)
        } else {
            Ok(header)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Access, SimulatedStorage};
    use zerocopy::IntoBytes;

    #[test]
    fn what_is_wrong_with_a_frame_is_said() {
        let payload = [5; 24];
        let header = BatchHeader::new(7, 1, 1, 1, 0, &payload);
        let good = [header.as_bytes(), &payload].concat();
        let spoilt = |at: usize| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        };
        let cases = [
            (good.clone(), Ok(())),
            (good[..BATCH_HEADER - 1].to_vec(), Err("the file ends within a batch header")),
            (good[..BATCH_HEADER + 23].to_vec(), Err(BatchHeader::CUT_SHORT)),
            (good[..BATCH_HEADER].to_vec(), Err(BatchHeader::CUT_SHORT)),
            ([&good[..], &[9]].concat(), Ok(())),
            (spoilt(0), Err("no batch begins here")),
            (spoilt(20), Err("the batch header's checksum does not match")),
            (spoilt(BATCH_HEADER + 3), Err(BatchHeader::NOT_ITS_PAYLOAD)),
        ];
        let storage = SimulatedStorage::new();
        let segment = Segment { storage: &storage, directory: "journal", suffix: "", first: 1 };
        for (bytes, expected) in cases {
            storage.set_content("frame", bytes);
            let file = storage.open("frame", Access::Read).unwrap();
            let found = segment.read_frame::<BatchHeader>(&file, &mut Window::new(), 0).unwrap();
            assert_eq!(found.map(|_| ()), expected);
        }
    }
}
