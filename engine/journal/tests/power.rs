//! The power fails at every change and in every way: nothing that was synced is lost, nothing that
//! was never appended appears, and the journal always goes on.

#![allow(clippy::unwrap_used)] // helpers of tests count as no tests

mod support;

use engine_journal::{AppendError, EventLogWriter, JournalWriter, Sequence, SimulatedStorage};
use proptest::prelude::*;
use support::{OPTIONS, open, payload, read};

const LENGTH: usize = 376;

/// Appends until the end or the first error; returns the durable and the last attempted sequence.
fn run(storage: &SimulatedStorage, batches: u32) -> (Sequence, Sequence) {
    let Ok((mut writer, _)) = JournalWriter::open(storage.clone(), OPTIONS) else { return (0, 0) };
    let mut durable = writer.durable_sequence();
    for batch in 0..batches {
        let (first, count) = (writer.next_sequence(), batch % 3 + 1);
        match writer.append_batch(first, count, &payload(first, count, LENGTH)) {
            Ok(sequence) => durable = sequence,
            Err(_) => return (durable, first + u64::from(count) - 1),
        }
    }
    (durable, durable)
}

/// After a crash: the durable prefix is whole, in order, and no longer than what was attempted.
fn check(storage: &SimulatedStorage, durable: Sequence, attempted: Sequence, what: &str) -> Sequence {
    let (_, recovered) = JournalWriter::open(storage.clone(), OPTIONS).unwrap_or_else(|error| {
        panic!("{what}: {error}");
    });
    let last = recovered.last_sequence;
    assert!((durable..=attempted.max(durable)).contains(&last), "{what}: {durable} {last} {attempted}");
    let records = read(storage).unwrap();
    assert_eq!(records.len() as u64, last, "{what}");
    let bytes: Vec<u8> = records.into_iter().flat_map(|(_, record)| record).collect();
    assert!(bytes == payload(1, last as u32, LENGTH), "{what}");
    last
}

#[test]
fn the_power_fails_at_every_change() {
    let all = SimulatedStorage::new();
    run(&all, 14);
    assert!(all.paths().iter().filter(|path| path.contains("segment-")).count() >= 3);
    for change in 0..=all.changes() {
        for seed in 0..40 {
            let storage = SimulatedStorage::new();
            storage.power_off_after(change);
            let (durable, attempted) = run(&storage, 14);
            storage.crash(seed);
            let what = format!("change {change} seed {seed}");
            let last = check(&storage, durable, attempted, &what);
            // It goes on, and what recovery itself did is durable.
            let (durable, _) = run(&storage, 4);
            assert!(durable > last, "{what}");
            storage.crash(seed + 1);
            check(&storage, durable, durable, &what);
        }
    }
    println!("{} power cuts: nothing acknowledged lost, nothing invented", 2 * 40 * (all.changes() + 1));
}

#[test]
fn the_power_fails_during_every_change_of_a_recovery() {
    let mut torn = 0;
    for seed in 0..200 {
        let storage = SimulatedStorage::new();
        let before = SimulatedStorage::new();
        run(&before, 3);
        storage.power_off_after(before.changes() + 1); // within the fourth batch, before its sync
        let (durable, attempted) = run(&storage, 4);
        storage.crash(seed);
        if engine_journal::survey(&storage).unwrap().torn.is_none() {
            continue;
        }
        torn += 1;
        let whole = storage.duplicate();
        open(&whole);
        for change in 0..=whole.changes() {
            let storage = storage.duplicate();
            storage.power_off_after(change);
            let _ = JournalWriter::open(storage.clone(), OPTIONS); // fails wherever the power does
            storage.crash(seed * 31 + change);
            check(&storage, durable, attempted, &format!("change {change} seed {seed}"));
        }
    }
    assert!(torn > 20, "only {torn} seeds tore the batch");
}

#[test]
fn a_torn_tail_is_kept_beside_each_time_under_another_name() {
    let storage = SimulatedStorage::new();
    run(&storage, 1);
    let path = "journal/segment-00000000000000000001.log";
    let end = 4096 + 56 + LENGTH;
    for round in 0..3 {
        let mut bytes = storage.content(path).unwrap();
        bytes[end + 8] = 9;
        storage.set_content(path, bytes);
        let torn = open(&storage).1.torn.unwrap();
        assert_eq!((torn.file.as_str(), torn.offset, torn.length), (path, end as u64, 9));
        let copy = torn.copy.unwrap();
        assert_eq!(copy, format!("journal/torn-2-{round}.bin"));
        assert_eq!(storage.content(&copy).unwrap(), [0, 0, 0, 0, 0, 0, 0, 0, 9]);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append { count: u32 },
    Reopen,
    Crash { seed: u64 },
    PowerOff { after: u64, seed: u64 },
    Room { segments: Option<u64> },
    ShortWrite { kept: usize },
    FailSync { seed: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (1..8_u32).prop_map(|count| Step::Append { count }),
        1 => Just(Step::Reopen),
        1 => any::<u64>().prop_map(|seed| Step::Crash { seed }),
        2 => (0..12_u64, any::<u64>()).prop_map(|(after, seed)| Step::PowerOff { after, seed }),
        1 => prop_oneof![Just(Some(0)), Just(Some(1)), Just(None)].prop_map(|segments| Step::Room { segments }),
        1 => (0..3000_usize).prop_map(|kept| Step::ShortWrite { kept }),
        1 => any::<u64>().prop_map(|seed| Step::FailSync { seed }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any history of appends, crashes, reopenings and full disks: the journal holds what was
    /// acknowledged, then at most the one batch in flight, and always opens.
    #[test]
    fn any_history_keeps_what_was_acknowledged(steps in prop::collection::vec(step(), 1..80)) {
        let storage = SimulatedStorage::new();
        let (mut writer, _) = open(&storage);
        let mut durable = 0;
        let append = |writer: &mut JournalWriter<SimulatedStorage>, count: u32| {
            let first = writer.next_sequence();
            writer.append_batch(first, count, &payload(first, count, LENGTH))
        };
        for step in steps {
            // Whether the power or a sync failed, and up to where a batch may have got.
            let mut attempted = durable;
            let crash = match step {
                Step::Append { count } => {
                    match append(&mut writer, count) {
                        Ok(sequence) => durable = sequence,
                        Err(AppendError::NoRoom { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                    None
                }
                Step::Reopen => {
                    storage.set_room(None);
                    // A write still to be cut short may hit the opening: the next one succeeds.
                    let opened = JournalWriter::open(storage.clone(), OPTIONS);
                    writer = opened.map_or_else(|_| open(&storage).0, |(writer, _)| writer);
                    None
                }
                Step::Crash { seed } => Some(seed),
                Step::PowerOff { after, seed } => {
                    storage.power_off_after(after);
                    loop {
                        match append(&mut writer, 2) {
                            Ok(sequence) => durable = sequence,
                            Err(AppendError::NoRoom { .. }) => storage.set_room(None),
                            Err(_) => break,
                        }
                    }
                    attempted = durable + 2;
                    Some(seed)
                }
                Step::FailSync { seed } => {
                    storage.set_room(None);
                    storage.fail_sync(1);
                    loop {
                        match append(&mut writer, 2) {
                            Err(AppendError::NoRoom { .. }) => {}
                            result => {
                                prop_assert!(matches!(result, Err(AppendError::SyncFailed(_))));
                                break;
                            }
                        }
                    }
                    attempted = durable + 2;
                    Some(seed)
                }
                Step::Room { segments } => {
                    storage.set_room(segments.map(|segments| segments * OPTIONS.segment_size));
                    None
                }
                Step::ShortWrite { kept } => {
                    storage.short_next_write(kept);
                    None
                }
            };
            if let Some(seed) = crash {
                storage.set_room(None);
                storage.crash(seed);
                durable = check(&storage, durable, attempted, "");
                writer = open(&storage).0;
            }
            prop_assert_eq!(writer.durable_sequence(), durable);
            prop_assert_eq!(read(&storage).unwrap().len() as u64, durable);
        }
        prop_assert_eq!(EventLogWriter::inspect(storage.clone()).unwrap().last_sequence(), None);
    }
}
