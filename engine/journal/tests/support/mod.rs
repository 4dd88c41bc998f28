//! Batches of made-up records, and what a journal holds, for the tests of this crate.

#![allow(dead_code)] // each test file uses a part

use engine_journal::{
    AppendError, JournalOptions, JournalReader, JournalWriter, ReadError, Recovered, Sequence, Storage,
};

/// The smallest segments there are, so that a few batches fill them; no reserve.
pub const OPTIONS: JournalOptions =
    JournalOptions { engine_id: 7, segment_size: 8192, reserve: 0, published: None, from: 0 };

/// A record of `length` bytes (a multiple of 8) whose content says which it is.
pub fn record(sequence: Sequence, length: usize) -> Vec<u8> {
    let mut record: Vec<u8> =
        (0..length).map(|index| (sequence as usize * 31 + index * 7 + 1) as u8).collect();
    record[..2].copy_from_slice(&(length as u16).to_le_bytes());
    record
}

/// `count` records from `first` on.
pub fn payload(first: Sequence, count: u32, length: usize) -> Vec<u8> {
    (first..first + u64::from(count)).flat_map(|sequence| record(sequence, length)).collect()
}

pub fn open<S: Storage>(storage: &S) -> (JournalWriter<S>, Recovered) {
    JournalWriter::open(storage.clone(), OPTIONS).unwrap()
}

/// Appends the next `count` records of `length` bytes each.
pub fn append<S: Storage>(
    writer: &mut JournalWriter<S>,
    count: u32,
    length: usize,
) -> Result<Sequence, AppendError> {
    let first = writer.next_sequence();
    writer.append_batch(first, count, &payload(first, count, length))
}

/// All records with their sequences.
pub fn read<S: Storage>(storage: &S) -> Result<Vec<(Sequence, Vec<u8>)>, ReadError> {
    read_from(storage, 0)
}

pub fn read_from<S: Storage>(storage: &S, from: Sequence) -> Result<Vec<(Sequence, Vec<u8>)>, ReadError> {
    let mut reader = JournalReader::open(storage.clone(), from)?;
    let mut records = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        assert_eq!(batch.records().count(), batch.count as usize);
        records.extend(batch.records().map(|(sequence, record)| (sequence, record.to_vec())));
    }
    Ok(records)
}
