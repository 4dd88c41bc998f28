//! The SQL of `migrations/`, inside the program. Refuses to know what the tables are for.
//!
//! A migration that has been released never changes: `sqlx` keeps each one's checksum in the
//! database and refuses to start on another. A test holds this list to the directory.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use std::borrow::Cow;

/// File name and text, in the order they are run. The number before the `_` is the version.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_accounts.sql", include_str!("../../migrations/0001_accounts.sql")),
    ("0002_outbox.sql", include_str!("../../migrations/0002_outbox.sql")),
    ("0003_audit_log.sql", include_str!("../../migrations/0003_audit_log.sql")),
];

/// Everything to run on a database before it is used; what has run already is skipped.
pub(crate) fn migrator() -> Migrator {
    let migrations = MIGRATIONS.iter().zip(1_i64..).map(|((name, sql), version)| {
        let description = Cow::Borrowed(*name);
        Migration::new(version, description, MigrationType::Simple, (*sql).into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_directory_in_order_without_gaps() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
        let mut files: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<&str> = MIGRATIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, files);
        for (index, name) in listed.iter().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name}");
        }
    }
}
