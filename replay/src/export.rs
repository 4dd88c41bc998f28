//! The journal as tables for analysts: commands, orders, trades, and every movement of money. Refuses
//! floats, and to leave half a file under a table's name.

mod csv_file;
mod parquet_file;
mod rows;
mod sink;
mod table;

use crate::{
    ReplayError, Watch,
    begin::Begin,
    describe,
    history::{Step, replay},
};
use clap::ValueEnum;
use csv_file::CsvFile;
use parquet_file::ParquetFile;
use protocol::Sequence;
use rows::{At, Orders, Postings};
use serde::Serialize;
use sink::{Beside, Sink, unwritable};
use std::{
    fs,
    path::{Path, PathBuf},
};
use table::{Cell, Column};

/// How tables are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text, a row a line; decimals with eight digits.
    Csv,
    /// Columns, compressed; decimals as decimal(38, 8).
    Parquet,
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TableName {
    /// One row a command: who sent it, what it was, how it ended.
    Commands,
    /// One row for each thing that happened to an order; a trade is one for each of its two.
    Orders,
    /// One row a trade.
    Trades,
    /// One row for each movement of money and its reason, with the balance after it.
    Postings,
}

impl TableName {
    /// Every table.
    pub const ALL: [Self; 4] = [Self::Commands, Self::Orders, Self::Trades, Self::Postings];

    const fn name(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Orders => "orders",
            Self::Trades => "trades",
            Self::Postings => "postings",
        }
    }

    const fn columns(self) -> &'static [Column] {
        match self {
            Self::Commands => &rows::COMMANDS,
            Self::Orders => &rows::ORDERS,
            Self::Trades => &rows::TRADES,
            Self::Postings => &rows::POSTINGS,
        }
    }
}

/// What is exported, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// How.
    pub format: Format,
    /// The directory for the files; made if it is not there.
    pub out: PathBuf,
    /// From this command on.
    pub from: Option<Sequence>,
    /// Up to this command.
    pub to: Option<Sequence>,
    /// Which tables.
    pub tables: Vec<TableName>,
    /// Whether files that are there may be replaced.
    pub force: bool,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// The first command exported; 0 of none.
    pub first_sequence: u64,
    /// The last command exported; 0 of none.
    pub last_sequence: u64,
    /// The files.
    pub files: Vec<ExportedFile>,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedFile {
    /// What is in it.
    pub table: TableName,
    /// Where it is.
    pub file: PathBuf,
    /// How many rows it has.
    pub rows: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Writes tables of the commands asked for.
///
/// # Errors
/// When the journal cannot be read, a file is there already, or one cannot be written. No file has a
/// table's name then that had it not before.
pub fn export(directory: &Path, asked: &Exported, watch: Watch<'_>) -> Result<ExportReport, ReplayError> {
    fs::create_dir_all(&asked.out).map_err(|source| unwritable(&asked.out, source))?;
    let mut outputs = Vec::new();
    for table in TableName::ALL.into_iter().filter(|table| asked.tables.contains(table)) {
        outputs.push(Output::create(table, asked)?);
    }
    let mut range = None;
    // In which asset an order that waits for its list counts its quantity, only its acceptance says.
    let wants_orders = asked.tables.contains(&TableName::Orders);
    let begin = if wants_orders { Begin::First } else { Begin::before(asked.from) };
    replay(directory, begin, asked.to, watch, |step| {
        let is_wanted = asked.from.is_none_or(|from| step.sequence >= from);
        if !is_wanted {
            return outputs.iter_mut().try_for_each(|output| output.pass_over(step));
        }
        let first = range.map_or(step.sequence.0, |(first, _)| first);
        range = Some((first, step.sequence.0));
        let time = describe::iso(step.record.header.time);
        outputs.iter_mut().try_for_each(|output| output.add(step, &time))
    })?;
    let (first_sequence, last_sequence) = range.unwrap_or_default();
    if let Some(from) = asked.from.filter(|from| range.is_some() && first_sequence > from.0) {
        return Err(ReplayError::BeforeTheBeginning { wanted: from, first: Sequence(first_sequence - 1) });
    }
    let whole = outputs.into_iter().map(Output::finish).collect::<Result<Vec<_>, _>>()?;
    let files = whole.into_iter().map(Whole::name).collect::<Result<_, _>>()?;
    Ok(ExportReport { first_sequence, last_sequence, files })
}

/// A table on its way into a file.
struct Output {
    table: TableName,
    beside: Beside,
    sink: Box<dyn Sink>,
    rows: u64,
    orders: Orders,
    postings: Postings,
}

impl Output {
    fn create(table: TableName, asked: &Exported) -> Result<Self, ReplayError> {
        let extension = match asked.format {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        };
        let path = asked.out.join(format!("{}.{extension}", table.name()));
        let (beside, file) = Beside::create(path, asked.force)?;
        let sink: Box<dyn Sink> = match asked.format {
            Format::Csv => Box::new(CsvFile::new(file, table.columns())?),
            Format::Parquet => Box::new(ParquetFile::new(file, table.name(), table.columns())?),
        };
        let (orders, postings) = (Orders::default(), Postings::default());
        Ok(Self { table, beside, sink, rows: 0, orders, postings })
    }

    /// A command before the first one wanted.
    fn pass_over(&mut self, step: &Step<'_>) -> Result<(), ReplayError> {
        if self.table == TableName::Orders {
            self.orders.begin_command();
            step.events(|_, event| {
                self.orders.pass_over(event);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn add(&mut self, step: &Step<'_>, time: &str) -> Result<(), ReplayError> {
        let Self { sink, rows, orders, postings, .. } = self;
        let mut row = |cells: &[Cell<'_>]| {
            *rows += 1;
            sink.row(cells)
        };
        match self.table {
            TableName::Commands => rows::command(step, time, &mut row),
            TableName::Postings => postings.rows(step, time, &mut row),
            TableName::Trades => {
                step.events(|index, event| rows::trade(At { step, index, time }, event, &mut row)).map(|_| ())
            }
            TableName::Orders => {
                orders.begin_command();
                step.events(|index, event| orders.rows(At { step, index, time }, event, &mut row)).map(|_| ())
            }
        }
    }

    /// Writes what is left, durably.
    fn finish(self) -> Result<Whole, ReplayError> {
        let file = self.sink.finish()?;
        let bytes = self.beside.sync(&file)?;
        Ok(Whole { table: self.table, beside: self.beside, rows: self.rows, bytes })
    }
}

/// A table that is whole, but has no name yet.
struct Whole {
    table: TableName,
    beside: Beside,
    rows: u64,
    bytes: u64,
}

impl Whole {
    fn name(self) -> Result<ExportedFile, ReplayError> {
        let Self { table, beside, rows, bytes } = self;
        Ok(ExportedFile { table, file: beside.name()?, rows, bytes })
    }
}
