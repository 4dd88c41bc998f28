//! The sequencer's time: UTC that never runs backwards and never leaps. Refuses to know what is
//! stamped with it.
//!
//! Between two readings time advances by the monotonic clock. Where the wall clock says otherwise,
//! it is followed slowly; where it says otherwise by more than a bound, that is a [`ClockJump`], and
//! a person has to say which of the two is right.

use protocol::Time;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Time moves faster or slower than the monotonic clock by at most one part in so many.
const SLEW: u64 = 200;

/// Where the two clocks are read.
pub trait Clock: Send + Sync {
    /// The wall clock: UTC, which people and NTP may set.
    fn utc(&self) -> Time;
    /// Nanoseconds since some moment, which nobody sets.
    fn monotonic(&self) -> u64;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn utc(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    fn monotonic(&self) -> u64 {
        // The clock that goes on while the machine sleeps: a laptop that wakes has not jumped.
        let time = clock_gettime(ClockId::Boottime);
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    }
}

/// The clocks differ by so many nanoseconds (positive: the wall clock is ahead), above the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockJump(pub(crate) i64);

/// Reads the clocks, and remembers what it said.
pub(crate) struct TimeKeeper {
    clock: Arc<dyn Clock>,
    /// The time last said, and the monotonic clock then.
    last: u64,
    monotonic: u64,
    /// The largest difference followed, in nanoseconds.
    bound: u64,
}

impl TimeKeeper {
    /// A keeper that goes on after `last`, the time of the last command.
    pub(crate) fn new(clock: Arc<dyn Clock>, last: Time, bound: u64) -> Result<Self, ClockJump> {
        let Time(utc) = clock.utc();
        if last.0.saturating_sub(utc) > bound {
            return Err(ClockJump(difference(utc, last.0)));
        }
        Ok(Self { monotonic: clock.monotonic(), last: last.0.max(utc), bound, clock })
    }

    /// The time now: not before what was said before.
    pub(crate) fn now(&mut self) -> Result<Time, ClockJump> {
        let Time(utc) = self.clock.utc();
        let monotonic = self.clock.monotonic();
        let elapsed = monotonic.saturating_sub(self.monotonic);
        let expected = self.last.saturating_add(elapsed);
        let difference = difference(utc, expected);
        if difference.unsigned_abs() > self.bound {
            return Err(ClockJump(difference));
        }
        let allowed = (elapsed / SLEW) as i64;
        self.last = expected.saturating_add_signed(difference.clamp(-allowed, allowed));
        self.monotonic = monotonic;
        Ok(Time(self.last))
    }

    /// Nanoseconds until `time`, by the monotonic clock; 0 when it has come.
    pub(crate) fn until(&self, time: Time) -> u64 {
        let elapsed = self.clock.monotonic().saturating_sub(self.monotonic);
        time.0.saturating_sub(self.last.saturating_add(elapsed))
    }
}

/// How far `utc` is ahead.
fn difference(utc: u64, expected: u64) -> i64 {
    i64::try_from(i128::from(utc) - i128::from(expected)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default)]
    struct SetClock {
        utc: AtomicU64,
        monotonic: AtomicU64,
    }

    impl Clock for SetClock {
        fn utc(&self) -> Time {
            Time(self.utc.load(Ordering::Relaxed))
        }

        fn monotonic(&self) -> u64 {
            self.monotonic.load(Ordering::Relaxed)
        }
    }

    const SECOND: u64 = 1_000_000_000;

    fn keeper(last: u64) -> (Arc<SetClock>, Result<TimeKeeper, ClockJump>) {
        let clock = Arc::new(SetClock::default());
        clock.utc.store(100 * SECOND, Ordering::Relaxed);
        (Arc::clone(&clock), TimeKeeper::new(clock, Time(last), 10 * SECOND))
    }

    #[test]
    fn small_steps_are_followed_slowly_and_time_never_goes_back() {
        for step in [-5_i64, 5] {
            let (clock, keeper) = keeper(0);
            let mut keeper = keeper.expect("no jump");
            clock
                .utc
                .store(100 * SECOND + SECOND.saturating_add_signed(step * SECOND as i64), Ordering::Relaxed);
            clock.monotonic.store(SECOND, Ordering::Relaxed);
            let expected = 101 * SECOND as i64 + step.signum() * (SECOND / SLEW) as i64;
            assert_eq!(keeper.now(), Ok(Time(expected as u64)), "a step of {step} s");
            assert_eq!(keeper.now(), Ok(Time(expected as u64)), "no time passed");
        }
    }

    #[test]
    fn a_step_is_followed_to_its_end() {
        let (clock, keeper) = keeper(0);
        let mut keeper = keeper.expect("no jump");
        for second in 1..=1_000 {
            clock.utc.store((101 + second) * SECOND, Ordering::Relaxed);
            clock.monotonic.store(second * SECOND, Ordering::Relaxed);
            keeper.now().expect("no jump");
        }
        assert_eq!(keeper.now(), Ok(Time(1_101 * SECOND)));
    }

    #[test]
    fn a_large_step_is_a_jump_either_way() {
        for (utc, jump) in [(111, Some(11)), (89, Some(-11)), (110, None), (90, None)] {
            let (clock, keeper) = keeper(0);
            clock.utc.store(utc * SECOND, Ordering::Relaxed);
            let said = keeper.expect("no jump").now();
            assert_eq!(said.err(), jump.map(|jump: i64| ClockJump(jump * SECOND as i64)), "{utc}");
        }
    }

    #[test]
    fn a_clock_behind_the_log_is_found_at_the_start() {
        assert!(keeper(110 * SECOND).1.is_ok());
        assert_eq!(keeper(111 * SECOND).1.err(), Some(ClockJump(-11 * SECOND as i64)));
    }

    #[test]
    fn the_wait_for_a_time_ends_when_it_has_come() {
        let (clock, keeper) = keeper(0);
        let keeper = keeper.expect("no jump");
        clock.monotonic.store(SECOND, Ordering::Relaxed);
        for (time, left) in [(102, 1), (101, 0), (3, 0)] {
            assert_eq!(keeper.until(Time(time * SECOND)), left * SECOND);
        }
    }
}
