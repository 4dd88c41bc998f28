//! Answers as tables for people and as JSON. Refuses to know how they were found.

use crate::{Entry, ExplainReport, Explained, ReplayError, SumRow, Watch, explain as explained};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use serde_json::Value;
use std::{
    fmt::Write as _,
    io::{BufWriter, Write, stdout},
    path::Path,
};

/// Columns of a table with sentences.
const WIDTH: u16 = 180;
/// Rows of a table that is printed while it is made: what a table holds, it keeps in memory.
const ROWS: usize = 500;

fn table() -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table
}

pub(super) fn print<T: serde::Serialize>(
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
pub(super) fn fields(report: &Value) -> Table {
    let mut table = table();
    for (name, value) in report.as_object().into_iter().flatten().filter(|(_, value)| !value.is_array()) {
        table.add_row([name.clone(), text(value)]);
    }
    table
}

/// The rows of a list of objects; nothing when it is empty.
pub(super) fn rows_of(report: &Value, list: &str) -> Option<Table> {
    let rows = report.get(list)?.as_array()?;
    let mut table = table();
    table.set_header(rows.first()?.as_object()?.keys());
    for row in rows {
        table.add_row(row.as_object()?.values().map(text));
    }
    Some(table)
}

/// The same with long texts wrapped.
pub(super) fn wrapped_rows_of(report: &Value, list: &str) -> Option<Table> {
    let mut table = rows_of(report, list)?;
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    Some(table)
}

/// An event for people: where, what, and its fields.
pub(super) fn sentence(event: &Value) -> String {
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

/// Explains a balance: JSON and tables leave while the journal is read.
pub(super) fn explain(
    directory: &Path,
    asked: &Explained,
    json: bool,
    watch: Watch<'_>,
) -> Result<ExplainReport, ReplayError> {
    let mut out = BufWriter::new(stdout().lock());
    if json {
        let mut comma = "";
        write!(out, "{{\"entries\":[")?;
        let report = explained(directory, asked, watch, |entry| {
            write!(out, "{comma}{}", to_text(entry)?)?;
            comma = ",";
            Ok(())
        })?;
        // The report's own fields follow in the same object.
        writeln!(out, "],{}", &to_text(&report)?[1..])?;
        out.flush()?;
        return Ok(report);
    }
    let mut table = changes_table();
    let mut rows = 0;
    let report = explained(directory, asked, watch, |entry| {
        rows += add_changes(&mut table, entry);
        if rows >= ROWS {
            writeln!(out, "{table}")?;
            table = changes_table();
            rows = 0;
        }
        Ok(())
    })?;
    if rows > 0 {
        writeln!(out, "{table}")?;
    }
    writeln!(out, "{}", sums_table(&report.sums, &report))?;
    match &report.difference {
        None => writeln!(
            out,
            "Account {} has {} {} available and {} held after command {}: {} commands moved it, and after each the \
             engine's own balance was the same.",
            report.account, report.available, report.asset, report.held, report.sequence, report.commands
        )?,
        Some(difference) => writeln!(out, "This does not add up: {difference}.")?,
    }
    out.flush()?;
    Ok(report)
}

fn to_text<T: serde::Serialize>(value: &T) -> Result<String, ReplayError> {
    serde_json::to_string(value).map_err(|error| std::io::Error::from(error).into())
}

fn changes_table() -> Table {
    let mut table = table();
    table.set_header([
        "sequence",
        "time (UTC)",
        "what happened",
        "available",
        "held",
        "available after",
        "held after",
    ]);
    // The sentence is what is wrapped.
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    align(&mut table, 3);
    table
}

/// Numbers stand at the right, from column `first` on.
fn align(table: &mut Table, first: usize) {
    for column in table.column_iter_mut().skip(first) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// One row a movement; returns how many.
fn add_changes(table: &mut Table, entry: &Entry) -> usize {
    for change in &entry.changes {
        table.add_row([
            entry.sequence.to_string(),
            entry.time_iso.clone(),
            change.text.clone(),
            signed(&change.available_change),
            signed(&change.held_change),
            change.available.clone(),
            change.held.clone(),
        ]);
    }
    entry.changes.len()
}

fn sums_table(sums: &[SumRow], report: &ExplainReport) -> Table {
    let mut table = table();
    table.set_header(["reason", "movements", "available", "held"]);
    if let Some(before) = &report.brought_forward {
        let what = format!("balance brought forward, after command {}", before.sequence);
        table.add_row([what, String::new(), signed(&before.available), signed(&before.held)]);
    }
    for sum in sums {
        table.add_row([
            sum.kind.name().replace('_', " "),
            sum.count.to_string(),
            signed(&sum.available_change),
            signed(&sum.held_change),
        ]);
    }
    let movements: u64 = sums.iter().map(|sum| sum.count).sum();
    table.add_row([
        "balance".to_owned(),
        movements.to_string(),
        report.available.clone(),
        report.held.clone(),
    ]);
    align(&mut table, 1);
    table
}

/// A change: nothing where there is none, with its sign where there is one.
fn signed(change: &str) -> String {
    let is_none = change.bytes().all(|byte| byte == b'0' || byte == b'.');
    match (is_none, change.starts_with('-')) {
        (true, _) => String::new(),
        (false, true) => change.to_owned(),
        (false, false) => format!("+{change}"),
    }
}
