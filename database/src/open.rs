//! Opens a database and brings it to the present schema. Refuses to open one that a newer program
//! wrote.

use crate::{Database, DatabaseError, migrations};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another writer before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Readers run beside the one writer; more connections than this only cost memory.
const CONNECTIONS_MAX: u32 = 4;

impl Database {
    /// Opens the SQLite file at `path`, making it if it is absent, and runs the migrations it lacks.
    ///
    /// Write-ahead log; a commit is synced before it returns; foreign keys are enforced. The caller
    /// holds the data directory's lock: two programs on one file are kept apart there, not here.
    pub async fn open_sqlite(path: &Path) -> Result<Self, DatabaseError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect_with(options)
            .await
            .map_err(|source| DatabaseError::Open { path: path.to_owned(), source })?;
        migrations::migrator()
            .run(&pool)
            .await
            .map_err(|source| DatabaseError::Migrate { path: path.to_owned(), source })?;
        Ok(Self::Sqlite(pool))
    }

    /// Waits for the connections to finish and closes them. The last one writes what is in the
    /// write-ahead log into the file, which is then all there is: it can be copied or removed.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
        }
    }
}
