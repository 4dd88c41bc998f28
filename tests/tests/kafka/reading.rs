//! What readers see: everything once, from wherever they go on, and a clear word when that cannot be.

use crate::exchange::{Market, PATIENCE, Publishing, event_log, runtime};
use crate::shared_broker;
use protocol::Sequence;
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use std::{path::Path, time::Instant};
use stream::{EventStream, KafkaOptions, KafkaStream, StreamError};

/// Everything a reader was given, one batch after the other.
#[derive(Debug, Default)]
pub struct Seen {
    /// All chunks.
    pub chunks: Vec<u8>,
    /// The last command; 0 before the first.
    pub last: Sequence,
    /// The newest epoch.
    pub epoch: u32,
}

/// Reads what comes after `position`, up to `last`; each batch follows the one before.
pub async fn read(stream: &mut EventStream, position: Sequence, last: Sequence) -> Seen {
    let mut seen = Seen { last: position, ..Seen::default() };
    while seen.last < last {
        let batch = tokio::time::timeout(PATIENCE, stream.next()).await;
        let batch = batch.unwrap_or_else(|_| panic!("nothing more after {}", seen.last)).expect("a batch");
        assert_eq!(batch.first, seen.last.next(), "without gap and repeat");
        assert!(batch.epoch >= seen.epoch);
        seen.chunks.extend_from_slice(&batch.chunks);
        (seen.last, seen.epoch) = (batch.last, batch.epoch);
    }
    seen
}

/// A reader of the internal log.
pub async fn open(options: &KafkaOptions, position: Sequence) -> EventStream {
    EventStream::Kafka(opened(options, position).await.expect("the log opens"))
}

/// What becomes of opening the internal log; a broker that is slow is asked again.
pub async fn opened(options: &KafkaOptions, position: Sequence) -> Result<KafkaStream, StreamError> {
    let start = Instant::now();
    loop {
        match KafkaStream::open(options, position).await {
            Err(error) if error.may_pass() && start.elapsed() < PATIENCE => eprintln!("again: {error}"),
            opened => return opened,
        }
    }
}

/// A reader from the beginning sees what the event log has, to the last byte.
pub fn agrees(options: &KafkaOptions, directory: &Path) -> Sequence {
    let (chunks, last) = event_log(directory);
    let seen =
        runtime().block_on(async { read(&mut open(options, Sequence(0)).await, Sequence(0), last).await });
    assert_eq!(seen.last, last);
    assert!(seen.chunks == chunks, "the topic holds what the event log holds");
    last
}

/// Publishes a market of about `orders` commands, and ends.
pub fn publish(options: &KafkaOptions, directory: &Path, orders: u64) -> Sequence {
    let mut market = Market::open(directory);
    let publishing = Publishing::start(options, directory, Some(market.published()));
    let mut last = Sequence(0);
    // Some at a time, so that there are many records.
    for _ in 0..orders / 500 {
        last = market.trade(500);
        publishing.wait_for(last);
    }
    publishing.stop().expect("it published");
    market.stop();
    last
}

/// A record as anybody could write it.
pub fn write(options: &KafkaOptions, headers: &[(&str, &str)], value: &[u8]) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &options.servers).create().expect("a producer");
    let headers = headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(*value) })
    });
    let topic = options.events_topic();
    let record = BaseRecord::<(), [u8]>::to(&topic).partition(0).payload(value).headers(headers);
    producer.send(record).map_err(|(error, _)| error).expect("it is taken");
    producer.flush(PATIENCE).expect("it is acknowledged");
}

pub fn from_any_position() {
    let options = shared_broker("positions");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let last = publish(&options, directory.path(), 10_000);
    let (chunks, _) = event_log(directory.path());
    runtime().block_on(async {
        for position in [0, 1, 9, 500, 501, 4_711, last.0 - 1] {
            let position = Sequence(position);
            let mut stream = open(&options, position).await;
            assert_eq!(stream.end().await.expect("there is an end"), last);
            let seen = read(&mut stream, position, last).await;
            let before = protocol::event::EventChunk::up_to(&chunks, position).expect("chunks").len();
            assert!(seen.chunks == chunks[before..], "from {position}");
        }
        // At the end there is nothing more, and nothing comes until there is.
        let mut stream = open(&options, last).await;
        let more = tokio::time::timeout(std::time::Duration::from_millis(300), stream.next()).await;
        assert!(more.is_err(), "{more:?}");
    });
}

pub fn of_a_large_command() {
    let options = shared_broker("large");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut market = Market::open(directory.path());
    let publishing = Publishing::start(&options, directory.path(), Some(market.published()));
    let large = market.rest_and_cancel(30);
    let last = market.trade(10);
    publishing.wait_for(last);
    publishing.stop().expect("it published");
    market.stop();
    agrees(&options, directory.path());
    runtime().block_on(async {
        let before = Sequence(large.0 - 1);
        let mut stream = open(&options, before).await;
        let seen = read(&mut stream, before, large).await;
        println!("command {large} has {} bytes of events", seen.chunks.len());
        assert!(seen.chunks.len() > 2 * stream::RECORD_BYTES, "it does not fit into one record");
    });
}

pub fn ahead_of_the_log() {
    let options = shared_broker("ahead");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let last = publish(&options, directory.path(), 500);
    let error = runtime().block_on(opened(&options, last.next())).expect_err("there is less");
    assert!(
        matches!(error, StreamError::Ahead { position, end } if position == last.next() && end == last),
        "{error}"
    );
    println!("{error}");
}

pub fn unknown_version() {
    let options = shared_broker("version");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let last = publish(&options, directory.path(), 500);
    runtime().block_on(async {
        let mut stream = open(&options, Sequence(0)).await;
        read(&mut stream, Sequence(0), last).await;
        let sequence = last.next().to_string();
        let headers = [
            ("schema-version", "2"),
            ("engine-id", "1"),
            ("epoch", "1"),
            ("first-sequence", sequence.as_str()),
            ("last-sequence", sequence.as_str()),
        ];
        write(&options, &headers, b"what version 2 may be");
        let error = stream.next().await.expect_err("nobody knows version 2");
        assert!(matches!(error, StreamError::Version { found: 2, known: 1, .. }), "{error}");
        println!("{error}");
    });
}
