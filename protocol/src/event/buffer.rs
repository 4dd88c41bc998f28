//! Where the core writes events: a bounded buffer owned by the caller. When it is full the chunk
//! is closed and handed off, and the command goes on in a new one, so that a command with many
//! events needs no more memory than one with few. Refuses to know what the events say.

use super::{ChunkHeader, EVENT_VERSION, EventHeader, EventKind, NOT_ATTEMPTED};
use crate::{
    ClientOrderId, Sequence, Time,
    command::{CommandHeader, HAS_FIRST_ID, HAS_TERMS},
};
use std::mem::offset_of;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

const HEADER: usize = size_of::<ChunkHeader>();
/// No event is longer, its ids included.
const EVENT_LENGTH_MAX: usize = 512;

/// Takes the bytes of whole chunks when the buffer is full.
pub type HandOff = Box<dyn FnMut(&[u8]) + Send>;

/// A buffer of event chunks.
pub struct EventBuffer {
    /// Always as long as the capacity; `used` says how much is written.
    bytes: Vec<u8>,
    used: usize,
    /// Where the open chunk begins.
    chunk_start: usize,
    /// The engine's count of events, those of the open command included.
    events: u64,
    hand_off: Option<HandOff>,
}

impl std::fmt::Debug for EventBuffer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EventBuffer").field("used", &self.used).finish_non_exhaustive()
    }
}

impl EventBuffer {
    /// A buffer that grows when it is full: for tools and tests.
    pub fn growing() -> Self {
        Self::new(4096, None)
    }

    /// A buffer of `capacity` bytes (at least 1 KiB) that hands its chunks off when it is full.
    pub fn bounded(capacity: usize, hand_off: HandOff) -> Self {
        Self::new(capacity, Some(hand_off))
    }

    fn new(capacity: usize, hand_off: Option<HandOff>) -> Self {
        let bytes = vec![0; capacity.max(HEADER + EVENT_LENGTH_MAX)];
        Self { bytes, used: 0, chunk_start: 0, events: 0, hand_off }
    }

    /// The chunks written since the last [`EventBuffer::clear`] and not handed off.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// Forgets what was written.
    pub fn clear(&mut self) {
        self.used = 0;
    }

    /// Opens the first chunk of a command; `first_event` is the engine's count of events so far.
    #[inline]
    pub fn begin(&mut self, command: &CommandHeader, sequence: Sequence, time: Time, first_event: u64) {
        self.events = first_event;
        self.open_chunk(ChunkHeader {
            length: 0,
            chunk: 0,
            last: 0,
            version: EVENT_VERSION,
            sequence,
            time,
            source: command.source,
            code: 0,
            cancel_code: NOT_ATTEMPTED,
            number: command.number,
            result: 0,
            first_event,
            trace: command.trace,
            kind: command.kind,
            repeat: 0,
            reserved: [0; 6],
        });
    }

    /// The header goes straight into the buffer; what is not known yet is set when the chunk
    /// closes. (Kept apart and copied at the end, it would be read before its parts have left the
    /// processor's store buffer, which costs more than all else here.)
    #[inline]
    fn open_chunk(&mut self, header: ChunkHeader) {
        if self.used + HEADER + EVENT_LENGTH_MAX > self.bytes.len() {
            self.make_room();
        }
        self.chunk_start = self.used;
        self.bytes[self.used..self.used + HEADER].copy_from_slice(header.as_bytes());
        self.used += HEADER;
    }

    /// Appends an event.
    #[inline]
    pub fn push<T: IntoBytes + Immutable>(&mut self, kind: EventKind, body: &T) {
        self.push_parts(kind, body, 0, None);
    }

    /// Appends an event and, as `mask` says, the client order id that follows it.
    #[inline]
    pub fn push_with_id<T: IntoBytes + Immutable>(
        &mut self,
        kind: EventKind,
        body: &T,
        mask: u8,
        id: Option<&ClientOrderId>,
    ) {
        match id {
            Some(id) => self.push_parts(kind, body, mask, Some(id)),
            None => self.push_parts(kind, body, 0, None),
        }
    }

    /// Appends an event, the client order id that follows it, and the part that follows that.
    #[cold]
    pub fn push_with_terms<T: IntoBytes + Immutable, S: IntoBytes + Immutable>(
        &mut self,
        kind: EventKind,
        body: &T,
        id: Option<&ClientOrderId>,
        terms: &S,
    ) {
        let ids = HAS_TERMS | if id.is_some() { HAS_FIRST_ID } else { 0 };
        let mut bytes = [0_u8; EVENT_LENGTH_MAX];
        let mut length = 0;
        for part in [body.as_bytes(), id.map_or(&[][..], ClientOrderId::as_bytes), terms.as_bytes()] {
            bytes[length..length + part.len()].copy_from_slice(part);
            length += part.len();
        }
        let whole = size_of::<EventHeader>() + length;
        debug_assert!(whole <= EVENT_LENGTH_MAX && whole.is_multiple_of(8), "an event has a fixed layout");
        if self.used + whole > self.bytes.len() {
            self.continue_in_new_chunk();
        }
        let header = EventHeader { length: whole as u16, kind, ids, reserved: 0 };
        let (head, rest) = self.bytes[self.used..self.used + whole].split_at_mut(size_of::<EventHeader>());
        head.copy_from_slice(header.as_bytes());
        rest.copy_from_slice(&bytes[..length]);
        self.used += whole;
        self.events += 1;
    }

    // Inlined always: the body is then written field by field where it belongs.
    #[inline(always)]
    fn push_parts<T: IntoBytes + Immutable>(
        &mut self,
        kind: EventKind,
        body: &T,
        ids: u8,
        id: Option<&ClientOrderId>,
    ) {
        const EVENT_HEADER: usize = size_of::<EventHeader>();
        let id_length = if id.is_some() { size_of::<ClientOrderId>() } else { 0 };
        let length = EVENT_HEADER + size_of::<T>() + id_length;
        debug_assert!(length <= EVENT_LENGTH_MAX && length.is_multiple_of(8), "an event has a fixed layout");
        if self.used + length > self.bytes.len() {
            self.continue_in_new_chunk();
        }
        let header = EventHeader { length: length as u16, kind, ids, reserved: 0 };
        let (head, rest) = self.bytes[self.used..self.used + length].split_at_mut(EVENT_HEADER);
        head.copy_from_slice(header.as_bytes());
        let (middle, tail) = rest.split_at_mut(size_of::<T>());
        middle.copy_from_slice(body.as_bytes());
        if let Some(id) = id {
            tail.copy_from_slice(id.as_bytes());
        }
        self.used += length;
        self.events += 1;
    }

    /// Closes the command's last chunk; returns the engine's new count of events.
    #[inline]
    pub fn finish(&mut self, code: u16, cancel_code: u16, result: u64) -> u64 {
        let header = self.open_header();
        set(header, offset_of!(ChunkHeader, code), code.to_le_bytes());
        set(header, offset_of!(ChunkHeader, cancel_code), cancel_code.to_le_bytes());
        set(header, offset_of!(ChunkHeader, result), result.to_le_bytes());
        self.close_chunk(true);
        self.events
    }

    /// Marks the open command as a repeat of one already done.
    pub fn mark_repeat(&mut self) {
        set(self.open_header(), offset_of!(ChunkHeader, repeat), [1]);
    }

    #[inline]
    fn close_chunk(&mut self, last: bool) {
        let length = (self.used - self.chunk_start) as u32; // far below 2^32: one buffer
        let header = self.open_header();
        set(header, offset_of!(ChunkHeader, length), length.to_le_bytes());
        set(header, offset_of!(ChunkHeader, last), [u8::from(last)]);
    }

    /// The bytes of the open chunk's header.
    #[inline]
    fn open_header(&mut self) -> &mut [u8; HEADER] {
        self.bytes[self.chunk_start..].first_chunk_mut().expect("a chunk was opened, header and all")
    }

    #[cold]
    fn continue_in_new_chunk(&mut self) {
        self.close_chunk(false);
        let written = &self.bytes[self.chunk_start..self.chunk_start + HEADER];
        let header = ChunkHeader::try_read_from_bytes(written).expect("the header that was just written");
        self.open_chunk(ChunkHeader { chunk: header.chunk + 1, first_event: self.events, ..header });
    }

    #[cold]
    fn make_room(&mut self) {
        if let Some(hand_off) = &mut self.hand_off {
            hand_off(&self.bytes[..self.used]);
            self.used = 0;
        } else {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
    }
}

/// Writes a field of a header; the offset is the compiler's, so nothing is checked at run time.
#[inline]
fn set<const N: usize>(header: &mut [u8; HEADER], offset: usize, value: [u8; N]) {
    header[offset..offset + N].copy_from_slice(&value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccountId, SourceId, SourceNumber,
        command::{Command, CommandRecord},
        event::{AccountResumed, Event, EventChunk},
    };
    use std::sync::{Arc, Mutex};

    fn write(buffer: &mut EventBuffer, events: u32) -> u64 {
        let bytes = Command::Tick.encode(SourceId(4), SourceNumber(5), 6);
        let record = CommandRecord::parse(&bytes).expect("a record");
        buffer.begin(record.header, Sequence(7), Time(8), 100);
        for index in 0..events {
            let body = AccountResumed { account: AccountId(index), reserved: 0 };
            buffer.push(EventKind::AccountResumed, &body);
        }
        buffer.finish(0, NOT_ATTEMPTED, 9)
    }

    fn check(bytes: &[u8], events: u32) -> u16 {
        let chunks: Vec<_> = EventChunk::all(bytes).map(|chunk| chunk.expect("a chunk")).collect();
        let mut expected = 0;
        for (index, chunk) in chunks.iter().enumerate() {
            let header = chunk.header;
            assert_eq!(usize::from(header.chunk), index);
            assert_eq!(header.last == 1, index + 1 == chunks.len());
            assert_eq!((header.sequence, header.time, header.source), (Sequence(7), Time(8), SourceId(4)));
            assert_eq!(header.first_event, 100 + u64::from(expected));
            for event in chunk.events() {
                let body = AccountResumed { account: AccountId(expected), reserved: 0 };
                assert_eq!(event, Ok(Event::AccountResumed(body)));
                expected += 1;
            }
        }
        assert_eq!(expected, events);
        chunks.last().expect("at least one").header.chunk
    }

    #[test]
    fn a_growing_buffer_keeps_everything() {
        let mut buffer = EventBuffer::growing();
        assert_eq!(write(&mut buffer, 3_000), 3_100);
        check(buffer.bytes(), 3_000);
        buffer.clear();
        assert_eq!(write(&mut buffer, 0), 100);
        assert_eq!(check(buffer.bytes(), 0), 0);
    }

    #[test]
    fn a_bounded_buffer_hands_off_whole_chunks() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let hand_off =
            Box::new(move |bytes: &[u8]| sink.lock().expect("not poisoned").extend_from_slice(bytes));
        let mut buffer = EventBuffer::bounded(1_024, hand_off);
        write(&mut buffer, 1_000);
        let mut bytes = seen.lock().expect("not poisoned").clone();
        bytes.extend_from_slice(buffer.bytes());
        assert!(check(&bytes, 1_000) > 10);
    }
}
