//! The state machine: `apply(state, command) -> events`. Order books and the ledger of every
//! balance, in one thread.
//!
//! It refuses to know files, sockets, threads, clocks, randomness and floats: time and sequence
//! come with each command, and the same commands give the same events and the same
//! [`Engine::state_hash`] on every machine and build. What it cannot do right it refuses with a
//! `Reject` and changes nothing; an invariant found broken panics before anything leaves.
//!
//! Start at [`Engine::apply`]; then `matching/place.rs` for the way of an order.
#![deny(clippy::float_arithmetic)]
#![allow(
    clippy::needless_bitwise_bool,
    reason = "`|` and `&` take no branch, where `||` and `&&` take one that the processor guesses wrong"
)]

mod administration;
mod audit;
mod average;
pub mod books;
mod containment;
mod contingent;
mod engine;
mod expiry;
pub mod ledger;
pub mod lookahead;
mod market;
mod matching;
mod paged;
mod snapshot;
mod source;

pub use audit::AuditError;
pub use books::{Books, RestingOrder, ladder::LadderBooks, naive::NaiveBooks};
pub use containment::{contain, is_panic_contained};
pub use engine::Engine;
pub use lookahead::LOOK_AHEAD;
pub use market::Market;
pub use snapshot::{SNAPSHOT_VERSION, SnapshotError, StateHash};
pub use source::OUTCOMES_KEPT;
