//! Opens a database and brings it to the present schema, or copies one as it is. Refuses to migrate one
//! that a newer program wrote.

use crate::location::postgres_options;
use crate::migrations::{Dialect, TableGroup};
use crate::{Database, DatabaseError, DatabaseLocation, schema};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another writer before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Readers run beside the one writer; more connections than this only cost memory.
const SQLITE_CONNECTIONS_MAX: u32 = 4;
/// How long a server may take to take a connection, tries of it included, or one of ours to come free.
const POSTGRES_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// One writer, and readers of history.
const POSTGRES_CONNECTIONS_MAX: u32 = 8;

impl Database {
    /// Opens the tables of `group` at `location`, making them if they are absent, and runs the
    /// migrations they lack. Then it looks that they are there.
    ///
    /// A commit is on disk before it returns; foreign keys are enforced. Two programs that write to one
    /// place are kept apart by their callers.
    pub async fn open(location: &DatabaseLocation, group: TableGroup) -> Result<Self, DatabaseError> {
        let database = Self::connect(location).await?;
        match schema::migrate(&database, location, group).await {
            Ok(_) => Ok(database),
            Err(error) => {
                // A connection that failed under the migrations' lock would keep it.
                database.close().await;
                Err(error)
            }
        }
    }

    /// Opens the accounts' tables in the SQLite file at `path` (see [`Self::open`]).
    pub async fn open_sqlite(path: &Path) -> Result<Self, DatabaseError> {
        Self::open(&DatabaseLocation::Sqlite(path.to_owned()), TableGroup::Accounts).await
    }

    pub(crate) async fn connect(location: &DatabaseLocation) -> Result<Self, DatabaseError> {
        let failed = |source| DatabaseError::Open { database: location.to_string(), source };
        Ok(match location {
            DatabaseLocation::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(BUSY_TIMEOUT);
                let pool = SqlitePoolOptions::new().max_connections(SQLITE_CONNECTIONS_MAX);
                Self::Sqlite(Box::pin(pool.connect_with(options)).await.map_err(failed)?)
            }
            DatabaseLocation::Postgres { url, password, schema } => {
                let options = postgres_options(url, password.as_ref(), schema)?;
                let pool = PgPoolOptions::new()
                    .max_connections(POSTGRES_CONNECTIONS_MAX)
                    .acquire_timeout(POSTGRES_CONNECT_TIMEOUT);
                Self::Postgres(Box::pin(pool.connect_with(options)).await.map_err(failed)?)
            }
        })
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Waits for the connections to finish and closes them. SQLite's last one writes what is in the
    /// write-ahead log into the file, which is then all there is: it can be copied or removed.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
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
            .map_err(|source| DatabaseError::Open { database: path.display().to_string(), source })?;
        Ok(Self::Sqlite(pool))
    }

    /// Copies everything that is committed now to a new file at `path`, which must not exist, beside
    /// whoever is reading and writing, and checks the copy. Of SQLite alone: a PostgreSQL server has
    /// tools of its own (`pg_dump`, base backups).
    pub async fn copy_to(&self, path: &Path) -> Result<(), DatabaseError> {
        let Self::Sqlite(pool) = self else {
            let reason = "only a SQLite file is copied so; use pg_dump or a base backup".to_owned();
            return Err(DatabaseError::Location { reason });
        };
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
