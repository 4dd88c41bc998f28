//! An exchange without threads does what one with threads does, step by step: each step says what it
//! lacks, and nothing leaves before the sync.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use engine_journal::SimulatedStorage;
use engine_runtime::pipeline::{
    CoreLacks, EgressLacks, Exchange, Options, SequencerLacks, Step, SteppedExchange,
};
use protocol::{Sequence, command::Command, reject::Outcome};
use services::{CommandPort, EngineState, EngineStatus, PendingAnswer, SubmitError};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use support::{FIRST_CUSTOMER, GATEWAY, Seen, flow, options, set_up, stop};

fn open(storage: &SimulatedStorage, seen: &Seen) -> SteppedExchange<SimulatedStorage> {
    let inspected = Exchange::inspect(storage.clone(), Options { status: Arc::default(), ..options() });
    inspected.unwrap().open_stepped(vec![Box::new(seen.clone())]).unwrap()
}

fn poll(pending: &mut PendingAnswer) -> Poll<Result<services::Answer, SubmitError>> {
    Pin::new(pending).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn each_part_says_what_it_lacks_and_an_answer_comes_after_all_three() {
    let exchange = open(&SimulatedStorage::new(), &Seen::default());
    assert_eq!(exchange.step_sequencer(), Step::Waits(SequencerLacks::Command));
    assert_eq!(exchange.step_core(), Step::Waits(CoreLacks::Group));
    assert_eq!(exchange.step_egress(), Step::Waits(EgressLacks::Release));
    let mut pending = exchange.port(GATEWAY).submit(&Command::Tick, 0).unwrap();
    assert_eq!(exchange.step_egress(), Step::Waits(EgressLacks::Release));
    assert_eq!(exchange.step_core(), Step::Waits(CoreLacks::Group));
    assert_eq!(exchange.step_sequencer(), Step::Worked);
    let status = exchange.status();
    assert_eq!((status.durable_sequence(), status.core_sequence()), (Sequence(1), Sequence(0)));
    assert_eq!(exchange.step_egress(), Step::Waits(EgressLacks::Release));
    assert!(poll(&mut pending).is_pending(), "on disk, not applied");
    assert_eq!(exchange.step_core(), Step::Worked);
    assert_eq!(status.core_sequence(), Sequence(1));
    assert!(poll(&mut pending).is_pending(), "not let out");
    assert_eq!(exchange.step_egress(), Step::Worked);
    assert!(matches!(poll(&mut pending), Poll::Ready(Ok(answer)) if answer.outcome == Outcome::Done));
    let stopped = exchange.stop();
    assert_eq!(stopped.engine.unwrap().sequence(), Sequence(1));
    assert_eq!((stopped.consumers.len(), status.state()), (1, EngineState::Stopping));
}

#[test]
fn the_sequencer_lacks_a_group_while_the_core_is_behind_and_the_core_a_buffer_while_the_egress_is() {
    let exchange = open(&SimulatedStorage::new(), &Seen::default());
    let port = exchange.port(GATEWAY);
    let mut pending = Vec::new();
    let mut submit = || pending.push(port.submit(&Command::Tick, 0).unwrap());
    while {
        submit();
        exchange.step_sequencer() == Step::Worked
    } {}
    assert_eq!(exchange.step_sequencer(), Step::Waits(SequencerLacks::Group));
    let mut applied = 0;
    loop {
        match exchange.step_core() {
            Step::Worked => applied += 1,
            Step::Waits(CoreLacks::Group) => {
                submit();
                assert_eq!(exchange.step_sequencer(), Step::Worked);
            }
            Step::Waits(CoreLacks::Buffer) => break,
            Step::Finished => panic!("nobody has closed it"),
        }
    }
    assert!(applied >= 64, "{applied}");
    assert_eq!(exchange.step_egress(), Step::Worked);
    assert_eq!(exchange.step_core(), Step::Worked);
    exchange.stop();
    assert!(pending.iter_mut().all(|pending| matches!(poll(pending), Poll::Ready(Ok(_)))));
}

#[test]
fn what_is_dropped_is_as_a_process_that_ended_and_threads_go_on_from_it() {
    let storage = SimulatedStorage::new();
    let seen = Seen::default();
    let options = Options { status: Arc::default(), ..options() };
    let exchange = Exchange::open(storage.clone(), options.clone(), vec![Box::new(seen.clone())]).unwrap();
    set_up(&exchange.port(GATEWAY), 1);
    stop(exchange);

    let stepped = open(&storage, &Seen::default());
    let port = stepped.port(GATEWAY);
    let mut pending: Vec<_> =
        (0..50).map(|index| port.submit(&flow(FIRST_CUSTOMER, index), 0).unwrap()).collect();
    assert_eq!(stepped.step_sequencer(), Step::Worked);
    assert_eq!(stepped.step_core(), Step::Worked);
    let hash = stepped.with_engine(engine_core::Engine::state_hash).unwrap();
    drop(stepped);
    assert_eq!(port.submit(&Command::Tick, 0).unwrap_err(), SubmitError::Closed);
    drop(port);
    assert!(
        pending.iter_mut().all(|pending| matches!(poll(pending), Poll::Ready(Err(SubmitError::Unknown))))
    );

    let again = Seen::default();
    let options = Options { status: Arc::default(), ..options };
    let exchange = Exchange::open(storage, options, vec![Box::new(again.clone())]).unwrap();
    assert_eq!(exchange.recovered(), Sequence(6 + 50));
    assert!(again.bytes().starts_with(&seen.bytes()));
    assert_eq!(stop(exchange), hash);
}
