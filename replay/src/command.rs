//! The command line: arguments in, a table or JSON out, progress on standard error. Refuses to know
//! how anything is found out.

mod print;

use crate::{
    EventFilter, Explained, Exported, Format, Progress, ReplayError, TableName, diff, events, export, state,
    verify, void,
};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use print::{fields, print, rows_of, sentence, wrapped_rows_of};
use protocol::{AccountId, Sequence};
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
    /// Why a balance is what it is: every command that moved it, and what it added up to.
    ///
    /// Each line is one movement for one reason: a deposit, what an order set aside, a fill with its
    /// price and both orders, a fee. After every command the sum is held to the engine's own balance;
    /// a difference ends it with status 1.
    ///
    /// Example: rialto replay explain ./data --account 7 --asset USDT
    Explain {
        /// The data directory.
        directory: PathBuf,
        /// Whose balance, by the account's number.
        #[arg(long, value_name = "ID")]
        account: u32,
        /// Of what, by the asset's name.
        #[arg(long, value_name = "ASSET")]
        asset: String,
        /// As it was after this command; after the last one if not given.
        #[arg(long, value_name = "SEQUENCE")]
        at: Option<u64>,
        /// One JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
    /// The first command at which two data directories part, and how.
    ///
    /// Compares the commands byte by byte, then what both have kept of their effects: snapshots and
    /// event logs. Where they part it lists what differs: fields of the command, of its events, and the
    /// balances, orders and counters after it. Status 1 when there is a difference, also when one
    /// journal is merely longer.
    ///
    /// Example: rialto replay diff ./data ./restored
    Diff {
        /// A data directory.
        left: PathBuf,
        /// Another one.
        right: PathBuf,
        /// One JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Tables for analysts, as CSV or Parquet: commands, orders, trades, postings.
    ///
    /// Numbers are exact: decimals with eight digits in CSV, decimal(38, 8) in Parquet; times are
    /// nanoseconds since 1970 and text. `postings` has each movement of money with its reason and the
    /// balance after it. Files get their names once all of them are whole.
    ///
    /// Example: rialto replay export ./data --format parquet --out ./march --from 1000000
    Export {
        /// The data directory.
        directory: PathBuf,
        /// How tables are written.
        #[arg(long, value_enum)]
        format: Format,
        /// The directory for the files; made if it is not there.
        #[arg(long, value_name = "DIR", default_value = "./export")]
        out: PathBuf,
        /// From this command on.
        #[arg(long, value_name = "SEQUENCE")]
        from: Option<u64>,
        /// Up to this command.
        #[arg(long, value_name = "SEQUENCE")]
        to: Option<u64>,
        /// Which tables, by comma; all if not given.
        #[arg(long, value_enum, value_delimiter = ',')]
        tables: Vec<TableName>,
        /// Replaces files that are there.
        #[arg(long)]
        force: bool,
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
    /// Voids a command that breaks an invariant, so that an exchange that halted at it goes on.
    ///
    /// The exchange must be stopped. The command is applied once more to see that it does break one;
    /// every later start and replay passes over it.
    ///
    /// Example: rialto replay void ./data --sequence 4016 --reason "a broken clock" --administrator Ada
    /// --administrator Grace
    Void {
        /// The data directory.
        directory: PathBuf,
        /// The command, as the halt names it.
        #[arg(long)]
        sequence: u64,
        /// Why, in one line, for those who read it later.
        #[arg(long)]
        reason: String,
        /// Who decides; given twice, with two names.
        #[arg(long = "administrator", required = true, value_name = "NAME")]
        administrators: Vec<String>,
        /// One JSON object on standard output.
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
            Self::Explain { directory, account, asset, at, json } => {
                let asked = Explained { account: AccountId(account), asset, at: at.map(Sequence) };
                let report = print::explain(&directory, &asked, json, &mut watch)?;
                bar.finish_and_clear();
                return Ok(if report.equal { Verdict::Equal } else { Verdict::Different });
            }
            Self::Export { directory, format, out, from, to, tables, force, json } => {
                let tables = if tables.is_empty() { TableName::ALL.to_vec() } else { tables };
                let (from, to) = (from.map(Sequence), to.map(Sequence));
                let report =
                    export(&directory, &Exported { format, out, from, to, tables, force }, &mut watch)?;
                bar.finish_and_clear();
                print(json, &report, |report| {
                    let mut tables = vec![fields(report)];
                    tables.extend(rows_of(report, "files"));
                    tables
                })?;
            }
            Self::Diff { left, right, json } => {
                let report = diff(&left, &right, &mut watch)?;
                bar.finish_and_clear();
                print(json, &report, |report| {
                    let mut tables = vec![fields(report)];
                    tables.extend(wrapped_rows_of(report, "differences"));
                    tables
                })?;
                return Ok(if report.equal { Verdict::Equal } else { Verdict::Different });
            }
            Self::Void { directory, sequence, reason, administrators, json } => {
                let administrators = administrators.try_into().map_err(|_| ReplayError::OneAdministrator)?;
                let report = void(&directory, Sequence(sequence), &reason, administrators, &mut watch)?;
                bar.finish_and_clear();
                print(json, &report, |report| vec![fields(report)])?;
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
