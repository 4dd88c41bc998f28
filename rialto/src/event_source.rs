//! Where a process that is not the engine's gets its events: Kafka, or the event log of an engine on this
//! machine, as the configuration says. Refuses to know who reads them.

use crate::config::Config;
use anyhow::Context as _;
use protocol::Sequence;
use std::path::PathBuf;
use std::time::Duration;
use stream::{EventStream, KafkaOptions, KafkaStream, LogStream, Published, StreamError};
use tokio::time::sleep;

/// Between two attempts to open a stream that is not there yet, or was lost.
const RETRY: Duration = Duration::from_millis(200);

/// One of the two.
#[derive(Clone, Debug)]
pub(crate) enum EventSource {
    /// Kafka's brokers.
    Kafka(KafkaOptions),
    /// The data directory of an engine on this machine.
    Log(PathBuf),
}

impl EventSource {
    /// The one that the configuration names; Kafka when it names both.
    pub(crate) fn of(config: &Config) -> anyhow::Result<Self> {
        if let Some(options) = config.kafka_options()? {
            return Ok(Self::Kafka(options));
        }
        let directory = config.event_log.clone().context(
            "events come from Kafka, or from the event log of an engine on this machine: set `kafka` or `event_log`",
        )?;
        Ok(Self::Log(directory))
    }

    async fn open(
        &self,
        position: Sequence,
        published: Option<Published>,
    ) -> Result<EventStream, StreamError> {
        Ok(match self {
            Self::Kafka(options) => EventStream::Kafka(KafkaStream::open(options, position).await?),
            Self::Log(directory) => EventStream::Log(LogStream::open(directory, position, published)?),
        })
    }
}

/// Opens the stream again and again, for one reader.
pub(crate) struct StreamOpener {
    source: EventSource,
    published: Option<Published>,
    /// The last fault that was told.
    told: Option<String>,
}

impl StreamOpener {
    /// Of `source`. `published`, where somebody tells it, says when there is more to read in a log.
    pub(crate) const fn new(source: EventSource, published: Option<Published>) -> Self {
        Self { source, published, told: None }
    }

    /// The events after `position`, however long it takes until they can be read.
    ///
    /// # Errors
    /// When going on would be wrong.
    pub(crate) async fn open(&mut self, position: Sequence) -> Result<EventStream, StreamError> {
        loop {
            match self.source.open(position, self.published.clone()).await {
                Ok(stream) => return Ok(stream),
                Err(error) => self.pause(error, position).await?,
            }
        }
    }

    /// Waits after a fault, which is told once.
    ///
    /// # Errors
    /// The fault, when going on would be wrong.
    pub(crate) async fn pause(&mut self, error: StreamError, position: Sequence) -> Result<(), StreamError> {
        // An event log may not be there yet, or be in the middle of its engine's start.
        if !error.may_pass() && !matches!(error, StreamError::Log(_) | StreamError::Ended(_)) {
            return Err(error);
        }
        let text = error.to_string();
        if self.told.as_ref() != Some(&text) {
            tracing::warn!(error = text, position = position.0, "no event stream; trying again");
            self.told = Some(text);
        }
        sleep(RETRY).await;
        Ok(())
    }

    /// The stream is well again: the next fault is told even if it is the same.
    pub(crate) fn is_well(&mut self) {
        self.told = None;
    }
}
