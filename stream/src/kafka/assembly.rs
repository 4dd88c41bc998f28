//! Makes batches of records again: drops what was there before, puts together what was split, refuses
//! what does not belong. It is what makes a reader see everything once, whatever the broker, the
//! publisher and their restarts did. Refuses to know brokers.

use super::record::RecordHead;
use crate::{Batch, StreamError};
use protocol::{Sequence, event::EventChunk};
use tracing::warn;

/// Where a reader of records is.
#[derive(Debug)]
pub(crate) struct Assembly {
    /// Whose records; `None` before the first.
    engine_id: Option<u32>,
    /// The newest epoch seen.
    epoch: u32,
    /// The last command given.
    position: Sequence,
    /// What is there of the command after it, when not all of it is.
    part: Option<Part>,
    /// Records dropped because all that they have was there.
    repeated: u64,
    /// Records refused because a newer epoch has begun.
    fenced: u64,
}

#[derive(Debug)]
struct Part {
    next_chunk: u16,
    chunks: Vec<u8>,
}

impl Assembly {
    /// After `position`.
    pub(crate) fn new(position: Sequence) -> Self {
        Self { engine_id: None, epoch: 0, position, part: None, repeated: 0, fenced: 0 }
    }

    /// Says whose records must come, and of which epoch at least.
    pub(crate) fn expect(&mut self, engine_id: u32, epoch: u32) {
        self.engine_id = Some(engine_id);
        self.epoch = self.epoch.max(epoch);
    }

    /// The last command given.
    pub(crate) fn position(&self) -> Sequence {
        self.position
    }

    /// Records of a lower epoch that were refused.
    pub(crate) fn fenced(&self) -> u64 {
        self.fenced
    }

    /// Records that were there already.
    pub(crate) fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Takes the record at `offset`; gives the commands that are complete with it and were not there.
    ///
    /// # Errors
    /// A gap, another engine, chunks that cannot be read. Nothing was taken then.
    pub(crate) fn accept(
        &mut self,
        head: &RecordHead,
        chunks: Vec<u8>,
        offset: i64,
    ) -> Result<Option<Batch>, StreamError> {
        if let Some(expected) = self.engine_id
            && expected != head.engine_id
        {
            return Err(StreamError::OtherEngine { expected, found: head.engine_id });
        }
        if head.epoch < self.epoch {
            self.refuse(head, offset);
            return Ok(None);
        }
        let expected = self.position.next();
        if head.last > self.position && head.first > expected {
            return Err(StreamError::Gap { expected, found: head.first });
        }
        self.check(head, &chunks, offset)?;
        self.engine_id = Some(head.engine_id);
        if head.epoch > self.epoch {
            // It begins with whole commands; what the one before left unfinished comes again.
            self.epoch = head.epoch;
            self.part = None;
        }
        if head.last <= self.position {
            self.repeated += 1;
            return Ok(None);
        }
        let chunks = if head.is_part() {
            match self.join(head, &chunks, offset)? {
                Some(whole) => whole,
                None => return Ok(None),
            }
        } else {
            chunks
        };
        let batch = Batch {
            engine_id: head.engine_id,
            epoch: head.epoch,
            first: head.first,
            last: head.last,
            chunks,
        };
        let batch = batch.after(self.position).map_err(|source| self.unreadable(source))?;
        self.position = head.last;
        self.part = None;
        Ok(batch)
    }

    /// Told once in a while: an engine that was replaced publishes until somebody stops it.
    fn refuse(&mut self, head: &RecordHead, offset: i64) {
        self.fenced += 1;
        if self.fenced.is_power_of_two() {
            warn!(
                offset,
                epoch = head.epoch,
                newest = self.epoch,
                refused = self.fenced,
                "refused a record of an engine that was replaced; stop that engine"
            );
        }
    }

    /// Every chunk can be read, and is of a command that the headers name.
    fn check(&self, head: &RecordHead, chunks: &[u8], offset: i64) -> Result<(), StreamError> {
        let mut sequence = head.first;
        for chunk in EventChunk::all(chunks) {
            let found = chunk.map_err(|source| self.unreadable(source))?.header.sequence;
            if found < sequence || found > head.last {
                let what = format!("it holds command {found}, and says {} to {}", head.first, head.last);
                return Err(StreamError::Record { offset, what });
            }
            sequence = found;
        }
        Ok(())
    }

    /// Adds the chunks that are not there yet; gives the command's when it is whole.
    fn join(
        &mut self,
        head: &RecordHead,
        chunks: &[u8],
        offset: i64,
    ) -> Result<Option<Vec<u8>>, StreamError> {
        let part = self.part.get_or_insert(Part { next_chunk: 0, chunks: Vec::new() });
        let mut rest = chunks;
        while !rest.is_empty() {
            let before = rest;
            // `check` has read them all.
            let Ok(chunk) = EventChunk::take(&mut rest) else { break };
            let number = chunk.header.chunk;
            if number > part.next_chunk {
                let what = format!(
                    "chunk {number} of command {} came where {} must be",
                    head.first, part.next_chunk
                );
                return Err(StreamError::Record { offset, what });
            }
            if number == part.next_chunk {
                part.chunks.extend_from_slice(&before[..before.len() - rest.len()]);
                part.next_chunk += 1;
            }
        }
        if head.more {
            return Ok(None);
        }
        Ok(self.part.take().map(|part| part.chunks))
    }

    fn unreadable(&self, source: protocol::record::DecodeError) -> StreamError {
        StreamError::Unreadable { position: self.position, source }
    }
}
