//! Brings the event stream to consumers in this process, for a process that is not the engine's. Refuses
//! to know what they make of it.

use crate::config::Config;
use anyhow::{Context as _, bail};
use protocol::Sequence;
use services::EventConsumer;
use std::time::Duration;
use stream::{EventStream, LogStream, Published, StreamError};
use tokio::time::sleep;

/// Between two attempts to open a stream that is not there yet, or was lost.
const RETRY: Duration = Duration::from_millis(200);

/// The stream, and those who see each batch of it, one after the other.
pub(crate) struct EventFeed {
    source: Source,
    consumers: Vec<Box<dyn EventConsumer>>,
    position: Sequence,
}

/// Where events come from.
enum Source {
    /// The event log of an engine on this machine, and who tells how far it goes.
    Log(std::path::PathBuf, Published),
}

impl EventFeed {
    /// From where the configuration says, after what the first consumer has.
    pub(crate) fn new(
        config: &Config,
        published: Published,
        consumers: Vec<Box<dyn EventConsumer>>,
    ) -> anyhow::Result<Self> {
        if config.kafka.is_some() {
            bail!("a gateway that reads from Kafka is not part of this build; set `event_log` alone");
        }
        let directory = config.event_log.clone().context(
            "events come from Kafka or from the event log of an engine on this machine: set `kafka` or `event_log`",
        )?;
        let position = consumers.first().map_or(Sequence(0), |consumer| consumer.position());
        Ok(Self { source: Source::Log(directory, published), consumers, position })
    }

    /// Brings them to the stream's present end, and tells them that what comes then is new.
    pub(crate) async fn catch_up(&mut self) -> anyhow::Result<EventStream> {
        let (mut stream, end) = loop {
            match self.opened().await {
                Ok(opened) => break opened,
                Err(error) => judge(error, self.position).await?,
            }
        };
        while self.position < end {
            match stream.next().await {
                Ok(batch) => self.consume(batch.last, &batch.chunks),
                Err(error) => {
                    judge(error, self.position).await?;
                    stream = self.open()?;
                }
            }
        }
        for consumer in &mut self.consumers {
            consumer.live();
        }
        Ok(stream)
    }

    /// Goes on for ever. Ends only when going on would be wrong.
    pub(crate) async fn run(mut self, mut stream: EventStream) -> anyhow::Result<()> {
        loop {
            match stream.next().await {
                Ok(batch) => self.consume(batch.last, &batch.chunks),
                Err(error) => {
                    judge(error, self.position).await?;
                    stream = loop {
                        match self.open() {
                            Ok(stream) => break stream,
                            Err(error) => judge(error, self.position).await?,
                        }
                    };
                }
            }
        }
    }

    async fn opened(&self) -> Result<(EventStream, Sequence), StreamError> {
        let mut stream = self.open()?;
        let end = stream.end().await?;
        Ok((stream, end))
    }

    fn open(&self) -> Result<EventStream, StreamError> {
        match &self.source {
            Source::Log(directory, published) => {
                Ok(EventStream::Log(LogStream::open(directory, self.position, Some(published.clone()))?))
            }
        }
    }

    fn consume(&mut self, last: Sequence, chunks: &[u8]) {
        for consumer in &mut self.consumers {
            consumer.consume(chunks);
        }
        self.position = last;
    }
}

/// Waits, or says that going on would be wrong.
async fn judge(error: StreamError, position: Sequence) -> anyhow::Result<()> {
    match error {
        StreamError::Log(_) | StreamError::Ended(_) => {
            tracing::warn!(%error, position = position.0, "the event stream is lost; trying again");
            sleep(RETRY).await;
            Ok(())
        }
        wrong => Err(wrong).context("the event stream cannot be followed"),
    }
}
