//! No record leaves before its command's sync has returned: each sync is held back for 300 ms before it
//! begins, so whatever is seen earlier is seen too early.

use crate::{
    exchange::{Part, child, runtime},
    reading::{open, publish},
    shared_broker,
};
use protocol::Sequence;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    time::{Duration, Instant},
};

/// As long as each sync is held back.
const DELAY: Duration = Duration::from_millis(300);
const ROUNDS: u64 = 5;

pub fn waits_for_the_sync() {
    let options = shared_broker("delivery");
    let directory = tempfile::tempdir().expect("a temporary directory");
    // The market is set up without delays, and published.
    let first = publish(&options, directory.path(), 500);
    let inject = format!("inject=fdatasync:delay_enter={}", DELAY.as_micros());
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", &inject, "--"];
    let mut child = child(Part::Step, &strace, &options, directory.path());
    let mut input = child.stdin.take().expect("it is piped");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    assert_eq!(lines.next().expect("the child speaks").expect("a line"), "ready");
    runtime().block_on(async {
        let mut stream = open(&options, first).await;
        for round in 0..ROUNDS {
            let start = Instant::now();
            writeln!(input, "one").expect("the child listens");
            let batch = stream.next().await.expect("its record comes");
            let after = start.elapsed();
            println!("round {round}: command {} was read after {} ms", batch.last, after.as_millis());
            assert_eq!(batch.last, Sequence(first.0 + 1 + round));
            assert!(after >= DELAY, "its sync had not begun");
            assert_eq!(lines.next().expect("the child answers").expect("a line"), batch.last.to_string());
        }
    });
    drop(input);
    child.wait().expect("a child can be waited for");
}
