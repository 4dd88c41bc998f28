//! The internal log of Kafka as a stream. One partition, assigned and not subscribed: there is nothing to
//! share, and the reader's position is its own, kept with what it did. Refuses to commit an offset.

use super::{
    assembly::Assembly,
    context::Reports,
    options::KafkaOptions,
    probe::{self, PARTITION, Probe},
    record::RecordHead,
};
use crate::{Batch, StreamError};
use futures_util::FutureExt as _;
use protocol::Sequence;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::Message as _,
};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::spawn_blocking;
use tracing::warn;

/// About so many bytes make a batch, when there are so many.
const BATCH_BYTES: usize = 1 << 20;
/// Reading begins so many records early: they say which epoch was before.
const RECORDS_BEFORE: i64 = 8;

/// Reads the internal log after a position.
pub struct KafkaStream {
    consumer: StreamConsumer<Reports>,
    reports: Reports,
    topic: String,
    assembly: Assembly,
    /// Where reading goes on.
    place: Place,
    probe: Arc<Mutex<Probe>>,
    /// What was wrong after a batch that had to be given first.
    failure: Option<StreamError>,
}

/// Where in the log reading goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// After the last record received, having begun at a place that was looked up.
    LookedUp,
    /// After the last record received, having begun with the first there is.
    First,
    /// The offset is gone: where the position is must be looked up.
    Lost,
    /// What was looked up does not follow the position: all there is must be read.
    Doubtful,
}

impl fmt::Debug for KafkaStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KafkaStream")
            .field("topic", &self.topic)
            .field("assembly", &self.assembly)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl KafkaStream {
    /// Connects, and looks up where the events after `position` begin. A broker that is not there is an
    /// error now; one that goes away later is waited for.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses this user, and when the log ends before `position`.
    pub async fn open(options: &KafkaOptions, position: Sequence) -> Result<Self, StreamError> {
        let reports = Reports::default();
        let mut config = probe::reader(options)?;
        config.set("fetch.message.max.bytes", "4194304");
        config.set("queued.max.messages.kbytes", "32768");
        let consumer: StreamConsumer<Reports> = config
            .create_with_context(reports.clone())
            .map_err(|source| reports.explain("making a Kafka consumer", source))?;
        let mut stream = Self {
            consumer,
            reports,
            topic: options.events_topic(),
            assembly: Assembly::new(position),
            place: Place::Lost,
            probe: Arc::new(Mutex::new(Probe::open(options)?)),
            failure: None,
        };
        let end = stream.end().await?;
        if end < position {
            return Err(StreamError::Ahead { position, end });
        }
        stream.find().await?;
        Ok(stream)
    }

    /// What the reader's data is of: events of another engine or of a lower epoch are refused from the
    /// first record on.
    #[must_use]
    pub fn expecting(mut self, engine_id: u32, epoch: u32) -> Self {
        self.assembly.expect(engine_id, epoch);
        self
    }

    /// Records that were refused because an engine that was replaced wrote them.
    pub fn fenced_records(&self) -> u64 {
        self.assembly.fenced()
    }

    /// Records that came again, and were dropped.
    pub fn repeated_records(&self) -> u64 {
        self.assembly.repeated()
    }

    pub(crate) async fn next(&mut self) -> Result<Batch, StreamError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut batch = loop {
            // Whatever is awaited may be dropped: what is to be done next is in `place`, and a record that
            // was received is taken before anything else is awaited.
            self.find().await?;
            let received = receive(&self.consumer).await;
            if let Some(batch) = self.take(received)? {
                break batch;
            }
        };
        while batch.chunks.len() < BATCH_BYTES && self.is_placed() {
            let Some(received) = receive(&self.consumer).now_or_never() else { break };
            match self.take(received) {
                Ok(Some(more)) => {
                    batch.epoch = more.epoch;
                    batch.last = more.last;
                    batch.chunks.extend_from_slice(&more.chunks);
                }
                Ok(None) => {}
                Err(failure) => {
                    self.failure = Some(failure);
                    break;
                }
            }
        }
        Ok(batch)
    }

    pub(crate) async fn end(&self) -> Result<Sequence, StreamError> {
        let end = self.ask(Probe::end).await?;
        Ok(end.map_or(Sequence(0), |end| end.sequence))
    }

    /// Asks the broker on a thread that may wait.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Probe) -> Result<T, StreamError> + Send + 'static,
    ) -> Result<T, StreamError> {
        let probe = Arc::clone(&self.probe);
        spawn_blocking(move || question(&mut probe.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
            .map_err(|error| StreamError::Ended(error.to_string()))?
    }

    const fn is_placed(&self) -> bool {
        matches!(self.place, Place::LookedUp | Place::First)
    }

    /// Goes to where the position is, if reading is not there.
    async fn find(&mut self) -> Result<(), StreamError> {
        let position = self.assembly.position();
        let (offset, place) = match self.place {
            Place::LookedUp | Place::First => return Ok(()),
            Place::Lost => {
                let (low, found) =
                    self.ask(move |probe| Ok((probe.bounds()?.0, probe.find(position)?))).await?;
                let begin = low.max(found - RECORDS_BEFORE);
                (begin, if begin == low { Place::First } else { Place::LookedUp })
            }
            Place::Doubtful => (self.ask(|probe| Ok(probe.bounds()?.0)).await?, Place::First),
        };
        let failed = |source| self.reports.explain("reading rialto.events", source);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, PARTITION, Offset::Offset(offset)).map_err(failed)?;
        self.consumer.assign(&list).map_err(failed)?;
        self.place = place;
        Ok(())
    }

    fn take(&mut self, received: Result<Received, Missed>) -> Result<Option<Batch>, StreamError> {
        let taken = match received {
            Ok(record) => self.assembly.accept(&record.head, record.chunks, record.offset),
            Err(Missed::Wrong(error)) => Err(error),
            Err(Missed::Broker(error)) => return self.missed(error),
        };
        match taken {
            Err(StreamError::Gap { .. }) if self.place == Place::LookedUp => {
                // Records of an engine that was replaced may lie among the others, out of their order.
                self.place = Place::Doubtful;
                Ok(None)
            }
            taken => taken,
        }
    }

    /// What the broker's error means: mostly that librdkafka goes on trying.
    fn missed(&mut self, error: KafkaError) -> Result<Option<Batch>, StreamError> {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                warn!(position = %self.assembly.position(), "the offset is gone; looking the position up again");
                self.place = Place::Lost;
                Ok(None)
            }
            _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
                Err(self.reports.explain("reading rialto.events", error))
            }
            // Also a refusal: this reader was let in when it opened, so it is taken to pass.
            _ => Ok(None),
        }
    }
}

/// A record, owned.
struct Received {
    head: RecordHead,
    chunks: Vec<u8>,
    offset: i64,
}

/// Why there is none.
enum Missed {
    Broker(KafkaError),
    Wrong(StreamError),
}

/// The next record. There is one place where it waits, and nothing is lost when it is dropped there.
async fn receive(consumer: &StreamConsumer<Reports>) -> Result<Received, Missed> {
    let message = consumer.recv().await.map_err(Missed::Broker)?;
    let (head, chunks) = probe::read(&message).map_err(Missed::Wrong)?;
    Ok(Received { head, chunks, offset: message.offset() })
}
