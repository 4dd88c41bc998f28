//! The event log: what came out of the commands, in groups that cover whole commands, appended and
//! not synced, because it can be rebuilt from the journal. It does not know what an event means.

mod reader;
mod sync;
mod writer;

pub use reader::{EventGroup, EventReader};
pub use sync::EventLogSync;
pub use writer::{EventAppendError, EventLogWriter, InspectedEventLog};
