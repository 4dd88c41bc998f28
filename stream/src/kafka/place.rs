//! Where a command's events are in the internal log, for whoever follows one message. Refuses to read
//! them.

use super::{
    options::KafkaOptions,
    probe::{PARTITION, Probe},
};
use crate::StreamError;
use protocol::Sequence;

/// The first record that holds events of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPlace {
    /// The topic, with its prefix.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The record's offset.
    pub offset: i64,
    /// Which opening of the engine published it.
    pub epoch: u32,
    /// The first command in the record.
    pub first: Sequence,
    /// The last command in the record.
    pub last: Sequence,
}

impl RecordPlace {
    /// Looks for the events of the command `sequence`; `None` when they are not there (yet). It blocks: call
    /// it from a thread that may wait.
    ///
    /// # Errors
    /// When the brokers cannot be reached or refuse this user.
    pub fn of(options: &KafkaOptions, sequence: Sequence) -> Result<Option<Self>, StreamError> {
        let probe = Probe::open(options)?;
        probe.connect()?;
        let offset = probe.find(Sequence(sequence.0.saturating_sub(1)))?;
        let found = probe.head(offset)?.filter(|head| (head.first..=head.last).contains(&sequence));
        Ok(found.map(|head| Self {
            topic: options.events_topic(),
            partition: PARTITION,
            offset,
            epoch: head.epoch,
            first: head.first,
            last: head.last,
        }))
    }
}
