//! The stations of one message, each asked by itself: the journal, the event log, Kafka, the books of
//! record. Refuses to print.

mod books;
mod brokers;
mod journal;

pub(crate) use books::{BookRows, look_up};
pub(crate) use brokers::{Published, published};
pub(crate) use journal::{Journaled, Logged, events, find_sequence, find_trace, logged};
