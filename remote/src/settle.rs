//! What a source has handed in and the engine has not answered yet, and with that the number that comes
//! next. Refuses to know where the records come from, and to tell anyone what came of them: the event
//! stream does.

use protocol::{Reject, SourceNumber, reject::Outcome};
use services::{NumberedPort, PendingAnswer, RecordRefused, SubmitError};
use std::collections::VecDeque;

/// Commands of one source under way, in their order.
#[derive(Debug)]
pub(crate) struct Settling {
    under_way: VecDeque<(SourceNumber, PendingAnswer)>,
    /// One more than the last number that was used.
    next: SourceNumber,
    /// The number that the next record must have, if it is not one that comes again.
    expected: SourceNumber,
}

/// A command was not done under its number: those after it were not either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotUsed {
    /// The exchange did not take it.
    Refused(SubmitError),
    /// The core refused it without counting its number.
    Unnumbered(Reject),
}

impl Settling {
    /// With nothing under way.
    pub(crate) fn new(next: SourceNumber) -> Self {
        Self { under_way: VecDeque::new(), next, expected: next }
    }

    /// The number that comes next when all is settled.
    pub(crate) fn next(&self) -> SourceNumber {
        self.next
    }

    /// Hands a record to the port. A number that leaves others out is a fault of its sender.
    pub(crate) fn hand_in(
        &mut self,
        port: &dyn NumberedPort,
        number: SourceNumber,
        record: &[u8],
    ) -> Result<(), RecordRefused> {
        if number > self.expected {
            let text = format!("command {number} came where {} must be", self.expected);
            return Err(RecordRefused::Bad(text));
        }
        self.under_way.push_back((number, port.submit_record(record)?));
        self.expected = self.expected.max(SourceNumber(number.0.saturating_add(1)));
        Ok(())
    }

    /// Waits for the oldest command under way; at once when there is none. Cancel-safe.
    pub(crate) async fn one(&mut self) -> Result<(), NotUsed> {
        let Some((number, answer)) = self.under_way.front_mut() else { return Ok(()) };
        let number = *number;
        let answered = answer.await;
        self.under_way.pop_front();
        match answered.map_err(NotUsed::Refused)?.outcome {
            Outcome::Refused(reject @ (Reject::SourceStopped | Reject::NumberOutOfOrder)) => {
                return Err(NotUsed::Unnumbered(reject));
            }
            _ => self.next = self.next.max(SourceNumber(number.0 + 1)),
        }
        Ok(())
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Waits until nothing is under way, whatever came of it.
    pub(crate) async fn all(&mut self) {
        while !self.is_idle() {
            // What was not taken, or not counted, is not above `next`.
            let _ = self.one().await;
        }
        self.expected = self.next;
    }
}
