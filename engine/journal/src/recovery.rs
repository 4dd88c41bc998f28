//! What is found when a journal is opened, judged before anything is touched, and the repair of a
//! torn tail. It does not know how batches are appended, nor what they mean.

use crate::Sequence;
use crate::error::{OpenError, ReadError};
use crate::identity::Identity;
use crate::layout::FIRST_BATCH_OFFSET;
use crate::segments::{JOURNAL, segment_path};
use crate::storage::{Access, Storage, StorageFile, is_no_room};
use crate::walk::{End, Place, Walk};

/// What a journal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The first sequence there is or will be: 1 unless old segments were deleted.
    pub first_sequence: Sequence,
    /// The last valid sequence; `first_sequence - 1` of an empty journal.
    pub last_sequence: Sequence,
    /// The torn tail that was found, if any.
    pub torn: Option<TornTail>,
}

/// An unfinished write at the journal's end: never acknowledged, so cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment file.
    pub file: String,
    /// Where it began, in bytes from the start of the file.
    pub offset: u64,
    /// How long it was, in bytes.
    pub length: u64,
    /// Where the copy of it is kept; `None` if nothing was cut off (a survey).
    pub copy: Option<String>,
}

/// Verifies the whole journal of a data directory that is not being written, changing nothing.
pub fn survey<S: Storage>(storage: &S) -> Result<Recovered, ReadError> {
    Ok(Survey::take(storage, 0)?.recovered(storage))
}

/// What a walk to the journal's end found.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) oldest: Option<Sequence>,
    pub(crate) next_sequence: Sequence,
    pub(crate) previous_checksum: u64,
    writer: Option<(u32, u32)>,
    pub(crate) place: Option<Place>,
    end: End,
}

impl Survey {
    /// Walks from the segment that holds `from` (0: from the first there is) to the end.
    pub(crate) fn take<S: Storage>(storage: &S, from: Sequence) -> Result<Self, ReadError> {
        let mut walk = Walk::new(storage.clone(), None, Some(from).filter(|from| *from > 0))?;
        while walk.advance()?.is_some() {}
        let end = walk.judge_end()?;
        Ok(Self {
            oldest: walk.oldest(),
            next_sequence: walk.next_sequence(),
            previous_checksum: walk.previous_checksum(),
            writer: walk.writer(),
            place: walk.place(),
            end,
        })
    }

    pub(crate) fn recovered<S: Storage>(&self, storage: &S) -> Recovered {
        let torn = match self.end {
            End::Clean => None,
            End::Torn { segment, offset, length } => Some(TornTail {
                file: storage.locate(&segment_path(JOURNAL, segment)),
                offset,
                length,
                copy: None,
            }),
        };
        Recovered { first_sequence: self.oldest.unwrap_or(1), last_sequence: self.next_sequence - 1, torn }
    }

    /// Whose journal this is, or the error if it is not the identity file's.
    pub(crate) fn identity<S: Storage>(&self, storage: &S, engine_id: u32) -> Result<Identity, OpenError> {
        let known = Identity::read(storage)?;
        let Some(oldest) = self.oldest else {
            return Ok(known.unwrap_or(Identity { engine_id, epoch: 0 }));
        };
        let Some(identity) = known else {
            return Err(OpenError::IdentityMissing { file: Identity::locate(storage) });
        };
        match self.writer {
            Some((found_engine, found_epoch))
                if found_engine != identity.engine_id || found_epoch > identity.epoch =>
            {
                let segment = self.place.map_or(oldest, |place| place.segment);
                Err(OpenError::Foreign {
                    file: storage.locate(&segment_path(JOURNAL, segment)),
                    found_engine,
                    found_epoch,
                    engine: identity.engine_id,
                    epoch: identity.epoch,
                })
            }
            _ => Ok(identity),
        }
    }

    /// Refuses a journal that ends before what a consumer has seen.
    pub(crate) fn check_published<S: Storage>(
        &self,
        storage: &S,
        published: Option<Sequence>,
    ) -> Result<(), OpenError> {
        let last = self.next_sequence - 1;
        match published {
            Some(published) if published > last => {
                let (file, offset) = match (self.end, self.place) {
                    (End::Torn { segment, offset, .. }, _) => (segment_path(JOURNAL, segment), offset),
                    (End::Clean, Some(place)) => (segment_path(JOURNAL, place.segment), place.offset),
                    (End::Clean, None) => (JOURNAL.to_owned(), 0),
                };
                Err(OpenError::PublishedAboveEnd { published, last, file: storage.locate(&file), offset })
            }
            _ => Ok(()),
        }
    }

    /// Cuts a torn tail off, after a copy of it is safe. Returns where the copy is.
    pub(crate) fn repair<S: Storage>(&self, storage: &S) -> Result<Option<String>, OpenError> {
        let End::Torn { segment, offset, length } = self.end else { return Ok(None) };
        let path = segment_path(JOURNAL, segment);
        let copy = self.keep_copy(storage, &path, offset, length)?;
        let failed = |source| OpenError::Io { file: storage.locate(&path), source };
        if offset < FIRST_BATCH_OFFSET {
            storage.remove(&path).map_err(failed)?;
            storage.sync_directory(JOURNAL).map_err(failed)?;
        } else {
            let file = storage.open(&path, Access::Write).map_err(failed)?;
            file.truncate(offset).map_err(failed)?;
            file.sync_data().map_err(failed)?;
        }
        Ok(Some(storage.locate(&copy)))
    }

    fn keep_copy<S: Storage>(
        &self,
        storage: &S,
        path: &str,
        offset: u64,
        length: u64,
    ) -> Result<String, OpenError> {
        let taken = storage
            .list(JOURNAL)
            .map_err(|source| OpenError::Io { file: storage.locate(JOURNAL), source })?;
        let mut number = 0;
        let name = loop {
            let name = format!("torn-{}-{number}.bin", self.next_sequence);
            if !taken.contains(&name) {
                break name;
            }
            number += 1;
        };
        let copy_path = format!("{JOURNAL}/{name}");
        let write = || {
            let mut bytes = vec![0; length as usize];
            let count = storage.open(path, Access::Read)?.read_at(&mut bytes, offset)?;
            let copy = storage.open(&copy_path, Access::Create)?;
            copy.write_at(&[&bytes[..count]], 0)?;
            copy.sync_data()?;
            storage.sync_directory(JOURNAL)
        };
        write().map_err(|source| OpenError::Io { file: storage.locate(&copy_path), source })?;
        Ok(copy_path)
    }
}

/// Read and written back at once.
const SETTLE_BYTES: usize = 1 << 20;

/// Opens the last segment for appending, at its full length if there is room. Returns the file and
/// how far batches may go.
pub(crate) fn reopen<S: Storage>(storage: &S, place: Place) -> Result<(S::File, u64), OpenError> {
    let path = segment_path(JOURNAL, place.segment);
    let failed = |source| OpenError::Io { file: storage.locate(&path), source };
    let file = storage.open(&path, Access::Write).map_err(failed)?;
    let length = file.length().map_err(failed)?;
    settle(&file, place.offset).map_err(failed)?;
    storage.sync_directory(JOURNAL).map_err(failed)?;
    if length >= place.segment_size {
        return Ok((file, place.segment_size));
    }
    match file.preallocate(place.segment_size) {
        Ok(()) => {
            file.sync_data().map_err(failed)?;
            Ok((file, place.segment_size))
        }
        // A full disk must not keep the exchange from opening: this segment counts as full.
        Err(error) if is_no_room(&error) => Ok((file, length)),
        Err(error) => Err(failed(error)),
    }
}

/// Makes what was read durable before anyone is told of it. It may have come from the page cache
/// alone: its sync was cut off by a kill, or failed and left the pages clean, so that a sync by
/// itself would do nothing. Writing the same bytes again makes them dirty first.
pub(crate) fn settle<F: StorageFile>(file: &F, end: u64) -> std::io::Result<()> {
    let mut buffer = vec![0; SETTLE_BYTES];
    let mut offset = 0;
    while offset < end {
        let wanted = buffer.len().min((end - offset) as usize);
        let count = file.read_at(&mut buffer[..wanted], offset)?;
        if count == 0 {
            break;
        }
        file.write_at(&[&buffer[..count]], offset)?;
        offset += count as u64;
    }
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// A file of `length` bytes that notes where it is written, with what was there, and synced.
    #[derive(Debug)]
    struct Noting {
        length: u64,
        written: RefCell<Vec<(u64, u64)>>,
        synced_after: RefCell<Option<usize>>,
    }

    fn byte_at(offset: u64) -> u8 {
        (offset % 251) as u8
    }

    impl StorageFile for Noting {
        fn length(&self) -> std::io::Result<u64> {
            Ok(self.length)
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
            let count = buffer.len().min(self.length.saturating_sub(offset) as usize);
            for (byte, offset) in buffer[..count].iter_mut().zip(offset..) {
                *byte = byte_at(offset);
            }
            Ok(count)
        }

        fn write_at(&self, parts: &[&[u8]], offset: u64) -> std::io::Result<()> {
            let bytes = parts.concat();
            assert!(bytes.iter().zip(offset..).all(|(byte, offset)| *byte == byte_at(offset)));
            self.written.borrow_mut().push((offset, offset + bytes.len() as u64));
            Ok(())
        }

        fn preallocate(&self, _length: u64) -> std::io::Result<()> {
            unreachable!("what is settled keeps its length")
        }

        fn truncate(&self, _length: u64) -> std::io::Result<()> {
            unreachable!("what is settled keeps its length")
        }

        fn sync_data(&self) -> std::io::Result<()> {
            *self.synced_after.borrow_mut() = Some(self.written.borrow().len());
            Ok(())
        }
    }

    #[test]
    fn every_byte_up_to_the_end_is_written_back_as_it_was_and_then_synced() {
        let piece = SETTLE_BYTES as u64;
        // How long the file is, and up to where it is settled.
        for (length, end) in
            [(0, 0), (1, 1), (100, 60), (piece, piece), (4 * piece, 2 * piece + 77), (piece + 5, 3 * piece)]
        {
            let file = Noting { length, written: RefCell::default(), synced_after: RefCell::default() };
            settle(&file, end).unwrap();
            let written = file.written.borrow();
            let mut at = 0;
            for (from, to) in written.iter() {
                assert_eq!(*from, at, "{length} {end}");
                at = *to;
            }
            assert_eq!(at, end.min(length));
            assert_eq!(*file.synced_after.borrow(), Some(written.len()), "after the last of it");
        }
    }
}
