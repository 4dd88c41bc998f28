//! An engine that was written down and read back goes on as if nothing had been: on random streams of
//! every kind of command, event for event, and, where its tables are sorted maps, field for field.

mod exchange;

use engine_core::{Books, Engine, LadderBooks, NaiveBooks, SNAPSHOT_VERSION, SnapshotError, StateHash};
use exchange::{
    ALICE, BOB, Exchange, limit,
    steps::{Step, exchange, steps},
};
use proptest::{prelude::*, strategy::ValueTree as _};
use protocol::{Side, event::Event};

fn written<B: Books>(engine: &Engine<B>) -> Vec<u8> {
    let mut content = Vec::new();
    engine.write_snapshot(&mut |bytes| content.extend_from_slice(bytes));
    content
}

fn read<B: Books>(content: &[u8]) -> Engine<B> {
    Engine::from_snapshot(content, 11).expect("what an engine wrote")
}

fn run(stream: &[Step]) {
    let mut straight: Exchange<LadderBooks> = exchange(false);
    let mut fast: Exchange<LadderBooks> = exchange(true);
    let mut naive: Exchange<NaiveBooks> = exchange(false);
    let mut orders = 0;
    for (index, step) in stream.iter().enumerate() {
        let now = step.time(straight.time);
        (straight.time, fast.time, naive.time) = (now, now, now);
        let command = step.command(orders, now);
        let did = straight.apply(&command);
        assert_eq!(did, fast.apply(&command), "{command:?}");
        assert_eq!(did, naive.apply(&command), "{command:?}");
        for event in &did.events {
            if let Event::OrderAccepted(accepted, ..) = event {
                orders = accepted.order_id.0;
            }
        }
        if index % 8 == 7 {
            let content = written(&fast.engine);
            assert!(content == written(&naive.engine), "content, never layout");
            assert_eq!(StateHash::of_snapshot(&content), fast.engine.state_hash());
            fast.engine = read(&content);
            assert!(content == written(&fast.engine), "read back and written again");
            let before = format!("{:?}", naive.engine);
            naive.engine = read(&content);
            let after = format!("{:?}", naive.engine);
            if before != after {
                let at = before.bytes().zip(after.bytes()).take_while(|(one, other)| one == other).count();
                let near = |text: &str| text[at.saturating_sub(200)..text.len().min(at + 200)].to_owned();
                panic!("not the same:\n{}\n{}", near(&before), near(&after));
            }
        }
    }
    fast.compare_projection();
    assert_eq!(fast.engine.state_hash(), straight.engine.state_hash());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]
    #[test]
    fn an_engine_goes_on_from_its_snapshot(stream in steps(300)) {
        run(&stream);
    }
}

/// A state with something in every part.
fn full() -> Vec<u8> {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut exchange: Exchange<NaiveBooks> = exchange::steps::exchange(false);
    let mut orders = 0;
    for _ in 0..60 {
        for step in steps(40).new_tree(&mut runner).expect("a stream").current() {
            exchange.time = step.time(exchange.time);
            let did = exchange.apply(&step.command(orders, exchange.time));
            orders +=
                did.events.iter().filter(|event| matches!(event, Event::OrderAccepted(..))).count() as u64;
        }
    }
    written(&exchange.engine)
}

#[test]
fn a_snapshot_cut_anywhere_or_with_something_after_it_is_refused() {
    let content = full();
    assert!(Engine::<NaiveBooks>::from_snapshot(&content, 0).is_ok());
    for length in 0..content.len() {
        let cut = Engine::<NaiveBooks>::from_snapshot(&content[..length], 0);
        assert!(cut.is_err(), "cut at {length} of {}", content.len());
    }
    let longer = [&content[..], &[0]].concat();
    let refused = Engine::<NaiveBooks>::from_snapshot(&longer, 0).err();
    assert_eq!(refused, Some(SnapshotError::Impossible { part: "end" }));
}

#[test]
fn another_version_is_named() {
    let mut content = full();
    content[..4].copy_from_slice(&(SNAPSHOT_VERSION + 1).to_le_bytes());
    let refused = Engine::<LadderBooks>::from_snapshot(&content, 0).err();
    assert_eq!(refused, Some(SnapshotError::Version { found: SNAPSHOT_VERSION + 1 }));
    content[..4].copy_from_slice(&SNAPSHOT_VERSION.to_le_bytes());
    content[4..8].copy_from_slice(&999_u32.to_le_bytes());
    let refused = Engine::<LadderBooks>::from_snapshot(&content, 0).err();
    assert_eq!(refused, Some(SnapshotError::Rules { found: 999 }));
}

#[test]
fn time_priority_survives_a_slice_that_went_to_the_back() {
    let mut exchange: Exchange<LadderBooks> = Exchange::new();
    for (account, quantity) in [(ALICE, 5), (BOB, 6), (ALICE, 7), (BOB, 8)] {
        exchange.place(limit(account, Side::Sell, 30, quantity));
    }
    exchange.place(limit(BOB, Side::Buy, 30, 2));
    let before = exchange.side(Side::Sell);
    exchange.engine = read(&written(&exchange.engine));
    assert_eq!(exchange.side(Side::Sell), before);
}
