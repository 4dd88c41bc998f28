//! Measures what clients who stop reading cost everyone else: an order's way in time, and the exchange's memory.

use anyhow::Context as _;
use bench::doors::{
    measure::{Latency, latency, median},
    orders::{Key, SESSION_ORDER},
    process::Server,
    socket::Socket,
};
use clap::Parser;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use std::{
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};
use tungstenite::Utf8Bytes;

/// What a client who stops reading subscribed to: what is joined for it, and what is not.
const STREAMS: &str = "/stream?streams=btcusdt@trade/btcusdt@aggTrade/btcusdt@bookTicker/btcusdt@depth@100ms/btcusdt@miniTicker";
/// Orders of the load that are sent at once, and how often.
const BATCH: usize = 20;
const EVERY: Duration = Duration::from_millis(10);

/// Measures orders of one client while others trade, with and without clients beside it who subscribed to a
/// market's streams and never read. Both take turns; ratios are medians of the rounds.
///
/// Example: slow --clients 10 --rounds 5
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Arguments {
    /// Clients who do not read
    #[arg(long, default_value_t = 1)]
    clients: usize,
    /// Rounds, of each side
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Round trips of a round
    #[arg(long, default_value_t = 10_000)]
    count: usize,
    /// How long they have not read when the measuring begins, in seconds
    #[arg(long, default_value_t = 20)]
    unread_seconds: u64,
    /// The program to measure
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/rialto"))]
    rialto: PathBuf,
    /// Where the data directory is made
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target"))]
    disk: PathBuf,
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

/// One side of a round.
struct Side {
    latency: Latency,
    /// Bytes.
    memory: u64,
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let place = tempfile::tempdir_in(&arguments.disk)
        .with_context(|| format!("cannot make a directory in {}", arguments.disk.display()))?;
    let data = place.path().join("data");
    let server = Server::exchange(&arguments.rialto, &data)?;
    let key = Key::first(&data)?;
    let is_over = AtomicBool::new(false);
    let (alone, beside) = thread::scope(|scope| {
        let load = scope.spawn(|| trade(server.address, &key, &is_over));
        let measured = measure(arguments, &server, &key);
        is_over.store(true, Ordering::Relaxed);
        load.join().expect("the load does not panic")?;
        measured
    })?;
    print(arguments, &alone, &beside);
    Ok(())
}

fn measure(arguments: &Arguments, server: &Server, key: &Key) -> anyhow::Result<(Vec<Side>, Vec<Side>)> {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let side = || {
        let mut socket = Socket::connect(server.address, "/ws-api/v3?returnRateLimits=false")?;
        socket.ask(&[key.log_on()?.into()], "\"status\":200")?;
        let frame = [Utf8Bytes::from_static(SESSION_ORDER)];
        let latency = latency(arguments.count, |_| socket.ask(&frame, "\"status\":200"))?;
        anyhow::Ok(Side { latency, memory: server.memory()? })
    };
    // The first round warms up.
    for round in 0..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        let without = side()?;
        let unread = (0..arguments.clients)
            .map(|_| Socket::connect(server.address, STREAMS))
            .collect::<anyhow::Result<Vec<_>>>()?;
        thread::sleep(Duration::from_secs(arguments.unread_seconds));
        let with = side()?;
        drop(unread);
        if round > 0 {
            alone.push(without);
            beside.push(with);
        }
    }
    Ok((alone, beside))
}

/// Trades at a steady pace until it is over: every second order meets the one before it.
fn trade(address: SocketAddr, key: &Key, is_over: &AtomicBool) -> anyhow::Result<()> {
    let order = |side: &str, time_in_force: &str| {
        Utf8Bytes::from(format!(
            r#"{{"id":2,"method":"order.place","params":{{"symbol":"BTCUSDT","side":"{side}","type":"LIMIT","timeInForce":"{time_in_force}","price":"50000","quantity":"0.001"}}}}"#
        ))
    };
    let pair = [order("SELL", "GTC"), order("BUY", "IOC")];
    let batch: Vec<_> = pair.iter().cycle().take(BATCH).cloned().collect();
    let mut socket = Socket::connect(address, "/ws-api/v3?returnRateLimits=false")?;
    socket.ask(&[key.log_on()?.into()], "\"status\":200")?;
    let mut next = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        socket.ask(&batch, "\"status\":200")?;
        next += EVERY;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn print(arguments: &Arguments, alone: &[Side], beside: &[Side]) {
    let micros = |side: &Side| [side.latency.p50, side.latency.p99].map(|time| time.as_secs_f64() * 1e6);
    let column =
        |sides: &[Side], place: usize| -> Vec<f64> { sides.iter().map(|side| micros(side)[place]).collect() };
    let memory = |sides: &[Side]| -> Vec<f64> {
        sides.iter().map(|side| side.memory as f64 / f64::from(1 << 20)).collect()
    };
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(["", "alone", &format!("beside {} who do not read", arguments.clients), "ratio"]);
    for (name, one, other) in [
        ("p50, µs", column(alone, 0), column(beside, 0)),
        ("p99, µs", column(alone, 1), column(beside, 1)),
        ("memory, MiB", memory(alone), memory(beside)),
    ] {
        let ratios: Vec<f64> = one.iter().zip(&other).map(|(one, other)| other / one).collect();
        let row = [median(&one), median(&other)].map(|value| format!("{value:.0}"));
        table.add_row([name.to_owned(), row[0].clone(), row[1].clone(), format!("{:.3}", median(&ratios))]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
}
