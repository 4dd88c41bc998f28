//! Where a process that is not the engine's gets its events: Kafka, or the event log of an engine on this
//! machine, as the configuration says. Refuses to know who reads them.

use crate::config::Config;
use anyhow::Context as _;
use protocol::Sequence;
use std::path::PathBuf;
use stream::{EventStream, KafkaOptions, KafkaStream, LogStream, Published, StreamError};

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

    /// The events after `position`. `published`, where somebody tells it, says when there is more to read in
    /// a log.
    pub(crate) async fn open(
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
