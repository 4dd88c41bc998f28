//! How a thread waits for work: it spins briefly, yields, then sleeps until a bell rings. Refuses
//! to know what it waits for: the caller says when it is ready.
//!
//! No wake-up is lost. The sleeper writes `asleep`, passes a sequentially consistent fence, and
//! looks once more whether it is ready; who brings work makes it visible, passes such a fence, and
//! looks at `asleep`. Of two such fences one comes first: either the sleeper sees the work, or the
//! bringer sees the sleeper and wakes it. A wake-up that comes before the sleep is remembered by
//! the parker, so it only makes the next sleep return at once.

use crate::sync::{Arc, AtomicBool, Ordering, Parker, Unparker, fence, spin_loop, yield_now};
use crossbeam_utils::CachePadded;
use std::time::Instant;

/// What a thread does while there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitStrategy {
    /// Spins for ever: the lowest latency, and a whole core, which the machine must have to spare.
    /// On one that has not, it takes the time of the thread it waits for.
    Busy,
    /// Looks `spins` times, then `yields` times giving the core away in between, then sleeps.
    Park {
        /// Looks before giving the core away.
        spins: u32,
        /// Times the core is given away before sleeping.
        yields: u32,
    },
}

impl Default for WaitStrategy {
    /// Right for two cores: `docs/decisions/ring.md` has the measurements.
    fn default() -> Self {
        Self::Park { spins: 64, yields: 64 }
    }
}

/// The waiting side, owned by the thread that waits.
pub struct Waiter {
    strategy: WaitStrategy,
    parker: Parker,
    bell: Bell,
}

/// The waking side: clone one for everyone who may bring work.
#[derive(Clone)]
pub struct Bell(Arc<Sleeper>);

struct Sleeper {
    /// The waiter sleeps, or is about to.
    asleep: CachePadded<AtomicBool>,
    unparker: Unparker,
    /// The waiter never sleeps.
    busy: bool,
}

impl Waiter {
    /// A waiter for one thread, made before or on it.
    pub fn new(strategy: WaitStrategy) -> Self {
        let parker = Parker::new();
        let sleeper = Sleeper {
            asleep: CachePadded::new(AtomicBool::new(false)),
            unparker: parker.unparker().clone(),
            busy: strategy == WaitStrategy::Busy,
        };
        Self { strategy, parker, bell: Bell(Arc::new(sleeper)) }
    }

    /// The bell that wakes this waiter.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Returns true as soon as `ready` says so, or false when `deadline` has passed. Everything
    /// that can make `ready` true has to ring this waiter's bell afterwards.
    pub fn wait_until(&mut self, deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        match self.strategy {
            WaitStrategy::Busy => Self::spin(deadline, ready),
            WaitStrategy::Park { spins, yields } => {
                if ready() {
                    return true;
                }
                for _ in 0..spins {
                    spin_loop();
                    if ready() {
                        return true;
                    }
                }
                for _ in 0..yields {
                    yield_now();
                    if ready() {
                        return true;
                    }
                }
                self.sleep(deadline, ready)
            }
        }
    }

    fn spin(deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        /// Reading the clock costs as much as some twenty looks.
        const LOOKS_PER_CLOCK: u32 = 128;
        loop {
            for _ in 0..LOOKS_PER_CLOCK {
                if ready() {
                    return true;
                }
                spin_loop();
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return false;
            }
        }
    }

    fn sleep(&self, deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        let asleep = &self.bell.0.asleep;
        loop {
            // A swap: it comes after whatever a ringer swapped in, so that the fences order the rest.
            asleep.swap(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            let is_ready = ready();
            if is_ready || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                asleep.store(false, Ordering::Relaxed);
                return is_ready;
            }
            match deadline {
                None => self.parker.park(),
                Some(deadline) => self.parker.park_deadline(deadline),
            }
        }
    }
}

impl Bell {
    /// Wakes the waiter if it sleeps. To be called after the work was made visible. While the
    /// waiter is awake this is a fence and a load; when it is busy for ever, nothing.
    #[inline]
    pub fn ring(&self) {
        if self.0.busy {
            return;
        }
        fence(Ordering::SeqCst);
        // The swap lets one of many ringers pay for the wake-up.
        if self.0.asleep.load(Ordering::Relaxed) && self.0.asleep.swap(false, Ordering::Relaxed) {
            self.0.unparker.unpark();
        }
    }
}
