//! Batches cut into records and put together again, whatever happened to the records on the way.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{
    assembly::Assembly,
    record::{self, RecordHead, records},
};
use crate::{Batch, StreamError};
use proptest::prelude::*;
use protocol::{
    Sequence, SourceId, SourceNumber, Time,
    command::{Command, CommandRecord},
    event::{ChunkHeader, EventBuffer, EventChunk},
};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};
use std::mem::offset_of;

const ENGINE: u32 = 3;

/// The chunks of a command, `sizes` bytes more than a header each.
fn command(sequence: u64, sizes: &[usize]) -> Vec<u8> {
    let tick = Command::Tick.encode(SourceId(1), SourceNumber(sequence), sequence * 10);
    let tick = CommandRecord::parse(&tick).unwrap();
    let mut bytes = Vec::new();
    for (number, size) in sizes.iter().enumerate() {
        let mut buffer = EventBuffer::growing();
        buffer.begin(tick.header, Sequence(sequence), Time(sequence), 0);
        let mut chunk = buffer.bytes().to_vec();
        // The events themselves are not read here.
        chunk.resize(size_of::<ChunkHeader>() + size / 8 * 8, 0xEE);
        let length = (chunk.len() as u32).to_le_bytes();
        chunk[offset_of!(ChunkHeader, length)..][..4].copy_from_slice(&length);
        chunk[offset_of!(ChunkHeader, chunk)..][..2].copy_from_slice(&(number as u16).to_le_bytes());
        chunk[offset_of!(ChunkHeader, last)] = u8::from(number + 1 == sizes.len());
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

/// Commands `first` and on; one without sizes has no events.
fn batch(epoch: u32, first: u64, commands: &[Vec<usize>]) -> Batch {
    let chunks = (first..).zip(commands).flat_map(|(sequence, sizes)| command(sequence, sizes)).collect();
    let last = Sequence(first + commands.len() as u64 - 1);
    Batch { engine_id: ENGINE, epoch, first: Sequence(first), last, chunks }
}

/// What a publisher of `epoch` sends after `position`, some commands at a time.
fn sent(epoch: u32, commands: &[Vec<usize>], position: u64, at_once: usize, limit: usize) -> Vec<Sent> {
    let rest = &commands[position as usize..];
    let firsts = (position + 1..).step_by(at_once);
    firsts
        .zip(rest.chunks(at_once))
        .flat_map(|(first, commands)| {
            let batch = batch(epoch, first, commands);
            let cut = records(&batch, limit).unwrap();
            cut.into_iter().map(|(head, chunks)| Sent { head, chunks: chunks.to_vec() }).collect::<Vec<_>>()
        })
        .collect()
}

#[derive(Clone, Debug)]
struct Sent {
    head: RecordHead,
    chunks: Vec<u8>,
}

/// Everything an assembly gives of these records, which must follow each other.
fn assembled(records: &[Sent], position: u64) -> Result<(Vec<u8>, Sequence), StreamError> {
    let mut assembly = Assembly::new(Sequence(position));
    let mut chunks = Vec::new();
    let mut last = Sequence(position);
    for (offset, sent) in (0..).zip(records) {
        if let Some(batch) = assembly.accept(&sent.head, sent.chunks.clone(), offset)? {
            assert_eq!(batch.first, last.next());
            chunks.extend_from_slice(&batch.chunks);
            last = batch.last;
        }
    }
    Ok((chunks, last))
}

fn commands() -> impl Strategy<Value = Vec<Vec<usize>>> {
    let few = prop::collection::vec(0_usize..200, 0..3);
    let many = prop::collection::vec(0_usize..200, 5..20);
    prop::collection::vec(prop_oneof![8 => few, 1 => many], 1..40)
}

proptest! {
    /// Publishers die and others go on, of the same epoch or the next, each from what it found to be there;
    /// what the one before had on its way arrives late.
    #[test]
    fn everything_comes_once_whatever_was_sent_again(
        commands in commands(),
        limit in 100_usize..2_000,
        lives in prop::collection::vec((1_usize..8, 0_usize..60, 0_usize..3, any::<bool>()), 0..6),
        position in 0_usize..40,
    ) {
        let mut topic: Vec<Sent> = Vec::new();
        let (mut epoch, mut late) = (1, Vec::new());
        for (at_once, count, lost, is_restart) in lives {
            let end = topic.iter().map(|sent| sent.head.complete()).max().unwrap_or_default();
            let sent = sent(epoch, &commands, end.0, at_once, limit);
            // Late ones of the same producer's epoch only: a newer epoch fences them.
            let arrived = sent.iter().take(count).cloned();
            topic.extend(arrived.flat_map(|sent| late.pop().into_iter().chain([sent])).collect::<Vec<_>>());
            late = sent.into_iter().skip(count).take(lost).rev().collect();
            if is_restart {
                epoch += 1;
                late.clear();
            }
        }
        let end = topic.iter().map(|sent| sent.head.complete()).max().unwrap_or_default();
        topic.extend(sent(epoch, &commands, end.0, 5, limit));
        let whole = batch(1, 1, &commands);
        let (chunks, last) = assembled(&topic, 0).unwrap();
        prop_assert_eq!(last, whole.last);
        prop_assert!(chunks == whole.chunks);

        let position = position.min(commands.len());
        let (chunks, last) = assembled(&topic, position as u64).unwrap();
        let before = EventChunk::up_to(&whole.chunks, Sequence(position as u64)).unwrap().len();
        prop_assert_eq!(last, whole.last);
        prop_assert!(chunks == whole.chunks[before..]);
    }

    #[test]
    fn records_cover_their_batch_within_the_limit(commands in commands(), limit in 100_usize..2_000) {
        let batch = batch(1, 1, &commands);
        let mut next = batch.first;
        let mut chunks = Vec::new();
        for (head, part) in records(&batch, limit).unwrap() {
            prop_assert_eq!(head.first, if head.index > 0 { Sequence(next.0 - 1) } else { next });
            prop_assert!(part.len() <= limit || EventChunk::all(part).count() == 1);
            next = head.last.next();
            chunks.extend_from_slice(part);
        }
        prop_assert_eq!(next, batch.last.next());
        prop_assert!(chunks == batch.chunks);
    }

    #[test]
    fn headers_return_from_a_record(first in 1_u64.., more: bool, index: u16, trace: u64, epoch: u32) {
        let head = RecordHead {
            engine_id: ENGINE, epoch, first: Sequence(first), last: Sequence(first), index, more, trace,
        };
        prop_assert_eq!(RecordHead::read(Some(&head.headers()), 0).unwrap(), head);
    }
}

fn simple(epoch: u32, first: u64, count: usize) -> Vec<Sent> {
    let commands = vec![vec![8]; count];
    let batch = batch(epoch, first, &commands);
    let cut = records(&batch, 1_000).unwrap();
    cut.into_iter().map(|(head, chunks)| Sent { head, chunks: chunks.to_vec() }).collect()
}

#[test]
fn a_gap_is_named() {
    let topic = [simple(1, 1, 2), simple(1, 4, 2)].concat();
    let error = assembled(&topic, 0).unwrap_err();
    assert!(matches!(error, StreamError::Gap { expected: Sequence(3), found: Sequence(4) }), "{error}");
}

#[test]
fn another_engine_is_named() {
    let mut topic = [simple(1, 1, 2), simple(1, 3, 2)].concat();
    topic[1].head.engine_id = 9;
    let error = assembled(&topic, 0).unwrap_err();
    assert!(matches!(error, StreamError::OtherEngine { expected: ENGINE, found: 9 }), "{error}");
}

#[test]
fn a_lower_epoch_is_refused_and_the_newer_one_goes_on() {
    let topic = [simple(1, 1, 2), simple(2, 3, 1), simple(1, 4, 5), simple(2, 4, 2)].concat();
    let (chunks, last) = assembled(&topic, 0).unwrap();
    assert_eq!(last, Sequence(5));
    assert_eq!(chunks, batch(1, 1, &vec![vec![8]; 5]).chunks);
    // A reader that is told the epoch refuses the first as well.
    let mut assembly = Assembly::new(Sequence(3));
    assembly.expect(ENGINE, 2);
    assert!(assembly.accept(&topic[2].head, topic[2].chunks.clone(), 0).unwrap().is_none());
    assert_eq!(assembly.fenced(), 1);
    assert!(assembly.accept(&topic[3].head, topic[3].chunks.clone(), 0).unwrap().is_some());
}

#[test]
fn an_unknown_version_of_an_event_is_named() {
    let mut topic = simple(1, 1, 2);
    topic[0].chunks[offset_of!(ChunkHeader, version)] = 77;
    let error = assembled(&topic, 0).unwrap_err();
    assert!(matches!(error, StreamError::Unreadable { position: Sequence(0), .. }), "{error}");
    assert!(error.to_string().contains("77"), "{error}");
}

#[test]
fn an_unknown_version_of_a_record_and_missing_headers_are_named() {
    let head = simple(1, 1, 1)[0].head;
    let headers = head.headers();
    for skipped in 0..headers.count() {
        let mut fewer = OwnedHeaders::new();
        for header in headers.iter().enumerate().filter(|(place, _)| *place != skipped).map(|(_, it)| it) {
            fewer = fewer.insert(Header { key: header.key, value: header.value });
        }
        assert!(matches!(RecordHead::read(Some(&fewer), 5), Err(StreamError::Record { offset: 5, .. })));
    }
    let newer = OwnedHeaders::new().insert(Header { key: record::header::VERSION, value: Some("2") });
    let error = RecordHead::read(Some(&newer), 5).unwrap_err();
    assert!(matches!(error, StreamError::Version { offset: 5, found: 2, known: 1 }), "{error}");
}

#[test]
fn a_record_that_holds_what_its_headers_do_not_name_is_refused() {
    let mut topic = simple(1, 1, 2);
    topic[0].head.last = Sequence(1);
    let error = assembled(&topic, 0).unwrap_err();
    assert!(matches!(error, StreamError::Record { .. }), "{error}");
}
