//! The stream over Kafka: the internal log `rialto.events`, its one publisher and its readers. It does
//! not rest on Kafka's transactions: the publisher goes on from what the broker has, and a reader drops
//! what it has by sequence. Refuses to know what an event means.

mod assembly;
mod consumer;
mod context;
mod deliveries;
mod options;
mod place;
mod probe;
mod publisher;
mod record;
#[cfg(test)]
mod tests;
mod topics;

pub use consumer::KafkaStream;
pub use options::{KafkaOptions, KafkaSecurity};
pub use place::RecordPlace;
pub use publisher::EventPublisher;
pub use record::{RECORD_BYTES, RECORD_VERSION};

pub(crate) use context::Reports;
pub(crate) use deliveries::Deliveries;
pub(crate) use probe::Probe;
pub(crate) use publisher::{idempotent, is_held, may_follow, settled};
pub(crate) use record::header;
pub(crate) use topics::{Topic, make as make_topics};
