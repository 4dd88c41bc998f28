//! The pipeline in a process of its own, killed at any time, or with a disk that takes its time.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use engine_runtime::pipeline::Exchange;
use protocol::{AccountId, event::ChunkHeader, reject::Outcome};
use services::{CommandPort, EventConsumer};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use support::{FIRST_CUSTOMER, GATEWAY, Seen, ask, flow, options, set_up, stop};

/// Which part of this file a child process runs, and its data directory.
const CHILD: &str = "RIALTO_TEST_CHILD";
const DIRECTORY: &str = "RIALTO_TEST_DIRECTORY";

/// This test program again, as `part`.
fn as_child(mut program: Process, part: &str, directory: &Path) -> Process {
    program
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, part)
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped());
    program
}

/// Not a test of its own: what the children run. Elsewhere it passes at once.
#[test]
fn child() {
    let Ok(part) = std::env::var(CHILD) else { return };
    let directory = PathBuf::from(std::env::var(DIRECTORY).unwrap());
    match part.as_str() {
        "trade" => trade(&directory),
        "time" => time(&directory),
        part => panic!("no part is called {part}"),
    }
}

/// Trades until it is killed, with a synced line for each acknowledgement.
fn trade(directory: &Path) {
    let exchange = Exchange::open_directory(directory, options(), Vec::new()).unwrap();
    let port = exchange.port(GATEWAY);
    if exchange.recovered().0 == 0 {
        set_up(&port, 2);
    }
    let mut log = OpenOptions::new().create(true).append(true).open(directory.join("acknowledged")).unwrap();
    let mut index = exchange.recovered().0;
    loop {
        // Some together, so that a kill finds groups of several commands.
        let pending: Vec<_> = (0..=index % 16)
            .map(|_| {
                index += 1;
                let account = AccountId(FIRST_CUSTOMER.0 + (index % 2) as u32);
                port.submit(&flow(account, index), 0).unwrap()
            })
            .collect();
        for answer in pending {
            let answer = answer.wait().unwrap();
            assert_eq!(answer.outcome, Outcome::Done);
            log.write_all(format!("{} {}\n", answer.sequence, answer.result).as_bytes()).unwrap();
        }
        log.sync_data().unwrap();
        println!("acknowledged");
    }
}

fn acknowledged(directory: &Path) -> BTreeMap<u64, u64> {
    let Ok(file) = File::open(directory.join("acknowledged")) else { return BTreeMap::new() };
    let lines: Vec<_> = BufReader::new(file).lines().map(Result::unwrap).collect();
    // The last line may have been cut by the kill.
    let parse = |line: &String| {
        let (sequence, result) = line.split_once(' ')?;
        Some((sequence.parse().ok()?, result.parse().ok()?))
    };
    lines.iter().filter_map(parse).collect()
}

#[test]
fn kills_under_load_lose_duplicate_and_invent_nothing() {
    const ROUNDS: usize = 10;
    let directory = tempfile::tempdir().unwrap();
    for round in 0..ROUNDS {
        let program = Process::new(std::env::current_exe().unwrap());
        let mut process = as_child(program, "trade", directory.path()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        for _ in 0..3 + round * 7 {
            while lines.next().unwrap().unwrap() != "acknowledged" {}
        }
        process.kill().unwrap();
        process.wait().unwrap();

        let seen = Seen::default();
        let exchange =
            Exchange::open_directory(directory.path(), options(), vec![Box::new(seen.clone())]).unwrap();
        let recovered = exchange.recovered().0;
        stop(exchange);
        let headers: Vec<ChunkHeader> = seen.0.lock().unwrap().headers.clone();
        let ended: BTreeMap<u64, &ChunkHeader> = headers
            .iter()
            .filter(|header| header.last == 1)
            .map(|header| (header.sequence.0, header))
            .collect();
        assert_eq!(ended.len() as u64, recovered);
        for (sequence, result) in acknowledged(directory.path()) {
            let header = ended.get(&sequence);
            let found = header.is_some_and(|header| header.result == result && header.code == 0);
            assert!(found, "round {round}: {sequence} was acknowledged with {result}: {header:?}");
        }
        let numbers: BTreeSet<u64> = ended.values().map(|header| header.number.0).collect();
        assert_eq!(numbers, (1..=recovered).collect(), "each number once, and none that was not sent");
    }
    assert!(acknowledged(directory.path()).len() > 100);
}

/// Measures from submission to the consumer's sight, and to the answer, in milliseconds.
fn time(directory: &Path) {
    let (saw, sight) = mpsc::channel();
    let exchange = Exchange::open_directory(directory, options(), vec![Box::new(Sight(saw))]).unwrap();
    let port = exchange.port(GATEWAY);
    for _ in 0..5 {
        let start = Instant::now();
        ask(&port, &protocol::command::Command::Tick);
        let answered = start.elapsed().as_millis();
        let seen: Duration = sight.recv().unwrap() - start;
        println!("seen {} answered {answered}", seen.as_millis());
    }
}

struct Sight(mpsc::Sender<Instant>);

impl EventConsumer for Sight {
    fn consume(&mut self, _: &[u8]) {
        self.0.send(Instant::now()).unwrap();
    }
}

/// Each sync is held back for 300 ms before it begins: whatever is seen earlier is seen too early.
#[test]
fn nothing_leaves_before_its_sync_has_returned() {
    if Process::new("strace").arg("-V").output().is_err() {
        eprintln!("SKIPPED: this test needs strace, which is not installed");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut strace = Process::new("strace");
    let traced = directory.path().join("trace");
    strace.args(["-f", "-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=300000", "-o"]);
    strace.arg(&traced).arg(std::env::current_exe().unwrap());
    let output = as_child(strace, "time", directory.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let times: Vec<u128> = text
        .lines()
        .filter(|line| line.contains("answered"))
        .flat_map(|line| line.split(' ').filter_map(|word| word.parse().ok()).collect::<Vec<u128>>())
        .collect();
    assert_eq!(times.len(), 10, "{text}");
    assert!(times.iter().all(|time| *time >= 300), "seen or answered before the sync: {text}");
    assert!(std::fs::read_to_string(traced).unwrap().contains("DELAYED"), "nothing was delayed");
}
