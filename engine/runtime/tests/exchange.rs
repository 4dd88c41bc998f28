//! The whole pipeline on real files: everything is answered, a restart is the same state, repeats get
//! their outcome, what is due ends, and what is too much is refused.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use engine_journal::{EventLogWriter, FileStorage};
use engine_runtime::pipeline::{Durability, Exchange, OpenError, Options, RecordError};
use protocol::{
    AccountId, OrderId, Reject, Sequence, Side, SourceNumber, Time,
    command::{ActivateRules, Command, CommandHeader, ResumeSource},
    event::{Event, EventChunk, SourceResumed},
    order::CloseReason,
    reject::Outcome,
};
use services::{CommandPort, EngineState, EngineStatus, EventConsumer, SubmitError};
use std::fs;
use std::sync::mpsc;
use std::time::{SystemTime, UNIX_EPOCH};
use support::{
    ADMINISTRATION, FIRST_CUSTOMER, GATEWAY, Seen, ask, expiring_order, flow, options, order, set_up, stop,
};

fn open(directory: &std::path::Path, seen: &Seen) -> Exchange {
    Exchange::open_directory(directory, options(), vec![Box::new(seen.clone())]).unwrap()
}

#[test]
fn many_producers_are_all_answered_and_a_restart_is_the_same_state() {
    const PRODUCERS: u32 = 4;
    const ORDERS: u64 = 5_000;
    let directory = tempfile::tempdir().unwrap();
    let seen = Seen::default();
    let exchange = open(directory.path(), &seen);
    set_up(&exchange.port(GATEWAY), PRODUCERS);
    std::thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            // Two of them share a port.
            let port = exchange.port(protocol::SourceId(3 + producer / 2));
            scope.spawn(move || {
                let account = AccountId(FIRST_CUSTOMER.0 + producer);
                let mut pending = Vec::new();
                let mut index = 0;
                while index < ORDERS {
                    match port.submit(&flow(account, index), 0) {
                        Ok(answer) => pending.push(answer),
                        Err(SubmitError::Overloaded) => {
                            std::thread::yield_now();
                            continue;
                        }
                        Err(error) => panic!("{error}"),
                    }
                    index += 1;
                }
                for answer in pending {
                    let answer = answer.wait().unwrap();
                    assert_eq!(answer.outcome, Outcome::Done);
                    assert!(matches!(answer.events().next(), Some(Event::OrderAccepted(..))));
                }
            });
        }
    });
    let commands = 3 + u64::from(PRODUCERS) * (3 + ORDERS);
    let status = exchange.status();
    assert_eq!((status.core_sequence().0, status.durable_sequence().0), (commands, commands));
    assert_eq!(status.state(), EngineState::Open);
    let hash = stop(exchange);
    assert_eq!(status.state(), EngineState::Stopping);

    let again = Seen::default();
    let exchange = open(directory.path(), &again);
    assert_eq!(exchange.recovered().0, commands);
    assert!(again.0.lock().unwrap().live);
    assert_eq!(seen.bytes(), again.bytes(), "a consumer sees the same after a restart");
    let next = exchange.port(protocol::SourceId(3)).next_number();
    assert_eq!(next, SourceNumber(2 * ORDERS + 1), "numbers go on");
    assert_eq!(stop(exchange), hash);
}

#[test]
fn a_repeat_gets_its_outcome_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let seen = Seen::default();
    let exchange = open(directory.path(), &seen);
    set_up(&exchange.port(GATEWAY), 1);
    let record = order(FIRST_CUSTOMER, Side::Buy, 5, 3, "mine").encode(ADMINISTRATION, SourceNumber(1), 9);
    let first = exchange.port(ADMINISTRATION).resend(&record).unwrap().wait().unwrap();
    let repeat = exchange.port(ADMINISTRATION).resend(&record).unwrap().wait().unwrap();
    assert_eq!((first.outcome, first.result), (Outcome::Done, 1));
    assert_eq!((repeat.outcome, repeat.result), (Outcome::Done, 1));
    assert_eq!((first.events().count(), repeat.events().count()), (1, 0));
    stop(exchange);
    let exchange = open(directory.path(), &seen);
    let repeat = exchange.port(ADMINISTRATION).resend(&record).unwrap().wait().unwrap();
    assert_eq!((repeat.outcome, repeat.result), (Outcome::Done, 1));

    let port = exchange.port(ADMINISTRATION);
    let foreign = Command::Tick.encode(GATEWAY, SourceNumber(2), 0);
    assert!(matches!(port.resend(&foreign), Err(RecordError::ForeignSource { .. })));
    for length in 0..record.len() {
        assert_eq!(port.resend(&record[..length]).unwrap_err(), RecordError::Unreadable, "{length}");
    }
}

#[test]
fn a_damaged_record_is_not_taken() {
    let directory = tempfile::tempdir().unwrap();
    let exchange = open(directory.path(), &Seen::default());
    set_up(&exchange.port(GATEWAY), 1);
    let before = exchange.status().core_sequence();
    let port = exchange.port(ADMINISTRATION);
    let record = order(FIRST_CUSTOMER, Side::Buy, 5, 3, "mine").encode(ADMINISTRATION, SourceNumber(1), 9);
    for bit in size_of::<CommandHeader>() * 8..record.len() * 8 {
        let mut damaged = record.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let refused = port.resend(&damaged).unwrap_err();
        assert_eq!(refused, RecordError::Damaged { number: SourceNumber(1) }, "bit {bit}");
    }
    assert_eq!(exchange.status().core_sequence(), before);
    assert_eq!(port.resend(&record).unwrap().wait().unwrap().outcome, Outcome::Done);
}

#[test]
fn a_stopped_source_stays_stopped_until_it_is_resumed() {
    let directory = tempfile::tempdir().unwrap();
    let seen = Seen::default();
    let exchange = open(directory.path(), &seen);
    let send = |exchange: &Exchange, number, version| {
        let command = Command::ActivateRules(ActivateRules { version, reserved: 0 });
        let record = command.encode(ADMINISTRATION, SourceNumber(number), 0);
        exchange.port(ADMINISTRATION).resend(&record).unwrap().wait().unwrap().outcome
    };
    let resume = Command::ResumeSource(ResumeSource { source: ADMINISTRATION, reserved: 0 });
    assert_eq!(send(&exchange, 1, 1), Outcome::Done);
    assert_eq!(ask(&exchange.port(GATEWAY), &resume).result, 0, "it was not stopped");
    assert_eq!(send(&exchange, 1, 0), Outcome::Refused(Reject::SourceStopped));
    let stopped = stop(exchange);

    let exchange = open(directory.path(), &seen);
    assert_eq!(send(&exchange, 2, 1), Outcome::Refused(Reject::SourceStopped), "after a restart too");
    let own = resume.encode(ADMINISTRATION, SourceNumber(2), 0);
    let own = exchange.port(ADMINISTRATION).resend(&own).unwrap().wait().unwrap().outcome;
    assert_eq!(own, Outcome::Refused(Reject::SourceStopped), "not by itself");
    let resumed = ask(&exchange.port(GATEWAY), &resume);
    assert_eq!((resumed.outcome, resumed.result), (Outcome::Done, 2));
    let event = SourceResumed { source: ADMINISTRATION, reserved: 0, next: SourceNumber(2) };
    assert_eq!(resumed.events().collect::<Vec<_>>(), [Event::SourceResumed(event)]);
    assert_ne!(stop(exchange), stopped, "the hash says which sources are stopped");

    let exchange = open(directory.path(), &seen);
    assert_eq!((send(&exchange, 1, 1), send(&exchange, 2, 1)), (Outcome::Done, Outcome::Done));
}

/// The answer to a command is not that to another one which came under its number meanwhile.
#[test]
fn another_command_under_a_number_that_is_not_answered_waits_and_then_stops_its_source() {
    let directory = tempfile::tempdir().unwrap();
    let (gate_opener, gate) = mpsc::channel();
    let exchange = Exchange::open_directory(directory.path(), options(), vec![Box::new(Gate(gate))]).unwrap();
    let port = exchange.port(ADMINISTRATION);
    let record = |command: Command| command.encode(ADMINISTRATION, SourceNumber(1), 0);
    let rules = record(Command::ActivateRules(ActivateRules { version: 1, reserved: 0 }));
    let first = port.resend(&record(Command::Tick)).unwrap();
    assert_eq!(port.resend(&rules).unwrap_err(), RecordError::Submit(SubmitError::Overloaded));
    drop(gate_opener);
    assert_eq!(first.wait().unwrap().outcome, Outcome::Done);
    let stopped = port.resend(&rules).unwrap().wait().unwrap().outcome;
    assert_eq!(stopped, Outcome::Refused(Reject::SourceStopped));
}

/// Whatever a source may have unanswered it may send again: also the oldest, with all the others
/// applied after it.
#[test]
fn the_oldest_unanswered_command_can_be_sent_again() {
    let directory = tempfile::tempdir().unwrap();
    let (gate_opener, gate) = mpsc::channel();
    let exchange = Exchange::open_directory(directory.path(), options(), vec![Box::new(Gate(gate))]).unwrap();
    let port = exchange.port(ADMINISTRATION);
    let record = |number| Command::Tick.encode(ADMINISTRATION, SourceNumber(number), 0);
    let mut pending = Vec::new();
    let refused = loop {
        match port.resend(&record(pending.len() as u64 + 1)) {
            Ok(answer) => pending.push(answer),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, RecordError::Submit(SubmitError::Overloaded));
    drop(gate_opener);
    exchange.stop();
    // Nobody was told: after a restart all of them come again.
    let exchange = open(directory.path(), &Seen::default());
    let port = exchange.port(ADMINISTRATION);
    let count = pending.len() as u64;
    let again: Vec<_> = (1..=count).map(|number| port.resend(&record(number)).unwrap()).collect();
    for (answer, number) in again.into_iter().zip(1..) {
        assert_eq!(answer.wait().unwrap().outcome, Outcome::Done, "{number} of {count}");
    }
}

#[test]
fn what_is_due_ends_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let (closed, closes) = mpsc::channel();
    let exchange =
        Exchange::open_directory(directory.path(), options(), vec![Box::new(Closes(closed))]).unwrap();
    let port = exchange.port(GATEWAY);
    set_up(&port, 1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    for later in [40_000_000, 20_000_000] {
        assert_eq!(ask(&port, &expiring_order(FIRST_CUSTOMER, Time(now + later))).outcome, Outcome::Done);
    }
    for order_id in [OrderId(2), OrderId(1)] {
        assert_eq!(closes.recv().unwrap(), (order_id, CloseReason::TimeReached));
    }
    let engine = exchange.stop().engine.unwrap();
    assert_eq!(engine.next_expiry(), None);
    assert!(engine.sequence().0 <= 6 + 2 + 2, "no more ticks than needed: {}", engine.sequence());
}

struct Closes(mpsc::Sender<(OrderId, CloseReason)>);

impl EventConsumer for Closes {
    fn consume(&mut self, chunks: &[u8]) {
        for event in EventChunk::all(chunks).flat_map(|chunk| chunk.unwrap().events().collect::<Vec<_>>()) {
            if let Event::OrderClosed(order, _) = event.unwrap() {
                self.0.send((order.order_id, order.reason)).unwrap();
            }
        }
    }
}

/// Lets nothing pass until it is told to.
struct Gate(mpsc::Receiver<()>);

impl EventConsumer for Gate {
    fn consume(&mut self, _: &[u8]) {
        // An error says that the test goes on without it.
        let _ = self.0.recv();
    }
}

#[test]
fn a_full_ring_is_a_refusal_that_uses_no_number() {
    let directory = tempfile::tempdir().unwrap();
    let (open, gate) = mpsc::channel();
    let options = Options { ring_slots: 64, ..options() };
    let exchange = Exchange::open_directory(directory.path(), options, vec![Box::new(Gate(gate))]).unwrap();
    let port = exchange.port(GATEWAY);
    let mut pending = Vec::new();
    let refused = loop {
        match port.submit(&Command::Tick, 0) {
            Ok(answer) => pending.push(answer),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, SubmitError::Overloaded);
    let taken = pending.len() as u64;
    drop(open);
    for answer in pending {
        assert_eq!(answer.wait().unwrap().outcome, Outcome::Done);
    }
    assert_eq!(port.next_number(), SourceNumber(taken + 1));
    assert_eq!(ask(&port, &Command::Tick).outcome, Outcome::Done);
}

#[test]
fn a_command_of_many_events_passes_through_few_buffers() {
    const ORDERS: u64 = 60_000;
    let directory = tempfile::tempdir().unwrap();
    let seen = Seen::default();
    let exchange = open(directory.path(), &seen);
    let port = exchange.port(GATEWAY);
    set_up(&port, 2);
    let maker = FIRST_CUSTOMER;
    let taker = AccountId(FIRST_CUSTOMER.0 + 1);
    let mut pending = Vec::new();
    let mut placed = 0;
    while placed < ORDERS {
        if let Ok(answer) = port.submit(&order(maker, Side::Sell, 5, 1, ""), 0) {
            pending.push(answer);
            placed += 1;
        } else {
            pending.drain(..).for_each(|answer| _ = answer.wait().unwrap());
        }
    }
    pending.drain(..).for_each(|answer| _ = answer.wait().unwrap());
    let answer = ask(&port, &order(taker, Side::Buy, 5, ORDERS, ""));
    assert_eq!(answer.outcome, Outcome::Done);
    let trades = answer.events().filter(|event| matches!(event, Event::Trade(_))).count() as u64;
    assert_eq!(trades, ORDERS);
    assert!(answer.chunks.len() > 64 * 64 * 1024, "more than all buffers hold: {}", answer.chunks.len());
    let hash = stop(exchange);
    let again = Seen::default();
    let exchange = open(directory.path(), &again);
    assert_eq!(stop(exchange), hash);
    assert_eq!(seen.last(), again.last());
}

#[test]
fn an_event_log_that_is_gone_or_cut_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let seen = Seen::default();
    let exchange = open(directory.path(), &seen);
    let port = exchange.port(GATEWAY);
    set_up(&port, 2);
    for index in 0..500 {
        assert_eq!(ask(&port, &flow(FIRST_CUSTOMER, index)).outcome, Outcome::Done);
    }
    let hash = stop(exchange);
    let storage = FileStorage::new(directory.path());
    let end = EventLogWriter::inspect(storage.clone()).unwrap().last_sequence();
    let events = directory.path().join("events");
    let segment = fs::read_dir(&events).unwrap().next().unwrap().unwrap().path();
    let length = fs::metadata(&segment).unwrap().len();
    for kept in [Some(length - 1), Some(length / 2), Some(1), Some(0), None] {
        match kept {
            Some(kept) => fs::OpenOptions::new().write(true).open(&segment).unwrap().set_len(kept).unwrap(),
            None => fs::remove_dir_all(&events).unwrap(),
        }
        let again = Seen::default();
        assert_eq!(stop(open(directory.path(), &again)), hash, "kept {kept:?}");
        assert_eq!(EventLogWriter::inspect(storage.clone()).unwrap().last_sequence(), end, "kept {kept:?}");
        assert_eq!(again.bytes(), seen.bytes());
    }
}

#[test]
fn without_durability_all_is_answered_and_nothing_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let seen = Seen::default();
    let options = || Options { durability: Durability::Off, ..options() };
    let consumers = || -> Vec<Box<dyn EventConsumer>> { vec![Box::new(seen.clone())] };
    let storage = FileStorage::new(directory.path());
    let exchange = Exchange::open(storage.clone(), options(), consumers()).unwrap();
    let port = exchange.port(GATEWAY);
    set_up(&port, 1);
    let pending: Vec<_> =
        (0..500).map(|index| port.submit(&flow(FIRST_CUSTOMER, index), 0).unwrap()).collect();
    for answer in pending {
        let answer = answer.wait().unwrap();
        assert_eq!(answer.outcome, Outcome::Done);
        assert!(seen.last() >= answer.sequence, "consumers see it first");
    }
    let status = exchange.status();
    assert_eq!(status.durable_sequence(), status.core_sequence());
    let last = status.core_sequence();
    let engine = exchange.stop().engine.unwrap();
    assert_eq!(engine.sequence(), last);
    engine.audit().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "no file was made");
    let exchange = Exchange::open(storage, options(), consumers()).unwrap();
    assert_eq!(exchange.recovered(), Sequence(0));
    let port = exchange.port(GATEWAY);
    assert_eq!(port.next_number(), SourceNumber(1));
    set_up(&port, 1);
}

#[test]
fn one_process_at_a_time_and_nothing_after_the_stop() {
    let directory = tempfile::tempdir().unwrap();
    let seen = Seen::default();
    let exchange = open(directory.path(), &seen);
    let second = Exchange::open_directory(directory.path(), options(), Vec::new());
    assert!(matches!(second, Err(OpenError::Lock(_))));
    let port = exchange.port(GATEWAY);
    let answer = port.submit(&Command::Tick, 0).unwrap();
    drop(exchange);
    assert_eq!(answer.wait().unwrap().outcome, Outcome::Done, "what was taken is finished");
    assert_eq!(port.submit(&Command::Tick, 0).unwrap_err(), SubmitError::Closed);
    let refused = ask(&open(directory.path(), &seen).port(GATEWAY), &flow(FIRST_CUSTOMER, 1));
    assert_eq!(refused.outcome, Outcome::Refused(Reject::UnknownAccount));
}
