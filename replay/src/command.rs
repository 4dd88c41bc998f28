//! The command line: arguments in, a table or JSON out, progress on standard error. Refuses to know
//! how anything is found out.

use crate::{EventFilter, Progress, ReplayError, events, state, verify};
use clap::Subcommand;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use indicatif::{ProgressBar, ProgressStyle};
use protocol::{AccountId, Sequence};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _, stdout};
use std::path::PathBuf;

/// Looks into the journal of a stopped or a live data directory; changes nothing.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Re-applies the journal and compares what it makes with the event log and with itself.
    ///
    /// Example: rialto replay verify ./data
    Verify {
        /// The data directory.
        directory: PathBuf,
        /// One JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Balances, open orders and holds at a sequence.
    ///
    /// Example: rialto replay state ./data --at 1000 --account 7
    State {
        /// The data directory.
        directory: PathBuf,
        /// After this command; the last one if not given.
        #[arg(long, value_name = "SEQUENCE")]
        at: Option<u64>,
        /// Only this account's, by its number.
        #[arg(long, value_name = "ID")]
        account: Option<u32>,
        /// One JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
    /// What happened, in order.
    ///
    /// Example: rialto replay events ./data --from 1000 --instrument BTCUSDT --json
    Events {
        /// The data directory.
        directory: PathBuf,
        /// From this command on.
        #[arg(long, value_name = "SEQUENCE")]
        from: Option<u64>,
        /// Up to this command.
        #[arg(long, value_name = "SEQUENCE")]
        to: Option<u64>,
        /// Only what concerns this account, by its number.
        #[arg(long, value_name = "ID")]
        account: Option<u32>,
        /// Only in this instrument.
        #[arg(long, value_name = "SYMBOL")]
        instrument: Option<String>,
        /// One JSON object a line on standard output.
        #[arg(long)]
        json: bool,
    },
}

/// What a command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done, and all is well.
    Equal,
    /// Done, and there is a difference.
    Different,
}

impl Command {
    /// Does it, and prints the answer.
    ///
    /// # Errors
    /// When it cannot be done; see [`ReplayError`].
    pub fn run(self) -> Result<Verdict, ReplayError> {
        let bar = bar();
        let mut watch = |Progress { done, total }| {
            bar.set_length(total);
            bar.set_position(done);
        };
        match self {
            Self::Verify { directory, json } => {
                let report = verify(&directory, &mut watch)?;
                bar.finish_and_clear();
                print(json, &report, |report| vec![fields(report)])?;
                return Ok(if report.equal { Verdict::Equal } else { Verdict::Different });
            }
            Self::State { directory, at, account, json } => {
                let report = state(&directory, at.map(Sequence), account.map(AccountId), &mut watch)?;
                bar.finish_and_clear();
                print(json, &report, |report| {
                    let mut tables = vec![fields(report)];
                    tables.extend(
                        ["balances", "orders", "holds"].iter().filter_map(|rows| rows_of(report, rows)),
                    );
                    tables
                })?;
            }
            Self::Events { directory, from, to, account, instrument, json } => {
                let filter = EventFilter {
                    from: from.map(Sequence),
                    to: to.map(Sequence),
                    account: account.map(AccountId),
                    instrument,
                };
                let mut out = BufWriter::new(stdout().lock());
                events(&directory, &filter, &mut watch, |event| {
                    if json {
                        writeln!(out, "{event}")?;
                    } else {
                        writeln!(out, "{}", sentence(event))?;
                    }
                    Ok(())
                })?;
                out.flush()?;
                bar.finish_and_clear();
            }
        }
        Ok(Verdict::Equal)
    }
}

/// Drawn only where standard error is a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn print<T: serde::Serialize>(
    json: bool,
    report: &T,
    tables: impl FnOnce(&Value) -> Vec<Table>,
) -> Result<(), ReplayError> {
    let value = serde_json::to_value(report).map_err(std::io::Error::from)?;
    let mut out = stdout().lock();
    if json {
        writeln!(out, "{value}")?;
    } else {
        for table in tables(&value) {
            writeln!(out, "{table}")?;
        }
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An object's plain fields, one a row.
fn fields(report: &Value) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    for (name, value) in report.as_object().into_iter().flatten().filter(|(_, value)| !value.is_array()) {
        table.add_row([name.clone(), text(value)]);
    }
    table
}

/// The rows of a list of objects; nothing when it is empty.
fn rows_of(report: &Value, list: &str) -> Option<Table> {
    let rows = report.get(list)?.as_array()?;
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(rows.first()?.as_object()?.keys());
    for row in rows {
        table.add_row(row.as_object()?.values().map(text));
    }
    Some(table)
}

/// An event for people: where, what, and its fields.
fn sentence(event: &Value) -> String {
    const FIRST: [&str; 7] = ["sequence", "index", "time", "source", "number", "command", "event"];
    let mut line = format!("{}.{} {}", event["sequence"], event["index"], text(&event["event"]));
    for (name, value) in event.as_object().into_iter().flatten() {
        if !FIRST.contains(&name.as_str()) && !value.is_null() {
            // Writing to a String cannot fail.
            let _ = write!(line, " {name}={}", text(value));
        }
    }
    line
}
