//! However the events come (one by one, together, twice, from the first again, out of order), the rows
//! are the same, in SQLite and in PostgreSQL.

use crate::{
    events::{ENGINE_ID, EPOCH, History, join},
    place::{self, assert_books_are_the_core_s},
};
use database::DatabaseLocation;
use protocol::Sequence;
use settlement::{Books, RowHash, SettlementError};
use simulation::Random;
use stream::{Batch, StreamError};
use tests::postgres::Postgres;

/// Commands of a history, of which about every third trades.
const COMMANDS: usize = 6_000;

/// Whether it is the error that was to come.
type Is = fn(&SettlementError) -> bool;

/// Writes the batches, a transaction for each `every` of them.
async fn write(location: &DatabaseLocation, batches: &[Batch], every: usize) -> RowHash {
    let mut books = Books::open(place::open(location).await).await.expect("the books open");
    for some in batches.chunks(every) {
        for batch in some {
            books.apply(batch).expect("the events follow");
        }
        books.write().await.expect("the rows are written");
    }
    place::hash(location).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_equal_in_both_databases_and_in_whatever_batches_they_came() {
    let history = History::new(1, COMMANDS);
    println!("{:?}", history.kinds);
    for kind in
        ["Trade", "AuctionTrade", "OrderAmended", "TradePrevented", "OrderTriggered", "OrderListChanged"]
    {
        assert!(history.kinds.contains_key(kind), "the history has no {kind}: {:?}", history.kinds);
    }
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");

    let together = place::sqlite(directory.path());
    let clean = write(&together, &history.joined(COMMANDS), 1).await;
    assert_eq!(clean.position, history.end());
    assert_books_are_the_core_s(&together, &history.engine).await;
    for table in &clean.tables {
        println!("{:>8} {} {}", table.rows, table.hash, table.table);
        assert!(table.rows > 0, "{} is empty", table.table);
    }

    let in_postgres = place::postgres(&server);
    assert_eq!(write(&in_postgres, &history.joined(700), 3).await, clean, "PostgreSQL");
    assert_books_are_the_core_s(&in_postgres, &history.engine).await;
    let one_by_one = place::postgres(&server);
    assert_eq!(write(&one_by_one, &history.batches, 7).await, clean, "seven commands a transaction");

    // The second writer has only what the first one's rows say.
    let resumed = place::postgres(&server);
    for part in history.batches.chunks(1_000) {
        write(&resumed, part, 90).await;
    }
    assert_eq!(place::hash(&resumed).await, clean, "six writers, one after the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_again_changes_nothing() {
    let history = History::new(2, COMMANDS);
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let clean_at = place::sqlite(directory.path());
    let clean = write(&clean_at, &history.joined(500), 1).await;

    for (place, location) in [("SQLite", clean_at.clone()), ("PostgreSQL", place::postgres(&server))] {
        write(&location, &history.joined(300), 2).await;
        assert_eq!(write(&location, &history.joined(500), 1).await, clean, "{place}: all of it again from 0");
    }

    // Every tenth batch comes again, some batches later; some overlap what came before.
    let mut random = Random::new(3);
    let mut delivered: Vec<Batch> = Vec::new();
    let mut duplicates = 0;
    for first in (0..history.batches.len()).step_by(20) {
        let last = (first + 20).min(history.batches.len());
        let overlap = if random.once_in(10) { random.below(30) as usize } else { 0 };
        delivered.push(join(&history.batches[first.saturating_sub(overlap)..last]));
        if random.once_in(10) {
            let back = 1 + random.below(5) as usize;
            delivered.push(delivered[delivered.len().saturating_sub(back)].clone());
            duplicates += 1;
        }
    }
    assert!(duplicates > 10, "{duplicates}");
    let location = place::postgres(&server);
    assert_eq!(write(&location, &delivered, 3).await, clean, "{duplicates} duplicates");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_follow_is_refused_and_named() {
    let history = History::new(4, 600);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let location = place::sqlite(directory.path());
    let batches = history.joined(100);
    write(&location, &batches[..2], 1).await;
    let before = place::hash(&location).await;

    let mut wrong_end = batches[2].clone();
    wrong_end.last = Sequence(wrong_end.last.0 + 1);
    let next = &batches[2];
    let cases: Vec<(&str, Batch, Is)> = vec![
        ("a batch that is left out", batches[3].clone(), |error| {
            matches!(
                error,
                SettlementError::Stream(StreamError::Gap { expected: Sequence(201), found: Sequence(301) })
            )
        }),
        ("another engine's", Batch { engine_id: ENGINE_ID + 1, ..next.clone() }, |error| {
            matches!(error, SettlementError::Stream(StreamError::OtherEngine { .. }))
        }),
        ("an engine's that was replaced", Batch { epoch: EPOCH - 1, ..next.clone() }, |error| {
            matches!(error, SettlementError::Stream(StreamError::Fenced { newest: EPOCH, .. }))
        }),
    ];
    for (case, batch, is_it) in cases {
        let mut books = Books::open(place::open(&location).await).await.expect("the books open");
        let error = books.apply(&batch).expect_err(case);
        assert!(is_it(&error), "{case}: {error}");
        books.write().await.expect("there is nothing to write");
        assert_eq!(place::hash(&location).await, before, "{case}");
    }
    let mut books = Books::open(place::open(&location).await).await.expect("the books open");
    let error = books.apply(&wrong_end).expect_err("a batch that ends early");
    assert!(
        matches!(error, SettlementError::Stream(StreamError::Gap { expected: Sequence(301), .. })),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_an_unknown_version_stops_the_books_right_before_it() {
    let history = History::new(5, 300);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let location = place::sqlite(directory.path());
    // The version is a chunk header's eighth byte; that of command 201 becomes another.
    let mut batch = join(&history.batches);
    let before: usize = history.batches[..200].iter().map(|batch| batch.chunks.len()).sum();
    batch.chunks[before + 7] += 1;

    let mut books = Books::open(place::open(&location).await).await.expect("the books open");
    let error = books.apply(&batch).expect_err("an unknown version");
    assert!(matches!(error, SettlementError::Unreadable { sequence: Sequence(201), .. }), "{error}");
    books.write().await.expect("what came before is written");
    let stopped = place::hash(&location).await;
    assert_eq!(stopped.position, Sequence(200));

    let other = tempfile::tempdir().expect("a temporary directory");
    let clean = write(&place::sqlite(other.path()), &history.batches[..200], 50).await;
    assert_eq!(stopped, clean);
}
