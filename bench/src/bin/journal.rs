//! Writes a generated order stream as an exchange's journal, to measure recovery and replay on it.

use anyhow::Context;
use bench::{
    rialto::streams::{Dress, Prepared},
    stream_file::StreamFile,
};
use clap::Parser;
use engine_journal::{FileStorage, JournalOptions, JournalWriter};
use indicatif::ProgressBar;
use protocol::Sequence;
use std::{path::PathBuf, process::ExitCode};

/// Commands of a group: one write and one sync.
const GROUP_COMMANDS: usize = 4_096;

/// Writes a generated order stream as the journal of a new data directory, as an exchange would have
/// written it, so that recovery and replay can be measured.
///
/// Example: journal target/bench-streams/s1_1k --out /tmp/data && time rialto replay verify /tmp/data
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Arguments {
    /// The stream
    stream: PathBuf,
    /// The data directory, which must have no journal
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
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

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let stream = StreamFile::open(&arguments.stream)?;
    let prepared = Prepared::new(&stream, Dress::Plain);
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("cannot make {}", arguments.out.display()))?;
    let (mut journal, recovered) =
        JournalWriter::open(FileStorage::new(&arguments.out), JournalOptions::default())?;
    anyhow::ensure!(recovered.last_sequence == 0, "{} has a journal already", arguments.out.display());
    let progress = ProgressBar::new(prepared.commands() as u64);
    let mut bytes = 0;
    for (count, group) in prepared.stamped(GROUP_COMMANDS) {
        let first = journal.next_sequence();
        journal.append_batch(first, count as u32, &group)?;
        bytes += group.len();
        progress.inc(count as u64);
    }
    progress.finish_and_clear();
    let last = Sequence(journal.durable_sequence());
    println!(
        "{}: {last} commands, {bytes} bytes, {} orders at rest, state {}",
        arguments.out.display(),
        prepared.totals.live,
        prepared.state_hash
    );
    Ok(())
}
