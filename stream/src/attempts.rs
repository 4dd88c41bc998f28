//! How a publisher keeps at it: one attempt after the other, until it is told to stop or fails of what
//! waiting cannot cure. Refuses to know what is published.

use crate::{PublishingMetrics, StreamError};
use protocol::Sequence;
use std::{pin::pin, time::Duration};
use tokio::{select, time::sleep};
use tracing::warn;

/// Between two attempts with a broker that does not answer.
const PAUSE: Duration = Duration::from_millis(500);

/// A publisher, one attempt at a time.
pub(crate) trait Attempts {
    /// What an attempt goes on from.
    type Begun;

    /// Connects, and finds out where to go on.
    async fn begin(&self) -> Result<Self::Begun, StreamError>;

    /// Publishes until `stop` is ready, and then what was sent is given a moment to be acknowledged.
    async fn publish(
        &self,
        begun: Self::Begun,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> Result<(), StreamError>;

    /// How it is doing.
    fn metrics(&self) -> &PublishingMetrics;
}

/// Publishes until `stop` is ready. A broker that goes away is waited for, for ever.
///
/// # Errors
/// What waiting cannot cure. A broker that refuses this user is such at the start; once something was
/// published it is taken to pass.
pub(crate) async fn keep_at_it(
    publisher: &impl Attempts,
    stop: impl Future<Output = ()>,
) -> Result<(), StreamError> {
    let mut stop = pin!(stop);
    loop {
        let begun = select! {
            () = &mut stop => return Ok(()),
            begun = publisher.begin() => begun,
        };
        let published = match begun {
            Ok(begun) => publisher.publish(begun, &mut stop).await,
            Err(error) => Err(error),
        };
        let Err(error) = published else { return Ok(()) };
        let position = publisher.metrics().position();
        let has_published = position > Sequence(0);
        if !(error.may_pass() || has_published && matches!(error, StreamError::Denied { .. })) {
            return Err(error);
        }
        publisher.metrics().failed();
        warn!(%error, %position, "publishing will be tried again");
        select! {
            () = &mut stop => return Ok(()),
            () = sleep(PAUSE) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics;
    use rdkafka::error::KafkaError;
    use std::{
        cell::{Cell, RefCell},
        future::{pending, ready},
    };
    use tokio::runtime::Builder;

    /// Fails of each of these, one an attempt and the last first; then publishes until it is stopped.
    struct Scripted {
        failures: RefCell<Vec<StreamError>>,
        begun: Cell<u64>,
        metrics: PublishingMetrics,
    }

    impl Attempts for Scripted {
        type Begun = u64;

        async fn begin(&self) -> Result<u64, StreamError> {
            self.begun.set(self.begun.get() + 1);
            Ok(self.begun.get())
        }

        async fn publish(
            &self,
            begun: u64,
            stop: &mut (impl Future<Output = ()> + Unpin),
        ) -> Result<(), StreamError> {
            assert_eq!(begun, self.begun.get());
            let failure = self.failures.borrow_mut().pop();
            if let Some(failure) = failure {
                return Err(failure);
            }
            stop.await;
            Ok(())
        }

        fn metrics(&self) -> &PublishingMetrics {
            &self.metrics
        }
    }

    fn passing() -> StreamError {
        let source = Box::new(KafkaError::Canceled);
        StreamError::Broker { doing: "publishing".to_owned(), reason: "it went away".to_owned(), source }
    }

    fn denied() -> StreamError {
        StreamError::Denied { doing: "publishing".to_owned(), reason: "no".to_owned() }
    }

    fn for_good() -> StreamError {
        StreamError::Replaced { newest: 2, own: 1 }
    }

    /// Lets it run; gives its end, its attempts and those that were noted as failed.
    fn run(
        failures: Vec<StreamError>,
        position: u64,
        stop: impl Future<Output = ()>,
    ) -> (Result<(), StreamError>, u64, u64) {
        let metrics = PublishingMetrics::new(metrics::EVENTS);
        metrics.resumed(Sequence(position));
        let scripted = Scripted { failures: RefCell::new(failures), begun: Cell::new(0), metrics };
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let ended = runtime.block_on(keep_at_it(&scripted, stop));
        (ended, scripted.begun.get(), scripted.metrics.errors())
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_may_not_ends_it() {
        assert!(passing().may_pass() && !denied().may_pass() && !for_good().may_pass());
        let cases = [
            ("for good at once", vec![for_good()], 0, 1, 0),
            ("passing, then for good", vec![for_good(), passing()], 0, 2, 1),
            ("refused at the start", vec![denied()], 0, 1, 0),
            ("refused later", vec![for_good(), denied()], 7, 2, 1),
        ];
        for (case, failures, position, attempts, failed) in cases {
            let (ended, begun, errors) = run(failures, position, pending());
            assert!(ended.is_err(), "{case}");
            assert_eq!((begun, errors), (attempts, failed), "{case}");
        }
    }

    #[test]
    fn a_stop_is_no_failure() {
        let (ended, _, errors) = run(vec![], 0, ready(()));
        assert!(ended.is_ok());
        assert_eq!(errors, 0);
    }
}
