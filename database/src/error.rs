//! What can go wrong with a database, in words an operator can act on. Refuses to know what the
//! caller was doing: a room wraps this in its own error.

use std::path::PathBuf;

/// A database fault. A refusal by a constraint is told apart, because rooms answer to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The file could not be opened or made.
    #[error("cannot open the database {path}: {source}; check that the directory exists and is writable")]
    Open {
        /// The database's file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// A migration failed, or the database has one that this program does not know.
    #[error(
        "cannot migrate the database {path}: {source}; run the program that wrote it, or restore its backup"
    )]
    Migrate {
        /// The database's file.
        path: PathBuf,
        /// What failed.
        source: sqlx::migrate::MigrateError,
    },
    /// A row with this key exists already.
    #[error("the database refused a duplicate: {0}")]
    Duplicate(String),
    /// A row names another that does not exist.
    #[error("the database refused a reference to what is not there: {0}")]
    ForeignKey(String),
    /// A column does not hold what the statement's reader expects.
    #[error("the database holds an unreadable column {column}: {reason}; restore the database's backup")]
    Column {
        /// The column's name.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else: a full disk, a lock that did not come free, a broken file.
    #[error("the database failed: {0}; check its disk and the log before trying again")]
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(refusal) if refusal.is_unique_violation() => Self::Duplicate(refusal.message().to_owned()),
            Some(refusal) if refusal.is_foreign_key_violation() => {
                Self::ForeignKey(refusal.message().to_owned())
            }
            _ => Self::Failed(error),
        }
    }
}
