//! Makes a backup while trading goes on: database first, then the journal up to at least what the
//! database refers to, and nothing of administration's after it. Refuses to touch the data directory.
//!
//! What consistent means, and why this order gives it, is in docs/decisions/backup.md.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use engine_journal::{Archive, DirectoryLock, FileStorage, Identity, ReadError, Snapshots, journal_segments};
use protocol::Sequence;
use replay::ReplayError;
use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::blob::BlobWriter;
use crate::catalogue::{Catalogue, UNFINISHED, names};
use crate::key::{BackupKey, SALT};
use crate::manifest::{Content, FORMAT, Kind, Manifest};
use crate::source::{JournalWalk, LiveDatabase, Stretch, open_stretch};
use crate::verify::check_files;
use crate::{BackupError, Progress, Stage, Watch, private};

/// How often the database is copied again because administration promised something meanwhile.
const ATTEMPTS: u32 = 20;
const MASTER_KEY: &str = "master.key";
const PROOF_KEY: &str = "proof.key";

/// What is to be backed up, and how.
#[derive(Debug)]
pub struct CreateOptions<'a> {
    /// The data directory, of a stopped or a running exchange.
    pub data: &'a Path,
    /// Where backups are kept.
    pub to: &'a Path,
    /// What they are encrypted with.
    pub key: &'a BackupKey,
    /// Full, or what is new since the newest one there.
    pub kind: Kind,
    /// Whether the master key, which opens the secrets in the database, is put in the same backup.
    pub with_master_key: bool,
    /// Whether the state's hash is worked out, for a restore to compare with.
    pub with_state_hash: bool,
    /// Now.
    pub now: SystemTime,
}

/// Makes a backup, checks it, and gives its manifest. What was left of an attempt that did not finish is
/// removed first.
pub fn create(options: &CreateOptions<'_>, watch: Watch<'_>) -> Result<Manifest, BackupError> {
    let CreateOptions { data, to, key, kind, .. } = *options;
    let storage = FileStorage::new(data);
    let identity = Identity::read(&storage)?.ok_or_else(|| BackupError::NoExchange(data.to_owned()))?;
    private::create_directory(to)?;
    let _lock = DirectoryLock::acquire(to, "rialto backup create")?;
    for name in names(to)?.iter().filter(|name| name.starts_with(UNFINISHED)) {
        private::remove_directory(&to.join(name))?;
    }
    let catalogue = Catalogue::read(to)?;
    let base = match kind {
        Kind::Full => None,
        Kind::Incremental => Some(Base::find(&catalogue, identity.engine_id, key)?),
    };

    let created = options.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let staging = to.join(format!("{UNFINISHED}{created}"));
    private::create_directory(&staging)?;
    let mut salt = [0; SALT];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| BackupError::io("encrypt", &staging)(io::Error::other("no random bytes")))?;
    let keys = key.of_backup(&salt);
    let mut blobs = BlobWriter::new(&staging, &keys);

    let mut walk = begin_walk(&storage, base.as_ref())?;
    let first_live = journal_segments(&storage)?.first().copied();
    let database = copy_database(data, &staging, &mut walk, watch)?;
    if let Some(base) = &base {
        base.is_continued_by(data)?;
    }

    let total: u64 = walk.stretches.iter().map(|stretch| stretch.to - stretch.from).sum();
    let mut done = 0;
    let mut tick = |count| {
        done += count;
        watch(Progress { stage: Stage::Copying, done, total: total.max(done) });
    };
    for stretch in &walk.stretches {
        let (mut source, file_length) = open_stretch(data, *stretch)?;
        let Stretch { segment, from: offset, .. } = *stretch;
        let content = Content::Journal { segment, offset, file_length };
        blobs.store(content, &mut source, &data.join("journal"), &mut tick)?;
    }
    if base.is_none() {
        for segment in Archive::of(storage.clone()).list()? {
            if first_live.is_none_or(|first| segment < first) {
                let content = Content::Archived { segment };
                let path = data.join(content.path());
                store_file(&mut blobs, content, &path, &mut tick)?;
            }
        }
    }
    let held = base.as_ref().map_or(0, |base| base.last_sequence);
    store_snapshots(&mut blobs, data, held, walk.last_sequence, &mut tick)?;
    store_voids(&mut blobs, data, walk.last_sequence, &mut tick)?;
    if let Some(copy) = database {
        store_file(&mut blobs, Content::Accounts, &copy, &mut tick)?;
        fs::remove_file(&copy).map_err(BackupError::io("remove", &copy))?;
    }
    let proof_key = data.join(PROOF_KEY);
    if proof_key.exists() {
        store_file(&mut blobs, Content::ProofKey, &proof_key, &mut tick)?;
    }
    if options.with_master_key {
        store_file(&mut blobs, Content::MasterKey, &data.join(MASTER_KEY), &mut tick)?;
    }
    let files = blobs.entries;
    let last_sequence = walk.last_sequence;
    let state_hash = if options.with_state_hash { state_hash(data, last_sequence, watch)? } else { None };

    let manifest = Manifest {
        format: FORMAT,
        id: name(options.now, kind, last_sequence),
        kind,
        parent: base.map(|base| base.id),
        created,
        program: concat!("rialto ", env!("CARGO_PKG_VERSION")).to_owned(),
        engine_id: identity.engine_id,
        epoch: identity.epoch,
        first_sequence: walk.first_sequence,
        last_sequence,
        state_hash,
        key: keys.name(),
        salt: HEXLOWER.encode(&salt),
        files,
    };
    manifest.write(&staging, &keys)?;
    check_files(&staging, &manifest, &keys, watch)?;
    private::sync_directory(&staging)?;
    let place = to.join(&manifest.id);
    fs::rename(&staging, &place).map_err(BackupError::io("name", &place))?;
    private::sync_directory(to)?;
    Ok(Manifest::read_proved(&place, key)?.0)
}

/// The name of a backup: when, what, and up to which command; sorted as text it is sorted by time.
fn name(now: SystemTime, kind: Kind, last_sequence: u64) -> String {
    let time = humantime::format_rfc3339_millis(now).to_string().replace(['-', ':'], "");
    let kind = match kind {
        Kind::Full => "full",
        Kind::Incremental => "incremental",
    };
    format!("{time}-{kind}-{last_sequence}")
}

/// The backup that an incremental one builds on.
struct Base {
    id: String,
    last_sequence: u64,
    /// The last stretch of the journal in it or in those before it, and its hash.
    end: Option<(Stretch, String)>,
}

impl Base {
    fn find(catalogue: &Catalogue, engine_id: u32, key: &BackupKey) -> Result<Self, BackupError> {
        let chain = catalogue.chain(catalogue.newest_of(engine_id)?)?;
        let mut base = Self { id: String::new(), last_sequence: 0, end: None };
        for manifest in chain {
            let (manifest, _) = Manifest::read_proved(&catalogue.path(&manifest.id), key)?;
            for entry in &manifest.files {
                if let Content::Journal { segment, offset, .. } = entry.content {
                    let stretch = Stretch { segment, from: offset, to: offset + entry.length };
                    base.end = Some((stretch, entry.sha256.clone()));
                }
            }
            (base.id, base.last_sequence) = (manifest.id, manifest.last_sequence);
        }
        Ok(base)
    }

    /// The journal still holds what the base ends with: it was not restored to an earlier command since.
    fn is_continued_by(&self, data: &Path) -> Result<(), BackupError> {
        let Some((stretch, sha256)) = &self.end else { return Ok(()) };
        let another = || BackupError::AnotherHistory { parent: self.id.clone() };
        let (mut source, _) = open_stretch(data, *stretch).map_err(|_| another())?;
        let mut content = Vec::new();
        source.read_to_end(&mut content).map_err(BackupError::io("read", data.join("journal")))?;
        let mut digest = Context::new(&SHA256);
        digest.update(&content);
        if HEXLOWER.encode(digest.finish().as_ref()) == *sha256 { Ok(()) } else { Err(another()) }
    }
}

fn begin_walk(storage: &FileStorage, base: Option<&Base>) -> Result<JournalWalk, BackupError> {
    let Some(base) = base else {
        // What is archived is copied as it is.
        let first = journal_segments(storage)?.first().copied().unwrap_or(0);
        return JournalWalk::begin(storage.clone(), first, None);
    };
    let within = base.end.as_ref().map(|(stretch, _)| (stretch.segment, stretch.to));
    let walk = JournalWalk::begin(storage.clone(), base.last_sequence + 1, within);
    walk.map_err(|error| match error {
        // The journal begins above the base's end, and no archive has what is between.
        BackupError::Journal(ReadError::Deleted { .. }) => {
            BackupError::AnotherHistory { parent: base.id.clone() }
        }
        error => error,
    })
}

/// Copies the database, then walks the journal, until no promise of administration's fell between: the
/// copy then knows every command of administration that the walked journal holds, and the journal holds
/// every command whose answer the copy knows.
fn copy_database(
    data: &Path,
    staging: &Path,
    walk: &mut JournalWalk,
    watch: Watch<'_>,
) -> Result<Option<PathBuf>, BackupError> {
    let mut tick = |done, total| watch(Progress { stage: Stage::Verifying, done, total });
    let Some(database) = LiveDatabase::open(data)? else {
        walk.go_on(&mut tick)?;
        return Ok(None);
    };
    let path = staging.join("accounts.copy");
    for _ in 0..ATTEMPTS {
        let promised = database.copy_to(&path)?;
        walk.go_on(&mut tick)?;
        if database.promises()? == promised {
            return Ok(Some(path));
        }
        fs::remove_file(&path).map_err(BackupError::io("remove", &path))?;
    }
    Err(BackupError::Restless(ATTEMPTS))
}

fn store_file(
    blobs: &mut BlobWriter<'_>,
    content: Content,
    path: &Path,
    tick: &mut dyn FnMut(u64),
) -> Result<(), BackupError> {
    let mut file = File::open(path).map_err(BackupError::io("read", path))?;
    blobs.store(content, &mut file, path, tick)
}

/// Every good snapshot of a command after `held` and up to `last`. One that goes meanwhile is not needed.
fn store_snapshots(
    blobs: &mut BlobWriter<'_>,
    data: &Path,
    held: u64,
    last: u64,
    tick: &mut dyn FnMut(u64),
) -> Result<(), BackupError> {
    let snapshots = Snapshots::new(FileStorage::new(data));
    for sequence in snapshots.list()? {
        if sequence <= held || sequence > last || snapshots.read(sequence).is_err() {
            continue;
        }
        let content = Content::Snapshot { sequence };
        let path = data.join(content.path());
        match store_file(blobs, content, &path, tick) {
            Err(BackupError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

fn store_voids(
    blobs: &mut BlobWriter<'_>,
    data: &Path,
    last: u64,
    tick: &mut dyn FnMut(u64),
) -> Result<(), BackupError> {
    for name in names(&data.join("voids"))? {
        let sequence = name.strip_prefix("void-").and_then(|rest| rest.strip_suffix(".txt")?.parse().ok());
        if let Some(sequence) = sequence.filter(|sequence| *sequence <= last) {
            let content = Content::Void { sequence };
            let path = data.join(content.path());
            store_file(blobs, content, &path, tick)?;
        }
    }
    Ok(())
}

/// The hash of the state after `last`; nothing when it cannot be made again from what there is.
fn state_hash(data: &Path, last: u64, watch: Watch<'_>) -> Result<Option<String>, BackupError> {
    if last == 0 {
        return Ok(None);
    }
    let mut tick = |progress: replay::Progress| {
        watch(Progress { stage: Stage::Replaying, done: progress.done, total: progress.total });
    };
    match replay::state(data, Some(Sequence(last)), None, &mut tick) {
        Ok(state) => Ok(Some(state.state_hash)),
        Err(ReplayError::BeforeTheBeginning { .. } | ReplayError::Gap { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
