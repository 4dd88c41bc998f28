//! The fast books against the obviously right ones: random command streams, every event compared,
//! invariants audited after each command, balances rebuilt from postings (C-TRD-07 to -10,
//! requirements §10.6 invariants 1 to 5).

mod exchange;

use engine_core::{Books, LadderBooks, NaiveBooks};
use exchange::{ALICE, BOB, BTC, BTCUSDT, CAROL, Exchange, USDT, limit, market, market_by_quote};
use proptest::prelude::*;
use protocol::{
    FeeRate, HoldId, InstrumentStatus, OrderId, OrderType, Price, Quantity, SelfTradePrevention, Side, Time,
    TimeInForce,
    command::{
        AmendOrder, AssignFeeTier, CancelAll, CancelIds, CancelOrder, CancelReplace, ChangeInstrument,
        Command, LedgerOperation, PlaceOrder, ResumeAccount, SetFeeTier, SetLimits, SuspendAccount, change,
        sample,
    },
    instrument::{FeeRates, Filters},
    order::{CancelRestriction, CloseReason, ReplaceMode, RestingOrders},
};

/// A command in small numbers, so that a failing stream shrinks to a readable one.
#[derive(Clone, Copy, Debug)]
struct Step {
    kind: u8,
    account: u8,
    sell: bool,
    price: u8,
    quantity: u8,
    option: u8,
    target: u8,
    seconds: u8,
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (0..100_u8, 0..3_u8, any::<bool>(), 1..40_u8, 1..30_u8, any::<u8>(), any::<u8>(), 0..20_u8)
        .prop_map(|(kind, account, sell, price, quantity, option, target, seconds)| Step {
            kind,
            account,
            sell,
            price,
            quantity,
            option,
            target,
            seconds,
        });
    proptest::collection::vec(step, 1..most)
}

impl Step {
    /// The command, given how many orders were accepted and what time it is.
    fn command(self, orders: u64, now: Time) -> Command {
        let account = [ALICE, BOB, CAROL][usize::from(self.account)];
        let side = if self.sell { Side::Sell } else { Side::Buy };
        // Far prices now and then, so that pages of levels come and go.
        let price = if self.option % 16 == 15 { u32::from(self.price) * 977 } else { u32::from(self.price) };
        let modes = [
            SelfTradePrevention::None,
            SelfTradePrevention::ExpireTaker,
            SelfTradePrevention::ExpireMaker,
            SelfTradePrevention::ExpireBoth,
            SelfTradePrevention::Decrement,
        ];
        let base = PlaceOrder {
            self_trade_prevention: modes[usize::from(self.option % 5)],
            ..limit(account, side, price, u64::from(self.quantity))
        };
        let name = (self.target.is_multiple_of(4))
            .then(|| sample::client_order_id(&format!("n{}", self.option % 8)));
        let target = OrderId(orders.saturating_sub(u64::from(self.target % 24)));
        let ids = CancelIds { original: name.filter(|_| self.quantity.is_multiple_of(3)), request: name };
        let restriction =
            [CancelRestriction::None, CancelRestriction::OnlyNew, CancelRestriction::OnlyPartiallyFilled]
                [usize::from(self.option % 3)];
        let order_id = if ids.original.is_some() && self.sell { OrderId(0) } else { target };
        let cancel = CancelOrder { account, instrument: BTCUSDT, restriction, ids: 0, order_id };
        let place = |order| Command::PlaceOrder { order, client_order_id: name, terms: None };
        match self.kind {
            0..=34 => place(base),
            35..=39 => place(PlaceOrder { time_in_force: TimeInForce::ImmediateOrCancel, ..base }),
            40..=43 => place(PlaceOrder { time_in_force: TimeInForce::FillOrKill, ..base }),
            44..=48 => place(PlaceOrder {
                time_in_force: TimeInForce::GoodTillDate,
                expires_at: Time(now.0 + u64::from(self.option) * 1_000_000_000),
                ..base
            }),
            49..=52 => place(PlaceOrder { order_type: OrderType::LimitMaker, ..base }),
            53..=57 => place(PlaceOrder {
                self_trade_prevention: base.self_trade_prevention,
                ..market(account, side, u64::from(self.quantity))
            }),
            58..=61 => place(PlaceOrder {
                self_trade_prevention: base.self_trade_prevention,
                ..market_by_quote(account, side, u64::from(self.quantity) * u64::from(self.price) * 10)
            }),
            62..=74 => Command::CancelOrder { cancel, ids },
            75..=80 => {
                let mode = if self.sell { ReplaceMode::AllowFailure } else { ReplaceMode::StopOnFailure };
                let replace = CancelReplace { cancel, order: base, mode, reserved: [0; 7] };
                Command::CancelReplace { replace, ids, client_order_id: name, terms: None }
            }
            81..=85 => {
                let new_quantity = Quantity(u64::from(self.quantity % 12));
                let amend =
                    AmendOrder { account, instrument: BTCUSDT, ids: 0, reserved: 0, order_id, new_quantity };
                Command::AmendOrder { amend, ids }
            }
            86 => {
                let instrument = if self.sell { BTCUSDT } else { protocol::InstrumentId(0) };
                Command::CancelAll(CancelAll {
                    account,
                    instrument,
                    reason: CloseReason::Cancelled,
                    reserved: 0,
                })
            }
            87..=93 => self.other(account, now),
            _ => self.ledger(account, now),
        }
    }

    fn other(self, account: protocol::AccountId, _now: Time) -> Command {
        match self.option % 9 {
            0 => Command::SuspendAccount(SuspendAccount {
                account,
                resting_orders: if self.sell { RestingOrders::Cancel } else { RestingOrders::Keep },
                reserved: [0; 3],
            }),
            1 | 2 => Command::ResumeAccount(ResumeAccount { account, reserved: 0 }),
            3 => Command::SetLimits(SetLimits {
                account,
                asset: USDT,
                reserved: 0,
                max_open_orders: u32::from(self.price),
                reserved_2: 0,
                max_order_notional: i64::from(self.quantity) * 400,
                max_open_notional: i64::from(self.target) * 400,
            }),
            4 => Command::SetFeeTier(SetFeeTier {
                instrument: BTCUSDT,
                tier: self.price % 3,
                reserved: 0,
                rates: FeeRates {
                    maker: FeeRate((i32::from(self.option) - 128) * 10_000),
                    taker: FeeRate(i32::from(self.target) * 10_000),
                },
                reserved_2: 0,
            }),
            5 => Command::AssignFeeTier(AssignFeeTier { account, tier: self.price % 3, reserved: [0; 3] }),
            6 => Command::Tick,
            7 => {
                let statuses = [
                    InstrumentStatus::PreOpen,
                    InstrumentStatus::Trading,
                    InstrumentStatus::Trading,
                    InstrumentStatus::Halt,
                ];
                let mut definition = sample::instrument();
                definition.status = statuses[usize::from(self.target % 4)];
                Command::ChangeInstrument(ChangeInstrument {
                    instrument: BTCUSDT,
                    parts: change::STATUS,
                    reserved: [0; 5],
                    definition,
                })
            }
            _ => {
                let mut definition = sample::instrument();
                definition.filters = Filters {
                    tick_size: Price(1 + u32::from(self.price % 2)),
                    lot_size: Quantity(1 + u64::from(self.quantity % 2)),
                    max_account_orders: 5 + u32::from(self.target % 16),
                    bid_multiplier_up: 30_000,
                    ask_multiplier_down: 3_000,
                    ..Filters::open()
                };
                Command::ChangeInstrument(ChangeInstrument {
                    instrument: BTCUSDT,
                    parts: change::FILTERS,
                    reserved: [0; 5],
                    definition,
                })
            }
        }
    }

    fn ledger(self, account: protocol::AccountId, now: Time) -> Command {
        let to = [ALICE, BOB, CAROL][usize::from(self.target % 3)];
        let asset = if self.sell { BTC } else { USDT };
        let hold = HoldId(u64::from(self.option % 12));
        let amount = i64::from(self.quantity) * 1_000_000_000;
        let expires_at =
            if self.option.is_multiple_of(2) { Time::NEVER } else { Time(now.0 + 7_000_000_000) };
        match self.price % 7 {
            0 => Command::Ledger(LedgerOperation::transfer(account, to, asset, amount)),
            1 => Command::Ledger(LedgerOperation::hold(account, asset, amount, expires_at)),
            2 => Command::Ledger(LedgerOperation::capture(hold, to, amount / 2, self.sell)),
            3 => Command::Ledger(LedgerOperation::release(hold, i64::from(self.quantity % 2) * amount / 3)),
            4 => Command::Ledger(LedgerOperation::extend_hold(hold, expires_at)),
            _ => Command::Batch(vec![
                LedgerOperation::hold(account, asset, amount, expires_at),
                LedgerOperation::capture(hold, to, amount / 4, false),
                LedgerOperation::transfer(to, account, asset, amount),
                LedgerOperation::release(hold, 0),
            ]),
        }
    }
}

/// Small balances, so that some orders are refused for funds.
fn exchange<B: Books>(audited: bool) -> Exchange<B> {
    let mut exchange = Exchange::new();
    exchange.audited = audited;
    for account in [ALICE, BOB, CAROL] {
        for asset in [BTC, USDT] {
            let external = exchange.engine.ledger().asset(asset).expect("an asset").external;
            let rest = if asset == BTC { 400_000 } else { 60_000 };
            let surplus = 1_000_000_000_000_000 - rest;
            exchange.done(&Command::Ledger(LedgerOperation::transfer(account, external, asset, surplus)));
        }
    }
    exchange
}

fn run(stream: &[Step], audited: bool) {
    let mut fast: Exchange<LadderBooks> = exchange(audited);
    let mut naive: Exchange<NaiveBooks> = exchange(false);
    let mut orders = 0;
    for step in stream {
        let now = Time(fast.time.0 + u64::from(step.seconds) * 1_000_000_000);
        (fast.time, naive.time) = (now, now);
        let command = step.command(orders, now);
        let did = fast.apply(&command);
        assert_eq!(did, naive.apply(&command), "{command:?}");
        if command.kind() == protocol::command::CommandKind::PlaceOrder && did.result > 0 {
            orders = did.result;
        }
    }
    fast.compare_projection();
    assert_eq!(fast.engine.audit(), Ok(()));
    assert_eq!(fast.engine.state_hash(), naive.engine.state_hash());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn every_event_is_the_naive_books_event(stream in steps(300)) {
        run(&stream, true);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]
    #[test]
    fn long_streams_agree_too(stream in steps(6_000)) {
        run(&stream, false);
    }
}
