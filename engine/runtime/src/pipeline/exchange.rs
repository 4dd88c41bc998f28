//! Opening an exchange, and stopping it. Refuses to do any of its work.

use super::Port;
use super::TIMER;
use super::clock::{ClockJump, TimeKeeper};
use super::core_thread::{CoreParts, CoreThread, EVENT_BUFFERS, EVENT_BYTES, EventSender};
use super::egress::{Egress, Held};
use super::group::Group;
use super::options::{Durability, Options};
use super::port::Ports;
use super::recovery::Recovery;
use super::sequencer::Sequencer;
use super::status::{Closed, ExchangeStatus};
use crate::hop::hop;
use crate::ring::{Producer, ring};
use crate::sequence_gate::ReleaseGate;
use crate::wait::{Bell, Waiter};
use engine_core::Engine;
use engine_journal::{
    DirectoryLock, EventAppendError, EventLogWriter, FileStorage, InspectedJournal, JournalOptions,
    JournalWriter, LockError, ReadError, Storage, TornTail, event_log_end,
};
use protocol::{Sequence, SourceId, SourceNumber, Time, record::DecodeError};
use services::EventConsumer;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::{fmt, io, thread};
use thiserror::Error;

/// Groups of commands under way: one being filled and written, one being applied, one between.
const GROUPS: usize = 3;
/// The fewest slots: the longest record fits, and some beside it.
const RING_SLOTS_MIN: usize = 64;
/// The fewest bytes of a group: the longest record fits.
const GROUP_BYTES_MIN: usize = 64 * 1024;

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
    producer: Producer,
    ports: Arc<Ports>,
    status: Arc<ExchangeStatus>,
    /// The next number of each source, as recovery found it.
    next_numbers: Box<[SourceNumber]>,
    /// The most commands of a port's own numbering that wait for their answers.
    given_max: usize,
    threads: Option<Threads>,
    recovered: Sequence,
    torn: Option<TornTail>,
    egress_bell: Bell,
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
        formatter.debug_struct("Exchange").field("recovered", &self.recovered).finish_non_exhaustive()
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
    journal: Option<InspectedJournal<S>>,
}

impl<S> InspectedExchange<S>
where
    S: Storage + Send + 'static,
    S::File: Send,
{
    /// Opens it, as [`Exchange::open`] goes on.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(self, mut consumers: Vec<Box<dyn EventConsumer>>) -> Result<Exchange, OpenError> {
        let Self { storage, options, journal } = self;
        let status = Arc::clone(&options.status);
        let mut engine = Engine::new(options.hash_seed);
        let mut writer = None;
        let mut log = None;
        let mut torn = None;
        if let Some(journal) = journal {
            let (journal, recovered) = journal.open()?;
            torn = recovered.torn;
            let engine_id = journal.identity().engine_id;
            writer = Some(journal);
            let log =
                log.insert(EventLogWriter::open(storage.clone(), engine_id, options.event_segment_bytes)?);
            Recovery { storage, log: Some(log), consumers: &mut consumers, status: &status }
                .run(&mut engine)?;
        }
        for consumer in &mut consumers {
            consumer.live();
        }
        Exchange::start(engine, writer, log, consumers, options, torn)
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
        let journal = match options.durability {
            Durability::Off => None,
            Durability::Synced => {
                let journal_options = JournalOptions {
                    engine_id: options.engine_id,
                    segment_size: options.journal_segment_bytes,
                    reserve: options.reserve_bytes,
                    published: event_log_end(&storage)?,
                };
                Some(JournalWriter::inspect(storage.clone(), journal_options)?)
            }
        };
        Ok(InspectedExchange { storage, options, journal })
    }

    fn start<S>(
        engine: Engine,
        journal: Option<JournalWriter<S>>,
        log: Option<EventLogWriter<S>>,
        consumers: Vec<Box<dyn EventConsumer>>,
        options: Options,
        torn: Option<TornTail>,
    ) -> Result<Self, OpenError>
    where
        S: Storage + Send + 'static,
        S::File: Send,
    {
        let status = options.status;
        let bound = u64::try_from(options.clock_bound.as_nanos()).unwrap_or(u64::MAX);
        let time =
            TimeKeeper::new(options.clock, engine.time(), bound).map_err(|ClockJump(difference)| {
                OpenError::ClockBehind { seconds: difference.unsigned_abs() / 1_000_000_000 }
            })?;
        let sequencer_waiter = Waiter::new(options.wait);
        let core_waiter = Waiter::new(options.wait);
        let event_waiter = Waiter::new(options.wait);
        let egress_waiter = Waiter::new(options.wait);
        let egress_bell = egress_waiter.bell();

        let (producer, ring) = ring(options.ring_slots.max(RING_SLOTS_MIN), sequencer_waiter.bell());
        let (to_core, groups) = hop(GROUPS, core_waiter.bell());
        let (give_back, returned_groups) = hop(GROUPS, sequencer_waiter.bell());
        let (to_egress, buffers) = hop(EVENT_BUFFERS, egress_waiter.bell());
        let (mut free_buffers, returned_buffers) = hop(EVENT_BUFFERS, event_waiter.bell());
        for _ in 0..EVENT_BUFFERS {
            // The hop was made for so many.
            let _ = free_buffers.send(Vec::with_capacity(EVENT_BYTES));
        }
        let fits = journal.as_ref().map_or(usize::MAX, JournalWriter::maximum_payload);
        let group_bytes = options.group_bytes.max(GROUP_BYTES_MIN).min(fits);
        let spare = (0..GROUPS).map(|_| Arc::new(Group::new(group_bytes))).collect();

        let recovered = engine.sequence();
        let gate = Arc::new(ReleaseGate::new(recovered.0, std::slice::from_ref(&egress_bell)));
        status.follow(Arc::clone(&gate));
        let next_expiry = Arc::new(AtomicU64::new(engine.next_expiry().unwrap_or(Time(u64::MAX)).0));
        let sequencer_gone = Arc::new(AtomicBool::new(false));
        let ports = Arc::new(Ports::default());

        let sequencer = Sequencer {
            ring,
            waiter: sequencer_waiter,
            journal,
            time,
            next_sequence: recovered.next(),
            spare,
            group_bytes,
            returned: returned_groups,
            to_core,
            gate: Arc::clone(&gate),
            next_expiry: Arc::clone(&next_expiry),
            tick_number: engine.next_number(TIMER),
            last_tick: Sequence(0),
            ports: Arc::clone(&ports),
            status: Arc::clone(&status),
            abort: Arc::clone(&options.abort),
        };
        let next_numbers = next_numbers(&engine);
        let core = CoreThread::new(CoreParts {
            engine,
            groups,
            returned: give_back,
            waiter: core_waiter,
            sender: EventSender { buffers: to_egress, returned: returned_buffers, waiter: event_waiter },
            gate: Arc::clone(&gate),
            next_expiry,
            status: Arc::clone(&status),
            producer: producer.clone(),
        });
        let egress = Egress {
            buffers,
            returned: free_buffers,
            waiter: egress_waiter,
            gate,
            sequencer_gone: Arc::clone(&sequencer_gone),
            log,
            consumers,
            ports: Arc::clone(&ports),
            status: Arc::clone(&status),
            abort: options.abort,
            held: Held::default(),
        };
        if status.is_halted() {
            producer.close();
        }
        let [on_sequencer, on_core, on_egress] = match options.processors {
            Some(processors) => processors.map(Some),
            None => [None; 3],
        };
        let bell = egress_bell.clone();
        let threads = Threads {
            egress: spawn("rialto-egress", on_egress, move || egress.run())?,
            core: spawn("rialto-core", on_core, move || core.run())?,
            sequencer: spawn("rialto-sequencer", on_sequencer, move || {
                // Also when it panics: the egress must not wait for what never comes.
                let _gone = Gone { flag: sequencer_gone, bell };
                sequencer.run();
            })?,
        };
        status.reopen(Closed::Recovering);
        let given_max = producer.capacity_slots() as usize * 2;
        Ok(Self {
            producer,
            ports,
            status,
            next_numbers,
            given_max,
            threads: Some(threads),
            recovered,
            torn,
            egress_bell,
            lock: None,
        })
    }

    /// The port of a source: the same one each time. Its numbers go on after those in the journal.
    ///
    /// # Panics
    /// For [`TIMER`], whose port is not given out, and from 1,024 on: a fault of the configuration.
    pub fn port(&self, source: SourceId) -> Port {
        assert!(source != TIMER, "the timer submits its own commands");
        self.ports.get_or_insert(source, || {
            let next = self.next_numbers[source.0 as usize];
            Port::new(source, next, self.given_max, self.producer.clone(), Arc::clone(&self.status))
        })
    }

    /// How it is.
    pub fn status(&self) -> Arc<ExchangeStatus> {
        Arc::clone(&self.status)
    }

    /// The last command that recovery found.
    pub fn recovered(&self) -> Sequence {
        self.recovered
    }

    /// The torn tail that recovery cut off, if there was one.
    pub fn torn_tail(&self) -> Option<&TornTail> {
        self.torn.as_ref()
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
        self.status.close(Closed::Stopping);
        self.producer.close();
        self.egress_bell.ring();
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

/// Says that the sequencer is gone.
struct Gone {
    flag: Arc<AtomicBool>,
    bell: Bell,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Release);
        self.bell.ring();
    }
}

/// The core takes sources below this.
const SOURCES_MAX: u32 = 1_024;

fn next_numbers(engine: &Engine) -> Box<[SourceNumber]> {
    (0..SOURCES_MAX).map(|source| engine.next_number(SourceId(source))).collect()
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
