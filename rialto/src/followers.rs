//! What follows the engine in its own process: the books of record, and with brokers the publishers of its
//! events. Each goes on by itself from where it was, at its own pace; when books or brokers are further
//! behind than the configured bound, new orders are refused until they have caught up. Refuses to know what
//! they write.

use crate::config::Config;
use database::TableGroup;
use protocol::Sequence;
use services::{CommandPort, EngineStatus, Metric, MetricSource};
use settlement::{BooksMetrics, SettlementError, State, Status};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use stream::{
    BoundedPort, EventPublisher, EventStream, Follower, Lag, LogStream, Published, public::PublicPublisher,
};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// How long the books have at a stop to take in what is left.
const FAREWELL: Duration = Duration::from_secs(2);

/// Who will follow, once there is an event log to follow.
pub(crate) struct Followers {
    books: Option<Books>,
    publishers: Option<Publishers>,
    published: Published,
    bound: u64,
    lag: Arc<LagToCome>,
}

/// The books of record, to be kept.
struct Books {
    options: settlement::Options,
    directory: PathBuf,
    sender: watch::Sender<Status>,
}

/// To the internal log, and to the public topics.
struct Publishers {
    events: EventPublisher,
    public: PublicPublisher,
}

/// The lag of an engine that has not opened yet.
#[derive(Debug, Default)]
struct LagToCome(OnceLock<Arc<Lag>>);

/// Who follows, until stopped.
pub(crate) struct Following {
    books: Option<KeptBooks>,
    publishers: JoinSet<()>,
    lag: Arc<Lag>,
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
        let publishers = config.kafka_options()?.map(|kafka| Publishers {
            events: EventPublisher::new(kafka.clone(), directory, Some(published.clone())),
            public: PublicPublisher::new(kafka, config.public_options(), directory, Some(published.clone())),
        });
        let (bound, lag) = (config.stream_lag_bound, Arc::default());
        Ok(Self { books: books.transpose()?, publishers, published, bound, lag })
    }

    /// Their numbers.
    pub(crate) fn metrics(&self) -> Vec<Arc<dyn MetricSource>> {
        let mut metrics: Vec<Arc<dyn MetricSource>> = vec![Arc::<LagToCome>::clone(&self.lag)];
        if let Some(books) = &self.books {
            metrics.push(Arc::new(BooksMetrics::new(books.sender.subscribe())));
        }
        if let Some(publishers) = &self.publishers {
            metrics.push(publishers.events.metrics());
            metrics.push(publishers.public.metrics());
        }
        metrics
    }

    /// How the books are, where they are kept here.
    pub(crate) fn books(&self) -> Option<watch::Receiver<Status>> {
        self.books.as_ref().map(|books| books.sender.subscribe())
    }

    /// Begins: the event log is open in this process now, by `engine`.
    pub(crate) fn start(self, engine: Arc<dyn EngineStatus>) -> Following {
        let Self { books, publishers, published, bound, lag: to_come } = self;
        let (stop, stopping) = watch::channel(false);
        let opened = engine.durable_sequence();
        // The public topics are for others: nothing here waits for them.
        let events = publishers.iter().map(|publishers| publishers.events.metrics().follower());
        let followers = books.iter().map(Books::follower).chain(events).collect();
        let lag = Arc::new(Lag::new(engine, opened, bound, followers));
        // Nobody else sets it.
        let _ = to_come.0.set(Arc::clone(&lag));
        let books = books.map(|books| books.keep(published, stopping.clone()));
        let publishers = publishers.map(|publishers| publishers.begin(&stopping)).unwrap_or_default();
        Following { books, publishers, lag, stop }
    }
}

impl MetricSource for LagToCome {
    fn metrics(&self) -> Vec<Metric> {
        self.0.get().map(|lag| lag.metrics()).unwrap_or_default()
    }
}

impl Following {
    /// A port that refuses new orders while those that follow are too far behind.
    pub(crate) fn bounded(&self, port: impl CommandPort + 'static) -> BoundedPort {
        BoundedPort::new(Arc::new(port), Arc::clone(&self.lag))
    }

    /// Ends them; the books may first take in what there is up to `until`, for a moment.
    pub(crate) async fn stop(self, until: Sequence) {
        let Self { books, publishers, stop, .. } = self;
        if let Some(books) = &books {
            let mut status = books.status.clone();
            let there = status.wait_for(|status| status.position >= until || status.state != State::Running);
            if timeout(FAREWELL, there).await.is_err() {
                tracing::info!("the books of record go on at the next start");
            }
        }
        stop.send_replace(true);
        if let Some(books) = books {
            // What went wrong was told when it did.
            let _ = books.task.await;
        }
        publishers.join_all().await;
    }
}

impl Publishers {
    /// Publish until told to stop.
    fn begin(self, stopping: &watch::Receiver<bool>) -> JoinSet<()> {
        let Self { events, public } = self;
        let mut publishing = JoinSet::new();
        let stop = stopped(stopping.clone());
        publishing.spawn(async move {
            if let Err(error) = events.run(stop).await {
                tracing::error!(%error, "events are not published any more");
            }
        });
        let stop = stopped(stopping.clone());
        publishing.spawn(async move {
            if let Err(error) = public.run(stop).await {
                tracing::error!(%error, "nothing is published to the public topics any more");
            }
        });
        publishing
    }
}

/// Waits until it is told to stop; for ever when nobody can tell any more.
async fn stopped(mut stopping: watch::Receiver<bool>) {
    if stopping.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Books {
    /// How far they have got, as it will be.
    fn follower(&self) -> Follower {
        let follower = Follower::default();
        let (mut status, told) = (self.sender.subscribe(), follower.clone());
        tokio::spawn(async move {
            // An error says that they have ended: they stay where they are.
            while status.changed().await.is_ok() {
                told.reached(status.borrow_and_update().position);
            }
        });
        follower
    }

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
