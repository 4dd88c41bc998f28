//! What a real core says to commands of every kind, as batches and as an event log. Refuses to know the
//! books.

use engine_core::Engine;
use engine_journal::{EventLogWriter, FileStorage, Identity};
use protocol::{
    Sequence, SourceId, SourceNumber, Time,
    command::CommandRecord,
    event::{Event, EventBuffer, EventChunk},
};
use simulation::{Commands, Known, Random, set_up};
use std::{collections::BTreeMap, path::Path};
use stream::Batch;

pub const ENGINE_ID: u32 = 7;
pub const EPOCH: u32 = 3;
const SOURCE: SourceId = SourceId(1);
/// 2026-10-31 23:50 UTC: ten minutes before a month ends.
const START: Time = Time(1_793_490_600_000_000_000);
const SECOND: u64 = 1_000_000_000;

/// A core's history.
pub struct History {
    /// One batch for each command.
    pub batches: Vec<Batch>,
    /// The core at the end.
    pub engine: Engine,
    /// How many events of each kind, by the number of their kind.
    pub kinds: BTreeMap<String, u64>,
}

impl History {
    /// `count` commands of every kind, drawn from `seed`.
    pub fn new(seed: u64, count: usize) -> Self {
        let mut random = Random::new(seed);
        let mut engine = Engine::new(0);
        let mut events = EventBuffer::growing();
        let (mut known, mut batches, mut kinds) = (Known::default(), Vec::new(), BTreeMap::new());
        let mut to_set_up = set_up().into_iter();
        let mut now = START;
        for number in 1..=count as u64 {
            // Mostly close together; now and then hours apart, so that every interval ends.
            now.0 += match random.below(1_000) {
                0 => random.below(40) * 3_600 * SECOND,
                1..=50 => random.below(90) * SECOND,
                _ => random.below(SECOND / 4),
            };
            let command = to_set_up
                .next()
                .unwrap_or_else(|| Commands { random: &mut random, known, now, source: SOURCE }.draw());
            let mut record = Vec::new();
            command.encode_into(SOURCE, SourceNumber(number), 0, &mut record);
            let record = CommandRecord::parse(&record).expect("a record just encoded");
            let sequence = engine.sequence().next();
            events.clear();
            engine.apply(&record, now, sequence, &mut events);
            let chunks = events.bytes().to_vec();
            for event in all_events(&chunks) {
                match event {
                    Event::OrderAccepted(order, ..) => known.orders = order.order_id.0,
                    Event::OrderListChanged(list, _) => known.lists = known.lists.max(list.list_id.0),
                    Event::HoldOpened(hold) => known.holds = hold.hold_id.0,
                    _ => {}
                }
                let name = format!("{event:?}");
                let name = name.split('(').next().expect("a name").to_owned();
                *kinds.entry(name).or_insert(0) += 1;
            }
            let (first, last) = (sequence, sequence);
            batches.push(Batch { engine_id: ENGINE_ID, epoch: EPOCH, first, last, chunks });
        }
        engine.audit().expect("the core is sound");
        Self { batches, engine, kinds }
    }

    /// The batches joined, `at_most` commands in each.
    pub fn joined(&self, at_most: usize) -> Vec<Batch> {
        self.batches.chunks(at_most).map(join).collect()
    }

    /// Writes the history as the event log of a data directory.
    pub fn write_log(&self, directory: &Path) {
        self.begin_log(directory, self.batches.len());
    }

    /// Writes the first `count` commands as the event log of a data directory; more may follow.
    pub fn begin_log(&self, directory: &Path, count: usize) -> GrowingLog<'_> {
        std::fs::create_dir_all(directory).expect("a directory");
        let storage = FileStorage::new(directory);
        Identity { engine_id: ENGINE_ID, epoch: EPOCH }.write(&storage).expect("the identity");
        let writer = EventLogWriter::open(storage, ENGINE_ID, 256 << 10).expect("an empty log");
        let mut log = GrowingLog { left: &self.batches, writer };
        log.append(count);
        log
    }

    pub fn end(&self) -> Sequence {
        self.engine.sequence()
    }
}

/// An event log that does not have all of its history yet.
pub struct GrowingLog<'a> {
    left: &'a [Batch],
    writer: EventLogWriter<FileStorage>,
}

impl GrowingLog<'_> {
    /// Writes the next `count` commands, or those that are left.
    pub fn append(&mut self, count: usize) {
        let (next, left) = self.left.split_at(count.min(self.left.len()));
        for group in next.chunks(64) {
            let batch = join(group);
            self.writer.append(batch.first.0, batch.last.0, &batch.chunks).expect("room for a group");
        }
        self.left = left;
    }

    pub fn is_whole(&self) -> bool {
        self.left.is_empty()
    }

    /// The last command written.
    pub fn written(&self) -> Sequence {
        Sequence(self.writer.last_sequence().unwrap_or(0))
    }
}

/// Batches that follow one another as one.
pub fn join(batches: &[Batch]) -> Batch {
    let (first, last) = (batches.first().expect("one"), batches.last().expect("one"));
    let chunks = batches.iter().flat_map(|batch| &batch.chunks).copied().collect();
    Batch { last: last.last, chunks, ..first.clone() }
}

fn all_events(chunks: &[u8]) -> impl Iterator<Item = Event> + '_ {
    EventChunk::all(chunks)
        .flat_map(|chunk| chunk.expect("a chunk just written").events())
        .map(|event| event.expect("an event just written"))
}
