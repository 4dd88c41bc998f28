//! The embedded database as a room meets it: settings, transactions, refusals, restarts.

use database::{
    BulkInsert, Column, Conflict, Database, DatabaseError, DatabaseLocation, Row, TableGroup, Value,
};

async fn open(directory: &tempfile::TempDir) -> Database {
    Database::open_sqlite(&directory.path().join("rialto.sqlite")).await.expect("a fresh directory opens")
}

const INSERT: &str = "INSERT INTO audit_log (id, time, actor, action, details, previous_hash, hash) VALUES ($1, $2, $3, $3, $3, $3, $4)";

async fn insert(database: &Database, id: i64, commit: bool) -> Result<(), DatabaseError> {
    let mut transaction = database.begin().await?;
    let values = [Value::Integer(id), Value::Integer(i64::MAX), Value::Text("é'"), Value::Text("")];
    assert_eq!(transaction.execute(INSERT, &values).await?, 1);
    if commit {
        transaction.commit().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_settings_that_durability_rests_on_are_in_force() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(&directory).await;
    let rows = database.rows("PRAGMA journal_mode", &[]).await.unwrap();
    assert_eq!(rows[0].text("journal_mode").unwrap(), "wal");
    // 2 is FULL.
    let rows = database.rows("PRAGMA synchronous", &[]).await.unwrap();
    assert_eq!(rows[0].integer("synchronous").unwrap(), 2);
    let rows = database.rows("PRAGMA foreign_keys", &[]).await.unwrap();
    assert_eq!(rows[0].integer("foreign_keys").unwrap(), 1);
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(&directory).await;
    insert(&database, 1, true).await.unwrap();
    insert(&database, 2, false).await.unwrap();
    database.close().await;

    let database = open(&directory).await;
    let rows = database.rows("SELECT id, time, actor FROM audit_log", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].integer("id").unwrap(), 1);
    assert_eq!(rows[0].integer("time").unwrap(), i64::MAX);
    assert_eq!(rows[0].text("actor").unwrap(), "é'");
}

#[tokio::test]
async fn a_refusal_says_which_kind_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(&directory).await;
    insert(&database, 1, true).await.unwrap();
    assert!(matches!(insert(&database, 1, true).await, Err(DatabaseError::Duplicate(_))));

    let mut transaction = database.begin().await.unwrap();
    let orphan = "INSERT INTO api_keys (api_key, account_id, key_type, public_key, scopes, ip_allow_list, label, \
                  enabled, revoked, created_at) VALUES ('k', $1, 'ED25519', 'p', 1, '', '', 1, 0, 1)";
    let refused = transaction.execute(orphan, &[Value::Integer(7)]).await;
    assert!(matches!(refused, Err(DatabaseError::ForeignKey(_))), "{refused:?}");
}

#[tokio::test]
async fn nulls_and_wrong_columns_are_told_from_values() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(&directory).await;
    let values = [Value::OptionalInteger(None), Value::OptionalText(None), Value::OptionalText(Some("x"))];
    let statement = "SELECT CAST($1 AS BIGINT) AS number, $2 AS absent_text, $3 AS present_text";
    let rows = database.rows(statement, &values).await.unwrap();
    assert_eq!(rows[0].optional_integer("number").unwrap(), None);
    assert_eq!(rows[0].optional_text("absent_text").unwrap(), None);
    assert_eq!(rows[0].optional_text("present_text").unwrap().as_deref(), Some("x"));
    for error in [
        rows[0].integer("number").unwrap_err(),
        rows[0].text("absent_text").unwrap_err(),
        rows[0].integer("present_text").unwrap_err(),
    ] {
        assert!(matches!(error, DatabaseError::Column { .. }), "{error:?}");
    }
    assert!(matches!(rows[0].text("absent"), Err(DatabaseError::Column { column: "absent", .. })));
}

#[tokio::test]
async fn writers_wait_for_each_other_instead_of_failing() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(&directory).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    let mut transaction = database.begin().await.unwrap();
                    let rows = transaction.rows("SELECT COUNT(*) AS rows FROM audit_log", &[]).await.unwrap();
                    let next = rows[0].integer("rows").unwrap() + 1;
                    let values = [Value::Integer(next), Value::Integer(1), Value::Text(""), Value::Text("")];
                    transaction.execute(INSERT, &values).await.unwrap();
                    transaction.commit().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let rows = database.rows("SELECT MAX(id) AS highest FROM audit_log", &[]).await.unwrap();
    assert_eq!(rows[0].integer("highest").unwrap(), 40);
}

#[tokio::test]
async fn a_path_that_cannot_be_opened_is_named() {
    let error = Database::open_sqlite(std::path::Path::new("/nonexistent/rialto.sqlite")).await.unwrap_err();
    assert!(error.to_string().contains("/nonexistent/rialto.sqlite"), "{error}");
}

#[tokio::test]
async fn a_schema_from_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(&directory).await;
    let mut transaction = database.begin().await.unwrap();
    transaction.execute("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 3", &[]).await.unwrap();
    transaction.commit().await.unwrap();
    database.close().await;
    let error = Database::open_sqlite(&directory.path().join("rialto.sqlite")).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Migrate { .. }), "{error:?}");
}

#[tokio::test]
async fn a_table_that_is_missing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(&directory).await;
    let mut transaction = database.begin().await.unwrap();
    transaction.execute("DROP TABLE outbox", &[]).await.unwrap();
    transaction.commit().await.unwrap();
    database.close().await;
    let error = Database::open_sqlite(&directory.path().join("rialto.sqlite")).await.unwrap_err();
    assert!(matches!(&error, DatabaseError::Schema { missing, .. } if missing == "table outbox"), "{error}");
}

#[tokio::test]
async fn migrations_go_forward_and_back() {
    let directory = tempfile::tempdir().unwrap();
    let location = DatabaseLocation::Sqlite(directory.path().join("settlement.sqlite"));
    let group = TableGroup::Settlement;
    let all = ["0001_books", "0002_trades_and_postings", "0003_fees", "0004_closings"];
    assert_eq!(Database::migrate(&location, group).await.unwrap(), all);
    assert_eq!(Database::migrate(&location, group).await.unwrap(), [""; 0]);
    assert_eq!(Database::roll_back(&location, group, 3).await.unwrap(), [all[3], all[2], all[1]]);
    let error = Database::roll_back(&location, group, 2).await.unwrap_err();
    assert!(matches!(error, DatabaseError::RollBack { applied: 1, asked: 2, .. }), "{error}");
    assert_eq!(Database::migrate(&location, group).await.unwrap(), all[1..]);
}

#[tokio::test]
async fn many_rows_are_written_kept_and_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let location = DatabaseLocation::Sqlite(directory.path().join("settlement.sqlite"));
    let database = Database::open(&location, TableGroup::Settlement).await.unwrap();
    // More than one statement holds.
    let accounts: Vec<i64> = (1..=20_000).collect();
    let ones = vec![1_i64; accounts.len()];
    let twos = vec![2_i64; accounts.len()];
    for (values, conflict, sum) in [
        (&ones, Conflict::Keep, 20_000),
        (&twos, Conflict::Keep, 20_000),
        (&twos, Conflict::Replace { key: &["account", "asset"] }, 40_000),
    ] {
        let columns = [
            ("account", Column::Integers(&accounts)),
            ("asset", Column::Integers(&ones)),
            ("available", Column::Integers(values)),
            ("held", Column::Integers(&ones)),
            ("sequence", Column::Integers(&ones)),
            ("time", Column::Integers(&ones)),
        ];
        let mut transaction = database.begin().await.unwrap();
        transaction.insert(&BulkInsert { table: "balances", columns: &columns, conflict }).await.unwrap();
        transaction.commit().await.unwrap();
        let rows = database.rows("SELECT SUM(available) AS sum FROM balances", &[]).await.unwrap();
        assert_eq!(rows[0].integer("sum").unwrap(), sum, "{conflict:?}");
    }
    let mut read = 0;
    let each = |row: Row| {
        read += row.integer("available")?;
        Ok::<_, DatabaseError>(())
    };
    database.each_row("SELECT available FROM balances", &[], each).await.unwrap();
    assert_eq!(read, 40_000);
}

#[tokio::test]
async fn a_copy_holds_what_was_committed_while_others_write() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(&directory).await;
    insert(&database, 1, true).await.unwrap();
    let mut under_way = database.begin().await.unwrap();
    let values = [Value::Integer(2), Value::Integer(0), Value::Text("x"), Value::Text("")];
    under_way.execute(INSERT, &values).await.unwrap();

    let as_it_is = Database::open_sqlite_as_it_is(&directory.path().join("rialto.sqlite")).await.unwrap();
    let path = directory.path().join("copy.sqlite");
    as_it_is.copy_to(&path).await.unwrap();
    under_way.commit().await.unwrap();
    assert!(as_it_is.copy_to(&path).await.is_err(), "nothing is overwritten");
    as_it_is.close().await;
    database.close().await;

    let copy = Database::open_sqlite(&path).await.unwrap();
    let rows = copy.rows("SELECT id FROM audit_log", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.integer("id").unwrap()).collect::<Vec<_>>(), [1]);
    copy.close().await;
    assert!(Database::open_sqlite_as_it_is(&directory.path().join("absent")).await.is_err());
    assert!(!directory.path().join("absent").exists());
}
