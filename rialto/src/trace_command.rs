//! `rialto trace`: follows one message from a gateway's door to the rows it became, and prints each
//! station. Refuses to change anything.

use crate::{
    command_line::TraceFlags,
    config::{Config, DatabaseSetting},
    trace::{self, BookRows, Journaled, Logged, Published},
};
use anyhow::Context as _;
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use database::TableGroup;
use protocol::{Sequence, Time};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// The table's width.
const WIDTH: u16 = 160;

/// A message's way. A station that is not configured, or not reached yet, is not there.
#[derive(Debug, Serialize)]
struct Way {
    command: Journaled,
    events: Vec<Value>,
    event_log: Option<Logged>,
    kafka: Option<Published>,
    books: Option<BookRows>,
}

/// Whether the message was found.
pub(crate) fn run(flags: &TraceFlags) -> anyhow::Result<bool> {
    let config = Config::of(&flags.common)?;
    // Beside the engine its data directory is `event_log`.
    let directory = config.event_log.clone().unwrap_or_else(|| config.data.clone());
    let commands = match (&flags.id, flags.sequence) {
        (_, Some(sequence)) => trace::find_sequence(&directory, Sequence(sequence))?,
        (Some(id), None) => {
            let trace = u64::from_str_radix(id, 16)
                .with_context(|| format!("{id:?} is no trace: it has up to 16 hexadecimal digits"))?;
            trace::find_trace(&directory, trace, Sequence(flags.from.max(1)))?
        }
        (None, None) => Vec::new(),
    };
    let ways = commands.into_iter().map(|command| way(&config, &directory, command));
    let ways = ways.collect::<anyhow::Result<Vec<_>>>()?;
    if flags.json {
        println!("{}", serde_json::to_string(&ways)?);
    } else {
        for way in &ways {
            println!("{}", table(way));
        }
    }
    if ways.is_empty() {
        eprintln!("there is no such command in the journal of {}", directory.display());
    }
    Ok(!ways.is_empty())
}

fn way(config: &Config, directory: &Path, command: Journaled) -> anyhow::Result<Way> {
    let sequence = Sequence(command.sequence);
    let kafka = match config.kafka_options()? {
        Some(options) => trace::published(&options, sequence)?,
        None => None,
    };
    let location = config.database(TableGroup::Settlement)?;
    let has_books = match &config.database {
        DatabaseSetting::Sqlite => config.data.join("settlement.sqlite").exists(),
        DatabaseSetting::Postgres(_) => true,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let books = if has_books { Some(runtime.block_on(trace::look_up(&location, sequence))?) } else { None };
    Ok(Way {
        events: trace::events(directory, sequence)?,
        event_log: trace::logged(directory, sequence)?,
        command,
        kafka,
        books,
    })
}

/// A station a row.
fn table(way: &Way) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.set_header(["station", "where", "what"]);
    let Way { command, .. } = way;
    let sender = match command.source {
        0 => "the engine's timer".to_owned(),
        2 => "administration".to_owned(),
        3 => "the engine, for a gateway that ended".to_owned(),
        source => format!("gateway {source}"),
    };
    table.add_row(["door".to_owned(), sender, format!("trace {}", command.trace)]);
    table.add_row([
        "journal".to_owned(),
        format!("sequence {}, in segment {}", command.sequence, command.segment),
        format!(
            "{} {} of source {}, {}",
            command.command,
            command.number,
            command.source,
            humantime(Time(command.time))
        ),
    ]);
    for event in &way.events {
        let place = format!("event {}.{}", event["sequence"], event["index"]);
        table.add_row(["core".to_owned(), place, sentence(event)]);
    }
    table.add_row([
        "event log".to_owned(),
        way.event_log
            .as_ref()
            .map_or("not yet".to_owned(), |group| format!("group {} to {}", group.first, group.last)),
        String::new(),
    ]);
    if let Some(record) = &way.kafka {
        table.add_row([
            "Kafka".to_owned(),
            format!("{}, partition {}, offset {}", record.topic, record.partition, record.offset),
            format!("commands {} to {}, epoch {}", record.first, record.last, record.epoch),
        ]);
    }
    if let Some(books) = &way.books {
        let reached = if books.position >= command.sequence { "written" } else { "not yet" };
        table.add_row([
            "books".to_owned(),
            format!("at sequence {}: {reached}", books.position),
            String::new(),
        ]);
        for (name, rows) in
            [("orders", &books.orders), ("trades", &books.trades), ("postings", &books.postings)]
        {
            for row in rows {
                table.add_row(["books".to_owned(), name.to_owned(), sentence(row)]);
            }
        }
    }
    table
}

/// An object's fields in one line, its name first.
fn sentence(object: &Value) -> String {
    const ELSEWHERE: [&str; 7] = ["sequence", "index", "time", "source", "number", "command", "event"];
    let name = object["event"].as_str().map(str::to_owned);
    let fields = object.as_object().into_iter().flatten();
    let fields = fields.filter(|(key, value)| !ELSEWHERE.contains(&key.as_str()) && !value.is_null());
    let fields = fields.map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}={text}"),
        None => format!("{key}={value}"),
    });
    name.into_iter().chain(fields).collect::<Vec<_>>().join(" ")
}

/// A time as people read it, UTC.
fn humantime(Time(nanoseconds): Time) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(nanoseconds);
    humantime::format_rfc3339_micros(time).to_string()
}
