//! After warm-up the core allocates nothing: not for orders, trades, cancels or names.

use engine_core::{Engine, LadderBooks};
use protocol::{
    AccountId, AssetId, OrderId, Price, Quantity, Side, SourceId, SourceNumber, Time,
    command::{
        CancelIds, CancelOrder, Command, CommandRecord, CreateInstrument, LedgerOperation, OpenAccount,
        PlaceOrder, sample,
    },
    event::EventBuffer,
    reject::Outcome,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

struct Feed {
    engine: Engine<LadderBooks>,
    number: u64,
    record: Vec<u8>,
    events: EventBuffer,
}

impl Feed {
    fn apply(&mut self, command: &Command) {
        self.number += 1;
        self.record.clear();
        command.encode_into(SourceId(1), SourceNumber(self.number), 0, &mut self.record);
        let record = CommandRecord::parse(&self.record).expect("a record");
        self.events.clear();
        let sequence = self.engine.sequence().next();
        let outcome = self.engine.apply(&record, Time(self.number * 1_000_000), sequence, &mut self.events);
        assert_eq!(outcome, Outcome::Done, "{command:?}");
    }

    /// Two resting orders (one named), a trade with each, and a cancel.
    fn round(&mut self, round: u32, orders: &mut u64) {
        let order = |account, side, price, quantity| PlaceOrder {
            account: AccountId(account),
            side,
            price: Price(price),
            quantity: Quantity(quantity),
            ..sample::limit_order()
        };
        let price = 1_000 + round % 3_000;
        let name = sample::client_order_id(["odd", "even"][round as usize % 2]);
        self.apply(&Command::PlaceOrder {
            order: order(5, Side::Sell, price, 4),
            client_order_id: Some(name),
            terms: None,
        });
        self.apply(&Command::PlaceOrder {
            order: order(5, Side::Sell, price + 1, 4),
            client_order_id: None,
            terms: None,
        });
        self.apply(&Command::PlaceOrder {
            order: order(6, Side::Buy, price + 1, 6),
            client_order_id: None,
            terms: None,
        });
        let cancel =
            CancelOrder { account: AccountId(5), order_id: OrderId(*orders + 2), ..sample::cancel_order() };
        self.apply(&Command::CancelOrder { cancel, ids: CancelIds::default() });
        *orders += 3;
    }
}

#[test]
fn nothing_is_allocated_after_warm_up() {
    let engine = Engine::new(0);
    let mut feed =
        Feed { engine, number: 0, record: Vec::with_capacity(1_024), events: EventBuffer::growing() };
    feed.apply(&Command::CreateAsset(sample::asset("BTC")));
    feed.apply(&Command::CreateAsset(sample::asset("USDT")));
    feed.apply(&Command::CreateInstrument(CreateInstrument { instrument: sample::instrument() }));
    for account in [5, 6] {
        feed.apply(&Command::OpenAccount(OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] }));
        for (external, asset) in [(3, 1), (4, 2)] {
            let operation =
                LedgerOperation::transfer(AccountId(external), AccountId(account), AssetId(asset), 1 << 60);
            feed.apply(&Command::Ledger(operation));
        }
    }
    let mut orders = 0;
    for round in 0..6_000 {
        feed.round(round, &mut orders);
    }
    // What the test's own harness allocates meanwhile, on a busy machine, is not the engine's: the
    // quietest of a few spells counts.
    let spells = (0..5).map(|_| {
        let region = Region::new(ALLOCATOR);
        for round in 0..6_000 {
            feed.round(round, &mut orders);
        }
        let change = region.change();
        change.allocations + change.reallocations
    });
    let least = spells.min().expect("five spells");
    // The directory of order ids grows by four bytes for each 4,096 orders, doubling when full.
    assert!(least <= 2, "{least} allocations");
}
