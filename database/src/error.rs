//! What can go wrong with a database, in words an operator can act on. Refuses to know what the
//! caller was doing: a room wraps this in its own error.

use sqlx::migrate::MigrateError;
use std::time::Duration;

/// A database fault. A refusal by a constraint is told apart, because rooms answer to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// What says where the database is cannot be right.
    #[error("the database's location is wrong: {reason}")]
    Location {
        /// What is wrong.
        reason: String,
    },
    /// The database could not be opened or made.
    #[error("cannot open the database {database}: {source}; check that it is there and may be written")]
    Open {
        /// Which.
        database: String,
        /// What was said.
        source: sqlx::Error,
    },
    /// A migration failed, or the database has one that this program does not know.
    #[error(
        "cannot migrate the database {database}: {source}; run the program that wrote it, or restore its backup"
    )]
    Migrate {
        /// Which.
        database: String,
        /// What failed.
        source: MigrateError,
    },
    /// A migration that cannot be taken back this far.
    #[error("the database {database} has {applied} migrations; {asked} cannot be taken back")]
    RollBack {
        /// Which.
        database: String,
        /// How many there are.
        applied: usize,
        /// How many were to go.
        asked: usize,
    },
    /// The tables are not those that the migrations made.
    #[error(
        "the database {database} has no {missing}, though its migrations say so; somebody else changed it: restore its backup, or rebuild it"
    )]
    Schema {
        /// Which.
        database: String,
        /// What is not there.
        missing: String,
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
    /// It does not answer, or not now: the connection was lost, it is starting or stopping, its disk is
    /// full, another writer did not come to an end. Trying again later may help.
    #[error("the database is not available: {0}; check that it runs, and its disk")]
    Unavailable(sqlx::Error),
    /// It gave no answer in the time its caller had for it. Trying again later may help.
    #[error("the database gave no answer for {} s; check that it runs, and the network to it", .0.as_secs())]
    Silent(Duration),
    /// Anything else: a broken file, a statement that it does not take.
    #[error("the database failed: {0}; check its disk and the log before trying again")]
    Failed(sqlx::Error),
}

impl DatabaseError {
    /// Whether trying again later may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Silent(_) => true,
            Self::Open { source, .. }
            | Self::Migrate {
                source: MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
                ..
            } => is_temporary(source),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(refusal) if refusal.is_unique_violation() => Self::Duplicate(refusal.message().to_owned()),
            Some(refusal) if refusal.is_foreign_key_violation() => {
                Self::ForeignKey(refusal.message().to_owned())
            }
            _ if is_temporary(&error) => Self::Unavailable(error),
            _ => Self::Failed(error),
        }
    }
}

fn is_temporary(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| is_temporary_code(&code)),
        _ => false,
    }
}

/// SQLSTATE of PostgreSQL (5 characters), or SQLite's result code in decimal (4 at most).
fn is_temporary_code(code: &str) -> bool {
    if code.len() == 5 {
        // Connection, transaction rollback (deadlock), resources, system errors; an administrator's
        // shutdown or a crash; a lock that did not come free; a transaction ended for idling.
        let classes = ["08", "40", "53", "58"];
        let codes = ["57P01", "57P02", "57P03", "57P05", "55P03", "25P03", "57014"];
        return classes.iter().any(|class| code.starts_with(class)) || codes.contains(&code);
    }
    // The low byte is the primary code: BUSY, LOCKED, IOERR, FULL, PROTOCOL (a lock race).
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13 | 15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        for code in
            ["08006", "40P01", "53100", "53300", "57P01", "57P03", "55P03", "25P03", "5", "261", "13", "778"]
        {
            assert!(is_temporary_code(code), "{code}");
        }
        for code in ["23505", "42P01", "22003", "0A000", "1", "19", "2067", "11"] {
            assert!(!is_temporary_code(code), "{code}");
        }
    }
}
