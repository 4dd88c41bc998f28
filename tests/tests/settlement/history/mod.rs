//! Reading the books of record, on a real PostgreSQL and on SQLite: pages, reconciliation, a day's closing
//! with its proof, statements.

mod closing;
mod pages;
mod plans;
mod reconcile;
mod upkeep;
mod written;
