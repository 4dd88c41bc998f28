//! Restores a data directory from a backup and those it builds on, up to any command, and proves that it
//! is the same state. Refuses a directory that holds something, and to let an engine go on in the epoch
//! of the one that was backed up.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use engine_journal::{DirectoryLock, FileStorage, Identity, JournalReader, cut_journal};
use protocol::{Sequence, SourceId, command::CommandRecord};
use replay::ReplayError;
use zerocopy::IntoBytes as _;

use crate::blob::copy_out;
use crate::catalogue::{Catalogue, names};
use crate::key::{BackupKey, BackupKeys};
use crate::manifest::{Content, Entry, Manifest};
use crate::{BackupError, Progress, Stage, Watch, private};

/// How far a restored engine's epoch is above the one backed up: more than it can have been started
/// since, so that whoever knows its later epochs takes the restored one for the newer.
const EPOCHS_AHEAD: u32 = 1_000;
/// The source of traders' commands: they leave nothing in the accounts' database.
const TRADERS: SourceId = SourceId(1);

/// What is to be restored, and where.
#[derive(Debug)]
pub struct RestoreOptions<'a> {
    /// Where the backups are.
    pub from: &'a Path,
    /// The data directory to make: absent or empty.
    pub to: &'a Path,
    /// What they were encrypted with.
    pub key: &'a BackupKey,
    /// The backup; the newest if not named.
    pub backup: Option<&'a str>,
    /// The last command to restore; all there are if not given.
    pub at: Option<u64>,
}

/// The database that was restored, and how it stands to the journal.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RestoredDatabase {
    /// The backup it is of.
    pub backup: String,
    /// It knows every command of administration up to this one.
    pub sequence: u64,
    /// Commands of administration that the journal has beyond it, and it does not know.
    pub unknown_to_it: Vec<u64>,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RestoreReport {
    /// The backups it was restored from, the full one first.
    pub backups: Vec<String>,
    /// The last command.
    pub last_sequence: u64,
    /// The state after it, made again from what was restored.
    pub state_hash: String,
    /// The hash that was written down when the backup was made, if it was of this command.
    pub recorded_hash: Option<String>,
    /// How many snapshots the replayed state was compared with.
    pub snapshots: u64,
    /// Whether all that was compared is equal. Otherwise the directory cannot be opened.
    pub equal: bool,
    /// What is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// The engine.
    pub engine_id: u32,
    /// The epoch it will go on above.
    pub epoch: u32,
    /// The accounts' database, if the backup has one.
    pub database: Option<RestoredDatabase>,
    /// What is to be done before trading goes on.
    pub to_do: Vec<String>,
}

/// Restores a data directory.
pub fn restore(options: &RestoreOptions<'_>, watch: Watch<'_>) -> Result<RestoreReport, BackupError> {
    let RestoreOptions { from, to, key, .. } = *options;
    let catalogue = Catalogue::read(from)?;
    let backup = catalogue.find(options.backup)?;
    let mut chain = Vec::new();
    for manifest in catalogue.chain(backup)? {
        chain.push(Manifest::read_proved(&catalogue.path(&manifest.id), key)?);
    }
    // Above that of the newest backup, whichever of them are needed.
    let epoch = backup.epoch.saturating_add(EPOCHS_AHEAD);
    let last = options.at.unwrap_or(backup.last_sequence);
    if last > backup.last_sequence {
        let (backup, wanted) = (backup.id.clone(), last);
        let last = chain.last().map_or(0, |(manifest, _)| manifest.last_sequence);
        return Err(BackupError::PastTheEnd { backup, wanted, last });
    }
    // Those after the first that reaches the command are not needed.
    let needed = chain.iter().position(|(manifest, _)| manifest.last_sequence >= last);
    chain.truncate(needed.map_or(chain.len(), |needed| needed + 1));
    if !names(to)?.is_empty() {
        return Err(BackupError::NotEmpty(to.to_owned()));
    }
    private::create_directory(to)?;
    let _lock = DirectoryLock::acquire(to, "rialto backup restore")?;

    // A database that knows no command beyond the last one; else the one that knows the fewest.
    let database = chain.iter().rposition(|(manifest, _)| manifest.last_sequence <= last).unwrap_or(0);
    copy_files(&catalogue, &chain, to, last, database, watch)?;
    let storage = FileStorage::new(to);
    if last > 0 {
        cut_journal(&storage, last)?;
    }

    let mut tick = |progress: replay::Progress| {
        watch(Progress { stage: Stage::Replaying, done: progress.done, total: progress.total });
    };
    let proof = prove(to, &chain, last, &mut tick)?;
    let identity = Identity { engine_id: backup.engine_id, epoch };
    if proof.equal {
        // Last of all: without it no exchange opens the directory.
        identity.write(&storage)?;
    }
    let database = restored_database(&chain[database].0, &storage, last)?;
    let to_do = to_do(last, backup.last_sequence, &chain, database.as_ref());
    Ok(RestoreReport {
        backups: chain.iter().map(|(manifest, _)| manifest.id.clone()).collect(),
        last_sequence: last,
        state_hash: proof.state_hash,
        recorded_hash: proof.recorded,
        snapshots: proof.snapshots,
        equal: proof.equal,
        difference: proof.difference,
        engine_id: identity.engine_id,
        epoch: identity.epoch,
        database,
        to_do,
    })
}

/// Whether an entry of a backup belongs to what is restored.
fn is_wanted(content: &Content, last: u64, is_database: bool) -> bool {
    match *content {
        Content::Journal { segment, .. } | Content::Archived { segment } => segment <= last,
        Content::Snapshot { sequence } | Content::Void { sequence } => sequence <= last,
        Content::Accounts | Content::MasterKey | Content::ProofKey => is_database,
    }
}

fn copy_files(
    catalogue: &Catalogue,
    chain: &[(Manifest, BackupKeys)],
    to: &Path,
    last: u64,
    database: usize,
    watch: Watch<'_>,
) -> Result<(), BackupError> {
    let wanted: Vec<(usize, usize, &Entry)> = chain
        .iter()
        .enumerate()
        .flat_map(|(link, (manifest, _))| {
            manifest.files.iter().enumerate().map(move |(number, entry)| (link, number, entry))
        })
        .filter(|(link, _, entry)| is_wanted(&entry.content, last, *link == database))
        .collect();
    let total = wanted.iter().map(|(_, _, entry)| entry.length).sum();
    let mut done = 0;
    let mut files: BTreeMap<String, u64> = BTreeMap::new();
    for (link, number, entry) in wanted {
        let (manifest, keys) = &chain[link];
        let name = entry.content.path();
        let path = to.join(&name);
        let failed = || BackupError::io("write", &path);
        if let Some(directory) = path.parent() {
            private::create_directory(directory)?;
        }
        let mut options = OpenOptions::new();
        // A void or a snapshot may be in several backups, the same in each.
        options.write(true).create(true).truncate(!files.contains_key(&name)).mode(0o600);
        let mut file = options.open(&path).map_err(failed())?;
        if let Content::Journal { offset, file_length, .. } = entry.content {
            file.seek(SeekFrom::Start(offset)).map_err(failed())?;
            files.insert(name, file_length);
        }
        copy_out(&catalogue.path(&manifest.id), number, entry, keys, &mut file, &path, &mut |count| {
            done += count;
            watch(Progress { stage: Stage::Copying, done, total });
        })?;
        file.flush().and_then(|()| file.sync_all()).map_err(failed())?;
    }
    for (name, length) in &files {
        let path = to.join(name);
        let extend = || {
            let file = File::options().write(true).open(&path)?;
            // Zeros, as an unfinished segment has at its end.
            file.set_len(file.metadata()?.len().max(*length))?;
            file.sync_all()
        };
        extend().map_err(BackupError::io("write", &path))?;
    }
    for name in names(to)?.iter().map(|name| to.join(name)).filter(|path| path.is_dir()) {
        private::sync_directory(&name)?;
    }
    private::sync_directory(to)
}

/// What a replay of the restored directory said.
struct Proof {
    state_hash: String,
    recorded: Option<String>,
    snapshots: u64,
    equal: bool,
    difference: Option<String>,
}

/// Applies the restored journal again, from nothing and from every snapshot, and compares.
fn prove(
    to: &Path,
    chain: &[(Manifest, BackupKeys)],
    last: u64,
    tick: &mut dyn FnMut(replay::Progress),
) -> Result<Proof, BackupError> {
    let recorded = chain
        .iter()
        .filter(|(manifest, _)| manifest.last_sequence == last)
        .find_map(|(manifest, _)| manifest.state_hash.clone());
    if last == 0 {
        let state_hash = "none: there is no command".to_owned();
        return Ok(Proof { state_hash, recorded, snapshots: 0, equal: true, difference: None });
    }
    let found = replay::verify(to, tick)?;
    let difference = if found.last_sequence != last {
        Some(format!("the restored journal ends with command {}", found.last_sequence))
    } else if recorded.as_ref().is_some_and(|recorded| *recorded != found.state_hash) {
        Some("the state's hash is not the one that was written down when the backup was made".to_owned())
    } else {
        found.difference
    };
    let equal = found.equal && difference.is_none();
    Ok(Proof { state_hash: found.state_hash, recorded, snapshots: found.snapshots, equal, difference })
}

fn restored_database(
    manifest: &Manifest,
    storage: &FileStorage,
    last: u64,
) -> Result<Option<RestoredDatabase>, BackupError> {
    if !manifest.files.iter().any(|entry| entry.content == Content::Accounts) {
        return Ok(None);
    }
    let sequence = manifest.last_sequence;
    let unknown_to_it = if sequence < last { not_of_traders(storage, sequence + 1)? } else { Vec::new() };
    Ok(Some(RestoredDatabase { backup: manifest.id.clone(), sequence, unknown_to_it }))
}

/// The commands from `from` on that did not come from traders.
fn not_of_traders(storage: &FileStorage, from: u64) -> Result<Vec<u64>, BackupError> {
    let mut reader = JournalReader::open(storage.clone(), from)?;
    let mut found = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        for (sequence, record) in batch.records() {
            // Read where words may stand: a record's length is a multiple of 8.
            let words: Vec<u64> = record
                .chunks_exact(8)
                .map(|word| u64::from_ne_bytes(word.try_into().unwrap_or_default()))
                .collect();
            let record = CommandRecord::parse(words.as_bytes())
                .map_err(|source| ReplayError::Record { sequence: Sequence(sequence), source })?;
            if record.header.source != TRADERS {
                found.push(sequence);
            }
        }
    }
    Ok(found)
}

fn to_do(
    last: u64,
    newest: u64,
    chain: &[(Manifest, BackupKeys)],
    database: Option<&RestoredDatabase>,
) -> Vec<String> {
    let mut to_do = Vec::new();
    if last < newest {
        to_do.push(format!(
            "The commands {} to {newest} of the backup are given up. Whoever saw their effects must be told: traders, and every service that keeps its own numbers. Such a service compares its highest number with the engine's when it starts, must not send under a number it has used, and marks what is above as given up.",
            last + 1
        ));
    }
    to_do.push(
        "Everything after the backup is not in it. Whoever consumes the event stream by (epoch, sequence) must drop what it has above the last command here, or be rebuilt from the event log."
            .to_owned(),
    );
    to_do.push("Never start the exchange that was backed up again beside this one.".to_owned());
    if let Some((first, _)) = chain.first()
        && first.first_sequence > 1
        && !first.files.iter().any(|entry| matches!(entry.content, Content::Archived { segment: 1 }))
    {
        to_do.push(format!(
            "The journal begins with command {}: what is before was deleted without an archive, and the event log cannot be made again from it.",
            first.first_sequence
        ));
    }
    match database {
        None => to_do.push("There is no accounts' database in the backup: make accounts' names and keys anew.".to_owned()),
        Some(database) if database.sequence > last => to_do.push(format!(
            "The accounts' database is of command {}, later than the journal: accounts opened after command {last} have a name and keys in it and do not exist. Compare `rialto replay state` with GET /admin/accounts before opening any account.",
            database.sequence
        )),
        Some(database) if !database.unknown_to_it.is_empty() => to_do.push(format!(
            "The accounts' database is of command {}, earlier than the journal, and administration acted since, see unknown_to_it: read each with `rialto replay events`. Rather restore to command {}, where both agree.",
            database.sequence, database.sequence
        )),
        Some(_) => {}
    }
    if database.is_some()
        && !chain
            .iter()
            .flat_map(|(manifest, _)| &manifest.files)
            .any(|entry| entry.content == Content::MasterKey)
    {
        to_do.push("Put master.key back from where it is kept (mode 0600), or set RIALTO_MASTER_KEY: without it no key's secret opens.".to_owned());
    }
    to_do
}
