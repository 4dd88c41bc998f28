//! Publishing and reading beside a raw client of the same bytes, taking turns in one run: what one of them
//! sent the other gets, each byte once. Prints rates and ratios, and asserts none: `RIALTO_STREAM_COMMANDS`
//! says of how many commands, `RIALTO_STREAM_ROUNDS` how often.

use crate::{
    exchange::{Market, PATIENCE, Publishing, event_log, runtime, wait},
    public::{consume, decoded, polled},
    reading::{agrees, open},
    shared_broker,
};
use protocol::{
    Sequence,
    event::{Event, EventChunk},
};
use rdkafka::{
    ClientConfig, ClientContext, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::{DeliveryResult, Message as _},
    producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer},
};
use std::{
    env,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};
use stream::{
    KafkaOptions, PublishingMetrics, RECORD_BYTES,
    public::{
        PublicOptions, PublicPublisher, PublicTopic,
        v1::order::{Change, OrderEvent},
    },
};
use tokio::sync::oneshot;

fn from_environment(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}

pub fn beside_raw_clients() {
    let commands = from_environment("RIALTO_STREAM_COMMANDS", 50_000);
    let rounds = from_environment("RIALTO_STREAM_ROUNDS", 1);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut market = Market::open(directory.path());
    for _ in 0..commands / 10_000 {
        market.trade(10_000);
    }
    let published = market.published();
    market.stop();
    drop(published);
    let (chunks, last) = event_log(directory.path());
    println!("{last} commands, {} bytes of events, records of {RECORD_BYTES} bytes", chunks.len());
    let [mut published, mut sent, mut read, mut received] = [const { Vec::new() }; 4];
    for round in 0..rounds {
        let ours = shared_broker(&format!("speed-ours-{round}"));
        published.push(publish(&ours, directory.path(), last));
        // A topic as ours, made by our publisher: of nothing but the first command.
        let raw = shared_broker(&format!("speed-raw-{round}"));
        make_topic(&raw);
        sent.push(last.0 as f64 / send(&raw, &chunks));
        read.push(read_ours(&ours, last));
        received.push(last.0 as f64 / receive(&raw, &chunks));
        assert_eq!(agrees(&ours, directory.path()), last, "ours holds each command once");
    }
    let [published, sent, read, received] = [published, sent, read, received].map(median);
    println!("publishing {published:.0} commands/s, a raw producer {sent:.0}: ratio {:.2}", published / sent);
    println!("reading {read:.0} commands/s, a raw consumer {received:.0}: ratio {:.2}", read / received);
    let public = shared_broker("speed-public");
    println!("public topics: {:.0} commands/s", publish_public(&public, directory.path(), last));
    let start = Instant::now();
    begin_again(&public, directory.path(), last);
    println!("public topics begin again after {} ms", start.elapsed().as_millis());
    let (orders, repeats) = consume(&public, PublicTopic::Order);
    let accepted = decoded::<OrderEvent>(&orders);
    let accepted = accepted.iter().filter(|order| order.change() == Change::Accepted).count();
    assert_eq!((accepted, repeats), (orders_of(&chunks), 0), "each order is told once");
}

/// Orders that the events say were accepted.
fn orders_of(chunks: &[u8]) -> usize {
    let events = EventChunk::all(chunks).flat_map(|chunk| chunk.expect("a chunk").events());
    events.filter(|event| matches!(event, Ok(Event::OrderAccepted(..)))).count()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Commands a second, from the first acknowledgement to the last.
fn rate(position: impl Fn() -> Sequence, last: Sequence) -> f64 {
    wait("something is acknowledged", || position() > Sequence(0));
    let (start, first) = (Instant::now(), position());
    wait("everything is acknowledged", || position() >= last);
    let commands = (last.0 - first.0).max(1) as f64;
    commands / start.elapsed().as_secs_f64()
}

fn publish(options: &KafkaOptions, directory: &Path, last: Sequence) -> f64 {
    let publishing = Publishing::start(options, directory, None);
    let rate = rate(|| publishing.metrics().position(), last);
    publishing.stop().expect("it published");
    rate
}

fn publish_public(options: &KafkaOptions, directory: &Path, last: Sequence) -> f64 {
    public(options, directory, |metrics| rate(|| metrics.position(), last))
}

/// Learns what was before, and is ready to publish what comes.
fn begin_again(options: &KafkaOptions, directory: &Path, last: Sequence) {
    public(options, directory, |metrics| wait("it has begun", || metrics.position() >= last));
}

/// While the public topics are published, to their orderly end.
fn public<T>(options: &KafkaOptions, directory: &Path, meanwhile: impl FnOnce(&PublishingMetrics) -> T) -> T {
    let runtime = runtime();
    let publisher = PublicPublisher::new(options.clone(), PublicOptions::default(), directory, None);
    let metrics = publisher.metrics();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = runtime.spawn(publisher.run(async { drop(stopped.await) }));
    let result = meanwhile(&metrics);
    stop.send(()).expect("it runs");
    runtime.block_on(task).expect("it does not panic").expect("it published");
    result
}

/// An empty topic that is as ours.
fn make_topic(options: &KafkaOptions) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let market = Market::open(directory.path());
    market.stop();
    let publishing = Publishing::start(options, directory.path(), None);
    publishing.wait_for(Sequence(1));
    publishing.stop().expect("it published");
}

/// Counts the bytes that were acknowledged.
#[derive(Clone, Default)]
struct Acknowledged(Arc<AtomicUsize>);

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, bytes: usize) {
        assert!(result.is_ok(), "it is acknowledged");
        self.0.fetch_add(bytes, Ordering::Release);
    }
}

/// Seconds that a raw producer of the same settings takes for the same bytes in records of the same size,
/// measured as ours: from the first acknowledgement to the last.
fn send(options: &KafkaOptions, chunks: &[u8]) -> f64 {
    let acknowledged = Acknowledged::default();
    let producer: ThreadedProducer<Acknowledged> = ClientConfig::new()
        .set("bootstrap.servers", &options.servers)
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", "1")
        .set("message.timeout.ms", "0")
        .create_with_context(acknowledged.clone())
        .expect("a producer");
    let topic = options.events_topic();
    producer.client().fetch_metadata(Some(&topic), PATIENCE).expect("the topic is there");
    let bytes = || acknowledged.0.load(Ordering::Acquire);
    let mut sent = 0;
    // When and with how much the first acknowledgement was seen; with little to send it is all at once.
    let mut first = (Instant::now(), 0);
    let mut look = |sent: usize| {
        if first.1 == 0 && (1..sent).contains(&bytes()) {
            first = (Instant::now(), bytes());
        }
    };
    for record in chunks.chunks(RECORD_BYTES) {
        let message = BaseRecord::<(), [u8], usize>::with_opaque_to(&topic, record.len());
        producer.send(message.partition(0).payload(record)).map_err(|(error, _)| error).expect("it is taken");
        sent += record.len();
        // As many wait as ours lets wait.
        while sent - bytes() > 16 << 20 {
            thread::yield_now();
        }
        look(sent);
    }
    wait("everything is acknowledged", || {
        look(sent);
        bytes() == sent
    });
    first.0.elapsed().as_secs_f64() * sent as f64 / (sent - first.1) as f64
}

/// Commands a second from the first batch to the last.
fn read_ours(options: &KafkaOptions, last: Sequence) -> f64 {
    runtime().block_on(async {
        let mut stream = open(options, Sequence(0)).await;
        let first = stream.next().await.expect("a batch").last;
        let start = Instant::now();
        let mut position = first;
        while position < last {
            position = stream.next().await.expect("a batch").last;
        }
        (last.0 - first.0).max(1) as f64 / start.elapsed().as_secs_f64()
    })
}

/// Seconds that a raw consumer takes for the bytes that the raw producer sent, as if the first record came at
/// no cost.
fn receive(options: &KafkaOptions, sent: &[u8]) -> f64 {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &options.servers)
        .set("group.id", "tests")
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("a consumer");
    let mut list = TopicPartitionList::new();
    let topic = options.events_topic();
    // After the small record that made the topic.
    list.add_partition_offset(&topic, 0, Offset::Offset(1)).expect("a partition");
    consumer.assign(&list).expect("it is assigned");
    let mut received = Vec::with_capacity(sent.len());
    let mut next = || {
        let message = polled(&consumer).expect("a record");
        received.extend_from_slice(message.payload().unwrap_or_default());
        received.len()
    };
    let first = next();
    let start = Instant::now();
    let mut reached = first;
    while reached < sent.len() {
        reached = next();
    }
    let seconds = start.elapsed().as_secs_f64() * sent.len() as f64 / (sent.len() - first).max(1) as f64;
    assert!(received == sent, "each byte once, in order");
    seconds
}
