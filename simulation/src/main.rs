//! `rialto-sim`: runs seeds of the simulation, and one in detail. Refuses to know what a seed does.

use anyhow::ensure;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use simulation::{PlantedFault, Summary, Violation, run};
use std::process::ExitCode;
use std::time::Instant;

/// Runs the production pipeline in one thread, over a disk and a clock that fail as a seed says, and
/// audits what is left.
///
/// Exit status: 0 nothing was found, 1 a seed found something, 2 it could not be done.
#[derive(Debug, Parser)]
#[command(name = "rialto-sim", after_help = "Example: rialto-sim --seeds 10000 --from 1")]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// This one alone.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Prints what happens, a line each.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Plants a fault, to see it found.
    #[arg(long, value_name = "NAME")]
    fault: Option<PlantedFault>,
    /// Goes on after a seed that found something.
    #[arg(long)]
    keep_going: bool,
    /// Prints one JSON value.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    // What a panic said is a violation, or a halt of the exchange; it is told there.
    std::panic::set_hook(Box::new(|_| {}));
    match simulate(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("rialto-sim: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn simulate(arguments: &Arguments) -> anyhow::Result<bool> {
    let (from, count) = arguments.seed.map_or((arguments.from, arguments.seeds), |seed| (seed, 1));
    ensure!(from.checked_add(count).is_some(), "seeds end at 2^64: take a lower --from");
    let bar = if arguments.trace || arguments.json { ProgressBar::hidden() } else { ProgressBar::new(count) };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {per_sec}, {eta} left")?);
    let start = Instant::now();
    let mut total = Summary::default();
    let mut violations: Vec<Violation> = Vec::new();
    let mut ran = 0;
    for seed in from..from + count {
        ran += 1;
        match run(seed, arguments.fault, arguments.trace) {
            Ok(summary) => total.add(&summary),
            Err(violation) => {
                if !arguments.json {
                    bar.suspend(|| print_violation(&violation, arguments.fault));
                }
                violations.push(violation);
                if !arguments.keep_going {
                    break;
                }
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();
    let rate = (f64::from(u32::try_from(ran)?) / seconds).round() as u64;
    if arguments.json {
        let found: Vec<_> = violations
            .iter()
            .map(|violation| {
                let reproduce = violation.reproduce(arguments.fault);
                json!({"seed": violation.seed, "what": violation.what, "reproduce": reproduce})
            })
            .collect();
        let summary = json!({
            "seeds": ran, "from": from, "seconds": seconds, "seeds_per_second": rate, "violations": found,
            "lives": total.lives, "power_cuts": total.power_cuts, "kills": total.kills,
            "snapshots": total.snapshots, "rot_refused": total.rot_refused, "rot_harmless": total.rot_harmless,
            "answers": total.answers, "commands": total.commands, "trades": total.trades,
        });
        println!("{summary}");
    } else {
        println!(
            "{ran} seeds from {from} in {seconds:.1} s, {rate} seeds per second: {} violations",
            violations.len()
        );
        println!("{total}");
    }
    Ok(violations.is_empty())
}

fn print_violation(violation: &Violation, fault: Option<PlantedFault>) {
    println!("seed {}: {}", violation.seed, violation.what);
    println!("    again: {}", violation.reproduce(fault));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_shows_a_violation_again_is_understood() {
        let violation = Violation { seed: 77, what: String::new() };
        for fault in PlantedFault::ALL.map(Some).into_iter().chain([None]) {
            let line = violation.reproduce(fault);
            let arguments = Arguments::try_parse_from(line.split(' ')).expect("a line it understands");
            assert_eq!((arguments.seed, arguments.trace, arguments.fault), (Some(77), true, fault));
        }
    }
}
