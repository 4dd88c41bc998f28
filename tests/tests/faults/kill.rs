//! `kill -9` under load by real clients, again and again: nothing acknowledged is lost, nothing is
//! there twice, nothing is there that was never sent, and the books balance. Starts are killed as well,
//! the first of an empty directory among them, and snapshots that are being made.
//!
//! `RIALTO_KILL_ROUNDS` says how often (default 20), `RIALTO_KILL_SEED` from which random number.

use crate::{clients, from_environment, verify};
use serde_json::Value;
use std::{
    path::Path,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};
use tests::{
    audit::{self, Found},
    load::{Load, Random},
    server::Server,
};
use ureq::http::Method;

/// A directory is killed so often; then the next one is new, since what an account's own views keep
/// is bounded.
const ROUNDS_OF_A_DIRECTORY: u64 = 20;
/// So many starts in a row are themselves killed, each within so many milliseconds.
const STARTS: (u64, u64) = (0, 2);
const LIFE: (u64, u64) = (0, 100);
/// First starts that are killed, each one later than the one before, by so many milliseconds.
const FIRST_STARTS: u64 = 25;
const LATER: u64 = 6;
/// At least and at most so many answers before a kill.
const ANSWERS: (u64, u64) = (50, 400);
/// A snapshot is begun before one kill in so many, and so many microseconds before it at most.
const SNAPSHOTS: u64 = 3;
const SNAPSHOT_TIME: u64 = 40_000;

pub fn under_load() {
    let rounds = from_environment("RIALTO_KILL_ROUNDS", 20);
    let seed = from_environment("RIALTO_KILL_SEED", u64::from(std::process::id()));
    println!("kill: {rounds} rounds; RIALTO_KILL_SEED={seed} repeats the choices");
    let mut random = Random::new(seed);
    let mut seen = Seen::default();
    let mut left = rounds;
    while left > 0 {
        let now = left.min(ROUNDS_OF_A_DIRECTORY);
        seen.kill_again_and_again(rounds - left, now, &mut random);
        left -= now;
    }
    println!("kill: {rounds} kills under load: {}", seen.summary());
}

/// The demonstration is made by many commands and files: wherever that stops, the next start goes on.
pub fn first_starts() {
    let mut opened = Vec::new();
    for number in 0..FIRST_STARTS {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        Server::interrupted(&data, Duration::from_millis(number * LATER));
        let server = Server::start(&data);
        // Without any order, every account must have what the demonstration gives, and no more.
        audit::audit(&clients(&server), &[]);
        verify(&data);
        opened.push(server.opened_in);
    }
    println!(
        "kill: {FIRST_STARTS} first starts killed after 0 to {} ms, each finished by the next: {}",
        (FIRST_STARTS - 1) * LATER,
        times(&mut opened)
    );
}

/// What several rounds have shown.
#[derive(Default)]
pub struct Seen {
    acknowledgements: usize,
    trades: usize,
    unanswered: usize,
    opened: Vec<Duration>,
}

impl Seen {
    /// What the audit of a directory found that is used no more.
    pub fn add(&mut self, found: Found) {
        self.acknowledgements += found.acknowledgements;
        self.trades += found.trades;
        self.unanswered += found.unanswered;
    }

    /// A start took so long.
    pub fn opened(&mut self, in_: Duration) {
        self.opened.push(in_);
    }

    /// The audit stops at the first thing that is not as it must be: whoever gets here has seen none.
    pub fn summary(&mut self) -> String {
        let Self { acknowledgements, trades, unanswered, opened } = self;
        format!(
            "of {acknowledgements} acknowledgements 0 lost and 0 there twice; 0 orders invented, {unanswered} orders \
             without an answer are there or not; {trades} trades have two sides each and every balance adds up; {}",
            times(opened)
        )
    }

    fn kill_again_and_again(&mut self, done: u64, rounds: u64, random: &mut Random) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let load = Load::new(&directory.path().join("acknowledged")).expect("the log can be made");
        let mut server = start(&data, random);
        let mut found = Found::default();
        for round in done + 1..=done + rounds {
            let before = load.answers.load(Ordering::Relaxed);
            let answers = random.between(ANSWERS.0, ANSWERS.1);
            let snapshot = random.between(1, SNAPSHOTS) == 1;
            let moment =
                Duration::from_micros(random.between(0, if snapshot { SNAPSHOT_TIME } else { 4_000 }));
            let (traders, operator) = (clients(&server), server.operator());
            let made = load.trade(&traders, &format!("r{round}"), random, || {
                load.wait_for(before + answers);
                let snapshot = snapshot.then(|| {
                    thread::spawn(move || operator.ask(&Method::POST, "/admin/snapshots", &Value::Null))
                });
                // Anywhere between two answers, not just after one.
                let moment = Instant::now() + moment;
                while Instant::now() < moment {
                    std::hint::spin_loop();
                }
                server.kill();
                snapshot.map(|asked| asked.join().expect("who asks does not panic").is_some())
            });
            server = start(&data, random);
            self.opened(server.opened_in);
            found = audit::audit(&clients(&server), &load.log());
            verify(&data);
            println!(
                "kill: round {round}: killed after {} answers{}; open again in {} ms; {found}",
                load.answers.load(Ordering::Relaxed) - before,
                match made {
                    None => "",
                    Some(false) => " and within a snapshot",
                    Some(true) => " and after a snapshot",
                },
                server.opened_in.as_millis(),
            );
        }
        self.add(found);
        let (status, _) = server.terminate();
        assert!(status.success(), "{status}");
        verify(&data);
    }
}

/// Starts a server, now and then after starts that were themselves killed.
fn start(data: &Path, random: &mut Random) -> Server {
    for _ in 0..random.between(STARTS.0, STARTS.1) {
        Server::interrupted(data, Duration::from_millis(random.between(LIFE.0, LIFE.1)));
    }
    Server::start(data)
}

/// Median and worst.
fn times(opened: &mut [Duration]) -> String {
    opened.sort_unstable();
    let (Some(median), Some(worst)) = (opened.get(opened.len() / 2), opened.last()) else {
        return "never opened again".to_owned();
    };
    format!("open again in {} ms (median), {} ms (worst)", median.as_millis(), worst.as_millis())
}
