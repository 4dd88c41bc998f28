//! One unit of work: all of it or nothing. Refuses to know what is being written.
//!
//! The drivers' futures are boxed: whoever waits for a statement, many calls up, would otherwise hold
//! both drivers' in its own, kilobytes for each connection of a client.

use crate::row::Inner;
use crate::{Database, DatabaseError, Row, Value};
use futures_util::TryStreamExt as _;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Postgres, Sqlite};

/// Waits until no other transaction that writes to the schema is open.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema()::text, 0))";

/// A transaction. Dropped without [`commit`](Self::commit), it is rolled back.
#[derive(Debug)]
pub struct Transaction(pub(crate) Connection);

/// The driver's transaction.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Database {
    /// Begins a transaction that will write. There is one writer at a time, in a SQLite file and in a
    /// PostgreSQL schema: it waits its turn here, so that a statement after a read never fails for a lock
    /// and what was read is still so.
    pub async fn begin(&self) -> Result<Transaction, DatabaseError> {
        Ok(Transaction(match self {
            Self::Sqlite(pool) => Connection::Sqlite(Box::pin(pool.begin_with("BEGIN IMMEDIATE")).await?),
            Self::Postgres(pool) => {
                let mut inner = Box::pin(pool.begin()).await?;
                Box::pin(sqlx::query(LOCK).execute(&mut *inner)).await?;
                Connection::Postgres(inner)
            }
        }))
    }

    /// Reads rows outside a transaction, beside whoever is writing.
    pub async fn rows(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        Ok(match self {
            Self::Sqlite(pool) => sqlite_rows(Box::pin(sqlite(statement, values).fetch_all(pool)).await?),
            Self::Postgres(pool) => {
                postgres_rows(Box::pin(postgres(statement, values).fetch_all(pool)).await?)
            }
        })
    }

    /// Reads rows one by one, as one statement sees them, without keeping them: for many.
    pub async fn each_row<E: From<DatabaseError>>(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        mut each: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: sqlx::Error| E::from(DatabaseError::from(error));
        match self {
            Self::Sqlite(pool) => {
                let mut rows = sqlite(statement, values).fetch(pool);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    each(Row(Inner::Sqlite(row)))?;
                }
            }
            Self::Postgres(pool) => {
                let mut rows = postgres(statement, values).fetch(pool);
                while let Some(row) = rows.try_next().await.map_err(failed)? {
                    each(Row(Inner::Postgres(row)))?;
                }
            }
        }
        Ok(())
    }
}

impl Transaction {
    /// Runs a statement and returns how many rows it wrote.
    pub async fn execute(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, DatabaseError> {
        Ok(match &mut self.0 {
            Connection::Sqlite(inner) => {
                Box::pin(sqlite(statement, values).execute(&mut **inner)).await?.rows_affected()
            }
            Connection::Postgres(inner) => {
                Box::pin(postgres(statement, values).execute(&mut **inner)).await?.rows_affected()
            }
        })
    }

    /// Runs a statement and returns its rows (of a `SELECT` or a `RETURNING`).
    pub async fn rows(
        &mut self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        Ok(match &mut self.0 {
            Connection::Sqlite(inner) => {
                sqlite_rows(Box::pin(sqlite(statement, values).fetch_all(&mut **inner)).await?)
            }
            Connection::Postgres(inner) => {
                postgres_rows(Box::pin(postgres(statement, values).fetch_all(&mut **inner)).await?)
            }
        })
    }

    /// Makes everything durable, then visible. After an error nobody knows: read before trying again.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        match self.0 {
            Connection::Sqlite(inner) => Ok(Box::pin(inner.commit()).await?),
            Connection::Postgres(inner) => Ok(Box::pin(inner.commit()).await?),
        }
    }
}

fn sqlite<'q>(statement: &'static str, values: &[Value<'q>]) -> Query<'q, Sqlite, SqliteArguments> {
    values.iter().fold(sqlx::query(statement), |query, value| match *value {
        Value::Integer(integer) => query.bind(integer),
        Value::Text(text) => query.bind(text),
        Value::OptionalInteger(integer) => query.bind(integer),
        Value::OptionalText(text) => query.bind(text),
    })
}

fn postgres<'q>(statement: &'static str, values: &[Value<'q>]) -> Query<'q, Postgres, PgArguments> {
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

fn postgres_rows(rows: Vec<sqlx::postgres::PgRow>) -> Vec<Row> {
    rows.into_iter().map(|row| Row(Inner::Postgres(row))).collect()
}
