//! Cuts a journal after a sequence, for a data directory that is being restored to it. It does not know
//! why anyone gives up what came after.

use zerocopy::IntoBytes;

use crate::Sequence;
use crate::archive::Archive;
use crate::error::{OpenError, ReadError};
use crate::layout::{BATCH_HEADER, BatchHeader};
use crate::records::Records;
use crate::segments::{JOURNAL, list_segments, segment_path};
use crate::storage::{Access, Storage, StorageFile};
use crate::walk::Walk;

/// Cuts the journal in `storage` so that it ends with sequence `last`: later segments are removed, also
/// from the directory's own archive, and the batch that holds `last` is written anew with the records
/// up to it. All there is up to `last` in that segment is verified before anything is changed.
///
/// What is cut off is gone, and a crash under way leaves a journal that is to be cut again: this is for a
/// copy, never for the only one. The caller holds the [`DirectoryLock`](crate::DirectoryLock).
pub fn cut_journal<S: Storage>(storage: &S, last: Sequence) -> Result<(), OpenError> {
    let archive = Archive::of(storage.clone());
    let mut walk = Walk::new(storage.clone(), Some(archive.clone()), Some(last))?;
    let header = loop {
        match walk.advance()? {
            Some(header) if header.last_sequence() < last => {}
            Some(header) => break header,
            None => {
                walk.judge_end()?;
                let found = walk.next_sequence() - 1;
                return Err(
                    ReadError::Ended { file: storage.locate(JOURNAL), wanted: last, last: found }.into()
                );
            }
        }
    };
    let kept = (last + 1 - header.first_sequence.get()) as u32;
    let payload = walk.payload(&header)?;
    let length = Records::new(payload).take(kept as usize).map(<[u8]>::len).sum();
    let payload = payload[..length].to_vec();
    // A batch was read, so there is a place.
    let Some(place) = walk.place() else { return Ok(()) };
    let start = place.offset - (BATCH_HEADER + header.length.get() as usize) as u64;

    let failed = |path: &str, source| OpenError::Io { file: storage.locate(path), source };
    let live = list_segments(storage, JOURNAL).map_err(|source| failed(JOURNAL, source))?;
    for first in live.iter().rev().filter(|first| **first > place.segment) {
        let path = segment_path(JOURNAL, *first);
        storage.remove(&path).map_err(|source| failed(&path, source))?;
    }
    let path = segment_path(JOURNAL, place.segment);
    if !live.contains(&place.segment) {
        let content = archive.read(place.segment)?;
        storage.create_directory(JOURNAL).map_err(|source| failed(JOURNAL, source))?;
        let file = storage.open(&path, Access::Create).map_err(|source| failed(&path, source))?;
        file.write_at(&[&content], 0).map_err(|source| failed(&path, source))?;
    }
    for first in archive.list()?.into_iter().rev().filter(|first| *first >= place.segment) {
        let path = archive.segment(first).path();
        storage.remove(&path).map_err(|source| failed(&path, source))?;
    }
    let shorter = BatchHeader::new(
        header.engine_id.get(),
        header.epoch.get(),
        header.first_sequence.get(),
        kept,
        header.previous_checksum.get(),
        &payload,
    );
    let write = || {
        let file = storage.open(&path, Access::Write)?;
        file.write_at(&[shorter.as_bytes(), &payload], start)?;
        file.truncate(start + (BATCH_HEADER + length) as u64)?;
        file.sync_data()?;
        storage.sync_directory(JOURNAL)
    };
    write().map_err(|source| failed(&path, source))
}
