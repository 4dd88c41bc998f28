//! One command of each kind, for tests of every room and for examples of the encoding.

use super::{
    ActivateRules, AmendOrder, AssignFeeTier, CancelAll, CancelIds, CancelOrder, CancelOrderList,
    CancelReplace, ChangeInstrument, CloseSession, Command, CreateAsset, CreateInstrument, DelistInstrument,
    HAS_TERMS, LedgerOperation, ListedOrder, OpenAccount, PlaceOrder, PlaceOrderList, QuantityKind,
    ResumeAccount, ResumeSource, SetBreaker, SetCancelTimer, SetFeeTier, SetKillSwitch, SetLimits,
    SetOrderFilters, SuspendAccount, change,
};
use crate::{
    AccountId, AssetId, ClientOrderId, FeeRate, HoldId, Instrument, InstrumentId, InstrumentStatus, OrderId,
    OrderListId, OrderTerms, OrderType, Price, Quantity, SelfTradePrevention, Side, SourceId, Time,
    TimeInForce,
    instrument::{FeeRates, Filters, Name},
    order::{CancelRestriction, CloseReason, ReplaceMode, RestingOrders},
    terms::{Breaker, Contingency, KillSwitch, OrderFilters},
};

/// A GTC limit buy of 3 at 5.
pub fn limit_order() -> PlaceOrder {
    PlaceOrder {
        account: AccountId(3),
        instrument: InstrumentId(1),
        side: Side::Buy,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::GoodTillCancel,
        self_trade_prevention: SelfTradePrevention::None,
        quantity_kind: QuantityKind::Base,
        ids: 0,
        price: Price(5),
        quantity: Quantity(3),
        expires_at: Time::NEVER,
    }
}

/// A cancel of order 1.
pub fn cancel_order() -> CancelOrder {
    CancelOrder {
        account: AccountId(3),
        instrument: InstrumentId(1),
        restriction: CancelRestriction::None,
        ids: 0,
        order_id: OrderId(1),
    }
}

/// BTCUSDT on assets 1 and 2 of scale 8, open filters, no fees, trading.
pub fn instrument() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        base: AssetId(1),
        quote: AssetId(2),
        price_scale: 2,
        quantity_scale: 5,
        status: InstrumentStatus::Trading,
        default_self_trade_prevention: SelfTradePrevention::None,
        reserved: [0; 6],
        symbol: name("BTCUSDT"),
        quote_per_unit: 10,
        base_per_unit: 1_000,
        filters: Filters::open(),
        fees: FeeRates { maker: FeeRate(0), taker: FeeRate(0) },
    }
}

/// An asset of scale 8 with room for 2^62 ledger units.
pub fn asset(text: &str) -> CreateAsset {
    CreateAsset { name: name(text), scale: 8, reserved: [0; 7], max_supply: crate::money::SUPPLY_MAX }
}

/// A name known to be well formed.
pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|| panic!("{text:?} is no name"))
}

/// A client order id known to be well formed.
pub fn client_order_id(text: &str) -> ClientOrderId {
    ClientOrderId::parse(text).unwrap_or_else(|| panic!("{text:?} is no client order id"))
}

/// At least one command of every kind, with and without ids.
pub fn every_command() -> Vec<Command> {
    let id = Some(client_order_id("my-order_1"));
    let with_ids = |text: &str| {
        let mask = u8::from(text.contains('o')) | u8::from(text.contains('r')) << 1;
        let ids = CancelIds {
            original: text.contains('o').then(|| client_order_id("original")),
            request: text.contains('r').then(|| client_order_id("request")),
        };
        (mask, ids)
    };
    let mut commands = vec![
        Command::PlaceOrder { order: limit_order(), client_order_id: None, terms: None },
        Command::PlaceOrder {
            order: PlaceOrder { ids: 1, ..limit_order() },
            client_order_id: id,
            terms: None,
        },
        Command::CancelAll(CancelAll {
            account: AccountId(3),
            instrument: InstrumentId(0),
            reason: CloseReason::Cancelled,
            reserved: 0,
        }),
        Command::Ledger(
            LedgerOperation::transfer(AccountId(4), AccountId(3), AssetId(1), 5).with_reference(1 << 100),
        ),
        Command::Batch(vec![
            LedgerOperation::hold(AccountId(3), AssetId(1), 5, Time(9)),
            LedgerOperation::capture(HoldId(1), AccountId(4), 2, true),
            LedgerOperation::release(HoldId(1), 0),
            LedgerOperation::extend_hold(HoldId(1), Time::NEVER),
        ]),
        Command::Tick,
        Command::OpenAccount(OpenAccount { trade_group: 1, fee_tier: 2, reserved: [0; 3] }),
        Command::SuspendAccount(SuspendAccount {
            account: AccountId(3),
            resting_orders: RestingOrders::Cancel,
            reserved: [0; 3],
        }),
        Command::ResumeAccount(ResumeAccount { account: AccountId(3), reserved: 0 }),
        Command::SetLimits(SetLimits {
            account: AccountId(3),
            asset: AssetId(2),
            reserved: 0,
            max_open_orders: 5,
            reserved_2: 0,
            max_order_notional: 6,
            max_open_notional: 7,
        }),
        Command::CreateAsset(asset("BTC")),
        Command::CreateInstrument(CreateInstrument { instrument: instrument() }),
        Command::ChangeInstrument(ChangeInstrument {
            instrument: InstrumentId(1),
            parts: change::STATUS | change::FEES,
            reserved: [0; 5],
            definition: instrument(),
        }),
        Command::SetFeeTier(SetFeeTier {
            instrument: InstrumentId(0),
            tier: 1,
            reserved: 0,
            rates: FeeRates { maker: FeeRate(-5), taker: FeeRate(9) },
            reserved_2: 0,
        }),
        Command::AssignFeeTier(AssignFeeTier { account: AccountId(3), tier: 1, reserved: [0; 3] }),
        Command::ActivateRules(ActivateRules { version: 1, reserved: 0 }),
        Command::ResumeSource(ResumeSource { source: SourceId(3), reserved: 0 }),
    ];
    for text in ["", "o", "r", "or"] {
        let (mask, ids) = with_ids(text);
        let cancel = CancelOrder { ids: mask, ..cancel_order() };
        commands.push(Command::CancelOrder { cancel, ids });
        let amend = AmendOrder {
            account: AccountId(3),
            instrument: InstrumentId(1),
            ids: mask,
            reserved: 0,
            order_id: OrderId(1),
            new_quantity: Quantity(1),
        };
        commands.push(Command::AmendOrder { amend, ids });
        let replace = CancelReplace {
            cancel,
            order: PlaceOrder { ids: 1, ..limit_order() },
            mode: ReplaceMode::AllowFailure,
            reserved: [0; 7],
        };
        commands.push(Command::CancelReplace { replace, ids, client_order_id: id, terms: None });
    }
    commands.extend(special_commands());
    commands
}

/// A GTC stop-loss limit sell of 3 at 5, triggered at 6.
pub fn stop_order() -> (PlaceOrder, OrderTerms) {
    let order = PlaceOrder { side: Side::Sell, order_type: OrderType::StopLossLimit, ..limit_order() };
    (order, OrderTerms { stop_price: Price(6), ..OrderTerms::NONE })
}

/// Commands about orders that are not plain, lists, and what stops trading.
fn special_commands() -> Vec<Command> {
    let id = Some(client_order_id("my-order_2"));
    let account = AccountId(3);
    let instrument = InstrumentId(1);
    let (stop, terms) = stop_order();
    let with_ids = |order, ids| PlaceOrder { ids, ..order };
    let stop_leg =
        ListedOrder { order: with_ids(stop, HAS_TERMS | 1), client_order_id: id, terms: Some(terms) };
    let plain_leg = ListedOrder { order: limit_order(), client_order_id: None, terms: None };
    let named_list =
        PlaceOrderList { account, instrument, contingency: Contingency::OneCancelsOther, ids: 1 };
    let three = PlaceOrderList { contingency: Contingency::OneTriggersOneCancelsOther, ids: 0, ..named_list };
    let replace = CancelReplace {
        cancel: cancel_order(),
        order: with_ids(stop, HAS_TERMS),
        mode: ReplaceMode::StopOnFailure,
        reserved: [0; 7],
    };
    vec![
        Command::PlaceOrder { order: with_ids(stop, HAS_TERMS), client_order_id: None, terms: Some(terms) },
        Command::PlaceOrder { order: with_ids(stop, HAS_TERMS | 1), client_order_id: id, terms: Some(terms) },
        Command::CancelReplace {
            replace,
            ids: CancelIds::default(),
            client_order_id: None,
            terms: Some(terms),
        },
        Command::PlaceOrderList { list: named_list, client_order_id: id, orders: vec![plain_leg, stop_leg] },
        Command::PlaceOrderList {
            list: three,
            client_order_id: None,
            orders: vec![plain_leg, plain_leg, stop_leg],
        },
        Command::CancelOrderList {
            cancel: CancelOrderList { account, instrument, ids: 1, reserved: 0, list_id: OrderListId(0) },
            ids: CancelIds { original: id, request: None },
        },
        Command::SetCancelTimer(SetCancelTimer { account, reserved: 0, timeout: 60_000_000_000 }),
        Command::SetKillSwitch(SetKillSwitch { account, switch: KillSwitch::On, reserved: [0; 3] }),
        Command::CloseSession(CloseSession { source: SourceId(2), reserved: 0, session: 9 }),
        Command::SetOrderFilters(SetOrderFilters {
            instrument,
            reserved: [0; 6],
            filters: OrderFilters::open(),
        }),
        Command::SetBreaker(SetBreaker { instrument, reserved: [0; 6], breaker: Breaker::OFF }),
        Command::DelistInstrument(DelistInstrument { instrument, reserved: [0; 6] }),
    ]
}
