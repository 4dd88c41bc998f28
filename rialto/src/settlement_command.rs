//! `rialto settlement`: keeps the books of record in a process of their own, makes them again, and says one
//! hash over them. Refuses to decide what a row says.

use crate::{
    command_line::{SettlementArguments, SettlementCommand},
    config::Config,
    process, reconcile_command, settlement_process,
};
use anyhow::{Context as _, bail};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use database::{Database, TableGroup};
use indicatif::{ProgressBar, ProgressStyle};
use protocol::Sequence;
use serde_json::json;
use settlement::{RowHash, Status, rebuild, row_hash};
use stream::{EventStream, LogStream};
use tokio::sync::watch;

/// Does it; false when the answer is no.
pub(crate) fn run(command: &SettlementArguments) -> anyhow::Result<bool> {
    match &command.command {
        None => settlement_process::start(&Config::of_settlement(&command.flags)?)?,
        Some(SettlementCommand::Reconcile(arguments)) => return reconcile_command::run(arguments),
        Some(SettlementCommand::Rebuild { common, event_log, json }) => {
            let mut config = Config::of(common)?;
            config.event_log = event_log.clone().or(config.event_log);
            let position = process::threads()?.block_on(make_again(&config))?;
            if *json {
                println!("{}", json!({"position": position.0}));
            } else {
                println!("The books of record are made again, up to command {position}.");
            }
        }
        Some(SettlementCommand::Hash { common, json }) => {
            let config = Config::of(common)?;
            let hash = process::threads()?.block_on(async {
                let database = open(&config).await?;
                let hash = Box::pin(row_hash(&database)).await;
                database.close().await;
                anyhow::Ok(hash?)
            })?;
            show(&hash, *json);
        }
    }
    Ok(true)
}

async fn open(config: &Config) -> anyhow::Result<Database> {
    Ok(Database::open(&config.database(TableGroup::Settlement)?, TableGroup::Settlement).await?)
}

/// From the event log of this data directory, or of the engine's on this machine: Kafka need not have
/// kept the first command.
async fn make_again(config: &Config) -> anyhow::Result<Sequence> {
    let directory = config.event_log.as_ref().unwrap_or(&config.data);
    if !directory.join("events").is_dir() {
        bail!(
            "{} holds no event log; give the engine's data directory by --data or --event-log",
            directory.display()
        );
    }
    let stream = LogStream::open(directory, Sequence(0), None)
        .with_context(|| format!("reading the event log in {}", directory.display()))?;
    let database = open(config).await?;
    let (stop, stopped) = watch::channel(false);
    let (sender, status) = watch::channel(Status::default());
    let interrupted = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.send_replace(true);
        }
        // Kept while it works: who cannot be told any more is not told to stop.
        std::future::pending::<()>().await;
    });
    let shown = tokio::spawn(show_progress(status.clone()));
    let made = rebuild(database.clone(), EventStream::Log(stream), stopped, sender).await;
    let _ = shown.await;
    interrupted.abort();
    database.close().await;
    let (made, end) = (made?, status.borrow().end);
    if made < end {
        bail!("interrupted at command {made} of {end}; the next start of settlement goes on from there");
    }
    Ok(made)
}

async fn show_progress(mut status: watch::Receiver<Status>) {
    let template = "{wide_bar} {pos} of {len} commands, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style);
    while status.changed().await.is_ok() {
        let seen = status.borrow_and_update();
        bar.set_length(seen.end.0);
        bar.set_position(seen.position.0);
    }
    bar.finish_and_clear();
}

fn show(hash: &RowHash, as_json: bool) {
    if as_json {
        let tables: serde_json::Map<_, _> = hash
            .tables
            .iter()
            .map(|one| (one.table.to_owned(), json!({"rows": one.rows, "hash": one.hash})))
            .collect();
        println!("{}", json!({"position": hash.position.0, "hash": hash.hash, "tables": tables}));
        return;
    }
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(["table", "rows", "hash"]);
    for one in &hash.tables {
        table.add_row([one.table.to_owned(), one.rows.to_string(), one.hash.clone()]);
    }
    println!("{table}\nat command {}: {}", hash.position, hash.hash);
}
