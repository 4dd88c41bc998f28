//! A small market for the tests of the pipeline, and consumers that remember what they saw.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "each test file uses its part of this")]

use engine_core::StateHash;
use engine_runtime::pipeline::{Exchange, Options, Port};
use protocol::{
    AccountId, AssetId, ClientOrderId, Price, Quantity, Sequence, Side, SourceId, Time, TimeInForce,
    command::{Command, CreateInstrument, LedgerOperation, OpenAccount, PlaceOrder, sample},
    event::{ChunkHeader, EventChunk},
    reject::Outcome,
};
use services::{Answer, CommandPort, EventConsumer};
use std::sync::{Arc, Mutex};

pub const GATEWAY: SourceId = SourceId(1);
pub const ADMINISTRATION: SourceId = SourceId(2);
/// External accounts come with their assets: 3 and 4. Customers follow.
pub const FIRST_CUSTOMER: AccountId = AccountId(5);

/// Small segments and no reserve, so that little data crosses many ends.
pub fn options() -> Options {
    Options {
        journal_segment_bytes: 1 << 20,
        reserve_bytes: 0,
        event_segment_bytes: 1 << 20,
        ..Options::default()
    }
}

/// Two assets, BTCUSDT, and `customers` accounts with plenty of both.
pub fn set_up(port: &Port, customers: u32) {
    let done = |command: Command| {
        let answer = port.submit(&command, 0).unwrap().wait().unwrap();
        assert_eq!(answer.outcome, Outcome::Done, "{command:?}");
    };
    for name in ["BTC", "USDT"] {
        done(Command::CreateAsset(sample::asset(name)));
    }
    done(Command::CreateInstrument(CreateInstrument { instrument: sample::instrument() }));
    for index in 0..customers {
        done(Command::OpenAccount(OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] }));
        for asset in [1, 2] {
            let account = AccountId(FIRST_CUSTOMER.0 + index);
            let external = AccountId(2 + asset);
            let operation =
                LedgerOperation::transfer(external, account, AssetId(asset as u16), 1_000_000_000_000_000);
            done(Command::Ledger(operation));
        }
    }
}

/// A limit order of `quantity`, named if `name` is not empty.
pub fn order(account: AccountId, side: Side, price: u32, quantity: u64, name: &str) -> Command {
    let order = PlaceOrder {
        account,
        side,
        price: Price(price),
        quantity: Quantity(quantity),
        ..sample::limit_order()
    };
    Command::PlaceOrder { order, client_order_id: ClientOrderId::parse(name), terms: None }
}

/// A limit order that expires.
pub fn expiring_order(account: AccountId, expires_at: Time) -> Command {
    let order =
        PlaceOrder { account, time_in_force: TimeInForce::GoodTillDate, expires_at, ..sample::limit_order() };
    Command::PlaceOrder { order, client_order_id: None, terms: None }
}

/// A stream of orders that trade now and then: the `index`th of `account`.
pub fn flow(account: AccountId, index: u64) -> Command {
    let random = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(account.0)) >> 20;
    let side = if random.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    order(account, side, 1_000 + (random / 2 % 9) as u32, 1 + random / 32 % 7, "")
}

/// Submits, and waits for the answer.
pub fn ask(port: &Port, command: &Command) -> Answer {
    port.submit(command, 0).unwrap().wait().unwrap()
}

/// What a consumer saw: chunk headers in order, and all bytes.
#[derive(Clone, Default)]
pub struct Seen(pub Arc<Mutex<SeenInner>>);

#[derive(Default)]
pub struct SeenInner {
    pub headers: Vec<ChunkHeader>,
    pub bytes: Vec<u8>,
    pub live: bool,
}

impl Seen {
    pub fn last(&self) -> Sequence {
        self.0.lock().unwrap().headers.last().map_or(Sequence(0), |header| header.sequence)
    }

    pub fn first(&self) -> Option<Sequence> {
        self.0.lock().unwrap().headers.first().map(|header| header.sequence)
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }
}

impl EventConsumer for Seen {
    fn consume(&mut self, chunks: &[u8]) {
        let mut seen = self.0.lock().unwrap();
        for chunk in EventChunk::all(chunks) {
            seen.headers.push(chunk.unwrap().header);
        }
        seen.bytes.extend_from_slice(chunks);
    }

    fn live(&mut self) {
        self.0.lock().unwrap().live = true;
    }
}

/// The state an exchange has at its end.
pub fn stop(exchange: Exchange) -> StateHash {
    let engine = exchange.stop().engine.unwrap();
    engine.audit().unwrap();
    engine.state_hash()
}
