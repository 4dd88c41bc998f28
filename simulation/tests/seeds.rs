//! Seeds that find nothing, faults that are found, and that a seed is always the same history.

#![allow(clippy::unwrap_used, reason = "tests")]

use simulation::{PlantedFault, Summary, run};

/// About a minute of one processor.
const SEEDS: u64 = 3_000;

/// Seeds that have found something, each with what it was. What they found has a test of its own where it
/// was mended, because a simulation that draws otherwise makes another world of the same seed.
const KEPT: &[(u64, &str)] = &[
    (1_459, "before snapshots: the answer to a command was given to another one under the same number"),
    (20_950, "before snapshots: the same, with the first command sent three times"),
    (4_091, "before snapshots: the simulated disk brought an old file back under a name not durable yet"),
    (34_023, "before snapshots: the witness held what nobody was told of for durable"),
    (28, "a start that could not succeed cut the event log before it said so"),
    (235, "segments left the journal though the event log had not got as far as the oldest snapshot"),
    (248, "the only snapshot that could be gone on from had rotted"),
    (509, "a failed sync of the event log was forgotten over a restart"),
];

#[test]
fn seeds_find_nothing() {
    let mut total = Summary::default();
    for seed in 1..=SEEDS {
        match run(seed, None, false) {
            Ok(summary) => total.add(&summary),
            Err(violation) => panic!("seed {seed}: {}; again: {}", violation.what, violation.reproduce(None)),
        }
    }
    println!("{SEEDS} seeds: {total}");
    // A simulation in which nothing happens finds nothing.
    assert!(total.power_cuts > SEEDS && total.kills > SEEDS, "{total}");
    assert!(total.rot_refused > SEEDS / 8 && total.snapshots > SEEDS, "{total}");
    assert!(total.trades > 10 * SEEDS, "{total}");
}

#[test]
fn seeds_that_have_found_something_find_nothing_now() {
    for (seed, found) in KEPT {
        run(*seed, None, false).unwrap_or_else(|violation| panic!("{found}: {violation:?}"));
    }
}

#[test]
fn a_seed_is_always_the_same_history() {
    for seed in 1..=40 {
        assert_eq!(run(seed, None, false), run(seed, None, false), "seed {seed}");
    }
    let found = |seed| run(seed, Some(PlantedFault::NoSync), false);
    assert!((1..=40).all(|seed| found(seed) == found(seed)), "what is found is the same too");
}

/// Within so many seeds.
const WITHIN: u64 = 100;

fn is_found(fault: PlantedFault) {
    let found = (1..=WITHIN).find_map(|seed| run(seed, Some(fault), false).err());
    let Some(violation) = found else { panic!("{} is not found within {WITHIN} seeds", fault.name()) };
    println!("{} is found after {} of {WITHIN} seeds: {}", fault.name(), violation.seed, violation.what);
}

#[test]
fn a_forgotten_sync_is_found() {
    is_found(PlantedFault::NoSync);
}

#[test]
fn an_answer_before_the_sync_is_found() {
    is_found(PlantedFault::EarlyAnswer);
}

#[test]
fn a_dropped_release_is_found() {
    is_found(PlantedFault::DroppedRelease);
}

#[test]
fn a_torn_group_that_is_accepted_is_found() {
    is_found(PlantedFault::TornGroup);
}
