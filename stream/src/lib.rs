//! The event stream: everything that happened, in the engine's order, for whoever is not on the
//! engine's own threads. [`EventStream`] is one interface over two makers: the event log of a data
//! directory, and Kafka. Refuses to know what an event means to who reads it, and to keep a reader's
//! position: a reader keeps it with what it did, and says it when it opens the stream.

mod attempts;
mod batch;
mod error;
mod kafka;
mod lag;
mod log;
mod metrics;
pub mod public;
mod published;

pub use batch::Batch;
pub use error::StreamError;
pub use kafka::{
    EventPublisher, KafkaOptions, KafkaSecurity, KafkaStream, RECORD_BYTES, RECORD_VERSION, RecordPlace,
};
pub use lag::{BoundedPort, Follower, Lag};
pub use log::LogStream;
pub use metrics::PublishingMetrics;
pub use published::{Published, tell};

use protocol::Sequence;

/// Events in order, after a position.
#[derive(Debug)]
pub enum EventStream {
    /// From the event log of a data directory on this machine.
    Log(LogStream),
    /// From the internal log of Kafka.
    Kafka(KafkaStream),
}

impl EventStream {
    /// What comes next; waits until there is something. Dropping the future loses nothing.
    ///
    /// # Errors
    /// See [`StreamError`]. After one the stream gives nothing more: open it again.
    pub async fn next(&mut self) -> Result<Batch, StreamError> {
        match self {
            Self::Log(log) => log.next().await,
            Self::Kafka(kafka) => kafka.next().await,
        }
    }

    /// The newest sequence there is to read, for telling how far behind a reader is.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub async fn end(&mut self) -> Result<Sequence, StreamError> {
        match self {
            Self::Log(log) => log.end().await,
            Self::Kafka(kafka) => kafka.end().await,
        }
    }
}
