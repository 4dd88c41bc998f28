//! The books of record: what happened in the engine, in SQL, exactly once and to the last unit. Reads
//! the event stream and writes rows; refuses to decide anything: every row follows from events, and can
//! be made again from the first one.
//!
//! [`run`] is the whole consumer: it opens the database, reads on from where the books are, and goes on
//! by itself when the database was away. [`Books`] is its core: batches in, rows out, one transaction at
//! a time.

mod base;
mod books;
mod closing;
mod day;
mod error;
mod order_row;
mod partitions;
mod prepared;
mod projection;
pub mod proof;
mod reading;
mod rebuild;
mod reconcile;
mod reconciler;
mod row_hash;
mod rows;
mod run;
mod statement;
mod status;
mod tables;
mod upkeep;
mod writer;

pub use base::{Amounts, Balances};
pub use books::Books;
pub use closing::{AssetReport, Closing, ClosingReport};
pub use day::Day;
pub use error::SettlementError;
pub use partitions::{drop_expired, make_months};
pub use prepared::Prepared;
pub use reading::{BooksReader, HISTORY_STATEMENTS};
pub use rebuild::{clear, rebuild};
pub use reconcile::{Break, ReconciliationReport};
pub use reconciler::{EngineBalances, Extent, PendingBalances, Reconciler};
pub use row_hash::{RowHash, TableHash, row_hash};
pub use run::{Options, run};
pub use statement::{AssetStatement, Movement, Statement};
pub use status::{BooksMetrics, State, Status};
pub use upkeep::{Upkeep, UpkeepDone};
