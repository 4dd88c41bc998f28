//! The consumer: opens the books, reads the stream on from where they are, and writes while more comes.
//! What comes while the database is busy is written together. A database that is away is tried again until
//! it is back; whatever else is wrong stops the consumer with a word. Refuses to decide what a stop means
//! for anyone else.

use crate::{
    Books, SettlementError, State, Status, prepared::Prepared, projection::Projection, writer::Writer,
};
use database::{Database, DatabaseLocation, TableGroup};
use protocol::Sequence;
use std::{future::Future, time::Duration};
use stream::{EventStream, StreamError};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

/// Rows that wait for the database are at most about so many: then no more events are read.
const ROWS_MAX: usize = 40_000;
/// The first wait before a database that is away is tried again; each next is twice as long.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// The longest.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How often the rate is reckoned.
const RATE_EVERY: Duration = Duration::from_secs(1);
/// How often the stream is asked how far it goes, counted in rates.
const END_EVERY: u32 = 5;

/// What the consumer needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the books are; made if they are absent.
    pub location: DatabaseLocation,
}

/// Keeps the books until `stop` is true or something is wrong. `open` opens the stream after a position.
/// How it is can be seen in `status` at any time.
///
/// # Errors
/// Everything but a database that is away: see [`SettlementError`].
pub async fn run<Opening: Future<Output = Result<EventStream, StreamError>>>(
    options: Options,
    open: impl FnOnce(Sequence) -> Opening,
    mut stop: watch::Receiver<bool>,
    status: watch::Sender<Status>,
) -> Result<(), SettlementError> {
    let kept = async {
        let Some(books) = open_books(&options.location, &mut stop, &status).await? else { return Ok(()) };
        let stream = open(books.position()).await.map_err(|error| named(error, books.position()))?;
        pump(books, stream, None, stop.clone(), &status).await
    };
    let result = kept.await;
    status.send_modify(|status| match &result {
        Ok(()) => status.state = State::Stopped,
        Err(error) => {
            status.state = State::Failed;
            status.last_error = Some(error.to_string());
        }
    });
    result
}

/// Opens the books, however long it takes; `None` when it is to stop before.
async fn open_books(
    location: &DatabaseLocation,
    stop: &mut watch::Receiver<bool>,
    status: &watch::Sender<Status>,
) -> Result<Option<Books>, SettlementError> {
    let mut wait = BACKOFF_MIN;
    loop {
        let opened = async { Books::open(Database::open(location, TableGroup::Settlement).await?).await };
        let error = tokio::select! {
            opened = opened => match opened {
                Ok(books) => return Ok(Some(books)),
                Err(error) if error.is_temporary() => error,
                Err(error) => return Err(error),
            },
            () = told(stop) => return Ok(None),
        };
        if !pause(&error, &mut wait, stop, status).await {
            return Ok(None);
        }
    }
}

/// Takes in and writes, both at once, until `until` is written (or `stop` is true).
pub(crate) async fn pump(
    books: Books,
    mut stream: EventStream,
    until: Option<Sequence>,
    mut stop: watch::Receiver<bool>,
    status: &watch::Sender<Status>,
) -> Result<(), SettlementError> {
    let (mut projection, writer) = books.into_parts();
    let (sender, receiver) = mpsc::channel(1);
    let mut writing = tokio::spawn(write_all(writer, receiver, stop.clone(), status.clone()));
    status.send_modify(|status| {
        status.state = State::Running;
        status.position = projection.position();
        status.time = projection.time();
        status.end = status.end.max(projection.position());
    });
    let read = read_all(&mut projection, &mut stream, until, &sender, &mut writing, &mut stop, status).await;
    let read = match read {
        Ended::Writer(result) => return joined(result),
        Ended::Reader(result) => result,
    };
    // What was taken in before the end, or before what was wrong, is written.
    if let Some(prepared) = projection.take() {
        // The writer takes it, or has ended with an error of its own.
        let _ = sender.send(prepared).await;
    }
    drop(sender);
    joined(writing.await)?;
    read
}

/// How the reading ended.
enum Ended {
    Writer(Result<Result<(), SettlementError>, tokio::task::JoinError>),
    Reader(Result<(), SettlementError>),
}

async fn read_all(
    projection: &mut Projection,
    stream: &mut EventStream,
    until: Option<Sequence>,
    sender: &mpsc::Sender<Prepared>,
    writing: &mut JoinHandle<Result<(), SettlementError>>,
    stop: &mut watch::Receiver<bool>,
    status: &watch::Sender<Status>,
) -> Ended {
    let mut ticks = interval(RATE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut tick, mut reckoned, mut before) = (0_u32, Instant::now(), status.borrow().commands);
    while until.is_none_or(|until| projection.position() < until) {
        tokio::select! {
            biased;
            () = told(stop) => break,
            result = &mut *writing => return Ended::Writer(result),
            permit = sender.reserve(), if projection.is_changed() => {
                // Where there is no receiver any more, the writer's end is seen next.
                if let (Ok(permit), Some(prepared)) = (permit, projection.take()) {
                    permit.send(prepared);
                }
            }
            _ = ticks.tick() => {
                let commands = status.borrow().commands;
                let elapsed = reckoned.elapsed().as_millis().max(1) as u64;
                let end = match tick % END_EVERY {
                    0 => stream.end().await.ok(),
                    _ => None,
                };
                status.send_modify(|status| {
                    status.commands_per_second = (commands - before) * 1_000 / elapsed;
                    status.end = status.end.max(end.unwrap_or_default());
                });
                (tick, reckoned, before) = (tick.wrapping_add(1), Instant::now(), commands);
            }
            batch = stream.next(), if projection.rows() < ROWS_MAX => {
                let applied = match batch {
                    Ok(batch) => projection.apply(&batch),
                    Err(error) => Err(named(error, projection.position())),
                };
                let position = projection.position();
                status.send_if_modified(|status| {
                    let further = position > status.end;
                    status.end = status.end.max(position);
                    further
                });
                if let Err(error) = applied {
                    return Ended::Reader(Err(error));
                }
            }
        }
    }
    Ended::Reader(Ok(()))
}

/// Writes what comes, each until it is written.
async fn write_all(
    mut writer: Writer,
    mut prepared: mpsc::Receiver<Prepared>,
    mut stop: watch::Receiver<bool>,
    status: watch::Sender<Status>,
) -> Result<(), SettlementError> {
    while let Some(prepared) = prepared.recv().await {
        let mut wait = BACKOFF_MIN;
        while let Err(error) = writer.write(&prepared).await {
            if !error.is_temporary() {
                return Err(error);
            }
            if !pause(&error, &mut wait, &mut stop, &status).await {
                return Ok(());
            }
        }
        let from = prepared.from.map_or(0, |place| place.sequence.0);
        status.send_modify(|status| {
            status.state = State::Running;
            status.position = prepared.to.sequence;
            status.time = prepared.to.time;
            status.commands += prepared.to.sequence.0 - from;
            status.rows += prepared.tables.len() as u64;
            status.transactions += 1;
        });
    }
    Ok(())
}

/// Says what is wrong and waits before the next try; false when it is to stop instead.
async fn pause(
    error: &SettlementError,
    wait: &mut Duration,
    stop: &mut watch::Receiver<bool>,
    status: &watch::Sender<Status>,
) -> bool {
    tracing::warn!(%error, "the books of record wait for their database");
    status.send_modify(|status| {
        status.state = State::Waiting;
        status.retries += 1;
        status.last_error = Some(error.to_string());
    });
    let waiting = tokio::time::sleep(*wait);
    *wait = (*wait * 2).min(BACKOFF_MAX);
    tokio::select! {
        () = waiting => true,
        () = told(stop) => false,
    }
}

/// Waits until it is told to stop; for ever when nobody can tell any more.
async fn told(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn joined(
    result: Result<Result<(), SettlementError>, tokio::task::JoinError>,
) -> Result<(), SettlementError> {
    match result {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down.
            Err(_) => Ok(()),
        },
    }
}

/// Which of the two, the books or the stream, is older.
fn named(error: StreamError, position: Sequence) -> SettlementError {
    match error {
        StreamError::Behind { first, .. } => SettlementError::Behind { position, first },
        StreamError::Ahead { end, .. } => SettlementError::Ahead { position, end },
        other => other.into(),
    }
}
