//! The core's thread: applies each command of each group, in order, and hands the events on. Refuses
//! to know whether a command is on disk, and who may see what it did.

use super::group::Group;
use super::panics;
use super::status::ExchangeStatus;
use crate::hop::{HopReceiver, HopSender};
use crate::ring::Producer;
use crate::sequence_gate::ReleaseGate;
use crate::wait::Waiter;
use engine_core::{Engine, LOOK_AHEAD};
use protocol::{Time, command::CommandRecord, event::EventBuffer};
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
}

impl EventSender {
    /// Copies whole chunks into a free buffer and hands it on; waits while there is none.
    fn send(&mut self, chunks: &[u8]) {
        let Self { buffers, returned, waiter } = self;
        waiter.wait_until(None, || returned.has_value() || returned.is_finished());
        // Without a buffer the egress is gone, and with it everyone who could have been told.
        let Some(mut buffer) = returned.receive() else { return };
        buffer.clear();
        buffer.extend_from_slice(chunks);
        // The hop holds all buffers there are.
        let _ = buffers.send(buffer);
    }
}

pub(crate) struct CoreThread {
    engine: Engine,
    groups: HopReceiver<Arc<Group>>,
    returned: HopSender<Arc<Group>>,
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
        Self { engine, groups, returned, waiter, events, sender, gate, next_expiry, status, producer }
    }

    /// Runs until the sequencer is gone and every group is applied; returns the engine, or nothing
    /// when a command broke an invariant.
    pub(crate) fn run(mut self) -> Option<Engine> {
        loop {
            let groups = &self.groups;
            self.waiter.wait_until(None, || groups.has_value() || groups.is_finished());
            let Some(group) = self.groups.receive() else {
                if self.groups.is_finished() {
                    return Some(self.engine);
                }
                continue;
            };
            if let Err(what) = panics::contain(|| self.apply(&group)) {
                let sequence = self.engine.sequence();
                self.status.halt(HaltReason::BrokenInvariant { sequence, what });
                self.producer.close();
                return None;
            }
            // The hop holds all groups there are; without a sequencer nobody needs them.
            let _ = self.returned.send(group);
        }
    }

    fn apply(&mut self, group: &Group) {
        let mut sequence = group.first_sequence;
        let mut ahead = group.records.bytes();
        for (index, record) in CommandRecord::all(group.records.bytes()).enumerate() {
            let record = record.expect("ports push whole records of this build");
            if index % LOOK_AHEAD == 0 {
                self.engine.look_ahead(ahead);
            }
            ahead = &ahead[usize::from(record.header.length)..];
            self.engine.apply(&record, record.header.time, sequence, &mut self.events);
            if self.events.bytes().len() >= FLUSH_BYTES {
                self.flush();
            }
            sequence = sequence.next();
        }
        let next_expiry = self.engine.next_expiry().unwrap_or(Time(u64::MAX));
        self.next_expiry.store(next_expiry.0, Ordering::Release);
        self.flush();
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
