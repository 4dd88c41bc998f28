//! Asking for a snapshot of the engine's state.

use protocol::Sequence;
use std::{fmt, future::Future, pin::Pin, time::Duration};
use thiserror::Error;

/// A snapshot that was made and is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotTaken {
    /// The last command in it.
    pub sequence: Sequence,
    /// The hash of the state it holds, in hexadecimal.
    pub state_hash: String,
    /// Bytes of it.
    pub bytes: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why there is none, in words, with what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SnapshotRefused(pub String);

/// A snapshot on its way.
pub type PendingSnapshot = Pin<Box<dyn Future<Output = Result<SnapshotTaken, SnapshotRefused>> + Send>>;

/// Who makes snapshots.
pub trait SnapshotTaker: fmt::Debug + Send + Sync {
    /// Makes one of everything that is on disk now, beside the work of the engine.
    fn take(&self) -> PendingSnapshot;
}
