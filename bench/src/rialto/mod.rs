//! The exchange's own core as a contender: generated streams and a market's records become its
//! commands, and go through the same `apply` that `rialto serve` runs, with its holds, fees,
//! filters and events on.
//!
//! It refuses to know files and totals; those are `stream_file`, `market_by_order` and `contest`.

pub mod streams;
pub mod venue;

use engine_core::{Engine, LOOK_AHEAD};
use protocol::{
    AccountId, AssetId, FeeRate, Instrument, InstrumentId, InstrumentStatus, Sequence, SourceId,
    SourceNumber, Time,
    command::{
        Command, CommandRecord, CreateAsset, CreateInstrument, LedgerOperation, OpenAccount, TIME_OFFSET,
    },
    event::{EventBuffer, EventChunk},
    instrument::{FeeRates, Filters, Name},
    money::SUPPLY_MAX,
    reject::Outcome,
};

/// The first command's time: any will do, and the same one gives the same state hash.
const START: Time = Time(1_700_000_000_000_000_000);
/// Commands come a microsecond apart.
const STEP_NANOSECONDS: u64 = 1_000;
const SOURCE: SourceId = SourceId(1);
/// What everything is paid with; the base assets follow.
const QUOTE: AssetId = AssetId(1);

/// Commands as records, one after the other, and where each begins.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    bytes: Vec<u8>,
    count: usize,
}

/// An engine that is fed commands of one source, and keeps them.
#[derive(Debug)]
pub struct Feed {
    /// The engine.
    pub engine: Engine,
    number: u64,
    events: EventBuffer,
    record: Vec<u8>,
    recorded: Recorded,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            engine: Engine::new(0),
            number: 0,
            events: EventBuffer::growing(),
            record: Vec::new(),
            recorded: Recorded::default(),
        }
    }
}

impl Feed {
    /// Applies a command; returns its outcome, what it made, and its chunks.
    pub fn apply(
        &mut self,
        command: &Command,
    ) -> (Outcome, u64, impl Iterator<Item = EventChunk<'_>> + use<'_>) {
        self.number += 1;
        self.record.clear();
        command.encode_into(SOURCE, SourceNumber(self.number), 0, &mut self.record);
        self.recorded.bytes.extend_from_slice(&self.record);
        self.recorded.count += 1;
        let record = CommandRecord::parse(&self.record).expect("a record just encoded");
        self.events.clear();
        let sequence = self.engine.sequence().next();
        let outcome = self.engine.apply(&record, time_of(sequence), sequence, &mut self.events);
        let chunks =
            || EventChunk::all(self.events.bytes()).map(|chunk| chunk.expect("a chunk just written"));
        let result = chunks().last().map_or(0, |chunk| chunk.header.result);
        (outcome, result, chunks())
    }

    /// Applies a command that cannot be refused; returns what it made.
    fn set_up(&mut self, command: &Command) -> u64 {
        let (outcome, result, _) = self.apply(command);
        assert_eq!(outcome, Outcome::Done, "setting up: {command:?}");
        result
    }

    /// Opens instruments 1 to `count`, all paid with one asset, fees of 0.1 % and 0.2 %.
    pub fn open_instruments(&mut self, count: u16, filters: Filters, status: InstrumentStatus) {
        self.create_asset("QUOTE");
        for number in 1..=count {
            let base = self.create_asset(&format!("BASE{number}"));
            let instrument = Instrument {
                id: InstrumentId(0),
                base,
                quote: QUOTE,
                price_scale: 0,
                quantity_scale: 0,
                status,
                default_self_trade_prevention: protocol::SelfTradePrevention::None,
                reserved: [0; 6],
                symbol: Name::parse(&format!("S{number}")).expect("a name"),
                quote_per_unit: 0,
                base_per_unit: 0,
                filters,
                fees: FeeRates { maker: FeeRate(100_000), taker: FeeRate(200_000) },
            };
            self.set_up(&Command::CreateInstrument(CreateInstrument { instrument }));
        }
    }

    fn create_asset(&mut self, name: &str) -> AssetId {
        let name = Name::parse(name).expect("a name");
        let create = CreateAsset { name, scale: 0, reserved: [0; 7], max_supply: SUPPLY_MAX };
        AssetId(self.set_up(&Command::CreateAsset(create)) as u16)
    }

    /// Opens accounts that have ample of everything; returns the first one's id, the rest follow.
    pub fn open_accounts(&mut self, count: u32) -> AccountId {
        let assets: Vec<_> = self.engine.ledger().assets().map(|(id, asset)| (id, asset.external)).collect();
        let open = OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] };
        let ids: Vec<_> =
            (0..count).map(|_| AccountId(self.set_up(&Command::OpenAccount(open)) as u32)).collect();
        let share = SUPPLY_MAX / i64::from(count.max(1));
        for (asset, external) in assets {
            for account in &ids {
                self.set_up(&Command::Ledger(LedgerOperation::transfer(external, *account, asset, share)));
            }
        }
        ids.first().copied().unwrap_or_default()
    }

    /// What was applied so far.
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }
}

/// When the command of this sequence comes.
fn time_of(sequence: Sequence) -> Time {
    Time(START.0 + sequence.0 * STEP_NANOSECONDS)
}

impl Recorded {
    /// How many commands.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The commands after the first `count`.
    #[must_use]
    pub fn after(&self, earlier: &Self) -> Self {
        Self { bytes: self.bytes[earlier.bytes.len()..].to_vec(), count: self.count - earlier.count }
    }

    /// The commands' records in groups of `count`, each with its time, as a journal has them: the
    /// first has the sequence after `before`.
    pub fn stamped(&self, before: Sequence, count: usize) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let mut rest = self.bytes.as_slice();
        let mut sequence = before;
        std::iter::from_fn(move || {
            let mut group = Vec::new();
            let mut number = 0;
            while number < count && !rest.is_empty() {
                let length =
                    usize::from(CommandRecord::parse(rest).expect("a record once encoded").header.length);
                let start = group.len();
                group.extend_from_slice(&rest[..length]);
                sequence = sequence.next();
                group[start + TIME_OFFSET..][..8].copy_from_slice(&time_of(sequence).0.to_le_bytes());
                rest = &rest[length..];
                number += 1;
            }
            (number > 0).then_some((number, group))
        })
    }

    /// The commands' records, in order.
    pub fn records(&self) -> impl Iterator<Item = CommandRecord<'_>> {
        CommandRecord::all(&self.bytes).map(|record| record.expect("a record once encoded"))
    }

    /// Applies them; events are written and thrown away, as by the egress once it has sent them.
    pub fn apply_to(&self, engine: &mut Engine, events: &mut EventBuffer) {
        let mut rest = self.bytes.as_slice();
        let mut sequence = engine.sequence();
        for index in 0..self.count {
            if index % LOOK_AHEAD == 0 {
                engine.look_ahead(rest);
            }
            let record = CommandRecord::parse(rest).expect("a record once encoded");
            sequence = sequence.next();
            engine.apply(&record, time_of(sequence), sequence, events);
            rest = &rest[usize::from(record.header.length)..];
        }
    }
}
