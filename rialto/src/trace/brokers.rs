//! A message's events in Kafka. Refuses to read what they say.

use protocol::Sequence;
use serde::Serialize;
use stream::{KafkaOptions, RecordPlace};

/// The record of the internal log that holds a command's events.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Published {
    /// The topic.
    pub(crate) topic: String,
    /// The partition.
    pub(crate) partition: i32,
    /// The record.
    pub(crate) offset: i64,
    /// Which opening of the engine published it.
    pub(crate) epoch: u32,
    /// The record's first command.
    pub(crate) first: u64,
    /// Its last.
    pub(crate) last: u64,
}

/// Where the command's events are; nothing when they are not published yet.
pub(crate) fn published(options: &KafkaOptions, sequence: Sequence) -> anyhow::Result<Option<Published>> {
    Ok(RecordPlace::of(options, sequence)?.map(|place| Published {
        topic: place.topic,
        partition: place.partition,
        offset: place.offset,
        epoch: place.epoch,
        first: place.first.0,
        last: place.last.0,
    }))
}
