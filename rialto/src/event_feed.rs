//! Brings the event stream to consumers in this process, for a process that is not the engine's. Refuses
//! to know what they make of it.

use crate::event_source::StreamOpener;
use protocol::Sequence;
use services::EventConsumer;
use stream::{EventStream, Follower, StreamError};

/// The stream, and those who see each batch of it, one after the other.
pub(crate) struct EventFeed {
    opener: StreamOpener,
    /// Told how far they have got.
    reached: Follower,
    consumers: Vec<Box<dyn EventConsumer>>,
    position: Sequence,
}

impl EventFeed {
    /// What comes after what the first consumer has. `reached` is told how far they have got.
    pub(crate) fn new(
        opener: StreamOpener,
        reached: Follower,
        consumers: Vec<Box<dyn EventConsumer>>,
    ) -> Self {
        let position = consumers.first().map_or(Sequence(0), |consumer| consumer.position());
        Self { opener, reached, consumers, position }
    }

    /// Brings them to the stream's present end, and tells them that what comes then is new.
    pub(crate) async fn catch_up(&mut self) -> Result<EventStream, StreamError> {
        let (mut stream, end) = loop {
            let mut stream = self.opener.open(self.position).await?;
            match stream.end().await {
                Ok(end) => break (stream, end),
                Err(error) => self.opener.pause(error, self.position).await?,
            }
        };
        while self.position < end {
            match stream.next().await {
                Ok(batch) => self.consume(batch.last, &batch.chunks),
                Err(error) => {
                    self.opener.pause(error, self.position).await?;
                    stream = self.opener.open(self.position).await?;
                }
            }
        }
        for consumer in &mut self.consumers {
            consumer.live();
        }
        Ok(stream)
    }

    /// Goes on for ever. Ends only when going on would be wrong.
    pub(crate) async fn run(mut self, mut stream: EventStream) -> Result<(), StreamError> {
        loop {
            match stream.next().await {
                Ok(batch) => self.consume(batch.last, &batch.chunks),
                Err(error) => {
                    self.opener.pause(error, self.position).await?;
                    stream = self.opener.open(self.position).await?;
                }
            }
        }
    }

    fn consume(&mut self, last: Sequence, chunks: &[u8]) {
        for consumer in &mut self.consumers {
            consumer.consume(chunks);
        }
        self.position = last;
        self.reached.reached(last);
        self.opener.is_well();
    }
}
