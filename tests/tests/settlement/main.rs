//! The books of record against a real PostgreSQL and SQLite: equal rows whatever happens on the way.

mod commands;
mod delivery;
mod events;
mod faults;
mod history;
mod place;
mod proxy;
mod rebuild;
mod schema;
