//! The SQL of `migrations/`, inside the program. Refuses to know what the tables are for.
//!
//! A migration that has been released never changes: `sqlx` keeps each one's checksum in the
//! database and refuses to start on another. A test holds this list to the directories.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use std::borrow::Cow;

/// Tables that are migrated, and kept, together: a SQLite file or a PostgreSQL schema of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableGroup {
    /// Who may do what.
    Accounts,
    /// The books of record.
    Settlement,
}

/// Which database's SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A step and the way back.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Below `migrations/`, with its number and without `.up.sql`.
    path: &'static str,
    up: &'static str,
    down: &'static str,
    /// Where it is run; `None` is everywhere.
    dialect: Option<Dialect>,
}

macro_rules! step {
    ($path:literal, $dialect:expr) => {
        Step {
            path: $path,
            up: include_str!(concat!("../../migrations/", $path, ".up.sql")),
            down: include_str!(concat!("../../migrations/", $path, ".down.sql")),
            dialect: $dialect,
        }
    };
}

/// In the order they are run.
const ACCOUNTS: &[Step] = &[
    step!("accounts/0001_accounts", None),
    step!("accounts/0002_outbox", None),
    step!("accounts/0003_audit_log", None),
    step!("accounts/0004_key_states", None),
];

/// In the order they are run.
const SETTLEMENT: &[Step] = &[
    step!("settlement/shared/0001_books", None),
    step!("settlement/sqlite/0002_trades_and_postings", Some(Dialect::Sqlite)),
    step!("settlement/postgres/0002_trades_and_postings", Some(Dialect::Postgres)),
    step!("settlement/shared/0003_fees", None),
    step!("settlement/shared/0004_closings", None),
];

impl Step {
    fn file_name(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// The number its name begins with.
    fn version(&self) -> i64 {
        let digits = self.file_name().split('_').next().unwrap_or_default();
        // A test reads every name.
        digits.parse().expect("a migration's name begins with its number")
    }
}

impl TableGroup {
    /// Every group.
    pub const ALL: [Self; 2] = [Self::Accounts, Self::Settlement];

    /// What it is called, and its schema on PostgreSQL where nothing else is said.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Settlement => "settlement",
        }
    }

    /// The tables and views that its migrations make.
    pub(crate) const fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Accounts => {
                &["accounts", "api_keys", "audit_log", "master_key_check", "outbox", "spent_requests"]
            }
            Self::Settlement => &[
                "accounts",
                "amendments",
                "assets",
                "balances",
                "candles",
                "closing_balances",
                "closings",
                "fees",
                "instruments",
                "order_lists",
                "orders",
                "position",
                "postings",
                "prevented_matches",
                "reconciliations",
                "trades",
            ],
        }
    }

    const fn steps(self) -> &'static [Step] {
        match self {
            Self::Accounts => ACCOUNTS,
            Self::Settlement => SETTLEMENT,
        }
    }

    fn steps_of(self, dialect: Dialect) -> impl Iterator<Item = &'static Step> {
        self.steps().iter().filter(move |step| step.dialect.is_none_or(|only| only == dialect))
    }

    /// Everything to run on a database before it is used; what has run already is skipped.
    pub(crate) fn migrator(self, dialect: Dialect) -> Migrator {
        self.up_to(dialect, i64::MAX)
    }

    /// Those up to a version.
    fn up_to(self, dialect: Dialect, last: i64) -> Migrator {
        let steps = self.steps_of(dialect).filter(|step| step.version() <= last);
        let migrations = steps.flat_map(|step| {
            let migration = |direction, sql: &'static str| {
                let description = Cow::Borrowed(step.file_name());
                Migration::new(step.version(), description, direction, sql.into_sql_str(), false)
            };
            [
                migration(MigrationType::ReversibleUp, step.up),
                migration(MigrationType::ReversibleDown, step.down),
            ]
        });
        Migrator::with_migrations(migrations.collect())
    }

    /// The names of the migrations of these versions.
    pub(crate) fn names(self, dialect: Dialect, versions: &[i64]) -> Vec<&'static str> {
        let steps = self.steps_of(dialect).filter(|step| versions.contains(&step.version()));
        steps.map(Step::file_name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A row of `api_keys`, as far as it is looked at.
    type Kept = (String, Option<String>, i64, String, i64, i64, Option<i64>);

    #[tokio::test]
    async fn keys_of_before_key_states_are_kept() {
        let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
        TableGroup::Accounts.up_to(Dialect::Sqlite, 3).run(&pool).await.unwrap();
        let rows = "INSERT INTO accounts VALUES ('demo-1', 3, 1, 5);
            INSERT INTO api_keys VALUES ('on', 3, 'ED25519', NULL, 'p', 7, '10.0.0.0/8', 'desk', 1, 8, 9);
            INSERT INTO api_keys VALUES ('off', 3, 'HMAC', 's', NULL, 1, '', '', 0, 8, NULL)";
        sqlx::raw_sql(rows).execute(&pool).await.unwrap();
        TableGroup::Accounts.migrator(Dialect::Sqlite).run(&pool).await.unwrap();
        let kept = "SELECT api_key, public_key, scopes, ip_allow_list, enabled, revoked, last_used_at \
                    FROM api_keys ORDER BY created_at, api_key DESC";
        let kept: Vec<Kept> = sqlx::query_as(kept).fetch_all(&pool).await.unwrap();
        let (public, list) = (Some("p".to_owned()), "10.0.0.0/8".to_owned());
        assert_eq!(kept[0], ("on".to_owned(), public, 7, list, 1, 0, Some(9)));
        assert_eq!(kept[1], ("off".to_owned(), None, 1, String::new(), 0, 1, None));
        let index = "SELECT name FROM sqlite_master WHERE type = 'index' AND name = 'api_keys_by_account'";
        assert!(sqlx::query(index).fetch_optional(&pool).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn each_step_back_leaves_what_was_before_it() {
        for group in TableGroup::ALL {
            let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
            let mut before = vec![schema(&pool).await];
            let versions: Vec<i64> = group.steps_of(Dialect::Sqlite).map(Step::version).collect();
            for version in &versions {
                group.up_to(Dialect::Sqlite, *version).run(&pool).await.unwrap();
                before.push(schema(&pool).await);
            }
            let migrator = group.migrator(Dialect::Sqlite);
            for (version, schema_then) in versions.iter().zip(&before).rev() {
                migrator.undo(&pool, version - 1).await.unwrap();
                assert_eq!(schema(&pool).await, *schema_then, "{group:?} {version}");
            }
        }
    }

    /// The columns of every table, and the indexes.
    async fn schema(pool: &sqlx::SqlitePool) -> BTreeSet<String> {
        let objects = "SELECT m.type || ' ' || m.name || ' ' || COALESCE(c.name || ' ' || c.type, '') \
                       FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) c \
                       WHERE m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'";
        sqlx::query_scalar(objects).fetch_all(pool).await.unwrap().into_iter().collect()
    }

    #[test]
    fn the_list_is_the_directories_and_each_dialect_has_every_version_once() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
        let mut files = BTreeSet::new();
        for directory in ["accounts", "settlement/shared", "settlement/sqlite", "settlement/postgres"] {
            for entry in std::fs::read_dir(format!("{root}/{directory}")).unwrap() {
                files.insert(format!("{directory}/{}", entry.unwrap().file_name().into_string().unwrap()));
            }
        }
        let listed: BTreeSet<String> = TableGroup::ALL
            .into_iter()
            .flat_map(TableGroup::steps)
            .flat_map(|step| ["up", "down"].map(|direction| format!("{}.{direction}.sql", step.path)))
            .collect();
        assert_eq!(listed, files);
        for group in TableGroup::ALL {
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                let versions: Vec<i64> = group.steps_of(dialect).map(Step::version).collect();
                let expected: Vec<i64> = (1..).take(versions.len()).collect();
                assert_eq!(versions, expected, "{group:?} {dialect:?}");
            }
        }
    }

    #[tokio::test]
    async fn the_tables_named_are_those_that_are_made() {
        for group in TableGroup::ALL {
            let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
            group.migrator(Dialect::Sqlite).run(&pool).await.unwrap();
            let made = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') \
                        AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY name";
            let made: Vec<String> = sqlx::query_scalar(made).fetch_all(&pool).await.unwrap();
            assert_eq!(group.tables(), made);
        }
    }
}
