//! Numbers and bytes, little-endian, one after the other, handed on in pieces. Refuses to know what
//! they mean.

/// Handed on when so many bytes are there.
const PIECE_BYTES: usize = 64 * 1024;

/// Writes a snapshot.
pub(crate) struct Writer<'a> {
    sink: &'a mut dyn FnMut(&[u8]),
    piece: Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(sink: &'a mut dyn FnMut(&[u8])) -> Self {
        Self { sink, piece: Vec::with_capacity(PIECE_BYTES) }
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.piece.len() + bytes.len() > PIECE_BYTES {
            (self.sink)(&self.piece);
            self.piece.clear();
        }
        self.piece.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, number: u8) {
        self.put(&[number]);
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    pub(crate) fn u16(&mut self, number: u16) {
        self.put(&number.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }

    pub(crate) fn numbers(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.u64(*number);
        }
    }

    pub(crate) fn i64(&mut self, number: i64) {
        self.put(&number.to_le_bytes());
    }

    pub(crate) fn i128(&mut self, number: i128) {
        self.put(&number.to_le_bytes());
    }

    pub(crate) fn u128(&mut self, number: u128) {
        self.put(&number.to_le_bytes());
    }

    /// How many follow.
    pub(crate) fn count(&mut self, count: usize) {
        self.u64(count as u64);
    }

    /// A struct of the protocol, in its own layout.
    pub(crate) fn plain(&mut self, value: &(impl zerocopy::IntoBytes + zerocopy::Immutable)) {
        self.put(value.as_bytes());
    }

    /// A client order id of which there may be none.
    pub(crate) fn client_order_id(&mut self, id: Option<&protocol::ClientOrderId>) {
        self.bool(id.is_some());
        if let Some(id) = id {
            self.plain(id);
        }
    }

    pub(crate) fn finish(self) {
        (self.sink)(&self.piece);
    }
}
