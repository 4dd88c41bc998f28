//! Random commands of every kind in small numbers, so that a failing stream shrinks to a readable one.

use super::{ALICE, BOB, BTC, BTCUSDT, CAROL, Exchange, USDT, limit, market, market_by_quote};
use engine_core::Books;
use proptest::prelude::*;
use protocol::{
    AccountId, InstrumentStatus, OrderId, OrderListId, OrderTerms, OrderType, Price, Quantity,
    SelfTradePrevention, Side, SourceId, Time, TimeInForce,
    command::{
        AmendOrder, CancelAll, CancelIds, CancelOrder, CancelOrderList, CancelReplace, ChangeInstrument,
        CloseSession, Command, DelistInstrument, LedgerOperation, ListedOrder, PlaceOrder, PlaceOrderList,
        SetBreaker, SetCancelTimer, SetKillSwitch, SetLimits, SetOrderFilters, change, sample,
    },
    instrument::Filters,
    order::{CancelRestriction, CloseReason, ReplaceMode},
    terms::{Breaker, Contingency, KillSwitch, OrderFilters, PegPrice},
};

const SECOND: u64 = 1_000_000_000;

/// A command, in small numbers.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    kind: u8,
    account: u8,
    sell: bool,
    price: u8,
    quantity: u8,
    option: u8,
    target: u8,
    seconds: u8,
}

pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (0..120_u8, 0..3_u8, any::<bool>(), 20..40_u8, 1..30_u8, any::<u8>(), any::<u8>(), 0..20_u8)
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
    fn account(self) -> AccountId {
        [ALICE, BOB, CAROL][usize::from(self.account)]
    }

    fn side(self) -> Side {
        if self.sell { Side::Sell } else { Side::Buy }
    }

    fn base(self) -> PlaceOrder {
        let modes = [
            SelfTradePrevention::None,
            SelfTradePrevention::None,
            SelfTradePrevention::ExpireTaker,
            SelfTradePrevention::ExpireMaker,
            SelfTradePrevention::ExpireBoth,
            SelfTradePrevention::Decrement,
        ];
        PlaceOrder {
            self_trade_prevention: modes[usize::from(self.option % 6)],
            ..limit(self.account(), self.side(), u32::from(self.price), u64::from(self.quantity))
        }
    }

    /// A stop or take-profit order of some type, its trigger near the prices there are.
    fn stop(self, order_type: OrderType) -> (PlaceOrder, OrderTerms) {
        let market = order_type.is_market();
        let lives = [TimeInForce::GoodTillCancel, TimeInForce::ImmediateOrCancel, TimeInForce::FillOrKill];
        let order = PlaceOrder {
            order_type,
            price: Price(if market { 0 } else { u32::from(self.price) }),
            time_in_force: if market {
                TimeInForce::GoodTillCancel
            } else {
                lives[usize::from(self.target % 3)]
            },
            ..self.base()
        };
        let stop_price = Price(20 + u32::from(self.option) % 20);
        let trailing_delta = 100 * u32::from(self.target % 30);
        let terms = match self.option % 4 {
            0 => OrderTerms { trailing_delta: trailing_delta.max(1), ..OrderTerms::NONE },
            1 => OrderTerms { trailing_delta: trailing_delta.max(1), stop_price, ..OrderTerms::NONE },
            _ => OrderTerms { stop_price, ..OrderTerms::NONE },
        };
        let session = u64::from(self.target % 4);
        (order, OrderTerms { session, ..terms })
    }

    fn stop_type(self) -> OrderType {
        [OrderType::StopLoss, OrderType::StopLossLimit, OrderType::TakeProfit, OrderType::TakeProfitLimit]
            [usize::from(self.target / 4 % 4)]
    }

    fn iceberg(self) -> (PlaceOrder, OrderTerms) {
        let visible_quantity = Quantity(1 + u64::from(self.target % 8));
        (self.base(), OrderTerms { visible_quantity, ..OrderTerms::NONE })
    }

    fn listed(order: PlaceOrder, terms: Option<OrderTerms>) -> ListedOrder {
        ListedOrder { order, client_order_id: None, terms }
    }

    /// The legs above and below, more often well formed than not.
    fn pair(self) -> [ListedOrder; 2] {
        let types = if self.target.is_multiple_of(2) {
            [OrderType::LimitMaker, OrderType::StopLossLimit]
        } else {
            [OrderType::TakeProfit, OrderType::StopLoss]
        };
        let [gain, stop] = types;
        let (high, low) = (Price(30 + u32::from(self.price % 9)), Price(10 + u32::from(self.price % 20)));
        let (gain_price, stop_price) = if self.sell { (high, low) } else { (low, high) };
        let maker = PlaceOrder { order_type: gain, price: gain_price, ..self.base() };
        let gaining = if gain == OrderType::LimitMaker {
            Self::listed(maker, None)
        } else {
            let order = PlaceOrder { price: Price(0), ..maker };
            Self::listed(order, Some(OrderTerms { stop_price: gain_price, ..OrderTerms::NONE }))
        };
        let limit =
            if stop.is_market() { Price(0) } else { Price(stop_price.0 + u32::from(self.option % 3)) };
        let stopping = Self::listed(
            PlaceOrder { order_type: stop, price: limit, ..self.base() },
            Some(OrderTerms { stop_price, ..OrderTerms::NONE }),
        );
        if self.sell { [gaining, stopping] } else { [stopping, gaining] }
    }

    fn list(self) -> Command {
        let name =
            self.option.is_multiple_of(5).then(|| sample::client_order_id(&format!("l{}", self.target % 3)));
        let working = Self::listed(
            PlaceOrder { side: self.side().opposite(), ..self.base() },
            self.target.is_multiple_of(5).then_some(self.iceberg().1),
        );
        let (contingency, orders) = match self.option % 3 {
            0 => (Contingency::OneCancelsOther, self.pair().to_vec()),
            1 => {
                let pending = match self.target % 3 {
                    0 => Self::listed(self.base(), None),
                    1 => {
                        let order = market(self.account(), self.side(), u64::from(self.quantity));
                        Self::listed(order, None)
                    }
                    _ => {
                        let (order, terms) = self.stop(self.stop_type());
                        Self::listed(order, Some(terms))
                    }
                };
                (Contingency::OneTriggersOther, vec![working, pending])
            }
            _ => {
                let [above, below] = self.pair();
                (Contingency::OneTriggersOneCancelsOther, vec![working, above, below])
            }
        };
        let list = PlaceOrderList { account: self.account(), instrument: BTCUSDT, contingency, ids: 0 };
        Command::PlaceOrderList { list, client_order_id: name, orders }
    }

    /// When it comes, after a command at `before`.
    pub fn time(self, before: Time) -> Time {
        Time(before.0 + u64::from(self.seconds) * SECOND)
    }

    /// The command, given how many orders were accepted and what time it is.
    pub fn command(self, orders: u64, now: Time) -> Command {
        let account = self.account();
        let name = (self.target.is_multiple_of(4))
            .then(|| sample::client_order_id(&format!("n{}", self.option % 8)));
        let place = |order, terms| Command::PlaceOrder { order, client_order_id: name, terms };
        let special = |(order, terms)| place(order, Some(terms));
        let order_id = OrderId(orders.saturating_sub(u64::from(self.target % 24)));
        let restriction = CancelRestriction::None;
        let cancel = CancelOrder { account, instrument: BTCUSDT, restriction, ids: 0, order_id };
        match self.kind {
            0..=34 => place(self.base(), None),
            35..=37 => place(market(account, self.side(), u64::from(self.quantity)), None),
            38..=40 => {
                let amount = u64::from(self.quantity) * u64::from(self.price) * 10;
                place(market_by_quote(account, self.side(), amount), None)
            }
            41..=43 => place(PlaceOrder { time_in_force: TimeInForce::FillOrKill, ..self.base() }, None),
            44..=58 => special(self.stop(self.stop_type())),
            59..=66 => special(self.iceberg()),
            67..=69 => {
                let peg = if self.option.is_multiple_of(2) { PegPrice::Primary } else { PegPrice::Market };
                let order = PlaceOrder { price: Price(0), ..self.base() };
                special((order, OrderTerms { peg, peg_offset: self.target % 3, ..OrderTerms::NONE }))
            }
            70..=71 => {
                let expires_at = Time(now.0 + u64::from(self.target % 60) * SECOND);
                let (order, terms) = self.stop(OrderType::StopLossLimit);
                special((PlaceOrder { time_in_force: TimeInForce::GoodTillDate, expires_at, ..order }, terms))
            }
            72..=82 => self.list(),
            83..=92 => Command::CancelOrder { cancel, ids: CancelIds { original: None, request: name } },
            93..=95 => {
                let (order, terms) = self.stop(self.stop_type());
                let mode = if self.sell { ReplaceMode::AllowFailure } else { ReplaceMode::StopOnFailure };
                let replace = CancelReplace { cancel, order, mode, reserved: [0; 7] };
                let ids = CancelIds::default();
                Command::CancelReplace { replace, ids, client_order_id: name, terms: Some(terms) }
            }
            96..=101 => {
                let new_quantity = Quantity(u64::from(self.quantity % 20));
                let amend =
                    AmendOrder { account, instrument: BTCUSDT, ids: 0, reserved: 0, order_id, new_quantity };
                Command::AmendOrder { amend, ids: CancelIds { original: None, request: name } }
            }
            102..=103 => Command::CancelOrderList {
                cancel: CancelOrderList {
                    account,
                    instrument: BTCUSDT,
                    ids: 0,
                    reserved: 0,
                    list_id: OrderListId(u64::from(self.target % 16)),
                },
                ids: CancelIds::default(),
            },
            _ => self.other(account, now),
        }
    }

    fn other(self, account: AccountId, now: Time) -> Command {
        match self.kind {
            104 => Command::SetCancelTimer(SetCancelTimer {
                account,
                reserved: 0,
                timeout: u64::from(self.target % 90) * SECOND,
            }),
            105..=106 => Command::SetKillSwitch(SetKillSwitch {
                account,
                switch: if self.option.is_multiple_of(4) { KillSwitch::On } else { KillSwitch::Off },
                reserved: [0; 3],
            }),
            107 => Command::CloseSession(CloseSession {
                source: SourceId(1),
                reserved: 0,
                session: u64::from(self.target % 4),
            }),
            108 => Command::SetOrderFilters(SetOrderFilters {
                instrument: BTCUSDT,
                reserved: [0; 6],
                filters: OrderFilters {
                    max_algo_orders: u32::from(self.target % 8),
                    max_iceberg_orders: u32::from(self.option % 5),
                    max_order_lists: u32::from(self.price % 4),
                    max_order_amends: u32::from(self.quantity % 3),
                    max_position: Quantity(if self.sell { 0 } else { 500 }),
                    ..OrderFilters::open()
                },
            }),
            109 => Command::SetBreaker(SetBreaker {
                instrument: BTCUSDT,
                reserved: [0; 6],
                breaker: Breaker {
                    band: 500 * u32::from(self.target % 6),
                    reserved: 0,
                    window: 60 * SECOND,
                    halt: 20 * SECOND,
                },
            }),
            110..=114 => {
                let statuses = [
                    InstrumentStatus::PreOpen,
                    InstrumentStatus::Trading,
                    InstrumentStatus::Trading,
                    InstrumentStatus::Halt,
                ];
                let mut definition = sample::instrument();
                definition.status = statuses[usize::from(self.target % 4)];
                let parts = change::STATUS | if self.sell { change::AUCTION } else { 0 };
                let instrument = BTCUSDT;
                Command::ChangeInstrument(ChangeInstrument {
                    instrument,
                    parts,
                    reserved: [0; 5],
                    definition,
                })
            }
            115 => {
                let mut definition = sample::instrument();
                definition.filters = Filters {
                    lot_size: Quantity(1 + u64::from(self.quantity % 2)),
                    max_account_orders: 5 + u32::from(self.target % 16),
                    bid_multiplier_up: 30_000,
                    ask_multiplier_down: 3_000,
                    ..Filters::open()
                };
                let parts = change::FILTERS;
                let instrument = BTCUSDT;
                Command::ChangeInstrument(ChangeInstrument {
                    instrument,
                    parts,
                    reserved: [0; 5],
                    definition,
                })
            }
            116 => Command::SetLimits(SetLimits {
                account,
                asset: USDT,
                reserved: 0,
                max_open_orders: u32::from(self.price),
                reserved_2: 0,
                max_order_notional: 0,
                max_open_notional: i64::from(self.target) * 400,
            }),
            117 if self.option == 0 => {
                Command::DelistInstrument(DelistInstrument { instrument: BTCUSDT, reserved: [0; 6] })
            }
            118 => Command::CancelAll(CancelAll {
                account,
                instrument: BTCUSDT,
                reason: CloseReason::Cancelled,
                reserved: 0,
            }),
            _ => {
                let asset = if self.sell { BTC } else { USDT };
                let amount = i64::from(self.quantity) * 100;
                let expires_at = Time(now.0 + u64::from(self.target) * SECOND);
                Command::Ledger(LedgerOperation::hold(account, asset, amount, expires_at))
            }
        }
    }
}

/// Small balances, so that some orders are refused for funds; prices bounded to three times.
pub fn exchange<B: Books>(audited: bool) -> Exchange<B> {
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
    let mut definition = sample::instrument();
    definition.filters = Filters {
        bid_multiplier_up: 30_000,
        ask_multiplier_down: 3_000,
        reference_price: Price(30),
        ..Filters::open()
    };
    exchange.done(&Command::ChangeInstrument(ChangeInstrument {
        instrument: BTCUSDT,
        parts: change::FILTERS | change::REFERENCE_PRICE,
        reserved: [0; 5],
        definition,
    }));
    exchange
}
