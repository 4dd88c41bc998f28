//! Migrations on PostgreSQL: forward, back, refused; both groups in one database; months of trades and
//! postings.

use crate::{events::History, place};
use database::{BulkInsert, Column, Conflict, Database, DatabaseError, DatabaseLocation, TableGroup, Value};
use settlement::Books;
use tests::postgres::Postgres;

#[tokio::test(flavor = "multi_thread")]
async fn both_groups_migrate_forward_and_back_in_one_database() {
    let server = Postgres::start();
    for group in TableGroup::ALL {
        let schema = group.name().to_owned();
        let location = DatabaseLocation::Postgres { url: server.url(), password: None, schema };
        let all = Database::migrate(&location, group).await.expect("migrated");
        assert!(all.len() >= 3, "{all:?}");
        assert_eq!(Database::migrate(&location, group).await.expect("migrated"), [""; 0]);
        let back = Database::roll_back(&location, group, all.len()).await.expect("rolled back");
        assert_eq!(back.into_iter().rev().collect::<Vec<_>>(), all);
        let left =
            format!("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{}'", group.name());
        assert_eq!(server.psql("rialto", &left), "1", "the list of migrations alone");
        assert_eq!(Database::migrate(&location, group).await.expect("migrated"), all);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_another_program_is_refused_and_the_next_start_is_not_kept_out() {
    let server = Postgres::start();
    let location = place::postgres(&server);
    let DatabaseLocation::Postgres { schema, .. } = &location else { unreachable!("it is PostgreSQL") };
    place::open(&location).await.close().await;

    let newer = format!("INSERT INTO {schema}._sqlx_migrations SELECT 9999, '', now(), true, '', 0");
    server.psql("rialto", &newer);
    for _ in 0..2 {
        let error = Database::open(&location, TableGroup::Settlement).await.expect_err("a newer schema");
        assert!(matches!(error, DatabaseError::Migrate { .. }), "{error}");
        assert!(error.to_string().contains("9999"), "{error}");
    }
    server.psql("rialto", &format!("DELETE FROM {schema}._sqlx_migrations WHERE version = 9999"));
    server.psql("rialto", &format!("DROP TABLE {schema}.candles"));
    let error = Database::open(&location, TableGroup::Settlement).await.expect_err("a table is missing");
    assert!(matches!(&error, DatabaseError::Schema { missing, .. } if missing == "table candles"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_are_kept_and_replaced_and_read_in_every_width() {
    let server = Postgres::start();
    let database = place::open(&place::postgres(&server)).await;
    let accounts: Vec<i64> = (1..=20_000).collect();
    let (ones, twos) = (vec![1_i64; accounts.len()], vec![2_i64; accounts.len()]);
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
        let mut transaction = database.begin().await.expect("begun");
        transaction
            .insert(&BulkInsert { table: "balances", columns: &columns, conflict })
            .await
            .expect("written");
        transaction.commit().await.expect("committed");
        let rows = database.rows("SELECT CAST(SUM(available) AS BIGINT) AS sum, MAX(asset) AS asset, CAST($1 AS SMALLINT) AS small FROM balances", &[Value::Integer(7)]);
        let row = &rows.await.expect("read")[0];
        let found = ["sum", "asset", "small"].map(|column| row.integer(column).expect("a whole number"));
        assert_eq!(found, [sum, 1, 7], "{conflict:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn months_are_made_ahead() {
    let server = Postgres::start();
    let location = place::postgres(&server);
    let history = History::new(31, 3_000);
    let mut books = Books::open(place::open(&location).await).await.expect("the books open");
    books.apply(&history.joined(3_000)[0]).expect("the events follow");
    books.write().await.expect("the rows are written");
    let database = place::open(&location).await;
    let months = database.partitions("trades").await.expect("the months are listed");
    assert_eq!(months[..2], ["2026_10", "2026_11"]);
    assert_eq!(months, database.partitions("postings").await.expect("the months are listed"));
    assert!(months.len() >= 4, "two more than there are trades in: {months:?}");
}
