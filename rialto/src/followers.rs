//! What follows the engine in its own process: the books of record, and with brokers the publisher of its
//! events. Each goes on by itself from where it was, at its own pace; trading does not wait for it. Refuses
//! to know what they write.

use crate::config::Config;
use database::TableGroup;
use protocol::Sequence;
use services::{Metric, MetricSource};
use settlement::{SettlementError, State, Status};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use stream::{EventPublisher, EventStream, LogStream, Published, PublishingMetrics, StreamError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the books have at a stop to take in what is left.
const FAREWELL: Duration = Duration::from_secs(2);

/// Who will follow, once there is an event log to follow.
pub(crate) struct Followers {
    books: Option<Books>,
    publisher: Option<EventPublisher>,
    published: Published,
}

/// The books of record, to be kept.
struct Books {
    options: settlement::Options,
    directory: PathBuf,
    sender: watch::Sender<Status>,
}

/// Who follows, until stopped.
pub(crate) struct Following {
    books: Option<KeptBooks>,
    publisher: Option<JoinHandle<Result<(), StreamError>>>,
    stop: watch::Sender<bool>,
}

/// The books of record, being kept.
struct KeptBooks {
    status: watch::Receiver<Status>,
    task: JoinHandle<Result<(), SettlementError>>,
}

impl Followers {
    /// Of the event log in the configured data directory, of which `published` tells. `keeps_books` is
    /// false where another process keeps them.
    pub(crate) fn new(config: &Config, keeps_books: bool, published: Published) -> anyhow::Result<Self> {
        let directory = &config.data;
        let books = keeps_books.then(|| {
            let options = settlement::Options { location: config.database(TableGroup::Settlement)? };
            let sender = watch::Sender::new(Status::default());
            anyhow::Ok(Books { options, directory: directory.clone(), sender })
        });
        let kafka = config.kafka_options()?;
        let publisher = kafka.map(|kafka| EventPublisher::new(kafka, directory, Some(published.clone())));
        Ok(Self { books: books.transpose()?, publisher, published })
    }

    /// Their numbers.
    pub(crate) fn metrics(&self) -> Vec<Arc<dyn MetricSource>> {
        let mut metrics: Vec<Arc<dyn MetricSource>> = Vec::new();
        if let Some(books) = &self.books {
            metrics.push(Arc::new(BooksMetrics(books.sender.subscribe())));
        }
        if let Some(publisher) = &self.publisher {
            metrics.push(Arc::new(PublisherMetrics(publisher.metrics())));
        }
        metrics
    }

    /// Begins: the event log is open in this process now.
    pub(crate) fn start(self) -> Following {
        let Self { books, publisher, published } = self;
        let (stop, stopping) = watch::channel(false);
        let books = books.map(|books| books.keep(published, stopping.clone()));
        let publisher = publisher.map(|publisher| tokio::spawn(publish(publisher, stopping)));
        Following { books, publisher, stop }
    }
}

impl Following {
    /// Ends them; the books may first take in what there is up to `until`, for a moment.
    pub(crate) async fn stop(self, until: Sequence) {
        let Self { books, publisher, stop } = self;
        if let Some(books) = &books {
            let mut status = books.status.clone();
            let there = status.wait_for(|status| status.position >= until || status.state != State::Running);
            if timeout(FAREWELL, there).await.is_err() {
                tracing::info!("the books of record go on at the next start");
            }
        }
        stop.send_replace(true);
        // What went wrong was told when it did.
        if let Some(books) = books {
            let _ = books.task.await;
        }
        if let Some(publisher) = publisher {
            let _ = publisher.await;
        }
    }
}

impl Books {
    fn keep(self, published: Published, stop: watch::Receiver<bool>) -> KeptBooks {
        let Self { options, directory, sender } = self;
        let status = sender.subscribe();
        let open = async move |position| {
            Ok(EventStream::Log(LogStream::open(&directory, position, Some(published))?))
        };
        let task = tokio::spawn(async move {
            let kept = settlement::run(options, open, stop, sender).await;
            if let Err(error) = &kept {
                tracing::error!(%error, "the books of record are not kept any more");
            }
            kept
        });
        KeptBooks { status, task }
    }
}

async fn publish(publisher: EventPublisher, mut stop: watch::Receiver<bool>) -> Result<(), StreamError> {
    let stopped = async {
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let published = publisher.run(stopped).await;
    if let Err(error) = &published {
        tracing::error!(%error, "events are not published any more");
    }
    published
}

#[derive(Debug)]
struct BooksMetrics(watch::Receiver<Status>);

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

#[derive(Debug)]
struct PublisherMetrics(Arc<PublishingMetrics>);

impl MetricSource for PublisherMetrics {
    fn metrics(&self) -> Vec<Metric> {
        let now = self.0.read();
        vec![
            Metric::counter(
                "publisher_sequence",
                "the last command that brokers acknowledged",
                now.position.0,
            ),
            Metric::counter("publisher_commands_total", "commands published since the start", now.commands),
            Metric::counter("publisher_errors_total", "attempts that failed and were made again", now.errors),
        ]
    }
}
