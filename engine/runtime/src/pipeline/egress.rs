//! The egress: the only way out. Holds every event back until its command is both applied and on
//! disk, then writes it to the event log, shows it to the consumers, and answers who asked. Refuses
//! to know what an event says.
//!
//! [`Egress::step`] does what can be done now and never waits; [`Egress::run`], the thread, waits for
//! what a step says it lacks.

use super::port::{AnswerSender, PortState, Ports};
use super::status::{Closed, ExchangeStatus};
use super::steps::{EgressLacks as Lacks, Step};
use super::{Abort, TIMER};
use crate::hop::{HopReceiver, HopSender};
use crate::sequence_gate::ReleaseGate;
use crate::wait::Waiter;
use engine_journal::{EventAppendError, EventLogWriter, Storage};
use protocol::{
    SourceId,
    event::{ChunkHeader, EventChunk, NOT_ATTEMPTED},
    reject::Outcome,
};
use services::{Answer, EventConsumer};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the egress waits before it looks for room for the event log again.
const ROOM_INTERVAL: Duration = Duration::from_millis(100);

/// Whole commands' chunks, ready to leave once their last command may.
struct Unit {
    first: u64,
    last: u64,
    chunks: Vec<u8>,
    /// The chunks came as one buffer of the core's, which gets it back.
    is_whole_buffer: bool,
}

/// A command's end within a unit.
struct Ended {
    header: ChunkHeader,
    chunks: Range<usize>,
}

pub(crate) struct Egress<S: Storage> {
    pub(crate) buffers: HopReceiver<Vec<u8>>,
    pub(crate) returned: HopSender<Vec<u8>>,
    pub(crate) waiter: Waiter,
    pub(crate) gate: Arc<ReleaseGate>,
    /// Set when the sequencer is gone: nothing becomes durable any more.
    pub(crate) sequencer_gone: Arc<AtomicBool>,
    /// `None` when nothing is kept, or when there is no more waiting for room.
    pub(crate) log: Option<EventLogWriter<S>>,
    pub(crate) consumers: Vec<Box<dyn EventConsumer>>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) status: Arc<ExchangeStatus>,
    pub(crate) abort: Abort,
    pub(crate) held: Held,
}

/// What may not leave yet.
#[derive(Default)]
pub(crate) struct Held {
    units: VecDeque<Unit>,
    /// The chunks since the last whole unit, when the last command's are not all there.
    open: Vec<u8>,
    /// Ports by source, once they were asked for.
    ports: Vec<Option<Arc<PortState>>>,
    ended: Vec<Ended>,
    waiting: Vec<(AnswerSender, usize)>,
}

/// What became of a unit that was to leave.
enum Left {
    /// It is out.
    Out,
    /// It waits for room for the event log.
    NoRoom(Unit),
    /// The process is to end before that.
    Aborted,
}

impl<S: Storage> Egress<S> {
    /// Runs until the core is gone and nothing more can be released; returns the consumers.
    pub(crate) fn run(mut self) -> Vec<Box<dyn EventConsumer>> {
        loop {
            match self.step() {
                Step::Worked => {}
                Step::Waits(lacks) => self.wait(lacks),
                Step::Finished => return self.finish(),
            }
        }
    }

    /// Takes the events that are there, and lets out what may leave.
    pub(crate) fn step(&mut self) -> Step<Lacks> {
        // Asked before the work: what came before they went is then done.
        let is_last = self.is_last();
        let mut worked = false;
        while let Some(buffer) = self.buffers.receive() {
            worked = true;
            self.accept(buffer);
        }
        let released = self.gate.released();
        while let Some(unit) = self.held.units.pop_front_if(|unit| unit.last <= released) {
            worked = true;
            match self.release(unit) {
                Left::Out => {}
                Left::NoRoom(unit) => {
                    self.held.units.push_front(unit);
                    return Step::Waits(Lacks::Room);
                }
                Left::Aborted => return Step::Finished,
            }
        }
        match (is_last, worked) {
            (true, _) => Step::Finished,
            (false, true) => Step::Worked,
            (false, false) => Step::Waits(Lacks::Release),
        }
    }

    fn is_last(&self) -> bool {
        self.sequencer_gone.load(Ordering::Acquire) && self.buffers.is_finished()
    }

    fn wait(&mut self, lacks: Lacks) {
        let Self { waiter, buffers, gate, held, sequencer_gone, status, .. } = self;
        match lacks {
            Lacks::Release => waiter.wait_until(None, || {
                buffers.has_value()
                    || held.units.front().is_some_and(|unit| unit.last <= gate.released())
                    || (sequencer_gone.load(Ordering::Acquire) && buffers.is_finished())
            }),
            Lacks::Room => {
                let deadline = Instant::now() + ROOM_INTERVAL;
                waiter.wait_until(Some(deadline), || status.is_closed(Closed::Stopping))
            }
        };
    }

    /// No answer comes any more; who pushed before the doors closed is told.
    pub(crate) fn finish(self) -> Vec<Box<dyn EventConsumer>> {
        self.status.close(Closed::Stopping);
        self.ports.for_each(PortState::abandon);
        self.consumers
    }

    /// Takes a buffer of chunks, and makes it a unit if its last command's are all there. A command's
    /// chunks that fill buffers are copied out of them, or the core would wait for buffers that wait
    /// for the core.
    fn accept(&mut self, buffer: Vec<u8>) {
        let ends_whole = chunk_headers(&buffer).last().is_none_or(|(header, _)| header.last == 1);
        let (chunks, is_whole_buffer) = if self.held.open.is_empty() && ends_whole {
            (buffer, true)
        } else {
            self.held.open.extend_from_slice(&buffer);
            self.give_back(buffer);
            if !ends_whole {
                return;
            }
            (std::mem::take(&mut self.held.open), false)
        };
        let sequence = |(header, _): (ChunkHeader, _)| header.sequence.0;
        let first = chunk_headers(&chunks).next().map(sequence);
        let last = chunk_headers(&chunks).last().map(sequence);
        if let (Some(first), Some(last)) = (first, last) {
            self.held.units.push_back(Unit { first, last, chunks, is_whole_buffer });
        }
    }

    fn give_back(&mut self, buffer: Vec<u8>) {
        // The hop holds all buffers there are; without a core nobody needs them.
        let _ = self.returned.send(buffer);
    }

    fn release(&mut self, unit: Unit) -> Left {
        if let Some(log) = &mut self.log {
            match log.append(unit.first, unit.last, &unit.chunks) {
                Ok(()) => self.note_room(),
                Err(EventAppendError::NoRoom { file }) => {
                    if !self.status.is_closed(Closed::Stopping) {
                        self.note_no_room(&file);
                        return Left::NoRoom(unit);
                    }
                    tracing::warn!(file, "no room for the event log: the next start makes it whole");
                    self.log = None;
                }
                Err(error) => {
                    self.status.close(Closed::Stopping);
                    (self.abort)(&format!("the event log failed: {error}"));
                    return Left::Aborted;
                }
            }
        }
        for consumer in &mut self.consumers {
            consumer.consume(&unit.chunks);
        }
        self.answer(&unit.chunks);
        if unit.is_whole_buffer {
            self.give_back(unit.chunks);
        }
        Left::Out
    }

    fn note_room(&self) {
        if self.status.is_closed(Closed::EventLogFull) {
            tracing::info!("there is room for the event log again");
            self.status.reopen(Closed::EventLogFull);
        }
    }

    fn note_no_room(&self, file: &str) {
        if !self.status.is_closed(Closed::EventLogFull) {
            tracing::warn!(file, "no room for the event log: commands are refused");
            self.status.close(Closed::EventLogFull);
        }
    }

    /// Answers the commands that ended in `chunks`: a port's are taken under one lock.
    fn answer(&mut self, chunks: &[u8]) {
        let Held { ended, waiting, ports, .. } = &mut self.held;
        ended.clear();
        let mut start = 0;
        for (header, range) in chunk_headers(chunks) {
            if header.chunk == 0 {
                start = range.start;
            }
            if header.last == 1 {
                ended.push(Ended { header, chunks: start..range.end });
            }
        }
        let mut rest = 0;
        while let Some(first) = ended.get(rest) {
            let source = first.header.source;
            let same = ended[rest..].iter().take_while(|ended| ended.header.source == source).count();
            if let Some(port) = port(ports, &self.ports, source) {
                let number = |index: usize| (ended[index].header.number, ended[index].header.code, index);
                let numbers = (rest..rest + same).map(number);
                port.take(numbers, waiting);
            }
            rest += same;
        }
        for (sender, index) in waiting.drain(..) {
            // Who no longer waits is not told.
            let _ = sender.send(Ok(answer(&ended[index], chunks)));
        }
    }
}

fn port<'a>(
    known: &'a mut Vec<Option<Arc<PortState>>>,
    ports: &Ports,
    source: SourceId,
) -> Option<&'a PortState> {
    if source == TIMER {
        return None;
    }
    let index = source.0 as usize;
    if known.get(index).is_none_or(Option::is_none) {
        let port = ports.get(source)?;
        if known.len() <= index {
            known.resize_with(index + 1, || None);
        }
        known[index] = Some(port);
    }
    known[index].as_deref()
}

fn answer(ended: &Ended, chunks: &[u8]) -> Answer {
    let header = &ended.header;
    let outcome = |code| Outcome::from_code(code).expect("the core's own code");
    Answer {
        sequence: header.sequence,
        time: header.time,
        outcome: outcome(header.code),
        cancel_outcome: (header.cancel_code != NOT_ATTEMPTED).then(|| outcome(header.cancel_code)),
        result: header.result,
        chunks: chunks[ended.chunks.clone()].into(),
    }
}

/// The headers of chunks that the core wrote, and where the chunks are.
fn chunk_headers(chunks: &[u8]) -> impl Iterator<Item = (ChunkHeader, Range<usize>)> {
    let mut end = 0;
    EventChunk::all(chunks).map(move |chunk| {
        let header = chunk.expect("a chunk that the core has written").header;
        let start = end;
        end += header.length as usize;
        (header, start..end)
    })
}
