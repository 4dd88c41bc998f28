//! Orders that are not plain, auctions and what stops trading: the fast books against the obviously
//! right ones on random command streams, every event compared, invariants audited after each command,
//! balances rebuilt from postings.

mod exchange;

use engine_core::{LadderBooks, NaiveBooks};
use exchange::{
    Exchange,
    steps::{Step, exchange, steps},
};
use proptest::prelude::*;

fn run(stream: &[Step], audited: bool) {
    let mut fast: Exchange<LadderBooks> = exchange(audited);
    let mut naive: Exchange<NaiveBooks> = exchange(false);
    let mut orders = 0;
    for step in stream {
        let now = step.time(fast.time);
        (fast.time, naive.time) = (now, now);
        let command = step.command(orders, now);
        let did = fast.apply(&command);
        assert_eq!(did, naive.apply(&command), "{command:?}");
        for event in &did.events {
            if let protocol::event::Event::OrderAccepted(accepted, ..) = event {
                orders = accepted.order_id.0;
            }
        }
        if audited {
            fast.compare_projection();
        }
    }
    fast.compare_projection();
    assert_eq!(fast.engine.audit(), Ok(()));
    assert_eq!(fast.engine.state_hash(), naive.engine.state_hash());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn every_event_is_the_naive_books_event(stream in steps(300)) {
        run(&stream, true);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]
    #[test]
    fn long_streams_agree_too(stream in steps(4_000)) {
        run(&stream, false);
    }
}
