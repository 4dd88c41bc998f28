//! The exchange in processes of their own, from the sample configurations, each killed apart under load:
//! nothing acknowledged is lost, nothing is there twice, and what a gateway's death means is journaled.

mod books;
mod brokers;
mod kills;
mod life;
mod refusals;
mod sessions;
mod trace;
