//! The SQL database behind one door: SQLite, embedded. Opens it, migrates it, and runs statements
//! written once for it and for PostgreSQL. Refuses to know any business rule: what the tables mean
//! belongs to the room that asks.
//!
//! Statements use what both databases share: `$1`, `ON CONFLICT … RETURNING`, `BIGINT` for every
//! number and `TEXT` for everything else (bytes as lowercase hexadecimal). Never `NUMERIC`, which
//! SQLite keeps as a float.
//!
//! A room works in a [`Transaction`]: nothing it wrote is seen before [`Transaction::commit`]
//! returned, and by then it is on disk (write-ahead log, `synchronous = FULL`).
//!
//! [`Database`] has one variant while no room runs on PostgreSQL: its driver costs every clean build 45 s
//! of processor time. It will be a variant, not a second path: every place that must differ is in this
//! room.

mod error;
mod migrations;
mod open;
mod row;
mod transaction;

pub use error::DatabaseError;
pub use row::{Row, Value};
pub use transaction::Transaction;

/// A pool of connections to a migrated database. Cloning shares the pool.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file in the data directory, opened by [`Database::open_sqlite`].
    Sqlite(sqlx::SqlitePool),
}
