//! The power fails under load, and while a snapshot is made: the data directory is on an ext4 that is shut down without its log being
//! written, so that only what was synced is there afterwards. A process that is killed keeps the page
//! cache, and would not show a sync that was forgotten; that this does is a test of its own.
//!
//! `RIALTO_POWER_ROUNDS` says how often (default 5), `RIALTO_KILL_SEED` from which random number.

use crate::{clients, disk::Disk, from_environment, kill::Seen, small_segments, verify};
use serde_json::Value;
use std::{
    fs::File, os::unix::process::ExitStatusExt as _, path::Path, sync::atomic::Ordering, thread,
    time::Duration,
};
use tests::{
    audit::{self, Found},
    client::Client,
    load::{Known, Load, Random, SYMBOL},
    server::Server,
    tracer::Tracer,
};
use ureq::http::Method;

/// At least and at most so many answers before the power fails.
const ANSWERS: (u64, u64) = (50, 600);
/// In MiB: room for snapshots and what they leave free.
const DISK: u64 = 512;
const ABORT: i32 = 6;

/// A planted fault: the journal's syncs say yes and do nothing.
const LYING: [&str; 4] = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:retval=0"];

pub fn under_load() {
    let rounds = from_environment("RIALTO_POWER_ROUNDS", 5);
    let mut random = Random::new(from_environment("RIALTO_KILL_SEED", u64::from(std::process::id())));
    let disk = Disk::ext4(DISK).expect("it could be mounted a moment ago");
    let data = disk.path().join("data");
    let load = Load::new(&disk.beside().join("acknowledged")).expect("the log can be made");
    let mut seen = Seen::default();
    let mut found = Found::default();
    let mut server = start(&disk, &data);
    for round in 1..=rounds {
        let before = load.answers.load(Ordering::Relaxed);
        let answers = random.between(ANSWERS.0, ANSWERS.1);
        let moment = Duration::from_micros(random.between(0, 40_000));
        let (traders, operator) = (clients(&server), server.operator());
        let status = load.trade(&traders, &format!("w{round}"), &mut random, || {
            load.wait_for(before + answers);
            let asked = thread::spawn(move || operator.ask(&Method::POST, "/admin/snapshots", &Value::Null));
            thread::sleep(moment);
            disk.cut_power();
            let _ = asked.join();
            server.ended()
        });
        // It has seen that a sync failed, and ended rather than ask again.
        assert_eq!(status.signal(), Some(ABORT), "{status}");
        drop(server);
        disk.power_on();
        server = Server::start(&data);
        seen.opened(server.opened_in);
        found = audit::audit(&clients(&server), &load.log());
        verify(&data);
        println!(
            "power: round {round}: cut after {} answers, the process ended with {status}; open again in {} ms; \
             {found}",
            load.answers.load(Ordering::Relaxed) - before,
            server.opened_in.as_millis(),
        );
    }
    seen.add(found);
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    verify(&data);
    println!("power: {rounds} power cuts under load: {}", seen.summary());
}

/// The test of the test: with syncs that lie, acknowledged orders are gone.
pub fn after_lying_syncs() {
    let disk = Disk::ext4(DISK).expect("it could be mounted a moment ago");
    let data = disk.path().join("data");
    let load = Load::new(&disk.beside().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(1);
    let mut server = start(&disk, &data);
    let trace = disk.beside().join("trace");
    let tracer = Tracer::attach_thread(&server, "rialto-sequence", &trace, &LYING);
    load.trade(&clients(&server), "l", &mut random, || {
        load.wait_for(ANSWERS.0);
        disk.cut_power();
        server.ended()
    });
    let lied = tracer.ended().iter().filter(|line| line.contains("INJECTED")).count();
    drop(server);
    disk.power_on();
    let server = Server::start(&data);
    let there = orders(&server);
    let acknowledged = load.log().iter().filter(|line| matches!(line.known, Known::Placed { .. })).count();
    assert!(
        there < acknowledged,
        "{acknowledged} acknowledged, {there} there: the test would not see a lost sync"
    );
    println!(
        "power: the test of the test: {lied} syncs said yes and did nothing; of {acknowledged} acknowledged orders \
         {there} are there after the power cut"
    );
}

/// Starts on a new disk. The settings are the test's own file, and so the test's to sync.
fn start(disk: &Disk, data: &Path) -> Server {
    let server = Server::start_with(data, &small_segments(0));
    let settings = File::open(disk.path().join("data.toml"));
    settings.and_then(|file| file.sync_all()).expect("the settings can be synced");
    server
}

/// How many orders the accounts have.
fn orders(server: &Server) -> usize {
    let all = |client: Client| {
        let parameters = [("symbol", SYMBOL), ("limit", "1000")];
        client.signed(&Method::GET, "/api/v3/allOrders", &parameters).expect("an account's own list")
    };
    clients(server).into_iter().map(all).filter_map(|list| list.as_array().map(Vec::len)).sum()
}
