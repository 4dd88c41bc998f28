//! Opens a database and brings it to the present schema, or copies one as it is. Refuses to migrate one
//! that a newer program wrote.

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

impl Database {
    /// Opens the SQLite file at `path`, which must exist, as it is: no migration, nothing written. For
    /// whoever copies a database that another program is using.
    pub async fn open_sqlite_as_it_is(path: &Path) -> Result<Self, DatabaseError> {
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .map_err(|source| DatabaseError::Open { path: path.to_owned(), source })?;
        Ok(Self::Sqlite(pool))
    }

    /// Copies everything that is committed now to a new file at `path`, which must not exist, beside
    /// whoever is reading and writing, and checks the copy.
    pub async fn copy_to(&self, path: &Path) -> Result<(), DatabaseError> {
        let Self::Sqlite(pool) = self;
        sqlx::query("VACUUM INTO $1").bind(path.to_string_lossy().into_owned()).execute(pool).await?;
        let copy = Self::open_sqlite_as_it_is(path).await?;
        let found = copy.rows("PRAGMA integrity_check", &[]).await;
        copy.close().await;
        match found?.first().map(|row| row.text("integrity_check")).transpose()?.as_deref() {
            Some("ok") => Ok(()),
            found => Err(DatabaseError::Column {
                column: "integrity_check",
                reason: found.unwrap_or("no answer").to_owned(),
            }),
        }
    }
}
