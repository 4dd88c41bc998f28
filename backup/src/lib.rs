//! Backups of a data directory: made while trading goes on, compressed, encrypted, checked, kept by a
//! rule, and restored to any command with the proof that it is the same state.
//!
//! It refuses to know how orders match, what the database says, and who may ask for a restore.
//!
//! A backup is a directory of its own: `manifest.json` says what it holds, `manifest.hmac` proves that
//! nobody changed it, and each `.blob` is a piece of a file, compressed (zstd) and encrypted
//! (AES-256-GCM). A full one stands by itself; an incremental one holds what the journal has since the
//! one before. [`Command`] is the command line; [`create`], [`verify`], [`restore`] and [`prune`] are the
//! same for programs.

mod blob;
mod catalogue;
mod cipher;
mod command;
mod create;
mod error;
mod key;
mod manifest;
mod private;
mod prune;
mod restore;
mod source;
mod verify;

pub use catalogue::Catalogue;
pub use command::{Command, Verdict};
pub use create::{CreateOptions, create};
pub use error::BackupError;
pub use key::BackupKey;
pub use manifest::{Content, Entry, Kind, Manifest};
pub use prune::{KeepRule, plan, prune};
pub use restore::{RestoreOptions, RestoreReport, RestoredDatabase, restore};
pub use verify::{Verified, verify};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The journal is read and verified.
    Verifying,
    /// Files are copied.
    Copying,
    /// Commands are applied, for the state's hash.
    Replaying,
    /// What was written is read back.
    Checking,
}

/// How far it is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Done.
    pub done: u64,
    /// To do in all, as far as is known.
    pub total: u64,
}

/// Is told how far a backup or a restore is.
pub type Watch<'a> = &'a mut dyn FnMut(Progress);
