//! Looks at single records of the internal log: what is at its end, and where a command is. It blocks:
//! call it from a thread that may wait. Refuses to keep any position.

use super::{
    context::Reports,
    options::KafkaOptions,
    record::{self, RecordHead},
};
use crate::StreamError;
use protocol::Sequence;
use rdkafka::{
    Offset, TopicPartitionList,
    config::ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    message::{BorrowedMessage, Message as _},
};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// An engine has one partition, so that its order is the log's.
pub(crate) const PARTITION: i32 = 0;
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one of several requests may take.
const REQUEST: Duration = Duration::from_secs(1);
/// Between two asks for what the connection said.
const LOOK: Duration = Duration::from_millis(100);
/// Records at the end that are looked at: an engine that was replaced would have to write more than
/// these after the newer one's last, to be taken for it.
const TAIL: i64 = 64;

/// What stands at the end of the internal log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogEnd {
    pub engine_id: u32,
    pub epoch: u32,
    /// The last command of which everything is there.
    pub sequence: Sequence,
}

/// A reader of single records.
pub(crate) struct Probe {
    consumer: BaseConsumer<Reports>,
    reports: Reports,
    topic: String,
    /// The end that was found last, and the offset after it.
    known: Option<(i64, Option<LogEnd>)>,
}

impl fmt::Debug for Probe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Probe").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// What readers of the internal log have in common: no group is joined, and no offset kept.
pub(crate) fn reader(options: &KafkaOptions) -> Result<ClientConfig, StreamError> {
    let mut config = options.client()?;
    // librdkafka wants a name, though nobody joins the group of that name.
    config.set("group.id", "rialto");
    config.set("enable.auto.commit", "false");
    config.set("enable.auto.offset.store", "false");
    // An offset that is gone is an error, not a jump.
    config.set("auto.offset.reset", "error");
    config.set("check.crcs", "true");
    config.set("fetch.error.backoff.ms", "50");
    config.set("fetch.queue.backoff.ms", "5");
    Ok(config)
}

impl Probe {
    pub(crate) fn open(options: &KafkaOptions) -> Result<Self, StreamError> {
        let reports = Reports::default();
        let mut config = reader(options)?;
        config.set("enable.partition.eof", "true");
        // One record is wanted, not what comes after it.
        config.set("fetch.message.max.bytes", "4096");
        config.set("queued.min.messages", "1");
        let consumer = config
            .create_with_context(reports.clone())
            .map_err(|source| reports.explain("making a Kafka consumer", source))?;
        Ok(Self { consumer, reports, topic: options.events_topic(), known: None })
    }

    /// Whether the brokers answer this user, and if not, why.
    pub(crate) fn connect(&self) -> Result<(), StreamError> {
        self.ask("connecting to Kafka", || self.consumer.fetch_metadata(None, REQUEST).map(drop))
    }

    /// The first offset, and the one after the last.
    pub(crate) fn bounds(&self) -> Result<(i64, i64), StreamError> {
        self.ask("asking Kafka for the end of rialto.events", || {
            self.consumer.fetch_watermarks(&self.topic, PARTITION, REQUEST)
        })
    }

    /// Asks until there is an answer, or it is clear that there will be none.
    fn ask<T>(&self, doing: &str, question: impl Fn() -> Result<T, KafkaError>) -> Result<T, StreamError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let error = match question() {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // librdkafka tells here what it has to say of the connection; nothing is assigned, so no
            // record can come.
            drop(self.consumer.poll(LOOK));
            let error = self.reports.explain(doing, error);
            if matches!(error, StreamError::Denied { .. }) || Instant::now() >= deadline {
                return Err(error);
            }
        }
    }

    /// The record at `offset`, by its headers; `None` at the end.
    pub(crate) fn head(&self, offset: i64) -> Result<Option<RecordHead>, StreamError> {
        let mut heads = self.heads(offset, 1)?;
        Ok(heads.pop())
    }

    /// Up to `count` records from `offset` on.
    fn heads(&self, offset: i64, count: usize) -> Result<Vec<RecordHead>, StreamError> {
        let failed = |source| self.reports.explain("reading a record of rialto.events", source);
        let mut place = TopicPartitionList::new();
        place.add_partition_offset(&self.topic, PARTITION, Offset::Offset(offset)).map_err(failed)?;
        self.consumer.assign(&place).map_err(failed)?;
        let mut heads = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while heads.len() < count {
            match self.consumer.poll(LOOK) {
                Some(Ok(message)) => heads.push(head(&message)?),
                Some(Err(KafkaError::PartitionEOF(_))) => break,
                Some(Err(error)) if Instant::now() >= deadline => return Err(failed(error)),
                None if Instant::now() >= deadline => return Err(failed(KafkaError::NoMessageReceived)),
                Some(Err(_)) | None => {}
            }
        }
        self.consumer.unassign().map_err(failed)?;
        Ok(heads)
    }

    /// What stands at the end; `None` of an empty log. Records of an engine that was replaced do not count.
    pub(crate) fn end(&mut self) -> Result<Option<LogEnd>, StreamError> {
        let (low, high) = self.bounds()?;
        if let Some((known, end)) = self.known
            && known == high
        {
            return Ok(end);
        }
        let start = low.max(high - TAIL);
        let heads = self.heads(start, (high - start) as usize)?;
        let mut end: Option<LogEnd> = None;
        for head in heads {
            if end.is_some_and(|end| head.epoch < end.epoch) {
                continue;
            }
            let sequence = end.map_or(head.complete(), |end| end.sequence.max(head.complete()));
            end = Some(LogEnd { engine_id: head.engine_id, epoch: head.epoch, sequence });
        }
        self.known = Some((high, end));
        Ok(end)
    }

    /// The offset of the first record with something after `position`; the end when there is none.
    pub(crate) fn find(&self, position: Sequence) -> Result<i64, StreamError> {
        let (mut low, mut high) = self.bounds()?;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.head(middle)? {
                Some(head) if head.last <= position => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }
}

fn head(message: &BorrowedMessage<'_>) -> Result<RecordHead, StreamError> {
    RecordHead::read(message.headers(), message.offset())
}

/// The headers and chunks of a message.
pub(crate) fn read(message: &BorrowedMessage<'_>) -> Result<(RecordHead, Vec<u8>), StreamError> {
    let head = head(message)?;
    Ok((head, record::decode(message.payload(), message.offset())?))
}
