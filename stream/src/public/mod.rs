//! The public topics: events in words and decimals, one record each, for whoever else wants them. The
//! schemas are in `proto/rialto/`. Refuses to be the books of record: those are made of the internal log.

mod alerts;
mod books;
mod money;
mod orders;
mod position;
mod projection;
mod publisher;
mod record;
mod refusals;
#[cfg(test)]
mod tests;
pub mod v1;

pub use alerts::LargeOrder;
pub use publisher::{PublicOptions, PublicPublisher};
pub use record::{PUBLIC_VERSION, PublicTopic};
