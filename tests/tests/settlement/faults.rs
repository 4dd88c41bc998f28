//! PostgreSQL is killed in a transaction, loses its answer, ends a session, stands still: what was
//! committed is there once, and the consumer goes on by itself.

use crate::{
    events::History,
    place::{self, assert_books_are_the_core_s},
    proxy::{Loss, Proxy},
};
use protocol::Sequence;
use settlement::{Books, Options, RowHash, SettlementError, State, Status, run};
use std::{path::Path, time::Duration};
use stream::{EventStream, LogStream};
use tests::postgres::Postgres;
use tokio::{sync::watch, task::JoinHandle};

const PATIENCE: Duration = Duration::from_mins(3);
const COMMANDS: usize = 6_000;
/// Commands in the log when the consumer starts; the rest follows bit by bit.
const BEGUN: usize = 200;

/// A consumer on a log that grows as it is told.
struct Consumer {
    status: watch::Receiver<Status>,
    stop: watch::Sender<bool>,
    running: JoinHandle<Result<(), SettlementError>>,
}

impl Consumer {
    fn start(log: &Path, options: Options) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (sender, status) = watch::channel(Status::default());
        let log = log.to_owned();
        let open = move |position| async move { LogStream::open(&log, position, None).map(EventStream::Log) };
        Self { status, stop, running: tokio::spawn(run(options, open, stopped, sender)) }
    }

    async fn until(&mut self, what: &str, is_so: impl Fn(&Status) -> bool) -> Status {
        let ended = |status: &Status| is_so(status) || status.state == State::Failed;
        let seen = tokio::time::timeout(PATIENCE, self.status.wait_for(ended)).await;
        let Ok(seen) = seen.map(|seen| seen.expect("it tells").clone()) else {
            panic!("{what}: not in time: {:?}", self.status.borrow());
        };
        assert!(is_so(&seen), "{what}: {seen:?}");
        seen
    }

    async fn end(self) {
        self.stop.send(true).expect("it listens");
        self.running.await.expect("no panic").expect("it ran without fault");
    }
}

/// The rows that a run without faults makes.
async fn clean(history: &History) -> RowHash {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let location = place::sqlite(directory.path());
    let mut books = Books::open(place::open(&location).await).await.expect("the books open");
    books.apply(&history.joined(COMMANDS)[0]).expect("the events follow");
    books.write().await.expect("the rows are written");
    place::hash(&location).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_a_transaction_again_and_again_leaves_each_row_once() {
    let history = History::new(21, COMMANDS);
    let mut server = Postgres::start();
    let location = place::postgres(&server);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut log = history.begin_log(directory.path(), BEGUN);
    let mut consumer = Consumer::start(directory.path(), Options { location: location.clone() });
    let mut killed_at = Vec::new();
    loop {
        // More comes while it writes, so that a kill finds a transaction open.
        log.append(900);
        if log.is_whole() {
            break;
        }
        let reached = Sequence(log.written().0 - 600);
        consumer.until("it writes", |status| status.position >= reached).await;
        server.kill();
        let retries = consumer.status.borrow().retries;
        log.append(300);
        consumer.until("it waits", |status| status.state == State::Waiting && status.retries > retries).await;
        killed_at.push(consumer.status.borrow().position.0);
        server.start_again();
    }
    consumer.until("it ends", |status| status.position == history.end()).await;
    consumer.end().await;
    println!("killed after commands {killed_at:?}");
    assert_eq!(place::hash(&location).await, clean(&history).await);
    assert_books_are_the_core_s(&location, &history.engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_counts_once() {
    let history = History::new(22, COMMANDS);
    let server = Postgres::start();
    let proxy = Proxy::before(server.address);
    let location = place::postgres_at(proxy.url());
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut log = history.begin_log(directory.path(), BEGUN);
    let mut consumer = Consumer::start(directory.path(), Options { location: location.clone() });
    consumer.until("it begins", |status| status.position.0 >= BEGUN as u64).await;
    let mut losses = 0;
    while !log.is_whole() {
        let loss = if losses % 2 == 0 { Loss::Answer } else { Loss::Commit };
        proxy.lose(loss);
        losses += 1;
        log.append(300);
        let written = log.written();
        consumer.until("it goes on", |status| status.position >= written).await;
        assert_eq!(proxy.losses(), losses, "{loss:?}");
    }
    let status = consumer.until("it ends", |status| status.position == history.end()).await;
    assert!(status.retries >= losses, "{status:?}");
    consumer.end().await;
    println!("{losses} commits or answers lost");
    assert_eq!(place::hash(&location).await, clean(&history).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_ended_and_a_server_that_stands_still_cost_nothing_but_time() {
    let history = History::new(23, COMMANDS);
    let server = Postgres::start();
    let location = place::postgres(&server);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut log = history.begin_log(directory.path(), BEGUN);
    let mut consumer = Consumer::start(directory.path(), Options { location: location.clone() });
    let mut ended = 0;
    for round in 0.. {
        if log.is_whole() {
            break;
        }
        if round % 2 == 0 {
            let others = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'rialto'";
            ended += server.psql("rialto", others).parse::<u64>().expect("a count");
            log.append(300);
        } else {
            server.freeze();
            log.append(300);
            // The consumer takes in what it cannot write.
            let written = log.written();
            let status = consumer.until("it reads on", |status| status.end >= written).await;
            assert!(
                status.position < written,
                "nothing is written by a server that stands still: {status:?}"
            );
            server.thaw();
        }
        let written = log.written();
        consumer.until("it goes on", |status| status.position >= written).await;
    }
    assert!(ended > 0, "sessions were ended");
    consumer.until("it ends", |status| status.position == history.end()).await;
    consumer.end().await;
    assert_eq!(place::hash(&location).await, clean(&history).await);
    assert_books_are_the_core_s(&location, &history.engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_yet_is_waited_for() {
    let history = History::new(24, 400);
    let mut server = Postgres::start();
    let location = place::postgres(&server);
    let directory = tempfile::tempdir().expect("a temporary directory");
    history.write_log(directory.path());
    server.kill();
    let mut consumer = Consumer::start(directory.path(), Options { location: location.clone() });
    consumer.until("it waits", |status| status.state == State::Waiting && status.last_error.is_some()).await;
    server.start_again();
    consumer.until("it ends", |status| status.position == history.end()).await;
    consumer.end().await;
    assert_eq!(place::hash(&location).await, clean(&history).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_one_stops_and_says_so() {
    let history = History::new(25, 600);
    let server = Postgres::start();
    let location = place::postgres(&server);
    let batches = history.joined(100);
    let mut one = Books::open(place::open(&location).await).await.expect("the books open");
    one.apply(&batches[0]).expect("the events follow");
    one.write().await.expect("the rows are written");
    let mut other = Books::open(place::open(&location).await).await.expect("the books open");
    other.apply(&batches[1]).expect("the events follow");
    other.write().await.expect("the rows are written");
    one.apply(&batches[1]).expect("the events follow");
    let error = one.write().await.expect_err("another was faster");
    assert!(
        matches!(error, SettlementError::OtherWriter { expected: Sequence(100), found: Sequence(200) }),
        "{error}"
    );
    for batch in &batches[2..] {
        other.apply(batch).expect("the events follow");
    }
    other.write().await.expect("the other goes on");
    assert_eq!(place::hash(&location).await, clean(&history).await);
}
