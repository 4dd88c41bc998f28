//! An archive of closed segments, compressed: each is verified, written beside, read back, compared,
//! and only then named, so that what has a name may be deleted from the journal. It does not know which
//! may be deleted, nor what a record means. The files are plain zstd: `zstd -d` gives the segment back.

use std::io::{self, Read};

use thiserror::Error;
use zstd::stream::read::Decoder;
use zstd::zstd_safe::get_frame_content_size;

use crate::Sequence;
use crate::error::ReadError;
use crate::frame::Segment;
use crate::segments::{JOURNAL, parse_stem};
use crate::storage::{Access, Storage, StorageFile, is_no_room};
use crate::walk::Walk;

/// The directory of the archive in a data directory.
const DIRECTORY: &str = "archive";
/// What follows a segment's name.
const SUFFIX: &str = ".zst";
const TEMPORARY: &str = ".tmp";
/// zstd's own default: slower ones gain little on records.
const LEVEL: i32 = 3;
/// What an archived segment leaves free unless told otherwise: the journal's next segment and its
/// reserve.
const RESERVE_BYTES: u64 = 128 << 20;
/// Room made at once for a segment that says it is so long; a longer one grows as it comes.
const LIKELY_BYTES: u64 = 64 << 20;
/// A zstd frame's header is at most so long.
const FRAME_HEADER: usize = 18;

/// A segment was not archived. The journal is as it was.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The segment or the archive could not be read, or is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is still being written, or the one after it is missing.
    #[error("{file} is not closed: no segment continues it; it is archived when one does")]
    NotClosed {
        /// The segment file.
        file: String,
    },
    /// The archive has another segment of that name.
    #[error(
        "the archive has another history's segment as {file}; nothing was changed; give this journal an archive of its own"
    )]
    Foreign {
        /// The archived segment.
        file: String,
    },
    /// What was read back is not what was written.
    #[error("{file} was read back otherwise than written; the segment stays; check the archive's disk")]
    Differs {
        /// The archived segment.
        file: String,
    },
    /// No room for it; the same call may succeed later.
    #[error(
        "no room on disk for {file}: {needed} bytes needed, the reserve included; the segment stays; free some room"
    )]
    NoRoom {
        /// The archived segment.
        file: String,
        /// Bytes that must be free for it.
        needed: u64,
    },
    /// The operating system refused a change.
    #[error(
        "cannot write {file}: {source}; the segment stays; check the directory, its permissions and the disk"
    )]
    Write {
        /// The file or directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
}

/// A directory of archived segments. Any number may read; one writes at a time.
#[derive(Clone, Debug)]
pub struct Archive<S: Storage> {
    storage: S,
    directory: String,
    reserve: u64,
}

impl<S: Storage> Archive<S> {
    /// The archive in `directory` of `storage`, which may be another disk's than the journal's.
    pub fn new(storage: S, directory: impl Into<String>) -> Self {
        Self { storage, directory: directory.into(), reserve: RESERVE_BYTES }
    }

    /// The one in a data directory, `archive/`.
    pub fn of(storage: S) -> Self {
        Self::new(storage, DIRECTORY)
    }

    /// The same, but leaving `bytes` free instead of 128 MiB.
    #[must_use]
    pub fn with_reserve(self, bytes: u64) -> Self {
        Self { reserve: bytes, ..self }
    }

    /// The first sequences of the segments in it, ascending. None of them has been read.
    pub fn list(&self) -> Result<Vec<Sequence>, ReadError> {
        let mut firsts: Vec<_> = self
            .names()?
            .iter()
            .filter_map(|name| parse_stem(name.strip_suffix(SUFFIX)?.strip_suffix(".log")?))
            .collect();
        firsts.sort_unstable();
        Ok(firsts)
    }

    /// The segment that begins at `first`, as it was in the journal.
    pub fn read(&self, first: Sequence) -> Result<Vec<u8>, ReadError> {
        let segment = self.segment(first);
        let compressed = self.bytes(&segment.path()).map_err(|source| segment.unreadable(source))?;
        decompress(&compressed)
            .map_err(|_| segment.corrupt(0, "the archived segment does not decompress to what was stored"))
    }

    /// Bytes of the segment that begins at `first`, decompressed, as the file says of itself.
    pub(crate) fn length(&self, first: Sequence) -> Result<u64, ReadError> {
        let segment = self.segment(first);
        let mut head = [0; FRAME_HEADER];
        let count = self
            .storage
            .open(&segment.path(), Access::Read)
            .and_then(|file| file.read_at(&mut head, 0))
            .map_err(|source| segment.unreadable(source))?;
        get_frame_content_size(&head[..count])
            .ok()
            .flatten()
            .ok_or_else(|| segment.corrupt(0, "the archived segment does not say how long it is"))
    }

    /// Stores the closed segment of `journal` that begins at `first`, verified and durable. One that is
    /// stored already is compared. Returns the bytes it takes here.
    pub fn store(&self, journal: &S, first: Sequence) -> Result<u64, ArchiveError> {
        let live = Segment { storage: journal, directory: JOURNAL, suffix: "", first };
        verify_closed(journal, &live)?;
        let content = read_all(journal, &live.path()).map_err(|source| live.unreadable(source))?;
        let segment = self.segment(first);
        if self.list()?.contains(&first) {
            match self.read(first) {
                Ok(stored) if stored == content => return self.stored_bytes(&segment),
                Ok(_) => return Err(ArchiveError::Foreign { file: segment.file() }),
                // Damaged, and the segment is still here: stored anew.
                Err(ReadError::Corrupt { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let failed = |source| ArchiveError::Write { file: segment.file(), source };
        self.storage.create_directory(&self.directory).map_err(failed)?;
        for name in self.names()?.iter().filter(|name| is_left_over(name)) {
            self.storage.remove(&format!("{}/{name}", self.directory)).map_err(failed)?;
        }
        let compressed = compress(&content).map_err(failed)?;
        let needed = (compressed.len() as u64).saturating_add(self.reserve);
        let no_room = || ArchiveError::NoRoom { file: segment.file(), needed };
        if self.storage.free_space().map_err(failed)? < needed {
            return Err(no_room());
        }
        let temporary = format!("{}{TEMPORARY}", segment.path());
        let written = self.write_beside(&temporary, &compressed, &content).and_then(|is_equal| {
            if is_equal {
                self.storage.rename(&temporary, &segment.path())?;
                self.storage.sync_directory(&self.directory)?;
            }
            Ok(is_equal)
        });
        match written {
            Ok(true) => Ok(compressed.len() as u64),
            result => {
                // Gives its room back. Should this fail too, the next attempt removes it.
                let _ = self.storage.remove(&temporary);
                Err(match result {
                    Err(source) if is_no_room(&source) => no_room(),
                    Err(source) => failed(source),
                    Ok(_) => ArchiveError::Differs { file: segment.file() },
                })
            }
        }
    }

    /// Whether what was written durably reads back as `content`.
    fn write_beside(&self, temporary: &str, compressed: &[u8], content: &[u8]) -> io::Result<bool> {
        let file = self.storage.open(temporary, Access::Create)?;
        file.preallocate(compressed.len() as u64)?;
        file.write_at(&[compressed], 0)?;
        file.sync_data()?;
        drop(file);
        let read_back = self.bytes(temporary)?;
        Ok(decompress(&read_back).is_ok_and(|read_back| read_back == content))
    }

    fn stored_bytes(&self, segment: &Segment<'_, S>) -> Result<u64, ArchiveError> {
        let length = self.storage.open(&segment.path(), Access::Read).and_then(|file| file.length());
        Ok(length.map_err(|source| segment.unreadable(source))?)
    }

    fn bytes(&self, path: &str) -> io::Result<Vec<u8>> {
        read_all(&self.storage, path)
    }

    fn names(&self) -> Result<Vec<String>, ReadError> {
        self.storage
            .list(&self.directory)
            .map_err(|source| ReadError::Io { file: self.storage.locate(&self.directory), source })
    }

    /// An archived segment, for what is said about it.
    pub(crate) fn segment(&self, first: Sequence) -> Segment<'_, S> {
        Segment { storage: &self.storage, directory: &self.directory, suffix: SUFFIX, first }
    }
}

fn is_left_over(name: &str) -> bool {
    let stem = name.strip_suffix(TEMPORARY).and_then(|name| name.strip_suffix(SUFFIX)?.strip_suffix(".log"));
    stem.is_some_and(|stem| parse_stem(stem).is_some())
}

/// Every batch of the segment is whole, they chain, and the next segment continues the last.
fn verify_closed<S: Storage>(journal: &S, segment: &Segment<'_, S>) -> Result<(), ArchiveError> {
    let mut walk = Walk::new(journal.clone(), None, Some(segment.first))?;
    loop {
        let batch = walk.advance()?;
        match walk.place() {
            Some(place) if place.segment > segment.first => return Ok(()),
            Some(place) if batch.is_some() && place.segment == segment.first => {}
            _ => {
                walk.judge_end()?;
                return Err(ArchiveError::NotClosed { file: segment.file() });
            }
        }
    }
}

fn read_all<S: Storage>(storage: &S, path: &str) -> io::Result<Vec<u8>> {
    let file = storage.open(path, Access::Read)?;
    let mut bytes = vec![0; file.length()? as usize];
    let count = file.read_at(&mut bytes, 0)?;
    bytes.truncate(count);
    Ok(bytes)
}

fn compress(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::read::Encoder::with_buffer(content, LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(content.len() as u64))?;
    let mut compressed = Vec::new();
    encoder.read_to_end(&mut compressed)?;
    Ok(compressed)
}

fn decompress(compressed: &[u8]) -> io::Result<Vec<u8>> {
    let length = get_frame_content_size(compressed).ok().flatten().unwrap_or(0);
    let mut content = Vec::with_capacity(length.min(LIKELY_BYTES) as usize);
    Decoder::with_buffer(compressed)?.read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_says_its_length_and_comes_back() {
        for length in [0, 1, 4096, 5 << 20] {
            let content: Vec<u8> = (0..length).map(|index: usize| (index ^ (index >> 9)) as u8).collect();
            let compressed = compress(&content).unwrap();
            assert_eq!(get_frame_content_size(&compressed).unwrap(), Some(length as u64));
            assert!(decompress(&compressed).unwrap() == content, "{length} bytes");
            assert!(decompress(&[&compressed[..], &[1]].concat()).is_err(), "something follows");
        }
        assert!(decompress(&[]).is_err(), "an empty file is no segment");
    }

    #[test]
    fn only_our_names_are_left_overs() {
        assert!(is_left_over("segment-00000000000000000001.log.zst.tmp"));
        for name in ["segment-1.log.zst.tmp", "segment-00000000000000000001.log.zst", "x.tmp", "tmp"] {
            assert!(!is_left_over(name), "{name}");
        }
    }
}
