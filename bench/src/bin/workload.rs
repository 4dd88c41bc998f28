//! Writes a generated order stream to a file: `workload OUT MIX SYMBOLS RESTING COMMANDS SCALE SEED`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use bench::workload::{Mix, Specification, generate};
use clap::Parser;

/// Writes a generated order stream, the same bytes for the same arguments.
///
/// Example: workload s1_1k std 1 1000 5000000 1 42
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Arguments {
    /// File to write
    out: PathBuf,
    /// Proportions of commands
    mix: Mix,
    /// Instruments
    symbols: u16,
    /// Orders to keep resting, all instruments together
    resting: u32,
    /// Commands after the prefill
    commands: u32,
    /// How far from the middle passive orders lie
    scale: f64,
    /// Seed of the random numbers
    seed: u64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let &Arguments { ref out, mix, symbols, resting, commands, scale, seed } = arguments;
    let stream = generate(Specification { mix, symbols, resting, commands, scale, seed })?;
    stream.write(out).with_context(|| format!("writing {}", out.display()))?;
    let header = &stream.header;
    println!(
        "{}: prefill {}, commands {}, trades {}, quantity {}, notional {}, live {}, levels {}, ids to {}, hash {:016x}",
        out.display(),
        header.prefill,
        header.commands,
        header.trades,
        header.quantity,
        header.notional,
        header.live_orders,
        header.levels,
        header.highest_id,
        header.hash
    );
    Ok(())
}
