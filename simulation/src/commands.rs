//! Random commands of every kind, in small numbers, so that orders meet, funds run short, lists close
//! and timers run out often. Refuses to know who sends them and what becomes of them.

use crate::clock::SECOND;
use crate::random::Random;
use protocol::{
    AccountId, AssetId, ClientOrderId, FeeRate, HoldId, InstrumentId, InstrumentStatus, OrderId, OrderListId,
    OrderTerms, OrderType, Price, Quantity, RULES_VERSION, SelfTradePrevention, Side, SourceId, Time,
    TimeInForce,
    command::{
        ActivateRules, AmendOrder, AssignFeeTier, CancelAll, CancelIds, CancelOrder, CancelOrderList,
        CancelReplace, ChangeInstrument, CloseSession, Command, CreateInstrument, DelistInstrument,
        LedgerOperation, ListedOrder, OpenAccount, PlaceOrder, PlaceOrderList, QuantityKind, ResumeAccount,
        ResumeSource, SetBreaker, SetCancelTimer, SetFeeTier, SetKillSwitch, SetLimits, SetOrderFilters,
        SuspendAccount, change, sample,
    },
    instrument::{FeeRates, Filters},
    order::{CancelRestriction, CloseReason, ReplaceMode, RestingOrders},
    terms::{Breaker, Contingency, KillSwitch, OrderFilters, PegPrice},
};

const ASSETS: [&str; 3] = ["BTC", "USDT", "ETH"];
const INSTRUMENTS: [InstrumentId; 2] = [InstrumentId(1), InstrumentId(2)];
/// External accounts come with their assets: 3 to 5. Customers follow.
const FIRST_CUSTOMER: u32 = 6;
const CUSTOMERS: u64 = 4;

/// The commands that make two markets and four customers, small balances on each: always the same.
pub fn set_up() -> Vec<Command> {
    let mut commands: Vec<_> = ASSETS.map(|name| Command::CreateAsset(sample::asset(name))).into();
    commands.extend(
        INSTRUMENTS.map(|id| Command::CreateInstrument(CreateInstrument { instrument: definition(id) })),
    );
    for index in 0..CUSTOMERS as u32 {
        let open = OpenAccount { trade_group: index / 2, fee_tier: 0, reserved: [0; 3] };
        commands.push(Command::OpenAccount(open));
        for (asset, amount) in (1..).zip([400_000, 60_000, 300_000]) {
            let to = AccountId(FIRST_CUSTOMER + index);
            commands.push(Command::Ledger(LedgerOperation::transfer(
                external(asset),
                to,
                AssetId(asset),
                amount,
            )));
        }
    }
    commands
}

fn external(asset: u16) -> AccountId {
    AccountId(2 + u32::from(asset))
}

fn definition(id: InstrumentId) -> protocol::Instrument {
    let mut definition = sample::instrument();
    if id == INSTRUMENTS[1] {
        definition.base = AssetId(3);
        definition.symbol = sample::name("ETHUSDT");
    }
    definition.fees = FeeRates { maker: FeeRate(100), taker: FeeRate(250) };
    definition.filters = Filters {
        bid_multiplier_up: 30_000,
        ask_multiplier_down: 3_000,
        reference_price: Price(30),
        ..Filters::open()
    };
    definition
}

/// What has been made so far, so that commands can name it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// Orders accepted.
    pub orders: u64,
    /// Lists accepted.
    pub lists: u64,
    /// Holds opened.
    pub holds: u64,
}

/// Draws commands.
#[derive(Debug)]
pub struct Commands<'a> {
    /// Where they are drawn from.
    pub random: &'a mut Random,
    /// What they may name.
    pub known: Known,
    /// The time, for expiries.
    pub now: Time,
    /// Who sends them.
    pub source: SourceId,
}

impl Commands<'_> {
    /// A trader's command, or now and then an operator's.
    pub fn draw(&mut self) -> Command {
        match self.random.below(128) {
            0..=34 => self.place(Self::limit, false),
            35..=37 => self.place(Self::market, false),
            38..=40 => self.place(Self::market_by_quote, false),
            41..=43 => self.place(Self::fill_or_kill, false),
            44..=56 => self.place(Self::triggered, true),
            57..=62 => self.place(Self::iceberg, true),
            63..=65 => self.place(Self::pegged, true),
            66..=69 => self.place(Self::good_till_date, false),
            70..=77 => self.list(),
            78..=86 => {
                let ids = CancelIds { original: None, request: self.name() };
                Command::CancelOrder { cancel: self.cancel(), ids }
            }
            87..=90 => self.replace(),
            91..=95 => self.amend(),
            96..=97 => self.cancel_list(),
            98..=99 => {
                let (account, instrument) = (self.account(), self.instrument());
                Command::CancelAll(CancelAll {
                    account,
                    instrument,
                    reason: CloseReason::Cancelled,
                    reserved: 0,
                })
            }
            100..=115 => Command::Ledger(self.ledger_operation()),
            116..=118 => {
                let count = 1 + self.random.below(if self.random.clone().once_in(8) { 64 } else { 4 });
                Command::Batch((0..count).map(|_| self.ledger_operation()).collect())
            }
            _ => self.operate(),
        }
    }

    fn account(&mut self) -> AccountId {
        AccountId(FIRST_CUSTOMER + self.random.below(CUSTOMERS) as u32)
    }

    fn instrument(&mut self) -> InstrumentId {
        if self.random.below(4) == 0 { INSTRUMENTS[1] } else { INSTRUMENTS[0] }
    }

    fn name(&mut self) -> Option<ClientOrderId> {
        if self.random.below(4) > 0 {
            return None;
        }
        ClientOrderId::parse(&format!("n{}", self.random.below(12)))
    }

    fn seconds(&mut self, most: u64) -> u64 {
        self.random.below(most) * SECOND
    }

    fn limit(&mut self) -> (PlaceOrder, OrderTerms) {
        let modes = [
            SelfTradePrevention::None,
            SelfTradePrevention::None,
            SelfTradePrevention::ExpireTaker,
            SelfTradePrevention::ExpireMaker,
            SelfTradePrevention::ExpireBoth,
            SelfTradePrevention::Decrement,
        ];
        let order = PlaceOrder {
            account: self.account(),
            instrument: self.instrument(),
            side: self.random.pick(&[Side::Buy, Side::Sell]),
            order_type: self.random.pick(&[OrderType::Limit, OrderType::Limit, OrderType::LimitMaker]),
            self_trade_prevention: self.random.pick(&modes),
            price: Price(self.random.within(20..40) as u32),
            quantity: Quantity(self.random.within(1..30)),
            ..sample::limit_order()
        };
        (order, OrderTerms::NONE)
    }

    fn market(&mut self) -> (PlaceOrder, OrderTerms) {
        let (order, terms) = self.limit();
        (PlaceOrder { order_type: OrderType::Market, price: Price(0), ..order }, terms)
    }

    fn market_by_quote(&mut self) -> (PlaceOrder, OrderTerms) {
        let (order, terms) = self.market();
        let quantity = Quantity(self.random.within(200..12_000));
        (PlaceOrder { quantity_kind: QuantityKind::Quote, quantity, ..order }, terms)
    }

    fn fill_or_kill(&mut self) -> (PlaceOrder, OrderTerms) {
        let (order, terms) = self.limit();
        let lives = [TimeInForce::FillOrKill, TimeInForce::ImmediateOrCancel];
        (PlaceOrder { order_type: OrderType::Limit, time_in_force: self.random.pick(&lives), ..order }, terms)
    }

    fn good_till_date(&mut self) -> (PlaceOrder, OrderTerms) {
        let (order, terms) = self.limit();
        let expires_at = Time(self.now.0 + self.seconds(60));
        let life = TimeInForce::GoodTillDate;
        (PlaceOrder { order_type: OrderType::Limit, time_in_force: life, expires_at, ..order }, terms)
    }

    fn iceberg(&mut self) -> (PlaceOrder, OrderTerms) {
        let (order, terms) = self.limit();
        let visible_quantity = Quantity(self.random.within(1..9));
        (PlaceOrder { order_type: OrderType::Limit, ..order }, OrderTerms { visible_quantity, ..terms })
    }

    fn pegged(&mut self) -> (PlaceOrder, OrderTerms) {
        let (order, terms) = self.limit();
        let peg = self.random.pick(&[PegPrice::Primary, PegPrice::Market]);
        let peg_offset = self.random.below(3) as u8;
        let order = PlaceOrder { price: Price(0), order_type: OrderType::Limit, ..order };
        (order, OrderTerms { peg, peg_offset, ..terms })
    }

    /// A stop or take-profit order, its trigger near the prices there are.
    fn triggered(&mut self) -> (PlaceOrder, OrderTerms) {
        let types = [
            OrderType::StopLoss,
            OrderType::StopLossLimit,
            OrderType::TakeProfit,
            OrderType::TakeProfitLimit,
        ];
        let lives = [TimeInForce::GoodTillCancel, TimeInForce::ImmediateOrCancel, TimeInForce::FillOrKill];
        let (order, terms) = self.limit();
        let order_type = self.random.pick(&types);
        let market = order_type.is_market();
        let order = PlaceOrder {
            order_type,
            price: if market { Price(0) } else { order.price },
            time_in_force: if market { TimeInForce::GoodTillCancel } else { self.random.pick(&lives) },
            ..order
        };
        let stop_price = Price(self.random.within(20..40) as u32);
        let trailing_delta = 100 * self.random.within(1..30) as u32;
        let session = self.random.below(4);
        let terms = match self.random.below(4) {
            0 => OrderTerms { trailing_delta, ..terms },
            1 => OrderTerms { trailing_delta, stop_price, ..terms },
            _ => OrderTerms { stop_price, ..terms },
        };
        (order, OrderTerms { session, ..terms })
    }

    fn place(&mut self, draw: impl Fn(&mut Self) -> (PlaceOrder, OrderTerms), has_terms: bool) -> Command {
        let (order, terms) = draw(self);
        Command::PlaceOrder { order, client_order_id: self.name(), terms: has_terms.then_some(terms) }
    }

    fn cancel(&mut self) -> CancelOrder {
        let restrictions = [
            CancelRestriction::None,
            CancelRestriction::None,
            CancelRestriction::OnlyNew,
            CancelRestriction::OnlyPartiallyFilled,
        ];
        CancelOrder {
            account: self.account(),
            instrument: self.instrument(),
            restriction: self.random.pick(&restrictions),
            ids: 0,
            order_id: self.order(),
        }
    }

    fn order(&mut self) -> OrderId {
        OrderId(self.known.orders.saturating_sub(self.random.below(24)))
    }

    fn replace(&mut self) -> Command {
        let (order, terms) = if self.random.once_in(2) { self.triggered() } else { self.limit() };
        let mode = self.random.pick(&[ReplaceMode::AllowFailure, ReplaceMode::StopOnFailure]);
        let replace = CancelReplace { cancel: self.cancel(), order, mode, reserved: [0; 7] };
        let terms = (terms != OrderTerms::NONE).then_some(terms);
        Command::CancelReplace { replace, ids: CancelIds::default(), client_order_id: self.name(), terms }
    }

    fn amend(&mut self) -> Command {
        let CancelOrder { account, instrument, order_id, .. } = self.cancel();
        let new_quantity = Quantity(self.random.below(20));
        let amend = AmendOrder { account, instrument, ids: 0, reserved: 0, order_id, new_quantity };
        Command::AmendOrder { amend, ids: CancelIds { original: None, request: self.name() } }
    }

    /// The legs above and below, well formed more often than not.
    fn legs(&mut self, base: PlaceOrder) -> [ListedOrder; 2] {
        let [gain, stop] = self.random.pick(&[
            [OrderType::LimitMaker, OrderType::StopLossLimit],
            [OrderType::TakeProfit, OrderType::StopLoss],
        ]);
        let high = Price(self.random.within(30..39) as u32);
        let low = Price(self.random.within(10..30) as u32);
        let (gain_price, stop_price) = if base.side == Side::Sell { (high, low) } else { (low, high) };
        let market = gain.is_market();
        let price = |price| if market { Price(0) } else { price };
        let leg = |order, stop_price| ListedOrder {
            order,
            client_order_id: None,
            terms: Some(OrderTerms { stop_price, ..OrderTerms::NONE }),
        };
        let gaining = leg(PlaceOrder { order_type: gain, price: price(gain_price), ..base }, gain_price);
        let gaining = ListedOrder { terms: gaining.terms.filter(|_| market), ..gaining };
        let stopping = leg(PlaceOrder { order_type: stop, price: price(stop_price), ..base }, stop_price);
        if base.side == Side::Sell { [gaining, stopping] } else { [stopping, gaining] }
    }

    fn list(&mut self) -> Command {
        let (base, _) = self.limit();
        let base = PlaceOrder { order_type: OrderType::Limit, ..base };
        let working = PlaceOrder { side: base.side.opposite(), ..base };
        let working = ListedOrder { order: working, client_order_id: self.name(), terms: None };
        let legs = self.legs(base);
        let (contingency, orders) = match self.random.below(3) {
            0 => (Contingency::OneCancelsOther, legs.to_vec()),
            1 => {
                let (order, terms) =
                    if self.random.once_in(2) { self.triggered() } else { (base, OrderTerms::NONE) };
                let order = PlaceOrder {
                    account: base.account,
                    instrument: base.instrument,
                    side: base.side,
                    ..order
                };
                let terms = (terms != OrderTerms::NONE).then_some(terms);
                let pending = ListedOrder { order, client_order_id: None, terms };
                (Contingency::OneTriggersOther, vec![working, pending])
            }
            _ => (Contingency::OneTriggersOneCancelsOther, vec![working, legs[0], legs[1]]),
        };
        let (account, instrument) = (base.account, base.instrument);
        let list = PlaceOrderList { account, instrument, contingency, ids: 0 };
        Command::PlaceOrderList { list, client_order_id: self.name(), orders }
    }

    fn cancel_list(&mut self) -> Command {
        let (account, instrument) = (self.account(), self.instrument());
        let list_id = OrderListId(self.known.lists.saturating_sub(self.random.below(6)));
        let cancel = CancelOrderList { account, instrument, ids: 0, reserved: 0, list_id };
        Command::CancelOrderList { cancel, ids: CancelIds::default() }
    }

    fn ledger_operation(&mut self) -> LedgerOperation {
        let asset = self.random.within(1..4) as u16;
        let (from, to) = (self.account(), self.account());
        let amount = self.random.within(1..6_000) as i64;
        let hold = HoldId(self.known.holds.saturating_sub(self.random.below(6)));
        let expires_at =
            if self.random.once_in(2) { Time::NEVER } else { Time(self.now.0 + self.seconds(60)) };
        let operation = match self.random.below(16) {
            0..=1 => LedgerOperation::transfer(from, to, AssetId(asset), amount),
            2..=5 => LedgerOperation::transfer(external(asset), to, AssetId(asset), amount),
            6 => LedgerOperation::transfer(from, external(asset), AssetId(asset), amount),
            7..=10 => LedgerOperation::hold(from, AssetId(asset), amount, expires_at),
            11 => LedgerOperation::capture(hold, to, amount / 2, self.random.once_in(2)),
            12..=13 => LedgerOperation::release(hold, if self.random.once_in(2) { 0 } else { amount / 4 }),
            14 => LedgerOperation::release(hold, 0),
            _ => LedgerOperation::extend_hold(hold, expires_at),
        };
        operation.with_reference(u128::from(self.random.bits()))
    }

    /// What operators do, and services for them.
    fn operate(&mut self) -> Command {
        let (account, instrument) = (self.account(), self.instrument());
        match self.random.below(24) {
            0 => {
                let timeout = self.seconds(90);
                Command::SetCancelTimer(SetCancelTimer { account, reserved: 0, timeout })
            }
            1..=3 => {
                let switch = if self.random.once_in(4) { KillSwitch::On } else { KillSwitch::Off };
                Command::SetKillSwitch(SetKillSwitch { account, switch, reserved: [0; 3] })
            }
            4 => {
                let session = self.random.below(4);
                Command::CloseSession(CloseSession { source: self.source, reserved: 0, session })
            }
            5 => {
                let filters = OrderFilters {
                    max_algo_orders: self.random.below(8) as u32,
                    max_iceberg_orders: self.random.below(5) as u32,
                    max_order_lists: self.random.below(4) as u32,
                    max_order_amends: self.random.below(3) as u32,
                    max_position: Quantity(if self.random.once_in(2) { 0 } else { 500 }),
                    ..OrderFilters::open()
                };
                Command::SetOrderFilters(SetOrderFilters { instrument, reserved: [0; 6], filters })
            }
            6 => {
                let band = 500 * self.random.below(6) as u32;
                let breaker = Breaker { band, reserved: 0, window: 60 * SECOND, halt: 20 * SECOND };
                Command::SetBreaker(SetBreaker { instrument, reserved: [0; 6], breaker })
            }
            7..=11 => {
                let statuses = [
                    InstrumentStatus::PreOpen,
                    InstrumentStatus::Trading,
                    InstrumentStatus::Trading,
                    InstrumentStatus::Trading,
                    InstrumentStatus::Halt,
                ];
                let mut definition = definition(instrument);
                definition.status = self.random.pick(&statuses);
                let auction = self.random.pick(&[0, change::AUCTION, change::AUCTION, change::LEAVE_CROSSED]);
                let parts = change::STATUS | auction;
                Command::ChangeInstrument(ChangeInstrument {
                    instrument,
                    parts,
                    reserved: [0; 5],
                    definition,
                })
            }
            12 => {
                let mut definition = definition(instrument);
                definition.filters.lot_size = Quantity(self.random.within(1..3));
                definition.filters.max_account_orders = 5 + self.random.below(30) as u32;
                let parts = change::FILTERS;
                Command::ChangeInstrument(ChangeInstrument {
                    instrument,
                    parts,
                    reserved: [0; 5],
                    definition,
                })
            }
            13 => Command::SetLimits(SetLimits {
                account,
                asset: AssetId(2),
                reserved: 0,
                max_open_orders: self.random.below(50) as u32,
                reserved_2: 0,
                max_order_notional: 0,
                max_open_notional: self.random.below(100_000) as i64,
            }),
            14..=15 => {
                let resting_orders = self.random.pick(&[RestingOrders::Keep, RestingOrders::Cancel]);
                Command::SuspendAccount(SuspendAccount { account, resting_orders, reserved: [0; 3] })
            }
            16..=19 => Command::ResumeAccount(ResumeAccount { account, reserved: 0 }),
            20 => {
                let rates = FeeRates {
                    maker: FeeRate(self.random.below(300) as i32 - 100),
                    taker: FeeRate(self.random.within(100..500) as i32),
                };
                let tier = self.random.below(3) as u8;
                Command::SetFeeTier(SetFeeTier { instrument, tier, reserved: 0, rates, reserved_2: 0 })
            }
            21 => {
                let tier = self.random.below(3) as u8;
                Command::AssignFeeTier(AssignFeeTier { account, tier, reserved: [0; 3] })
            }
            22 => Command::ActivateRules(ActivateRules { version: RULES_VERSION, reserved: 0 }),
            _ => match self.random.below(12) {
                0 => Command::DelistInstrument(DelistInstrument { instrument, reserved: [0; 6] }),
                1..=3 => Command::OpenAccount(OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] }),
                4..=7 => {
                    let source = SourceId(1 + self.random.below(5) as u32);
                    Command::ResumeSource(ResumeSource { source, reserved: 0 })
                }
                _ => Command::Tick,
            },
        }
    }
}
