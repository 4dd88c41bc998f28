//! Opening an exchange, and stopping it. Refuses to do any of its work.

use super::options::{Durability, Options};
use super::parts::{Door, Parts, Recovered};
use super::recovery::{Recovery, restore_to_recover};
use super::status::ExchangeStatus;
use super::{Port, SteppedExchange};
use engine_core::Engine;
use engine_journal::{
    Archive, DirectoryLock, EventAppendError, EventLogWriter, FileStorage, InspectedEventLog,
    InspectedJournal, JournalOptions, JournalWriter, LockError, ReadError, Snapshots, Storage, TornTail,
    VoidError,
};
use protocol::{Sequence, SourceId, record::DecodeError};
use services::EventConsumer;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;
use std::{fmt, io, thread};
use thiserror::Error;

/// Why an exchange was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has the directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The journal or the event log is not to be opened for writing.
    #[error(transparent)]
    Journal(#[from] engine_journal::OpenError),
    /// The journal or the event log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the event log lacks could not be written.
    #[error(transparent)]
    EventLog(#[from] EventAppendError),
    /// The journal does not begin with the first command.
    #[error("the journal has command {found} where {expected} must be; restore the segments before it")]
    Gap {
        /// The sequence that is there.
        found: u64,
        /// The one that must be.
        expected: Sequence,
    },
    /// A command of another build.
    #[error("command {sequence} of the journal cannot be read: {source}; use the build that wrote it")]
    Record {
        /// Which.
        sequence: Sequence,
        /// Why.
        source: DecodeError,
    },
    /// A snapshot cannot be read.
    #[error(transparent)]
    Snapshot(#[from] engine_journal::SnapshotError),
    /// The event log does not lead up to the snapshot.
    #[error(
        "the event log goes from the first command to {fed}, the snapshot is of command {snapshot}; delete the directory `events`, it is made again from the journal"
    )]
    EventLogShort {
        /// The last command whose events are there.
        fed: Sequence,
        /// The snapshot's command.
        snapshot: Sequence,
    },
    /// Neither journal nor event log tells what some commands did, though a snapshot may know their state.
    #[error(
        "the journal begins at command {first}, and the event log is whole only up to the one before {missing}; nothing was changed; restore the file of the event log that holds command {missing}, or the journal's segments before {first}"
    )]
    EventsLost {
        /// The first command of the journal, its archive included.
        first: Sequence,
        /// The first command whose events are gone.
        missing: Sequence,
    },
    /// What a consumer has saved is of commands that the journal lost.
    #[error(
        "the saved views have command {position}, and the journal ends at {last}: acknowledged commands are missing; restore the journal from a backup"
    )]
    ConsumerAhead {
        /// The last command that a consumer has.
        position: Sequence,
        /// The journal's last command.
        last: Sequence,
    },
    /// A void cannot be read.
    #[error(transparent)]
    Void(#[from] VoidError),
    /// The clock is behind the journal.
    #[error("the clock is {seconds} s behind the time of the journal's last command; set the clock, or wait")]
    ClockBehind {
        /// By how many seconds.
        seconds: u64,
    },
    /// The system gave no thread.
    #[error("cannot start a thread: {0}; look at the limits of this process")]
    Thread(#[from] io::Error),
}

/// A running exchange. Dropping it stops it.
pub struct Exchange {
    door: Door,
    threads: Option<Threads>,
    /// Held for as long as the exchange is open, when it took it itself.
    lock: Option<DirectoryLock>,
}

struct Threads {
    sequencer: JoinHandle<()>,
    core: JoinHandle<Option<Engine>>,
    egress: JoinHandle<Vec<Box<dyn EventConsumer>>>,
}

/// What is left of an exchange that has stopped.
pub struct Stopped {
    /// The core; nothing when it halted on a broken invariant.
    pub engine: Option<Engine>,
    /// The consumers, having seen all.
    pub consumers: Vec<Box<dyn EventConsumer>>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Exchange").field("recovered", &self.door.recovered).finish_non_exhaustive()
    }
}

impl fmt::Debug for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stopped").field("halted", &self.engine.is_none()).finish_non_exhaustive()
    }
}

/// A data directory that may be opened; nothing was changed yet.
#[derive(Debug)]
pub struct InspectedExchange<S: Storage> {
    storage: S,
    options: Options,
    /// `None` when nothing is kept.
    logs: Option<InspectedLogs<S>>,
    /// The state of the snapshot to go on from.
    restored: Option<Engine>,
}

#[derive(Debug)]
struct InspectedLogs<S: Storage> {
    journal: InspectedJournal<S>,
    events: InspectedEventLog<S>,
}

impl<S: Storage> InspectedExchange<S> {
    /// Opens it, as [`Exchange::open`] goes on.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(self, consumers: Vec<Box<dyn EventConsumer>>) -> Result<Exchange, OpenError>
    where
        S: Send + 'static,
        S::File: Send,
    {
        let processors = self.options.processors;
        Exchange::start(self.recover(consumers)?, processors)
    }

    /// Opens it without threads: whoever has it steps it.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_stepped(self, consumers: Vec<Box<dyn EventConsumer>>) -> Result<SteppedExchange<S>, OpenError>
    where
        S: Send + 'static,
        S::File: Send,
    {
        Ok(SteppedExchange::new(self.recover(consumers)?))
    }

    /// Brings engine, event log and consumers to the journal's end.
    fn recover(self, mut consumers: Vec<Box<dyn EventConsumer>>) -> Result<Parts<S>, OpenError> {
        let Self { storage, options, logs, restored } = self;
        let begun = Instant::now();
        let status = Arc::clone(&options.status);
        let mut engine = restored.unwrap_or_else(|| Engine::new(options.hash_seed));
        let snapshot = engine.sequence();
        let mut writer = None;
        let mut log = None;
        let mut torn = None;
        let mut reached = snapshot;
        if let Some(InspectedLogs { journal, events }) = logs {
            let (journal, recovered) = journal.open()?;
            torn = recovered.torn;
            let engine_id = journal.identity().engine_id;
            writer = Some(journal);
            let log = log.insert(events.open(engine_id, options.event_segment_bytes)?);
            let last = Sequence(recovered.last_sequence);
            let positions: Vec<_> = consumers.iter().map(|consumer| consumer.position()).collect();
            if let Some(position) = positions.iter().copied().find(|position| *position > last) {
                return Err(OpenError::ConsumerAhead { position, last });
            }
            let consumers = &mut consumers;
            reached = Recovery { storage, log: Some(log), consumers, status: &status, last, positions }
                .run(&mut engine)?;
            let sequence = reached.0;
            let commands = sequence - snapshot.0;
            let milliseconds = begun.elapsed().as_millis() as u64;
            tracing::info!(sequence, snapshot = snapshot.0, commands, milliseconds, "recovered");
        }
        for consumer in &mut consumers {
            consumer.live();
        }
        Parts::new(Recovered { engine, reached, journal: writer, log, consumers, torn }, options)
    }
}

impl Exchange {
    /// Opens the data directory, which must exist, for this process alone.
    ///
    /// # Errors
    /// As [`Self::open`], and when another process has it.
    pub fn open_directory(
        directory: &Path,
        options: Options,
        consumers: Vec<Box<dyn EventConsumer>>,
    ) -> Result<Self, OpenError> {
        let lock = DirectoryLock::acquire(directory, "an exchange")?;
        let mut exchange = Self::open(FileStorage::new(directory), options, consumers)?;
        exchange.lock = Some(lock);
        Ok(exchange)
    }

    /// Opens the exchange on a storage whose lock the caller holds: recovers it from the journal,
    /// showing every event to the consumers, and starts its threads. When a command of the journal
    /// breaks an invariant, it opens halted, with what came before.
    ///
    /// # Errors
    /// See [`OpenError`]: each says what to do.
    pub fn open<S>(
        storage: S,
        options: Options,
        consumers: Vec<Box<dyn EventConsumer>>,
    ) -> Result<Self, OpenError>
    where
        S: Storage + Send + 'static,
        S::File: Send,
    {
        Self::inspect(storage, options)?.open(consumers)
    }

    /// Verifies journal and event log and judges whether they may be opened, changing nothing: what
    /// [`Self::open`] does first. The caller holds the lock from before.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn inspect<S: Storage>(storage: S, options: Options) -> Result<InspectedExchange<S>, OpenError> {
        let mut restored = None;
        let logs = match options.durability {
            Durability::Off => None,
            Durability::Synced => {
                let events = EventLogWriter::inspect(storage.clone())?;
                let log_end = events.last_sequence();
                restored = restore_to_recover(&storage, &events, options.hash_seed)?;
                // A snapshot is a consumer too: one above the journal's end says that commands are lost.
                let published = log_end.max(newest_snapshot(&storage)?);
                let from = restored.as_ref().map_or(0, |engine| engine.sequence().next().0);
                let journal_options = JournalOptions {
                    engine_id: options.engine_id,
                    segment_size: options.journal_segment_bytes,
                    reserve: options.reserve_bytes,
                    published,
                    from,
                };
                let journal = JournalWriter::inspect(storage.clone(), journal_options)?;
                if restored.is_none() {
                    check_reach(&storage, &journal, Sequence(log_end.unwrap_or(0)))?;
                }
                Some(InspectedLogs { journal, events })
            }
        };
        Ok(InspectedExchange { storage, options, logs, restored })
    }

    fn start<S>(parts: Parts<S>, processors: Option<[usize; 3]>) -> Result<Self, OpenError>
    where
        S: Storage + Send + 'static,
        S::File: Send,
    {
        let Parts { sequencer, core, egress, door } = parts;
        let [on_sequencer, on_core, on_egress] = match processors {
            Some(processors) => processors.map(Some),
            None => [None; 3],
        };
        let threads = Threads {
            egress: spawn("rialto-egress", on_egress, move || egress.run())?,
            core: spawn("rialto-core", on_core, move || core.run())?,
            sequencer: spawn("rialto-sequencer", on_sequencer, move || sequencer.run())?,
        };
        door.open();
        Ok(Self { door, threads: Some(threads), lock: None })
    }

    /// The port of a source: the same one each time. Its numbers go on after those in the journal.
    ///
    /// # Panics
    /// For [`TIMER`](super::TIMER), whose port is not given out, and from 1,024 on: a fault of the
    /// configuration.
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

    /// Refuses new commands, finishes and answers what is in flight, and ends the threads.
    ///
    /// # Panics
    /// When one of the threads has.
    pub fn stop(mut self) -> Stopped {
        let threads = self.close().expect("an exchange stops once");
        let (sequencer, core, egress) = threads.join();
        sequencer.expect("the sequencer has panicked");
        Stopped {
            engine: core.expect("the core has panicked"),
            consumers: egress.expect("the egress has panicked"),
        }
    }

    fn close(&mut self) -> Option<Threads> {
        self.door.close();
        self.threads.take()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(threads) = self.close() {
            // A panic was told where it happened; here there is nobody to tell.
            let _ = threads.join();
            // Only now may another process have the directory.
            self.lock = None;
        }
    }
}

type Consumers = Vec<Box<dyn EventConsumer>>;

impl Threads {
    fn join(self) -> (thread::Result<()>, thread::Result<Option<Engine>>, thread::Result<Consumers>) {
        (self.sequencer.join(), self.core.join(), self.egress.join())
    }
}

/// The newest snapshot whose header is whole.
fn newest_snapshot<S: Storage>(storage: &S) -> Result<Option<u64>, OpenError> {
    let snapshots = Snapshots::new(storage.clone());
    let listed = snapshots.list()?;
    Ok(listed.into_iter().find(|sequence| snapshots.info(*sequence).is_ok()))
}

/// Without a snapshot to go on from, the journal must reach back to the first command. Found out before
/// anything is changed: opening the event log would cut off what follows its damage.
fn check_reach<S: Storage>(
    storage: &S,
    journal: &InspectedJournal<S>,
    log_end: Sequence,
) -> Result<(), OpenError> {
    let archived = Archive::of(storage.clone()).list()?.first().copied();
    match archived.into_iter().chain(journal.first_sequence()).min() {
        Some(first) if first > 1 => {
            Err(OpenError::EventsLost { first: Sequence(first), missing: log_end.next() })
        }
        _ => Ok(()),
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    processor: Option<usize>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Some(id) = processor
            && !core_affinity::set_for_current(core_affinity::CoreId { id })
        {
            tracing::warn!(processor = id, "the thread could not be pinned");
        }
        work()
    })
}
