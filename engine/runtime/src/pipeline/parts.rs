//! What an exchange is made of: the three parts, joined by hops and gates, and the door through which
//! commands come in. Threads run the parts ([`super::Exchange`]), or somebody steps them
//! ([`super::SteppedExchange`]). Refuses to know which.

use super::clock::{ClockJump, TimeKeeper};
use super::core_thread::{CoreParts, CoreThread, EVENT_BUFFERS, EVENT_BYTES, EventSender};
use super::egress::{Egress, Held};
use super::group::Group;
use super::options::Options;
use super::port::Ports;
use super::sequencer::Sequencer;
use super::status::{Closed, ExchangeStatus};
use super::steps::Gone;
use super::{OpenError, Port, TIMER};
use crate::hop::hop;
use crate::ring::{Producer, ring};
use crate::sequence_gate::ReleaseGate;
use crate::wait::{Bell, Waiter};
use engine_core::Engine;
use engine_journal::{EventLogWriter, JournalWriter, Storage, TornTail};
use protocol::{Sequence, SourceId, SourceNumber, Time};
use services::EventConsumer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Groups of commands under way: one being filled and written, one being applied, one between.
const GROUPS: usize = 3;
/// The fewest slots: the longest record fits, and some beside it.
const RING_SLOTS_MIN: usize = 64;
/// The fewest bytes of a group: the longest record fits.
const GROUP_BYTES_MIN: usize = 64 * 1024;
/// The core takes sources below this.
const SOURCES_MAX: u32 = 1_024;

/// What recovery has made.
pub(crate) struct Recovered<S: Storage> {
    pub(crate) engine: Engine,
    /// The last command that may be shown: that of the engine, unless the one after it broke an invariant.
    pub(crate) reached: Sequence,
    /// `None` when nothing is kept.
    pub(crate) journal: Option<JournalWriter<S>>,
    pub(crate) log: Option<EventLogWriter<S>>,
    pub(crate) consumers: Vec<Box<dyn EventConsumer>>,
    pub(crate) torn: Option<TornTail>,
}

/// The parts, at rest.
pub(crate) struct Parts<S: Storage> {
    pub(crate) sequencer: Sequencer<S>,
    pub(crate) core: CoreThread,
    pub(crate) egress: Egress<S>,
    pub(crate) door: Door,
}

/// Where commands come in, and what is known of the exchange from outside.
pub(crate) struct Door {
    producer: Producer,
    ports: Arc<Ports>,
    pub(crate) status: Arc<ExchangeStatus>,
    pub(crate) gate: Arc<ReleaseGate>,
    /// The next number of each source, as recovery found it.
    next_numbers: Box<[SourceNumber]>,
    /// The most commands of a port's own numbering that wait for their answers.
    given_max: usize,
    pub(crate) recovered: Sequence,
    pub(crate) torn: Option<TornTail>,
    egress_bell: Bell,
}

impl<S: Storage> Parts<S> {
    /// Joins them to what recovery has made. Commands are taken once the door is opened.
    ///
    /// # Errors
    /// [`OpenError::ClockBehind`].
    pub(crate) fn new(recovered: Recovered<S>, options: Options) -> Result<Self, OpenError> {
        let Recovered { engine, reached, journal, log, consumers, torn } = recovered;
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

        let gate = Arc::new(ReleaseGate::new(reached.0, std::slice::from_ref(&egress_bell)));
        status.follow(Arc::clone(&gate));
        let next_expiry = Arc::new(AtomicU64::new(engine.next_expiry().unwrap_or(Time(u64::MAX)).0));
        let sequencer_gone = Arc::new(AtomicBool::new(false));
        let gone = Gone { flag: Arc::clone(&sequencer_gone), bell: egress_bell.clone() };
        let ports = Arc::new(Ports::default());

        let sequencer = Sequencer {
            ring,
            waiter: sequencer_waiter,
            journal,
            time,
            next_sequence: reached.next(),
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
            lacking: None,
            _gone: gone,
        };
        let next_numbers = next_numbers(&engine);
        let sender = EventSender {
            buffers: to_egress,
            returned: returned_buffers,
            waiter: event_waiter,
            meanwhile: None,
        };
        let core = CoreThread::new(CoreParts {
            engine,
            groups,
            returned: give_back,
            waiter: core_waiter,
            sender,
            gate: Arc::clone(&gate),
            next_expiry,
            status: Arc::clone(&status),
            producer: producer.clone(),
        });
        let egress = Egress {
            buffers,
            returned: free_buffers,
            waiter: egress_waiter,
            gate: Arc::clone(&gate),
            sequencer_gone,
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
        let given_max = producer.capacity_slots() as usize * 2;
        let door = Door {
            producer,
            ports,
            status,
            gate,
            next_numbers,
            given_max,
            recovered: reached,
            torn,
            egress_bell,
        };
        Ok(Self { sequencer, core, egress, door })
    }
}

impl Door {
    /// Lets commands in.
    pub(crate) fn open(&self) {
        self.status.reopen(Closed::Recovering);
    }

    /// Lets no more in; what is in flight is still answered.
    pub(crate) fn close(&self) {
        self.status.close(Closed::Stopping);
        self.producer.close();
        self.egress_bell.ring();
    }

    /// The port of a source: the same one each time. Its numbers go on after those in the journal.
    ///
    /// # Panics
    /// For [`TIMER`], whose port is not given out, and from 1,024 on: a fault of the configuration.
    pub(crate) fn port(&self, source: SourceId) -> Port {
        assert!(source != TIMER, "the timer submits its own commands");
        self.ports.get_or_insert(source, || {
            let next = self.next_numbers[source.0 as usize];
            Port::new(source, next, self.given_max, self.producer.clone(), Arc::clone(&self.status))
        })
    }
}

fn next_numbers(engine: &Engine) -> Box<[SourceNumber]> {
    (0..SOURCES_MAX).map(|source| engine.next_number(SourceId(source))).collect()
}
