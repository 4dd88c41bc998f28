//! A broker that is away: trading goes on up to the stated lag, then new orders are refused and cancels
//! taken; when it is back, trading goes on.

use crate::exchange::{Market, Publishing, wait};
use protocol::command::{CancelIds, Command, sample};
use services::{CommandPort, MetricSource as _, SubmitError};
use std::sync::Arc;
use stream::{BoundedPort, KafkaOptions, Lag};
use tests::kafka::Broker;

const BOUND: u64 = 1_000;

pub fn up_to_the_bound() {
    let mut broker = Broker::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = KafkaOptions::plaintext(broker.servers());
    let mut market = Market::open(directory.path());
    let publishing = Publishing::start(&options, directory.path(), Some(market.published()));
    publishing.wait_for(market.trade(100));

    let status = market.status();
    let opened = status.durable_sequence();
    let lag = Arc::new(Lag::new(status, opened, BOUND, vec![publishing.metrics().follower()]));
    let port: Arc<dyn CommandPort> = Arc::new(BoundedPort::new(market.port(), lag.clone()));
    broker.kill();
    let mut taken = 0;
    let refusal = loop {
        match port.submit(&market.next_order(), 0) {
            Ok(answer) => drop(answer.wait().expect("it is answered")),
            Err(error) => break error,
        }
        taken += 1;
    };
    assert_eq!(refusal, SubmitError::Behind);
    assert_eq!(taken, BOUND + 1, "trading went on up to the bound");
    // What takes risk away is taken.
    let cancel = Command::CancelOrder { cancel: sample::cancel_order(), ids: CancelIds::default() };
    port.submit(&cancel, 0).expect("a cancel is taken").wait().expect("it is answered");
    println!("{taken} orders after the broker was gone, then: {refusal}");
    for metric in lag.metrics() {
        print!("{metric}");
    }
    broker.start_again();
    wait("the lag is gone", || lag.commands() == 0);
    port.submit(&market.next_order(), 0).expect("orders are taken again").wait().expect("it is answered");
    publishing.stop().expect("it published");
    drop(port);
    market.stop();
}
