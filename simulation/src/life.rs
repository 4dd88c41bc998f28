//! One life of the exchange: from its opening to its end, by a stop, a kill or a loss of power. Refuses to
//! decide when it ends, and to judge what it did.

use crate::disk::Disk;
use crate::keeper::Keeper;
use crate::planted::PlantedFault;
use crate::random::Random;
use crate::sizes::Sizes;
use engine_journal::KeepRules;
use engine_runtime::pipeline::{Clock, Exchange, OpenError, Options, Step, SteppedExchange};
use protocol::{Sequence, event::EventChunk};
use services::{EngineState, EngineStatus, EventConsumer};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a consumer was told, as bytes; shared with the exchange.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<u8>>>, Arc<AtomicU64>);

impl Heard {
    /// All that was told so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl EventConsumer for Heard {
    fn consume(&mut self, chunks: &[u8]) {
        if let Some(Ok(chunk)) = EventChunk::all(chunks).last() {
            self.1.store(chunk.header.sequence.0, Ordering::Relaxed);
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(chunks);
    }
}

/// Which part of the exchange goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The sequencer.
    Sequencer,
    /// The core.
    Core,
    /// The egress.
    Egress,
}

/// An exchange that runs, or has just been opened.
#[derive(Debug)]
pub struct Life {
    exchange: Arc<SteppedExchange<Disk>>,
    heard: Heard,
    aborted: Arc<Mutex<Option<String>>>,
    /// How many steps the other parts do, at most, while a sync is under way.
    slowness: Arc<AtomicU64>,
    keeper: Keeper,
}

/// An opening that failed.
#[derive(Debug)]
pub struct NotOpened {
    /// Why.
    pub error: OpenError,
    /// What consumers were told before it did.
    pub heard: Vec<u8>,
}

impl Life {
    /// Opens the exchange on a disk.
    pub fn open(
        disk: &Disk,
        clock: Arc<dyn Clock>,
        sizes: &Sizes,
        rules: KeepRules,
        fault: Option<PlantedFault>,
        mut random: Random,
    ) -> Result<Self, NotOpened> {
        let heard = Heard::default();
        let aborted = Arc::new(Mutex::new(None));
        let reasons = Arc::clone(&aborted);
        let options = Options {
            ring_slots: sizes.ring_slots,
            group_bytes: 0,
            journal_segment_bytes: sizes.journal_segment_bytes,
            reserve_bytes: 0,
            event_segment_bytes: sizes.event_segment_bytes,
            clock,
            hash_seed: random.bits(),
            abort: Arc::new(move |reason: &str| {
                reasons.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason.to_owned());
            }),
            ..Options::default()
        };
        disk.during_sync(None);
        let opened = Exchange::inspect(disk.clone(), options)
            .and_then(|inspected| inspected.open_stepped(vec![Box::new(heard.clone())]));
        let exchange = match opened {
            Ok(exchange) => Arc::new(exchange),
            Err(error) => return Err(NotOpened { error, heard: heard.bytes() }),
        };
        let slowness = Arc::new(AtomicU64::new(sizes.slowness));
        let (most, parts) = (Arc::clone(&slowness), Arc::downgrade(&exchange));
        disk.during_sync(Some(Box::new(move || {
            let Some(exchange) = parts.upgrade() else { return };
            for _ in 0..random.below(most.load(Ordering::Relaxed) + 1) {
                if random.once_in(2) {
                    exchange.step_core();
                    if fault == Some(PlantedFault::EarlyAnswer) {
                        exchange.plant_early_release();
                    }
                } else {
                    exchange.step_egress();
                }
            }
        })));
        let keeper = Keeper::new(disk, rules);
        Ok(Self { exchange, heard, aborted, slowness, keeper })
    }

    /// The exchange.
    pub fn exchange(&self) -> &SteppedExchange<Disk> {
        &self.exchange
    }

    /// What consumers were told.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.bytes()
    }

    /// The last command that consumers were told of: the event log has it.
    pub fn told(&self) -> Sequence {
        Sequence(self.heard.1.load(Ordering::Relaxed))
    }

    /// Why the process must end at once, if it must.
    pub fn aborted(&self) -> Option<String> {
        self.aborted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a snapshot of `durable`, the last command on disk, and lets go of what nobody needs.
    ///
    /// # Errors
    /// See [`Keeper::keep`].
    pub fn keep(&mut self, durable: Sequence) -> anyhow::Result<String> {
        let told = self.told();
        self.keeper.keep(durable, told)
    }

    /// From now on so many steps of others, at most, fit in a sync.
    pub fn slow_down(&self, slowness: u64) {
        self.slowness.store(slowness, Ordering::Relaxed);
    }

    /// How the exchange says it is.
    pub fn state(&self) -> EngineState {
        self.exchange.status().state()
    }

    /// Lets one part go on; false when it could do nothing.
    pub fn step(&self, turn: Turn) -> bool {
        match turn {
            Turn::Sequencer => matches!(self.exchange.step_sequencer(), Step::Worked),
            Turn::Core => matches!(self.exchange.step_core(), Step::Worked),
            Turn::Egress => matches!(self.exchange.step_egress(), Step::Worked),
        }
    }

    /// Whether every part has come to its end.
    pub fn is_finished(&self) -> bool {
        self.exchange.step_sequencer() == Step::Finished
            && self.exchange.step_core() == Step::Finished
            && self.exchange.step_egress() == Step::Finished
    }
}
