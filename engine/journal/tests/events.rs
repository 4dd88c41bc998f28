//! The event log: appending, following, cutting, rotting, and being rebuilt from the journal.

#![allow(clippy::unwrap_used)] // helpers of tests count as no tests

mod support;

use engine_journal::{
    Chunks, EventAppendError, EventLogSync, EventLogWriter, EventReader, FileStorage, JournalReader,
    ReadError, Sequence, SimulatedStorage, Storage,
};
use support::{append, open};

const ENGINE: u32 = 7;
const HEADER: usize = 48;

fn chunk(sequence: Sequence) -> Vec<u8> {
    let length = 9 + sequence as usize % 5;
    let mut chunk = vec![sequence as u8; length];
    chunk[..4].copy_from_slice(&(length as u32).to_le_bytes());
    chunk
}

/// Two commands a group: the first without events, the second with two chunks.
fn append_group<S: Storage>(writer: &mut EventLogWriter<S>) -> Result<(), EventAppendError> {
    let first = writer.last_sequence().map_or(1, |last| last + 1);
    writer.append(first, first + 1, &[chunk(first), chunk(first + 1)].concat())
}

fn groups<S: Storage>(storage: &S, from: Sequence) -> Vec<(Sequence, Sequence)> {
    let mut reader = EventReader::open(storage.clone(), from).unwrap();
    let mut groups = Vec::new();
    while let Some(group) = reader.next_group().unwrap() {
        let chunks: Vec<_> = Chunks::new(group.payload).collect();
        assert_eq!(chunks, [chunk(group.first_sequence), chunk(group.last_sequence)]);
        groups.push((group.first_sequence, group.last_sequence));
    }
    groups
}

fn writes_and_reads<S: Storage>(storage: &S) {
    assert_eq!(EventLogWriter::inspect(storage.clone()).unwrap().last_sequence(), None);
    let mut reader = EventReader::open(storage.clone(), 0).unwrap();
    assert_eq!(reader.next_group().unwrap(), None);
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
    for round in 0..20_u64 {
        append_group(&mut writer).unwrap();
        assert_eq!(writer.last_sequence(), Some(round * 2 + 2));
        assert_eq!(reader.next_group().unwrap().unwrap().last_sequence, round * 2 + 2, "it follows");
        assert_eq!(reader.next_group().unwrap(), None);
    }
    assert!(storage.list("events").unwrap().len() > 3);
    drop(writer);
    assert_eq!(EventLogWriter::inspect(storage.clone()).unwrap().last_sequence(), Some(40));
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
    append_group(&mut writer).unwrap();
    let all: Vec<_> = (0..21).map(|round| (round * 2 + 1, round * 2 + 2)).collect();
    assert_eq!(groups(storage, 0), all);
    for from in 1..=42 {
        assert_eq!(groups(storage, from), all[(from as usize - 1) / 2..], "from {from}");
    }
    assert_eq!(groups(storage, 43), []);
}

#[test]
fn on_a_real_disk() {
    let directory = tempfile::tempdir().unwrap();
    writes_and_reads(&FileStorage::new(directory.path()));
}

#[test]
fn on_a_simulated_disk() {
    writes_and_reads(&SimulatedStorage::new());
}

#[test]
fn appending_syncs_nothing() {
    let storage = SimulatedStorage::new();
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
    for _ in 0..12 {
        append_group(&mut writer).unwrap();
    }
    assert_eq!(storage.syncs(), 0);
}

#[test]
fn a_start_writes_once_more_what_was_not_synced() {
    for synced in 1..24 {
        let storage = SimulatedStorage::new();
        let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
        while writer.last_sequence() < Some(synced) {
            append_group(&mut writer).unwrap();
        }
        let mut sync = EventLogSync::new(storage.clone());
        assert_eq!(sync.sync(synced).unwrap(), synced);
        while writer.last_sequence() < Some(24) {
            append_group(&mut writer).unwrap();
        }
        // The system drops what it could not write, goes on showing it, and says Ok to every later sync.
        storage.fail_sync(1);
        sync.sync(24).unwrap_err();
        storage.restart();
        let before = storage.syncs();
        let writer = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
        assert_eq!(writer.last_sequence(), Some(24));
        // Three groups a file: what ends before a file that begins at or before `synced` is on disk.
        let unsure = (1..24).step_by(6).filter(|first| first + 6 > synced).count() as u64;
        assert_eq!(storage.syncs() - before, unsure, "files written once more, synced {synced}");
        assert_eq!(EventLogSync::new(storage.clone()).sync(24).unwrap(), 24);
        storage.crash(synced);
        let end = EventLogWriter::inspect(storage).unwrap().last_sequence();
        assert_eq!(end, Some(24), "what is said to be on disk is, synced {synced}");
    }
}

#[test]
fn it_says_with_which_command_it_begins() {
    let storage = SimulatedStorage::new();
    let first = || EventLogWriter::inspect(storage.clone()).unwrap().first_sequence();
    assert_eq!(first(), None);
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 1 << 20).unwrap();
    writer.append(5, 6, &[]).unwrap();
    writer.append(7, 9, &[]).unwrap();
    assert_eq!(first(), Some(5));
}

#[test]
fn a_file_ends_with_the_group_that_fills_it() {
    let size = HEADER as u64 + 16;
    for (more, files) in [(0, 3), (1, 2)] {
        let storage = SimulatedStorage::new();
        let mut writer = EventLogWriter::open(storage.clone(), ENGINE, size + more).unwrap();
        for sequence in 1..=3 {
            writer.append(sequence, sequence, &[1; 16]).unwrap();
        }
        assert_eq!(storage.paths().len(), files, "{more} more than a group");
    }
}

#[test]
fn a_group_of_another_engine_or_out_of_its_turn_is_an_end() {
    let path = "events/segment-00000000000000000001.log";
    let group = |engine, first: Sequence| {
        let storage = SimulatedStorage::new();
        let mut writer = EventLogWriter::open(storage.clone(), engine, 1 << 20).unwrap();
        writer.append(first, first + 1, &[chunk(first), chunk(first + 1)].concat()).unwrap();
        storage.content(&format!("events/segment-{first:020}.log")).unwrap()
    };
    for (engine, first, read) in [
        (ENGINE, 3, vec![(1, 2), (3, 4)]),
        (ENGINE + 1, 3, vec![(1, 2)]),
        (ENGINE, 5, vec![(1, 2)]),
        (ENGINE, 1, vec![(1, 2)]),
    ] {
        let storage = SimulatedStorage::new();
        storage.set_content(path, [group(ENGINE, 1), group(engine, first)].concat());
        assert_eq!(groups(&storage, 0), read, "engine {engine}, from {first}");
    }
}

#[test]
fn gaps_and_repetitions_are_refused() {
    let storage = SimulatedStorage::new();
    let mut writer = EventLogWriter::open(storage, ENGINE, 1 << 20).unwrap();
    assert!(matches!(writer.append(0, 1, &[]), Err(EventAppendError::Refused { .. })));
    writer.append(5, 6, &[]).unwrap(); // an empty log begins anywhere
    for (first, last) in [(5, 6), (6, 7), (8, 9), (7, 6)] {
        match writer.append(first, last, &[]) {
            Err(EventAppendError::Refused { expected, .. }) => assert_eq!(expected, Some(7)),
            other => panic!("{other:?}"),
        }
    }
    writer.append(7, 7, &[]).unwrap();
}

/// The first file with three groups in it, the log, and where the groups end.
fn three_groups() -> (SimulatedStorage, &'static str, Vec<usize>) {
    let storage = SimulatedStorage::new();
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 1 << 20).unwrap();
    let mut ends = vec![0];
    for _ in 0..3 {
        let first = writer.last_sequence().map_or(1, |last| last + 1);
        append_group(&mut writer).unwrap();
        ends.push(ends[ends.len() - 1] + HEADER + chunk(first).len() + chunk(first + 1).len());
    }
    let path = "events/segment-00000000000000000001.log";
    assert_eq!(storage.content(path).unwrap().len(), ends[3]);
    (storage, path, ends)
}

/// Reopens and checks that whole groups up to `last` are left, and that it goes on.
fn assert_left(storage: &SimulatedStorage, whole_groups: u64) {
    let left = Some(whole_groups * 2).filter(|last| *last > 0);
    assert_eq!(EventLogWriter::inspect(storage.clone()).unwrap().last_sequence(), left);
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 1 << 20).unwrap();
    assert_eq!(writer.last_sequence(), left);
    append_group(&mut writer).unwrap();
    assert_eq!(groups(storage, 0).len() as u64, whole_groups + 1);
}

#[test]
fn cut_at_every_byte_whole_groups_are_left() {
    let (original, path, ends) = three_groups();
    let whole = original.content(path).unwrap();
    for length in 0..=whole.len() {
        let storage = original.duplicate();
        storage.set_content(path, whole[..length].to_vec());
        assert_left(&storage, ends[1..].iter().filter(|end| **end <= length).count() as u64);
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let (original, path, ends) = three_groups();
    let whole = original.content(path).unwrap();
    for bit in 0..whole.len() * 8 {
        let storage = original.duplicate();
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        storage.set_content(path, bytes);
        assert_left(&storage, ends[1..].iter().filter(|end| **end <= bit / 8).count() as u64);
    }
}

#[test]
fn damage_in_an_early_file_takes_the_later_ones_with_it() {
    let storage = SimulatedStorage::new();
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 100).unwrap();
    for _ in 0..9 {
        append_group(&mut writer).unwrap();
    }
    let second = storage.paths()[1].clone();
    let mut bytes = storage.content(&second).unwrap();
    let first: Sequence = second[15..35].parse().unwrap();
    bytes[HEADER + 1] ^= 1;
    storage.set_content(&second, bytes);
    assert_left(&storage, (first - 1) / 2);
}

#[test]
fn a_log_of_another_engine_is_begun_anew() {
    let (storage, _, _) = three_groups();
    let writer = EventLogWriter::open(storage.clone(), ENGINE + 1, 1 << 20).unwrap();
    assert_eq!(writer.last_sequence(), None);
    assert!(storage.paths().is_empty());
}

#[test]
fn a_reader_of_deleted_events_is_told() {
    let storage = SimulatedStorage::new();
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 1 << 20).unwrap();
    writer.append(50, 60, &[]).unwrap();
    match EventReader::open(storage, 49).unwrap_err() {
        ReadError::Deleted { wanted: 49, first: 50, .. } => {}
        error => panic!("{error}"),
    }
}

#[test]
fn without_room_nothing_is_appended_and_it_goes_on() {
    let storage = SimulatedStorage::new();
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 1 << 20).unwrap();
    for room in [0, 10, 60] {
        storage.set_room(Some(room));
        let held = writer.last_sequence();
        assert!(matches!(append_group(&mut writer), Err(EventAppendError::NoRoom { .. })));
        assert_eq!(writer.last_sequence(), held);
        storage.set_room(None);
        append_group(&mut writer).unwrap();
    }
    assert_eq!(groups(&storage, 0), [(1, 2), (3, 4), (5, 6)]);
}

/// What an owner does at start: the event log is asked, cut, and filled up from the journal.
#[test]
fn missing_or_short_after_a_crash_it_is_rebuilt_from_the_journal() {
    for seed in 0..50 {
        let storage = SimulatedStorage::new();
        let (mut journal, _) = open(&storage);
        let mut events = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
        for _ in 0..20 {
            append(&mut journal, 2, 48).unwrap();
            append_group(&mut events).unwrap();
        }
        storage.crash(seed);
        let end = EventLogWriter::inspect(storage.clone()).unwrap().last_sequence();
        assert!(end.unwrap_or(0) <= 40);
        let mut events = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
        assert_eq!(events.last_sequence(), end);
        let mut reader = JournalReader::open(storage.clone(), end.map_or(1, |end| end + 1)).unwrap();
        while let Some(batch) = reader.next_batch().unwrap() {
            assert_eq!(
                Some(batch.first_sequence),
                events.last_sequence().map_or(Some(1), |last| Some(last + 1))
            );
            append_group(&mut events).unwrap();
        }
        assert_eq!(events.last_sequence(), Some(40));
        assert_eq!(groups(&storage, 0).len(), 20);
    }
}

#[test]
fn what_was_synced_survives_a_power_cut() {
    let mut lost = 0;
    for seed in 0..60 {
        let storage = SimulatedStorage::new();
        let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
        let mut sync = EventLogSync::new(storage.clone());
        assert_eq!(sync.synced_sequence(), None);
        for round in 0..12 {
            append_group(&mut writer).unwrap();
            if round % 5 == 4 {
                let written = writer.last_sequence().unwrap();
                assert_eq!(sync.sync(written).unwrap(), written);
            }
        }
        storage.crash(seed);
        let end = EventLogWriter::inspect(storage.clone()).unwrap().last_sequence().unwrap();
        assert!((20..=24).contains(&end) && sync.synced_sequence() == Some(20), "seed {seed}: {end}");
        lost += u64::from(end < 24);
    }
    assert!(lost > 0, "what was not synced may be lost");
}

#[test]
fn closed_files_are_synced_once() {
    let storage = SimulatedStorage::new();
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
    for _ in 0..12 {
        append_group(&mut writer).unwrap();
    }
    let files = storage.paths().len() as u64;
    let mut sync = EventLogSync::new(storage.clone());
    sync.sync(24).unwrap();
    assert_eq!(storage.syncs(), files + 1, "and how far it got is noted");
    sync.sync(24).unwrap();
    assert_eq!(storage.syncs(), files + 2);
    assert_eq!(sync.sync(3).unwrap(), 24, "a position never goes back");
}

#[test]
fn a_failed_sync_of_the_event_log_is_never_taken_for_a_later_good_one() {
    let storage = SimulatedStorage::new();
    let mut writer = EventLogWriter::open(storage.clone(), ENGINE, 200).unwrap();
    let mut sync = EventLogSync::new(storage.clone());
    append_group(&mut writer).unwrap();
    sync.sync(2).unwrap();
    append_group(&mut writer).unwrap();
    storage.fail_sync(1);
    sync.sync(4).unwrap_err();
    sync.sync(4).unwrap_err();
    assert_eq!(sync.synced_sequence(), Some(2));
}
