//! How the consumer is, for whoever asks: a page, a metric, a test. Refuses to wait.

use protocol::{Sequence, Time};
use services::{Metric, MetricSource};
use tokio::sync::watch;

/// What the consumer is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Opening the database and reading what the next rows depend on.
    #[default]
    Opening,
    /// Taking in events as they come.
    Running,
    /// The database is not available; it is tried again and again. Nothing is lost meanwhile: the stream
    /// keeps what was not written.
    Waiting,
    /// Stopped because it was told to.
    Stopped,
    /// Stopped because it must not go on; `last_error` says why.
    Failed,
}

/// How the consumer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What it is doing.
    pub state: State,
    /// The last command that is written.
    pub position: Sequence,
    /// That command's time.
    pub time: Time,
    /// The newest command there is to read, as far as it is known.
    pub end: Sequence,
    /// Commands written since it began.
    pub commands: u64,
    /// Rows written since it began.
    pub rows: u64,
    /// Transactions since it began.
    pub transactions: u64,
    /// How often a transaction was tried again since it began.
    pub retries: u64,
    /// Commands written a second, over the last seconds.
    pub commands_per_second: u64,
    /// What last went wrong, in words.
    pub last_error: Option<String>,
}

impl Status {
    /// How many commands there are to write, as far as it is known.
    pub const fn lag(&self) -> u64 {
        self.end.0.saturating_sub(self.position.0)
    }
}

/// The consumer's numbers, by its own word.
#[derive(Clone, Debug)]
pub struct BooksMetrics(watch::Receiver<Status>);

impl BooksMetrics {
    /// Of the consumer that `status` is told by.
    pub const fn new(status: watch::Receiver<Status>) -> Self {
        Self(status)
    }
}

impl MetricSource for BooksMetrics {
    fn metrics(&self) -> Vec<Metric> {
        let status = self.0.borrow();
        let is_running = u64::from(status.state == State::Running);
        vec![
            Metric::gauge("settlement_running", "1 while the books of record are kept", is_running),
            Metric::counter("settlement_sequence", "the last command in the books", status.position.0),
            Metric::gauge("settlement_lag_commands", "commands not in the books yet", status.lag()),
            Metric::gauge(
                "settlement_commands_per_second",
                "commands written to the books, over the last seconds",
                status.commands_per_second,
            ),
            Metric::counter("settlement_rows_total", "rows written since the start", status.rows),
            Metric::counter(
                "settlement_retries_total",
                "transactions tried again since the start",
                status.retries,
            ),
        ]
    }
}
