//! Reads the event log group by group up to the last whole one, of a stopped or a live directory.

use crate::Sequence;
use crate::error::ReadError;
use crate::frame::{FrameHeader as _, Segment};
use crate::layout::{GROUP_HEADER, GroupHeader};
use crate::segments::{EVENTS, list_segments};
use crate::storage::{Access, Storage};
use crate::window::Window;

/// The events of whole commands, `first_sequence` to `last_sequence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventGroup<'a> {
    /// The first command whose events are here.
    pub first_sequence: Sequence,
    /// The last command whose events are here.
    pub last_sequence: Sequence,
    /// The chunks, one after the other; see [`Chunks`](crate::Chunks).
    pub payload: &'a [u8],
}

/// Reads groups in order.
#[derive(Debug)]
pub struct EventReader<S: Storage> {
    storage: S,
    from: Sequence,
    current: Option<Current<S::File>>,
    next_sequence: Option<Sequence>,
    engine_id: Option<u32>,
    /// The first command whose events were read.
    first_sequence: Option<Sequence>,
    window: Window,
}

#[derive(Debug)]
struct Current<F> {
    first: Sequence,
    file: F,
    offset: u64,
}

impl<S: Storage> EventReader<S> {
    /// A reader that begins with the group that holds `from` (0: with the first there is).
    pub fn open(storage: S, from: Sequence) -> Result<Self, ReadError> {
        let mut reader = Self {
            storage,
            from,
            current: None,
            next_sequence: None,
            engine_id: None,
            first_sequence: None,
            window: Window::new(),
        };
        reader.find_start()?;
        Ok(reader)
    }

    fn find_start(&mut self) -> Result<(), ReadError> {
        let segments = self.segments()?;
        let Some(&oldest) = segments.first() else { return Ok(()) };
        let first = match self.from {
            0 => oldest,
            wanted => *segments.iter().rev().find(|first| **first <= wanted).ok_or_else(|| {
                ReadError::Deleted { file: self.storage.locate(EVENTS), wanted, first: oldest }
            })?,
        };
        self.enter(first)
    }

    fn segments(&self) -> Result<Vec<Sequence>, ReadError> {
        list_segments(&self.storage, EVENTS)
            .map_err(|source| ReadError::Io { file: self.storage.locate(EVENTS), source })
    }

    fn enter(&mut self, first: Sequence) -> Result<(), ReadError> {
        let segment = Segment { storage: &self.storage, directory: EVENTS, suffix: "", first };
        let file =
            self.storage.open(&segment.path(), Access::Read).map_err(|source| segment.unreadable(source))?;
        self.window.forget();
        self.next_sequence = Some(first);
        self.current = Some(Current { first, file, offset: 0 });
        Ok(())
    }

    /// The next group; `None` after the last whole one, where a later call looks again. Groups are
    /// given whole: the first may begin before the sequence asked for.
    pub fn next_group(&mut self) -> Result<Option<EventGroup<'_>>, ReadError> {
        let header = loop {
            match self.advance()? {
                Some(header) if header.last_sequence < self.from => {}
                Some(header) => break header,
                None => return Ok(None),
            }
        };
        let length = header.payload_length();
        // `advance` returned a group, so there is a current segment; without one there are no bytes.
        let payload = match &self.current {
            Some(Current { first, file, offset }) => {
                let segment =
                    Segment { storage: &self.storage, directory: EVENTS, suffix: "", first: *first };
                self.window
                    .get(file, offset - length as u64, length)
                    .map_err(|source| segment.unreadable(source))?
            }
            None => &[],
        };
        Ok(Some(EventGroup {
            first_sequence: header.first_sequence.get(),
            last_sequence: header.last_sequence.get(),
            payload,
        }))
    }

    pub(super) fn advance(&mut self) -> Result<Option<GroupHeader>, ReadError> {
        if self.current.is_none() {
            self.find_start()?;
        }
        loop {
            if let Some(header) = self.read_group()? {
                return Ok(Some(header));
            }
            // The list first, the place again after it, as in the command log.
            let segments = self.segments()?;
            self.window.forget();
            if let Some(header) = self.read_group()? {
                return Ok(Some(header));
            }
            match (&self.current, self.next_sequence) {
                (Some(current), Some(next)) if next > current.first && segments.contains(&next) => {
                    self.enter(next)?;
                }
                _ => return Ok(None),
            }
        }
    }

    fn read_group(&mut self) -> Result<Option<GroupHeader>, ReadError> {
        let Some(current) = &mut self.current else { return Ok(None) };
        let segment = Segment { storage: &self.storage, directory: EVENTS, suffix: "", first: current.first };
        let Ok(header) =
            segment.read_frame::<GroupHeader>(&current.file, &mut self.window, current.offset)?
        else {
            return Ok(None);
        };
        let continues = self.next_sequence == Some(header.first_sequence.get())
            && header.last_sequence >= header.first_sequence
            && self.engine_id.is_none_or(|engine_id| header.engine_id == engine_id);
        if !continues {
            return Ok(None);
        }
        current.offset += (GROUP_HEADER + header.payload_length()) as u64;
        self.next_sequence = Some(header.last_sequence.get() + 1);
        self.engine_id = Some(header.engine_id.get());
        self.first_sequence.get_or_insert(header.first_sequence.get());
        Ok(Some(header))
    }

    /// The first sequence of the first group read.
    pub(super) fn first_sequence(&self) -> Option<Sequence> {
        self.first_sequence
    }

    /// The last sequence of the last group read, or the one before the first segment.
    pub(super) fn last_sequence(&self) -> Option<Sequence> {
        self.next_sequence.map(|next| next - 1).filter(|_| self.engine_id.is_some())
    }

    /// Where the last whole group ends: segment and offset.
    pub(super) fn place(&self) -> Option<(Sequence, u64)> {
        self.current.as_ref().map(|current| (current.first, current.offset))
    }

    pub(super) fn engine_id(&self) -> Option<u32> {
        self.engine_id
    }
}
