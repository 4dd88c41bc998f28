//! The core's thread: applies each command of each group, in order, and hands the events on. Refuses
//! to know whether a command is on disk, and who may see what it did.
//!
//! [`CoreThread::step`] does what can be done now; [`CoreThread::run`], the thread, waits for what a
//! step says it lacks. Within a command only a full buffer of events can make the core wait: for the
//! egress, which takes a part of a command away at once.

use super::group::Group;
use super::status::ExchangeStatus;
use super::steps::{CoreLacks as Lacks, Step};
use crate::hop::{HopReceiver, HopSender};
use crate::ring::Producer;
use crate::sequence_gate::ReleaseGate;
use crate::wait::Waiter;
use engine_core::{Engine, LOOK_AHEAD};
use protocol::{Sequence, Time, command::CommandRecord, event::EventBuffer};
use services::HaltReason;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a buffer of events.
pub(crate) const EVENT_BYTES: usize = 64 * 1024;
/// Events are handed on when so many bytes are there: the rest of a buffer is for the command that
/// comes next, so that few commands are split.
const FLUSH_BYTES: usize = 48 * 1024;
/// Buffers on the way to the egress and back. When all are used the core waits.
pub(crate) const EVENT_BUFFERS: usize = 64;

/// Hands buffers of events to the egress.
pub(crate) struct EventSender {
    pub(crate) buffers: HopSender<Vec<u8>>,
    pub(crate) returned: HopReceiver<Vec<u8>>,
    pub(crate) waiter: Waiter,
    /// Steps the egress while the core waits, where one thread does everything.
    pub(crate) meanwhile: Option<Meanwhile>,
}

/// What one thread does in place of sleeping.
pub(crate) type Meanwhile = Box<dyn FnMut() + Send>;

impl EventSender {
    /// Copies whole chunks into a free buffer and hands it on; waits while there is none.
    fn send(&mut self, chunks: &[u8]) {
        while !self.has_buffer() {
            self.wait();
        }
        // Without a buffer the egress is gone, and with it everyone who could have been told.
        let Some(mut buffer) = self.returned.receive() else { return };
        buffer.clear();
        buffer.extend_from_slice(chunks);
        // The hop holds all buffers there are.
        let _ = self.buffers.send(buffer);
    }

    /// Whether a send would not wait.
    fn has_buffer(&self) -> bool {
        self.returned.has_value() || self.returned.is_finished()
    }

    fn wait(&mut self) {
        let Self { returned, waiter, meanwhile, .. } = self;
        match meanwhile {
            Some(meanwhile) => meanwhile(),
            None => _ = waiter.wait_until(None, || returned.has_value() || returned.is_finished()),
        }
    }
}

/// A group of which some commands are applied.
struct UnderWay {
    group: Arc<Group>,
    /// The bytes and the number of the commands that are.
    bytes: usize,
    index: usize,
}

pub(crate) struct CoreThread {
    engine: Engine,
    groups: HopReceiver<Arc<Group>>,
    returned: HopSender<Arc<Group>>,
    under_way: Option<UnderWay>,
    /// A command broke an invariant: the engine is not to be used.
    is_broken: bool,
    waiter: Waiter,
    events: EventBuffer,
    /// Shared with the buffer, which hands on what overflows it; both on this thread.
    sender: Arc<Mutex<EventSender>>,
    gate: Arc<ReleaseGate>,
    next_expiry: Arc<AtomicU64>,
    status: Arc<ExchangeStatus>,
    producer: Producer,
}

/// What the core's thread is made of.
pub(crate) struct CoreParts {
    pub(crate) engine: Engine,
    pub(crate) groups: HopReceiver<Arc<Group>>,
    pub(crate) returned: HopSender<Arc<Group>>,
    pub(crate) waiter: Waiter,
    pub(crate) sender: EventSender,
    pub(crate) gate: Arc<ReleaseGate>,
    pub(crate) next_expiry: Arc<AtomicU64>,
    pub(crate) status: Arc<ExchangeStatus>,
    pub(crate) producer: Producer,
}

impl CoreThread {
    pub(crate) fn new(parts: CoreParts) -> Self {
        let CoreParts { engine, groups, returned, waiter, sender, gate, next_expiry, status, producer } =
            parts;
        let sender = Arc::new(Mutex::new(sender));
        let overflow = Arc::clone(&sender);
        let hand_off = move |chunks: &[u8]| {
            overflow.lock().unwrap_or_else(PoisonError::into_inner).send(chunks);
        };
        let events = EventBuffer::bounded(EVENT_BYTES, Box::new(hand_off));
        Self {
            engine,
            groups,
            returned,
            under_way: None,
            is_broken: false,
            waiter,
            events,
            sender,
            gate,
            next_expiry,
            status,
            producer,
        }
    }

    /// Runs until the sequencer is gone and every group is applied; returns the engine, or nothing
    /// when a command broke an invariant.
    pub(crate) fn run(mut self) -> Option<Engine> {
        loop {
            match self.step() {
                Step::Worked => {}
                Step::Waits(Lacks::Group) => {
                    let groups = &self.groups;
                    self.waiter.wait_until(None, || groups.has_value() || groups.is_finished());
                }
                Step::Waits(Lacks::Buffer) => {
                    self.sender.lock().unwrap_or_else(PoisonError::into_inner).wait();
                }
                Step::Finished => return self.finish(),
            }
        }
    }

    /// From now on waits for buffers by calling this, which must make some free.
    pub(crate) fn wait_by(&mut self, meanwhile: Meanwhile) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).meanwhile = Some(meanwhile);
    }

    /// After the last step: the engine, or nothing when a command broke an invariant.
    pub(crate) fn finish(self) -> Option<Engine> {
        (!self.is_broken).then_some(self.engine)
    }

    /// The state as far as it is applied.
    pub(crate) fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Applies a group, if there is one, as far as there are buffers for its events.
    pub(crate) fn step(&mut self) -> Step<Lacks> {
        let Some(under_way) = self.under_way.take().or_else(|| self.receive()) else {
            let is_finished = self.is_broken || self.groups.is_finished();
            return if is_finished { Step::Finished } else { Step::Waits(Lacks::Group) };
        };
        let UnderWay { group, bytes, index } = under_way;
        match engine_core::contain(|| self.apply(&group, bytes, index)) {
            Ok(None) => {
                // The hop holds all groups there are; without a sequencer nobody needs them.
                let _ = self.returned.send(group);
                Step::Worked
            }
            Ok(Some((bytes, index))) => {
                self.under_way = Some(UnderWay { group, bytes, index });
                Step::Waits(Lacks::Buffer)
            }
            Err(what) => {
                let sequence = self.engine.sequence();
                self.status.halt(HaltReason::BrokenInvariant { sequence, what });
                self.producer.close();
                self.is_broken = true;
                Step::Finished
            }
        }
    }

    fn receive(&mut self) -> Option<UnderWay> {
        if self.is_broken {
            return None;
        }
        self.groups.receive().map(|group| UnderWay { group, bytes: 0, index: 0 })
    }

    /// Applies a group from the command of this index on, which begins at `bytes`. Returns where to go
    /// on once there is a buffer, or nothing when all of it is done.
    fn apply(&mut self, group: &Group, bytes: usize, index: usize) -> Option<(usize, usize)> {
        if !self.has_buffer() {
            return Some((bytes, index));
        }
        let mut sequence = Sequence(group.first_sequence.0 + index as u64);
        let whole = group.records.bytes();
        let mut ahead = &whole[bytes..];
        for (index, record) in (index..).zip(CommandRecord::all(ahead)) {
            let record = record.expect("ports push whole records of this build");
            if index % LOOK_AHEAD == 0 {
                self.engine.look_ahead(ahead);
            }
            ahead = &ahead[usize::from(record.header.length)..];
            self.engine.apply(&record, record.header.time, sequence, &mut self.events);
            if self.events.bytes().len() >= FLUSH_BYTES {
                self.flush();
                if !ahead.is_empty() && !self.has_buffer() {
                    return Some((whole.len() - ahead.len(), index + 1));
                }
            }
            sequence = sequence.next();
        }
        let next_expiry = self.engine.next_expiry().unwrap_or(Time(u64::MAX));
        self.next_expiry.store(next_expiry.0, Ordering::Release);
        self.flush();
        None
    }

    fn has_buffer(&self) -> bool {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).has_buffer()
    }

    /// Hands on the events of whole commands, and says how far the core is.
    fn flush(&mut self) {
        if !self.events.bytes().is_empty() {
            self.sender.lock().unwrap_or_else(PoisonError::into_inner).send(self.events.bytes());
            self.events.clear();
        }
        self.gate.core.advance(self.engine.sequence().0);
    }
}
