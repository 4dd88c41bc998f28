//! What may break beneath and around a real `rialto serve`, and what is then seen, told by each test in
//! numbers: docs/verification/faults.md has the whole table. A fault that this machine does not let a test
//! make is told, and counted as ignored.

mod clock;
mod damage;
mod determinism;
mod disk;
mod halt;
mod journal;
mod kill;
mod overload;
mod points;
mod power;
mod room;
mod snapshot_points;
mod source;
mod stream;
mod sync_error;

use disk::Disk;
use libtest_mimic::{Arguments, Trial};
use std::{
    env,
    path::Path,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};
use tests::{
    client::Client,
    load::ACCOUNTS,
    program,
    server::{AMPLE_LIMITS, Server},
};

/// Small segments, so that little data crosses many ends, so many bytes kept free, and limits that no test
/// comes near.
fn small_segments(reserve_bytes: u64) -> String {
    format!(
        "journal_segment_bytes = 131072
event_segment_bytes = 131072
group_bytes = 65536
reserve_bytes = {reserve_bytes}
{AMPLE_LIMITS}"
    )
}

/// How long a test waits for what must happen. It is far above what anything takes.
const PATIENCE: Duration = Duration::from_mins(3);
/// Between two looks at something that has not happened yet.
const LOOK: Duration = Duration::from_millis(5);

/// What a test needs of the machine.
#[derive(Clone, Copy)]
enum Needs {
    /// Nothing that is not everywhere.
    Nothing,
    /// A small file system in memory.
    Memory,
    /// An ext4 on a file.
    Ext4,
}

impl Needs {
    /// Why it cannot be had here, if so.
    fn missing(self) -> Option<String> {
        let mounted = match self {
            Self::Nothing => return None,
            Self::Memory => Disk::in_memory(1),
            Self::Ext4 => Disk::ext4(8),
        };
        Some(format!("this machine does not let it mount a file system: {}", mounted.err()?))
    }
}

const TESTS: &[(&str, Needs, fn())] = &[
    ("kills_under_load_lose_duplicate_and_invent_nothing", Needs::Nothing, kill::under_load),
    ("a_first_start_killed_at_any_moment_is_finished_by_the_next", Needs::Nothing, kill::first_starts),
    ("kills_at_every_step_of_input_and_output_lose_nothing", Needs::Nothing, points::at_every_step),
    ("kills_at_every_step_of_a_snapshot_leave_whole_ones", Needs::Nothing, snapshot_points::at_every_step),
    ("power_cuts_under_load_lose_nothing_acknowledged", Needs::Ext4, power::under_load),
    ("a_sync_that_lies_is_seen_after_a_power_cut", Needs::Ext4, power::after_lying_syncs),
    ("a_full_disk_refuses_and_goes_on_when_there_is_room", Needs::Memory, room::is_full),
    ("a_failed_sync_ends_the_process_before_its_answer", Needs::Nothing, sync_error::one_by_one),
    ("a_failed_sync_under_load_loses_nothing_acknowledged", Needs::Nothing, sync_error::under_load),
    ("a_cut_journal_leaves_its_longest_whole_prefix", Needs::Nothing, damage::cut_tails),
    ("flipped_bits_are_found_and_nothing_is_touched", Needs::Nothing, damage::flipped_bits),
    ("a_command_that_breaks_an_invariant_halts_the_start", Needs::Nothing, halt::at_the_start),
    ("a_broken_invariant_halts_trading_before_anything_leaves", Needs::Nothing, halt::while_trading),
    ("a_source_with_an_old_database_stops_alone", Needs::Nothing, source::with_a_used_number),
    ("administration_with_an_old_database_stops_alone", Needs::Nothing, source::of_administration),
    ("a_wrong_clock_of_a_client_is_refused", Needs::Nothing, clock::of_a_client),
    ("a_clock_behind_the_journal_stops_the_start", Needs::Nothing, clock::of_the_machine),
    ("an_overload_is_refused_in_words_and_passes", Needs::Nothing, overload::is_refused),
    ("builds_and_processes_come_to_the_same_states", Needs::Nothing, determinism::of_builds_and_processes),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = TESTS.iter().map(|(name, needs, test)| {
        let missing = needs.missing();
        if let Some(reason) = &missing {
            println!("{name} is skipped: {reason}");
        }
        let trial = Trial::test(*name, || {
            test();
            Ok(())
        });
        trial.with_ignored_flag(missing.is_some())
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// A number that the environment may set.
fn from_environment(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number, not {text:?}")),
        Err(_) => default,
    }
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not in {PATIENCE:?}: {what}");
        thread::sleep(LOOK);
    }
}

/// Those of the accounts that trade.
fn clients(server: &Server) -> Vec<Client> {
    (1..=ACCOUNTS).map(|account| server.client(account)).collect()
}

/// The journal, applied again by a process of its own, makes the same events and state.
fn verify(data: &Path) {
    let data = data.to_str().expect("a temporary path is text");
    let report = program::run_json(["replay", "verify", data, "--json"]);
    assert_eq!(report["equal"], true, "{report}");
}
