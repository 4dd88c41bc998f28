//! The views as a whole, fed with hand-made events: what readers see after each.

mod accounts;
pub(crate) mod engine;
mod markets;
mod saved;
mod special;
mod streams;
mod users;
