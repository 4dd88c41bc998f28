//! The sequencer, which is the journal's thread: takes commands off the ring in groups, gives them
//! their sequences and their time, hands each group to the core, and writes and syncs it while the
//! core works. Refuses to know what a command does and who waits for it.
//!
//! Room on disk is made sure of before a group is stamped and handed on, because what the core has
//! applied cannot be taken back. When there is none, the doors are closed, everything in the ring is
//! refused and its numbers are given again, and the doors open once there is room.
//!
//! [`Sequencer::step`] does what can be done now and never waits; [`Sequencer::run`], the thread, waits
//! for what a step says it lacks.

use super::clock::{ClockJump, TimeKeeper};
use super::group::Group;
use super::port::Ports;
use super::status::{Closed, ExchangeStatus};
use super::steps::{Gone, SequencerLacks as Lacks, Step};
use super::{Abort, TIMER};
use crate::hop::{HopReceiver, HopSender};
use crate::ring::Consumer;
use crate::sequence_gate::ReleaseGate;
use crate::wait::Waiter;
use engine_journal::{AppendError, JournalWriter, Storage};
use protocol::{
    Sequence, SourceNumber, Time,
    command::{Command, CommandRecord},
};
use services::{HaltReason, SubmitError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long the sequencer waits before it looks for room again.
const ROOM_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) struct Sequencer<S: Storage> {
    pub(crate) ring: Consumer,
    pub(crate) waiter: Waiter,
    /// `None` when nothing is kept: for measurements.
    pub(crate) journal: Option<JournalWriter<S>>,
    pub(crate) time: TimeKeeper,
    pub(crate) next_sequence: Sequence,
    /// Groups that nobody uses, and those that come back from the core.
    pub(crate) spare: Vec<Arc<Group>>,
    /// The most bytes of a group.
    pub(crate) group_bytes: usize,
    pub(crate) returned: HopReceiver<Arc<Group>>,
    pub(crate) to_core: HopSender<Arc<Group>>,
    pub(crate) gate: Arc<ReleaseGate>,
    /// When something ends by itself next, as the core knows it; `u64::MAX` is never.
    pub(crate) next_expiry: Arc<AtomicU64>,
    /// The timer's next number, and the sequence of the last tick.
    pub(crate) tick_number: SourceNumber,
    pub(crate) last_tick: Sequence,
    pub(crate) ports: Arc<Ports>,
    pub(crate) status: Arc<ExchangeStatus>,
    pub(crate) abort: Abort,
    /// The length of the group that found no room, until there is room for as much.
    pub(crate) lacking: Option<usize>,
    /// Dropped last: what the sequencer has made durable is then known.
    pub(crate) _gone: Gone,
}

/// The thread has no more to do.
struct Done;

impl<S: Storage> Sequencer<S> {
    /// Runs until the ring is closed and empty, or the exchange halts.
    pub(crate) fn run(mut self) {
        loop {
            match self.step() {
                Step::Worked => {}
                Step::Waits(lacks) => self.wait(lacks),
                Step::Finished => break,
            }
        }
        self.finish();
    }

    /// After the last step: nobody pushes any more, and who has is told.
    pub(crate) fn finish(mut self) {
        self.ring.close();
        self.refuse_ring(SubmitError::Closed);
    }

    /// Takes one group on its whole way, if there is one.
    pub(crate) fn step(&mut self) -> Step<Lacks> {
        self.work().unwrap_or(Step::Finished)
    }

    fn work(&mut self) -> Result<Step<Lacks>, Done> {
        if let Some(needed) = self.lacking {
            return self.look_for_room(needed);
        }
        let Some(mut shared) = self.spare.pop().or_else(|| self.returned.receive()) else {
            return if self.returned.is_finished() { Err(Done) } else { Ok(Step::Waits(Lacks::Group)) };
        };
        // The sequencer let go of it after its sync, the core when it gave it back.
        let group = Arc::get_mut(&mut shared).expect("a group that nobody else uses");
        let drained = group.records.drain(&mut self.ring);
        group.count = drained.records as u32;
        if drained.records > 0 {
            return self.take(shared);
        }
        if self.is_tick_due() {
            let tick = Command::Tick.encode(TIMER, self.tick_number, 0);
            group.records.copy(&tick);
            group.count = 1;
            self.last_tick = self.next_sequence;
            self.tick_number = SourceNumber(self.tick_number.0 + 1);
            return self.take(shared);
        }
        self.spare.push(shared);
        if self.ring.is_finished() { Err(Done) } else { Ok(Step::Waits(Lacks::Command)) }
    }

    fn wait(&mut self, lacks: Lacks) {
        match lacks {
            Lacks::Group => {
                let returned = &self.returned;
                self.waiter.wait_until(None, || returned.has_value() || returned.is_finished());
            }
            Lacks::Command => self.wait_for_command(),
            Lacks::Room => {
                let ring = &self.ring;
                self.waiter.wait_until(Some(Instant::now() + ROOM_INTERVAL), || ring.is_finished());
            }
        }
    }

    /// Whether something is to end now, and no tick is on its way to end it.
    fn is_tick_due(&self) -> bool {
        let expiry = self.next_expiry.load(Ordering::Acquire);
        expiry != u64::MAX
            && self.gate.core.reached() >= self.last_tick.0
            && self.time.until(Time(expiry)) == 0
    }

    /// Sleeps until there is a command, or something ends by itself, or when that is has changed.
    fn wait_for_command(&mut self) {
        let expiry = self.next_expiry.load(Ordering::Acquire);
        let until = |time: &TimeKeeper| Duration::from_nanos(time.until(Time(expiry)));
        let is_ticking = self.gate.core.reached() < self.last_tick.0;
        let deadline = (expiry != u64::MAX && !is_ticking).then(|| Instant::now() + until(&self.time));
        let Self { waiter, ring, returned, next_expiry, .. } = self;
        waiter.wait_until(deadline, || {
            ring.has_record()
                || ring.is_finished()
                || returned.has_value()
                || next_expiry.load(Ordering::Acquire) != expiry
        });
        // Back among the spare ones, so that `has_value` tells of new ones only.
        while let Some(group) = self.returned.receive() {
            self.spare.push(group);
        }
    }

    /// Stamps a group, hands it to the core, and makes it durable.
    fn take(&mut self, mut shared: Arc<Group>) -> Result<Step<Lacks>, Done> {
        let group = Arc::get_mut(&mut shared).expect("a group that nobody else uses");
        if self.status.is_halted() {
            return Err(self.refuse(group, SubmitError::Closed));
        }
        if let Some(journal) = &mut self.journal {
            match journal.reserve(group.records.bytes().len()) {
                Ok(()) => {}
                Err(AppendError::NoRoom { file, needed }) => {
                    tracing::warn!(file, needed, "no room for the journal: commands are refused");
                    return Ok(self.refuse_for_room(shared));
                }
                Err(error) => return Err(self.abort(&error)),
            }
        }
        let time = match self.time.now() {
            Ok(time) => time,
            Err(ClockJump(nanoseconds)) => {
                self.status.halt(HaltReason::ClockJump { nanoseconds });
                return Err(self.refuse(group, SubmitError::Closed));
            }
        };
        group.records.stamp(time);
        group.first_sequence = self.next_sequence;
        let last = group.last_sequence();
        self.next_sequence = last.next();
        // There is room: the hop holds as many groups as there are. When the core is gone, the
        // exchange has halted, and whether these commands happened is for the next start to say.
        let _ = self.to_core.send(Arc::clone(&shared));
        if let Some(journal) = &mut self.journal {
            let first = shared.first_sequence.0;
            if let Err(error) = journal.append_batch(first, shared.count, shared.records.bytes()) {
                return Err(self.abort(&error));
            }
        }
        // First let go, so that a group is nobody's when it comes back.
        drop(shared);
        self.gate.durable.advance(last.0);
        Ok(Step::Worked)
    }

    /// The core may have applied what is not on disk: there is no way on from here.
    fn abort(&self, error: &AppendError) -> Done {
        self.status.close(Closed::Stopping);
        (self.abort)(&format!("the journal failed: {error}"));
        Done
    }

    /// Closes the doors and refuses all that came before they were.
    fn refuse_for_room(&mut self, mut shared: Arc<Group>) -> Step<Lacks> {
        self.lacking = Some(shared.records.bytes().len());
        self.status.close(Closed::JournalFull);
        // Who pushed before the doors closed has pushed now; from here on the ring only empties.
        self.ports.for_each(super::port::PortState::wait_for_pushes);
        if let Some(group) = Arc::get_mut(&mut shared) {
            self.refuse(group, SubmitError::NoRoom);
        }
        self.spare.push(shared);
        self.refuse_ring(SubmitError::NoRoom);
        Step::Waits(Lacks::Room)
    }

    fn look_for_room(&mut self, needed: usize) -> Result<Step<Lacks>, Done> {
        if self.ring.is_finished() {
            return Err(Done);
        }
        let Some(journal) = &mut self.journal else { return Ok(Step::Worked) };
        match journal.reserve(needed) {
            Ok(()) => {
                tracing::info!("there is room for the journal again");
                self.lacking = None;
                self.status.reopen(Closed::JournalFull);
                Ok(Step::Worked)
            }
            Err(AppendError::NoRoom { .. }) => Ok(Step::Waits(Lacks::Room)),
            Err(error) => Err(self.abort(&error)),
        }
    }

    /// Refuses the commands of a group that was not stamped.
    fn refuse(&mut self, group: &Group, error: SubmitError) -> Done {
        for record in CommandRecord::all(group.records.bytes()).flatten() {
            if record.header.source == TIMER {
                // It was for nothing: another one will be due.
                self.tick_number = record.header.number;
                self.last_tick = Sequence(0);
            } else if let Some(port) = self.ports.get(record.header.source) {
                port.refuse(record.header.number, error);
            }
        }
        Done
    }

    /// Refuses what is in the ring.
    fn refuse_ring(&mut self, error: SubmitError) {
        let spare = self.spare.pop().or_else(|| self.returned.receive());
        // The core may have gone with all of them.
        let mut shared = spare.unwrap_or_else(|| Arc::new(Group::new(self.group_bytes)));
        while let Some(group) = Arc::get_mut(&mut shared)
            && group.records.drain(&mut self.ring).records > 0
        {
            self.refuse(group, error);
        }
        self.spare.push(shared);
    }
}
