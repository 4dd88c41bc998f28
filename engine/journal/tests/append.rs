//! Appending, reading back, rolling segments, running out of room, failing syncs.

#![allow(clippy::unwrap_used)] // helpers of tests count as no tests

mod support;

use engine_journal::{
    AppendError, FileStorage, Identity, JournalOptions, JournalReader, JournalWriter, Refusal,
    SimulatedStorage, Storage,
};
use support::{OPTIONS, append, open, payload, read, read_from, record};

fn appends_and_reads<S: Storage>(storage: &S) {
    let (mut writer, recovered) = open(storage);
    assert_eq!((recovered.first_sequence, recovered.last_sequence, recovered.torn), (1, 0, None));
    assert_eq!(writer.identity(), Identity { engine_id: 7, epoch: 1 });
    for round in 0..40_u64 {
        assert_eq!(append(&mut writer, 3, 64).unwrap(), (round + 1) * 3);
    }
    let all: Vec<_> = (1..=120).map(|sequence| (sequence, record(sequence, 64))).collect();
    assert_eq!(read(storage).unwrap(), all);
    for from in [1, 2, 3, 4, 50, 119, 120] {
        assert_eq!(read_from(storage, from).unwrap(), all[from as usize - 1..], "from {from}");
    }
    assert!(read_from(storage, 121).unwrap().is_empty());
    drop(writer);
    let (mut writer, recovered) = open(storage);
    assert_eq!((recovered.first_sequence, recovered.last_sequence, recovered.torn), (1, 120, None));
    assert_eq!(writer.identity().epoch, 2);
    assert_eq!(append(&mut writer, 1, 8).unwrap(), 121);
    assert_eq!(read(storage).unwrap().len(), 121);
    let segments = storage.list("journal").unwrap();
    assert!(segments.iter().filter(|name| name.starts_with("segment-")).count() >= 3, "{segments:?}");
}

#[test]
fn on_a_real_disk() {
    let directory = tempfile::tempdir().unwrap();
    appends_and_reads(&FileStorage::new(directory.path()));
}

#[test]
fn on_a_simulated_disk() {
    appends_and_reads(&SimulatedStorage::new());
}

#[test]
fn default_segments_are_allocated_whole() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path());
    let (mut writer, _) = JournalWriter::open(storage, JournalOptions::default()).unwrap();
    append(&mut writer, 1, 64).unwrap();
    let path = directory.path().join("journal/segment-00000000000000000001.log");
    assert_eq!(std::fs::metadata(path).unwrap().len(), 64 << 20);
}

#[test]
fn a_broken_contract_is_refused_before_anything_is_written() {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    append(&mut writer, 1, 8).unwrap();
    let changes = storage.changes();
    let large = payload(2, 1, 4096);
    let cases: [(u64, u32, Vec<u8>, Refusal); 6] = [
        (1, 1, record(1, 8), Refusal::OutOfOrder { given: 1, expected: 2 }),
        (3, 1, record(3, 8), Refusal::OutOfOrder { given: 3, expected: 2 }),
        (2, 0, Vec::new(), Refusal::Malformed { count: 0 }),
        (2, 2, record(2, 8), Refusal::Malformed { count: 2 }),
        (2, 1, vec![9, 0, 0, 0, 0, 0, 0, 0, 0], Refusal::Malformed { count: 1 }),
        (2, 1, large, Refusal::TooLarge { length: 4096, maximum: writer.maximum_payload() }),
    ];
    for (first, count, bytes, refusal) in cases {
        match writer.append_batch(first, count, &bytes) {
            Err(AppendError::Refused(seen)) => assert_eq!(seen, refusal),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(storage.changes(), changes);
    let maximum = writer.maximum_payload() / 8 * 8;
    assert_eq!(append(&mut writer, 1, maximum).unwrap(), 2);
    assert_eq!(append(&mut writer, 1, maximum).unwrap(), 3);
}

#[test]
fn without_room_nothing_is_lost_and_it_goes_on_when_there_is_some() {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    storage.set_room(Some(OPTIONS.segment_size)); // one segment, not two
    let mut written = 0;
    let refused = loop {
        match append(&mut writer, 2, 200) {
            Ok(durable) => written = durable,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AppendError::NoRoom { .. }), "{refused}");
    assert!(refused.to_string().contains("no room on disk for journal/segment-"), "{refused}");
    assert_eq!(writer.durable_sequence(), written);
    assert_eq!(read(&storage).unwrap().len() as u64, written);
    assert!(matches!(append(&mut writer, 2, 200), Err(AppendError::NoRoom { .. })));
    assert_eq!(append(&mut writer, 1, 8).unwrap(), written + 1, "a small batch still fits");

    storage.set_room(Some(OPTIONS.segment_size * 2));
    let durable = append(&mut writer, 2, 200).unwrap();
    storage.set_room(None);
    storage.crash(3);
    assert_eq!(open(&storage).1.last_sequence, durable);
    assert_eq!(read(&storage).unwrap().len() as u64, durable);
}

#[test]
fn the_reserve_stays_free() {
    let storage = SimulatedStorage::new();
    let options = JournalOptions { reserve: 1000, ..OPTIONS };
    let (mut writer, _) = JournalWriter::open(storage.clone(), options).unwrap();
    storage.set_room(Some(OPTIONS.segment_size + 999));
    assert!(matches!(append(&mut writer, 1, 8), Err(AppendError::NoRoom { needed: 8192, .. })));
    storage.set_room(Some(OPTIONS.segment_size + 1000));
    append(&mut writer, 1, 8).unwrap();
}

#[test]
fn a_full_disk_does_not_keep_it_from_opening() {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    append(&mut writer, 1, 8).unwrap();
    storage.remove("journal/next-segment.tmp").unwrap(); // its room would come back at opening
    let path = "journal/segment-00000000000000000001.log";
    let cut = storage.content(path).unwrap()[..4096 + 56 + 8].to_vec();
    storage.set_content(path, cut);
    storage.set_room(Some(100)); // enough for the identity file
    let (mut writer, recovered) = open(&storage);
    assert_eq!(recovered.last_sequence, 1);
    assert!(matches!(append(&mut writer, 1, 8), Err(AppendError::NoRoom { .. })));
    storage.set_room(None);
    assert_eq!(append(&mut writer, 1, 8).unwrap(), 2);
    drop(writer);
    assert_eq!(open(&storage).1.last_sequence, 2);
}

/// A file system that copies on write may refuse within a preallocated file, after a part.
#[test]
fn a_write_cut_short_for_want_of_room_leaves_no_trace() {
    for kept in [0, 1, 55, 56, 57, 300, 455] {
        for fills_up in [false, true] {
            let storage = SimulatedStorage::new();
            let (mut writer, _) = open(&storage);
            append(&mut writer, 1, 8).unwrap();
            storage.short_next_write(kept);
            assert!(matches!(append(&mut writer, 2, 200), Err(AppendError::NoRoom { .. })));
            assert_eq!(read(&storage).unwrap().len(), 1);
            // Either a smaller batch takes the place, or one that does not fit ends the segment.
            let length = if fills_up { writer.maximum_payload() / 8 * 8 } else { 8 };
            assert_eq!(append(&mut writer, 1, length).unwrap(), 2);
            assert_eq!(read(&storage).unwrap().len(), 2);
            drop(writer);
            let (_, recovered) = open(&storage);
            assert_eq!((recovered.last_sequence, recovered.torn), (2, None), "kept {kept}");
        }
    }
}

/// Cut within zeros, the batch is whole by accident; it was rejected, so it must not come back.
#[test]
fn a_rejected_batch_that_ends_in_zeros_does_not_come_back() {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    let record = [vec![64, 0, 1], vec![0; 61]].concat();
    storage.short_next_write(0); // of the segment's header: rejected before there is a segment
    assert!(matches!(writer.append_batch(1, 1, &record), Err(AppendError::NoRoom { .. })));
    append(&mut writer, 1, 8).unwrap();
    storage.short_next_write(56 + 10);
    assert!(matches!(writer.append_batch(2, 1, &record), Err(AppendError::NoRoom { .. })));
    storage.crash(1);
    assert_eq!(open(&storage).1.last_sequence, 1);
}

#[test]
fn a_failed_sync_poisons_and_is_never_retried() {
    // Of the first batch: the segment's header, then the batch; then the batch of a used segment.
    for (before, nth) in [(0, 1), (0, 2), (1, 1)] {
        let storage = SimulatedStorage::new();
        let (mut writer, _) = open(&storage);
        for _ in 0..before {
            append(&mut writer, 1, 64).unwrap();
        }
        storage.fail_sync(nth);
        assert!(matches!(append(&mut writer, 1, 64), Err(AppendError::SyncFailed(_))));
        let (syncs, changes) = (storage.syncs(), storage.changes());
        for _ in 0..3 {
            assert!(matches!(append(&mut writer, 1, 64), Err(AppendError::Poisoned)));
        }
        assert_eq!((storage.syncs(), storage.changes()), (syncs, changes));
        assert_eq!(writer.durable_sequence(), before);
        storage.crash(1);
        let (mut writer, recovered) = open(&storage);
        assert_eq!(recovered.last_sequence, before);
        append(&mut writer, 1, 64).unwrap();
    }
}

#[test]
fn what_recovery_shows_survives_the_next_power_cut() {
    // The sync failed, or never came back, and the process alone ended: what it wrote is in the
    // cache, reads as whole, and is shown. From then on it must be on disk.
    for seed in 0..40 {
        for goes_on in [false, true] {
            let storage = SimulatedStorage::new();
            let (mut writer, _) = open(&storage);
            append(&mut writer, 1, 64).unwrap();
            storage.fail_sync(1);
            assert!(matches!(append(&mut writer, 1, 64), Err(AppendError::SyncFailed(_))));
            drop(writer);
            let (mut writer, recovered) = open(&storage);
            let mut shown = recovered.last_sequence;
            if goes_on {
                shown = append(&mut writer, 1, 64).unwrap();
            }
            drop(writer);
            storage.crash(seed);
            assert_eq!(open(&storage).1.last_sequence, shown, "seed {seed}");
        }
    }
}

#[test]
fn one_group_is_one_sync() {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    append(&mut writer, 1, 8).unwrap();
    let syncs = storage.syncs();
    append(&mut writer, 10, 8).unwrap();
    append(&mut writer, 10, 8).unwrap();
    assert_eq!(storage.syncs(), syncs + 2);
}

#[test]
fn a_reader_follows_a_live_journal_over_segments() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path());
    let mut reader = JournalReader::open(storage.clone(), 0).unwrap();
    assert_eq!(reader.next_batch().unwrap(), None, "no journal yet");
    let (mut writer, _) = open(&storage);
    assert_eq!(reader.next_batch().unwrap(), None, "no segment yet");
    let mut seen = 0;
    for round in 0..60_u32 {
        let durable = append(&mut writer, round % 5 + 1, 120).unwrap();
        while let Some(batch) = reader.next_batch().unwrap() {
            assert_eq!(batch.first_sequence, seen + 1);
            assert_eq!(batch.payload, payload(seen + 1, batch.count, 120));
            seen = batch.last_sequence();
        }
        assert_eq!(seen, durable);
    }
}

#[test]
fn a_reader_beside_a_writing_thread_sees_every_batch_once_and_no_damage() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path());
    let (mut writer, _) = open(&storage);
    let last = 1500;
    let thread = std::thread::spawn(move || {
        while writer.durable_sequence() < last {
            append(&mut writer, 3, 256).unwrap();
        }
    });
    let mut reader = JournalReader::open(storage, 0).unwrap();
    let mut seen = 0;
    while seen < last {
        if let Some(batch) = reader.next_batch().unwrap() {
            assert_eq!(batch.first_sequence, seen + 1);
            assert_eq!(batch.payload, payload(seen + 1, batch.count, 256));
            seen = batch.last_sequence();
        }
    }
    thread.join().unwrap();
}

#[test]
fn progress_grows_to_its_total() {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    while writer.durable_sequence() < 100 {
        append(&mut writer, 2, 200).unwrap();
    }
    let mut reader = JournalReader::open(storage, 0).unwrap();
    let start = reader.progress().unwrap();
    assert_eq!(start.bytes_done, 0);
    let mut done = 0;
    while reader.next_batch().unwrap().is_some() {
        assert!(reader.bytes_done() > done);
        done = reader.bytes_done();
        assert_eq!(reader.progress().unwrap().bytes_total, start.bytes_total);
    }
    assert_eq!(done, start.bytes_total);
}

#[test]
fn room_that_was_reserved_is_there() {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    for _ in 0..6 {
        let length = 1_504;
        match writer.reserve(length) {
            Ok(()) => {}
            Err(AppendError::NoRoom { .. }) => {
                storage.set_room(None);
                writer.reserve(length).unwrap();
            }
            Err(error) => panic!("{error}"),
        }
        storage.set_room(Some(0));
        append(&mut writer, 1, length).unwrap();
    }
    assert_eq!(read(&storage).unwrap().len(), 6);
    let maximum = writer.maximum_payload();
    assert!(matches!(writer.reserve(maximum + 1), Err(AppendError::Refused(Refusal::TooLarge { .. }))));
}

#[test]
fn room_is_reserved_where_there_is_some_left() {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    append(&mut writer, 1, 64).unwrap();
    let segments = || storage.paths().iter().filter(|path| path.contains("segment-0")).count();
    // The segment's first block, two batch headers, and the first batch are taken.
    let left = OPTIONS.segment_size as usize - 4096 - 2 * 56 - 64;
    writer.reserve(left).unwrap();
    assert_eq!(segments(), 1, "all that is left");
    writer.reserve(left + 1).unwrap();
    assert_eq!(segments(), 2, "one byte more");
}

#[test]
fn what_cannot_be_removed_at_the_start_stops_it() {
    let directory = tempfile::tempdir().unwrap();
    let in_the_way = directory.path().join("journal/next-segment.tmp");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let error = JournalWriter::open(FileStorage::new(directory.path()), OPTIONS).unwrap_err();
    assert!(error.to_string().contains("next-segment.tmp"), "{error}");
}

#[test]
fn it_says_with_which_sequence_it_begins() {
    let storage = SimulatedStorage::new();
    let first = || JournalWriter::inspect(storage.clone(), OPTIONS).unwrap().first_sequence();
    assert_eq!(first(), None);
    let (mut writer, _) = open(&storage);
    append(&mut writer, 3, 8).unwrap();
    assert_eq!(first(), Some(1));
}
