//! Reading what happened.

/// Reads event chunks in the engine's order, on the egress thread, and must not wait: whatever is
/// slow belongs behind a queue of its own.
///
/// Every chunk is durable when it comes, each comes exactly once for each start of the process,
/// from sequence 1 on (recovery replays the log), and a command's answer is given to its sender
/// only after every consumer has seen its events: a client reads its own writes.
pub trait EventConsumer: Send {
    /// Whole chunks, one after the other (see `protocol::event::EventChunk::all`).
    fn consume(&mut self, chunks: &[u8]);

    /// Recovery is over; what comes from now on is new.
    fn live(&mut self) {}
}
