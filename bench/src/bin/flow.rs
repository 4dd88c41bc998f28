//! Feeds files of order flow to the core and prints what came out.

use anyhow::Context;
use bench::{
    market_by_order::{
        MarketEvent, MarketFile, MarketRecord,
        replay::{ReplayReport, replay},
    },
    rialto::{
        streams::{Dress, Prepared, Totals},
        venue::CoreVenue,
    },
    stream_file::StreamFile,
};
use clap::Parser;
use comfy_table::Table;
use indicatif::ProgressBar;
use std::{
    num::NonZeroU64,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Feeds files to the core as commands and prints what came out: generated streams, or `.dbn` and
/// `.dbn.zst` files of market-by-order records. Holds, fees, filters and events are on.
///
/// Example: flow target/bench-streams/s1_1k --rounds 5
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Arguments {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Timed rounds; the speed is the median
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Self-trade prevention, percent-price and a client order id on every order of a generated stream
    #[arg(long)]
    full: bool,
    /// One JSON value a file on standard output
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Counts {
    Stream(Totals),
    Market(ReplayReport),
}

#[derive(serde::Serialize)]
struct Report {
    #[serde(flatten)]
    counts: Counts,
    commands_per_second: f64,
    state_hash: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    for file in &arguments.files {
        match run(file, &arguments) {
            Ok(report) => print(file, &report, arguments.json),
            Err(error) => {
                eprintln!("{}: {error:#}", file.display());
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::SUCCESS
}

fn run(file: &Path, arguments: &Arguments) -> anyhow::Result<Report> {
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(100));
    progress.set_message(format!("{}: reading", file.display()));
    let name = file.to_string_lossy();
    if name.ends_with(".dbn.zst") || name.ends_with(".dbn") {
        let records: Vec<MarketRecord> = MarketFile::open(file)?.collect::<Result<_, _>>()?;
        let mut venue = CoreVenue::new(price_unit(&records));
        let report = replay(&records, &mut venue)?;
        let speed = median(arguments.rounds, &progress, || venue.time())?;
        let state_hash = venue.state_hash().to_string();
        return Ok(Report { counts: Counts::Market(report), commands_per_second: speed, state_hash });
    }
    let stream = StreamFile::open(file)?;
    let dress = if arguments.full { Dress::Full } else { Dress::Plain };
    progress.set_message(format!("{}: first pass", file.display()));
    let prepared = Prepared::new(&stream, dress);
    let speed = median(arguments.rounds, &progress, || prepared.time())?;
    let state_hash = prepared.state_hash.to_string();
    Ok(Report { counts: Counts::Stream(prepared.totals), commands_per_second: speed, state_hash })
}

/// The greatest unit that divides every price.
fn price_unit(records: &[MarketRecord]) -> NonZeroU64 {
    let prices = records.iter().filter_map(|record| match record.event {
        MarketEvent::Add { terms, .. }
        | MarketEvent::Modify { terms, .. }
        | MarketEvent::Trade { terms, .. } => Some(terms.price.0.get()),
        _ => None,
    });
    let divisor = |mut one: u64, mut other: u64| {
        while other != 0 {
            (one, other) = (other, one % other);
        }
        one
    };
    NonZeroU64::new(prices.fold(0, divisor)).unwrap_or(NonZeroU64::MIN)
}

fn median(
    rounds: u32,
    progress: &ProgressBar,
    mut round: impl FnMut() -> anyhow::Result<f64>,
) -> anyhow::Result<f64> {
    let mut speeds = Vec::new();
    for number in 1..=rounds {
        progress.set_message(format!("round {number} of {rounds}"));
        speeds.push(round()?);
    }
    progress.finish_and_clear();
    speeds.sort_by(f64::total_cmp);
    speeds.get(speeds.len() / 2).copied().context("no round")
}

fn print(file: &Path, report: &Report, json: bool) {
    let value = serde_json::to_value(report).unwrap_or_default();
    if json {
        println!("{value}");
        return;
    }
    let mut table = Table::new();
    table.set_header([file.display().to_string(), String::new()]);
    for (name, value) in value.as_object().into_iter().flatten() {
        table.add_row([name.replace('_', " "), value.to_string().trim_matches('"').to_owned()]);
    }
    println!("{table}");
}
