//! Segments leave the journal for an archive: read as if they were still there, never gone from both.

#![allow(clippy::unwrap_used)] // helpers of tests count as no tests

mod support;

use engine_journal::{
    Archive, ArchiveError, FileStorage, JournalOptions, JournalReader, JournalWriter, OpenError, ReadError,
    RetentionPlan, RetentionRule, Sequence, SimulatedStorage, Storage, closed_segments,
};
use support::{OPTIONS, append, open, payload, read, read_from};

const LENGTH: usize = 600;
const NOTHING_KEPT: RetentionRule = RetentionRule { segments: 0, bytes: 0 };

fn segment(first: Sequence) -> String {
    format!("journal/segment-{first:020}.log")
}

fn archived(first: Sequence) -> String {
    format!("archive/segment-{first:020}.log.zst")
}

fn archive<S: Storage>(storage: &S) -> Archive<S> {
    Archive::of(storage.clone()).with_reserve(0)
}

/// A journal of three closed segments and one being written; their first sequences, and the last.
fn journal<S: Storage>(storage: &S) -> (Vec<Sequence>, Sequence) {
    let (mut writer, _) = open(storage);
    while closed_segments(storage).unwrap().len() < 3 {
        append(&mut writer, 2, LENGTH).unwrap();
    }
    append(&mut writer, 1, LENGTH).unwrap();
    let mut firsts: Vec<_> = closed_segments(storage).unwrap().iter().map(|segment| segment.first).collect();
    firsts.push(closed_segments(storage).unwrap()[2].last + 1);
    (firsts, writer.durable_sequence())
}

/// A plan that lets all closed segments go.
fn all_may_go<S: Storage>(storage: &S) -> RetentionPlan {
    NOTHING_KEPT.plan(&closed_segments(storage).unwrap(), Some(u64::MAX), &[])
}

/// Everything is read from any sequence on, and every record is what was written.
fn assert_reads<S: Storage>(storage: &S, last: Sequence, what: &str) {
    for from in [0, 1, 2, last / 3, last / 2, last] {
        let records = read_from(storage, from).unwrap_or_else(|error| panic!("{what}, from {from}: {error}"));
        let first = from.max(1);
        assert_eq!(records[0].0, first, "{what}");
        let bytes: Vec<u8> = records.into_iter().flat_map(|(_, record)| record).collect();
        assert!(bytes == payload(first, (last + 1 - first) as u32, LENGTH), "{what}, from {from}");
    }
}

fn check_execution<S: Storage>(storage: &S) {
    let (firsts, last) = journal(storage);
    let mut told = Vec::new();
    let deleted =
        all_may_go(storage).execute(storage, Some(&archive(storage)), |first| told.push(first)).unwrap();
    assert_eq!(told, firsts[..3]);
    assert_eq!(deleted.iter().map(|segment| segment.first).collect::<Vec<_>>(), firsts[..3]);
    assert_eq!(archive(storage).list().unwrap(), firsts[..3]);
    assert_eq!(closed_segments(storage).unwrap(), []);
    assert_reads(storage, last, "all that was closed is archived");
    let mut reader = JournalReader::open(storage.clone(), 1).unwrap();
    let total = reader.progress().unwrap().bytes_total;
    while reader.next_batch().unwrap().is_some() {}
    assert_eq!(reader.bytes_done(), total, "progress counts what is archived");

    // The journal itself begins where it does, and goes on.
    let options = JournalOptions { from: firsts[3], ..OPTIONS };
    let (mut writer, recovered) = JournalWriter::open(storage.clone(), options).unwrap();
    assert_eq!((recovered.first_sequence, recovered.last_sequence), (firsts[3], last));
    append(&mut writer, 4, LENGTH).unwrap();
    assert_reads(storage, last + 4, "it went on");
}

#[test]
fn archived_segments_are_read_as_if_they_were_there() {
    check_execution(&SimulatedStorage::new());
    let directory = tempfile::tempdir().unwrap();
    check_execution(&FileStorage::new(directory.path()));
}

#[test]
fn an_archive_elsewhere_is_read_when_it_is_named() {
    let (storage, elsewhere) = (SimulatedStorage::new(), SimulatedStorage::new());
    let (firsts, last) = journal(&storage);
    let archive = Archive::new(elsewhere.clone(), "kept").with_reserve(0);
    all_may_go(&storage).execute(&storage, Some(&archive), |_| {}).unwrap();
    assert!(elsewhere.paths().iter().all(|path| path.starts_with("kept/segment-")));
    match read_from(&storage, 1).unwrap_err() {
        ReadError::Deleted { file, wanted: 1, first } => assert_eq!((&*file, first), ("journal", firsts[3])),
        error => panic!("{error}"),
    }
    let mut reader = JournalReader::open_with_archive(storage, archive, 1).unwrap();
    let mut next = 1;
    while let Some(batch) = reader.next_batch().unwrap() {
        assert_eq!(batch.first_sequence, next);
        next = batch.last_sequence() + 1;
    }
    assert_eq!(next, last + 1);
}

#[test]
fn a_reader_goes_on_while_segments_are_archived_under_it() {
    let storage = SimulatedStorage::new();
    let (_, last) = journal(&storage);
    let mut readers: Vec<_> = (0..6).map(|_| JournalReader::open(storage.clone(), 1).unwrap()).collect();
    let mut next = vec![1; readers.len()];
    let mut step = |reader: usize, batches: usize| {
        for _ in 0..batches {
            let Some(batch) = readers[reader].next_batch().unwrap() else { return next[reader] };
            assert_eq!(batch.first_sequence, next[reader]);
            next[reader] = batch.last_sequence() + 1;
        }
        next[reader]
    };
    for reader in 0..6 {
        step(reader, reader * 2);
    }
    all_may_go(&storage).execute(&storage, Some(&archive(&storage)), |_| {}).unwrap();
    for reader in 0..6 {
        assert_eq!(step(reader, usize::MAX), last + 1, "reader {reader}");
    }
}

#[test]
fn the_power_fails_at_every_change_and_nothing_is_gone_from_both() {
    let original = SimulatedStorage::new();
    let (firsts, last) = journal(&original);
    let whole = original.duplicate();
    all_may_go(&whole).execute(&whole, Some(&archive(&whole)), |_| {}).unwrap();
    assert!(whole.changes() > 15, "{}", whole.changes());
    for change in 0..=whole.changes() {
        for seed in 0..20 {
            let what = format!("change {change} seed {seed}");
            let storage = original.duplicate();
            storage.power_off_after(change);
            let mut told = 0;
            let _ = all_may_go(&storage).execute(&storage, Some(&archive(&storage)), |_| told += 1);
            storage.crash(seed);
            assert_reads(&storage, last, &what);
            assert!(closed_segments(&storage).unwrap().len() <= 3 - told, "{what}: one came back");
            // The journal opens from wherever it begins now, and the plan is finished.
            let from = closed_segments(&storage).unwrap().first().map_or(firsts[3], |segment| segment.first);
            JournalWriter::inspect(storage.clone(), JournalOptions { from, ..OPTIONS }).unwrap();
            all_may_go(&storage).execute(&storage, Some(&archive(&storage)), |_| {}).unwrap();
            storage.crash(seed + 1);
            assert_eq!(closed_segments(&storage).unwrap(), [], "{what}");
            assert_reads(&storage, last, &what);
            assert!(storage.paths().iter().all(|path| !path.contains(".zst.tmp")), "{what}");
        }
    }
}

#[test]
fn without_an_archive_what_is_deleted_is_gone_oldest_first() {
    let original = SimulatedStorage::new();
    let (firsts, last) = journal(&original);
    let whole = original.duplicate();
    all_may_go(&whole).execute(&whole, None, |_| {}).unwrap();
    for change in 0..=whole.changes() {
        for seed in 0..20 {
            let storage = original.duplicate();
            storage.power_off_after(change);
            let _ = all_may_go(&storage).execute(&storage, None, |_| {});
            storage.crash(seed);
            let records = read(&storage).unwrap();
            assert!(firsts.contains(&records[0].0), "change {change} seed {seed}");
            assert_eq!(records.last().unwrap().0, last, "change {change} seed {seed}");
        }
    }
    // A plan of another time never reaches the segment being written, nor leaves a gap.
    let storage = original.duplicate();
    let stale = RetentionPlan { delete: vec![firsts[1], firsts[3]], kept: None };
    assert_eq!(stale.execute(&storage, None, |_| {}).unwrap(), []);
    let stale = RetentionPlan { delete: firsts.clone(), kept: None };
    assert_eq!(stale.execute(&storage, None, |_| {}).unwrap().len(), 3);
    assert_eq!(read(&storage).unwrap()[0].0, firsts[3]);
}

#[test]
fn every_flipped_bit_of_an_archived_segment_is_found_or_does_no_harm() {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    while closed_segments(&storage).unwrap().is_empty() {
        append(&mut writer, 2, LENGTH).unwrap();
    }
    archive(&storage).store(&storage, 1).unwrap();
    let content = storage.content(&segment(1)).unwrap();
    storage.remove(&segment(1)).unwrap();
    let good = storage.content(&archived(1)).unwrap();
    assert_eq!(good[..4], [0x28, 0xb5, 0x2f, 0xfd], "a zstd frame");
    let mut found = 0;
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        storage.set_content(&archived(1), bad);
        match archive(&storage).read(1) {
            Err(ReadError::Corrupt { file, .. }) => {
                assert_eq!(file, archived(1));
                found += 1;
            }
            Err(error) => panic!("bit {bit}: {error}"),
            // A bit that decides nothing but how much memory a decoder takes.
            Ok(read) => assert!(read == content, "bit {bit}"),
        }
    }
    assert!(found + 32 > good.len() * 8, "{found} of {} bits", good.len() * 8);
    for length in 0..good.len() {
        storage.set_content(&archived(1), good[..length].to_vec());
        assert!(read(&storage).is_err(), "cut at {length}");
    }
}

#[test]
fn only_a_closed_and_whole_segment_is_archived() {
    let original = SimulatedStorage::new();
    let (firsts, _) = journal(&original);
    let error = archive(&original).store(&original, firsts[3]).unwrap_err();
    assert!(matches!(error, ArchiveError::NotClosed { .. }), "{error}");

    let whole = original.content(&segment(firsts[1])).unwrap();
    for at in [3, 60, 4096, 4096 + 70, 8191] {
        let storage = original.duplicate();
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        storage.set_content(&segment(firsts[1]), bytes);
        let error = all_may_go(&storage).execute(&storage, Some(&archive(&storage)), |_| {}).unwrap_err();
        assert!(matches!(error, ArchiveError::Read(ReadError::Corrupt { .. })), "byte {at}: {error}");
        assert!(storage.paths().contains(&segment(firsts[1])), "the damaged one stays, byte {at}");
        assert!(!storage.paths().contains(&archived(firsts[1])), "byte {at}");
        // Without the damaged header nobody knows whether the one before it was closed.
        assert_eq!(storage.paths().contains(&segment(firsts[0])), at < 4096, "byte {at}");
    }
}

#[test]
fn what_the_archive_has_already_is_compared() {
    let storage = SimulatedStorage::new();
    journal(&storage);
    let bytes = archive(&storage).store(&storage, 1).unwrap();
    let changes = storage.changes();
    assert_eq!(archive(&storage).store(&storage, 1).unwrap(), bytes);
    assert_eq!(storage.changes(), changes, "the same is not written again");

    let mut bad = storage.content(&archived(1)).unwrap();
    let length = bad.len();
    bad[length / 2] ^= 1;
    storage.set_content(&archived(1), bad);
    archive(&storage).store(&storage, 1).unwrap();
    assert!(archive(&storage).read(1).unwrap() == storage.content(&segment(1)).unwrap(), "stored anew");

    let other = SimulatedStorage::new();
    let (mut writer, _) = open(&other);
    while closed_segments(&other).unwrap().is_empty() {
        append(&mut writer, 1, 400).unwrap();
    }
    let error = archive(&storage).store(&other, 1).unwrap_err();
    assert!(matches!(error, ArchiveError::Foreign { .. }), "{error}");
    assert!(archive(&storage).read(1).unwrap() == storage.content(&segment(1)).unwrap(), "untouched");
}

/// After a restore to an earlier sequence an archive may hold what was given up.
#[test]
fn segments_of_an_archive_above_the_journals_oldest_are_not_taken() {
    let storage = SimulatedStorage::new();
    let (firsts, last) = journal(&storage);
    archive(&storage).store(&storage, firsts[2]).unwrap();
    let bytes = storage.content(&archived(firsts[2])).unwrap();
    storage.set_content(&archived(firsts[2] + 1), bytes.clone());
    storage.set_content(&archived(last + 1), bytes);
    assert_reads(&storage, last, "the journal is whole by itself");
}

#[test]
fn without_room_nothing_is_deleted_and_it_goes_on_when_there_is_some() {
    let storage = SimulatedStorage::new();
    let (firsts, last) = journal(&storage);
    storage.set_room(Some(100));
    let plan = all_may_go(&storage);
    let error = plan.execute(&storage, Some(&archive(&storage)), |_| {}).unwrap_err();
    assert!(matches!(&error, ArchiveError::NoRoom { file, .. } if *file == archived(1)), "{error}");
    assert_eq!(closed_segments(&storage).unwrap().len(), 3);
    storage.set_room(None);
    storage.short_next_write(50);
    let error = plan.execute(&storage, Some(&archive(&storage)), |_| {}).unwrap_err();
    assert!(matches!(error, ArchiveError::NoRoom { .. }), "{error}");
    assert!(storage.paths().iter().all(|path| !path.starts_with("archive/")), "its room is given back");
    assert_eq!(plan.execute(&storage, Some(&archive(&storage)), |_| {}).unwrap().len(), 3);
    assert_eq!(archive(&storage).list().unwrap(), firsts[..3]);
    assert_reads(&storage, last, "after all");
    let from = JournalOptions { from: 1, ..OPTIONS };
    let error = JournalWriter::inspect(storage, from).unwrap_err();
    assert!(matches!(error, OpenError::Read(ReadError::Deleted { wanted: 1, .. })), "{error}");
}

#[test]
fn the_reserve_of_an_archive_stays_free() {
    const RESERVE: u64 = 10_000;
    let storage = SimulatedStorage::new();
    let (firsts, _) = journal(&storage);
    let compressed = archive(&storage.duplicate()).store(&storage, firsts[0]).unwrap();
    let archive = Archive::of(storage.clone()).with_reserve(RESERVE);
    storage.set_room(Some(RESERVE + compressed - 1));
    match archive.store(&storage, firsts[0]).unwrap_err() {
        ArchiveError::NoRoom { needed, .. } => assert_eq!(needed, RESERVE + compressed),
        error => panic!("{error}"),
    }
    storage.set_room(Some(RESERVE + compressed));
    assert_eq!(archive.store(&storage, firsts[0]).unwrap(), compressed);
}

#[test]
fn a_segment_that_is_in_the_archive_and_the_journal_counts_once() {
    let storage = SimulatedStorage::new();
    let (firsts, last) = journal(&storage);
    for first in &firsts[..2] {
        archive(&storage).store(&storage, *first).unwrap();
    }
    assert_reads(&storage, last, "two are there twice");
    let mut reader = JournalReader::open(storage, 0).unwrap();
    let total = reader.progress().unwrap().bytes_total;
    while reader.next_batch().unwrap().is_some() {}
    assert_eq!(reader.bytes_done(), total);
}

#[test]
fn damage_is_told_of_the_file_that_has_it() {
    let storage = SimulatedStorage::new();
    let (firsts, last) = journal(&storage);
    let live = storage.duplicate();
    let mut content = live.content(&segment(firsts[1])).unwrap();
    content[5_000] ^= 1;
    live.set_content(&segment(firsts[1]), content);
    let error = read_from(&live, 1).unwrap_err();
    assert!(matches!(&error, ReadError::Corrupt { file, .. } if *file == segment(firsts[1])), "{error}");

    all_may_go(&storage).execute(&storage, Some(&archive(&storage)), |_| {}).unwrap();
    assert_reads(&storage, last, "before");
    // Rotten before it was compressed: the file itself is whole.
    let mut content = archive(&storage).read(firsts[1]).unwrap();
    content[5_000] ^= 1;
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 0).unwrap();
    encoder.set_pledged_src_size(Some(content.len() as u64)).unwrap();
    std::io::Write::write_all(&mut encoder, &content).unwrap();
    storage.set_content(&archived(firsts[1]), encoder.finish().unwrap());
    for from in [1, firsts[1]] {
        let error = read_from(&storage, from).unwrap_err();
        assert!(matches!(&error, ReadError::Corrupt { file, .. } if *file == archived(firsts[1])), "{error}");
    }
    let gone = JournalReader::open_with_archive(storage.clone(), Archive::new(storage, "nowhere"), 1);
    assert!(matches!(gone, Err(ReadError::Deleted { wanted: 1, .. })));
}
