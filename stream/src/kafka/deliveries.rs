//! What was sent and not yet acknowledged: how far everything is with the broker, without a hole. Refuses
//! to send.

use super::context::Reports;
use protocol::Sequence;
use rdkafka::{
    ClientContext, config::RDKafkaLogLevel, error::KafkaError, message::DeliveryResult,
    producer::ProducerContext,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Deliveries of one producer, in the order they were sent in. Shared with librdkafka's thread.
#[derive(Clone, Debug)]
pub(crate) struct Deliveries {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    reports: Reports,
}

#[derive(Debug)]
struct State {
    /// The last command of which all was acknowledged.
    position: Sequence,
    /// What was sent after it; the first is `front`.
    waiting: VecDeque<Waiting>,
    front: usize,
    /// Bytes that wait.
    bytes: usize,
    failure: Option<KafkaError>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// With this record, and all before it, everything up to this command is there.
    complete: Sequence,
    bytes: usize,
    is_acknowledged: bool,
}

impl Deliveries {
    /// Nothing sent yet; what is at or before `position` is there.
    pub(crate) fn new(position: Sequence, reports: Reports) -> Self {
        let state = State { position, waiting: VecDeque::new(), front: 0, bytes: 0, failure: None };
        Self { state: Arc::new(Mutex::new(state)), changed: Arc::new(Notify::new()), reports }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a record that is about to be sent; gives its ticket.
    pub(crate) fn expect(&self, complete: Sequence, bytes: usize) -> usize {
        let mut state = self.state();
        state.waiting.push_back(Waiting { complete, bytes, is_acknowledged: false });
        state.bytes += bytes;
        state.front + state.waiting.len() - 1
    }

    /// Notes that with what was sent so far, everything up to `complete` is sent.
    pub(crate) fn reach(&self, complete: Sequence) {
        let mut state = self.state();
        state.waiting.push_back(Waiting { complete, bytes: 0, is_acknowledged: true });
        state.advance();
    }

    /// A record was acknowledged, or will never be.
    fn settle(&self, ticket: usize, failure: Option<KafkaError>) {
        let mut state = self.state();
        if let Some(failure) = failure {
            state.failure.get_or_insert(failure);
        } else {
            let place = ticket.wrapping_sub(state.front);
            if let Some(waiting) = state.waiting.get_mut(place) {
                waiting.is_acknowledged = true;
            }
            state.advance();
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Waits until something was acknowledged or has failed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The last command of which all was acknowledged.
    pub(crate) fn position(&self) -> Sequence {
        self.state().position
    }

    /// How many records and bytes wait.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let state = self.state();
        (state.waiting.len(), state.bytes)
    }

    /// Why a record will never be acknowledged; this producer must not be used further.
    pub(crate) fn failure(&self) -> Option<KafkaError> {
        self.state().failure.clone()
    }
}

impl State {
    fn advance(&mut self) {
        while let Some(first) = self.waiting.front().copied().filter(|first| first.is_acknowledged) {
            self.waiting.pop_front();
            self.front += 1;
            self.bytes -= first.bytes;
            self.position = self.position.max(first.complete);
        }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.reports.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(rdkafka::error::RDKafkaErrorCode::Fatal) {
            self.state().failure.get_or_insert(error.clone());
            self.changed.notify_one();
        }
        ClientContext::error(&self.reports, error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: usize) {
        let failure = result.as_ref().err().map(|(error, _)| error.clone());
        self.settle(ticket, failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_never_passes_what_is_not_acknowledged() {
        let deliveries = Deliveries::new(Sequence(4), Reports::default());
        let tickets: Vec<usize> = (5..9).map(|last| deliveries.expect(Sequence(last), 10)).collect();
        deliveries.settle(tickets[1], None);
        deliveries.settle(tickets[3], None);
        assert_eq!((deliveries.position(), deliveries.waiting()), (Sequence(4), (4, 40)));
        deliveries.settle(tickets[0], None);
        assert_eq!((deliveries.position(), deliveries.waiting()), (Sequence(6), (2, 20)));
        deliveries.reach(Sequence(12));
        assert_eq!(deliveries.position(), Sequence(6));
        deliveries.settle(tickets[2], None);
        assert_eq!((deliveries.position(), deliveries.waiting()), (Sequence(12), (0, 0)));
        let late = deliveries.expect(Sequence(13), 1);
        deliveries.settle(late, Some(KafkaError::Canceled));
        assert_eq!(deliveries.position(), Sequence(12));
        assert!(deliveries.failure().is_some());
    }

    #[test]
    fn a_part_of_a_command_does_not_move_the_position() {
        let deliveries = Deliveries::new(Sequence(4), Reports::default());
        // Two parts of command 5: only with the second is it there.
        let tickets = [deliveries.expect(Sequence(4), 1), deliveries.expect(Sequence(5), 1)];
        deliveries.settle(tickets[0], None);
        assert_eq!(deliveries.position(), Sequence(4));
        deliveries.settle(tickets[1], None);
        assert_eq!(deliveries.position(), Sequence(5));
    }
}
