//! Snapshot files: what is written is read, what is damaged is found, and a crash leaves no half one.

#![allow(clippy::unwrap_used)] // helpers of tests count as no tests

use engine_journal::{
    FileStorage, Sequence, SimulatedStorage, SnapshotError, SnapshotInfo, Snapshots, Storage,
};

const HEADER: usize = 96;

fn info(sequence: Sequence) -> SnapshotInfo {
    SnapshotInfo {
        sequence,
        engine_id: 7,
        epoch: 3,
        rules_version: 2,
        content_version: 5,
        state_hash: [sequence as u8; 32],
    }
}

fn payload(sequence: Sequence, length: usize) -> Vec<u8> {
    (0..length).map(|index| (sequence as usize * 131 + index * 7 + (index >> 8)) as u8).collect()
}

fn path(sequence: Sequence) -> String {
    format!("snapshots/snapshot-{sequence:020}.bin")
}

fn store(storage: &SimulatedStorage) -> Snapshots<SimulatedStorage> {
    Snapshots::new(storage.clone()).with_reserve(0)
}

/// A disk with snapshots of these sequences, of 100 bytes each.
fn with(sequences: &[Sequence]) -> SimulatedStorage {
    let storage = SimulatedStorage::new();
    for sequence in sequences {
        store(&storage).write(&info(*sequence), &payload(*sequence, 100)).unwrap();
    }
    storage
}

/// The newest good one, and which were passed over.
fn newest(storage: &SimulatedStorage, at_most: Option<Sequence>) -> (Option<Sequence>, Vec<Sequence>) {
    let (good, bad) = store(storage)
        .newest_good(at_most, |info, bytes| {
            assert_eq!(bytes, payload(info.sequence, 100));
            Ok(info.state_hash)
        })
        .unwrap();
    let good = good.map(|(found, state_hash)| {
        assert_eq!((found, state_hash), (info(found.sequence), found.state_hash));
        found.sequence
    });
    (good, bad.iter().map(|bad| bad.sequence).collect())
}

fn check_round_trip<S: Storage>(storage: &S) {
    let store = Snapshots::new(storage.clone());
    assert_eq!(store.list().unwrap(), [0; 0]);
    for (sequence, length) in [(5, 0), (1, 1), (9, 100), (u64::MAX, (8 << 20) + 1)] {
        store.write(&info(sequence), &payload(sequence, length)).unwrap();
        let snapshot = store.read(sequence).unwrap();
        assert_eq!(snapshot.info, info(sequence));
        assert!(snapshot.payload == payload(sequence, length), "sequence {sequence}");
        assert_eq!(store.info(sequence).unwrap(), (info(sequence), length as u64));
    }
    assert_eq!(store.list().unwrap(), [u64::MAX, 9, 5, 1]);
    store.write(&info(9), &payload(3, 50)).unwrap();
    assert!(store.read(9).unwrap().payload == payload(3, 50), "a later one of the same sequence replaces");
    assert!(matches!(store.read(2), Err(SnapshotError::Read { .. })), "one that is not there");
}

#[test]
fn what_is_written_is_read() {
    check_round_trip(&SimulatedStorage::new());
    let directory = tempfile::tempdir().unwrap();
    check_round_trip(&FileStorage::new(directory.path()));
}

#[test]
fn every_flipped_bit_is_found_and_the_one_before_serves() {
    let storage = with(&[4, 8]);
    let good = storage.content(&path(8)).unwrap();
    assert_eq!(good.len(), HEADER + 100);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        storage.set_content(&path(8), bad);
        let error = store(&storage).read(8).unwrap_err();
        assert!(matches!(error, SnapshotError::Damaged { .. }), "bit {bit}: {error}");
        assert!(error.to_string().contains(&path(8)), "the file is named: {error}");
        assert_eq!(newest(&storage, None), (Some(4), vec![8]), "bit {bit}");
        assert_eq!(storage.paths().len(), 2, "nothing is deleted by looking");
    }
    println!("{0} of {0} flipped bits of a snapshot found, and the one before served", good.len() * 8);
}

#[test]
fn cut_at_every_byte_or_longer_it_is_found() {
    let storage = with(&[4, 8]);
    let good = storage.content(&path(8)).unwrap();
    for length in 0..good.len() {
        storage.set_content(&path(8), good[..length].to_vec());
        assert!(matches!(store(&storage).read(8), Err(SnapshotError::Damaged { .. })), "length {length}");
        assert_eq!(newest(&storage, None), (Some(4), vec![8]), "length {length}");
    }
    storage.set_content(&path(8), [good.clone(), vec![0]].concat());
    assert!(matches!(store(&storage).read(8), Err(SnapshotError::Damaged { .. })));
    storage.set_content(&path(8), storage.content(&path(4)).unwrap());
    assert!(matches!(store(&storage).read(8), Err(SnapshotError::Damaged { .. })), "another's content");
    storage.set_content(&path(8), good);
    assert_eq!(newest(&storage, None), (Some(8), vec![]));
}

#[test]
fn the_newest_good_one_is_at_or_below_what_was_asked_for() {
    let storage = with(&[4, 8, 12]);
    for (at_most, expected) in [
        (None, Some(12)),
        (Some(u64::MAX), Some(12)),
        (Some(12), Some(12)),
        (Some(11), Some(8)),
        (Some(4), Some(4)),
        (Some(3), None),
    ] {
        assert_eq!(newest(&storage, at_most), (expected, vec![]), "{at_most:?}");
    }
    // What its reader refuses is passed over as if it were damaged.
    let accept = |info: &SnapshotInfo, _: &[u8]| {
        if info.sequence > 4 { Err(format!("{} is of another build", info.sequence)) } else { Ok(()) }
    };
    let (good, bad) = store(&storage).newest_good(Some(11), accept).unwrap();
    assert_eq!(good, Some((info(4), ())));
    assert_eq!((bad[0].sequence, bad[0].reason.as_str()), (8, "8 is of another build"));
    assert_eq!(bad[0].file, path(8));
    let (none, bad) = store(&storage).newest_good(None, |_, _| Err::<(), _>("no".to_owned())).unwrap();
    assert_eq!((none, bad.len()), (None, 3));
}

#[test]
fn the_power_fails_at_every_change_of_a_write() {
    let whole = with(&[4, 8]);
    let before = whole.changes();
    store(&whole).write(&info(12), &payload(12, 100)).unwrap();
    let changes = whole.changes() - before;
    let (mut lost, mut kept) = (0, 0);
    for change in 1..=changes {
        for seed in 0..60 {
            let what = format!("change {change} seed {seed}");
            let storage = with(&[4, 8]);
            storage.power_off_after(change);
            let result = store(&storage).write(&info(12), &payload(12, 100));
            assert!(result.is_err(), "{what}");
            storage.crash(seed);
            // Whole under its name, or not there; never passed over as a bad one.
            match newest(&storage, None) {
                (Some(12), bad) if bad.is_empty() => kept += 1,
                (Some(8), bad) if bad.is_empty() => lost += 1,
                other => panic!("{what}: {other:?}"),
            }
            assert_eq!(newest(&storage, Some(8)), (Some(8), vec![]), "{what}");
            assert_eq!(newest(&storage, Some(7)), (Some(4), vec![]), "{what}");
            // The next write goes through and clears away what was left.
            store(&storage).write(&info(13), &payload(13, 100)).unwrap();
            assert!(
                storage.paths().iter().all(|path| !path.contains(".tmp")),
                "{what}: {:?}",
                storage.paths()
            );
            storage.crash(seed + 1);
            assert_eq!(newest(&storage, None), (Some(13), vec![]), "{what}");
        }
    }
    assert!(lost > 0 && kept > 0, "both outcomes were seen: {lost} {kept}");
}

#[test]
fn a_sync_that_fails_leaves_no_name() {
    for nth in 1..=2 {
        let storage = with(&[4]);
        storage.fail_sync(nth);
        let error = store(&storage).write(&info(8), &payload(8, 100)).unwrap_err();
        assert!(matches!(error, SnapshotError::Write { .. }), "{error}");
        assert_eq!(storage.paths(), [path(4)]);
        store(&storage).write(&info(8), &payload(8, 100)).unwrap();
        storage.crash(nth);
        assert_eq!(newest(&storage, None), (Some(8), vec![]), "written anew, not synced again");
    }
}

#[test]
fn without_room_nothing_is_harmed_and_it_goes_on_when_there_is_some() {
    let storage = with(&[4]);
    let needed = (HEADER + 100) as u64;
    for (room, reserve) in [(0, 0), (needed - 1, 0), (needed, 1), (1 << 20, 1 << 20)] {
        storage.set_room(Some(room));
        let store = Snapshots::new(storage.clone()).with_reserve(reserve);
        let error = store.write(&info(8), &payload(8, 100)).unwrap_err();
        assert!(
            matches!(&error, SnapshotError::NoRoom { file, needed: asked }
                if *file == path(8) && *asked == needed + reserve),
            "{error}"
        );
        assert_eq!((storage.paths(), storage.free_space().unwrap()), (vec![path(4)], room));
    }
    // A file system may run out although it said there was room.
    storage.set_room(None);
    storage.short_next_write(10);
    let error = store(&storage).write(&info(8), &payload(8, 100)).unwrap_err();
    assert!(matches!(error, SnapshotError::NoRoom { .. }), "{error}");
    assert_eq!(storage.paths(), [path(4)]);
    storage.set_room(Some(needed));
    store(&storage).write(&info(8), &payload(8, 100)).unwrap();
    assert_eq!(newest(&storage, None), (Some(8), vec![]));
}

#[test]
fn only_what_is_to_be_kept_stays() {
    for (count, position, left) in [
        (5, None, vec![16, 12, 8, 4]),
        (4, None, vec![16, 12, 8, 4]),
        (2, None, vec![16, 12]),
        (1, None, vec![16]),
        (0, None, vec![16]),
        (1, Some(16), vec![16]),
        (1, Some(12), vec![16, 12]),
        (1, Some(11), vec![16, 12, 8]),
        (3, Some(20), vec![16, 12, 8]),
        (2, Some(3), vec![16, 12]),
    ] {
        let storage = with(&[8, 4, 16, 12]);
        let removed = store(&storage).retain_for(count, position).unwrap();
        storage.crash(1);
        assert_eq!(store(&storage).list().unwrap(), left, "{count} {position:?}");
        assert_eq!(removed.len() + left.len(), 4, "{count} {position:?}");
    }
    let storage = with(&[8, 4]);
    assert_eq!(store(&storage).retain(1).unwrap(), [4]);
    assert_eq!(store(&SimulatedStorage::new()).retain(1).unwrap(), [0; 0]);
}

#[test]
fn a_damaged_one_does_not_take_the_place_of_a_good_one() {
    let storage = with(&[4, 8, 12]);
    storage.set_content(&path(12), vec![1; 300]);
    assert_eq!(store(&storage).retain(1).unwrap(), [4]);
    assert_eq!(newest(&storage, None), (Some(8), vec![12]));
    storage.set_content(&path(8), vec![1; 300]);
    assert_eq!(store(&storage).retain(1).unwrap(), [0; 0], "nothing good, nothing removed");
}

#[test]
fn other_files_in_the_directory_are_left_alone() {
    let storage = with(&[4]);
    for name in ["notes.tmp", "snapshot-5.bin", "snapshot-x.bin.tmp"] {
        storage.set_content(&format!("snapshots/{name}"), vec![1]);
    }
    store(&storage).write(&info(8), &payload(8, 100)).unwrap();
    store(&storage).retain(1).unwrap();
    assert_eq!(store(&storage).list().unwrap(), [8]);
    assert_eq!(storage.paths().len(), 4);
}
