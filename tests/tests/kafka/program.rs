//! The real `rialto serve` with brokers in its configuration: killed, started again, ended in order. What
//! its clients were told is in the topics.

use crate::{
    exchange::{event_log, runtime, wait},
    public::{consume, decoded},
    reading::{agrees, open, read},
    shared_broker,
};
use protocol::Sequence;
use std::collections::BTreeSet;
use stream::{
    KafkaOptions,
    public::{
        PublicTopic,
        v1::{
            order::{Change, OrderEvent},
            risk::{Kind, RiskEvent},
        },
    },
};
use tests::{client::Client, order::place_limit, server::Server};

/// Orders of one life.
const ORDERS: usize = 50;

/// Places orders that rest and trade; gives their ids.
fn trade(client: &Client, orders: &mut BTreeSet<u64>) {
    for number in 0..ORDERS {
        let side = if number % 2 == 0 { "BUY" } else { "SELL" };
        let answer = place_limit(client, [side, "0.001", "50000"], &[]).expect("it is answered");
        orders.insert(answer["orderId"].as_u64().expect("an order has an id"));
    }
}

/// Waits until both publishers have published everything the server has done.
fn published(server: &Server, options: &KafkaOptions) -> Sequence {
    let runtime = runtime();
    let (_, last) = event_log(&server.data);
    let mut stream = runtime.block_on(open(options, Sequence(0)));
    runtime.block_on(read(&mut stream, Sequence(0), last));
    wait("the public topics are published", || {
        let metrics = server.metrics();
        let line = metrics.lines().find(|line| line.starts_with("rialto_stream_public_sequence "));
        let position = line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        position.is_some_and(|position| position >= last.0)
    });
    last
}

pub fn publishes_what_it_answered() {
    let options = shared_broker("program");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let settings = format!(
        "kafka = {:?}\nkafka_topic_prefix = {:?}\nlarge_orders = [\"50 USDT\"]\n",
        options.servers, options.topic_prefix
    );
    let mut orders = BTreeSet::new();
    let mut server = Server::start_with(&data, &settings);
    for life in 0..3 {
        trade(&server.client(1), &mut orders);
        // Whatever was on its way to the broker is lost with the process.
        server.kill();
        server = Server::start(&data);
        println!("life {life}: {} orders acknowledged", orders.len());
    }
    trade(&server.client(2), &mut orders);
    let small = place_limit(&server.client(2), ["BUY", "0.001", "49000"], &[]).expect("it is answered");
    let small = small["orderId"].as_u64().expect("an order has an id");
    let last = published(&server, &options);
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    assert!(agrees(&options, &data) >= last);

    let (records, repeats) = consume(&options, PublicTopic::Order);
    let told: Vec<OrderEvent> = decoded(&records);
    let accepted: Vec<u64> =
        told.iter().filter(|order| order.change() == Change::Accepted).map(|order| order.order_id).collect();
    let once: BTreeSet<u64> = accepted.iter().copied().collect();
    assert_eq!(once.len(), accepted.len(), "each order once");
    assert!(orders.is_subset(&once), "every acknowledged order is told");

    let (records, _) = consume(&options, PublicTopic::Risk);
    let risks: Vec<RiskEvent> = decoded(&records);
    let told = |kind| -> BTreeSet<u64> {
        risks.iter().filter(|risk| risk.kind() == kind).map(|risk| risk.order_id).collect()
    };
    assert!(orders.is_subset(&told(Kind::LargeOrder)), "each is of 50 USDT, or was, when it was sent");
    assert!(told(Kind::Order).contains(&small) && !told(Kind::LargeOrder).contains(&small));
    println!("{} acknowledged orders told once, {repeats} repeats dropped, {last} commands", orders.len());
}
