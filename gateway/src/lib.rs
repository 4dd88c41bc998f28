//! The door for traders and operators. [`router`] is the traders' port: REST, market streams and the
//! WebSocket API, in the words of Binance Spot, so that its clients work with only their URLs changed.
//! [`views`] is what they read: projections of the engine's events, held in memory.
//!
//! It refuses to know the core and the journal (it submits commands and reads events through
//! `services`), and decides nothing about money: every rule is the engine's.
//!
//! Where to start: `endpoints` lists the REST routes; each leads to a `calls` function, which REST and the
//! WebSocket API share. The API's document is made from the same list.

pub mod admin;
pub mod views;

mod calls;
mod dialect;
mod endpoints;
mod gateway;
mod limits;
mod link;
mod openapi;
mod past;
mod rest;
mod router;
mod session_orders;
mod streams;
mod websocket_api;

pub use gateway::Gateway;
pub use limits::RateLimits;
pub use link::SocketTimes;
pub use router::router;
