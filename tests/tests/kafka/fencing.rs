//! An engine that was replaced: its records are refused, and it does not publish.

use crate::{
    exchange::{Market, Publishing, event_log, runtime},
    reading::{open, publish, read, write},
    shared_broker,
};
use engine_journal::{FileStorage, Identity};
use protocol::Sequence;
use std::fs;
use stream::{StreamError, public::v1::events::EventRecord};

pub fn by_readers() {
    let options = shared_broker("fenced");
    let directory = tempfile::tempdir().expect("a temporary directory");
    // Two openings: epochs 1 and 2.
    let first = publish(&options, directory.path(), 1_000);
    let last = publish(&options, directory.path(), 1_000);
    let (chunks, _) = event_log(directory.path());
    // The engine of epoch 1 wakes up and goes on where it was, with commands of its own.
    let mut old = protocol::event::EventChunk::up_to(&chunks, first).expect("chunks");
    let kept = old.len();
    let mut newest = old;
    while !old.is_empty() {
        newest = old;
        protocol::event::EventChunk::take(&mut old).expect("a chunk");
    }
    assert!(kept > 0);
    for next in [first.next(), last.next()] {
        let mut forged = newest.to_vec();
        forged[8..16].copy_from_slice(&next.0.to_le_bytes());
        let value = prost::Message::encode_to_vec(&EventRecord { chunks: forged });
        let sequence = next.to_string();
        let headers = [
            ("schema-version", "1"),
            ("engine-id", "1"),
            ("epoch", "1"),
            ("first-sequence", sequence.as_str()),
            ("last-sequence", sequence.as_str()),
            ("index", "0"),
            ("more", "0"),
            ("trace-id", "0"),
        ];
        write(&options, &headers, &value);
    }
    // The engine that replaced it goes on too.
    let last = publish(&options, directory.path(), 500);
    let (chunks, end) = event_log(directory.path());
    assert_eq!(last, end);
    runtime().block_on(async {
        for position in [0, first.0, last.0 - 501, last.0 - 500] {
            let position = Sequence(position);
            let mut stream = open(&options, position).await;
            let seen = read(&mut stream, position, last).await;
            let before = protocol::event::EventChunk::up_to(&chunks, position).expect("chunks").len();
            assert!(seen.chunks == chunks[before..], "from {position}");
            if let stream::EventStream::Kafka(stream) = &stream {
                println!("from {position}: {} records of epoch 1 refused", stream.fenced_records());
                assert_eq!(stream.fenced_records(), 2);
            }
        }
    });
}

pub fn by_the_publisher() {
    let options = shared_broker("replaced");
    let directory = tempfile::tempdir().expect("a temporary directory");
    publish(&options, directory.path(), 500);
    publish(&options, directory.path(), 500);
    // As a copy of the data directory would have it that was made before.
    Identity { engine_id: 1, epoch: 1 }.write(&FileStorage::new(directory.path())).expect("it is written");
    let error = Publishing::start(&options, directory.path(), None).ended();
    assert!(matches!(error, StreamError::Replaced { newest: 2, own: 1 }), "{error}");
    println!("{error}");
    Identity { engine_id: 7, epoch: 9 }.write(&FileStorage::new(directory.path())).expect("it is written");
    let error = Publishing::start(&options, directory.path(), None).ended();
    assert!(matches!(error, StreamError::OtherEngine { expected: 7, found: 1 }), "{error}");
    println!("{error}");
}

pub fn of_a_lost_journal() {
    let options = shared_broker("lost");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let last = publish(&options, directory.path(), 1_000);
    for lost in ["journal", "events", "snapshots"] {
        let _ = fs::remove_dir_all(directory.path().join(lost));
    }
    let mut market = Market::open(directory.path());
    let end = market.trade(1);
    let error = Publishing::start(&options, directory.path(), Some(market.published())).ended();
    assert!(
        matches!(error, StreamError::LogBehind { published, end: found } if published == last && found == end),
        "{error}"
    );
    println!("{error}");
    market.stop();
}
