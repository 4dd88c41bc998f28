//! Walks the command log batch by batch, verifying each, and says what stands where it stops: a clean
//! end, a torn tail, or damage. It changes nothing, and does not know what a record means.

use crate::Sequence;
use crate::error::ReadError;
use crate::layout::{
    BATCH_HEADER, BatchHeader, FIRST_BATCH_OFFSET, FORMAT_VERSION, Invalid, SEGMENT_HEADER, SegmentHeader,
};
use crate::segments::{JOURNAL, list_segments, segment_path};
use crate::storage::{Access, Storage, StorageFile};
use crate::tail::{content_length, look_after};
use crate::window::Window;

/// A walk through the command log.
#[derive(Debug)]
pub(crate) struct Walk<S: Storage> {
    storage: S,
    segments: Vec<Sequence>,
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
    file: F,
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
    /// A walk that begins with the segment holding `from`, or with the first one there is.
    pub(crate) fn new(storage: S, from: Option<Sequence>) -> Result<Self, ReadError> {
        let mut walk = Self {
            storage,
            segments: Vec::new(),
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
        self.list()?;
        let Some(&oldest) = self.segments.first() else { return Ok(()) };
        let wanted = from.unwrap_or(oldest);
        let Some(&first) = self.segments.iter().rev().find(|first| **first <= wanted) else {
            return Err(ReadError::Deleted { file: self.storage.locate(JOURNAL), wanted, first: oldest });
        };
        self.next_sequence = first;
        self.enter(first, true).map(drop)
    }

    fn list(&mut self) -> Result<(), ReadError> {
        self.segments = list_segments(&self.storage, JOURNAL)
            .map_err(|source| ReadError::Io { file: self.storage.locate(JOURNAL), source })?;
        Ok(())
    }

    /// Opens a segment; `false` (and a stop) if its header is not valid. `is_start` says that nothing
    /// was walked before it, so its predecessor's checksum is taken on trust.
    fn enter(&mut self, first: Sequence, is_start: bool) -> Result<bool, ReadError> {
        let path = segment_path(JOURNAL, first);
        let failed = |storage: &S, source| ReadError::Io { file: storage.locate(&path), source };
        let file = self.storage.open(&path, Access::Read).map_err(|source| failed(&self.storage, source))?;
        let mut head = vec![0; FIRST_BATCH_OFFSET as usize];
        let count = file.read_at(&mut head, 0).map_err(|source| failed(&self.storage, source))?;
        let header = match SegmentHeader::parse(&head[..count]) {
            Ok(header) => header,
            Err(invalid) => {
                let what = self.damage(first, 0, invalid)?;
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
            self.bytes_before += old
                .file
                .length()
                .map_err(|source| ReadError::Io { file: self.storage.locate(&path), source })?;
        }
        let segment_size = header.segment_size.get();
        self.current = Some(Current { first, file, offset: FIRST_BATCH_OFFSET, segment_size });
        self.stop = None;
        self.window.forget();
        Ok(true)
    }

    /// Damage as text; a version we do not know is an error at once, for nothing after it can be judged.
    fn damage(&self, segment: Sequence, offset: u64, invalid: Invalid) -> Result<&'static str, ReadError> {
        match invalid {
            Invalid::Damaged(what) => Ok(what),
            Invalid::Version(found) => Err(ReadError::Version {
                file: self.storage.locate(&segment_path(JOURNAL, segment)),
                offset,
                found,
                known: FORMAT_VERSION,
            }),
        }
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
            self.list()?;
            self.window.forget();
            if let Some(header) = self.read_batch()? {
                return Ok(Some(header));
            }
            let next = self.next_sequence;
            let Some(current) = &self.current else { return Ok(None) };
            if current.first == next || !self.segments.contains(&next) {
                return Ok(None);
            }
            let rest = look_after(&current.file, current.offset).map_err(|source| ReadError::Io {
                file: self.storage.locate(&segment_path(JOURNAL, current.first)),
                source,
            })?;
            if rest.last_byte.is_some() || !self.enter(next, false)? {
                return Ok(None);
            }
        }
    }

    fn read_batch(&mut self) -> Result<Option<BatchHeader>, ReadError> {
        let Some(current) = &mut self.current else { return Ok(None) };
        let (first, offset) = (current.first, current.offset);
        let failed = |storage: &S, source| ReadError::Io {
            file: storage.locate(&segment_path(JOURNAL, first)),
            source,
        };
        let bytes = self
            .window
            .get(&current.file, offset, BATCH_HEADER)
            .map_err(|source| failed(&self.storage, source))?;
        let header = match BatchHeader::parse(bytes) {
            Ok(header) => header,
            Err(invalid) => {
                let what = self.damage(first, offset, invalid)?;
                self.stop = Some(Stop { segment: first, offset, what });
                return Ok(None);
            }
        };
        let length = header.length.get() as usize;
        let whole = self
            .window
            .get(&current.file, offset, BATCH_HEADER + length)
            .map_err(|source| failed(&self.storage, source))?;
        let what = if whole.len() < BATCH_HEADER + length {
            Some("the file ends within a batch")
        } else if !header.covers(&whole[BATCH_HEADER..]) {
            Some("the batch's checksum does not match")
        } else {
            None
        };
        if let Some(what) = what {
            self.stop = Some(Stop { segment: first, offset, what });
            return Ok(None);
        }
        if header.first_sequence != self.next_sequence
            || header.previous_checksum != self.previous_checksum
            || self.engine_id != Some(header.engine_id.get())
            || header.epoch < self.epoch
        {
            // Whole and valid, but not the next: something before it is gone.
            return Err(ReadError::Corrupt {
                file: self.storage.locate(&segment_path(JOURNAL, first)),
                offset,
                what: "the batch does not continue the one before",
            });
        }
        current.offset += (BATCH_HEADER + length) as u64;
        self.next_sequence = header.last_sequence() + 1;
        self.previous_checksum = header.checksum.get();
        self.epoch = header.epoch.get();
        self.stop = None;
        Ok(Some(header))
    }

    /// The payload of the batch that `advance` returned last.
    pub(crate) fn payload(&mut self, header: &BatchHeader) -> Result<&[u8], ReadError> {
        let length = header.length.get() as usize;
        // `advance` returned a batch, so there is a current segment; without one there are no bytes.
        let Some(current) = &self.current else { return Ok(&[]) };
        let offset = current.offset - length as u64;
        self.window.get(&current.file, offset, length).map_err(|source| ReadError::Io {
            file: self.storage.locate(&segment_path(JOURNAL, current.first)),
            source,
        })
    }

    /// Judges the place where `advance` returned `None`: an end, or damage with something valid after
    /// it. Reads the rest of the segment.
    pub(crate) fn judge_end(&mut self) -> Result<End, ReadError> {
        let Some(stop) = self.stop else { return Ok(End::Clean) };
        let corrupt = |storage: &S| ReadError::Corrupt {
            file: storage.locate(&segment_path(JOURNAL, stop.segment)),
            offset: stop.offset,
            what: stop.what,
        };
        // A segment gets its name only after everything before it is on disk.
        if self.segments.iter().any(|first| *first > stop.segment) {
            return Err(corrupt(&self.storage));
        }
        let path = segment_path(JOURNAL, stop.segment);
        let failed = |source| ReadError::Io { file: self.storage.locate(&path), source };
        let file = self.storage.open(&path, Access::Read).map_err(failed)?;
        let rest = look_after(&file, stop.offset).map_err(failed)?;
        if rest.has_batch {
            return Err(corrupt(&self.storage));
        }
        Ok(if rest.last_byte.is_none() && stop.offset >= FIRST_BATCH_OFFSET {
            End::Clean
        } else {
            let length = rest.last_byte.map_or(0, |last| last + 1 - stop.offset);
            End::Torn { segment: stop.segment, offset: stop.offset, length }
        })
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
        self.segments.first().copied()
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
        self.list()?;
        let Some(current) = &self.current else { return Ok(0) };
        let mut total = 0;
        for first in self.segments.iter().filter(|first| **first >= current.first) {
            let path = segment_path(JOURNAL, *first);
            let failed = |source| ReadError::Io { file: self.storage.locate(&path), source };
            let file = self.storage.open(&path, Access::Read).map_err(failed)?;
            total += if Some(first) == self.segments.last() {
                content_length(&file).map_err(failed)?
            } else {
                file.length().map_err(failed)?
            };
        }
        Ok(total.saturating_sub(current.offset))
    }
}
