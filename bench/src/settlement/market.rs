//! A market that trades a lot: many accounts in a few instruments, half of the orders named, about every
//! second order trading, a fifth of them cancelled. Drawn from a seed, by a real core. Refuses to know what
//! becomes of its events.

use engine_core::Engine;
use engine_journal::{EventLogWriter, FileStorage, Identity};
use protocol::{
    AccountId, AssetId, ClientOrderId, FeeRate, InstrumentId, OrderId, Price, Quantity, Sequence, Side,
    SourceId, SourceNumber, Time,
    command::{
        CancelIds, CancelOrder, Command, CommandRecord, CreateInstrument, LedgerOperation, OpenAccount,
        PlaceOrder, sample,
    },
    event::{Event, EventBuffer, EventChunk},
    instrument::{FeeRates, Filters},
    order::CancelRestriction,
};
use std::path::Path;

/// 2026-09-01 00:00 UTC.
const START: u64 = 1_788_220_800_000_000_000;
/// Between two commands: 100 a second, so that ten million trades take about two days.
const STEP: u64 = 10_000_000;
const SOURCE: SourceId = SourceId(1);
const INSTRUMENTS: u16 = 4;
const QUOTE: AssetId = AssetId(1);
const ENGINE_ID: u32 = 1;
/// Bytes of a group in the event log, about.
const GROUP_BYTES: usize = 64 << 10;

/// A core, fed.
#[derive(Debug)]
pub struct Market {
    engine: Engine,
    events: EventBuffer,
    accounts: u32,
    first_account: u32,
    random: u64,
    number: u64,
    orders: u64,
    trades: u64,
    /// By instrument, from 0.
    middle: [u32; INSTRUMENTS as usize],
}

impl Market {
    /// Four instruments and `accounts` accounts with plenty.
    pub fn new(accounts: u32) -> Self {
        Self {
            engine: Engine::new(0),
            events: EventBuffer::growing(),
            accounts,
            // Fees, suspense and each asset's external account come before.
            first_account: 3 + u32::from(INSTRUMENTS) + 1,
            random: 42,
            number: 0,
            orders: 0,
            trades: 0,
            middle: [10_000; INSTRUMENTS as usize],
        }
    }

    /// How many trades there were.
    pub const fn trades(&self) -> u64 {
        self.trades
    }

    /// The account of this place, from 0.
    pub const fn account(&self, place: u32) -> AccountId {
        AccountId(self.first_account + place)
    }

    /// Every command that sets the market up.
    fn set_up(&self) -> Vec<Command> {
        let mut commands = vec![Command::CreateAsset(sample::asset("USDT"))];
        for number in 0..INSTRUMENTS {
            commands.push(Command::CreateAsset(sample::asset(&format!("COIN{number}"))));
            let mut instrument = sample::instrument();
            instrument.base = AssetId(2 + number);
            instrument.quote = QUOTE;
            instrument.symbol = sample::name(&format!("COIN{number}USDT"));
            instrument.filters = Filters::open();
            instrument.fees = FeeRates { maker: FeeRate(80_000), taker: FeeRate(100_000) };
            commands.push(Command::CreateInstrument(CreateInstrument { instrument }));
        }
        for place in 0..self.accounts {
            commands.push(Command::OpenAccount(OpenAccount {
                trade_group: 0,
                fee_tier: 0,
                reserved: [0; 3],
            }));
            for asset in 1..=INSTRUMENTS + 1 {
                let external = AccountId(2 + u32::from(asset));
                let amount = 1_000_000_000_000_000_000 / i64::from(self.accounts);
                let give = LedgerOperation::transfer(external, self.account(place), AssetId(asset), amount);
                commands.push(Command::Ledger(give));
            }
        }
        commands
    }

    /// splitmix64.
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn draw(&mut self) -> Command {
        let place = self.below(INSTRUMENTS.into());
        let instrument = InstrumentId(place as u16 + 1);
        let account = AccountId(self.first_account + self.below(self.accounts.into()) as u32);
        if self.below(10) < 2 && self.orders > 0 {
            // Its owner is not known here; the core refuses some, as it does in a real market.
            let order_id = OrderId(self.orders.saturating_sub(self.below(2_000)).max(1));
            let account = AccountId(self.first_account + (order_id.0 % u64::from(self.accounts)) as u32);
            let restriction = CancelRestriction::None;
            let cancel = CancelOrder { account, instrument, restriction, ids: 0, order_id };
            return Command::CancelOrder { cancel, ids: CancelIds::default() };
        }
        if self.below(64) == 0 {
            let middle = &mut self.middle[place as usize];
            *middle = if self.random.is_multiple_of(2) { *middle + 1 } else { (*middle - 1).max(1_000) };
        }
        let middle = self.middle[place as usize];
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        let distance = self.below(6) as u32;
        let takes = self.below(2) == 0;
        let price = match (side, takes) {
            (Side::Buy, true) | (Side::Sell, false) => middle + distance,
            (Side::Buy, false) | (Side::Sell, true) => middle - distance,
        };
        let order = PlaceOrder {
            account,
            instrument,
            side,
            price: Price(price),
            quantity: Quantity(1 + self.below(100)),
            ..sample::limit_order()
        };
        let name = self.number.is_multiple_of(2).then(|| format!("client-{:x}-{}", self.random, self.number));
        let client_order_id = name.and_then(|name| ClientOrderId::parse(&name));
        Command::PlaceOrder { order, client_order_id, terms: None }
    }

    /// Applies the next command and appends its chunks.
    fn step(&mut self, command: &Command, chunks: &mut Vec<u8>) {
        self.number += 1;
        let mut record = Vec::new();
        command.encode_into(SOURCE, SourceNumber(self.number), 0, &mut record);
        let record = CommandRecord::parse(&record).expect("a record just encoded");
        let sequence = self.engine.sequence().next();
        self.events.clear();
        self.engine.apply(&record, Time(START + sequence.0 * STEP), sequence, &mut self.events);
        for chunk in EventChunk::all(self.events.bytes()) {
            for event in chunk.expect("a chunk just written").events() {
                match event.expect("an event just written") {
                    Event::OrderAccepted(order, ..) => self.orders = order.order_id.0,
                    Event::Trade(_) => self.trades += 1,
                    _ => {}
                }
            }
        }
        chunks.extend_from_slice(self.events.bytes());
    }
}

/// Writes the event log of a market with at least `trades` trades among `accounts` accounts, and returns
/// the market at its end.
///
/// # Errors
/// Those of the file system.
pub fn write_log(
    directory: &Path,
    accounts: u32,
    trades: u64,
    mut told: impl FnMut(u64),
) -> anyhow::Result<(Market, Sequence)> {
    std::fs::create_dir_all(directory)?;
    let storage = FileStorage::new(directory);
    Identity { engine_id: ENGINE_ID, epoch: 1 }.write(&storage)?;
    let mut log = EventLogWriter::open(storage, ENGINE_ID, 64 << 20)?;
    let mut market = Market::new(accounts);
    let mut to_set_up = market.set_up().into_iter();
    let (mut chunks, mut first) = (Vec::new(), Sequence(1));
    while market.trades < trades {
        let command = to_set_up.next().unwrap_or_else(|| market.draw());
        market.step(&command, &mut chunks);
        let last = market.engine.sequence();
        if chunks.len() >= GROUP_BYTES || market.trades >= trades {
            log.append(first.0, last.0, &chunks)?;
            told(market.trades);
            (first, chunks) = (last.next(), Vec::new());
        }
    }
    let end = market.engine.sequence();
    Ok((market, end))
}
