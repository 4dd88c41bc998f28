//! What can be wrong with a stream, each told apart. Refuses to know what its reader does about it.

use engine_journal::ReadError;
use protocol::{Sequence, record::DecodeError};
use rdkafka::error::KafkaError;
use std::path::PathBuf;
use thiserror::Error;

/// Why a stream gives nothing more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The event log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// What comes after the reader's position is no longer kept.
    #[error(
        "the reader has command {position}, and the stream begins with {first}: what lies between is deleted; restore newer data, or read a stream that has it"
    )]
    Behind {
        /// What the reader has.
        position: Sequence,
        /// The first command there is.
        first: Sequence,
    },
    /// The stream ends before what its reader has already.
    #[error(
        "the reader has command {position}, and the stream ends at {end}: it is another engine's stream, or one restored to before; the reader's data and the stream's do not belong together"
    )]
    Ahead {
        /// What the reader has.
        position: Sequence,
        /// What there is.
        end: Sequence,
    },
    /// What must come next is not there.
    #[error(
        "the stream goes on with command {found} where {expected} must be; restore what lies between, or rebuild the reader's data from the first command"
    )]
    Gap {
        /// What must come.
        expected: Sequence,
        /// What came.
        found: Sequence,
    },
    /// Another engine's events.
    #[error("the stream is of engine {found}, its reader's data of engine {expected}")]
    OtherEngine {
        /// Whose the reader's data is.
        expected: u32,
        /// Whose came.
        found: u32,
    },
    /// An engine that was replaced goes on publishing.
    #[error(
        "events of epoch {found} came after epoch {newest}: an engine that was replaced still publishes; stop it"
    )]
    Fenced {
        /// The newest epoch seen.
        newest: u32,
        /// What came.
        found: u32,
    },
    /// Events of a version that this build does not know, or bytes that are none.
    #[error("an event after command {position} cannot be read: {source}; run a build that knows its version")]
    Unreadable {
        /// The last command read.
        position: Sequence,
        /// What is wrong.
        source: DecodeError,
    },
    /// An engine that was replaced wants to publish.
    #[error(
        "the topic has records of epoch {newest}, this engine's epoch is {own}: it was replaced by a newer one and must not run; stop it"
    )]
    Replaced {
        /// The newest epoch in the topic.
        newest: u32,
        /// This engine's.
        own: u32,
    },
    /// The topic has commands that the event log has not.
    #[error(
        "command {published} is published, and the event log ends at {end}: the journal has lost commands that were acknowledged; restore it before anything is published"
    )]
    LogBehind {
        /// The last command in the topic.
        published: Sequence,
        /// The last command in the event log.
        end: Sequence,
    },
    /// Records of a version that this build does not know.
    #[error(
        "the record at offset {offset} of rialto.events has version {found}, and this build knows version {known}; run a build that knows it"
    )]
    Version {
        /// Where.
        offset: i64,
        /// The record's.
        found: u64,
        /// This build's.
        known: u32,
    },
    /// A record that contradicts itself or what came before.
    #[error("the record at offset {offset} of rialto.events cannot be used: {what}")]
    Record {
        /// Where.
        offset: i64,
        /// What is wrong.
        what: String,
    },
    /// A topic is not as it must be.
    #[error("topic {topic} will not do: {what}; correct it, or choose another kafka_topic_prefix")]
    Topic {
        /// Which.
        topic: String,
        /// What is wrong.
        what: String,
    },
    /// The brokers refuse this user, or cannot be trusted.
    #[error(
        "{doing}: the broker refuses: {reason}; check kafka_security, kafka_user, its password and kafka_ca"
    )]
    Denied {
        /// What was being done.
        doing: String,
        /// Why, in librdkafka's words.
        reason: String,
    },
    /// The brokers cannot be reached, or failed.
    #[error("{doing}: {reason}; check that the brokers of `kafka` run and can be reached")]
    Broker {
        /// What was being done.
        doing: String,
        /// Why, in librdkafka's words.
        reason: String,
        /// The error of the call.
        source: Box<KafkaError>,
    },
    /// The file that says how far the public topics are published.
    #[error(
        "{file}: {what}; without the file everything is published again, which consumers drop by sequence and index"
    )]
    Position {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Settings that contradict each other.
    #[error("the settings for Kafka: {0}")]
    Options(String),
    /// The thread that reads has ended.
    #[error("reading the stream was ended: {0}")]
    Ended(String),
}

impl StreamError {
    /// Whether trying again later may help, without anybody's doing.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Broker { .. })
    }
}
