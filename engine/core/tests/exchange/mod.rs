//! An exchange to test with: an engine fed one command at a time, audited after each, its events
//! read back and its balances compared with what the events' postings say.

#![allow(dead_code, reason = "each test file uses its part of this")]

pub mod steps;

use engine_core::{Books, Engine, LadderBooks};
use protocol::{
    AccountId, AssetId, ClientOrderId, InstrumentId, OrderId, OrderType, Price, Quantity, Side, SourceId,
    SourceNumber, Time, TimeInForce,
    command::{
        CancelIds, CancelOrder, Command, CommandRecord, CreateInstrument, LedgerOperation, OpenAccount,
        PlaceOrder, QuantityKind, sample,
    },
    event::{ChunkHeader, Event, EventBuffer, EventChunk},
    posting::postings,
    reject::Outcome,
};
use std::collections::BTreeMap;

pub const BTC: AssetId = AssetId(1);
pub const USDT: AssetId = AssetId(2);
pub const BTCUSDT: InstrumentId = InstrumentId(1);
/// External accounts come with their assets: 3 and 4. Customers follow.
pub const ALICE: AccountId = AccountId(5);
pub const BOB: AccountId = AccountId(6);
pub const CAROL: AccountId = AccountId(7);

pub struct Exchange<B: Books = LadderBooks> {
    pub engine: Engine<B>,
    pub time: Time,
    pub audited: bool,
    number: u64,
    buffer: EventBuffer,
    /// By account and asset: (available, held), from postings alone.
    pub projected: BTreeMap<(AccountId, AssetId), (i64, i64)>,
}

/// What a command did.
#[derive(Debug, PartialEq)]
pub struct Did {
    pub outcome: Outcome,
    pub result: u64,
    pub header: ChunkHeader,
    pub events: Vec<Event>,
}

impl<B: Books> Exchange<B> {
    /// BTCUSDT with open filters and no fees; Alice, Bob and Carol with 10^15 units of each asset.
    pub fn new() -> Self {
        let mut exchange = Self::empty();
        for name in ["BTC", "USDT"] {
            exchange.done(&Command::CreateAsset(sample::asset(name)));
        }
        exchange.done(&Command::CreateInstrument(CreateInstrument { instrument: sample::instrument() }));
        for account in [ALICE, BOB, CAROL] {
            let open =
                OpenAccount { trade_group: u32::from(account != ALICE) * 9, fee_tier: 0, reserved: [0; 3] };
            assert_eq!(exchange.done(&Command::OpenAccount(open)).result, u64::from(account.0));
            exchange.credit(account, BTC, 1_000_000_000_000_000);
            exchange.credit(account, USDT, 1_000_000_000_000_000);
        }
        exchange
    }

    pub fn empty() -> Self {
        Self {
            engine: Engine::new(7),
            time: Time(1_000_000_000_000),
            audited: true,
            number: 0,
            buffer: EventBuffer::growing(),
            projected: BTreeMap::new(),
        }
    }

    pub fn credit(&mut self, account: AccountId, asset: AssetId, amount: i64) {
        let external = self.engine.ledger().asset(asset).expect("an asset").external;
        self.done(&Command::Ledger(LedgerOperation::transfer(external, account, asset, amount)));
    }

    /// Applies a command under the next number.
    pub fn apply(&mut self, command: &Command) -> Did {
        self.number += 1;
        let bytes = command.encode(SourceId(1), SourceNumber(self.number), 0);
        self.apply_bytes(&bytes)
    }

    pub fn apply_bytes(&mut self, bytes: &[u8]) -> Did {
        let record = CommandRecord::parse(bytes).expect("a record");
        self.buffer.clear();
        let sequence = self.engine.sequence().next();
        let outcome = self.engine.apply(&record, self.time, sequence, &mut self.buffer);
        let chunks: Vec<_> =
            EventChunk::all(self.buffer.bytes()).map(|chunk| chunk.expect("a chunk")).collect();
        let header = chunks.last().expect("at least one chunk").header;
        assert_eq!(header.outcome(), Some(outcome));
        let events: Vec<_> =
            chunks.iter().flat_map(EventChunk::events).map(|event| event.expect("an event")).collect();
        self.project(&events);
        if self.audited {
            self.engine.audit().unwrap_or_else(|error| panic!("{error} after {sequence}: {record:?}"));
        }
        Did { outcome, result: header.result, header, events }
    }

    /// Applies a command that must be done.
    pub fn done(&mut self, command: &Command) -> Did {
        let did = self.apply(command);
        assert_eq!(did.outcome, Outcome::Done, "{command:?}");
        did
    }

    fn project(&mut self, events: &[Event]) {
        for event in events {
            let mut sums: BTreeMap<AssetId, i64> = BTreeMap::new();
            let instrument = |id| self.engine.market(id).map(|market| &market.instrument);
            postings(event, instrument, |posting| {
                let entry = self.projected.entry((posting.account, posting.asset)).or_default();
                entry.0 += posting.available;
                entry.1 += posting.held;
                *sums.entry(posting.asset).or_default() += posting.available + posting.held;
            });
            assert!(sums.values().all(|sum| *sum == 0), "an event's postings sum to zero: {event:?}");
        }
    }

    /// The balances that postings say are the balances that the ledger says.
    pub fn compare_projection(&self) {
        for ((account, asset), projected) in &self.projected {
            let balance = self.engine.ledger().balances.get(*account, *asset);
            assert_eq!((balance.available, balance.held), *projected, "account {account} asset {asset}");
        }
        for (asset, account, balance) in self.engine.ledger().balances.iter() {
            assert_eq!(self.projected.get(&(account, asset)), Some(&(balance.available, balance.held)));
        }
    }

    pub fn balance(&self, account: AccountId, asset: AssetId) -> (i64, i64) {
        let balance = self.engine.ledger().balances.get(account, asset);
        (balance.available, balance.held)
    }

    pub fn place(&mut self, order: PlaceOrder) -> Did {
        self.apply(&Command::PlaceOrder { order, client_order_id: None, terms: None })
    }

    pub fn place_named(&mut self, order: PlaceOrder, name: &str) -> Did {
        let client_order_id = Some(sample::client_order_id(name));
        self.apply(&Command::PlaceOrder { order, client_order_id, terms: None })
    }

    pub fn cancel(&mut self, account: AccountId, order_id: u64) -> Did {
        let cancel = CancelOrder { account, order_id: OrderId(order_id), ..sample::cancel_order() };
        self.apply(&Command::CancelOrder { cancel, ids: CancelIds::default() })
    }

    /// Resting orders of a side, best first: (order id, price, leaves).
    pub fn side(&self, side: Side) -> Vec<(u64, u32, u64)> {
        let books = self.engine.books();
        std::iter::successors(books.front(BTCUSDT, side), |handle| books.after(*handle))
            .map(|handle| books.order(handle))
            .map(|order| (order.order_id.0, order.price.0, order.leaves.0))
            .collect()
    }
}

pub fn limit(account: AccountId, side: Side, price: u32, quantity: u64) -> PlaceOrder {
    PlaceOrder {
        account,
        instrument: BTCUSDT,
        side,
        price: Price(price),
        quantity: Quantity(quantity),
        ..sample::limit_order()
    }
}

pub fn market(account: AccountId, side: Side, quantity: u64) -> PlaceOrder {
    PlaceOrder { order_type: OrderType::Market, ..limit(account, side, 0, quantity) }
}

pub fn market_by_quote(account: AccountId, side: Side, amount: u64) -> PlaceOrder {
    PlaceOrder { quantity_kind: QuantityKind::Quote, ..market(account, side, amount) }
}

pub fn immediate(order: PlaceOrder) -> PlaceOrder {
    PlaceOrder { time_in_force: TimeInForce::ImmediateOrCancel, ..order }
}

/// What trades an answer tells: (maker order, price, quantity).
pub fn trades(did: &Did) -> Vec<(u64, u32, u64)> {
    did.events
        .iter()
        .filter_map(|event| match event {
            Event::Trade(trade) => Some((trade.maker_order_id.0, trade.price.0, trade.quantity.0)),
            _ => None,
        })
        .collect()
}

pub fn name(text: &str) -> ClientOrderId {
    sample::client_order_id(text)
}
