//! How long an order takes through the REST and WebSocket doors of a real `rialto serve`, beside the same
//! requests to a bare server on the same libraries, which answers without doing anything.
//!
//! It refuses to know what happens between a door and its answer.

pub mod bare;
pub mod http;
pub mod measure;
pub mod orders;
pub mod process;
pub mod socket;
