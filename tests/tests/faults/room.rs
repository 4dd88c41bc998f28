//! The disk is full: orders are refused in clear words and nothing is acknowledged, until there is room;
//! then it goes on by itself, and what was acknowledged is all there.

use crate::{clients, disk::Disk, kill::Seen, verify};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};
use tests::{
    audit,
    client::ClientError,
    load::{Load, Random},
    program,
    server::Server,
};
use ureq::http::Method;

/// In MiB.
const DISK: u64 = 48;
/// So many answers come before the disk fills, and again after there is room.
const ANSWERS: u64 = 200;
/// So many orders are tried while it is full.
const TRIES: u64 = 50;
const PATIENCE: Duration = Duration::from_mins(1);

pub fn is_full() {
    // What is left is less than the journal's reserve, and enough for the event log.
    fill("the journal", 8 << 20, 4 << 20);
    // Nothing is left: the event log stops first, as it allocates as it goes.
    fill("the event log", 0, 0);
}

/// Trades while the disk is filled so that so many bytes are left, and while it has room again.
fn fill(what: &str, reserve: u64, left: u64) {
    let disk = Disk::in_memory(DISK).expect("it could be mounted a moment ago");
    let data = disk.path().join("data");
    let load = Load::new(&disk.beside().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(u64::from(std::process::id()));
    let settings =
        format!("{}reserve_bytes = {reserve}\n", crate::SMALL_SEGMENTS.replace("reserve_bytes = 0\n", ""));
    let server = Server::start_with(&data, &settings);
    let traders = clients(&server);
    let filler = disk.path().join("filler");
    let (refused, state) = load.trade(&traders, "f", &mut random, || {
        load.wait_for(ANSWERS);
        fill_with(&filler, left);
        until("there is no room", || server.readiness().1["status"] == "NO_ROOM");
        let state = server.readiness();
        // What came before the doors closed is answered, refused or waits by the end of these.
        let refused = refusal(&server);
        try_again_and_again(&server, &refused);
        let answers = load.answers.load(Ordering::Relaxed);
        try_again_and_again(&server, &refused);
        assert_eq!(load.answers.load(Ordering::Relaxed), answers, "acknowledged on a full disk");
        fs::remove_file(&filler).expect("the filler can be removed");
        load.wait_for(answers + ANSWERS);
        load.end();
        (refused, state)
    });
    assert_eq!((state.0, &state.1["status"]), (503, &"NO_ROOM".into()), "{state:?}");
    let ClientError::Refused { status: 503, code: -1008, message } = &refused else { panic!("{refused}") };
    assert!(message.contains("no room"), "{message}");
    let mut seen = Seen::default();
    seen.add(audit::audit(&clients(&server), &load.log()));
    let said = server.log();
    let lines =
        [format!("no room for {what}: commands are refused"), format!("there is room for {what} again")];
    assert!(lines.iter().all(|line| said.contains(line)), "{said}");
    let snapshot = server.operator().ask(&Method::POST, "/admin/snapshots", &Value::Null);
    let (status, no_snapshot) = snapshot.expect("administration answers");
    assert_eq!(status, 503, "a snapshot leaves more free than this disk has: {no_snapshot}");
    assert!(no_snapshot.to_string().contains("no room on disk for the snapshot"), "{no_snapshot}");
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    verify(&data);
    let hash = state_hash(&data);
    let server = Server::start(&data);
    seen.opened(server.opened_in);
    drop(server);
    assert_eq!(state_hash(&data), hash);
    println!(
        "room: a snapshot is refused ({}); a disk of {DISK} MiB without room for {what}: {} orders refused ({refused}), 0 acknowledged meanwhile; \
         it went on by itself once there was room: {}; state hash equal",
        no_snapshot["error"],
        2 * TRIES + 1 + load.refusals.load(Ordering::Relaxed),
        seen.summary()
    );
}

/// Takes all the room but so many bytes.
fn fill_with(path: &Path, left: u64) {
    let mut file = File::create(path).expect("a file can be made");
    let block = vec![0x5a; 4_096];
    let mut written = 0_u64;
    while file.write_all(&block).is_ok() {
        written += block.len() as u64;
    }
    file.set_len(written.saturating_sub(left)).expect("a file can be made shorter");
}

fn try_again_and_again(server: &Server, refused: &ClientError) {
    for _ in 0..TRIES {
        assert_eq!(refusal(server).to_string(), refused.to_string());
    }
}

/// What one trader is told.
fn refusal(server: &Server) -> ClientError {
    let order = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("quantity", "0.001"),
        ("price", "40000"),
    ];
    server.client(1).signed(&Method::POST, "/api/v3/order", &order).expect_err("there is no room")
}

fn until(what: &str, happened: impl Fn() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < PATIENCE, "not yet: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn state_hash(data: &Path) -> String {
    let data = data.to_str().expect("a temporary path is text");
    let state = program::run_json(["replay", "state", data, "--json"]);
    state["state_hash"].as_str().expect("a hash").to_owned()
}
