//! What the tests across rooms share: a real `rialto serve` in a directory of its own, a small REST
//! client that signs, traders who write down what they were told and the audit of it, and the scripts of
//! other people's clients.
//!
//! It refuses to know the exchange's insides: what is here goes through the program's own doors, as a
//! stranger would.

pub mod amount;
pub mod audit;
pub mod client;
pub mod directory;
pub mod kafka;
pub mod load;
pub mod order;
pub mod ports;
pub mod postgres;
pub mod program;
pub mod script;
pub mod server;
pub mod split;
pub mod tracer;
