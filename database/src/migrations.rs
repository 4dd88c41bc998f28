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
    ("0004_key_states.sql", include_str!("../../migrations/0004_key_states.sql")),
];

/// Everything to run on a database before it is used; what has run already is skipped.
pub(crate) fn migrator() -> Migrator {
    up_to(MIGRATIONS.len())
}

/// The first `count` of them.
fn up_to(count: usize) -> Migrator {
    let migrations = MIGRATIONS[..count].iter().zip(1_i64..).map(|((name, sql), version)| {
        let description = Cow::Borrowed(*name);
        Migration::new(version, description, MigrationType::Simple, (*sql).into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of `api_keys`, as far as it is looked at.
    type Kept = (String, Option<String>, i64, String, i64, i64, Option<i64>);

    #[tokio::test]
    async fn keys_of_before_key_states_are_kept() {
        let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
        up_to(3).run(&pool).await.unwrap();
        let rows = "INSERT INTO accounts VALUES ('demo-1', 3, 1, 5);
            INSERT INTO api_keys VALUES ('on', 3, 'ED25519', NULL, 'p', 7, '10.0.0.0/8', 'desk', 1, 8, 9);
            INSERT INTO api_keys VALUES ('off', 3, 'HMAC', 's', NULL, 1, '', '', 0, 8, NULL)";
        sqlx::raw_sql(rows).execute(&pool).await.unwrap();
        up_to(4).run(&pool).await.unwrap();
        let kept = "SELECT api_key, public_key, scopes, ip_allow_list, enabled, revoked, last_used_at \
                    FROM api_keys ORDER BY created_at, api_key DESC";
        let kept: Vec<Kept> = sqlx::query_as(kept).fetch_all(&pool).await.unwrap();
        let (public, list) = (Some("p".to_owned()), "10.0.0.0/8".to_owned());
        assert_eq!(kept[0], ("on".to_owned(), public, 7, list, 1, 0, Some(9)));
        assert_eq!(kept[1], ("off".to_owned(), None, 1, String::new(), 0, 1, None));
        let index = "SELECT name FROM sqlite_master WHERE type = 'index' AND name = 'api_keys_by_account'";
        assert!(sqlx::query(index).fetch_optional(&pool).await.unwrap().is_some());
    }

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
