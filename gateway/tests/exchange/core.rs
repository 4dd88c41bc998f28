//! The core behind the services' traits: a command is applied where it is submitted, and its events
//! reach every consumer before its answer is given, as the engine's egress does it.

use engine_core::Engine;
use protocol::{
    Sequence, SourceId, Time,
    command::{Command, CommandRecord},
    event::{EventBuffer, EventChunk, NOT_ATTEMPTED},
    reject::Outcome,
};
use services::{
    Answer, CommandPort, EngineState, EngineStatus, EventConsumer, PendingAnswer, PendingSnapshot,
    SnapshotTaken, SnapshotTaker, SubmitError,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

pub struct Core {
    engine: Engine,
    events: EventBuffer,
    /// Every chunk there was: the event log.
    log: Vec<u8>,
    consumers: Vec<Box<dyn EventConsumer>>,
}

impl Core {
    /// A new core.
    pub fn new() -> Self {
        let (engine, events) = (Engine::new(7), EventBuffer::growing());
        Self { engine, events, log: Vec::new(), consumers: Vec::new() }
    }

    /// Recovers: every consumer reads the log, and what comes after is new.
    pub fn start(&mut self, mut consumers: Vec<Box<dyn EventConsumer>>) {
        for consumer in &mut consumers {
            consumer.consume(&self.log);
            consumer.live();
        }
        self.consumers = consumers;
    }

    pub fn state_hash(&self) -> String {
        format!("{:?}", self.engine.state_hash())
    }

    fn submit(&mut self, source: SourceId, command: &Command, trace: u64) -> Answer {
        self.apply(&command.encode(source, self.engine.next_number(source), trace))
    }

    pub fn apply(&mut self, bytes: &[u8]) -> Answer {
        let record = CommandRecord::parse(bytes).unwrap();
        let sequence = self.engine.sequence().next();
        let time = Time(super::client::now().0.max(self.engine.time().0));
        self.events.clear();
        let outcome = self.engine.apply(&record, time, sequence, &mut self.events);
        self.log.extend_from_slice(self.events.bytes());
        for consumer in &mut self.consumers {
            consumer.consume(self.events.bytes());
        }
        let last = EventChunk::all(self.events.bytes()).last().unwrap().unwrap().header;
        let cancel = (last.cancel_code != NOT_ATTEMPTED).then_some(last.cancel_code);
        Answer {
            sequence,
            time,
            outcome,
            cancel_outcome: cancel.map(|code| Outcome::from_code(code).unwrap()),
            result: last.result,
            chunks: self.events.bytes().into(),
        }
    }
}

pub struct CorePort {
    core: Arc<Mutex<Core>>,
    source: SourceId,
}

impl CorePort {
    pub fn new(core: &Arc<Mutex<Core>>, source: SourceId) -> Self {
        Self { core: Arc::clone(core), source }
    }
}

impl CommandPort for CorePort {
    fn source(&self) -> SourceId {
        self.source
    }

    fn submit(&self, command: &Command, trace: u64) -> Result<PendingAnswer, SubmitError> {
        let answer = self.core.lock().unwrap().submit(self.source, command, trace);
        let (sender, pending) = PendingAnswer::channel();
        sender.send(Ok(answer)).unwrap();
        Ok(pending)
    }
}

pub struct CoreStatus(Arc<Mutex<Core>>);

impl CoreStatus {
    pub fn new(core: &Arc<Mutex<Core>>) -> Self {
        Self(Arc::clone(core))
    }
}

/// Takes snapshots into memory: files are the engine's own tests' matter.
#[derive(Clone)]
pub struct CoreSnapshots(Arc<Mutex<Core>>);

impl CoreSnapshots {
    pub fn new(core: &Arc<Mutex<Core>>) -> Self {
        Self(Arc::clone(core))
    }
}

impl std::fmt::Debug for CoreSnapshots {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CoreSnapshots")
    }
}

impl SnapshotTaker for CoreSnapshots {
    fn take(&self) -> PendingSnapshot {
        let core = Arc::clone(&self.0);
        Box::pin(async move {
            let core = core.lock().unwrap();
            let mut bytes = 0;
            core.engine.write_snapshot(&mut |piece| bytes += piece.len() as u64);
            let state_hash = core.engine.state_hash().to_string();
            let sequence = core.engine.sequence();
            Ok(SnapshotTaken { sequence, state_hash, bytes, elapsed: Duration::ZERO })
        })
    }
}

impl EngineStatus for CoreStatus {
    fn state(&self) -> EngineState {
        EngineState::Open
    }

    fn core_sequence(&self) -> Sequence {
        self.0.lock().unwrap().engine.sequence()
    }

    fn durable_sequence(&self) -> Sequence {
        self.core_sequence()
    }
}
