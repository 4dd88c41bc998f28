//! How the engine's threads meet: rings that carry records and values between them, waiting that
//! costs nothing while nobody sleeps, and the sequences up to which work is done.
//!
//! [`pipeline::Exchange`] puts them together: commands in, answers and events out.
//!
//! Refuses to know what a command means (`engine-core`), how bytes reach the disk
//! (`engine-journal`) and who is asking (`services`). It is the only room with `unsafe`, all of it
//! in [`ring`].

pub mod hop;
pub mod pipeline;
pub mod ring;
pub mod sequence_gate;
mod sync;
pub mod wait;

const _: () = assert!(size_of::<ring::Slot>() == ring::SLOT_BYTES, "a slot is two cache lines");
