//! Partitions of a table by ranges of its time, on PostgreSQL. SQLite has none: there it does nothing.
//! Refuses to know months, and when to make or drop one.

use crate::{Database, DatabaseError};
use sqlx::AssertSqlSafe;

/// The partitions of a table in the connection's schema.
const LIST: &str = "SELECT child.relname::text AS name FROM pg_inherits \
     JOIN pg_class parent ON parent.oid = inhparent JOIN pg_class child ON child.oid = inhrelid \
     WHERE parent.relname = $1 AND parent.relnamespace = to_regnamespace(current_schema()::text) ORDER BY 1";

/// A range of a partitioned table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Of which table.
    pub table: &'static str,
    /// What is put behind the table's name: `2026_11`.
    pub suffix: String,
    /// The first time in it.
    pub from: i64,
    /// The first time after it.
    pub to: i64,
}

impl Partition {
    /// What the partition is called.
    pub fn name(&self) -> String {
        format!("{}_{}", self.table, self.suffix)
    }
}

impl Database {
    /// Makes a partition if it is not there.
    ///
    /// # Panics
    /// When the suffix has other than letters, digits and `_`.
    pub async fn make_partition(&self, partition: &Partition) -> Result<(), DatabaseError> {
        let Self::Postgres(pool) = self else { return Ok(()) };
        let name = checked(partition);
        let Partition { table, from, to, .. } = partition;
        let statement = format!(
            "CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM ({from}) TO ({to})"
        );
        Box::pin(sqlx::query(AssertSqlSafe(statement)).execute(pool)).await?;
        Ok(())
    }

    /// Drops a partition with all its rows; nothing if it is not there.
    ///
    /// # Panics
    /// When the suffix has other than letters, digits and `_`.
    pub async fn drop_partition(&self, partition: &Partition) -> Result<(), DatabaseError> {
        let Self::Postgres(pool) = self else { return Ok(()) };
        let statement = format!("DROP TABLE IF EXISTS {}", checked(partition));
        Box::pin(sqlx::query(AssertSqlSafe(statement)).execute(pool)).await?;
        Ok(())
    }

    /// The suffixes of the partitions of `table`, in order; none on SQLite.
    pub async fn partitions(&self, table: &'static str) -> Result<Vec<String>, DatabaseError> {
        let Self::Postgres(_) = self else { return Ok(Vec::new()) };
        let rows = self.rows(LIST, &[crate::Value::Text(table)]).await?;
        let names = rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()?;
        let suffix = |name: &String| Some(name.strip_prefix(table)?.strip_prefix('_')?.to_owned());
        Ok(names.iter().filter_map(suffix).collect())
    }
}

/// The name, which goes into a statement as it is.
fn checked(partition: &Partition) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    assert!(partition.suffix.bytes().all(allowed), "a partition's suffix is letters, digits and _");
    partition.name()
}
