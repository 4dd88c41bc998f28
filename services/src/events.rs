//! Reading what happened.

use protocol::Sequence;

/// Reads event chunks in the engine's order, on the egress thread, and must not wait: whatever is
/// slow belongs behind a queue of its own.
///
/// Every chunk is durable when it comes, each comes exactly once for each start of the process, from
/// the sequence after its [position](Self::position) on, and a command's answer is given to its sender
/// only after every consumer has seen its events: a client reads its own writes.
pub trait EventConsumer: Send {
    /// Whole chunks, one after the other (see `protocol::event::EventChunk::all`).
    fn consume(&mut self, chunks: &[u8]);

    /// The last command whose events it has already when it is handed to the engine, from what it saved
    /// in an earlier run; 0 for one that begins with nothing.
    fn position(&self) -> Sequence {
        Sequence(0)
    }

    /// All that it has, for a later start to go on from; `None` for one that always begins with nothing.
    /// Asked between commands.
    fn save(&self) -> Option<Vec<u8>> {
        None
    }

    /// Recovery is over; what comes from now on is new.
    fn live(&mut self) {}
}
