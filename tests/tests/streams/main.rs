//! Streams of a real `rialto serve`, read as clients read them: a local book over 100,000 events, and an
//! account's own stream across a kill.

mod book;
mod depth;
mod socket;
mod user;
