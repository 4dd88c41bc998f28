//! The language every room of Rialto speaks: ids, money, instruments, orders, commands, events,
//! rejects, and their encodings; filters and fees as pure functions.
//!
//! It refuses to know any state: no balance, no book, no file, no clock, no socket. It depends on
//! no other room. Everything here is an integer; decimals appear only in [`decimal`], at the edge.
//!
//! Where to start: [`command::CommandRecord`] goes in, [`event::EventChunk`]s come out, and
//! [`posting::postings`] says what each event did to balances; [`history`] is what is shown of them.
#![deny(clippy::float_arithmetic)]

#[cfg(target_endian = "big")]
compile_error!("records are little-endian and read without conversion");

pub mod command;
pub mod decimal;
pub mod event;
pub mod fee;
pub mod filter;
pub mod history;
pub mod identity;
pub mod instrument;
pub mod money;
pub mod order;
pub mod posting;
pub mod record;
pub mod reject;
pub mod terms;
pub mod time;

pub use identity::{
    AccountId, AssetId, ClientOrderId, HoldId, InstrumentId, OrderId, OrderListId, Sequence, SourceId,
    SourceNumber, TradeId,
};
pub use instrument::{Instrument, InstrumentStatus};
pub use money::{Amount, FeeRate, Price, Quantity};
pub use order::{OrderType, SelfTradePrevention, Side, TimeInForce};
pub use reject::Reject;
pub use terms::OrderTerms;
pub use time::Time;

/// The newest rules version this build can apply; an older log runs under the version it activated.
pub const RULES_VERSION: u32 = 1;
