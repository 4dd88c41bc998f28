//! Damage to a journal at rest: cut at every byte, every bit flipped, files missing or swapped.

#![allow(clippy::unwrap_used)] // helpers of tests count as no tests

mod support;

use engine_journal::{
    EventLogWriter, FileStorage, Identity, JournalOptions, JournalReader, JournalWriter, OpenError,
    ReadError, Sequence, SimulatedStorage, Storage, survey,
};
use support::{OPTIONS, append, open, payload, read};

const SEGMENT_HEADER: usize = 56;
const BATCH_HEADER: usize = 56;
const FIRST_BATCH: usize = 4096;

fn segment(first: Sequence) -> String {
    format!("journal/segment-{first:020}.log")
}

/// A journal of `batches` batches of two records of 24 bytes in one segment, and where each ends.
fn small_journal(batches: usize) -> (SimulatedStorage, Vec<usize>) {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    let mut ends = vec![FIRST_BATCH];
    for _ in 0..batches {
        append(&mut writer, 2, 24).unwrap();
        ends.push(ends[ends.len() - 1] + BATCH_HEADER + 48);
    }
    (storage, ends)
}

/// Two full segments and a third begun: first sequences, and where the batches of each begin and end.
fn journal_of_three_segments() -> (SimulatedStorage, Vec<(Sequence, Vec<usize>)>) {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    let mut segments: Vec<(Sequence, Vec<usize>)> = Vec::new();
    while segments.len() < 3 || segments[2].1.len() < 3 {
        let first = writer.next_sequence();
        append(&mut writer, 2, 600).unwrap();
        if storage.paths().contains(&segment(first)) {
            segments.push((first, vec![FIRST_BATCH]));
        }
        let ends = &mut segments.last_mut().unwrap().1;
        ends.push(ends[ends.len() - 1] + BATCH_HEADER + 1200);
    }
    (storage, segments)
}

fn snapshot_of(storage: &SimulatedStorage) -> Vec<(String, Option<Vec<u8>>)> {
    storage.paths().into_iter().map(|path| (path.clone(), storage.content(&path))).collect()
}

/// Opens for writing, which must fail, and checks that nothing was touched.
fn refused(storage: &SimulatedStorage) -> OpenError {
    let before = snapshot_of(storage);
    JournalWriter::inspect(storage.clone(), OPTIONS).unwrap_err();
    let error = JournalWriter::open(storage.clone(), OPTIONS).unwrap_err();
    assert!(snapshot_of(storage) == before, "{error}: something was touched");
    error
}

fn assert_corrupt_at(storage: &SimulatedStorage, path: &str, at: usize) {
    match refused(storage) {
        OpenError::Read(ReadError::Corrupt { file, offset, .. }) => {
            assert_eq!((file.as_str(), offset), (path, at as u64));
        }
        error => panic!("{error}"),
    }
    assert!(matches!(read(storage), Err(ReadError::Corrupt { .. })), "a reader finds it as well");
    assert!(survey(storage).is_err());
}

/// Opens for writing and checks which prefix is left, then that it goes on and stays clean.
fn assert_prefix(storage: &SimulatedStorage, last: Sequence, is_torn: bool) {
    let seen: Vec<_> = read(storage).unwrap();
    assert_eq!(seen.len() as u64, last, "a reader sees the same prefix");
    let surveyed = survey(storage).unwrap();
    assert_eq!((surveyed.last_sequence, surveyed.torn.is_some()), (last, is_torn));
    let (mut writer, recovered) = open(storage);
    assert_eq!((recovered.last_sequence, recovered.torn.is_some()), (last, is_torn));
    append(&mut writer, 1, 16).unwrap();
    drop(writer);
    storage.crash(last);
    let (_, recovered) = open(storage);
    assert_eq!((recovered.last_sequence, recovered.torn), (last + 1, None));
    let records = read(storage).unwrap();
    assert_eq!(records[..last as usize], seen[..]);
}

#[test]
fn cut_at_every_byte_the_longest_valid_prefix_is_left() {
    let (original, ends) = small_journal(4);
    let whole = original.content(&segment(1)).unwrap();
    for length in 0..=ends[4] + 20 {
        let storage = original.duplicate();
        storage.set_content(&segment(1), whole[..length].to_vec());
        let batches = ends[1..].iter().filter(|end| **end <= length).count();
        // Cut within the header's block there is either no valid header, or zeros are missing.
        let is_torn =
            length < SEGMENT_HEADER || (length >= FIRST_BATCH && !ends.contains(&length) && length < ends[4]);
        assert_prefix(&storage, 2 * batches as u64, is_torn);
        if is_torn {
            let copy = storage.content(&format!("journal/torn-{}-0.bin", 2 * batches + 1)).unwrap();
            let begin = if length < SEGMENT_HEADER { 0 } else { ends[batches] };
            assert!(whole[begin..length].starts_with(&copy), "the copy is what was cut off");
            assert!(whole[begin + copy.len()..length].iter().all(|byte| *byte == 0));
        }
    }
    println!("cut at {} bytes: the longest whole prefix each time", ends[4] + 21);
}

#[test]
fn a_later_segment_cut_at_every_byte_leaves_those_before() {
    let (original, segments) = journal_of_three_segments();
    let (first, ends) = &segments[2];
    let whole = original.content(&segment(*first)).unwrap();
    for length in 0..=ends[2] {
        let storage = original.duplicate();
        storage.set_content(&segment(*first), whole[..length].to_vec());
        let batches = ends[1..].iter().filter(|end| **end <= length).count() as u64;
        let is_torn = length < SEGMENT_HEADER || (length >= FIRST_BATCH && !ends.contains(&length));
        assert_prefix(&storage, first - 1 + 2 * batches, is_torn);
    }
}

#[test]
fn cut_in_the_middle_it_stops() {
    let (original, segments) = journal_of_three_segments();
    for (first, ends) in &segments[..2] {
        let whole = original.content(&segment(*first)).unwrap();
        for length in [0, 10, SEGMENT_HEADER, FIRST_BATCH, ends[1] - 1, ends[1], ends[1] + 1, ends[2] - 1] {
            let storage = original.duplicate();
            storage.set_content(&segment(*first), whole[..length].to_vec());
            let valid = if length < SEGMENT_HEADER {
                0
            } else {
                *ends.iter().rfind(|end| **end <= length.max(4096)).unwrap()
            };
            assert_corrupt_at(&storage, &segment(*first), valid);
        }
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let (original, ends) = small_journal(4);
    let whole = original.content(&segment(1)).unwrap();
    let last = ends.len() - 2;
    for bit in 0..whole.len() * 8 {
        let at = bit / 8;
        let storage = original.duplicate();
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (bit % 8);
        storage.set_content(&segment(1), bytes);
        match ends.iter().rposition(|end| *end <= at) {
            None => assert_corrupt_at(&storage, &segment(1), 0),
            Some(batch) if batch < last => assert_corrupt_at(&storage, &segment(1), ends[batch]),
            Some(batch) => {
                let surveyed = survey(&storage).unwrap();
                assert_eq!(surveyed.last_sequence, 2 * batch as u64, "bit {bit}");
                assert_eq!(surveyed.torn.unwrap().offset, ends[batch] as u64, "bit {bit}");
            }
        }
    }
    println!("{0} of {0} flipped bits found, each with file and offset", whole.len() * 8);
}

#[test]
fn every_flipped_bit_before_the_last_segment_stops_it() {
    let (original, segments) = journal_of_three_segments();
    let mut flipped = 0;
    for (first, ends) in &segments[..2] {
        let whole = original.content(&segment(*first)).unwrap();
        // Each bit of the headers; of payloads and zeros a sample: each costs a whole verification.
        for bit in 0..whole.len() * 8 {
            let at = bit / 8;
            let begin = *ends.iter().rfind(|end| **end <= at).unwrap_or(&0);
            let is_header = at < SEGMENT_HEADER || (begin != 0 && at - begin < BATCH_HEADER);
            if !is_header && bit % 101 != 0 {
                continue;
            }
            let storage = original.duplicate();
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (bit % 8);
            storage.set_content(&segment(*first), bytes);
            assert_corrupt_at(&storage, &segment(*first), begin);
            flipped += 1;
        }
    }
    println!("{flipped} of {flipped} flipped bits before the last segment found, each with file and offset");
}

/// Larger than any buffer in between, so that damage falls on their edges as well.
#[test]
fn flipped_bits_of_a_large_journal_are_found() {
    let original = SimulatedStorage::new();
    let options = JournalOptions { segment_size: 6 << 20, ..OPTIONS };
    let (mut writer, _) = JournalWriter::open(original.clone(), options).unwrap();
    let mut ends = vec![FIRST_BATCH];
    while ends[ends.len() - 1] < 5 << 20 {
        let (first, count) = (writer.next_sequence(), ends.len() as u32 * 37 % 400 + 1);
        writer.append_batch(first, count, &payload(first, count, 512)).unwrap();
        ends.push(ends[ends.len() - 1] + BATCH_HEADER + count as usize * 512);
    }
    let mut bytes = original.content(&segment(1)).unwrap();
    let last = ends[ends.len() - 2];
    for sample in 0..60_usize {
        let bit = sample * 1_299_709 % (last * 8);
        let batch = ends.iter().rfind(|end| **end <= bit / 8).copied().unwrap_or(0);
        bytes[bit / 8] ^= 1 << (bit % 8);
        original.set_content(&segment(1), bytes.clone());
        match survey(&original) {
            Err(ReadError::Corrupt { offset, .. }) => assert_eq!(offset, batch as u64),
            other => panic!("bit {bit}: {other:?}"),
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    println!("60 of 60 flipped bits of a journal of {last} bytes found, each with its offset");
    original.set_content(&segment(1), bytes);
    assert_eq!(survey(&original).unwrap().last_sequence, writer.durable_sequence());
}

#[test]
fn a_header_without_batches_that_rots_is_a_torn_tail() {
    let (original, segments) = journal_of_three_segments();
    let (first, _) = &segments[2];
    let mut bytes = original.content(&segment(*first)).unwrap();
    bytes[FIRST_BATCH..].fill(0);
    bytes[3] ^= 1;
    original.set_content(&segment(*first), bytes);
    assert_prefix(&original, first - 1, true);
}

#[test]
fn zeros_in_the_middle_are_no_end() {
    let (original, ends) = small_journal(4);
    let mut bytes = original.content(&segment(1)).unwrap();
    bytes[ends[1]..ends[2]].fill(0);
    original.set_content(&segment(1), bytes);
    assert_corrupt_at(&original, &segment(1), ends[1]);
}

/// What a client writes may look like a batch. Neither the whole batch that would come next, within a
/// payload that was being written, nor any other where even the header is lost, keeps it from starting.
#[test]
fn bytes_forged_as_a_batch_do_not_make_a_torn_tail_damage() {
    let (long, ends) = small_journal(5);
    let forged = |batch: usize| long.content(&segment(1)).unwrap()[ends[batch]..ends[batch + 1]].to_vec();
    let (earlier, next) = (forged(1), forged(4));
    for (inner, header_is_lost) in [(&next, false), (&earlier, false), (&earlier, true)] {
        let (storage, ends) = small_journal(3);
        let mut bytes = storage.content(&segment(1)).unwrap();
        let record = [&(inner.len() as u16 + 16).to_le_bytes()[..], &[7; 6], inner, &[7; 8]].concat();
        let length = BATCH_HEADER + record.len();
        let (mut writer, _) = open(&storage);
        writer.append_batch(7, 1, &record).unwrap();
        let whole = storage.content(&segment(1)).unwrap();
        assert_eq!(whole[ends[3] + length..].iter().find(|byte| **byte != 0), None);
        bytes[ends[3]..ends[3] + length - 8].copy_from_slice(&whole[ends[3]..ends[3] + length - 8]);
        if header_is_lost {
            bytes[ends[3]..ends[3] + BATCH_HEADER].fill(0);
        }
        storage.set_content(&segment(1), bytes);
        assert_prefix(&storage, 6, true);
    }
}

#[test]
fn an_inspection_changes_nothing_and_what_follows_it_does() {
    let (storage, ends) = small_journal(3);
    let mut bytes = storage.content(&segment(1)).unwrap();
    bytes[ends[2] + BATCH_HEADER] ^= 1;
    storage.set_content(&segment(1), bytes);
    let before = snapshot_of(&storage);
    let inspected = JournalWriter::inspect(storage.clone(), OPTIONS).unwrap();
    assert!(snapshot_of(&storage) == before);
    let (writer, recovered) = inspected.open().unwrap();
    assert_eq!((writer.durable_sequence(), recovered.torn.is_some()), (4, true));
    assert!(snapshot_of(&storage) != before);
}

#[test]
fn a_missing_or_foreign_segment_stops_it() {
    let (original, segments) = journal_of_three_segments();
    let storage = original.duplicate();
    storage.remove(&segment(segments[1].0)).unwrap();
    assert_corrupt_at(&storage, &segment(1), *segments[0].1.last().unwrap());

    // Old segments may be deleted; a reader is told where the journal begins now.
    let storage = original.duplicate();
    storage.remove(&segment(1)).unwrap();
    let (_, recovered) = open(&storage);
    assert_eq!(recovered.first_sequence, segments[1].0);
    match JournalReader::open(storage, 1).unwrap_err() {
        ReadError::Deleted { wanted: 1, first, .. } => assert_eq!(first, segments[1].0),
        error => panic!("{error}"),
    }

    let storage = original.duplicate();
    storage.set_content(&segment(segments[1].0), original.content(&segment(1)).unwrap());
    assert_corrupt_at(&storage, &segment(segments[1].0), 0);
}

/// Whole and valid, with the right sequences, but of another history: only the chain tells.
#[test]
fn batches_and_segments_of_another_history_are_found() {
    let other = SimulatedStorage::new();
    let (mut writer, _) = open(&other);
    let (original, segments) = journal_of_three_segments();
    while writer.durable_sequence() < segments[2].0 {
        let first = writer.next_sequence();
        let mut bytes = payload(first, 2, 600);
        bytes[100] ^= 1;
        writer.append_batch(first, 2, &bytes).unwrap();
    }
    for (first, ends) in &segments[..2] {
        let theirs = other.content(&segment(*first)).unwrap();
        for range in
            ends.windows(2).map(|ends| ends[0]..ends[1]).filter(|range| *first > 1 || range.start > 4096)
        {
            let storage = original.duplicate();
            let mut bytes = original.content(&segment(*first)).unwrap();
            bytes[range.clone()].copy_from_slice(&theirs[range.clone()]);
            storage.set_content(&segment(*first), bytes);
            assert_corrupt_at(&storage, &segment(*first), range.start);
        }
    }
    let storage = original.duplicate();
    storage.set_content(&segment(segments[1].0), other.content(&segment(segments[1].0)).unwrap());
    assert_corrupt_at(&storage, &segment(segments[1].0), 0);
}

#[test]
fn a_published_sequence_above_the_end_stops_it() {
    let (storage, ends) = small_journal(4);
    let before = snapshot_of(&storage);
    let options = JournalOptions { published: Some(9), ..OPTIONS };
    match JournalWriter::open(storage.clone(), options).unwrap_err() {
        OpenError::PublishedAboveEnd { published: 9, last: 8, file, offset } => {
            assert_eq!((file, offset), (segment(1), ends[4] as u64));
        }
        error => panic!("{error}"),
    }
    assert!(snapshot_of(&storage) == before);

    // The rotten last record looks torn; that a consumer saw it tells the difference.
    let mut bytes = storage.content(&segment(1)).unwrap();
    bytes[ends[3] + 70] ^= 1;
    storage.set_content(&segment(1), bytes);
    let options = JournalOptions { published: Some(8), ..OPTIONS };
    match JournalWriter::open(storage.clone(), options).unwrap_err() {
        OpenError::PublishedAboveEnd { published: 8, last: 6, offset, .. } => {
            assert_eq!(offset, ends[3] as u64);
        }
        error => panic!("{error}"),
    }
    let options = JournalOptions { published: Some(6), ..OPTIONS };
    assert_eq!(JournalWriter::open(storage, options).unwrap().1.last_sequence, 6);
}

#[test]
fn the_identity_must_fit_the_journal() {
    let (original, _) = small_journal(2);
    let storage = original.duplicate();
    storage.remove("identity").unwrap();
    assert!(matches!(refused(&storage), OpenError::IdentityMissing { file } if file == "identity"));

    let storage = original.duplicate();
    let mut bytes = storage.content("identity").unwrap();
    bytes[12] ^= 1;
    storage.set_content("identity", bytes);
    assert!(matches!(refused(&storage), OpenError::Read(ReadError::Corrupt { .. })));

    // An identity from before: its epochs have been used already.
    let old = original.content("identity").unwrap();
    let (mut writer, _) = open(&original);
    append(&mut writer, 1, 8).unwrap();
    original.set_content("identity", old);
    assert_eq!(Identity::read(&original).unwrap().unwrap().epoch, 1);
    assert!(matches!(refused(&original), OpenError::Foreign { found_epoch: 2, epoch: 1, .. }));

    let other = SimulatedStorage::new();
    let options = JournalOptions { engine_id: 8, ..OPTIONS };
    let (mut writer, _) = JournalWriter::open(other.clone(), options).unwrap();
    writer.append_batch(1, 1, &payload(1, 1, 8)).unwrap();
    original.set_content("identity", other.content("identity").unwrap());
    assert!(matches!(refused(&original), OpenError::Foreign { found_engine: 7, engine: 8, .. }));
}

#[test]
fn an_unreadable_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(segment(1));
    std::fs::create_dir_all(&path).unwrap(); // a directory where a segment should be
    let storage = FileStorage::new(directory.path());
    let error = JournalWriter::open(storage.clone(), OPTIONS).unwrap_err();
    assert!(matches!(error, OpenError::Read(ReadError::Io { .. })), "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing was made");
    assert_eq!(EventLogWriter::inspect(storage.clone()).unwrap().last_sequence(), None);
}
