//! Real and generated order flow, fed to the exchange and to its peers: what is compared, with what totals, and by
//! what rule a market's own records become commands.
//!
//! It refuses to know how an exchange works inside: the exchange is behind the traits [`contest::Contender`]
//! (generated streams) and [`market_by_order::replay::Venue`] (a market's records).

pub mod contest;
pub mod doors;
pub mod exchange_core;
pub mod market_by_order;
pub mod rialto;
pub mod settlement;
pub mod stream_file;
pub mod workload;
