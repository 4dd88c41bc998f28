//! `rialto settlement` and `rialto migrate`, as an operator runs them.

use crate::{events::History, place};
use settlement::Books;
use std::path::Path;
use tests::{postgres::Postgres, program};

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

#[test]
fn books_are_made_again_from_a_data_directory_and_hash_as_they_did() {
    let history = History::new(41, 2_000);
    let directory = tempfile::tempdir().expect("a temporary directory");
    history.write_log(directory.path());
    let data = text(directory.path());
    let rebuilt = program::run_json(["settlement", "rebuild", "--data", data, "--json"]);
    assert_eq!(rebuilt["position"], 2_000);
    let hash = program::run_json(["settlement", "hash", "--data", data, "--json"]);
    assert_eq!(hash["position"], 2_000, "{hash}");

    // The same in PostgreSQL, from the same log.
    let server = Postgres::start();
    let url = server.url();
    let in_postgres =
        |command| program::run_json(["settlement", command, "--data", data, "--database", &url, "--json"]);
    assert_eq!(in_postgres("rebuild")["position"], 2_000);
    assert_eq!(in_postgres("hash"), hash);

    // And as the room itself writes them.
    let apart = tempfile::tempdir().expect("a temporary directory");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let clean = runtime.block_on(async {
        let location = place::sqlite(apart.path());
        let mut books = Books::open(place::open(&location).await).await.expect("the books open");
        for batch in history.joined(100) {
            books.apply(&batch).expect("the events follow");
        }
        books.write().await.expect("the rows are written");
        place::hash(&location).await
    });
    assert_eq!(hash["hash"], clean.hash);
    for table in clean.tables {
        assert_eq!(hash["tables"][table.table]["rows"], table.rows, "{}", table.table);
    }

    let empty = tempfile::tempdir().expect("a temporary directory");
    let refused = program::run(["settlement", "rebuild", "--data", text(empty.path())]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no event log"));
}

#[test]
fn migrations_are_run_and_taken_back_by_the_program() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = text(directory.path());
    let ran = program::run_json(["migrate", "--data", data, "--json"]);
    assert_eq!(ran["accounts"]["ran"].as_array().map(Vec::len), Some(4), "{ran}");
    let books = ran["settlement"]["ran"].as_array().expect("a list").clone();
    assert!(books.len() >= 3, "{ran}");
    let back = ["migrate", "--data", data, "--group", "settlement", "--down", "1", "--json"];
    let back = program::run_json(back);
    assert_eq!(
        back["settlement"]["took_back"].as_array().expect("a list"),
        &[books[books.len() - 1].clone()]
    );
    let again = program::run_json(["migrate", "--data", data, "--json"]);
    assert_eq!(again["settlement"]["ran"].as_array().expect("a list"), &[books[books.len() - 1].clone()]);

    let too_many = program::run(["migrate", "--data", data, "--group", "accounts", "--down", "9"]);
    assert_eq!(too_many.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&too_many.stderr).contains("has 4 migrations"));
    let unsaid = program::run(["migrate", "--data", data, "--down", "1"]);
    assert_eq!(unsaid.status.code(), Some(2), "a group must be named");
}
