//! What a stream gives at a time. Refuses to know where it came from.

use protocol::{Sequence, event::EventChunk, record::DecodeError};

/// The events of whole commands, `first` to `last` without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose events.
    pub engine_id: u32,
    /// Which opening of that engine published them; never less than the batch's before.
    pub epoch: u32,
    /// The first command.
    pub first: Sequence,
    /// The last command.
    pub last: Sequence,
    /// The commands' chunks, one after the other; see [`EventChunk::all`].
    pub chunks: Vec<u8>,
}

impl Batch {
    /// Drops the commands up to `position`; nothing is left of a batch that ends there or before.
    ///
    /// # Errors
    /// When the chunks cannot be read.
    pub(crate) fn after(mut self, position: Sequence) -> Result<Option<Self>, DecodeError> {
        if self.last <= position {
            return Ok(None);
        }
        if self.first <= position {
            let known = EventChunk::up_to(&self.chunks, position)?.len();
            self.chunks.drain(..known);
            self.first = position.next();
        }
        Ok(Some(self))
    }
}
