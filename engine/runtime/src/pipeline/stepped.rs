//! An exchange without threads: the parts that [`Exchange`](super::Exchange) runs, stepped one at a time
//! by whoever has it, in any order, so that every interleaving can be had again. Refuses to decide the
//! order, and to wait.
//!
//! A part may be stepped while another is in the middle of its own step: from within a storage's sync
//! call the core and the egress can go on, as their threads do.

use super::core_thread::CoreThread;
use super::egress::Egress;
use super::parts::{Door, Parts};
use super::sequencer::Sequencer;
use super::status::ExchangeStatus;
use super::steps::{CoreLacks, EgressLacks, SequencerLacks, Step};
use super::{Port, Stopped};
use engine_core::Engine;
use engine_journal::{Storage, TornTail};
use protocol::{Sequence, SourceId};
use services::EventConsumer;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// One part: it goes on, or what it left at its end.
enum Part<T, L> {
    Running(T),
    Ended(Option<L>),
}

type EgressPart<S> = Part<Egress<S>, Vec<Box<dyn EventConsumer>>>;

/// An exchange that its owner steps. Dropping it is the end of the process: nothing is finished and
/// nobody is told.
pub struct SteppedExchange<S: Storage> {
    door: Door,
    sequencer: Mutex<Part<Sequencer<S>, ()>>,
    core: Mutex<Part<CoreThread, Option<Engine>>>,
    egress: Arc<Mutex<EgressPart<S>>>,
}

impl<S: Storage> fmt::Debug for SteppedExchange<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SteppedExchange").field("status", &self.door.status).finish_non_exhaustive()
    }
}

impl<S> SteppedExchange<S>
where
    S: Storage + Send + 'static,
    S::File: Send,
{
    pub(super) fn new(parts: Parts<S>) -> Self {
        let Parts { sequencer, mut core, egress, door } = parts;
        let egress = Arc::new(Mutex::new(Part::Running(egress)));
        let reader = Arc::clone(&egress);
        // The events of one command may fill all buffers: the egress takes a part of a command away.
        core.wait_by(Box::new(move || _ = step_egress(&reader)));
        door.open();
        Self {
            door,
            sequencer: Mutex::new(Part::Running(sequencer)),
            core: Mutex::new(Part::Running(core)),
            egress,
        }
    }

    /// Takes one group on its way: off the ring, to the core, to the disk.
    pub fn step_sequencer(&self) -> Step<SequencerLacks> {
        step(&self.sequencer, Step::Waits(SequencerLacks::Group), Sequencer::step, Sequencer::finish)
    }

    /// Applies one group.
    pub fn step_core(&self) -> Step<CoreLacks> {
        step(&self.core, Step::Waits(CoreLacks::Group), CoreThread::step, CoreThread::finish)
    }

    /// Lets out what may leave.
    pub fn step_egress(&self) -> Step<EgressLacks> {
        step_egress(&self.egress)
    }

    /// The port of a source, as [`Exchange::port`](super::Exchange::port).
    ///
    /// # Panics
    /// For [`TIMER`](super::TIMER), and from 1,024 on.
    pub fn port(&self, source: SourceId) -> Port {
        self.door.port(source)
    }

    /// How it is.
    pub fn status(&self) -> Arc<ExchangeStatus> {
        Arc::clone(&self.door.status)
    }

    /// The last command that recovery found.
    pub fn recovered(&self) -> Sequence {
        self.door.recovered
    }

    /// The torn tail that recovery cut off, if there was one.
    pub fn torn_tail(&self) -> Option<&TornTail> {
        self.door.torn.as_ref()
    }

    /// Refuses new commands; steps then finish and answer what is in flight, until every part has
    /// finished.
    pub fn close(&self) {
        self.door.close();
    }

    /// Closes it, and steps until every part has finished.
    pub fn stop(self) -> Stopped {
        self.close();
        loop {
            let sequencer = self.step_sequencer() == Step::Finished;
            let core = self.step_core() == Step::Finished;
            let egress = self.step_egress() == Step::Finished;
            if sequencer && core && egress {
                break;
            }
        }
        let (Part::Ended(engine), Part::Ended(consumers)) =
            (&mut *lock(&self.core), &mut *lock(&self.egress))
        else {
            unreachable!("a part that has finished is ended");
        };
        Stopped { engine: engine.take().flatten(), consumers: consumers.take().unwrap_or_default() }
    }

    /// Looks at the state as far as it is applied; `None` when a command has broken an invariant, and
    /// while the core is in the middle of a step.
    pub fn with_engine<T>(&self, look: impl FnOnce(&Engine) -> T) -> Option<T> {
        match &mut *try_lock(&self.core)? {
            Part::Running(core) => Some(look(core.engine())),
            Part::Ended(engine) => engine.as_ref().and_then(Option::as_ref).map(look),
        }
    }

    /// Puts another state in the place of the core's: a fault to be found. For tests of tests; an
    /// exchange with threads has no such thing.
    #[doc(hidden)]
    pub fn plant_engine(&self, engine: Engine) {
        if let Some(mut part) = try_lock(&self.core)
            && let Part::Running(core) = &mut *part
        {
            *core.engine() = engine;
        }
    }

    /// Lets out what is applied, on disk or not: a fault to be found. For tests of tests; an exchange
    /// with threads has no such thing.
    #[doc(hidden)]
    pub fn plant_early_release(&self) {
        let gate = &self.door.gate;
        gate.durable.advance(gate.core.reached().max(gate.durable.reached()));
    }
}

fn step_egress<S: Storage>(egress: &Mutex<EgressPart<S>>) -> Step<EgressLacks> {
    step(egress, Step::Waits(EgressLacks::Release), Egress::step, Egress::finish)
}

/// Steps a part; one that is in the middle of a step already is `busy`.
fn step<T, L, W>(
    part: &Mutex<Part<T, L>>,
    busy: Step<W>,
    step: impl FnOnce(&mut T) -> Step<W>,
    finish: impl FnOnce(T) -> L,
) -> Step<W> {
    let Some(mut part) = try_lock(part) else { return busy };
    let Part::Running(running) = &mut *part else { return Step::Finished };
    let stepped = step(running);
    if matches!(stepped, Step::Finished)
        && let Part::Running(running) = std::mem::replace(&mut *part, Part::Ended(None))
    {
        *part = Part::Ended(Some(finish(running)));
    }
    stepped
}

fn try_lock<T>(part: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match part.try_lock() {
        Ok(part) => Some(part),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn lock<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
