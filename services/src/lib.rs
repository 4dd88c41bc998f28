//! The narrow traits by which rooms ask each other: submit a command, read events, read what is past,
//! ask how the engine is. In one process they are function calls; over a socket they can be messages.
//!
//! It refuses to know who implements a trait and who calls it, and holds no logic.

mod commands;
mod engine;
mod events;
mod history;
mod metrics;
mod pause;
mod snapshots;

pub use commands::{Answer, CommandPort, NumberedPort, PendingAnswer, RecordRefused, SubmitError};
pub use engine::{EngineState, EngineStatus, HaltReason};
pub use events::EventConsumer;
pub use history::{
    AggregateQuery, AmendmentQuery, BooksPosition, History, HistoryError, KeptCandleQuery, NamedOrderList,
    OrderListQuery, OrderQuery, OwnTradeQuery, PendingHistory, PreventedMatchQuery, StatementFormat,
    StatementQuery, TradeQuery,
};
pub use metrics::{Metric, MetricKind, MetricSource};
pub use pause::WithdrawalPause;
pub use snapshots::{PendingSnapshot, SnapshotRefused, SnapshotTaken, SnapshotTaker};
