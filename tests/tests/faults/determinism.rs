//! The same commands in several processes and in two builds: one without optimisation, in which every
//! overflow and every assertion is checked, and the one that trades. State and events are compared by their
//! hashes after every 10,000 commands.

use std::{env, path::PathBuf, process::Command, time::Instant};

const COMMANDS: u64 = 100_000;
const EVERY: u64 = 10_000;

pub fn of_builds_and_processes() {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for (build, hash_seed) in [("release", 1), ("release", 2), ("debug", 3)] {
        let start = Instant::now();
        let output = Command::new(program(build))
            .args([COMMANDS.to_string(), hash_seed.to_string()])
            .output()
            .expect("the example can be started");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{build}: {}: {said}", output.status);
        let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        assert_eq!(lines.len() as u64, COMMANDS / EVERY, "{build}: {lines:?}");
        println!(
            "determinism: {build} build, tables by seed {hash_seed}: {COMMANDS} commands in {} ms",
            start.elapsed().as_millis()
        );
        all.push((build.to_owned(), lines));
    }
    let (_, first) = &all[0];
    for (build, lines) in &all {
        assert_eq!(lines, first, "{build}");
    }
    let hash = |line: &str| line.split(' ').nth(1).unwrap_or_default().to_owned();
    let different: std::collections::BTreeSet<String> = first.iter().map(|line| hash(line)).collect();
    assert_eq!(different.len(), first.len(), "the state changes");
    println!(
        "determinism: {} hashes of state and of events are equal in {} processes; the last: {}",
        first.len(),
        all.len(),
        first.last().map(String::as_str).unwrap_or_default()
    );
}

/// The example of this build, beside the tests' own.
fn program(build: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    // target/release/deps/test -> target/debug/examples/state_hashes, wherever the target directory is.
    let target = test.ancestors().nth(3).expect("a test is built into target/<profile>/deps");
    let program = target.join(build).join("examples/state_hashes");
    assert!(program.is_file(), "{} is not built; run tests/setup.sh first", program.display());
    program
}
