//! Brings a group's tables to the present schema, takes migrations back, and looks that the tables are
//! there. Refuses a schema with a migration that this build does not know.

use crate::{Database, DatabaseError, DatabaseLocation, TableGroup};
use sqlx::migrate::MigrateError;

/// The tables and views there are.
const SQLITE_TABLES: &str = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')";
/// As [`SQLITE_TABLES`], in the connection's schema.
const POSTGRES_TABLES: &str =
    "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema()";

impl Database {
    /// Runs the migrations that the tables of `group` at `location` lack, and says their names.
    pub async fn migrate(
        location: &DatabaseLocation,
        group: TableGroup,
    ) -> Result<Vec<&'static str>, DatabaseError> {
        let database = Self::connect(location).await?;
        let migrated = migrate(&database, location, group).await;
        database.close().await;
        migrated
    }

    /// Takes back the newest `count` migrations of `group` at `location`, the newest first, and says
    /// their names. What their tables held is lost.
    pub async fn roll_back(
        location: &DatabaseLocation,
        group: TableGroup,
        count: usize,
    ) -> Result<Vec<&'static str>, DatabaseError> {
        let database = Self::connect(location).await?;
        let rolled_back = roll_back(&database, location, group, count).await;
        database.close().await;
        rolled_back
    }
}

/// Runs what is lacking, says its names, and looks that every table is there.
pub(crate) async fn migrate(
    database: &Database,
    location: &DatabaseLocation,
    group: TableGroup,
) -> Result<Vec<&'static str>, DatabaseError> {
    let before = versions(database, location).await?;
    let mut migrator = group.migrator(database.dialect());
    let failed = |source| DatabaseError::Migrate { database: location.to_string(), source };
    match database {
        Database::Sqlite(pool) => Box::pin(migrator.run(pool)).await,
        Database::Postgres(pool) => {
            if let DatabaseLocation::Postgres { schema, .. } = location {
                migrator.create_schema(schema.clone());
            }
            Box::pin(migrator.run(pool)).await
        }
    }
    .map_err(failed)?;
    let after = versions(database, location).await?;
    let new: Vec<i64> = after.into_iter().filter(|version| !before.contains(version)).collect();
    look(database, location, group).await?;
    Ok(group.names(database.dialect(), &new))
}

async fn roll_back(
    database: &Database,
    location: &DatabaseLocation,
    group: TableGroup,
    count: usize,
) -> Result<Vec<&'static str>, DatabaseError> {
    let before = versions(database, location).await?;
    let place = || location.to_string();
    let Some(kept) = before.len().checked_sub(count) else {
        return Err(DatabaseError::RollBack { database: place(), applied: before.len(), asked: count });
    };
    let target = kept.checked_sub(1).map_or(0, |last| before[last]);
    let migrator = group.migrator(database.dialect());
    match database {
        Database::Sqlite(pool) => Box::pin(migrator.undo(pool, target)).await,
        Database::Postgres(pool) => Box::pin(migrator.undo(pool, target)).await,
    }
    .map_err(|source| DatabaseError::Migrate { database: place(), source })?;
    let mut names = group.names(database.dialect(), &before[kept..]);
    names.reverse();
    Ok(names)
}

/// The versions that have been run, in order; none of a database that was never migrated.
async fn versions(database: &Database, location: &DatabaseLocation) -> Result<Vec<i64>, DatabaseError> {
    if !tables(database).await?.iter().any(|table| table == "_sqlx_migrations") {
        return Ok(Vec::new());
    }
    let statement = "SELECT version FROM _sqlx_migrations ORDER BY version";
    let rows = database.rows(statement, &[]).await.map_err(|error| match error {
        DatabaseError::Failed(source) => {
            DatabaseError::Migrate { database: location.to_string(), source: MigrateError::Execute(source) }
        }
        other => other,
    })?;
    rows.iter().map(|row| row.integer("version")).collect()
}

async fn look(
    database: &Database,
    location: &DatabaseLocation,
    group: TableGroup,
) -> Result<(), DatabaseError> {
    let there = tables(database).await?;
    let missing = group.tables().iter().find(|table| !there.iter().any(|name| name == *table));
    match missing {
        Some(table) => {
            Err(DatabaseError::Schema { database: location.to_string(), missing: format!("table {table}") })
        }
        None => Ok(()),
    }
}

async fn tables(database: &Database) -> Result<Vec<String>, DatabaseError> {
    let statement = match database {
        Database::Sqlite(_) => SQLITE_TABLES,
        Database::Postgres(_) => POSTGRES_TABLES,
    };
    database.rows(statement, &[]).await?.iter().map(|row| row.text("name")).collect()
}
