//! `rialto settlement reconcile`: whether the books are what the engine has. Composes the journal's replay
//! with the books' comparison; refuses to do either.

use crate::{command_line::ConfigFlags, config::Config, process};
use clap::Args;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use database::{Database, TableGroup};
use protocol::Sequence;
use settlement::{Amounts, EngineBalances, Extent, PendingBalances, Reconciler, ReconciliationReport};
use std::path::PathBuf;

/// Compares every balance with the engine's, at the command that the books are at, and adds the books up.
/// Exit status 1 when something does not agree.
///
/// Example: rialto settlement reconcile --data ./data
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ReconcileArguments {
    #[command(flatten)]
    common: ConfigFlags,
    /// The books with themselves alone: where there is no data directory of the engine
    #[arg(long)]
    books_only: bool,
    /// One JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// The engine's balances, from the newest snapshot before a command and the journal after it.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// The engine's data directory.
    pub(crate) directory: PathBuf,
}

impl EngineBalances for Replayed {
    fn balances_at(&self, sequence: Sequence) -> PendingBalances<'_> {
        let directory = self.directory.clone();
        Box::pin(async move {
            // Before the first command there is nothing to replay.
            if sequence == Sequence(0) {
                return Ok(settlement::Balances::new());
            }
            let replayed = tokio::task::spawn_blocking(move || {
                replay::balances(&directory, Some(sequence), &mut |_| {})
            });
            let (_, rows) =
                replayed.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
            let amounts = |row: &replay::RawBalance| Amounts { available: row.available, held: row.held };
            Ok(rows.iter().map(|row| ((row.account, row.asset), amounts(row))).collect())
        })
    }
}

/// Whether all of it agrees.
pub(crate) fn run(arguments: &ReconcileArguments) -> anyhow::Result<bool> {
    let config = Config::of(&arguments.common)?;
    let runtime = process::threads()?;
    let report = runtime.block_on(async {
        let location = config.database(TableGroup::Settlement)?;
        let database = Database::open(&location, TableGroup::Settlement).await?;
        let engine = Replayed { directory: config.data.clone() };
        let engine: Option<&dyn EngineBalances> = if arguments.books_only { None } else { Some(&engine) };
        let report = Reconciler::new(database.clone()).run(engine, Extent::All, process::now()).await;
        database.close().await;
        anyhow::Ok(report?)
    })?;
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", text(&report));
    }
    Ok(report.breaks.is_empty())
}

fn text(report: &ReconciliationReport) -> String {
    let with = if report.with_engine { "the engine and themselves" } else { "themselves" };
    let since = report.since.as_ref().map(|day| format!(" since the end of {day}")).unwrap_or_default();
    let mut text = format!(
        "The books at command {} against {with}: {} balances, {} postings{since}.\n",
        report.sequence, report.balances, report.postings
    );
    if report.breaks.is_empty() {
        text.push_str("Everything agrees.\n");
        return text;
    }
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(["check", "command", "what does not agree"]);
    for found in &report.breaks {
        table.add_row([found.check.to_owned(), found.sequence.to_string(), found.rows.clone()]);
    }
    text + &format!("{table}\n{} breaks.\n", report.breaks.len())
}
