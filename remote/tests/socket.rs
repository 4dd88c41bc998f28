//! A real engine behind its server, and gateways that lose their connections to it: nothing is lost,
//! nothing happens twice, and what cannot be is refused in words.
#![allow(clippy::unwrap_used, reason = "tests")]

mod engine;

use engine::{Engine, GRACE, PATIENCE, SECRET, account_of, secret};
use protocol::{
    SourceId, SourceNumber,
    command::{Command, OpenAccount},
    reject::Outcome,
};
use remote::{Frame, GoodbyeReason, RemoteError, Secret};
use services::{CommandPort as _, EngineState, EngineStatus as _, SubmitError};
use tokio::time::timeout;

const SOURCE: SourceId = SourceId(16);
const OTHER: SourceId = SourceId(17);

fn open_account() -> Command {
    Command::OpenAccount(OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] })
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_answered_with_their_events_in_order() {
    let engine = Engine::start().await;
    let gateway = engine.gateway(SOURCE, engine.address);
    gateway.is_up().await;
    let mut last = 0;
    for number in 1..=50 {
        let answer = gateway.port.submit(&open_account(), number).unwrap().await.unwrap();
        assert_eq!((answer.outcome, account_of(&answer)), (Outcome::Done, answer.result));
        assert!(answer.result > last, "accounts are numbered in order");
        last = answer.result;
    }
    assert_eq!(gateway.port.state(), EngineState::Open);
    gateway.has_seen(50).await;
    assert_eq!(engine.next_number(SOURCE), 51);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_at_any_byte_lose_and_double_nothing() {
    let engine = Engine::start().await;
    let broken = engine.breaking_way().await;
    let gateway = engine.gateway(SOURCE, broken.address);
    let mut accounts = Vec::new();
    let mut refused = 0;
    for round in 0..30_u64 {
        gateway.is_up().await;
        // The way breaks after some bytes, in the middle of the commands.
        broken.after(37 + round * 211);
        let pending: Vec<_> =
            (0..200).map_while(|trace| gateway.port.submit(&open_account(), trace).ok()).collect();
        for answer in pending {
            match answer.await {
                Ok(answer) => accounts.push(account_of(&answer)),
                // Said only of what was never taken.
                Err(SubmitError::Closed) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(broken.breaks() >= 25, "{} breaks", broken.breaks());
    let made = engine.accounts();
    assert_eq!(accounts.len() as u64, made, "each answered command happened once, and no other did");
    accounts.sort_unstable();
    accounts.dedup();
    assert_eq!(accounts.len() as u64, made, "no account was told twice");
    println!("{} breaks; {made} accounts opened and as many told, {refused} refused", broken.breaks());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_comes_again_happens_once() {
    let engine = Engine::start().await;
    let record = open_account().encode(SOURCE, SourceNumber(1), 5);
    for time in 0..3 {
        let mut raw = engine.raw(SOURCE, 9, time == 0, &secret()).await.unwrap();
        assert_eq!(raw.welcome.next.0, if time == 0 { 1 } else { 2 });
        raw.send(&Frame::Command(record.clone())).await;
        engine.has_published(time + 1).await;
    }
    assert_eq!((engine.accounts(), engine.next_number(SOURCE)), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_life_goes_on_from_the_engines_count() {
    let engine = Engine::start().await;
    for life in 0..3 {
        let gateway = engine.gateway(SOURCE, engine.address);
        gateway.is_up().await;
        gateway.port.submit(&open_account(), 1).unwrap().await.unwrap();
        assert_eq!(engine.next_number(SOURCE), life + 2);
        gateway.end().await;
    }
    assert_eq!(engine.accounts(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_do_not_disturb_each_other() {
    let engine = Engine::start().await;
    let gateways = [SOURCE, OTHER].map(|source| engine.gateway(source, engine.address));
    for gateway in &gateways {
        gateway.is_up().await;
    }
    let pending: Vec<_> = (0..100)
        .flat_map(|trace| gateways.iter().map(move |one| one.port.submit(&open_account(), trace).unwrap()))
        .collect();
    for answer in pending {
        assert_eq!(answer.await.unwrap().outcome, Outcome::Done);
    }
    assert_eq!([SOURCE, OTHER].map(|source| engine.next_number(source)), [101, 101]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_away_too_long_is_told_what_was_not_taken() {
    let engine = Engine::start().await;
    let way = engine.breaking_way().await;
    let gateway = engine.gateway(SOURCE, way.address);
    gateway.is_up().await;
    way.close();
    let pending = gateway.port.submit(&open_account(), 1);
    // From when it has noticed on it is away.
    gateway.sees(EngineState::Unreachable).await;
    tokio::time::sleep(GRACE * 3).await;
    assert_eq!(gateway.port.submit(&open_account(), 2).err(), Some(SubmitError::Closed));
    way.open();
    // It was on its way when the way closed, or it was refused at once.
    let told = match pending {
        Ok(pending) => pending.await.err(),
        Err(error) => Some(error),
    };
    assert_eq!(told, Some(SubmitError::Closed));
    gateway.is_up().await;
    gateway.port.submit(&open_account(), 3).unwrap().await.unwrap();
    assert_eq!(engine.accounts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_does_not_belong_is_turned_away_in_words() {
    let engine = Engine::start().await;
    let wrong = Secret::new(&"x".repeat(32)).unwrap();
    let gateway = engine.gateway_with(SOURCE, engine.address, wrong);
    // The engine proves itself first: who has another secret learns it from that.
    let error = timeout(PATIENCE, gateway.connection).await.unwrap().unwrap();
    assert!(matches!(error, RemoteError::Stranger { .. }), "{error}");
    let gateway = engine.gateway(SourceId(2), engine.address);
    let error = timeout(PATIENCE, gateway.connection).await.unwrap().unwrap();
    assert!(error.to_string().contains("gateway_sources"), "{error}");
    for (life, first) in [(1, true), (2, true)] {
        drop(engine.raw(SOURCE, life, first, &secret()).await.unwrap());
    }
    let goodbye = engine.raw(SOURCE, 1, false, &secret()).await.err().unwrap();
    assert_eq!(goodbye.reason, GoodbyeReason::Replaced, "{goodbye}");
    assert!(SECRET.len() >= 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_ends_its_own_connection_alone() {
    let engine = Engine::start().await;
    let gateway = engine.gateway(SOURCE, engine.address);
    gateway.is_up().await;
    for bytes in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[0xff; 64], &[0, 0, 0, 0, 1, 0, 0, 0], &[]] {
        engine.send_nonsense(bytes).await;
    }
    let mut raw = engine.raw(OTHER, 1, true, &secret()).await.unwrap();
    raw.send(&Frame::Command(vec![7; 48])).await;
    assert_eq!(raw.goodbye().await.reason, GoodbyeReason::Broken);
    let mut raw = engine.raw(OTHER, 1, false, &secret()).await.unwrap();
    raw.send(&Frame::Command(open_account().encode(OTHER, SourceNumber(5), 0))).await;
    let goodbye = raw.goodbye().await;
    assert!(goodbye.text.contains("command 5 came where 1 must be"), "{goodbye}");
    let mut raw = engine.raw(OTHER, 1, false, &secret()).await.unwrap();
    raw.send(&Frame::Command(open_account().encode(SOURCE, SourceNumber(1), 0))).await;
    let goodbye = raw.goodbye().await;
    assert!(goodbye.text.contains("source 16"), "{goodbye}");
    gateway.port.submit(&open_account(), 1).unwrap().await.unwrap();
    assert_eq!(engine.accounts(), 1);
}
