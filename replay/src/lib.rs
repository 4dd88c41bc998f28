//! The operators' tool over the journal: re-applies it and says what it found. Reads a stopped or a
//! live data directory and changes nothing in it, but for [`void()`].
//!
//! It refuses to know who is trading now, and to repair anything.
//!
//! [`Command`] is the command line; [`verify`], [`state`], [`events`], [`explain`], [`diff()`] and
//! [`export()`] are the same for programs.

mod balances;
mod begin;
mod command;
mod describe;
mod diff;
mod error;
mod events;
mod explain;
mod export;
mod history;
mod movement;
mod state;
mod verify;
mod void;

pub use balances::{RawBalance, balances};
pub use command::{Command, Verdict};
pub use diff::{DiffReport, Difference, Place, diff};
pub use error::ReplayError;
pub use events::{EventFilter, events};
pub use explain::{BroughtForward, Change, Entry, ExplainReport, Explained, SumRow, explain};
pub use export::{ExportReport, Exported, ExportedFile, Format, TableName, export};
pub use history::{Progress, Watch};
pub use movement::MovementKind;
pub use state::{StateReport, state};
pub use verify::{VerifyReport, verify};
pub use void::{VoidReport, void};
