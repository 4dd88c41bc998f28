//! Appends groups of commands: one group, one write, one sync, the next only after it. It does not
//! know who calls it, when, or what is in a record.

use std::io;

use zerocopy::IntoBytes;

use crate::Sequence;
use crate::error::{AppendError, OpenError, Refusal, SyncFailed};
use crate::identity::Identity;
use crate::layout::{BATCH_HEADER, BatchHeader, FIRST_BATCH_OFFSET, SegmentHeader};
use crate::records::Records;
use crate::recovery::{Recovered, Survey, reopen};
use crate::segments::{JOURNAL, PREPARED, segment_path};
use crate::storage::{Access, Storage, StorageFile, is_no_room};

/// The longest record in bytes: the largest multiple of 8 that its own length field holds.
pub const MAXIMUM_RECORD: usize = 65_528;

/// How a journal is opened for writing.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// The engine's id, used when the directory has none yet. Default 1.
    pub engine_id: u32,
    /// Bytes of each new segment file, at least 8 KiB. Default 64 MiB.
    pub segment_size: u64,
    /// Bytes that must stay free beside a new segment, so that the databases and logs on the same
    /// disk live. Default 64 MiB.
    pub reserve: u64,
    /// The highest sequence any consumer has seen. A journal that ends before it has lost
    /// acknowledged commands, and is not opened. Default none.
    pub published: Option<Sequence>,
    /// The sequence after that of the snapshot the caller has; 0 of none. Segments before the one that
    /// holds it are not read, and need not be there. A journal that begins above it is refused
    /// ([`ReadError::Deleted`](crate::ReadError::Deleted)), and so is one that ends before the snapshot.
    /// Default 0.
    pub from: Sequence,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { engine_id: 1, segment_size: 64 << 20, reserve: 64 << 20, published: None, from: 0 }
    }
}

/// The smallest segment: its header's block and as much again.
const SMALLEST_SEGMENT: u64 = 2 * FIRST_BATCH_OFFSET;

/// The one writer of a command log. The caller holds the [`DirectoryLock`](crate::DirectoryLock).
#[derive(Debug)]
pub struct JournalWriter<S: Storage> {
    storage: S,
    identity: Identity,
    segment_size: u64,
    reserve: u64,
    current: Option<Segment<S::File>>,
    prepared: Option<S::File>,
    next_sequence: Sequence,
    previous_checksum: u64,
    poisoned: bool,
}

#[derive(Debug)]
struct Segment<F> {
    file: F,
    path: String,
    /// Where the next batch goes.
    offset: u64,
    /// Batches end here at the latest.
    capacity: u64,
    /// Bytes from `offset` that a refused write may have left, to be overwritten.
    dirty: u64,
}

/// A journal that was verified and may be opened for writing; nothing was changed yet.
#[derive(Debug)]
pub struct InspectedJournal<S: Storage> {
    storage: S,
    options: JournalOptions,
    survey: Survey,
    identity: Identity,
}

impl<S: Storage> InspectedJournal<S> {
    /// The first sequence of the oldest segment that was read; `None` of an empty journal.
    pub fn first_sequence(&self) -> Option<Sequence> {
        self.survey.oldest
    }

    /// Opens it: cuts off a torn tail, and begins a new epoch. Nobody may have written since it was
    /// inspected: the caller holds the [`DirectoryLock`](crate::DirectoryLock) from before that.
    pub fn open(self) -> Result<(JournalWriter<S>, Recovered), OpenError> {
        let Self { storage, options, survey, mut identity } = self;
        storage
            .create_directory(JOURNAL)
            .map_err(|source| OpenError::Io { file: storage.locate(JOURNAL), source })?;
        match storage.remove(PREPARED) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::Io { file: storage.locate(PREPARED), source });
            }
            _ => {}
        }
        identity.epoch += 1;
        identity.write(&storage)?;
        let mut recovered = survey.recovered(&storage);
        let copy = survey.repair(&storage)?;
        if let Some(torn) = &mut recovered.torn {
            torn.copy = copy;
        }
        let current = survey.place.map(|place| {
            let (file, capacity) = reopen(&storage, place)?;
            let path = segment_path(JOURNAL, place.segment);
            Ok::<_, OpenError>(Segment { file, path, offset: place.offset, capacity, dirty: 0 })
        });
        let writer = JournalWriter {
            current: current.transpose()?,
            identity,
            segment_size: options.segment_size.max(SMALLEST_SEGMENT),
            reserve: options.reserve,
            prepared: None,
            next_sequence: survey.next_sequence,
            previous_checksum: survey.previous_checksum,
            poisoned: false,
            storage,
        };
        Ok((writer, recovered))
    }
}

impl<S: Storage> JournalWriter<S> {
    /// Verifies the journal, all of it or from [`JournalOptions::from`] on, and judges whether it may be
    /// opened, changing nothing.
    pub fn inspect(storage: S, options: JournalOptions) -> Result<InspectedJournal<S>, OpenError> {
        let survey = Survey::take(&storage, options.from)?;
        let identity = survey.identity(&storage, options.engine_id)?;
        // Only what was durable gets into a snapshot.
        survey.check_published(&storage, options.published.max(options.from.checked_sub(1)))?;
        Ok(InspectedJournal { storage, options, survey, identity })
    }

    /// Inspects the journal and opens it. After an error of reading or judging, nothing was changed.
    pub fn open(storage: S, options: JournalOptions) -> Result<(Self, Recovered), OpenError> {
        Self::inspect(storage, options)?.open()
    }

    /// The engine's id and this opening's epoch.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The sequence the next batch must begin with.
    pub fn next_sequence(&self) -> Sequence {
        self.next_sequence
    }

    /// Up to here everything is on disk.
    pub fn durable_sequence(&self) -> Sequence {
        self.next_sequence - 1
    }

    /// The most bytes a batch's payload may have.
    pub fn maximum_payload(&self) -> usize {
        (self.segment_size - FIRST_BATCH_OFFSET) as usize - BATCH_HEADER
    }

    /// Writes `count` whole records, the first of which has `first_sequence`, and syncs. Returns the
    /// durable sequence: the last of the batch.
    ///
    /// After [`AppendError::NoRoom`] the batch is not there and the next call may succeed; after
    /// [`AppendError::SyncFailed`], [`AppendError::Write`] or [`AppendError::Poisoned`] the caller
    /// must abort the process.
    pub fn append_batch(
        &mut self,
        first_sequence: Sequence,
        count: u32,
        payload: &[u8],
    ) -> Result<Sequence, AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        self.check(first_sequence, count, payload).map_err(AppendError::Refused)?;
        let length = (BATCH_HEADER + payload.len()) as u64;
        let header = BatchHeader::new(
            self.identity.engine_id,
            self.identity.epoch,
            first_sequence,
            count,
            self.previous_checksum,
            payload,
        );
        self.make_room(length)?;
        let Some(segment) = &mut self.current else { return Err(AppendError::Poisoned) };
        if let Err(fault) = segment.append(header.as_bytes(), payload) {
            let file = self.storage.locate(&segment.path);
            return Err(self.fail(file, fault, length));
        }
        self.previous_checksum = header.checksum.get();
        self.next_sequence = header.last_sequence() + 1;
        self.prepare_ahead();
        Ok(self.durable_sequence())
    }

    /// Makes sure that a batch of `length` bytes of payload finds its room allocated, so that a caller
    /// who hands the batch on before it is appended knows that it will fit. Begins the next segment
    /// when the current one is too full. (A file system that copies on write may still run out: see
    /// [`append_batch`](Self::append_batch).)
    ///
    /// The errors are those of `append_batch`.
    pub fn reserve(&mut self, length: usize) -> Result<(), AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        self.check_length(length).map_err(AppendError::Refused)?;
        self.make_room((BATCH_HEADER + length) as u64)
    }

    /// Sees to it that the current segment has `length` bytes left, by beginning one if need be.
    fn make_room(&mut self, length: u64) -> Result<(), AppendError> {
        let fits = |segment: &Segment<_>| segment.offset + length <= segment.capacity;
        if !self.current.as_ref().is_some_and(fits) {
            self.current = Some(self.begin_segment()?);
        }
        Ok(())
    }

    fn check_length(&self, length: usize) -> Result<(), Refusal> {
        let maximum = self.maximum_payload().min(u32::MAX as usize);
        if length > maximum { Err(Refusal::TooLarge { length, maximum }) } else { Ok(()) }
    }

    fn check(&self, first_sequence: Sequence, count: u32, payload: &[u8]) -> Result<(), Refusal> {
        if first_sequence != self.next_sequence {
            return Err(Refusal::OutOfOrder { given: first_sequence, expected: self.next_sequence });
        }
        self.check_length(payload.len())?;
        let mut records = Records::new(payload);
        let found = records.by_ref().count();
        if count == 0 || found != count as usize || !records.remainder().is_empty() {
            return Err(Refusal::Malformed { count });
        }
        Ok(())
    }

    /// Makes the segment after the current one, durable with its name, empty. On an error the current
    /// one stays.
    fn begin_segment(&mut self) -> Result<Segment<S::File>, AppendError> {
        if let Some(full) = &mut self.current
            && let Err(fault) = full.clean()
        {
            let (file, needed) = (self.storage.locate(&full.path), full.dirty);
            return Err(self.fail(file, fault, needed));
        }
        let path = segment_path(JOURNAL, self.next_sequence);
        let named = self.storage.locate(&path);
        let file = match self.prepared.take() {
            Some(file) => file,
            None => self.prepare().map_err(|fault| self.fail(named.clone(), fault, self.segment_size))?,
        };
        let header = SegmentHeader::new(
            self.identity.engine_id,
            self.identity.epoch,
            self.next_sequence,
            self.previous_checksum,
            self.segment_size,
        );
        let result = write_and_sync(&file, &[header.as_bytes()], 0)
            .and_then(|()| self.storage.rename(PREPARED, &path).map_err(Fault::from_write))
            .and_then(|()| self.storage.sync_directory(JOURNAL).map_err(Fault::Sync));
        if let Err(fault) = result {
            self.prepared = Some(file);
            return Err(self.fail(named, fault, self.segment_size));
        }
        let capacity = self.segment_size;
        Ok(Segment { file, path, offset: FIRST_BATCH_OFFSET, capacity, dirty: 0 })
    }

    /// Allocates the file of the segment to come, nameless still.
    fn prepare(&self) -> Result<S::File, Fault> {
        let free = self.storage.free_space().map_err(Fault::Write)?;
        if free < self.segment_size.saturating_add(self.reserve) {
            return Err(Fault::NoRoom);
        }
        let file = self.storage.open(PREPARED, Access::Create).map_err(Fault::from_write)?;
        if let Err(error) = file.preallocate(self.segment_size) {
            let fault = Fault::from_write(error);
            // Gives back what was allocated of it. Should this fail too, the next attempt empties it.
            let _ = self.storage.remove(PREPARED);
            return Err(fault);
        }
        Ok(file)
    }

    /// Prepares the next segment once the current one is half full, so that ending it costs no
    /// allocation. No room is no fault yet: it is one when the segment is needed.
    fn prepare_ahead(&mut self) {
        let is_half_full =
            self.current.as_ref().is_some_and(|segment| segment.offset >= segment.capacity / 2);
        if is_half_full && self.prepared.is_none() {
            self.prepared = self.prepare().ok();
        }
    }

    /// A fault as the caller sees it; all but want of room end this writer.
    fn fail(&mut self, file: String, fault: Fault, needed: u64) -> AppendError {
        self.poisoned |= !matches!(fault, Fault::NoRoom);
        match fault {
            Fault::NoRoom => AppendError::NoRoom { file, needed },
            Fault::Write(source) => AppendError::Write { file, source },
            Fault::Sync(source) => AppendError::SyncFailed(SyncFailed { file, source }),
        }
    }
}

/// What a write or a sync may come to.
enum Fault {
    NoRoom,
    Write(io::Error),
    Sync(io::Error),
}

impl Fault {
    fn from_write(error: io::Error) -> Self {
        if is_no_room(&error) { Self::NoRoom } else { Self::Write(error) }
    }
}

fn write_and_sync<F: StorageFile>(file: &F, parts: &[&[u8]], offset: u64) -> Result<(), Fault> {
    file.write_at(parts, offset).map_err(Fault::from_write)?;
    // Even "no room" is final here: what a failed sync lost is not known.
    file.sync_data().map_err(Fault::Sync)
}

impl<F: StorageFile> Segment<F> {
    fn append(&mut self, header: &[u8], payload: &[u8]) -> Result<(), Fault> {
        let length = (header.len() + payload.len()) as u64;
        // What a refused write left beyond this batch becomes zeros again, in the same write.
        let zeros = vec![0; self.dirty.saturating_sub(length) as usize];
        match write_and_sync(&self.file, &[header, payload, &zeros], self.offset) {
            Err(Fault::NoRoom) => {
                self.dirty = self.dirty.max(length);
                // The batch may be whole even so, if it was cut within zeros. It is about to be
                // rejected, so it must not be found after a crash: its header goes, durably.
                let blank = [0; BATCH_HEADER];
                return match write_and_sync(&self.file, &[&blank], self.offset) {
                    Err(Fault::NoRoom) => Err(Fault::Write(io::ErrorKind::StorageFull.into())),
                    Err(fault) => Err(fault),
                    Ok(()) => Err(Fault::NoRoom),
                };
            }
            result => result?,
        }
        self.dirty = 0;
        self.offset += length;
        Ok(())
    }

    /// Zeros what a refused write left, so that nothing stands between the last batch and the end.
    fn clean(&mut self) -> Result<(), Fault> {
        if self.dirty > 0 {
            write_and_sync(&self.file, &[&vec![0; self.dirty as usize]], self.offset)?;
            self.dirty = 0;
        }
        Ok(())
    }
}
