//! `rialto statement`: an account's statement, as a file or on standard output. Refuses to know how it is
//! made.

use crate::{command_line::ConfigFlags, config::Config, process};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use database::{Database, TableGroup};
use protocol::{AccountId, Time};
use services::StatementFormat;
use settlement::{Day, Statement};
use std::path::PathBuf;

/// What an account had, what moved, and what it has then, adding up to the last unit.
///
/// Example: rialto statement --account 3 --from 2026-11-01 --to 2026-11-30 --format html --out statement.html
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct StatementArguments {
    #[command(flatten)]
    common: ConfigFlags,
    /// Whose
    #[arg(long, value_name = "ID")]
    account: u32,
    /// The first day (UTC) in it
    #[arg(long, value_name = "DAY")]
    from: Day,
    /// The last day (UTC) in it
    #[arg(long, value_name = "DAY")]
    to: Day,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Where to; standard output when not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Csv,
    Html,
    Json,
}

impl From<Format> for StatementFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Csv => Self::Csv,
            Format::Html => Self::Html,
            Format::Json => Self::Json,
        }
    }
}

pub(crate) fn run(arguments: &StatementArguments) -> anyhow::Result<()> {
    if arguments.to < arguments.from {
        bail!("the statement would end on {} before it begins on {}", arguments.to, arguments.from);
    }
    let config = Config::of(&arguments.common)?;
    let runtime = process::threads()?;
    let statement = runtime.block_on(async {
        let location = config.database(TableGroup::Settlement)?;
        let database = Database::open(&location, TableGroup::Settlement).await?;
        let (from, until): (Time, Time) = (arguments.from.begin(), arguments.to.end());
        let statement = Statement::read(&database, AccountId(arguments.account), from, until).await;
        database.close().await;
        anyhow::Ok(statement?)
    })?;
    let text = statement.text(arguments.format.into());
    match &arguments.out {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        None => print!("{text}"),
    }
    Ok(())
}
