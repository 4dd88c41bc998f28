//! (being built)

pub mod views;
