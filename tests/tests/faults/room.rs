//! The disk is full: orders are refused in clear words and nothing is acknowledged, until there is room;
//! then it goes on by itself, and what was acknowledged is all there.

use crate::{clients, disk::Disk, kill::Seen, small_segments, until, verify};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::atomic::Ordering,
};
use tests::{
    audit,
    client::ClientError,
    load::{Load, Random},
    order::place_limit,
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
    let server = Server::start_with(&data, &small_segments(reserve));
    let traders = clients(&server);
    let filler = disk.path().join("filler");
    let (refused, state) = load.trade(&traders, "f", &mut random, || {
        load.wait_for(ANSWERS);
        fill_with(&filler, left);
        until("there is no room", || server.readiness().1["status"] == "NO_ROOM");
        let state = server.readiness();
        let refused = refusal(&server);
        let answers = || load.answers.load(Ordering::Relaxed);
        // What came before the doors closed was answered, was refused or waits, and a trader may take a while
        // to write its answer down; traders whose orders were taken all the time would never stand still.
        until("nothing is acknowledged on a full disk", || {
            let before = answers();
            try_again_and_again(&server, &refused);
            answers() == before
        });
        fs::remove_file(&filler).expect("the filler can be removed");
        load.wait_for(answers() + ANSWERS);
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
        "room: a snapshot is refused ({}); a disk of {DISK} MiB without room for {what}: at least {} orders refused ({refused}), 0 acknowledged meanwhile; \
         it went on by itself once there was room: {}; state hash equal",
        no_snapshot["error"],
        TRIES + 1 + load.refusals.load(Ordering::Relaxed),
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
    place_limit(&server.client(1), ["BUY", "0.001", "40000"], &[]).expect_err("there is no room")
}

fn state_hash(data: &Path) -> String {
    let data = data.to_str().expect("a temporary path is text");
    let state = program::run_json(["replay", "state", data, "--json"]);
    state["state_hash"].as_str().expect("a hash").to_owned()
}
