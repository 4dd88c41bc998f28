//! How fast settlement writes its books beside the raw inserts of the same rows; how much room they take;
//! how long history's questions take on them.

use anyhow::{Context as _, bail, ensure};
use bench::settlement::{Answered, Market, ask_all, write_log};
use clap::Parser;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use database::{Database, DatabaseLocation, TableGroup};
use indicatif::{ProgressBar, ProgressStyle};
use protocol::{Sequence, Time};
use serde_json::json;
use settlement::{Books, Options, Prepared, State, Status, make_months, run};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};
use stream::{EventStream, LogStream};
use tokio::sync::watch;

/// Rows of a raw transaction, about: as many as settlement writes at once when it is behind.
const ROWS: usize = 40_000;

/// Measures settlement: a generated market's event log into the books, and the same rows by raw inserts,
/// in turns; then the books' size and history's questions.
///
/// Example: settle --database postgres://rialto@127.0.0.1:5432/rialto --trades 100000 --rounds 3
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Arguments {
    /// `postgres://user@host:port/database`, or the path of a SQLite file to make
    #[arg(long)]
    database: String,
    /// Trades in the market
    #[arg(long, default_value_t = 100_000)]
    trades: u64,
    /// Accounts in the market
    #[arg(long, default_value_t = 1_000)]
    accounts: u32,
    /// Rounds of settlement and raw inserts in turns; 0 measures settlement alone, once
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How often each question of history is asked
    #[arg(long, default_value_t = 1_000)]
    questions: usize,
    /// Where the event log is made; it is removed at the end
    #[arg(long, default_value = "target/settle")]
    scratch: PathBuf,
    /// One JSON object on standard output
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let result = runtime.block_on(measure(&arguments));
    let _ = std::fs::remove_dir_all(&arguments.scratch);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

/// What one run of settlement came to.
struct Run {
    rows: u64,
    transactions: u64,
    seconds: f64,
}

async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let bar = ProgressBar::new(arguments.trades)
        .with_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")?)
        .with_message("generating");
    let _ = std::fs::remove_dir_all(&arguments.scratch);
    let log = arguments.scratch.join("log");
    let (market, end) =
        write_log(&log, arguments.accounts, arguments.trades, |trades| bar.set_position(trades))?;
    bar.finish_and_clear();

    let mut ratios = Vec::new();
    let (mut settled, mut raw) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        // What comes first in one round comes second in the next.
        for is_raw in [round % 2 == 1, round % 2 == 0] {
            let location = fresh(arguments, "settle_bench").await?;
            if is_raw {
                let (rows, seconds) = insert_raw(&location, &log, end).await?;
                raw.push(rows as f64 / seconds);
            } else {
                let run = settle(&location, &log, end, &bar).await?;
                settled.push(run.rows as f64 / run.seconds);
            }
        }
        ratios.push(settled[round] / raw[round]);
        eprintln!(
            "round {}: {:.0} rows/s, raw {:.0} rows/s, ratio {:.3}",
            round + 1,
            settled[round],
            raw[round],
            ratios[round]
        );
    }
    let location = fresh(arguments, "settle_bench").await?;
    let run = settle(&location, &log, end, &bar).await?;
    let database = Database::open(&location, TableGroup::Settlement).await?;
    let bytes = size(&database, &location).await?;
    let answers = ask_all(&database, &market, arguments.accounts, arguments.questions).await?;
    database.close().await;
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios.get(ratios.len() / 2).copied();
    report(arguments, &market, end, &run, bytes, ratio, &answers);
    Ok(())
}

/// Empty books.
async fn fresh(arguments: &Arguments, schema: &str) -> anyhow::Result<DatabaseLocation> {
    let location = if arguments.database.starts_with("postgres") {
        DatabaseLocation::Postgres {
            url: arguments.database.clone(),
            password: None,
            schema: schema.to_owned(),
        }
    } else {
        let path = PathBuf::from(&arguments.database);
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
        DatabaseLocation::Sqlite(path)
    };
    // Back from whatever an earlier run left, and forward again: tables without a past.
    while Database::roll_back(&location, TableGroup::Settlement, 1).await.is_ok() {}
    let applied = Database::migrate(&location, TableGroup::Settlement).await?;
    ensure!(!applied.is_empty(), "what an earlier run left in {location} cannot be taken back");
    Ok(location)
}

/// The whole consumer, from the event log to committed rows.
async fn settle(
    location: &DatabaseLocation,
    log: &Path,
    end: Sequence,
    bar: &ProgressBar,
) -> anyhow::Result<Run> {
    let (stop, stopped) = watch::channel(false);
    let (sender, mut status) = watch::channel(Status::default());
    let log = log.to_owned();
    let open = move |position| async move { LogStream::open(&log, position, None).map(EventStream::Log) };
    bar.reset();
    bar.set_message("settling");
    bar.set_length(end.0);
    let start = Instant::now();
    let running = tokio::spawn(run(Options { location: location.clone() }, open, stopped, sender));
    let seen = loop {
        status.changed().await.context("settlement ended")?;
        let seen = status.borrow_and_update().clone();
        bar.set_position(seen.position.0);
        match seen.state {
            State::Failed => bail!("{}", seen.last_error.unwrap_or_default()),
            _ if seen.position == end => break seen,
            _ => {}
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    stop.send_replace(true);
    running.await??;
    bar.finish_and_clear();
    Ok(Run { rows: seen.rows, transactions: seen.transactions, seconds })
}

/// The rows of the same events, made before the time is taken, and inserted with nothing else to do.
async fn insert_raw(location: &DatabaseLocation, log: &Path, end: Sequence) -> anyhow::Result<(u64, f64)> {
    let database = Database::open(location, TableGroup::Settlement).await?;
    make_months(&database, Time(1_788_220_800_000_000_000), Time(1_796_000_000_000_000_000)).await?;
    let mut books = Books::open(database.clone()).await?;
    let mut stream = EventStream::Log(LogStream::open(log, Sequence(0), None)?);
    let mut prepared: Vec<Prepared> = Vec::new();
    while books.position() < end {
        books.apply(&stream.next().await?)?;
        if books.rows() >= ROWS {
            prepared.extend(books.take());
        }
    }
    prepared.extend(books.take());
    let start = Instant::now();
    for one in &prepared {
        one.insert(&database).await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    database.close().await;
    Ok((prepared.iter().map(|one| one.rows() as u64).sum(), seconds))
}

/// Bytes on disk of the books, indexes included.
async fn size(database: &Database, location: &DatabaseLocation) -> anyhow::Result<u64> {
    let rows = match location {
        DatabaseLocation::Sqlite(_) => database
            .rows("SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()", &[]),
        DatabaseLocation::Postgres { .. } => database.rows(
            "SELECT CAST(SUM(pg_total_relation_size(oid)) AS BIGINT) AS bytes FROM pg_class \
             WHERE relnamespace = to_regnamespace(current_schema()::text) AND relkind IN ('r', 'm')",
            &[],
        ),
    };
    Ok(rows.await?[0].integer("bytes")? as u64)
}

fn report(
    arguments: &Arguments,
    market: &Market,
    end: Sequence,
    run: &Run,
    bytes: u64,
    ratio: Option<f64>,
    answers: &[Answered],
) {
    let per_second = |count: u64| (count as f64 / run.seconds).round();
    let microseconds = |duration: Duration| duration.as_micros() as u64;
    if arguments.json {
        let answers: Vec<_> = answers
            .iter()
            .map(|one| {
                json!({"question": one.question, "rows": one.rows, "median_us": microseconds(one.median),
                       "p99_us": microseconds(one.p99)})
            })
            .collect();
        println!(
            "{}",
            json!({"commands": end.0, "trades": market.trades(), "rows": run.rows, "transactions": run.transactions,
                   "seconds": run.seconds, "rows_per_second": per_second(run.rows),
                   "trades_per_second": per_second(market.trades()), "commands_per_second": per_second(end.0),
                   "bytes": bytes, "bytes_per_trade": bytes / market.trades().max(1), "ratio": ratio,
                   "questions": answers})
        );
        return;
    }
    println!(
        "{} commands, {} trades, {} rows in {} transactions, {:.1} s: {:.0} trades/s, {:.0} rows/s",
        end.0,
        market.trades(),
        run.rows,
        run.transactions,
        run.seconds,
        per_second(market.trades()),
        per_second(run.rows)
    );
    println!("{} MiB on disk, {} bytes a trade", bytes >> 20, bytes / market.trades().max(1));
    if let Some(ratio) = ratio {
        println!("settlement ÷ raw inserts of the same rows: {ratio:.3} (median of {})", arguments.rounds);
    }
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(["question", "rows", "median", "p99"]);
    for one in answers {
        let millis = |duration: Duration| format!("{:.2} ms", duration.as_secs_f64() * 1_000.0);
        table.add_row([one.question.to_owned(), one.rows.to_string(), millis(one.median), millis(one.p99)]);
    }
    println!("{table}");
}
