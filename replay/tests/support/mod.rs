//! A data directory as an exchange would have written it, command by command, without its threads:
//! the core decides everything, and the journal's own writers write.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; each test file uses its part of this")]

use engine_core::{Engine, SNAPSHOT_VERSION};
use engine_journal::{
    EventLogWriter, FileStorage, JournalOptions, JournalWriter, SnapshotInfo, Snapshots, Void,
    record_checksum,
};
use protocol::{
    AccountId, AssetId, ClientOrderId, FeeRate, Price, Quantity, Reject, Side, SourceId, SourceNumber, Time,
    command::{
        ChangeInstrument, Command, CommandRecord, CreateInstrument, LedgerOperation, OpenAccount, PlaceOrder,
        TIME_OFFSET, change, sample,
    },
    event::{Event, EventBuffer, EventChunk},
    instrument::{FeeRates, Filters},
    reject::Outcome,
};
use std::path::Path;

pub const BTC: AssetId = AssetId(1);
pub const USDT: AssetId = AssetId(2);
pub const ALICE: AccountId = AccountId(5);
pub const BOB: AccountId = AccountId(6);
pub const CAROL: AccountId = AccountId(7);

/// Writes what it applies.
pub struct Recorder {
    pub engine: Engine,
    pub time: Time,
    /// The last order that was accepted.
    pub orders: u64,
    events: EventBuffer,
    storage: FileStorage,
    writer: JournalWriter<FileStorage>,
    log: EventLogWriter<FileStorage>,
    batch_bytes: usize,
    batch: Vec<u8>,
    /// Event chunks of the batch.
    made: Vec<u8>,
    count: u32,
    number: u64,
}

impl Recorder {
    pub fn new(directory: &Path) -> Self {
        Self::with_sizes(directory, 16 << 10, 4_000)
    }

    /// With segments and batches of so many bytes.
    pub fn with_sizes(directory: &Path, segment_size: u64, batch_bytes: usize) -> Self {
        let options = JournalOptions { segment_size, reserve: 0, ..JournalOptions::default() };
        let storage = FileStorage::new(directory);
        let (writer, _) = JournalWriter::open(storage.clone(), options).unwrap();
        Self {
            engine: Engine::new(3),
            time: Time(1_767_225_600_000_000_000),
            orders: 0,
            events: EventBuffer::growing(),
            log: EventLogWriter::open(storage.clone(), 1, 2 * segment_size).unwrap(),
            storage,
            writer,
            batch_bytes,
            batch: Vec::new(),
            made: Vec::new(),
            count: 0,
            number: 0,
        }
    }

    /// Applies a command and keeps it for the journal.
    pub fn apply(&mut self, command: &Command) -> Outcome {
        self.record(command, false)
    }

    /// Keeps a command that operators decided did not happen.
    pub fn void(&mut self, command: &Command) {
        assert_eq!(self.record(command, true), Outcome::Refused(Reject::Voided));
    }

    fn record(&mut self, command: &Command, is_void: bool) -> Outcome {
        self.number += 1;
        let mut bytes = command.encode(SourceId(1), SourceNumber(self.number), 0);
        bytes[TIME_OFFSET..TIME_OFFSET + 8].copy_from_slice(&self.time.0.to_le_bytes());
        let record = CommandRecord::parse(&bytes).unwrap();
        self.events.clear();
        let sequence = self.engine.sequence().next();
        if is_void {
            self.engine.void(&record, self.time, sequence, &mut self.events);
            let void = Void {
                sequence: sequence.0,
                record_checksum: record_checksum(&bytes),
                administrators: ["one".to_owned(), "another".to_owned()],
                time: self.time.0,
                reason: "a test".to_owned(),
            };
            void.write(&self.storage).unwrap();
        } else {
            self.engine.apply(&record, self.time, sequence, &mut self.events);
        }
        let mut outcome = None;
        for chunk in EventChunk::all(self.events.bytes()) {
            let chunk = chunk.unwrap();
            outcome = chunk.header.outcome();
            for event in chunk.events() {
                if let Event::OrderAccepted(order, ..) = event.unwrap() {
                    self.orders = order.order_id.0;
                }
            }
        }
        self.batch.extend_from_slice(&bytes);
        self.made.extend_from_slice(self.events.bytes());
        self.count += 1;
        if self.batch.len() > self.batch_bytes {
            self.write();
        }
        outcome.unwrap()
    }

    /// Applies a command that must be done.
    pub fn done(&mut self, command: &Command) {
        assert_eq!(self.apply(command), Outcome::Done, "{command:?}");
    }

    /// Writes what was applied since the last write, and syncs.
    pub fn write(&mut self) {
        if self.count > 0 {
            let first = self.writer.next_sequence();
            let last = self.writer.append_batch(first, self.count, &self.batch).unwrap();
            self.log.append(first, last, &self.made).unwrap();
        }
        self.made.clear();
        self.batch.clear();
        self.count = 0;
    }

    /// Keeps the state as a snapshot, as the exchange does.
    pub fn snapshot(&mut self) {
        self.write();
        let mut payload = Vec::new();
        self.engine.write_snapshot(&mut |bytes| payload.extend_from_slice(bytes));
        Snapshots::new(self.storage.clone()).with_reserve(0).write(&self.info(), &payload).unwrap();
    }

    /// What a snapshot of the state says of itself.
    pub fn info(&self) -> SnapshotInfo {
        SnapshotInfo {
            sequence: self.engine.sequence().0,
            engine_id: 1,
            epoch: 1,
            rules_version: protocol::RULES_VERSION,
            content_version: SNAPSHOT_VERSION,
            state_hash: self.engine.state_hash().0,
        }
    }

    /// BTCUSDT with fees that round and a maker's rebate; Alice, Bob and Carol with so little that some
    /// orders are refused; prices bounded to three times.
    pub fn set_up(&mut self) {
        for name in ["BTC", "USDT"] {
            self.done(&Command::CreateAsset(sample::asset(name)));
        }
        self.done(&Command::CreateInstrument(CreateInstrument { instrument: sample::instrument() }));
        for account in [ALICE, BOB, CAROL] {
            let trade_group = u32::from(account != ALICE) * 9;
            self.done(&Command::OpenAccount(OpenAccount { trade_group, fee_tier: 0, reserved: [0; 3] }));
            self.credit(account, BTC, 400_000);
            self.credit(account, USDT, 60_000);
        }
        // Rebates are paid from what the exchange has earned.
        self.credit(AccountId::FEES, BTC, 10_000);
        self.credit(AccountId::FEES, USDT, 10_000);
        let mut definition = sample::instrument();
        definition.filters = Filters {
            bid_multiplier_up: 30_000,
            ask_multiplier_down: 3_000,
            reference_price: Price(30),
            ..Filters::open()
        };
        definition.fees = FeeRates { maker: FeeRate(-500_000), taker: FeeRate(1_500_000) };
        self.done(&Command::ChangeInstrument(ChangeInstrument {
            instrument: protocol::InstrumentId(1),
            parts: change::FILTERS | change::REFERENCE_PRICE | change::FEES,
            reserved: [0; 5],
            definition,
        }));
    }

    /// A limit order called `mine`.
    pub fn place(&mut self, account: AccountId, side: Side, price: u32, quantity: u64) {
        let order = PlaceOrder {
            account,
            side,
            price: Price(price),
            quantity: Quantity(quantity),
            ..sample::limit_order()
        };
        let client_order_id = ClientOrderId::parse("mine");
        self.done(&Command::PlaceOrder { order, client_order_id, terms: None });
    }

    /// From the world outside.
    pub fn credit(&mut self, account: AccountId, asset: AssetId, amount: i64) {
        let external = self.engine.ledger().asset(asset).unwrap().external;
        let transfer = LedgerOperation::transfer(external, account, asset, amount);
        self.done(&Command::Ledger(transfer.with_reference(u128::from(self.number))));
    }
}
