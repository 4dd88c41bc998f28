//! Publishes the event log to `rialto.events`: in order, without a gap, from where the topic ends. What it
//! sends is on disk already, for it reads nothing but the event log. Refuses to skip: what cannot be sent
//! is sent again, by a new producer if need be.

use super::{
    context::Reports,
    deliveries::Deliveries,
    options::KafkaOptions,
    probe::{LogEnd, PARTITION, Probe},
    record::{self, RECORD_BYTES},
    topics::{self, Topic},
};
use crate::{
    Batch, LogStream, Published, PublishingMetrics, StreamError,
    attempts::{Attempts, keep_at_it},
    metrics,
};
use engine_journal::{EventReader, FileStorage, Identity, ReadError};
use protocol::Sequence;
use rdkafka::{
    config::{ClientConfig, FromClientConfigAndContext as _},
    producer::{BaseRecord, ThreadedProducer},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{select, task::spawn_blocking, time::timeout};
use tracing::info;

/// So much may wait for its acknowledgement before more is read.
const WAITING_BYTES: usize = 16 << 20;
/// How long what was sent may take to be acknowledged at the end.
const FAREWELL: Duration = Duration::from_secs(3);

/// The one publisher of an engine's events.
#[derive(Debug)]
pub struct EventPublisher {
    options: KafkaOptions,
    directory: PathBuf,
    published: Option<Published>,
    metrics: Arc<PublishingMetrics>,
}

impl EventPublisher {
    /// Of the event log in the data directory `directory`, which is open for writing in this process.
    /// Without `published` it looks for more every 20 ms.
    pub fn new(options: KafkaOptions, directory: &Path, published: Option<Published>) -> Self {
        let metrics = Arc::new(PublishingMetrics::new(metrics::EVENTS));
        Self { options, directory: directory.to_owned(), published, metrics }
    }

    /// How it is doing.
    pub fn metrics(&self) -> Arc<PublishingMetrics> {
        Arc::clone(&self.metrics)
    }

    /// Publishes until `stop` is ready, and then what was sent is given a moment to be acknowledged. A
    /// broker that goes away is waited for, for ever.
    ///
    /// # Errors
    /// What waiting cannot cure: a topic that will not do, another engine's or a newer epoch's records in
    /// it, one that has more than the event log. A broker that refuses this user ends it at the start;
    /// later that is taken to pass.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), StreamError> {
        keep_at_it(&self, stop).await
    }

    fn note(&self, deliveries: &Deliveries, reports: &Reports) -> Result<(), StreamError> {
        self.metrics.acknowledged(deliveries.position());
        match deliveries.failure() {
            Some(failure) => Err(reports.explain("publishing to rialto.events", failure)),
            None => Ok(()),
        }
    }
}

impl Attempts for EventPublisher {
    type Begun = Sequence;

    /// Connects, makes the topic, and finds out how far it goes.
    async fn begin(&self) -> Result<Sequence, StreamError> {
        // A client that asks is told why it is refused; one that makes topics is not.
        let options = self.options.clone();
        spawn_blocking(move || Probe::open(&options)?.connect())
            .await
            .map_err(|error| StreamError::Ended(error.to_string()))??;
        topics::make(&self.options, &[Topic::events(&self.options)]).await?;
        let options = self.options.clone();
        let directory = self.directory.clone();
        let position = spawn_blocking(move || resume(&options, &directory))
            .await
            .map_err(|error| StreamError::Ended(error.to_string()))??;
        Ok(position)
    }

    /// Goes on after `position`, with a producer of its own.
    async fn publish(
        &self,
        position: Sequence,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> Result<(), StreamError> {
        self.metrics.resumed(position);
        info!(%position, "publishing to {}", self.options.events_topic());
        let mut log = LogStream::open(&self.directory, position, self.published.clone())?;
        let reports = Reports::default();
        let deliveries = Deliveries::new(position, reports.clone());
        let producer = producer(&self.options, &deliveries)?;
        let topic = self.options.events_topic();
        let published = async {
            loop {
                let (_, bytes) = deliveries.waiting();
                select! {
                    biased;
                    () = deliveries.changed() => {
                        self.note(&deliveries, &reports)?;
                    }
                    batch = log.next(), if bytes < WAITING_BYTES => {
                        send(&producer, &deliveries, &topic, &batch?, &reports)?;
                    }
                }
            }
        };
        let result = select! {
            result = published => result,
            () = stop => {
                // What is not acknowledged by then is sent again by the next start.
                let _ = timeout(FAREWELL, settled(&deliveries)).await;
                self.note(&deliveries, &reports)
            }
        };
        // It waits for its thread.
        let _ = spawn_blocking(move || drop(producer)).await;
        result
    }

    fn metrics(&self) -> &PublishingMetrics {
        &self.metrics
    }
}

/// Until all that was sent is acknowledged, or will never be.
pub(crate) async fn settled(deliveries: &Deliveries) {
    while deliveries.waiting().0 > 0 && deliveries.failure().is_none() {
        deliveries.changed().await;
    }
}

/// A producer whose order is that of its sending, each record once, and that gives up on none.
fn producer(
    options: &KafkaOptions,
    deliveries: &Deliveries,
) -> Result<ThreadedProducer<Deliveries>, StreamError> {
    let config = idempotent(options.client()?);
    ThreadedProducer::from_config_and_context(&config, deliveries.clone())
        .map_err(|source| Reports::default().explain("making a Kafka producer", source))
}

/// What makes a producer idempotent and patient.
pub(crate) fn idempotent(mut config: ClientConfig) -> ClientConfig {
    config.set("enable.idempotence", "true");
    config.set("acks", "all");
    // A record that timed out would be a gap: it is sent until it arrives, or the producer fails.
    config.set("message.timeout.ms", "0");
    config.set("enable.gapless.guarantee", "true");
    config.set("compression.type", "lz4");
    config.set("linger.ms", "1");
    config.set("message.max.bytes", "1000000");
    config.set("queue.buffering.max.messages", "1000000");
    config.set("retry.backoff.ms", "50");
    config.set("retry.backoff.max.ms", "1000");
    config
}

fn send(
    producer: &ThreadedProducer<Deliveries>,
    deliveries: &Deliveries,
    topic: &str,
    batch: &Batch,
    reports: &Reports,
) -> Result<(), StreamError> {
    let cut = record::records(batch, RECORD_BYTES)
        .map_err(|source| StreamError::Unreadable { position: Sequence(batch.first.0 - 1), source })?;
    for (head, chunks) in cut {
        let value = record::encode(chunks);
        let ticket = deliveries.expect(head.complete(), value.len());
        let record = BaseRecord::<(), [u8], usize>::with_opaque_to(topic, ticket)
            .partition(PARTITION)
            .headers(head.headers())
            .payload(&value);
        producer.send(record).map_err(|(error, _)| reports.explain("publishing to rialto.events", error))?;
    }
    Ok(())
}

/// Where to go on: at the topic's end, when this engine may.
fn resume(options: &KafkaOptions, directory: &Path) -> Result<Sequence, StreamError> {
    let Some(end) = Probe::open(options)?.end()? else { return Ok(Sequence(0)) };
    let storage = FileStorage::new(directory);
    let identity = Identity::read(&storage)?;
    may_follow(end, identity)?;
    is_held(storage, end.sequence)?;
    Ok(end.sequence)
}

/// An event log without the last command that was published says that the journal lost what was
/// acknowledged.
pub(crate) fn is_held(storage: FileStorage, published: Sequence) -> Result<(), StreamError> {
    if EventReader::open(storage.clone(), published.0)?.next_group()?.is_none() {
        return Err(StreamError::LogBehind { published, end: log_end(storage)? });
    }
    Ok(())
}

/// The last command in the event log; reads all of it.
fn log_end(storage: FileStorage) -> Result<Sequence, ReadError> {
    let mut reader = EventReader::open(storage, 0)?;
    let mut end = 0;
    while let Some(group) = reader.next_group()? {
        end = group.last_sequence;
    }
    Ok(Sequence(end))
}

/// Whether the engine of `identity` may publish after `end`.
pub(crate) fn may_follow(end: LogEnd, identity: Option<Identity>) -> Result<(), StreamError> {
    // A log is written after its directory's identity was.
    let identity = identity.unwrap_or(Identity { engine_id: 0, epoch: 0 });
    if end.engine_id != identity.engine_id {
        return Err(StreamError::OtherEngine { expected: identity.engine_id, found: end.engine_id });
    }
    if end.epoch > identity.epoch {
        return Err(StreamError::Replaced { newest: end.epoch, own: identity.epoch });
    }
    Ok(())
}
