//! What breaks beneath the pipeline, and what is then seen: power, sync, room, clock.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use engine_journal::SimulatedStorage;
use engine_runtime::pipeline::{Clock, Exchange, Options};
use protocol::{AccountId, Sequence, SourceNumber, Time, command::Command, reject::Outcome};
use services::{CommandPort, EngineState, EngineStatus, HaltReason, PendingAnswer, SubmitError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use support::{FIRST_CUSTOMER, GATEWAY, Seen, ask, flow, options, set_up, stop};

/// Options whose abort only remembers why.
fn remembering(options: Options) -> (Options, Arc<Mutex<Vec<String>>>) {
    let aborts = Arc::new(Mutex::new(Vec::new()));
    let reasons = Arc::clone(&aborts);
    let abort = Arc::new(move |reason: &str| reasons.lock().unwrap().push(reason.to_owned()));
    (Options { abort, ..options }, aborts)
}

fn open(storage: &SimulatedStorage, options: Options, seen: &Seen) -> Exchange {
    Exchange::open(storage.clone(), options, vec![Box::new(seen.clone())]).unwrap()
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_any_change() {
    let mut all = 0;
    for seed in 0..60 {
        let storage = SimulatedStorage::new();
        let seen = Seen::default();
        let (options, _) = remembering(Options { journal_segment_bytes: 16 << 10, ..options() });
        let exchange = open(&storage, options.clone(), &seen);
        let port = exchange.port(GATEWAY);
        set_up(&port, 2);
        storage.power_off_after(1 + seed);
        let pending: Vec<_> =
            (0..400).map_while(|index| port.submit(&flow(FIRST_CUSTOMER, index), 0).ok()).collect();
        let acknowledged: Vec<_> = pending.into_iter().filter_map(|answer| answer.wait().ok()).collect();
        drop(exchange);
        storage.crash(seed);
        let again = Seen::default();
        let options = Options { status: Arc::default(), ..options };
        let exchange = open(&storage, options, &again);
        let last = acknowledged.last().map_or(Sequence(0), |answer| answer.sequence);
        assert!(exchange.recovered() >= last, "seed {seed}: {last} acknowledged, {exchange:?}");
        assert!(again.bytes().starts_with(&seen.bytes()), "seed {seed}: a consumer saw what did not stay");
        stop(exchange);
        all += acknowledged.len();
    }
    println!("60 power cuts: {all} acknowledged, 0 lost, no consumer saw what did not stay");
}

#[test]
fn a_failed_sync_aborts_and_nothing_of_its_batch_leaves() {
    for nth in 1..=5 {
        let storage = SimulatedStorage::new();
        let seen = Seen::default();
        let (options, aborts) = remembering(options());
        let exchange = open(&storage, options, &seen);
        let port = exchange.port(GATEWAY);
        set_up(&port, 1);
        let before = storage.syncs();
        storage.fail_sync(nth);
        for index in 1..nth {
            assert_eq!(ask(&port, &flow(FIRST_CUSTOMER, index)).outcome, Outcome::Done);
        }
        let last = exchange.status().durable_sequence();
        let lost = port.submit(&flow(FIRST_CUSTOMER, nth), 0).unwrap();
        assert_eq!(lost.wait().unwrap_err(), SubmitError::Unknown);
        assert_eq!(port.submit(&Command::Tick, 0).unwrap_err(), SubmitError::Closed);
        drop(exchange);
        let reasons = aborts.lock().unwrap();
        assert!(reasons.len() == 1 && reasons[0].contains("sync"), "{reasons:?}");
        assert_eq!(storage.syncs() - before, nth, "no second call");
        assert_eq!(seen.last(), last);
    }
}

#[test]
fn without_room_commands_are_refused_and_with_room_it_goes_on() {
    // The journal keeps a reserve free: it runs out while the event log does not. Without one the
    // event log runs out, as it has more to write.
    for (reserve_bytes, room) in [(1 << 30, 512 << 20), (0, 400 << 10)] {
        let storage = SimulatedStorage::new();
        let seen = Seen::default();
        let options = Options { journal_segment_bytes: 16 << 10, reserve_bytes, ..options() };
        let exchange = open(&storage, options.clone(), &seen);
        let port = exchange.port(GATEWAY);
        set_up(&port, 2);
        storage.set_room(Some(room));
        let mut index = 0;
        let mut pending: Vec<PendingAnswer> = Vec::new();
        loop {
            match port.submit(&flow(FIRST_CUSTOMER, index), 0) {
                Ok(answer) => pending.push(answer),
                Err(SubmitError::NoRoom) => break,
                Err(SubmitError::Overloaded) => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
            index += 1;
        }
        assert_eq!(exchange.status().state(), EngineState::NoRoom);
        storage.set_room(None);
        let next = loop {
            match port.submit(&flow(AccountId(FIRST_CUSTOMER.0 + 1), index), 0) {
                Ok(answer) => break answer,
                Err(SubmitError::NoRoom) => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(next.wait().unwrap().outcome, Outcome::Done, "numbers have no gap");
        assert_eq!(exchange.status().state(), EngineState::Open);
        let answers: Vec<_> = pending.into_iter().map(PendingAnswer::wait).collect();
        let done = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
        assert!(answers.iter().all(|answer| !matches!(answer, Err(error) if *error != SubmitError::NoRoom)));
        assert_eq!(port.next_number(), SourceNumber(9 + done + 2), "refused commands used no number");
        let hash = stop(exchange);
        let again = Seen::default();
        let exchange = open(&storage, Options { status: Arc::default(), ..options }, &again);
        assert_eq!(stop(exchange), hash);
        assert_eq!(again.bytes(), seen.bytes());
    }
}

struct SetClock {
    utc: AtomicU64,
}

impl Clock for SetClock {
    fn utc(&self) -> Time {
        Time(self.utc.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> u64 {
        7
    }
}

#[test]
fn a_clock_that_jumps_halts_trading() {
    let storage = SimulatedStorage::new();
    let clock = Arc::new(SetClock { utc: AtomicU64::new(1_000_000_000_000) });
    let shared: Arc<dyn Clock> = Arc::<SetClock>::clone(&clock);
    let exchange = open(&storage, Options { clock: shared, ..options() }, &Seen::default());
    let port = exchange.port(GATEWAY);
    set_up(&port, 1);
    clock.utc.fetch_add(10_000_000_000, Ordering::Relaxed);
    assert_eq!(ask(&port, &flow(FIRST_CUSTOMER, 1)).time, Time(1_000_000_000_000), "no time has passed");
    clock.utc.fetch_add(1, Ordering::Relaxed);
    let refused = port.submit(&flow(FIRST_CUSTOMER, 2), 0).unwrap().wait();
    assert_eq!(refused.unwrap_err(), SubmitError::Closed);
    let reason = HaltReason::ClockJump { nanoseconds: 10_000_000_001 };
    assert_eq!(exchange.status().state(), EngineState::Halted(reason));
    assert_eq!(port.submit(&Command::Tick, 0).unwrap_err(), SubmitError::Closed);
    stop(exchange);
}
