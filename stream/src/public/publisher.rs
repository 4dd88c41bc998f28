//! Publishes the event log to the public topics: in order within each key, without a gap, from where a
//! file says it got to. It is apart from the publisher of the internal log: many small records take
//! longer, and nothing waits for them. Refuses to skip.

use super::{
    LargeOrder,
    position::PositionFile,
    projection::{Projection, ProjectionError},
    record::{PublicRecord, PublicTopic},
    refusals::JournalRefusals,
};
use crate::{
    Batch, KafkaOptions, LogStream, Published, PublishingMetrics, StreamError,
    attempts::{Attempts, keep_at_it},
    kafka::{Deliveries, Probe, Reports, Topic, idempotent, is_held, make_topics, may_follow, settled},
    metrics,
};
use engine_journal::{FileStorage, Identity};
use protocol::{Sequence, event::EventChunk};
use rdkafka::{
    config::FromClientConfigAndContext as _,
    producer::{BaseRecord, ThreadedProducer},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    select,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, timeout},
};
use tracing::info;

/// So many records may wait for their acknowledgement before more events are read.
const WAITING_RECORDS: usize = 100_000;
/// Between two notes of the position: what is after it comes again after a crash.
const NOTE: Duration = Duration::from_millis(250);
/// How long what was sent may take to be acknowledged at the end.
const FAREWELL: Duration = Duration::from_secs(3);
/// Partitions of a topic, when it is made.
const PARTITIONS: i32 = 4;
/// Milliseconds a topic keeps its records, when it is made: a week.
const RETENTION: i64 = 7 * 24 * 60 * 60 * 1000;

/// What is published.
#[derive(Clone, Debug, Default)]
pub struct PublicOptions {
    /// From which notional on orders are told as large; none are without it.
    pub large_orders: Vec<LargeOrder>,
}

/// The one publisher of an engine's public topics.
#[derive(Debug)]
pub struct PublicPublisher {
    kafka: KafkaOptions,
    options: PublicOptions,
    directory: PathBuf,
    published: Option<Published>,
    metrics: Arc<PublishingMetrics>,
}

/// All that one attempt works with.
pub(crate) struct Attempt {
    producer: ThreadedProducer<Deliveries>,
    deliveries: Deliveries,
    reports: Reports,
    names: HashMap<PublicTopic, String>,
    identity: Identity,
    file: PositionFile,
    noted: Sequence,
}

impl PublicPublisher {
    /// Of the event log in the data directory `directory`, which is open for writing in this process.
    /// Without `published` it looks for more every 20 ms.
    pub fn new(
        kafka: KafkaOptions,
        options: PublicOptions,
        directory: &Path,
        published: Option<Published>,
    ) -> Self {
        let metrics = Arc::new(PublishingMetrics::new(metrics::PUBLIC));
        Self { kafka, options, directory: directory.to_owned(), published, metrics }
    }

    /// How it is doing.
    pub fn metrics(&self) -> Arc<PublishingMetrics> {
        Arc::clone(&self.metrics)
    }

    /// Publishes until `stop` is ready, and then what was sent is given a moment to be acknowledged. A
    /// broker that goes away is waited for, for ever.
    ///
    /// # Errors
    /// As [`EventPublisher::run`](crate::EventPublisher::run), and when the file of the position cannot be
    /// read or written.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), StreamError> {
        keep_at_it(&self, stop).await
    }

    /// Reads the events up to `position`, so that what comes after can be told; `None` when stopped.
    async fn learn(
        &self,
        position: Sequence,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> Result<Option<Projection>, StreamError> {
        let mut projection = Projection::new(self.options.large_orders.clone());
        let mut log = LogStream::open(&self.directory, Sequence(0), None)?;
        let mut learned = Sequence(0);
        while learned < position {
            let batch = select! {
                () = &mut *stop => return Ok(None),
                batch = log.next() => batch?,
            };
            let unreadable = |source| StreamError::Unreadable { position: learned, source };
            let known = EventChunk::up_to(&batch.chunks, position).map_err(unreadable)?;
            for chunk in EventChunk::all(known) {
                chunk.and_then(|chunk| projection.learn(&chunk)).map_err(unreadable)?;
            }
            learned = batch.last;
        }
        Ok(Some(projection))
    }
}

impl Attempts for PublicPublisher {
    type Begun = Attempt;

    async fn publish(
        &self,
        mut attempt: Attempt,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> Result<(), StreamError> {
        let position = attempt.noted;
        let Some(mut projection) = self.learn(position, stop).await? else { return Ok(()) };
        self.metrics.resumed(position);
        info!(%position, "publishing to the public topics");
        let mut log = LogStream::open(&self.directory, position, self.published.clone())?;
        let mut refusals = JournalRefusals::new(FileStorage::new(&self.directory));
        let mut notes = interval(NOTE);
        notes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let result = loop {
            let (records, _) = attempt.deliveries.waiting();
            let step = select! {
                biased;
                () = &mut *stop => break Ok(()),
                () = attempt.deliveries.changed() => attempt.failure(),
                _ = notes.tick() => attempt.note(),
                batch = log.next(), if records < WAITING_RECORDS => match batch {
                    Ok(batch) => attempt.send(&mut projection, &mut refusals, &batch),
                    Err(error) => Err(error),
                },
            };
            self.metrics.acknowledged(attempt.deliveries.position());
            if step.is_err() {
                break step;
            }
        };
        if result.is_ok() {
            // What is not acknowledged by then is sent again by the next start.
            let _ = timeout(FAREWELL, settled(&attempt.deliveries)).await;
        }
        self.metrics.acknowledged(attempt.deliveries.position());
        let noted = attempt.note();
        // It waits for its thread.
        let _ = spawn_blocking(move || drop(attempt)).await;
        result.and(noted)
    }

    /// Connects, makes the topics, and finds out how far they are published.
    async fn begin(&self) -> Result<Attempt, StreamError> {
        let kafka = self.kafka.clone();
        let storage = FileStorage::new(&self.directory);
        // A log is written after its directory's identity was.
        let identity = Identity::read(&storage)?.unwrap_or(Identity { engine_id: 0, epoch: 0 });
        spawn_blocking(move || Probe::open(&kafka)?.connect())
            .await
            .map_err(|error| StreamError::Ended(error.to_string()))??;
        let mut topics = vec![Topic::events(&self.kafka)];
        topics.extend(PublicTopic::ALL.map(|topic| Topic {
            name: self.kafka.topic(topic.name()),
            partitions: PARTITIONS,
            exactly: false,
            retention: RETENTION,
        }));
        make_topics(&self.kafka, &topics).await?;
        let kafka = self.kafka.clone();
        let end = spawn_blocking(move || Probe::open(&kafka)?.end())
            .await
            .map_err(|error| StreamError::Ended(error.to_string()))??;
        if let Some(end) = end {
            may_follow(end, Some(identity))?;
        }
        let file = PositionFile::of(&self.directory);
        let position = file.read(identity.engine_id)?;
        if position > Sequence(0) {
            let held = spawn_blocking(move || is_held(storage, position)).await;
            held.map_err(|error| StreamError::Ended(error.to_string()))??;
        }
        let reports = Reports::default();
        let deliveries = Deliveries::new(position, reports.clone());
        let mut config = idempotent(self.kafka.client()?);
        config.set("linger.ms", "10");
        // As Java's clients find the partition of a key.
        config.set("partitioner", "murmur2_random");
        let producer = ThreadedProducer::from_config_and_context(&config, deliveries.clone())
            .map_err(|source| reports.explain("making a Kafka producer", source))?;
        let names = PublicTopic::ALL.map(|topic| (topic, self.kafka.topic(topic.name())));
        let names = HashMap::from(names);
        Ok(Attempt { producer, deliveries, reports, names, identity, file, noted: position })
    }

    fn metrics(&self) -> &PublishingMetrics {
        &self.metrics
    }
}

impl Attempt {
    fn failure(&self) -> Result<(), StreamError> {
        match self.deliveries.failure() {
            Some(failure) => Err(self.reports.explain("publishing to the public topics", failure)),
            None => Ok(()),
        }
    }

    /// Writes down how far everything is acknowledged.
    fn note(&mut self) -> Result<(), StreamError> {
        let position = self.deliveries.position();
        if position > self.noted {
            self.file.write(self.identity.engine_id, position)?;
            self.noted = position;
        }
        Ok(())
    }

    fn send(
        &self,
        projection: &mut Projection,
        refusals: &mut JournalRefusals,
        batch: &Batch,
    ) -> Result<(), StreamError> {
        let unreadable = |source| StreamError::Unreadable { position: Sequence(batch.first.0 - 1), source };
        let mut records = Vec::new();
        for chunk in EventChunk::all(&batch.chunks) {
            let chunk = chunk.map_err(unreadable)?;
            projection.project(&chunk, refusals, &mut records).map_err(|error| match error {
                ProjectionError::Events(source) => unreadable(source),
                ProjectionError::Refusals(source) => StreamError::Log(source),
            })?;
            for record in records.drain(..) {
                self.send_record(&record)?;
            }
        }
        self.deliveries.reach(batch.last);
        Ok(())
    }

    fn send_record(&self, record: &PublicRecord) -> Result<(), StreamError> {
        // With the command's last record everything before it is there, and with that the batch's end.
        let before = Sequence(record.place.sequence.0 - 1);
        let ticket = self.deliveries.expect(before, record.value.len());
        let headers = record.headers(self.identity.engine_id, self.identity.epoch);
        let sent = BaseRecord::with_opaque_to(&self.names[&record.topic], ticket)
            .key(&record.key)
            .headers(headers)
            .payload(&record.value);
        self.producer
            .send(sent)
            .map_err(|(error, _)| self.reports.explain("publishing to the public topics", error))
    }
}
