//! Finds the answers to a gateway's commands in the event stream. Refuses to know where the stream comes
//! from, and what an answer says.

use crate::client::Shared;
use protocol::{Sequence, event::EventChunk};
use services::EventConsumer;
use std::{fmt, sync::Arc};

/// A consumer of the event stream that answers the commands of a [`RemoteEngine`](crate::RemoteEngine).
/// Show it each batch after the views have seen it: then whoever has an answer reads its own writes.
pub struct AnswerFeed {
    shared: Arc<Shared>,
    position: Sequence,
}

impl fmt::Debug for AnswerFeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AnswerFeed").field("position", &self.position).finish_non_exhaustive()
    }
}

impl AnswerFeed {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, position: Sequence(0) }
    }
}

impl EventConsumer for AnswerFeed {
    fn consume(&mut self, chunks: &[u8]) {
        let mut rest = chunks;
        let mut outgoing = self.shared.outgoing();
        loop {
            let before = rest;
            if before.is_empty() {
                break;
            }
            // The stream has read them, and the views before: what cannot be read has stopped both.
            let Ok(chunk) = EventChunk::take(&mut rest) else { break };
            outgoing.see(&chunk.header, &before[..before.len() - rest.len()]);
            if chunk.header.last == 1 {
                self.position = chunk.header.sequence;
            }
        }
        drop(outgoing);
        self.shared.seen.send_replace(self.position);
    }

    fn position(&self) -> Sequence {
        self.position
    }
}
