//! A journal cut after any sequence holds what came up to it, and goes on from there.

#![allow(clippy::unwrap_used)] // helpers of tests count as no tests

mod support;

use engine_journal::{
    Archive, JournalPlace, JournalReader, OpenError, ReadError, RetentionRule, SimulatedStorage,
    closed_segments, cut_journal, journal_segment, survey,
};
use support::{append, open, payload, read};

const LENGTH: usize = 400;

/// Batches of one to four records over several segments; the last sequence.
fn journal() -> (SimulatedStorage, u64) {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    for batch in 0..16 {
        append(&mut writer, batch % 4 + 1, LENGTH).unwrap();
    }
    assert!(closed_segments(&storage).unwrap().len() >= 2);
    (storage, writer.durable_sequence())
}

fn assert_holds(storage: &SimulatedStorage, last: u64, what: &str) {
    let bytes: Vec<u8> = read(storage).unwrap().into_iter().flat_map(|(_, record)| record).collect();
    assert!(bytes == payload(1, last as u32, LENGTH), "{what}");
}

#[test]
fn it_ends_with_any_sequence_and_goes_on() {
    let (original, end) = journal();
    for archived in [false, true] {
        for last in 1..=end {
            let what = format!("cut at {last} of {end}, archived: {archived}");
            let storage = original.duplicate();
            if archived {
                let archive = Archive::of(storage.clone()).with_reserve(0);
                let rule = RetentionRule { segments: 0, bytes: 0 };
                let plan = rule.plan(&closed_segments(&storage).unwrap(), Some(end), &[]);
                plan.execute(&storage, Some(&archive), |_| {}).unwrap();
            }
            cut_journal(&storage, last).unwrap();
            storage.crash(last);
            assert_holds(&storage, last, &what);
            assert!(survey(&storage).unwrap().torn.is_none(), "{what}");
            let (mut writer, recovered) = open(&storage);
            assert_eq!(recovered.last_sequence, last, "{what}");
            append(&mut writer, 9, LENGTH).unwrap();
            assert_holds(&storage, last + 9, &what);
        }
    }
}

#[test]
fn beyond_its_end_or_within_damage_nothing_is_touched() {
    let (storage, end) = journal();
    let before = storage.changes();
    let error = cut_journal(&storage, end + 1).unwrap_err();
    assert!(
        matches!(error, OpenError::Read(ReadError::Ended { wanted, last, .. }) if wanted == last + 1),
        "{error}"
    );
    let path = "journal/segment-00000000000000000001.log";
    let mut bytes = storage.content(path).unwrap();
    bytes[4096 + 60] ^= 1;
    storage.set_content(path, bytes);
    let error = cut_journal(&storage, 2).unwrap_err();
    assert!(matches!(error, OpenError::Read(ReadError::Corrupt { .. })), "{error}");
    assert_eq!(storage.changes(), before);
}

#[test]
fn a_readers_place_is_where_its_last_batch_ends() {
    let (storage, end) = journal();
    let mut reader = JournalReader::open(storage.clone(), 1).unwrap();
    let mut places = Vec::new();
    while let Some(last) = reader.next_batch().unwrap().map(|batch| batch.last_sequence()) {
        places.push((last, reader.place().unwrap()));
    }
    for (last, JournalPlace { segment, offset }) in places {
        let copy = SimulatedStorage::new();
        copy.set_content("identity", storage.content("identity").unwrap());
        for path in storage.paths().iter().filter(|path| path.contains("/segment-")) {
            let mut bytes = storage.content(path).unwrap();
            if *path == journal_segment(segment) {
                bytes.truncate(offset as usize);
            }
            if *path <= journal_segment(segment) {
                copy.set_content(path, bytes);
            }
        }
        assert_holds(&copy, last, &format!("{last} of {end}"));
    }
}
