//! Many rows in one statement: arrays and `UNNEST` on PostgreSQL, `VALUES` of many rows on SQLite.
//! Refuses to know what the rows mean.

use crate::transaction::Connection;
use crate::{DatabaseError, Transaction};
use sqlx::{AssertSqlSafe, Postgres, Sqlite};
use std::fmt::Write as _;

/// SQLite's bound on the values of one statement.
const SQLITE_VALUES_MAX: usize = 32_766;

/// The values of one column, one for each row.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// Whole numbers, into a column of any width.
    Integers(&'a [i64]),
    /// Whole numbers or nothing.
    OptionalIntegers(&'a [Option<i64>]),
    /// Texts.
    Texts(&'a [String]),
    /// Texts or nothing.
    OptionalTexts(&'a [Option<String>]),
}

/// What becomes of a row whose key is there already. One statement must not hold a key twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The row that is there stays: what comes is the same once more.
    Keep,
    /// The row that comes takes its place.
    Replace {
        /// The key's columns.
        key: &'static [&'static str],
    },
}

/// Rows for one table.
#[derive(Clone, Copy, Debug)]
pub struct BulkInsert<'a> {
    /// Which table.
    pub table: &'static str,
    /// Its columns, all of the same length.
    pub columns: &'a [(&'static str, Column<'a>)],
    /// What becomes of those that are there.
    pub conflict: Conflict,
}

impl Column<'_> {
    /// How many rows.
    const fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::OptionalIntegers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::OptionalTexts(values) => values.len(),
        }
    }

    const fn array_type(&self) -> &'static str {
        match self {
            Self::Integers(_) | Self::OptionalIntegers(_) => "bigint[]",
            Self::Texts(_) | Self::OptionalTexts(_) => "text[]",
        }
    }
}

impl BulkInsert<'_> {
    /// How many rows.
    fn rows(&self) -> usize {
        let rows = self.columns.first().map_or(0, |(_, column)| column.len());
        assert!(self.columns.iter().all(|(_, column)| column.len() == rows), "columns of one length");
        rows
    }

    fn begin(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        format!("INSERT INTO {} ({}) ", self.table, names.join(", "))
    }

    fn end(&self, text: &mut String) {
        match self.conflict {
            Conflict::Keep => text.push_str(" ON CONFLICT DO NOTHING"),
            Conflict::Replace { key } => {
                let _ = write!(text, " ON CONFLICT ({}) DO UPDATE SET ", key.join(", "));
                let names = self.columns.iter().map(|(name, _)| *name).filter(|name| !key.contains(name));
                for (place, name) in names.enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    let _ = write!(text, "{comma}{name} = excluded.{name}");
                }
            }
        }
    }

    /// One statement for any number of rows.
    fn unnested(&self) -> String {
        let mut text = self.begin();
        text.push_str("SELECT * FROM UNNEST(");
        for (place, (_, column)) in (1..).zip(self.columns) {
            let comma = if place == 1 { "" } else { ", " };
            let _ = write!(text, "{comma}${place}::{}", column.array_type());
        }
        text.push(')');
        self.end(&mut text);
        text
    }

    /// A statement for `rows` rows. The values have no numbers: SQLite would look each one up by name.
    fn listed(&self, rows: usize) -> String {
        let mut text = self.begin();
        text.push_str("VALUES ");
        let values = vec!["?"; self.columns.len()].join(",");
        for row in 0..rows {
            let _ = write!(text, "{}({values})", if row == 0 { "" } else { "," });
        }
        self.end(&mut text);
        text
    }
}

impl Transaction {
    /// Writes all rows, and returns how many it wrote or replaced.
    ///
    /// # Panics
    /// When the columns are not of one length.
    pub async fn insert(&mut self, rows: &BulkInsert<'_>) -> Result<u64, DatabaseError> {
        match (rows.rows(), &mut self.0) {
            (0, _) => Ok(0),
            (_, Connection::Postgres(inner)) => unnest(inner, rows).await,
            (count, Connection::Sqlite(inner)) => list(inner, rows, count).await,
        }
    }
}

async fn unnest(
    connection: &mut sqlx::Transaction<'static, Postgres>,
    rows: &BulkInsert<'_>,
) -> Result<u64, DatabaseError> {
    let mut query = sqlx::query::<Postgres>(AssertSqlSafe(rows.unnested()));
    for (_, column) in rows.columns {
        query = match *column {
            Column::Integers(values) => query.bind(values),
            Column::OptionalIntegers(values) => query.bind(values),
            Column::Texts(values) => query.bind(values),
            Column::OptionalTexts(values) => query.bind(values),
        };
    }
    Ok(Box::pin(query.execute(&mut **connection)).await?.rows_affected())
}

async fn list(
    connection: &mut sqlx::Transaction<'static, Sqlite>,
    rows: &BulkInsert<'_>,
    count: usize,
) -> Result<u64, DatabaseError> {
    let at_once = (SQLITE_VALUES_MAX / rows.columns.len()).min(count);
    let mut whole: Option<String> = None;
    let mut written = 0;
    for first in (0..count).step_by(at_once) {
        let last = (first + at_once).min(count);
        let text = if last - first == at_once {
            whole.get_or_insert_with(|| rows.listed(at_once)).clone()
        } else {
            rows.listed(last - first)
        };
        // A statement of this many rows may never come again: it is not kept.
        let mut query = sqlx::query::<Sqlite>(AssertSqlSafe(text)).persistent(count > at_once);
        for row in first..last {
            for (_, column) in rows.columns {
                query = match *column {
                    Column::Integers(values) => query.bind(values[row]),
                    Column::OptionalIntegers(values) => query.bind(values[row]),
                    Column::Texts(values) => query.bind(values[row].as_str()),
                    Column::OptionalTexts(values) => query.bind(values[row].as_deref()),
                };
            }
        }
        written += Box::pin(query.execute(&mut **connection)).await?.rows_affected();
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_written_for_each_database() {
        let (ids, names) = ([1_i64, 2], [Some("a".to_owned()), None]);
        let columns = [("id", Column::Integers(&ids)), ("name", Column::OptionalTexts(&names))];
        let kept = BulkInsert { table: "t", columns: &columns, conflict: Conflict::Keep };
        assert_eq!(
            kept.unnested(),
            "INSERT INTO t (id, name) SELECT * FROM UNNEST($1::bigint[], $2::text[]) ON CONFLICT DO NOTHING"
        );
        let replaced = BulkInsert { conflict: Conflict::Replace { key: &["id"] }, ..kept };
        assert_eq!(
            replaced.listed(2),
            "INSERT INTO t (id, name) VALUES (?,?),(?,?) ON CONFLICT (id) DO UPDATE SET name = excluded.name"
        );
    }
}
