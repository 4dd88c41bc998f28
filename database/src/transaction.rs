//! One unit of work: all of it or nothing. Refuses to know what is being written.

use crate::row::Inner;
use crate::{Database, DatabaseError, Row, Value};
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

/// A transaction. Dropped without [`commit`](Self::commit), it is rolled back.
#[derive(Debug)]
pub struct Transaction(Connection);

/// The driver's transaction.
#[derive(Debug)]
enum Connection {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

impl Database {
    /// Begins a transaction that will write. SQLite has one writer at a time: it waits its turn here,
    /// so that a statement after a read never fails for a lock.
    pub async fn begin(&self) -> Result<Transaction, DatabaseError> {
        match self {
            Self::Sqlite(pool) => {
                Ok(Transaction(Connection::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?)))
            }
        }
    }

    /// Reads rows outside a transaction, beside whoever is writing.
    pub async fn rows(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        match self {
            Self::Sqlite(pool) => Ok(sqlite_rows(bound(statement, values).fetch_all(pool).await?)),
        }
    }
}

impl Transaction {
    /// Runs a statement and returns how many rows it wrote.
    pub async fn execute(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, DatabaseError> {
        match &mut self.0 {
            Connection::Sqlite(inner) => {
                Ok(bound(statement, values).execute(&mut **inner).await?.rows_affected())
            }
        }
    }

    /// Runs a statement and returns its rows (of a `SELECT` or a `RETURNING`).
    pub async fn rows(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        match &mut self.0 {
            Connection::Sqlite(inner) => {
                Ok(sqlite_rows(bound(statement, values).fetch_all(&mut **inner).await?))
            }
        }
    }

    /// Makes everything durable, then visible. After an error nobody knows: read before trying again.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        match self.0 {
            Connection::Sqlite(inner) => Ok(inner.commit().await?),
        }
    }
}

fn bound<'q>(statement: &'static str, values: &[Value<'q>]) -> Query<'q, Sqlite, SqliteArguments> {
    values.iter().fold(sqlx::query(statement), |query, value| match *value {
        Value::Integer(integer) => query.bind(integer),
        Value::Text(text) => query.bind(text),
        Value::OptionalInteger(integer) => query.bind(integer),
        Value::OptionalText(text) => query.bind(text),
    })
}

fn sqlite_rows(rows: Vec<sqlx::sqlite::SqliteRow>) -> Vec<Row> {
    rows.into_iter().map(|row| Row(Inner::Sqlite(row))).collect()
}
