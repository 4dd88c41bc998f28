//! What goes into a statement and what comes out of it: integers and text, the two kinds that both
//! databases keep alike. Refuses floats and decimals.

use crate::DatabaseError;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

/// A value bound to `$1`, `$2`, … of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A `BIGINT`.
    Integer(i64),
    /// A `TEXT`.
    Text(&'a str),
    /// A `BIGINT` or nothing.
    OptionalInteger(Option<i64>),
    /// A `TEXT` or nothing.
    OptionalText(Option<&'a str>),
}

/// A row that a statement returned. Columns are found by name.
#[derive(Debug)]
pub struct Row(pub(crate) Inner);

/// The driver's row.
#[derive(Debug)]
pub(crate) enum Inner {
    Sqlite(sqlx::sqlite::SqliteRow),
    Postgres(sqlx::postgres::PgRow),
}

impl Row {
    /// The integer in `column`, which must not be null.
    pub fn integer(&self, column: &'static str) -> Result<i64, DatabaseError> {
        self.optional_integer(column)?.ok_or_else(|| null(column))
    }

    /// The integer in `column`, of any width, or nothing.
    pub fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, DatabaseError> {
        match &self.0 {
            Inner::Sqlite(row) => row.try_get(column),
            Inner::Postgres(row) => postgres_integer(row, column),
        }
        .map_err(|error| unreadable(column, &error))
    }

    /// The text in `column`, which must not be null.
    pub fn text(&self, column: &'static str) -> Result<String, DatabaseError> {
        self.optional_text(column)?.ok_or_else(|| null(column))
    }

    /// The text in `column`, or nothing.
    pub fn optional_text(&self, column: &'static str) -> Result<Option<String>, DatabaseError> {
        match &self.0 {
            Inner::Sqlite(row) => row.try_get(column),
            Inner::Postgres(row) => row.try_get(column),
        }
        .map_err(|error| unreadable(column, &error))
    }
}

/// PostgreSQL's driver reads each width by its own type.
fn postgres_integer(row: &sqlx::postgres::PgRow, column: &str) -> Result<Option<i64>, sqlx::Error> {
    let narrow = row.try_get_raw(column)?;
    match narrow.type_info().name() {
        "INT2" => row.try_get::<Option<i16>, _>(column).map(|value| value.map(i64::from)),
        "INT4" => row.try_get::<Option<i32>, _>(column).map(|value| value.map(i64::from)),
        _ => row.try_get(column),
    }
}

/// SQLite's driver would read a null as 0 or an empty text.
fn null(column: &'static str) -> DatabaseError {
    DatabaseError::Column { column, reason: "it is null".to_owned() }
}

fn unreadable(column: &'static str, error: &sqlx::Error) -> DatabaseError {
    DatabaseError::Column { column, reason: error.to_string() }
}
