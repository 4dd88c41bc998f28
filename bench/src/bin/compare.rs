//! Measures the exchange against its peers on this machine, in turns, and prints the table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use bench::contest::{Contender, NamedStream, Rounds, STREAMS, Speeds, Stream, take_turns};
use bench::exchange_core::ExchangeCore;
use bench::rialto::streams::{Dress, RialtoCore};
use clap::Parser;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};

/// Compares commands per second on the generated streams. All sides run on one processor, taking turns; every round's
/// totals must be the reference's. Ratios are to the first contender's median.
///
/// Example: compare --rounds 7 --only s1_1k,ec_1k
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Arguments {
    /// Where the generated streams are kept
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench-streams"))]
    streams: PathBuf,
    /// Rounds that count, of each side
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Rounds before them, in which the Java machine compiles
    #[arg(long, default_value_t = 4)]
    warm_up: u32,
    /// Only these streams
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Print one JSON value instead of a table
    #[arg(long)]
    json: bool,
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
    let streams = chosen(&arguments.only)?;
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/exchange-core");
    eprintln!("building exchange-core from Maven Central");
    // Before any process is started: processes inherit it.
    let pinned = pin();
    let mut contenders: Vec<Box<dyn Contender>> = vec![
        Box::new(ExchangeCore::build(&project)?),
        Box::new(RialtoCore::new(Dress::Plain)),
        Box::new(RialtoCore::new(Dress::Full)),
    ];
    let rounds = Rounds { warm_up: arguments.warm_up, counted: arguments.rounds };

    let turns = (rounds.warm_up + rounds.counted) as usize * contenders.len() * streams.len();
    let progress = ProgressBar::new(turns as u64);
    progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}").context("progress")?);
    let mut speeds = Vec::new();
    for named in streams {
        progress.set_message(format!("{}: preparing", named.name));
        let stream = Stream::prepare(named, &arguments.streams)?;
        let taken = take_turns(&mut contenders, &stream, rounds, |contender| {
            progress.set_message(format!("{}: {contender}", named.name));
            progress.inc(1);
        })?;
        speeds.push(taken);
    }
    progress.finish_and_clear();

    if arguments.json {
        println!("{}", serde_json::to_string(&speeds)?);
    } else {
        println!("{}", table(&speeds));
        let place = if pinned { "one processor" } else { "any processor (pinning is not possible here)" };
        println!("Million commands a second, {} rounds in turns on {place}; totals equal.", rounds.counted);
    }
    Ok(())
}

fn chosen(only: &[String]) -> anyhow::Result<Vec<&'static NamedStream>> {
    if only.is_empty() {
        return Ok(STREAMS.iter().collect());
    }
    only.iter()
        .map(|name| {
            let names = || STREAMS.map(|stream| stream.name).join(", ");
            let found = STREAMS.iter().find(|stream| stream.name == name);
            found.with_context(|| format!("there is no stream {name}: choose from {}", names()))
        })
        .collect()
}

/// Keeps this thread, and the processes it starts, on the last processor.
fn pin() -> bool {
    let last = core_affinity::get_core_ids().and_then(|processors| processors.last().copied());
    last.is_some_and(core_affinity::set_for_current)
}

fn table(speeds: &[Vec<Speeds>]) -> Table {
    let mut table = Table::new();
    table.set_header(["stream", "contender", "median", "min", "max", "ratio"]);
    for stream in speeds {
        for side in stream {
            let millions = |speed: f64| format!("{:.2}", speed / 1e6);
            table.add_row([
                side.stream.clone(),
                side.contender.clone(),
                millions(side.median),
                millions(side.minimum),
                millions(side.maximum),
                format!("{:.2}", side.median / stream[0].median),
            ]);
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
