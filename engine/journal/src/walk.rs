//! Walks the command log batch by batch, verifying each, and says what stands where it stops: a clean
//! end, a torn tail, or damage. It changes nothing, and does not know what a record means.

use crate::Sequence;
use crate::archive::Archive;
use crate::error::ReadError;
use crate::frame::FrameHeader as _;
use crate::layout::{BATCH_HEADER, BatchHeader, FIRST_BATCH_OFFSET, SEGMENT_HEADER, SegmentHeader};
use crate::segment_file::{ReadAt as _, SegmentFile};
use crate::segment_set::SegmentSet;
use crate::storage::Storage;
use crate::tail::{Expected, look_after};
use crate::window::Window;

/// A walk through the command log.
#[derive(Debug)]
pub(crate) struct Walk<S: Storage> {
    segments: SegmentSet<S>,
    current: Option<Current<S::File>>,
    stop: Option<Stop>,
    next_sequence: Sequence,
    previous_checksum: u64,
    engine_id: Option<u32>,
    epoch: u32,
    bytes_before: u64,
    window: Window,
}

/// The segment the walk is in.
#[derive(Debug)]
struct Current<F> {
    first: Sequence,
    file: SegmentFile<F>,
    offset: u64,
    segment_size: u64,
}

/// Where the walk cannot go on, and why.
#[derive(Clone, Copy, Debug)]
struct Stop {
    segment: Sequence,
    offset: u64,
    what: &'static str,
}

/// What stands at the end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing but zeros.
    Clean,
    /// An invalid record with nothing valid after it.
    Torn {
        /// The segment, by its first sequence.
        segment: Sequence,
        /// Where it begins; 0 if the segment's own header is invalid.
        offset: u64,
        /// Up to its last byte that is not zero.
        length: u64,
    },
}

/// The place after the last valid batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) segment: Sequence,
    pub(crate) offset: u64,
    pub(crate) segment_size: u64,
}

impl<S: Storage> Walk<S> {
    /// A walk that begins with the segment holding `from`, or with the first one there is, in the
    /// archive too if one is given.
    pub(crate) fn new(
        storage: S,
        archive: Option<Archive<S>>,
        from: Option<Sequence>,
    ) -> Result<Self, ReadError> {
        let mut walk = Self {
            segments: SegmentSet::new(storage, archive),
            current: None,
            stop: None,
            next_sequence: 1,
            previous_checksum: 0,
            engine_id: None,
            epoch: 0,
            bytes_before: 0,
            window: Window::new(),
        };
        walk.begin(from)?;
        Ok(walk)
    }

    fn begin(&mut self, from: Option<Sequence>) -> Result<(), ReadError> {
        self.segments.list()?;
        let firsts = self.segments.firsts();
        let Some(&oldest) = firsts.first() else { return Ok(()) };
        let wanted = from.unwrap_or(oldest);
        let at_or_below = firsts.partition_point(|first| *first <= wanted);
        let Some(&first) = firsts[..at_or_below].last() else {
            return Err(ReadError::Deleted { file: self.segments.directory(), wanted, first: oldest });
        };
        let before = firsts[..at_or_below - 1].last().copied();
        self.next_sequence = first;
        match (self.enter(first, true)?, before) {
            // A segment without a header says nothing of how the log goes on: the one before it does,
            // and whether this is a torn tail.
            (false, Some(before)) => {
                self.next_sequence = before;
                self.enter(before, true).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Opens a segment; `false` (and a stop) if its header is not valid. `is_start` says that nothing
    /// was walked before it, so its predecessor's checksum is taken on trust.
    fn enter(&mut self, first: Sequence, is_start: bool) -> Result<bool, ReadError> {
        let file = self.segments.open(first)?;
        let segment = self.segments.segment(first);
        let failed = |source| segment.unreadable(source);
        let mut head = vec![0; FIRST_BATCH_OFFSET as usize];
        let count = file.read_at(&mut head, 0).map_err(failed)?;
        let header = match SegmentHeader::parse(&head[..count]) {
            Ok(header) => header,
            Err(invalid) => {
                let what = segment.damage(0, invalid)?;
                self.stop = Some(Stop { segment: first, offset: 0, what });
                return Ok(false);
            }
        };
        let what = if head[SEGMENT_HEADER..count].iter().any(|byte| *byte != 0) {
            Some("there is something between the segment header and the first batch")
        } else if header.first_sequence != first {
            Some("the segment header names another first sequence than the file's name")
        } else if self.engine_id.is_some_and(|engine_id| header.engine_id != engine_id) {
            Some("the segment was written by another engine than the one before")
        } else if !is_start && header.previous_checksum != self.previous_checksum {
            Some("the segment does not continue the one before")
        } else {
            None
        };
        if let Some(what) = what {
            self.stop = Some(Stop { segment: first, offset: 0, what });
            return Ok(false);
        }
        self.previous_checksum = header.previous_checksum.get();
        self.engine_id = Some(header.engine_id.get());
        self.epoch = self.epoch.max(header.epoch.get());
        if let Some(old) = &self.current {
            let length =
                old.file.length().map_err(|source| self.segments.segment(old.first).unreadable(source))?;
            self.bytes_before += length;
        }
        let segment_size = header.segment_size.get();
        self.current = Some(Current { first, file, offset: FIRST_BATCH_OFFSET, segment_size });
        self.stop = None;
        self.window.forget();
        Ok(true)
    }

    /// The next batch, if it is whole and valid; its payload is then [`payload`](Self::payload).
    /// `None` at the end, where a later call looks again: a live journal grows.
    pub(crate) fn advance(&mut self) -> Result<Option<BatchHeader>, ReadError> {
        if self.current.is_none() && self.stop.is_none() {
            self.begin(Some(self.next_sequence))?;
        }
        loop {
            if let Some(header) = self.read_batch()? {
                return Ok(Some(header));
            }
            // The list first, the place again after it: a writer fills this place before it makes a
            // segment, so what is not here now, though a later segment was listed, is missing.
            self.segments.list()?;
            self.window.forget();
            if let Some(header) = self.read_batch()? {
                return Ok(Some(header));
            }
            let next = self.next_sequence;
            let Some(current) = &self.current else { return Ok(None) };
            if current.first == next || !self.segments.firsts().contains(&next) {
                return Ok(None);
            }
            let rest = look_after(&current.file, current.offset, &self.expected())
                .map_err(|source| self.segments.segment(current.first).unreadable(source))?;
            if rest.last_byte.is_some() || !self.enter(next, false)? {
                return Ok(None);
            }
        }
    }

    fn read_batch(&mut self) -> Result<Option<BatchHeader>, ReadError> {
        let expected = self.expected();
        let Some(current) = &mut self.current else { return Ok(None) };
        let offset = current.offset;
        let segment = self.segments.segment(current.first);
        let header = match segment.read_frame::<BatchHeader>(&current.file, &mut self.window, offset)? {
            Ok(header) => header,
            Err(what) => {
                self.stop = Some(Stop { segment: current.first, offset, what });
                return Ok(None);
            }
        };
        if !expected.is_met_by(&header) {
            // Whole and valid, but not the next: something before it is gone.
            return Err(segment.corrupt(offset, "the batch does not continue the one before"));
        }
        current.offset += (BATCH_HEADER + header.payload_length()) as u64;
        self.next_sequence = header.last_sequence() + 1;
        self.previous_checksum = header.checksum.get();
        self.epoch = header.epoch.get();
        self.stop = None;
        Ok(Some(header))
    }

    /// The payload of the batch that `advance` returned last.
    pub(crate) fn payload(&mut self, header: &BatchHeader) -> Result<&[u8], ReadError> {
        let length = header.payload_length();
        // `advance` returned a batch, so there is a current segment; without one there are no bytes.
        let Some(current) = &self.current else { return Ok(&[]) };
        let offset = current.offset - length as u64;
        let segment = self.segments.segment(current.first);
        self.window.get(&current.file, offset, length).map_err(|source| segment.unreadable(source))
    }

    /// Judges the place where `advance` returned `None`: an end, or damage with something valid after
    /// it. Reads the rest of the segment.
    pub(crate) fn judge_end(&self) -> Result<End, ReadError> {
        let Some(stop) = self.stop else { return Ok(End::Clean) };
        let segment = self.segments.segment(stop.segment);
        // A segment gets its name only after everything before it is on disk.
        if self.segments.firsts().iter().any(|first| *first > stop.segment) {
            return Err(segment.corrupt(stop.offset, stop.what));
        }
        let file = self.segments.open(stop.segment)?;
        let rest =
            look_after(&file, stop.offset, &self.expected()).map_err(|source| segment.unreadable(source))?;
        if rest.has_batch {
            return Err(segment.corrupt(stop.offset, stop.what));
        }
        Ok(if rest.last_byte.is_none() && stop.offset >= FIRST_BATCH_OFFSET {
            End::Clean
        } else {
            let length = rest.last_byte.map_or(0, |last| last + 1 - stop.offset);
            End::Torn { segment: stop.segment, offset: stop.offset, length }
        })
    }

    /// What the next batch must say of itself.
    fn expected(&self) -> Expected {
        Expected {
            first_sequence: self.next_sequence,
            previous_checksum: self.previous_checksum,
            engine_id: self.engine_id,
            epoch: self.epoch,
        }
    }

    /// The sequence after the last valid batch.
    pub(crate) fn next_sequence(&self) -> Sequence {
        self.next_sequence
    }

    /// The checksum the next batch chains to.
    pub(crate) fn previous_checksum(&self) -> u64 {
        self.previous_checksum
    }

    /// The first sequence of the oldest segment, if there is one.
    pub(crate) fn oldest(&self) -> Option<Sequence> {
        self.segments.firsts().first().copied()
    }

    /// Engine and epoch of the last header read.
    pub(crate) fn writer(&self) -> Option<(u32, u32)> {
        self.engine_id.map(|engine_id| (engine_id, self.epoch))
    }

    /// The place after the last valid batch, if any segment is valid.
    pub(crate) fn place(&self) -> Option<Place> {
        self.current.as_ref().map(|current| Place {
            segment: current.first,
            offset: current.offset,
            segment_size: current.segment_size,
        })
    }

    /// Whether the place holds a begun or broken batch rather than nothing.
    pub(crate) fn stops_at_something(&mut self) -> bool {
        match (&self.current, self.stop) {
            (Some(current), Some(stop)) if stop.offset >= FIRST_BATCH_OFFSET => self
                .window
                .get(&current.file, stop.offset, BATCH_HEADER)
                .is_ok_and(|bytes| bytes.iter().any(|byte| *byte != 0)),
            (_, stop) => stop.is_some(),
        }
    }

    /// Bytes walked since the start, whole segments counted whole.
    pub(crate) fn bytes_done(&self) -> u64 {
        self.bytes_before + self.current.as_ref().map_or(0, |current| current.offset)
    }

    /// Bytes from here to the last byte that is not zero. Reads the end of the last segment.
    pub(crate) fn bytes_left(&mut self) -> Result<u64, ReadError> {
        self.segments.list()?;
        let Some(current) = &self.current else { return Ok(0) };
        let mut total = 0;
        for first in self.segments.firsts().iter().filter(|first| **first >= current.first) {
            total += self.segments.length(*first)?;
        }
        Ok(total.saturating_sub(current.offset))
    }
}
