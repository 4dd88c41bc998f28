//! `kill -9` under load by real clients, again and again: nothing acknowledged is lost, nothing is
//! there twice, nothing is there that was never sent, and the books balance. Starts are killed as well,
//! the first of an empty directory among them.
//!
//! `RIALTO_KILL_ROUNDS` says how often (default 20), `RIALTO_KILL_SEED` from which random number.

mod audit;
mod load;

use load::{Load, Random};
use std::{
    env,
    path::Path,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};
use tests::{client::Client, program, server::Server};

/// The accounts that trade.
const ACCOUNTS: usize = 3;
/// Threads of each account.
const THREADS: usize = 2;
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

fn from_environment(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number, not {text:?}")),
        Err(_) => default,
    }
}

#[test]
fn kills_under_load_lose_duplicate_and_invent_nothing() {
    let rounds = from_environment("RIALTO_KILL_ROUNDS", 20);
    let seed = from_environment("RIALTO_KILL_SEED", u64::from(std::process::id()));
    println!("{rounds} rounds; RIALTO_KILL_SEED={seed} repeats the choices");
    let mut random = Random::new(seed);
    let mut left = rounds;
    while left > 0 {
        let now = left.min(ROUNDS_OF_A_DIRECTORY);
        kill_again_and_again(rounds - left, now, &mut random);
        left -= now;
    }
}

/// The demonstration is made by many commands and files: wherever that stops, the next start goes on.
#[test]
fn a_first_start_killed_at_any_moment_is_finished_by_the_next() {
    for number in 0..FIRST_STARTS {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        Server::interrupted(&data, Duration::from_millis(number * LATER));
        let server = Server::start(&data);
        // Without any order, every account must have what the demonstration gives, and no more.
        audit::audit(&clients(&server), &[]);
        verify(&data);
    }
}

fn clients(server: &Server) -> Vec<Client> {
    (1..=ACCOUNTS).map(|account| server.client(account)).collect()
}

fn kill_again_and_again(done: u64, rounds: u64, random: &mut Random) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let load = Load::new(&directory.path().join("acknowledged")).expect("the log can be made");
    let start = |random: &mut Random| {
        for _ in 0..random.between(STARTS.0, STARTS.1) {
            Server::interrupted(&data, Duration::from_millis(random.between(LIFE.0, LIFE.1)));
        }
        Server::start(&data)
    };
    let mut server = start(random);
    for round in done + 1..=done + rounds {
        let before = load.answers.load(Ordering::Relaxed);
        let answers = random.between(ANSWERS.0, ANSWERS.1);
        thread::scope(|scope| {
            for account in 1..=ACCOUNTS {
                let client = server.client(account);
                for number in 0..THREADS {
                    let (client, mut random) = (client.clone(), random.branch());
                    let load = &load;
                    scope.spawn(move || {
                        load.run(account, &format!("r{round}t{number}"), &client, &mut random);
                    });
                }
            }
            load.wait_for(before + answers);
            // Anywhere between two answers, not just after one.
            let moment = Instant::now() + Duration::from_micros(random.between(0, 4_000));
            while Instant::now() < moment {
                std::hint::spin_loop();
            }
            server.kill();
        });
        server = start(random);
        let found = audit::audit(&clients(&server), &load.log());
        verify(&data);
        println!(
            "round {round}: killed after {} answers; open again in {} ms; {found}",
            load.answers.load(Ordering::Relaxed) - before,
            server.opened_in.as_millis(),
        );
    }
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    verify(&data);
}

/// The journal, applied again by a process of its own, makes the same events and state.
fn verify(data: &Path) {
    let data = data.to_str().expect("a temporary path is text");
    let report = program::run_json(["replay", "verify", data, "--json"]);
    assert_eq!(report["equal"], true, "{report}");
}
