//! Waiting, gates and hops with real threads.

use engine_runtime::hop::hop;
use engine_runtime::sequence_gate::ReleaseGate;
use engine_runtime::wait::{WaitStrategy, Waiter};
use std::time::{Duration, Instant};

const STRATEGIES: [WaitStrategy; 3] = [
    WaitStrategy::Busy,
    WaitStrategy::Park { spins: 0, yields: 0 },
    WaitStrategy::Park { spins: 8, yields: 2 },
];

#[test]
fn a_deadline_ends_the_wait() {
    for strategy in STRATEGIES {
        let mut waiter = Waiter::new(strategy);
        assert!(!waiter.wait_until(Some(Instant::now() + Duration::from_millis(1)), || false));
        assert!(waiter.wait_until(Some(Instant::now()), || true), "ready goes before the deadline");
    }
}

/// A value there and one back, so that each side sleeps while the other works; then the end.
#[test]
fn values_go_to_and_fro() {
    for strategy in STRATEGIES {
        // A busy pair on a machine without cores to spare changes hands only with the time slice.
        let rounds = if cfg!(miri) || strategy == WaitStrategy::Busy { 20 } else { 2_000 };
        let (mut here, mut there) = (Waiter::new(strategy), Waiter::new(strategy));
        let (mut to, mut at_other) = hop::<Vec<u32>>(2, there.bell());
        let (mut back, mut returned) = hop::<Vec<u32>>(2, here.bell());
        std::thread::scope(|scope| {
            scope.spawn(move || {
                loop {
                    there.wait_until(None, || at_other.has_value() || at_other.is_finished());
                    let Some(mut value) = at_other.receive() else { break };
                    value.push(0);
                    back.send(value).unwrap();
                }
            });
            let mut value = Vec::with_capacity(rounds);
            for round in 1..=rounds {
                to.send(value).unwrap();
                here.wait_until(None, || returned.has_value());
                value = returned.receive().unwrap();
                assert_eq!(value.len(), round);
            }
            drop(to);
            here.wait_until(None, || returned.is_finished());
        });
    }
}

#[test]
fn a_full_hop_gives_the_value_back_and_an_abandoned_one_says_so() {
    let (mut to, at_other) = hop(1, Waiter::new(WaitStrategy::default()).bell());
    to.send(1).unwrap();
    assert!(to.is_full());
    assert_eq!(to.send(2), Err(2));
    assert!(!to.is_abandoned());
    drop(at_other);
    assert!(to.is_abandoned());
}

#[test]
fn nothing_is_released_above_core_or_disk() {
    let gate = ReleaseGate::new(7, &[]);
    for (durable, core, released) in [(7, 9, 7), (8, 9, 8), (12, 9, 9)] {
        gate.durable.advance(durable);
        gate.core.advance(core);
        assert_eq!(gate.released(), released);
    }
}
