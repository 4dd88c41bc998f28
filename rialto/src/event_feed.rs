//! Brings the event stream to consumers in this process, for a process that is not the engine's. Refuses
//! to know what they make of it.

use crate::event_source::EventSource;
use anyhow::Context as _;
use protocol::Sequence;
use services::EventConsumer;
use std::time::Duration;
use stream::{EventStream, Follower, Published, StreamError};
use tokio::time::sleep;

/// Between two attempts to open a stream that is not there yet, or was lost.
const RETRY: Duration = Duration::from_millis(200);

/// The stream, and those who see each batch of it, one after the other.
pub(crate) struct EventFeed {
    source: EventSource,
    published: Published,
    /// Told how far they have got.
    reached: Follower,
    consumers: Vec<Box<dyn EventConsumer>>,
    position: Sequence,
    /// The last fault that was told.
    told: Option<String>,
}

impl EventFeed {
    /// What comes after what the first consumer has. `reached` is told how far they have got.
    pub(crate) fn new(
        source: EventSource,
        published: Published,
        reached: Follower,
        consumers: Vec<Box<dyn EventConsumer>>,
    ) -> Self {
        let position = consumers.first().map_or(Sequence(0), |consumer| consumer.position());
        Self { source, published, reached, consumers, position, told: None }
    }

    /// Brings them to the stream's present end, and tells them that what comes then is new.
    pub(crate) async fn catch_up(&mut self) -> anyhow::Result<EventStream> {
        let (mut stream, end) = loop {
            let mut stream = self.open().await?;
            match stream.end().await {
                Ok(end) => break (stream, end),
                Err(error) => self.judge(error).await?,
            }
        };
        while self.position < end {
            match stream.next().await {
                Ok(batch) => self.consume(batch.last, &batch.chunks),
                Err(error) => {
                    self.judge(error).await?;
                    stream = self.open().await?;
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
                    self.judge(error).await?;
                    stream = self.open().await?;
                }
            }
        }
    }

    /// Opens the stream after what was seen, however long that takes.
    async fn open(&mut self) -> anyhow::Result<EventStream> {
        loop {
            let (source, position) = (self.source.clone(), self.position);
            match source.open(position, Some(self.published.clone())).await {
                Ok(stream) => return Ok(stream),
                Err(error) => self.judge(error).await?,
            }
        }
    }

    fn consume(&mut self, last: Sequence, chunks: &[u8]) {
        for consumer in &mut self.consumers {
            consumer.consume(chunks);
        }
        self.position = last;
        self.reached.reached(last);
        self.told = None;
    }

    /// Waits, or says that going on would be wrong.
    async fn judge(&mut self, error: StreamError) -> anyhow::Result<()> {
        // An event log may not be there yet, or be in the middle of its engine's start.
        let may_pass = error.may_pass() || matches!(error, StreamError::Log(_) | StreamError::Ended(_));
        if !may_pass {
            return Err(error).context("the event stream cannot be followed");
        }
        let text = error.to_string();
        if self.told.as_ref() != Some(&text) {
            tracing::warn!(error = text, position = self.position.0, "no event stream; trying again");
            self.told = Some(text);
        }
        sleep(RETRY).await;
        Ok(())
    }
}
