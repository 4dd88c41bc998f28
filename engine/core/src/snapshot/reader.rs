//! Takes numbers and bytes off a snapshot, as [`super::Writer`] put them. Refuses to know what they
//! mean, and to go past the end.

use super::SnapshotError;
use protocol::ClientOrderId;
use zerocopy::TryFromBytes;

/// Reads a snapshot.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// What is being read, for errors.
    part: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(content: &'a [u8]) -> Self {
        Self { rest: content, part: "head" }
    }

    /// Names what comes next.
    pub(crate) fn part(&mut self, part: &'static str) {
        self.part = part;
    }

    /// What comes cannot be.
    pub(crate) fn impossible(&self) -> SnapshotError {
        SnapshotError::Impossible { part: self.part }
    }

    /// Refuses what an engine would not have written.
    pub(crate) fn check(&self, possible: bool) -> Result<(), SnapshotError> {
        if possible { Ok(()) } else { Err(self.impossible()) }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], SnapshotError> {
        let (front, rest) =
            self.rest.split_at_checked(length).ok_or(SnapshotError::CutShort { part: self.part })?;
        self.rest = rest;
        Ok(front)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let (front, rest) =
            self.rest.split_first_chunk().ok_or(SnapshotError::CutShort { part: self.part })?;
        self.rest = rest;
        Ok(*front)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, SnapshotError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn bool(&mut self) -> Result<bool, SnapshotError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.impossible()),
        }
    }

    pub(crate) fn u16(&mut self) -> Result<u16, SnapshotError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, SnapshotError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, SnapshotError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, SnapshotError> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn i128(&mut self) -> Result<i128, SnapshotError> {
        self.array().map(i128::from_le_bytes)
    }

    pub(crate) fn u128(&mut self) -> Result<u128, SnapshotError> {
        self.array().map(u128::from_le_bytes)
    }

    /// How many follow: no more than there are bytes, so that a wrong count asks for no memory.
    pub(crate) fn count(&mut self) -> Result<usize, SnapshotError> {
        let count = self.u64()?;
        usize::try_from(count).ok().filter(|count| *count <= self.rest.len()).ok_or_else(|| self.impossible())
    }

    /// A struct of the protocol.
    pub(crate) fn plain<T: TryFromBytes>(&mut self) -> Result<T, SnapshotError> {
        let bytes = self.take(size_of::<T>())?;
        T::try_read_from_bytes(bytes).map_err(|_| self.impossible())
    }

    /// A client order id of which there may be none.
    pub(crate) fn client_order_id(&mut self) -> Result<Option<ClientOrderId>, SnapshotError> {
        if self.bool()? { self.plain().map(Some) } else { Ok(None) }
    }

    pub(super) fn end(mut self) -> Result<(), SnapshotError> {
        self.part("end");
        self.check(self.rest.is_empty())
    }
}
