//! Backpressure: how far those that must follow the engine are behind it, and a port that takes no new
//! orders while that is more than a bound. What takes risk away is always taken. Refuses to know who
//! follows, and why one is behind.

use protocol::{Sequence, SourceId, command::Command};
use services::{CommandPort, EngineStatus, Metric, MetricSource, PendingAnswer, SubmitError};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// How far one that follows the engine has got. Cloning gives the same.
#[derive(Clone, Debug, Default)]
pub struct Follower(Arc<AtomicU64>);

impl Follower {
    /// Says that everything up to `position` is done; it may go back, when more must be done again.
    pub fn reached(&self, position: Sequence) {
        self.0.store(position.0, Ordering::Release);
    }

    /// The last command done; 0 before it has said any.
    pub fn position(&self) -> Sequence {
        Sequence(self.0.load(Ordering::Acquire))
    }
}

/// How far the slowest follower is behind the engine, in commands, and how far it may be.
pub struct Lag {
    engine: Arc<dyn EngineStatus>,
    followers: Vec<Follower>,
    opened: Sequence,
    bound: u64,
    refused: AtomicU64,
}

impl fmt::Debug for Lag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Lag")
            .field("followers", &self.followers)
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

impl Lag {
    /// More than `bound` commands behind is too far. `opened` is the engine's last command when it opened:
    /// a follower that has said nothing yet is taken to be there, so that an exchange opens and trades up
    /// to the bound also while the brokers cannot be reached.
    pub fn new(
        engine: Arc<dyn EngineStatus>,
        opened: Sequence,
        bound: u64,
        followers: Vec<Follower>,
    ) -> Self {
        Self { engine, followers, opened, bound, refused: AtomicU64::new(0) }
    }

    /// Commands on disk that the slowest follower has not done.
    pub fn commands(&self) -> u64 {
        let positions = self.followers.iter().map(|follower| match follower.position() {
            Sequence(0) => self.opened,
            position => position,
        });
        let slowest = positions.min().unwrap_or(Sequence(u64::MAX));
        self.engine.durable_sequence().0.saturating_sub(slowest.0)
    }

    /// Whether that is more than the bound.
    pub fn is_exceeded(&self) -> bool {
        self.commands() > self.bound
    }
}

impl MetricSource for Lag {
    fn metrics(&self) -> Vec<Metric> {
        let refused = self.refused.load(Ordering::Relaxed);
        vec![
            Metric::gauge(
                "stream_lag_commands",
                "commands that the slowest follower has not done",
                self.commands(),
            ),
            Metric::gauge(
                "stream_lag_bound_commands",
                "commands from which on new orders are refused",
                self.bound,
            ),
            Metric::counter("stream_lag_refused_total", "new orders refused for the lag", refused),
        ]
    }
}

/// A port that refuses new orders while the lag is more than its bound. Cancels, amendments to less,
/// transfers and administration pass: they take risk away, or are few.
#[derive(Clone)]
pub struct BoundedPort {
    port: Arc<dyn CommandPort>,
    lag: Arc<Lag>,
}

impl fmt::Debug for BoundedPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BoundedPort").field("lag", &self.lag).finish_non_exhaustive()
    }
}

impl BoundedPort {
    /// `port`, bounded by `lag`.
    pub fn new(port: Arc<dyn CommandPort>, lag: Arc<Lag>) -> Self {
        Self { port, lag }
    }
}

impl CommandPort for BoundedPort {
    fn source(&self) -> SourceId {
        self.port.source()
    }

    fn submit(&self, command: &Command, trace: u64) -> Result<PendingAnswer, SubmitError> {
        let brings_orders = matches!(
            command,
            Command::PlaceOrder { .. } | Command::CancelReplace { .. } | Command::PlaceOrderList { .. }
        );
        if brings_orders && self.lag.is_exceeded() {
            self.lag.refused.fetch_add(1, Ordering::Relaxed);
            return Err(SubmitError::Behind);
        }
        self.port.submit(command, trace)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use protocol::command::sample;
    use services::EngineState;

    /// An engine that has got as far as it is told.
    #[derive(Debug, Default)]
    struct Engine(AtomicU64);

    impl EngineStatus for Engine {
        fn state(&self) -> EngineState {
            EngineState::Open
        }

        fn core_sequence(&self) -> Sequence {
            self.durable_sequence()
        }

        fn durable_sequence(&self) -> Sequence {
            Sequence(self.0.load(Ordering::Relaxed))
        }
    }

    /// Takes everything.
    struct Taking;

    impl CommandPort for Taking {
        fn source(&self) -> SourceId {
            SourceId(4)
        }

        fn submit(&self, _: &Command, _: u64) -> Result<PendingAnswer, SubmitError> {
            Ok(PendingAnswer::channel().1)
        }
    }

    #[test]
    fn above_the_bound_new_orders_are_refused_and_all_else_is_taken() {
        let (engine, followers) = (Arc::new(Engine::default()), [Follower::default(), Follower::default()]);
        let lag = Arc::new(Lag::new(engine.clone(), Sequence(0), 10, followers.to_vec()));
        let port = BoundedPort::new(Arc::new(Taking), lag.clone());
        let refused = |command: &Command| match port.submit(command, 0) {
            Ok(_) => false,
            Err(error) => {
                assert_eq!(error, SubmitError::Behind);
                true
            }
        };
        let steps = [
            // The engine, one follower, the other, whether new orders are refused.
            (10, 0, 0, false),
            (11, 0, 0, true),
            (11, 5, 0, true),
            (11, 5, 1, false),
            (100, 95, 89, true),
            (100, 95, 90, false),
            (100, 100, 100, false),
        ];
        for (durable, one, other, expected) in steps {
            engine.0.store(durable, Ordering::Relaxed);
            followers[0].reached(Sequence(one));
            followers[1].reached(Sequence(other));
            for command in sample::every_command() {
                let brings_orders = matches!(
                    command,
                    Command::PlaceOrder { .. }
                        | Command::CancelReplace { .. }
                        | Command::PlaceOrderList { .. }
                );
                assert_eq!(
                    refused(&command),
                    expected && brings_orders,
                    "{durable} {one} {other} {command:?}"
                );
            }
        }
        assert!(
            lag.metrics().iter().any(|metric| metric.name == "stream_lag_refused_total" && metric.value > 0)
        );
        assert_eq!(port.source(), SourceId(4));
    }

    #[test]
    fn an_exchange_opens_though_nobody_has_said_how_far_he_is() {
        let engine = Arc::new(Engine(AtomicU64::new(1_000)));
        let follower = Follower::default();
        let lag = Lag::new(engine.clone(), Sequence(1_000), 10, vec![follower.clone()]);
        assert!(!lag.is_exceeded());
        engine.0.store(1_011, Ordering::Relaxed);
        assert!(lag.is_exceeded(), "it trades up to the bound");
        engine.0.store(1_010, Ordering::Relaxed);
        follower.reached(Sequence(7));
        assert!(lag.is_exceeded(), "once it is known how far behind it is, that counts");
    }

    #[test]
    fn nobody_follows_and_nobody_is_behind() {
        let engine = Arc::new(Engine(AtomicU64::new(1_000)));
        assert_eq!(Lag::new(engine, Sequence(0), 0, Vec::new()).commands(), 0);
    }
}
