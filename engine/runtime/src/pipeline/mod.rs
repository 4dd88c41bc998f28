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
//!
//! Each of the three parts has a step, which does what can be done now, and a loop of steps and waits,
//! which is its thread. A [`SteppedExchange`] has no threads: whoever has it says which part goes on.

mod clock;
mod core_thread;
mod egress;
mod exchange;
mod group;
mod options;
mod parts;
mod port;
mod reapply;
mod recovery;
mod sequencer;
mod snapshot;
mod status;
mod stepped;
mod steps;

pub use clock::{Clock, SystemClock};
pub use exchange::{Exchange, InspectedExchange, OpenError, Stopped};
pub use options::{Abort, Durability, Options};
pub use port::{Port, RecordError};
pub use snapshot::{MadeSnapshot, MakeSnapshotError, make_snapshot, write_snapshot};
pub use status::ExchangeStatus;
pub use stepped::SteppedExchange;
pub use steps::{CoreLacks, EgressLacks, SequencerLacks, Step};

use protocol::SourceId;

/// The source of ticks: the exchange itself. Services have ids of their own, from 1.
pub const TIMER: SourceId = SourceId(0);
