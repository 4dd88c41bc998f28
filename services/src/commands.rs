//! Submitting commands. A port belongs to one source; it gives its commands their numbers.

use protocol::{
    Sequence, SourceId, SourceNumber, Time,
    command::Command,
    event::{Event, EventChunk},
    reject::Outcome,
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use thiserror::Error;
use tokio::sync::oneshot;

/// Why a command was not taken, or its fate is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// The ring is full: not taken, nothing happened. Try again later.
    #[error("the exchange is overloaded; the command was not taken")]
    Overloaded,
    /// There is no room on disk: not taken, nothing happened.
    #[error("no room to record the command; it was not taken")]
    NoRoom,
    /// The books of record are too far behind: no new orders, not taken. Cancels are taken.
    #[error("the books of record are too far behind; no new order is taken until they have caught up")]
    Behind,
    /// The exchange is stopping or has halted: not taken.
    #[error("the exchange takes no commands now")]
    Closed,
    /// The exchange stopped before it answered: the command may or may not have happened.
    #[error("the exchange stopped before it answered; the command may or may not have happened")]
    Unknown,
}

/// What the engine answered: the command is on disk, and so is everything it did.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The command's place in the log.
    pub sequence: Sequence,
    /// When it was taken.
    pub time: Time,
    /// How it ended.
    pub outcome: Outcome,
    /// How the cancel of a cancel-replace ended; `None` when there was none.
    pub cancel_outcome: Option<Outcome>,
    /// The id it made (order, account, asset, instrument, hold), or 0.
    pub result: u64,
    /// Its event chunks, as bytes.
    pub chunks: Box<[u8]>,
}

impl Answer {
    /// The command's events, in order.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        // The engine wrote these bytes a moment ago in this build's version; one that could not be
        // read would have stopped the egress before it got here.
        EventChunk::all(&self.chunks).flatten().flat_map(|chunk| chunk.events().flatten())
    }
}

/// An answer on its way: a future. Dropping it does not take the command back.
#[derive(Debug)]
pub struct PendingAnswer(oneshot::Receiver<Result<Answer, SubmitError>>);

impl PendingAnswer {
    /// A pending answer and the end that completes it.
    pub fn channel() -> (oneshot::Sender<Result<Answer, SubmitError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }

    /// Waits for the answer on a thread that is not part of an async runtime.
    pub fn wait(self) -> Result<Answer, SubmitError> {
        self.0.blocking_recv().unwrap_or(Err(SubmitError::Unknown))
    }
}

impl Future for PendingAnswer {
    type Output = Result<Answer, SubmitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|received| received.unwrap_or(Err(SubmitError::Unknown)))
    }
}

/// Where one source submits its commands.
pub trait CommandPort: Send + Sync {
    /// Whose port it is.
    fn source(&self) -> SourceId;

    /// Hands a command to the engine under this source's next number. `trace` follows the request
    /// to the last consumer; 0 when there is none. Never waits: a full ring is an error.
    fn submit(&self, command: &Command, trace: u64) -> Result<PendingAnswer, SubmitError>;
}

/// Why a record that its sender has numbered was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecordRefused {
    /// Not taken now.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// It is no command of this source: whoever sent it is at fault.
    #[error("{0}")]
    Bad(String),
}

/// Where a source that numbers its commands itself hands in their records, as one in another process
/// does. A record that comes again under its number gets the outcome it had.
pub trait NumberedPort: Send + Sync {
    /// Whose port it is.
    fn source(&self) -> SourceId;

    /// The number that must come next, as it was when the engine opened.
    fn next_number(&self) -> SourceNumber;

    /// Hands in a whole record (`protocol::command::CommandRecord`). Never waits.
    fn submit_record(&self, record: &[u8]) -> Result<PendingAnswer, RecordRefused>;
}
