//! How fast a client sends control frames (dialect §8): so many a second in the long run, and a burst
//! of them, as clients send that subscribe to everything at once. A token bucket. Refuses to know what
//! the frames say.

use crate::RateLimits;
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

/// One connection's bucket.
#[derive(Debug)]
pub(super) struct MessageRate<C: Clock = DefaultClock>(
    RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
);

impl MessageRate {
    pub(super) fn new(limits: &RateLimits) -> Self {
        Self(DefaultDirectRateLimiter::direct(quota(limits)))
    }
}

impl<C: Clock> MessageRate<C> {
    /// Takes a frame out of the bucket; whether there was one.
    pub(super) fn allows(&self) -> bool {
        self.0.check().is_ok()
    }
}

fn quota(limits: &RateLimits) -> Quota {
    Quota::per_second(limits.stream_messages_per_second).allow_burst(limits.stream_message_burst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::{num::NonZeroU32, time::Duration};

    #[test]
    fn a_burst_is_taken_and_then_so_many_a_second() {
        let clock = FakeRelativeClock::default();
        let limits = RateLimits {
            stream_messages_per_second: NonZeroU32::new(5).unwrap(),
            stream_message_burst: NonZeroU32::new(7).unwrap(),
            ..RateLimits::default()
        };
        let rate = MessageRate(RateLimiter::direct_with_clock(quota(&limits), clock.clone()));
        assert!((0..7).all(|_| rate.allows()));
        assert!(!rate.allows());
        clock.advance(Duration::from_millis(199));
        assert!(!rate.allows());
        clock.advance(Duration::from_millis(1));
        assert!(rate.allows() && !rate.allows());
        clock.advance(Duration::from_mins(10));
        assert_eq!((0..100).filter(|_| rate.allows()).count(), 7);
    }
}
