//! A broker that is killed, frozen, stopped and started while an exchange trades and publishes.

use crate::{
    exchange::{Market, Publishing, event_log, runtime},
    reading::{agrees, open, read},
};
use protocol::Sequence;
use stream::KafkaOptions;
use tests::kafka::Broker;

/// Orders between two faults.
const ORDERS: u64 = 3_000;

pub fn hurt_while_producing() {
    let mut broker = Broker::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = KafkaOptions::plaintext(broker.servers());
    let mut market = Market::open(directory.path());
    let publishing = Publishing::start(&options, directory.path(), Some(market.published()));
    publishing.wait_for(market.trade(ORDERS));
    // One reader lives through all of it.
    let runtime = runtime();
    let mut stream = runtime.block_on(open(&options, Sequence(0)));
    let mut seen = runtime.block_on(read(&mut stream, Sequence(0), Sequence(ORDERS)));

    let mut last = Sequence(0);
    for round in 0..2 {
        last = market.trade(ORDERS);
        broker.kill();
        // Trading goes on without it.
        market.trade(ORDERS);
        let reached = publishing.metrics().position();
        broker.start_again();
        publishing.wait_for(market.trade(ORDERS));
        println!("round {round}: killed at {last}, {reached} acknowledged by then");

        broker.freeze();
        last = market.trade(ORDERS);
        let reached = publishing.metrics().position();
        broker.thaw();
        publishing.wait_for(market.trade(ORDERS));
        println!("round {round}: frozen up to {last}, {reached} acknowledged by then");

        market.trade(ORDERS);
        broker.stop();
        market.trade(ORDERS);
        broker.start_again();
        last = market.trade(ORDERS);
        publishing.wait_for(last);
        println!("round {round}: stopped and started, everything acknowledged up to {last}");
        let more = runtime.block_on(read(&mut stream, seen.last, last));
        seen.chunks.extend_from_slice(&more.chunks);
        seen.last = more.last;
    }
    println!("{:?}", publishing.metrics());
    publishing.stop().expect("it published");
    market.stop();
    let (chunks, end) = event_log(directory.path());
    assert_eq!((seen.last, last), (end, end));
    assert!(seen.chunks == chunks, "the reader saw what the event log holds");
    agrees(&options, directory.path());
    println!("{end} commands: 0 gaps, 0 repeats, {} bytes equal", chunks.len());
}
