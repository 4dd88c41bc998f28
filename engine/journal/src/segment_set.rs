//! The segments of the command log, wherever they are: in the journal's directory, and those before
//! them in an archive. It knows names, not content.

use std::io;

use crate::Sequence;
use crate::archive::Archive;
use crate::error::ReadError;
use crate::frame::Segment;
use crate::segment_file::{ReadAt, SegmentFile};
use crate::segments::{JOURNAL, list_segments, segment_path};
use crate::storage::{Access, Storage};
use crate::tail::content_length;

/// The segments there were when last listed.
#[derive(Debug)]
pub(crate) struct SegmentSet<S: Storage> {
    storage: S,
    archive: Option<Archive<S>>,
    /// First sequences, ascending.
    firsts: Vec<Sequence>,
    /// How many of them, from the oldest, are only in the archive.
    archived: usize,
}

impl<S: Storage> SegmentSet<S> {
    /// Those of `storage` and, below them, those of `archive`; not listed yet.
    pub(crate) fn new(storage: S, archive: Option<Archive<S>>) -> Self {
        Self { storage, archive, firsts: Vec::new(), archived: 0 }
    }

    /// Looks again. The archive is looked at last: a segment is in it before it leaves the journal, so
    /// none is missed between. What is in the archive above the journal's oldest is another history's,
    /// or there twice, and not taken.
    pub(crate) fn list(&mut self) -> Result<(), ReadError> {
        let live = list_segments(&self.storage, JOURNAL)
            .map_err(|source| ReadError::Io { file: self.directory(), source })?;
        let mut firsts = self.archive.as_ref().map_or(Ok(Vec::new()), Archive::list)?;
        firsts.retain(|first| live.first().is_none_or(|oldest| first < oldest));
        self.archived = firsts.len();
        firsts.extend(live);
        self.firsts = firsts;
        Ok(())
    }

    /// First sequences, ascending.
    pub(crate) fn firsts(&self) -> &[Sequence] {
        &self.firsts
    }

    /// A segment, for what is said about it.
    pub(crate) fn segment(&self, first: Sequence) -> Segment<'_, S> {
        match &self.archive {
            Some(archive) if self.firsts[..self.archived].binary_search(&first).is_ok() => {
                archive.segment(first)
            }
            _ => Segment { storage: &self.storage, directory: JOURNAL, suffix: "", first },
        }
    }

    /// Opens a segment, in the archive if it has left the journal.
    pub(crate) fn open(&self, first: Sequence) -> Result<SegmentFile<S::File>, ReadError> {
        let error = match self.storage.open(&segment_path(JOURNAL, first), Access::Read) {
            Ok(file) => return Ok(SegmentFile::Live(file)),
            Err(source) if source.kind() == io::ErrorKind::NotFound => source,
            Err(source) => return Err(self.segment(first).unreadable(source)),
        };
        match &self.archive {
            Some(archive) if archive.list()?.contains(&first) => {
                archive.read(first).map(SegmentFile::Archived)
            }
            _ => Err(self.segment(first).unreadable(error)),
        }
    }

    /// Bytes of a segment: its whole length, or of the newest up to its last byte that is not zero.
    pub(crate) fn length(&self, first: Sequence) -> Result<u64, ReadError> {
        match &self.archive {
            Some(archive) if self.firsts[..self.archived].binary_search(&first).is_ok() => {
                archive.length(first)
            }
            _ => {
                let file = self.open(first)?;
                let length =
                    if self.firsts.last() == Some(&first) { content_length(&file) } else { file.length() };
                length.map_err(|source| self.segment(first).unreadable(source))
            }
        }
    }

    /// Where the journal's directory is, for messages.
    pub(crate) fn directory(&self) -> String {
        self.storage.locate(JOURNAL)
    }
}
