//! The data directory that is copied: stretches of its journal, verified, and its database, beside
//! whoever is using them. Refuses to know where the copies go.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Seek as _, SeekFrom};
use std::path::Path;

use database::Database;
use engine_journal::{Archive, FileStorage, JournalReader, Sequence, journal_segment};
use tokio::runtime::Runtime;

use crate::BackupError;

/// A verified stretch of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The segment, by its first sequence.
    pub(crate) segment: Sequence,
    /// Where it begins, in bytes.
    pub(crate) from: u64,
    /// Where it ends.
    pub(crate) to: u64,
}

/// The journal as far as it was walked.
pub(crate) struct JournalWalk {
    reader: JournalReader<FileStorage>,
    /// Where what is not copied yet begins: within this segment, not at its start.
    begins_within: Option<(Sequence, u64)>,
    pub(crate) stretches: Vec<Stretch>,
    /// 0 before the first command.
    pub(crate) first_sequence: Sequence,
    pub(crate) last_sequence: Sequence,
}

impl JournalWalk {
    /// A walk from `from` on; what is before `begins_within` is copied already, up to the command before.
    pub(crate) fn begin(
        storage: FileStorage,
        from: Sequence,
        begins_within: Option<(Sequence, u64)>,
    ) -> Result<Self, BackupError> {
        let reader = JournalReader::open(storage, from)?;
        Ok(Self {
            reader,
            begins_within,
            stretches: Vec::new(),
            first_sequence: 0,
            last_sequence: from.saturating_sub(1),
        })
    }

    /// Walks to where the journal ended when this was called, or a little further: everything that was
    /// on disk by then is in it.
    pub(crate) fn go_on(&mut self, tick: &mut dyn FnMut(u64, u64)) -> Result<(), BackupError> {
        let total = self.reader.progress()?.bytes_total;
        while self.reader.bytes_done() < total {
            let Some(batch) = self.reader.next_batch()? else { break };
            if self.first_sequence == 0 {
                self.first_sequence = batch.first_sequence;
            }
            self.last_sequence = batch.last_sequence();
            if let Some(place) = self.reader.place() {
                match self.stretches.last_mut() {
                    Some(stretch) if stretch.segment == place.segment => stretch.to = place.offset,
                    _ => {
                        let from = match self.begins_within {
                            Some((segment, offset)) if segment == place.segment => offset,
                            _ => 0,
                        };
                        self.stretches.push(Stretch { segment: place.segment, from, to: place.offset });
                    }
                }
            }
            tick(self.reader.bytes_done(), total);
        }
        Ok(())
    }
}

/// The bytes of a stretch, and how long its segment is. A segment that has left the journal meanwhile is
/// read from the archive.
pub(crate) fn open_stretch(data: &Path, stretch: Stretch) -> Result<(Box<dyn Read>, u64), BackupError> {
    let path = data.join(journal_segment(stretch.segment));
    let length = stretch.to - stretch.from;
    match File::open(&path) {
        Ok(mut file) => {
            let failed = || BackupError::io("read", &path);
            let file_length = file.metadata().map_err(failed())?.len();
            file.seek(SeekFrom::Start(stretch.from)).map_err(failed())?;
            Ok((Box::new(file.take(length)), file_length))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let content = Archive::of(FileStorage::new(data)).read(stretch.segment)?;
            let file_length = content.len() as u64;
            let mut content = Cursor::new(content);
            content.set_position(stretch.from);
            Ok((Box::new(content.take(length)), file_length))
        }
        Err(error) => Err(BackupError::io("read", path)(error)),
    }
}

/// The accounts' database in use.
pub(crate) struct LiveDatabase {
    runtime: Runtime,
    database: Database,
}

impl LiveDatabase {
    /// Opens the one in `data`; nothing when there is none.
    pub(crate) fn open(data: &Path) -> Result<Option<Self>, BackupError> {
        let path = data.join("accounts.sqlite");
        if !path.exists() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(BackupError::io("read", &path))?;
        let database = runtime.block_on(Database::open_sqlite_as_it_is(&path))?;
        Ok(Some(Self { runtime, database }))
    }

    /// How many commands administration has promised so far. Promises are never taken back.
    pub(crate) fn promises(&self) -> Result<i64, BackupError> {
        self.runtime.block_on(promises(&self.database))
    }

    /// Copies it to a new file, and gives the promises in the copy.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<i64, BackupError> {
        self.runtime.block_on(async {
            self.database.copy_to(path).await?;
            let copy = Database::open_sqlite_as_it_is(path).await?;
            let promises = promises(&copy).await;
            copy.close().await;
            promises
        })
    }
}

impl Drop for LiveDatabase {
    fn drop(&mut self) {
        self.runtime.block_on(self.database.close());
    }
}

async fn promises(database: &Database) -> Result<i64, BackupError> {
    let rows = database.rows("SELECT COUNT(*) AS promises FROM outbox", &[]).await?;
    Ok(rows.first().map(|row| row.integer("promises")).transpose()?.unwrap_or(0))
}
