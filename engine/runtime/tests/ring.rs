//! The ring through its public face: against a model, with real threads, and at its edges.

use engine_runtime::ring::{Consumer, Drained, Producer, PushError, ring};
use engine_runtime::wait::{WaitStrategy, Waiter};
use proptest::prelude::*;
use std::collections::VecDeque;

fn ring_of(slots: usize) -> (Producer, Consumer) {
    ring(slots, Waiter::new(WaitStrategy::default()).bell())
}

/// A record of `length` bytes: its length, then `mark`, then bytes that follow from both.
fn record(length: u16, mark: u32) -> Vec<u8> {
    let mut record: Vec<u8> = (0..length).map(|index| (u32::from(index) * 31 + mark) as u8).collect();
    record[..2].copy_from_slice(&length.to_le_bytes());
    record[4..8].copy_from_slice(&mark.to_le_bytes());
    record
}

fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let [low, high, ..] = *bytes {
        let (record, rest) = bytes.split_at(usize::from(u16::from_le_bytes([low, high])));
        records.push(record.to_vec());
        bytes = rest;
    }
    records
}

#[test]
fn refuses_what_is_no_run_of_records() {
    let (producer, mut consumer) = ring_of(4);
    let mut second_is_cut = record(16, 1);
    second_is_cut.extend(&record(16, 2)[..8]);
    let mut tail_of_one = record(8, 1);
    tail_of_one.push(8);
    for (bytes, offset, length) in [
        (vec![], 0, 0),
        (vec![8], 0, 1),
        (vec![0; 8], 0, 0),
        (vec![7, 0, 0, 0, 0, 0, 0], 0, 7),
        (vec![12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0, 12),
        (vec![16, 0, 0, 0, 0, 0, 0, 0], 0, 16),
        (second_is_cut, 16, 16),
        (tail_of_one, 8, 1),
    ] {
        assert_eq!(producer.push(&bytes), Err(PushError::Malformed { offset, length }), "{bytes:?}");
    }
    assert_eq!(producer.used_slots(), 0);
    assert_eq!(consumer.drain_into(&mut Vec::new(), 1024), Drained::default());
}

#[test]
fn refuses_when_full_and_goes_on_when_drained() {
    let (producer, mut consumer) = ring_of(3);
    assert_eq!(producer.capacity_slots(), 4);
    producer.push(&record(240, 1)).unwrap();
    producer.push(&record(120, 2)).unwrap();
    assert_eq!(producer.push(&record(128, 3)), Err(PushError::Full));
    producer.push(&record(8, 4)).unwrap();
    assert_eq!(producer.push(&record(8, 5)), Err(PushError::Full));
    assert_eq!(producer.push(&record(488, 6)), Err(PushError::TooLong { slots: 5, capacity: 4 }));
    let mut buffer = Vec::new();
    assert_eq!(consumer.drain_into(&mut buffer, 1024), Drained { records: 3, bytes: 368, more: false });
    assert_eq!(split(&buffer), [record(240, 1), record(120, 2), record(8, 4)]);
    producer.push(&record(480, 7)).unwrap();
    buffer.clear();
    consumer.drain_into(&mut buffer, 1024);
    assert_eq!(buffer, record(480, 7));
}

#[test]
fn a_drain_stops_before_a_record_that_does_not_fit() {
    let (producer, mut consumer) = ring_of(8);
    let mut records = record(64, 1);
    records.extend(record(64, 2));
    producer.push(&records).unwrap();
    let mut buffer = vec![9];
    assert_eq!(consumer.drain_into(&mut buffer, 63), Drained { records: 0, bytes: 0, more: true });
    assert_eq!(consumer.drain_into(&mut buffer, 127), Drained { records: 1, bytes: 64, more: true });
    assert_eq!(consumer.drain_into(&mut buffer, 64), Drained { records: 1, bytes: 64, more: false });
    assert_eq!(buffer[1..], records);
}

#[test]
fn closing_refuses_new_records_and_keeps_the_old() {
    let (producer, mut consumer) = ring_of(4);
    producer.push(&record(8, 1)).unwrap();
    producer.close();
    assert_eq!(producer.push(&record(8, 2)), Err(PushError::Closed));
    assert!(!consumer.is_finished());
    let mut buffer = Vec::new();
    consumer.drain_into(&mut buffer, 1024);
    assert_eq!(buffer, record(8, 1));
    assert!(consumer.is_finished());
}

#[test]
fn a_dropped_consumer_closes_the_ring() {
    let (producer, consumer) = ring_of(4);
    drop(consumer);
    assert_eq!(producer.push(&record(8, 1)), Err(PushError::Closed));
}

/// More than the ring holds many times over, from several threads, with a consumer that sleeps:
/// each producer's records come whole, once and in its order.
#[test]
fn many_threads_lose_reorder_and_tear_nothing() {
    const PRODUCERS: u32 = 3;
    let each: u32 = if cfg!(miri) { 40 } else { 20_000 };
    let mut waiter = Waiter::new(WaitStrategy::Park { spins: 4, yields: 2 });
    let (producer, mut consumer) = ring(16, waiter.bell());
    std::thread::scope(|scope| {
        for thread in 0..PRODUCERS {
            let producer = producer.clone();
            scope.spawn(move || {
                for number in 0..each {
                    let record = record(8 + 8 * (number % 40) as u16, number * PRODUCERS + thread);
                    while let Err(error) = producer.push(&record) {
                        assert_eq!(error, PushError::Full);
                        std::thread::yield_now();
                    }
                }
            });
        }
        let mut next = [0; PRODUCERS as usize];
        let mut buffer = Vec::new();
        while next.iter().sum::<u32>() < PRODUCERS * each {
            waiter.wait_until(None, || consumer.has_record());
            buffer.clear();
            consumer.drain_into(&mut buffer, 1024);
            for found in split(&buffer) {
                let mark = u32::from_le_bytes(found[4..8].try_into().unwrap());
                let thread = (mark % PRODUCERS) as usize;
                let number = next[thread];
                assert_eq!(found, record(8 + 8 * (number % 40) as u16, number * PRODUCERS + thread as u32));
                next[thread] += 1;
            }
        }
    });
}

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<u16>),
    Drain(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![4 => 1..16_u16, 1 => 16..80_u16].prop_map(|words| words * 8);
    prop_oneof![
        prop::collection::vec(length, 1..4).prop_map(Step::Push),
        (0..2048_usize).prop_map(Step::Drain),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 512 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The ring is a queue of records that counts slots.
    #[test]
    fn behaves_as_a_queue(slots in 1..24_usize, steps in prop::collection::vec(step(), 1..64)) {
        let (producer, mut consumer) = ring_of(slots);
        let capacity = slots.next_power_of_two();
        let slots_of = |record: &Vec<u8>| record.len().div_ceil(120);
        let mut queue: VecDeque<Vec<u8>> = VecDeque::new();
        let mut mark = 0;
        for step in steps {
            match step {
                Step::Push(lengths) => {
                    mark += 1;
                    let records: Vec<_> = lengths.iter().map(|length| record(*length, mark)).collect();
                    let needed: usize = records.iter().map(slots_of).sum();
                    let used: usize = queue.iter().map(slots_of).sum();
                    let expected = if needed > capacity {
                        Err(PushError::TooLong { slots: needed as u64, capacity: capacity as u64 })
                    } else if needed + used > capacity {
                        Err(PushError::Full)
                    } else {
                        Ok(())
                    };
                    prop_assert_eq!(producer.push(&records.concat()), expected);
                    if expected.is_ok() {
                        queue.extend(records);
                    }
                }
                Step::Drain(max_bytes) => {
                    let mut expected = Vec::new();
                    while queue.front().is_some_and(|record| expected.len() + record.len() <= max_bytes) {
                        expected.extend(queue.pop_front().unwrap());
                    }
                    let mut buffer = Vec::new();
                    let drained = consumer.drain_into(&mut buffer, max_bytes);
                    prop_assert_eq!(drained.more, !queue.is_empty());
                    prop_assert_eq!(drained.bytes, buffer.len());
                    prop_assert_eq!(drained.records, split(&buffer).len());
                    prop_assert_eq!(buffer, expected);
                }
            }
            prop_assert_eq!(consumer.used_slots(), queue.iter().map(slots_of).sum::<usize>() as u64);
            prop_assert_eq!(consumer.has_record(), !queue.is_empty());
        }
    }
}
