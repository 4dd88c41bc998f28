//! Each process killed apart by `kill -9` under load, again and again, and frozen: of what was acknowledged
//! nothing is lost, and nothing is there twice, whichever gateway is asked.

use rustix::process::Signal;
use std::{
    path::Path,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};
use tests::{
    audit::{self, Found},
    client::Client,
    load::{ACCOUNTS, Load, Random},
    program,
    split::Split,
};

/// Kills of each kind.
const ROUNDS: u64 = 5;
/// Answers between two kills.
const ANSWERS: u64 = 150;
/// A gateway's client that waits longer is told that the fate of its order is not known.
const IN_TIME: Duration = Duration::from_secs(10);
/// How long a frozen process is frozen: the connection outlives the first, not the second.
const FREEZES: [Duration; 2] = [Duration::from_millis(700), Duration::from_millis(3_800)];

/// Each account's client, spread over the gateways from `first` on.
pub fn clients(split: &Split, first: usize) -> Vec<Client> {
    let gateways = split.gateways.len();
    (1..=ACCOUNTS).map(|account| split.client(account, (account + first) % gateways)).collect()
}

/// What the books of all gateways say of what the traders noted: the same.
pub fn audit(split: &Split, load: &Load) -> Found {
    let log = load.log();
    let mut found = Found::default();
    for first in 0..split.gateways.len() {
        found = audit::audit(&clients(split, first), &log);
    }
    found
}

/// The journal, applied again, makes the same events and state.
pub fn verify(data: &Path) {
    let report = program::run_json(["replay", "verify", data.to_str().expect("text"), "--json"]);
    assert_eq!(report["equal"], true, "{report}");
}

/// Waits until this gateway shows what the engine has.
pub fn caught_up(split: &mut Split) {
    let sequence = split.engine.ready()["sequence"].as_u64().expect("a sequence");
    for (gateway, _) in &mut split.gateways {
        gateway.wait_until(|status, body| status == 200 && body["views_sequence"].as_u64() >= Some(sequence));
    }
}

/// Who is back in time leaves nobody without an answer. `trouble` lasted so long, until everybody was
/// answered; a machine that has much else to do may need longer.
fn nobody_is_left_waiting(found: &Found, trouble: Duration) {
    if trouble < IN_TIME {
        assert_eq!(found.unanswered, 0, "without an answer after {trouble:?}");
    } else {
        println!("not back in time: {trouble:?}");
    }
}

#[test]
fn an_engine_killed_under_load_loses_and_doubles_nothing() {
    let mut split = Split::start(2);
    let load = Load::new(&split.directory().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(u64::from(std::process::id()));
    let (mut away, mut trouble) = (Duration::ZERO, Duration::ZERO);
    for round in 0..ROUNDS {
        let traders = clients(&split, 0);
        let start = load.trade(&traders, &format!("r{round}"), &mut random, || {
            load.wait_for(load.answers.load(Ordering::Relaxed) + ANSWERS);
            let start = Instant::now();
            split.engine.kill();
            split.engine.start();
            away += start.elapsed();
            // The same traders go on: their gateways were there all the time.
            load.wait_for(load.answers.load(Ordering::Relaxed) + ANSWERS);
            load.end();
            start
        });
        trouble = trouble.max(start.elapsed());
        caught_up(&mut split);
        let found = audit(&split, &load);
        println!("the engine killed, round {round}: {found}");
        nobody_is_left_waiting(&found, trouble);
    }
    split.engine.terminate();
    verify(&split.data());
    println!("the engine was back after {} ms on average", away.as_millis() / u128::from(ROUNDS));
}

#[test]
fn a_gateway_killed_under_load_loses_and_doubles_nothing() {
    let mut split = Split::start(2);
    let load = Load::new(&split.directory().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(u64::from(std::process::id()));
    for round in 0..ROUNDS as usize {
        let traders = clients(&split, round);
        load.trade(&traders, &format!("r{round}"), &mut random, || {
            load.wait_for(load.answers.load(Ordering::Relaxed) + ANSWERS);
            let (gateway, _) = &mut split.gateways[round % 2];
            gateway.kill();
            // Traders of the other one are not disturbed.
            load.wait_for(load.answers.load(Ordering::Relaxed) + ANSWERS);
            gateway.start();
            load.end();
        });
        caught_up(&mut split);
        println!("a gateway killed, round {round}: {}", audit(&split, &load));
    }
    split.engine.terminate();
    verify(&split.data());
}

#[test]
fn a_frozen_engine_is_waited_for_and_a_frozen_gateway_goes_on() {
    let mut split = Split::start(2);
    let load = Load::new(&split.directory().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(u64::from(std::process::id()));
    let mut trouble = Duration::ZERO;
    for (round, freeze) in FREEZES.into_iter().enumerate() {
        for engine in [true, false] {
            let traders = clients(&split, round);
            let start = load.trade(&traders, &format!("r{round}{engine}"), &mut random, || {
                load.wait_for(load.answers.load(Ordering::Relaxed) + ANSWERS);
                let frozen = if engine { &split.engine } else { &split.gateways[0].0 };
                let start = Instant::now();
                frozen.signal(Signal::STOP);
                thread::sleep(freeze);
                frozen.signal(Signal::CONT);
                load.wait_for(load.answers.load(Ordering::Relaxed) + ANSWERS);
                load.end();
                start
            });
            trouble = trouble.max(start.elapsed());
            caught_up(&mut split);
            let found = audit(&split, &load);
            println!("{} frozen for {freeze:?}: {found}", if engine { "the engine" } else { "a gateway" });
            nobody_is_left_waiting(&found, trouble);
        }
    }
    split.engine.terminate();
    verify(&split.data());
}

#[test]
fn a_killed_database_does_not_stop_trading() {
    let mut split = Split::start(2);
    let load = Load::new(&split.directory().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(u64::from(std::process::id()));
    let traders = clients(&split, 0);
    load.trade(&traders, "p", &mut random, || {
        load.wait_for(ANSWERS);
        split.postgres.kill();
        load.wait_for(2 * ANSWERS);
        split.postgres.start_again();
        load.wait_for(3 * ANSWERS);
        load.end();
    });
    caught_up(&mut split);
    let found = audit(&split, &load);
    println!("the database killed: {found}");
    assert_eq!((found.unanswered, load.refusals.load(Ordering::Relaxed)), (0, 0));
}
