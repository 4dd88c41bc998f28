//! What stops the books of record, each told apart. Refuses to know who is told.

use crate::proof::ProofError;
use database::DatabaseError;
use protocol::{Sequence, record::DecodeError};
use stream::StreamError;
use thiserror::Error;

/// Why the books of record go no further.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettlementError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The stream.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The stream no longer has what comes after the books' position.
    #[error(
        "the books are behind the stream: they are at command {position}, and it begins with {first}; restore a newer backup of the books, or rebuild them from a stream that has the first command"
    )]
    Behind {
        /// What the books have.
        position: Sequence,
        /// What the stream begins with.
        first: Sequence,
    },
    /// The books have what the stream does not have.
    #[error(
        "the books are ahead of the stream: they are at command {position}, and it ends at {end}; they belong to another engine or to one that was restored to before: rebuild them"
    )]
    Ahead {
        /// What the books have.
        position: Sequence,
        /// Where the stream ends.
        end: Sequence,
    },
    /// An event of a version or a kind that this build does not know. What came before it is written.
    #[error("an event of command {sequence} cannot be read: {source}; run a build that knows it")]
    Unreadable {
        /// Which command's.
        sequence: Sequence,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// Another process wrote to the books.
    #[error(
        "the books were at command {expected} and are at {found}: another process writes to them; stop one of the two"
    )]
    OtherWriter {
        /// Where this process left them.
        expected: Sequence,
        /// Where they are.
        found: Sequence,
    },
    /// The books hold positions of more than one engine.
    #[error("the books are of engines {0} and {1}; one database holds the books of one engine")]
    TwoEngines(u32, u32),
    /// The books do not add up.
    #[error("the books do not add up: {0}; see what `rialto settlement reconcile` says, and rebuild them")]
    DoesNotAddUp(String),
    /// The engine's balances could not be found.
    #[error("the engine's balances cannot be found: {0}")]
    Engine(String),
    /// A day that is not over in the books.
    #[error(
        "{day} is not over in the books, which are at command {position}: wait until a later command is written"
    )]
    NotOver {
        /// Such as `2026-11-21`.
        day: String,
        /// Where the books are.
        position: Sequence,
    },
    /// What would be needed is past its retention.
    #[error("trades and postings of that time are not kept any more (`books_months_kept`): {0}")]
    NotKept(String),
    /// A closed day's proof cannot be made again.
    #[error(
        "{day} was closed with the root {root}, by another proof key than this one: put the `proof.key` back that its nonces were made from"
    )]
    AnotherProofKey {
        /// Such as `2026-11-21`.
        day: String,
        /// The root that it has.
        root: String,
    },
    /// No proof can be made.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A question asks for too much at once.
    #[error("{0}")]
    TooLarge(String),
    /// An event that does not follow from what the books hold.
    #[error(
        "event {event_index} of command {sequence} does not follow from the books: {what}; rebuild them, and if it stays so, look at the journal with `rialto replay verify`"
    )]
    Contradiction {
        /// Of which command.
        sequence: Sequence,
        /// Which of its events, from 0.
        event_index: u32,
        /// What is wrong.
        what: String,
    },
}

impl SettlementError {
    /// Whether trying again later may help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_temporary())
    }
}
