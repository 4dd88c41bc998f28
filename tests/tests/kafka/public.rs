//! The public topics over the real broker: everything that the events say, once and in order of its key,
//! also when the publisher begins again.

use crate::{
    exchange::{BUYER, Market, PATIENCE, event_log, runtime, wait},
    shared_broker,
};
use prost::Message;
use protocol::{
    Sequence,
    event::{Event, EventChunk},
};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    message::{BorrowedMessage, Headers as _, Message as _},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};
use stream::{
    KafkaOptions, Published,
    public::{
        PublicOptions, PublicPublisher, PublicTopic,
        v1::{
            asset::AssetEvent,
            notification::NotificationEvent,
            order::{Change, OrderEvent},
            risk::{Kind, RiskEvent},
            trade::TradeEvent,
        },
    },
};
use tokio::sync::oneshot;

/// A record with the place that its headers say.
pub struct Record {
    /// Sequence, index, leg.
    pub place: [u64; 3],
    /// Its key.
    pub key: String,
    /// Its value's bytes.
    pub value: Vec<u8>,
}

/// What comes next, however often the client looks at something else meanwhile.
pub fn polled(consumer: &BaseConsumer) -> Result<BorrowedMessage<'_>, KafkaError> {
    let start = Instant::now();
    loop {
        if let Some(next) = consumer.poll(Duration::from_millis(500)) {
            return next;
        }
        assert!(start.elapsed() < PATIENCE, "something comes");
    }
}

/// Everything in a topic, each once, as a consumer has it that drops what it has by its place. Says how
/// many were dropped.
pub fn consume(options: &KafkaOptions, topic: PublicTopic) -> (Vec<Record>, usize) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &options.servers)
        .set("group.id", "tests")
        .set("enable.partition.eof", "true")
        .create()
        .expect("a consumer");
    let name = options.topic(topic.name());
    let metadata = consumer.fetch_metadata(Some(&name), PATIENCE).expect("the topic is there");
    let partitions = metadata.topics()[0].partitions().len() as i32;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(&name, partition, Offset::Beginning).expect("a partition");
    }
    consumer.assign(&list).expect("it is assigned");
    let (mut records, mut repeats, mut ended) = (Vec::new(), 0, BTreeSet::new());
    let mut newest: BTreeMap<i32, [u64; 3]> = BTreeMap::new();
    while ended.len() < partitions as usize {
        match polled(&consumer) {
            Ok(message) => {
                let headers = message.headers().expect("it has headers");
                let number = |key: &str| -> u64 {
                    let header =
                        headers.iter().find(|header| header.key == key).expect("the header is there");
                    let text = str::from_utf8(header.value.expect("a value")).expect("text");
                    text.parse().expect("a number")
                };
                assert_eq!((number("schema-version"), number("engine-id")), (1, 1));
                let place = ["sequence", "index", "leg"].map(number);
                let newest = newest.entry(message.partition()).or_default();
                if place <= *newest {
                    repeats += 1;
                    continue;
                }
                *newest = place;
                let key = String::from_utf8(message.key().expect("a key").to_vec()).expect("text");
                records.push(Record { place, key, value: message.payload().expect("a value").to_vec() });
            }
            Err(KafkaError::PartitionEOF(partition)) => {
                ended.insert(partition);
            }
            Err(error) => panic!("{error}"),
        }
    }
    (records, repeats)
}

/// Records as their schema has them.
pub fn decoded<M: Message + Default>(records: &[Record]) -> Vec<M> {
    records.iter().map(|record| M::decode(&record.value[..]).expect("it is of its schema")).collect()
}

/// Publishes up to `last`, and ends in order or not.
fn publish(options: &KafkaOptions, directory: &Path, published: Published, last: Sequence) {
    let runtime = runtime();
    let publisher =
        PublicPublisher::new(options.clone(), PublicOptions::default(), directory, Some(published));
    let metrics = publisher.metrics();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = runtime.spawn(publisher.run(async { drop(stopped.await) }));
    wait("everything is acknowledged", || {
        assert!(!task.is_finished(), "the publisher has ended");
        metrics.position() >= last
    });
    stop.send(()).expect("it runs");
    runtime.block_on(task).expect("it does not panic").expect("it published");
}

pub fn tell_everything() {
    let options = shared_broker("public");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut market = Market::open(directory.path());
    market.trade(2_000);
    let refused = market.refused();
    let last = market.trade(500);
    publish(&options, directory.path(), market.published(), last);
    // What was published after the last note of the position comes again, and is dropped.
    let position = directory.path().join("events/public-topics");
    assert_eq!(fs::read_to_string(&position).expect("it is there"), format!("1 {last}\n"));
    fs::write(&position, "1 1200\n").expect("it can be written");
    let last = market.trade(300);
    publish(&options, directory.path(), market.published(), last);
    market.stop();

    let (chunks, _) = event_log(directory.path());
    let events = || EventChunk::all(&chunks).flat_map(|chunk| chunk.expect("a chunk").events());
    let count = |wanted: fn(&Event) -> bool| {
        events().filter(|event| wanted(event.as_ref().expect("an event"))).count()
    };
    let trades = count(|event| matches!(event, Event::Trade(_)));
    let orders = count(|event| matches!(event, Event::OrderAccepted(..)));
    assert!(trades > 100 && orders > 2_000, "{trades} trades of {orders} orders");

    let (records, repeats) = consume(&options, PublicTopic::Trade);
    let told: Vec<TradeEvent> = decoded(&records);
    println!("trade-topic: {} records, {repeats} repeats dropped", told.len());
    assert!(repeats > 0, "the second publisher began before the end of the first");
    let ids: Vec<u64> = told.iter().map(|trade| trade.trade_id).collect();
    assert_eq!(ids, (1..=trades as u64).collect::<Vec<_>>(), "each once, in order");

    let (records, _) = consume(&options, PublicTopic::Order);
    let told: Vec<OrderEvent> = decoded(&records);
    assert!(records.iter().all(|record| record.key == "BTCUSDT"));
    assert_eq!(told.iter().filter(|order| order.change() == Change::Accepted).count(), orders);
    assert_eq!(told.iter().filter(|order| order.change() == Change::Traded).count(), 2 * trades);

    // The last balance that is told of each account is what all its changes come to, and all come to zero.
    let (records, _) = consume(&options, PublicTopic::Asset);
    let mut balances: BTreeMap<(u32, String), [i128; 2]> = BTreeMap::new();
    let mut after: BTreeMap<(u32, String), [i128; 2]> = BTreeMap::new();
    for event in decoded::<AssetEvent>(&records) {
        for change in event.changes {
            let of = (event.account, change.asset);
            let sum = balances.entry(of.clone()).or_default();
            sum[0] += units(&change.available_change);
            sum[1] += units(&change.held_change);
            after.insert(of, [units(&change.available), units(&change.held)]);
        }
    }
    assert_eq!(balances, after);
    for asset in ["BTC", "USDT"] {
        let of_asset = balances.iter().filter(|((_, name), _)| name == asset);
        assert_eq!(of_asset.map(|(_, [available, held])| available + held).sum::<i128>(), 0, "{asset}");
    }

    let (records, _) = consume(&options, PublicTopic::Risk);
    let risks: Vec<RiskEvent> = decoded(&records);
    let refusals: Vec<_> = risks.iter().filter(|risk| risk.kind() == Kind::Refusal).collect();
    let [refusal] = refusals[..] else { panic!("{refusals:?}") };
    assert_eq!((refusal.sequence, refusal.account, &refusal.refusal[..]), (refused.0, BUYER.0, "LotSize"));
    let kinds = |kind| risks.iter().filter(|risk| risk.kind() == kind).count();
    assert_eq!((kinds(Kind::Trade), kinds(Kind::Order), kinds(Kind::Deposit)), (2 * trades, orders, 4));

    let (records, _) = consume(&options, PublicTopic::Notification);
    let notices: Vec<NotificationEvent> = decoded(&records);
    assert!(records.iter().zip(&notices).all(|(record, notice)| {
        record.key == notice.account.to_string() && record.place[0] == notice.sequence
    }));
    let (records, _) = consume(&options, PublicTopic::Finance);
    assert_eq!(records.len(), 4, "four deposits, and no fees");
    println!("{} records of {trades} trades, {orders} orders", risks.len() + notices.len());
}

/// A decimal with eight places, in the last of them.
fn units(text: &str) -> i128 {
    text.replace('.', "").parse().expect("a decimal")
}
