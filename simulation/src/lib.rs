//! Deterministic simulation: the production sequencer, journal, core, recovery and egress, stepped in one
//! thread over a simulated disk and clock, with clients, faults and their order drawn from a seed; and a
//! naive model that audits what is left after each. The same seed is the same history, for ever.
//!
//! It refuses to hold a second engine, and to trust the first: what must be is worked out from what was
//! handed in, answered and told, and from the bytes on the disk.
//!
//! Start at [`run`]; then `world.rs` for what happens, `witness.rs` for what must be true.

mod client;
mod clock;
mod commands;
mod disk;
mod keeper;
mod ledger;
mod life;
mod openings;
mod planted;
mod random;
mod sizes;
mod witness;
mod world;

pub use commands::{Commands, Known, set_up};
pub use planted::PlantedFault;
pub use random::Random;
pub use world::Summary;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

/// Something that must be true was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// What was seen.
    pub what: String,
}

impl Violation {
    /// The one line that shows it again.
    pub fn reproduce(&self, fault: Option<PlantedFault>) -> String {
        let planted = fault.map(|fault| format!(" --fault {}", fault.name()));
        format!("rialto-sim --seed {} --trace{}", self.seed, planted.unwrap_or_default())
    }
}

/// Runs a seed's world to its end.
///
/// # Errors
/// The first thing that was not as it must be.
pub fn run(seed: u64, fault: Option<PlantedFault>, traces: bool) -> Result<Summary, Violation> {
    let run = || World::new(seed, fault, traces).run();
    let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(said(panic.as_ref())));
    result.map_err(|what| Violation { seed, what })
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_else(|| "without words".to_owned()))
}
