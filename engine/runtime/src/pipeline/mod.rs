//! The exchange in one process: ring, sequencer and journal, core, egress. Refuses to know what a
//! command means, and who is asking.
//!
//! ```text
//!  ports ──ring──▶ sequencer ──groups──▶ core ──events──▶ egress ──▶ event log, consumers, answers
//!                      │                   │                 ▲
//!                      └─ journal, fdatasync: durable ───────┤
//!                                          └─ applied: core ─┘  nothing above min(core, durable)
//! ```
//!
//! The core works on a group while the sequencer writes and syncs it. One group, one sync, and the
//! next group is written only after it.

mod clock;
mod core_thread;
mod egress;
mod exchange;
mod group;
mod options;
mod panics;
mod port;
mod recovery;
mod sequencer;
mod status;

pub use clock::{Clock, SystemClock};
pub use exchange::{Exchange, InspectedExchange, OpenError, Stopped};
pub use options::{Abort, Durability, Options};
pub use panics::is_contained as is_panic_contained;
pub use port::{Port, RecordError};
pub use status::ExchangeStatus;

use protocol::SourceId;

/// The source of ticks: the exchange itself. Services have ids of their own, from 1.
pub const TIMER: SourceId = SourceId(0);
