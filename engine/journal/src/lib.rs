//! The command log and the event log: what makes the exchange durable.
//!
//! The journal writes groups of opaque records into preallocated segment files, each group with one
//! write and one `fdatasync`, and says afterwards up to which sequence everything is on disk. It finds,
//! after any crash, the longest valid prefix, and tells a torn tail (go on) from rot in the middle
//! (stop, touch nothing). The event log beside it holds what came out of those commands; it is not
//! synced, because it can be rebuilt. Snapshots of the state, written beside by whoever replays, save
//! a start from reading all of it.
//!
//! It refuses to know what a command, an event or a snapshot means, how orders match, which thread calls
//! it, and what time it is. A record is bytes that begin with their own length; a sequence is a number.
//!
//! Layout of a data directory:
//!
//! | path | content |
//! | --- | --- |
//! | `LOCK` | held by the one process that writes ([`DirectoryLock`]) |
//! | `identity` | engine id and epoch ([`Identity`]) |
//! | `journal/segment-<first sequence>.log` | the command log |
//! | `journal/torn-<sequence>-<n>.bin` | what a recovery cut off, kept for inspection |
//! | `archive/segment-<first sequence>.log.zst` | segments that have left the journal ([`Archive`]) |
//! | `events/segment-<first sequence>.log` | the event log |
//! | `voids/void-<sequence>.txt` | a command that operators decided did not happen ([`Void`]) |
//! | `snapshots/snapshot-<sequence>.bin` | the state after a command ([`Snapshots`]) |

mod archive;
mod checksum;
mod cut;
mod error;
mod events;
mod frame;
mod identity;
mod layout;
mod lock;
mod reader;
mod records;
mod recovery;
mod retention;
mod segment_file;
mod segment_set;
mod segments;
mod snapshots;
mod storage;
mod tail;
mod tidy;
mod voids;
mod walk;
mod window;
mod writer;

pub use archive::{Archive, ArchiveError};
pub use cut::cut_journal;
pub use error::{AppendError, OpenError, ReadError, Refusal, SyncFailed};
pub use events::{
    EventAppendError, EventGroup, EventLogSync, EventLogWriter, EventReader, InspectedEventLog,
};
pub use identity::Identity;
pub use lock::{DirectoryLock, LockError};
pub use reader::{Batch, JournalPlace, JournalReader, Progress};
pub use records::{Chunks, Records};
pub use recovery::{Recovered, TornTail, survey};
pub use retention::{ClosedSegment, KeptFor, Position, RetentionPlan, RetentionRule, closed_segments};
pub use segments::{journal_segment, journal_segments};
pub use snapshots::{BadSnapshot, NewestGood, Snapshot, SnapshotError, SnapshotInfo, Snapshots};
pub use storage::{Access, File, FileStorage, SimulatedFile, SimulatedStorage, Storage, StorageFile};
pub use tidy::{KeepRules, Tidied, TidyError, tidy};
pub use voids::{Void, VoidError, Voids, record_checksum};
pub use writer::{InspectedJournal, JournalOptions, JournalWriter, MAXIMUM_RECORD};

/// The number of a command, dense from 1; 0 means "none yet".
pub type Sequence = u64;
