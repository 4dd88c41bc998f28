//! The SQL database behind one door: SQLite, embedded, or a PostgreSQL server. Opens it, migrates it, and
//! runs statements written once for both. Refuses to know any business rule: what the tables mean belongs
//! to the room that asks.
//!
//! Statements use what both databases share: `$1`, `ON CONFLICT … RETURNING`, whole numbers and `TEXT`
//! (bytes as lowercase hexadecimal). Never `NUMERIC`, which SQLite keeps as a float; PostgreSQL makes one
//! of a `SUM`: say `CAST(SUM(x) AS BIGINT)`.
//!
//! A room works in a [`Transaction`]: nothing it wrote is seen before [`Transaction::commit`]
//! returned, and by then it is on disk (SQLite: write-ahead log, `synchronous = FULL`; PostgreSQL:
//! `synchronous_commit = on`). There is one writer at a time in each group of tables, so that what a
//! transaction has read is still so when it writes.

mod bulk;
mod error;
mod location;
mod migrations;
mod open;
mod partition;
mod row;
mod schema;
mod transaction;

pub use bulk::{BulkInsert, Column, Conflict};
pub use error::DatabaseError;
pub use location::DatabaseLocation;
pub use migrations::TableGroup;
pub use partition::Partition;
pub use row::{Row, Value};
pub use transaction::Transaction;

/// A pool of connections to a migrated database. Cloning shares the pool.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file in the data directory.
    Sqlite(sqlx::SqlitePool),
    /// One schema of a database on a server.
    Postgres(sqlx::PgPool),
}
