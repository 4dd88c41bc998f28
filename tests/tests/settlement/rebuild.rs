//! The consumer on a real event log: live, resumed, rebuilt; and books that do not belong to their log.

use crate::{
    events::History,
    place::{self, assert_books_are_the_core_s},
};
use engine_journal::{EventLogWriter, FileStorage};
use protocol::Sequence;
use settlement::{Options, SettlementError, State, Status, rebuild, run};
use std::{path::Path, time::Duration};
use stream::{EventStream, LogStream, StreamError};
use tests::postgres::Postgres;
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_mins(3);

fn stream(directory: &Path, position: Sequence) -> Result<EventStream, StreamError> {
    LogStream::open(directory, position, None).map(EventStream::Log)
}

/// Runs the consumer until it has written `until`.
async fn run_until(log: &Path, options: Options, until: Sequence) -> Result<Status, SettlementError> {
    let (stop, stopped) = watch::channel(false);
    let (sender, mut status) = watch::channel(Status::default());
    let log = log.to_owned();
    let running =
        tokio::spawn(run(options, move |position| async move { stream(&log, position) }, stopped, sender));
    let done = status.wait_for(|status| status.position >= until || status.state == State::Failed);
    let seen = tokio::time::timeout(PATIENCE, done).await.expect("in time").expect("it tells").clone();
    // One that has failed listens no more.
    let _ = stop.send(true);
    running.await.expect("no panic")?;
    Ok(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn live_resumed_and_rebuilt_books_are_equal() {
    let history = History::new(11, 5_000);
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = directory.path().join("data");
    history.write_log(&log);

    let live = place::postgres(&server);
    let options = Options { location: live.clone() };
    // Stopped half way, wherever it is then.
    let half = Sequence(history.end().0 / 2);
    run_until(&log, options.clone(), half).await.expect("it runs");
    let status = run_until(&log, options, history.end()).await.expect("it goes on");
    assert_eq!(status.position, history.end());
    let clean = place::hash(&live).await;
    assert_eq!(clean.position, history.end());
    assert_books_are_the_core_s(&live, &history.engine).await;

    for location in [live, place::sqlite(directory.path())] {
        let (_stop, stopped) = watch::channel(false);
        let (sender, _status) = watch::channel(Status::default());
        let from_first = stream(&log, Sequence(0)).expect("the log opens");
        let end = rebuild(place::open(&location).await, from_first, stopped, sender).await.expect("rebuilt");
        assert_eq!(end, history.end(), "{location}");
        assert_eq!(place::hash(&location).await, clean, "{location}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn books_behind_and_ahead_of_their_log_are_told_apart_and_stay_as_they_are() {
    let history = History::new(12, 2_000);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let whole = directory.path().join("whole");
    history.write_log(&whole);
    let options = Options { location: place::sqlite(directory.path()) };
    run_until(&whole, options.clone(), history.end()).await.expect("it runs");
    let before = place::hash(&options.location).await;

    // A log that ends before, as of a data directory that was restored.
    let short = directory.path().join("short");
    History::new(12, 1_000).write_log(&short);
    let error = run_until(&short, options.clone(), history.end()).await.expect_err("it is ahead");
    assert!(
        matches!(error, SettlementError::Ahead { position, end: Sequence(1_000) } if position == history.end()),
        "{error}"
    );

    // A log that begins after what the books have.
    let late = directory.path().join("late");
    std::fs::create_dir(&late).expect("a directory");
    let mut log = EventLogWriter::open(FileStorage::new(&late), 7, 256 << 10).expect("an empty log");
    let rest = &history.batches[1_500..];
    for batch in rest {
        log.append(batch.first.0, batch.last.0, &batch.chunks).expect("room");
    }
    let young = tempfile::tempdir().expect("a temporary directory");
    let options_of_young = Options { location: place::sqlite(young.path()) };
    run_until(&short, options_of_young.clone(), Sequence(1_000)).await.expect("it runs");
    let error = run_until(&late, options_of_young, history.end()).await.expect_err("it is behind");
    let (position, first) = (Sequence(1_000), Sequence(1_501));
    assert!(
        matches!(error, SettlementError::Behind { position: at, first: from } if (at, from) == (position, first)),
        "{error}"
    );

    // Nor is anything lost by a rebuild from there.
    let (_stop, stopped) = watch::channel(false);
    let (sender, _status) = watch::channel(Status::default());
    let refused = match stream(&late, Sequence(0)) {
        Ok(from_first) => {
            rebuild(place::open(&options.location).await, from_first, stopped, sender).await.map(|_| ())
        }
        Err(error) => Err(error.into()),
    };
    refused.expect_err("the first command is gone");
    assert_eq!(place::hash(&options.location).await, before);
}
