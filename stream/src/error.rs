//! What can be wrong with a stream, each told apart. Refuses to know what its reader does about it.

use engine_journal::ReadError;
use protocol::{Sequence, record::DecodeError};
use thiserror::Error;

/// Why a stream gives nothing more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The event log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The stream ends before what its reader has already.
    #[error(
        "the reader has command {position}, and the stream ends at {end}: it is another engine's stream, or one restored to before; the reader's data and the stream's do not belong together"
    )]
    Ahead {
        /// What the reader has.
        position: Sequence,
        /// What there is.
        end: Sequence,
    },
    /// What must come next is not there.
    #[error(
        "the stream goes on with command {found} where {expected} must be; restore what lies between, or rebuild the reader's data from the first command"
    )]
    Gap {
        /// What must come.
        expected: Sequence,
        /// What came.
        found: Sequence,
    },
    /// Another engine's events.
    #[error("the stream is of engine {found}, its reader's data of engine {expected}")]
    OtherEngine {
        /// Whose the reader's data is.
        expected: u32,
        /// Whose came.
        found: u32,
    },
    /// An engine that was replaced goes on publishing.
    #[error(
        "events of epoch {found} came after epoch {newest}: an engine that was replaced still publishes; stop it"
    )]
    Fenced {
        /// The newest epoch seen.
        newest: u32,
        /// What came.
        found: u32,
    },
    /// Events of a version that this build does not know, or bytes that are none.
    #[error("an event after command {position} cannot be read: {source}; run a build that knows its version")]
    Unreadable {
        /// The last command read.
        position: Sequence,
        /// What is wrong.
        source: DecodeError,
    },
    /// The thread that reads has ended.
    #[error("reading the stream was ended: {0}")]
    Ended(String),
}
