//! A journal opened from a snapshot's sequence on: what comes before need not be there, nor whole.

#![allow(clippy::unwrap_used)] // helpers of tests count as no tests

mod support;

use engine_journal::{
    JournalOptions, JournalWriter, OpenError, ReadError, Sequence, SimulatedStorage, Storage,
};
use support::{OPTIONS, append, open, payload, read_from};

fn segment(first: Sequence) -> String {
    format!("journal/segment-{first:020}.log")
}

/// Three segments, and their first sequences; the journal's last sequence.
fn journal() -> (SimulatedStorage, Vec<Sequence>, Sequence) {
    let storage = SimulatedStorage::new();
    let (mut writer, _) = open(&storage);
    let mut firsts = Vec::new();
    while firsts.len() < 3 || writer.next_sequence() < firsts[2] + 4 {
        let first = writer.next_sequence();
        append(&mut writer, 2, 600).unwrap();
        if storage.paths().contains(&segment(first)) {
            firsts.push(first);
        }
    }
    let last = writer.durable_sequence();
    (storage, firsts, last)
}

fn from(from: Sequence) -> JournalOptions {
    JournalOptions { from, ..OPTIONS }
}

/// Opens it from `sequence` on, goes on writing, and reads from there to the new end.
fn assert_goes_on(storage: &SimulatedStorage, sequence: Sequence, last: Sequence, what: &str) {
    let (mut writer, recovered) = JournalWriter::open(storage.clone(), from(sequence))
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!((recovered.last_sequence, writer.next_sequence()), (last, last + 1), "{what}");
    append(&mut writer, 3, 600).unwrap();
    storage.crash(sequence);
    let records = read_from(storage, sequence).unwrap();
    let bytes: Vec<u8> = records.into_iter().flat_map(|(_, record)| record).collect();
    assert!(bytes == payload(sequence, (last + 4 - sequence) as u32, 600), "{what}");
}

#[test]
fn segments_before_the_sequence_may_be_gone_or_rotten() {
    let (original, firsts, last) = journal();
    for sequence in 1..=last + 1 {
        let holder = firsts.iter().rposition(|first| *first <= sequence).unwrap();
        for is_gone in [false, true] {
            let storage = original.duplicate();
            for first in &firsts[..holder] {
                if is_gone {
                    storage.remove(&segment(*first)).unwrap();
                } else {
                    let mut bytes = storage.content(&segment(*first)).unwrap();
                    bytes[5000] ^= 1;
                    storage.set_content(&segment(*first), bytes);
                }
            }
            assert_goes_on(&storage, sequence, last, &format!("from {sequence}, gone: {is_gone}"));
        }
    }
}

#[test]
fn a_journal_that_begins_above_the_sequence_is_refused() {
    let (storage, firsts, _) = journal();
    storage.remove(&segment(firsts[0])).unwrap();
    for sequence in 1..firsts[1] {
        match JournalWriter::inspect(storage.clone(), from(sequence)).unwrap_err() {
            OpenError::Read(ReadError::Deleted { wanted, first, .. }) => {
                assert_eq!((wanted, first), (sequence, firsts[1]));
            }
            error => panic!("from {sequence}: {error}"),
        }
    }
    assert_eq!(
        JournalWriter::open(storage, OPTIONS).unwrap().1.first_sequence,
        firsts[1],
        "without a snapshot"
    );
}

#[test]
fn a_journal_that_ends_before_the_snapshot_is_refused() {
    let (storage, _, last) = journal();
    let empty = SimulatedStorage::new();
    for (storage, last, sequence) in [(&storage, last, last + 2), (&storage, last, 1 << 40), (&empty, 0, 2)] {
        match JournalWriter::inspect(storage.clone(), from(sequence)).unwrap_err() {
            OpenError::PublishedAboveEnd { published, last: found, .. } => {
                assert_eq!((published, found), (sequence - 1, last));
            }
            error => panic!("from {sequence}: {error}"),
        }
    }
    assert!(JournalWriter::inspect(empty, from(1)).is_ok(), "a snapshot of nothing beside nothing");
}

/// The power fails while a segment is begun that the snapshot's successor would be the first of.
#[test]
fn a_segment_cut_within_its_header_is_a_torn_tail_of_the_one_before() {
    let (original, firsts, _) = journal();
    let whole = original.content(&segment(firsts[2])).unwrap();
    for length in 0..56 {
        let storage = original.duplicate();
        storage.set_content(&segment(firsts[2]), whole[..length].to_vec());
        assert_goes_on(&storage, firsts[2], firsts[2] - 1, &format!("cut at {length}"));
        assert!(JournalWriter::open(storage, OPTIONS).is_ok(), "the chain is whole from the first on");
    }
    // Within a batch of it, the torn tail is cut off as ever.
    let storage = original.duplicate();
    storage.set_content(&segment(firsts[2]), whole[..4096 + 56 + 600].to_vec());
    assert_goes_on(&storage, firsts[2], firsts[2] - 1, "within the first batch");
}

#[test]
fn damage_from_the_sequence_on_stops_it() {
    let (original, firsts, last) = journal();
    let mut bytes = original.content(&segment(firsts[1])).unwrap();
    bytes[4096 + 60] ^= 1;
    original.set_content(&segment(firsts[1]), bytes);
    for (sequence, stops) in [(firsts[1] - 1, true), (firsts[1], true), (firsts[2] - 1, true), (last, false)]
    {
        let result = JournalWriter::inspect(original.clone(), from(sequence));
        assert_eq!(
            matches!(result, Err(OpenError::Read(ReadError::Corrupt { offset: 4096, .. }))),
            stops,
            "from {sequence}"
        );
    }
}
