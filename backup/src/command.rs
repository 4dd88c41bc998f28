//! The command line: arguments in, a table or JSON out, progress on standard error. Refuses to know how
//! backups are made.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Subcommand;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    BackupError, BackupKey, Catalogue, CreateOptions, KeepRule, Kind, Manifest, Progress, RestoreOptions,
    RestoreReport, Stage, Verified, create, prune, restore, verify,
};

/// Backs a data directory up while trading goes on, and restores it.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Makes a backup and checks it.
    ///
    /// Example: rialto backup create ./data --to /mnt/backups --key-file backup.key
    Create {
        /// The data directory, of a stopped or a running exchange
        data: PathBuf,
        /// Where backups are kept
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// The key: 64 hexadecimal characters in a file of mode 0600 (openssl rand -hex 32)
        #[arg(long, value_name = "FILE")]
        key_file: PathBuf,
        /// All there is, or what is new since the newest backup there
        #[arg(long, value_enum, default_value = "full")]
        kind: Kind,
        /// Put the master key into the same backup: whoever opens it has all secrets
        #[arg(long)]
        with_master_key: bool,
        /// Do not work out the state's hash, which a restore compares with
        #[arg(long)]
        without_state_hash: bool,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Reads backups back and proves that nothing in them has changed.
    ///
    /// Example: rialto backup verify /mnt/backups --key-file backup.key
    Verify {
        /// Where backups are kept
        directory: PathBuf,
        /// The key they were made with
        #[arg(long, value_name = "FILE")]
        key_file: PathBuf,
        /// Only this one and those it builds on
        #[arg(long, value_name = "NAME")]
        backup: Option<String>,
        /// One JSON array on standard output
        #[arg(long)]
        json: bool,
    },
    /// Lists the backups there are.
    ///
    /// Example: rialto backup list /mnt/backups
    List {
        /// Where backups are kept
        directory: PathBuf,
        /// One JSON array on standard output
        #[arg(long)]
        json: bool,
    },
    /// Restores a data directory, up to any command, and proves that it is the same state.
    ///
    /// Example: rialto backup restore --from /mnt/backups --to ./restored --key-file backup.key --at 1000
    Restore {
        /// Where backups are kept
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The data directory to make; absent or empty
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// The key they were made with
        #[arg(long, value_name = "FILE")]
        key_file: PathBuf,
        /// This one; the newest when not given
        #[arg(long, value_name = "NAME")]
        backup: Option<String>,
        /// Up to this command; all there are when not given
        #[arg(long, value_name = "SEQUENCE")]
        at: Option<u64>,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Removes the backups that need not be kept: neither the newest of a day, a week or a month, nor what
    /// such a one builds on.
    ///
    /// Example: rialto backup prune /mnt/backups --dry-run
    Prune {
        /// Where backups are kept
        directory: PathBuf,
        /// Days of which the newest stays
        #[arg(long, default_value_t = KeepRule::default().daily)]
        daily: u64,
        /// Weeks of which the newest stays
        #[arg(long, default_value_t = KeepRule::default().weekly)]
        weekly: u64,
        /// Months of which the newest stays
        #[arg(long, default_value_t = KeepRule::default().monthly)]
        monthly: u64,
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
        /// One JSON array on standard output
        #[arg(long)]
        json: bool,
    },
}

/// What a command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done, and all is well.
    Good,
    /// Done, and something is not as it should be.
    Bad,
}

impl Command {
    /// Does it, and prints the answer.
    ///
    /// # Errors
    /// When it cannot be done; see [`BackupError`].
    pub fn run(self) -> Result<Verdict, BackupError> {
        let bar = Bar::new();
        let mut watch = |progress| bar.show(progress);
        let now = SystemTime::now();
        match self {
            Self::Create { data, to, key_file, kind, with_master_key, without_state_hash, json } => {
                let key = BackupKey::read(&key_file)?;
                let options = CreateOptions {
                    data: &data,
                    to: &to,
                    key: &key,
                    kind,
                    with_master_key,
                    with_state_hash: !without_state_hash,
                    now,
                };
                let manifest = create(&options, &mut watch)?;
                bar.clear();
                print(json, &Row::of(&manifest), || table(&[Row::of(&manifest)]))?;
            }
            Self::Verify { directory, key_file, backup, json } => {
                let key = BackupKey::read(&key_file)?;
                let found = verify(&directory, &key, backup.as_deref(), &mut watch)?;
                bar.clear();
                print(json, &found, || verified(&found))?;
                if found.iter().any(|backup| !backup.good) {
                    return Ok(Verdict::Bad);
                }
            }
            Self::List { directory, json } => {
                let catalogue = Catalogue::read(&directory)?;
                let rows: Vec<Row> = catalogue.backups().iter().map(Row::of).collect();
                print(json, &rows, || table(&rows))?;
                for (_, error) in catalogue.unreadable() {
                    eprintln!("rialto: {error}");
                }
                if !catalogue.unreadable().is_empty() {
                    return Ok(Verdict::Bad);
                }
            }
            Self::Restore { from, to, key_file, backup, at, json } => {
                let key = BackupKey::read(&key_file)?;
                let options =
                    RestoreOptions { from: &from, to: &to, key: &key, backup: backup.as_deref(), at };
                let report = restore(&options, &mut watch)?;
                bar.clear();
                print(json, &report, || restored(&report))?;
                if !report.equal {
                    return Ok(Verdict::Bad);
                }
            }
            Self::Prune { directory, daily, weekly, monthly, dry_run, json } => {
                let rule = KeepRule { daily, weekly, monthly };
                let gone = prune(&directory, rule, now, dry_run)?;
                let verb = if dry_run { "would go" } else { "removed" };
                print(json, &gone, || lines(gone.iter().map(|id| format!("{verb}: {id}"))))?;
            }
        }
        Ok(Verdict::Good)
    }
}

/// A backup as it is listed.
#[derive(Clone, Debug, Serialize)]
struct Row {
    id: String,
    kind: Kind,
    parent: Option<String>,
    created: String,
    engine_id: u32,
    first_sequence: u64,
    last_sequence: u64,
    state_hash: Option<String>,
    bytes: u64,
    stored_bytes: u64,
}

impl Row {
    fn of(manifest: &Manifest) -> Self {
        let created = UNIX_EPOCH + Duration::from_millis(manifest.created);
        Self {
            id: manifest.id.clone(),
            kind: manifest.kind,
            parent: manifest.parent.clone(),
            created: humantime::format_rfc3339_millis(created).to_string(),
            engine_id: manifest.engine_id,
            first_sequence: manifest.first_sequence,
            last_sequence: manifest.last_sequence,
            state_hash: manifest.state_hash.clone(),
            bytes: manifest.length(),
            stored_bytes: manifest.stored(),
        }
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(["backup", "builds on", "commands", "state hash", "bytes", "stored"]);
    for row in rows {
        let hash = row.state_hash.as_deref().map_or_else(|| "–".to_owned(), |hash| format!("{hash:.16}…"));
        table.add_row([
            row.id.clone(),
            row.parent.clone().unwrap_or_else(|| "–".to_owned()),
            format!("{} to {}", row.first_sequence, row.last_sequence),
            hash,
            HumanBytes(row.bytes).to_string(),
            HumanBytes(row.stored_bytes).to_string(),
        ]);
    }
    format!("{table}\n")
}

fn verified(found: &[Verified]) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(["backup", "good", "fault"]);
    for backup in found {
        let good = if backup.good { "yes" } else { "NO" };
        table.add_row([&backup.id, good, backup.fault.as_deref().unwrap_or("–")]);
    }
    format!("{table}\n")
}

fn restored(report: &RestoreReport) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    let recorded = report.recorded_hash.as_deref().unwrap_or("not of this command");
    let database = report.database.as_ref().map_or_else(
        || "none".to_owned(),
        |database| format!("of command {} ({})", database.sequence, database.backup),
    );
    for (name, value) in [
        ("restored from", report.backups.join("\n")),
        ("last command", report.last_sequence.to_string()),
        ("state hash", report.state_hash.clone()),
        ("hash when backed up", recorded.to_owned()),
        ("snapshots compared", report.snapshots.to_string()),
        ("equal", if report.equal { "yes".to_owned() } else { "NO".to_owned() }),
        ("difference", report.difference.clone().unwrap_or_else(|| "–".to_owned())),
        ("engine, epoch", format!("{}, above {}", report.engine_id, report.epoch)),
        ("accounts' database", database),
    ] {
        table.add_row([name, &value]);
    }
    let to_do = lines(report.to_do.iter().enumerate().map(|(index, step)| format!("{}. {step}", index + 1)));
    format!("{table}\n\nBefore trading goes on:\n{to_do}")
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn print<T: Serialize>(json: bool, value: &T, text: impl FnOnce() -> String) -> Result<(), BackupError> {
    let out = if json {
        // What is printed has no maps with keys that are not text, which is all that can fail.
        serde_json::to_string(value).expect("it is JSON") + "\n"
    } else {
        text()
    };
    stdout().lock().write_all(out.as_bytes()).map_err(BackupError::io("write", "standard output"))
}

/// Drawn only where standard error is a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style =
            ProgressStyle::with_template("{msg:9} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    fn show(&self, Progress { stage, done, total }: Progress) {
        let word = match stage {
            Stage::Verifying => "verifying",
            Stage::Copying => "copying",
            Stage::Replaying => "replaying",
            Stage::Checking => "checking",
        };
        if self.0.message() != word {
            self.0.set_message(word);
        }
        self.0.set_length(total);
        self.0.set_position(done);
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}
