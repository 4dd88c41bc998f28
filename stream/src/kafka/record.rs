//! A record of the internal log: what its headers say, and how a batch is cut into records. Refuses to
//! know who sends or receives it.
//!
//! Many commands share a record, so that the broker's rate of records does not bound ours. A command
//! whose chunks do not fit into one has several records of its own, each with the number of its first
//! chunk and all but the last marked: a reader has the command when it has them all.

use crate::{Batch, StreamError, public::v1::events::EventRecord};
use prost::Message as _;
use protocol::{
    Sequence,
    event::{ChunkHeader, EventChunk},
    record::DecodeError,
};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use std::ops::Range;

/// The version of the records this build writes and reads.
pub const RECORD_VERSION: u32 = 1;
/// About so many bytes of chunks make a record.
pub const RECORD_BYTES: usize = 256 * 1024;

/// The names of the headers, also of the public topics' records.
pub(crate) mod header {
    pub const VERSION: &str = "schema-version";
    pub const ENGINE: &str = "engine-id";
    pub const EPOCH: &str = "epoch";
    pub const FIRST: &str = "first-sequence";
    pub const LAST: &str = "last-sequence";
    pub const SEQUENCE: &str = "sequence";
    pub const INDEX: &str = "index";
    pub const LEG: &str = "leg";
    pub const MORE: &str = "more";
    pub const TRACE: &str = "trace-id";
}

/// What a record's headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHead {
    pub engine_id: u32,
    pub epoch: u32,
    /// The first command of which something is here.
    pub first: Sequence,
    /// The last.
    pub last: Sequence,
    /// Which chunk of the first command is the first here.
    pub index: u16,
    /// Whether the last command goes on in the next record.
    pub more: bool,
    /// The first command's trace; each chunk has its own.
    pub trace: u64,
}

impl RecordHead {
    /// Whether it is one of several records of one command.
    pub(crate) fn is_part(&self) -> bool {
        self.index > 0 || self.more
    }

    /// The last command of which this and the records before it have everything.
    pub(crate) fn complete(&self) -> Sequence {
        if self.more { Sequence(self.last.0.saturating_sub(1)) } else { self.last }
    }

    pub(crate) fn headers(&self) -> OwnedHeaders {
        let numbers = [
            (header::VERSION, u64::from(RECORD_VERSION)),
            (header::ENGINE, u64::from(self.engine_id)),
            (header::EPOCH, u64::from(self.epoch)),
            (header::FIRST, self.first.0),
            (header::LAST, self.last.0),
            (header::INDEX, u64::from(self.index)),
            (header::MORE, u64::from(self.more)),
            (header::TRACE, self.trace),
        ];
        numbers.into_iter().fold(OwnedHeaders::new_with_capacity(numbers.len()), |headers, (key, number)| {
            headers.insert(Header { key, value: Some(&number.to_string()) })
        })
    }

    /// Reads the headers of the record at `offset`.
    pub(crate) fn read(headers: Option<&impl Headers>, offset: i64) -> Result<Self, StreamError> {
        let number = |key: &str| {
            let found = headers.and_then(|headers| headers.iter().find(|header| header.key == key));
            let value = found.and_then(|header| header.value).and_then(|value| str::from_utf8(value).ok());
            value.and_then(|value| value.parse::<u64>().ok()).ok_or_else(|| StreamError::Record {
                offset,
                what: format!("its header {key} is missing or no number"),
            })
        };
        let version = number(header::VERSION)?;
        if version != u64::from(RECORD_VERSION) {
            return Err(StreamError::Version { offset, found: version, known: RECORD_VERSION });
        }
        let narrow = |key| number(key).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        let head = Self {
            engine_id: narrow(header::ENGINE)?,
            epoch: narrow(header::EPOCH)?,
            first: Sequence(number(header::FIRST)?),
            last: Sequence(number(header::LAST)?),
            index: u16::try_from(number(header::INDEX)?).unwrap_or(u16::MAX),
            more: number(header::MORE)? != 0,
            trace: number(header::TRACE)?,
        };
        if head.first.0 == 0 || head.first > head.last || (head.is_part() && head.first != head.last) {
            return Err(StreamError::Record {
                offset,
                what: "its sequences contradict each other".to_owned(),
            });
        }
        Ok(head)
    }
}

/// The value's bytes.
pub(crate) fn encode(chunks: &[u8]) -> Vec<u8> {
    EventRecord { chunks: chunks.to_vec() }.encode_to_vec()
}

/// The chunks in a value.
pub(crate) fn decode(value: Option<&[u8]>, offset: i64) -> Result<Vec<u8>, StreamError> {
    let record = EventRecord::decode(value.unwrap_or_default())
        .map_err(|error| StreamError::Record { offset, what: error.to_string() })?;
    Ok(record.chunks)
}

/// Cuts a batch into records of at most `limit` bytes of chunks, but for a single chunk that is larger.
pub(crate) fn records(batch: &Batch, limit: usize) -> Result<Vec<(RecordHead, &[u8])>, DecodeError> {
    let mut records: Vec<(RecordHead, &[u8])> = Vec::new();
    // The record that may still grow: its head, and where its chunks are.
    let mut open: Option<(RecordHead, Range<usize>)> = None;
    // The first command that is in no record yet.
    let mut next = batch.first;
    let empty = |first, last| RecordHead {
        engine_id: batch.engine_id,
        epoch: batch.epoch,
        first,
        last,
        index: 0,
        more: false,
        trace: 0,
    };
    let mut rest = &batch.chunks[..];
    while !rest.is_empty() {
        let start = batch.chunks.len() - rest.len();
        let (header, is_split) = take_command(&mut rest)?;
        let range = start..batch.chunks.len() - rest.len();
        let sequence = header.sequence;
        if is_split && range.len() > limit {
            // Commands without events before it belong to the record before it.
            let before = Sequence(sequence.0 - 1);
            match open.take() {
                Some((head, range)) => {
                    records.push((RecordHead { last: before, ..head }, &batch.chunks[range]));
                }
                None if next < sequence => records.push((empty(next, before), &[])),
                None => {}
            }
            let head = RecordHead { trace: header.trace, ..empty(sequence, sequence) };
            split(head, &batch.chunks[range], limit, &mut records)?;
        } else if let Some((head, growing)) = &mut open
            && range.end - growing.start <= limit
        {
            head.last = sequence;
            growing.end = range.end;
        } else {
            records.extend(open.take().map(|(head, range)| (head, &batch.chunks[range])));
            open = Some((RecordHead { trace: header.trace, ..empty(next, sequence) }, range));
        }
        next = sequence.next();
    }
    match open {
        Some((head, range)) => {
            records.push((RecordHead { last: batch.last, ..head }, &batch.chunks[range]));
        }
        None if next <= batch.last => records.push((empty(next, batch.last), &[])),
        None => {}
    }
    Ok(records)
}

/// Moves past the chunks of one command; gives its first header, and whether it has more than one chunk.
fn take_command(bytes: &mut &[u8]) -> Result<(ChunkHeader, bool), DecodeError> {
    let first = EventChunk::take(bytes)?.header;
    let mut is_split = false;
    let mut last = first.last;
    while last == 0 && !bytes.is_empty() {
        last = EventChunk::take(bytes)?.header.last;
        is_split = true;
    }
    Ok((first, is_split))
}

/// Cuts one command into records of its own.
fn split<'a>(
    head: RecordHead,
    chunks: &'a [u8],
    limit: usize,
    records: &mut Vec<(RecordHead, &'a [u8])>,
) -> Result<(), DecodeError> {
    let mut start = 0;
    let mut index = 0;
    let mut rest = chunks;
    while !rest.is_empty() {
        let before = chunks.len() - rest.len();
        let number = EventChunk::take(&mut rest)?.header.chunk;
        let after = chunks.len() - rest.len();
        if after - start > limit && before > start {
            records.push((RecordHead { index, more: true, ..head }, &chunks[start..before]));
            (start, index) = (before, number);
        }
    }
    records.push((RecordHead { index, more: false, ..head }, &chunks[start..]));
    Ok(())
}
