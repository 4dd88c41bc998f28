//! What settlement is measured with: a market's history of any length, as an event log, and the questions
//! that history is asked. Refuses to know how the books are written.

mod market;
mod questions;

pub use market::{Market, write_log};
pub use questions::{Answered, ask_all};
