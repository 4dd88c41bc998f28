//! Measures an order's way through the REST and WebSocket doors beside a bare server, and prints the table.

use anyhow::Context as _;
use bench::doors::{
    bare,
    http::{Http, post},
    measure::{Latency, latency, median, rate, sync},
    orders::{Key, SESSION_ORDER},
    process::Server,
    socket::Socket,
};
use clap::Parser;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};
use tungstenite::Utf8Bytes;

/// Measures orders through the doors of `target/release/rialto` (build it first), beside the same requests to a
/// server of the same libraries that does nothing. All sides take turns; medians of the rounds. Without durability
/// means a data directory in memory.
///
/// Example: doors --rounds 7
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Arguments {
    /// Rounds, of each side
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Round trips of a round
    #[arg(long, default_value_t = 2_000)]
    count: usize,
    /// Connections that ask at once, where rates are measured
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Frames of a batch
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// The program to measure
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/rialto"))]
    rialto: PathBuf,
    /// Where the durable data directory is made
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target"))]
    disk: PathBuf,
    /// Where the other one is made: a file system in memory
    #[arg(long, default_value = "/dev/shm")]
    memory: PathBuf,
    /// Print one JSON value instead of a table
    #[arg(long)]
    json: bool,
    /// `bare ADDRESS`: be the bare server
    #[arg(hide = true, num_args = 0..=2)]
    role: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.role.as_slice() {
        [role, address] if role == "bare" => address.parse().map_err(Into::into).and_then(bare::serve),
        _ => run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// One side's figures, a value for each round.
#[derive(Debug, Default)]
struct Side {
    rest: Vec<Latency>,
    socket: Vec<Latency>,
    rest_rate: Vec<f64>,
    pipelined_rate: Vec<f64>,
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (on_disk, in_memory) = (directory(&arguments.disk)?, directory(&arguments.memory)?);
    let bare = Server::bare()?;
    let durable = Server::exchange(&arguments.rialto, &on_disk.path().join("data"))?;
    let volatile = Server::exchange(&arguments.rialto, &in_memory.path().join("data"))?;
    let durable_key = Key::first(&on_disk.path().join("data"))?;
    let volatile_key = Key::first(&in_memory.path().join("data"))?;
    let mut sides = [Side::default(), Side::default(), Side::default()];
    let mut syncs = Vec::new();
    // The first round warms up.
    for round in 0..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        let mut measured = [Side::default(), Side::default(), Side::default()];
        measure(arguments, bare.address, None, &mut measured[0])?;
        measure(arguments, volatile.address, Some(&volatile_key), &mut measured[1])?;
        measure(arguments, durable.address, Some(&durable_key), &mut measured[2])?;
        let synced = sync(on_disk.path(), arguments.count.min(500))?;
        if round > 0 {
            for (side, measured) in sides.iter_mut().zip(measured) {
                side.rest.extend(measured.rest);
                side.socket.extend(measured.socket);
                side.rest_rate.extend(measured.rest_rate);
                side.pipelined_rate.extend(measured.pipelined_rate);
            }
            syncs.push(synced);
        }
    }
    let report = report(&sides, &syncs);
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn directory(under: &Path) -> anyhow::Result<tempfile::TempDir> {
    tempfile::tempdir_in(under).with_context(|| format!("cannot make a directory in {}", under.display()))
}

/// One round of a side; without a key it is the bare server.
fn measure(
    arguments: &Arguments,
    address: SocketAddr,
    key: Option<&Key>,
    side: &mut Side,
) -> anyhow::Result<()> {
    // Signed anew each round: a signature is good for a minute.
    let request = match key {
        Some(key) => post("/api/v3/order", &key.api_key, &key.rest_order()?),
        None => post("/order", &"k".repeat(64), &"x".repeat(200)),
    };
    let mut http = Http::connect(address)?;
    side.rest.push(latency(arguments.count, |_| http.ask(&request))?);
    let connections = arguments.connections;
    side.rest_rate.push(rate(connections, arguments.count.div_ceil(connections) * 4, || {
        let mut http = Http::connect(address)?;
        let request = request.clone();
        Ok(move |_| http.ask(&request))
    })?);

    let order = Utf8Bytes::from(SESSION_ORDER);
    let connect = || -> anyhow::Result<(Socket, &str)> {
        let Some(key) = key else { return Ok((Socket::connect(address, "/echo")?, "order.place")) };
        let mut socket = Socket::connect(address, "/ws-api/v3?returnRateLimits=false")?;
        socket.ask(&[key.log_on()?.into()], r#""status":200"#)?;
        Ok((socket, r#""status":200"#))
    };
    let (mut socket, expected) = connect()?;
    side.socket.push(latency(arguments.count, |_| socket.ask(std::slice::from_ref(&order), expected))?);
    let batch = vec![order; arguments.batch];
    let batches = (arguments.count * 8).div_ceil(arguments.batch);
    let batches_rate = rate(1, batches, || {
        let (mut socket, expected) = connect()?;
        let batch = batch.clone();
        Ok(move |_| socket.ask(&batch, expected))
    })?;
    side.pipelined_rate.push(batches_rate * arguments.batch as f64);
    Ok(())
}

/// A row: one figure of the bare server and of the exchange, in memory and on disk. Times are in
/// microseconds; a ratio is the exchange's figure to the bare server's.
#[derive(Debug, Serialize)]
struct Row {
    what: &'static str,
    unit: &'static str,
    bare: f64,
    without_durability: f64,
    with_durability: f64,
    ratio_without: f64,
    ratio_with: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    rows: Vec<Row>,
    /// One append of 4 KiB and its sync, median, in microseconds.
    sync_p50_us: f64,
    sync_p99_us: f64,
}

fn report(sides: &[Side; 3], syncs: &[Latency]) -> Report {
    let row = |what, unit, of: &dyn Fn(&Side) -> f64| {
        let [bare, without, with] = [of(&sides[0]), of(&sides[1]), of(&sides[2])];
        Row {
            what,
            unit,
            bare,
            without_durability: without,
            with_durability: with,
            ratio_without: without / bare,
            ratio_with: with / bare,
        }
    };
    let times = |latencies: &[Latency], of: fn(&Latency) -> f64| {
        median(&latencies.iter().map(of).collect::<Vec<_>>())
    };
    let p50 = |latency: &Latency| latency.p50.as_secs_f64() * 1e6;
    let p99 = |latency: &Latency| latency.p99.as_secs_f64() * 1e6;
    Report {
        rows: vec![
            row("REST order, p50", "us", &|side| times(&side.rest, p50)),
            row("REST order, p99", "us", &|side| times(&side.rest, p99)),
            row("WebSocket order, p50", "us", &|side| times(&side.socket, p50)),
            row("WebSocket order, p99", "us", &|side| times(&side.socket, p99)),
            row("REST orders", "1/s", &|side| median(&side.rest_rate)),
            row("pipelined WebSocket orders", "1/s", &|side| median(&side.pipelined_rate)),
        ],
        sync_p50_us: times(syncs, p50),
        sync_p99_us: times(syncs, p99),
    }
}

fn print(report: &Report) {
    let mut table = Table::new();
    table.set_header(["", "unit", "bare server", "not durable", "durable", "÷ bare", "durable ÷ bare"]);
    for row in &report.rows {
        table.add_row([
            row.what.to_owned(),
            row.unit.to_owned(),
            format!("{:.0}", row.bare),
            format!("{:.0}", row.without_durability),
            format!("{:.0}", row.with_durability),
            format!("{:.2}", row.ratio_without),
            format!("{:.2}", row.ratio_with),
        ]);
    }
    for column in 2..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
    println!(
        "one append of 4 KiB with its sync: p50 {:.0} us, p99 {:.0} us",
        report.sync_p50_us, report.sync_p99_us
    );
}
