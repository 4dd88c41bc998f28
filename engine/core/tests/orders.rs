//! Orders, one behaviour a test: terms, filters, matching, self-trade prevention, fees, and what
//! is left in balances to the last unit (C-TRD-01 to -10, C-ORD-02, C-ORD-05).

mod exchange;

use exchange::{
    ALICE, BOB, BTC, BTCUSDT, CAROL, Exchange, USDT, immediate, limit, market, market_by_quote, trades,
};
use protocol::{
    FeeRate, InstrumentId, OrderType, Price, Quantity, Reject, SelfTradePrevention, Side, Time, TimeInForce,
    command::{AssignFeeTier, ChangeInstrument, Command, PlaceOrder, QuantityKind, SetFeeTier, change},
    event::Event,
    instrument::{FeeRates, Filters},
    order::CloseReason,
    reject::Outcome,
};

type Books = engine_core::LadderBooks;

fn new() -> Exchange<Books> {
    Exchange::new()
}

fn refused(reject: Reject) -> Outcome {
    Outcome::Refused(reject)
}

fn set(exchange: &mut Exchange<Books>, parts: u8, spoil: impl Fn(&mut protocol::Instrument)) -> Outcome {
    let mut definition = exchange.engine.market(BTCUSDT).expect("there").instrument;
    spoil(&mut definition);
    let change = ChangeInstrument { instrument: BTCUSDT, parts, reserved: [0; 5], definition };
    exchange.apply(&Command::ChangeInstrument(change)).outcome
}

/// Why each order that was closed by this command was closed.
fn closes(did: &exchange::Did) -> Vec<(u64, CloseReason)> {
    did.events
        .iter()
        .filter_map(|event| match event {
            Event::OrderClosed(closed, _) => Some((closed.order_id.0, closed.reason)),
            _ => None,
        })
        .collect()
}

#[test]
fn price_comes_first_then_time() {
    let mut exchange = new();
    for (account, price, quantity) in [(ALICE, 102, 5), (BOB, 101, 5), (ALICE, 101, 5), (BOB, 103, 5)] {
        exchange.place(limit(account, Side::Sell, price, quantity));
    }
    let did = exchange.place(limit(CAROL, Side::Buy, 102, 12));
    assert_eq!(trades(&did), [(2, 101, 5), (3, 101, 5), (1, 102, 2)]);
    assert_eq!(exchange.side(Side::Sell), [(1, 102, 3), (4, 103, 5)]);
    assert_eq!(exchange.side(Side::Buy), []);
}

#[test]
fn a_better_fill_gives_back_the_difference_at_once() {
    let mut exchange = new();
    let before = exchange.balance(BOB, USDT);
    exchange.place(limit(ALICE, Side::Sell, 90, 4));
    exchange.place(limit(BOB, Side::Buy, 100, 10));
    // 4 at 90 are paid, 6 at 100 are held; a price unit of one quantity unit is 10 ledger units.
    assert_eq!(exchange.balance(BOB, USDT), (before.0 - 4 * 90 * 10 - 6 * 100 * 10, 6 * 100 * 10));
    assert_eq!(exchange.balance(BOB, BTC).0, 1_000_000_000_000_000 + 4 * 1_000);
}

#[test]
fn fees_are_charged_in_the_asset_received_and_round_up() {
    let mut exchange = new();
    let rates = FeeRates { maker: FeeRate(150_000), taker: FeeRate(250_000) };
    exchange.done(&Command::SetFeeTier(SetFeeTier {
        instrument: BTCUSDT,
        tier: 0,
        reserved: 0,
        rates,
        reserved_2: 0,
    }));
    let start = 1_000_000_000_000_000;
    exchange.place(limit(ALICE, Side::Sell, 33, 7));
    exchange.place(limit(BOB, Side::Buy, 33, 7));
    // Alice receives 2,310 USDT units: 0.15 % is 3.465, so 4. Bob receives 7,000: 0.25 % is 17.5.
    assert_eq!(exchange.balance(ALICE, USDT).0, start + 2_310 - 4);
    assert_eq!(exchange.balance(BOB, BTC).0, start + 7_000 - 18);
    assert_eq!(exchange.balance(protocol::AccountId::FEES, USDT).0, 4);
    assert_eq!(exchange.balance(protocol::AccountId::FEES, BTC).0, 18);
}

#[test]
fn rebates_round_down_and_are_no_more_than_the_fee_account_has() {
    let mut exchange = new();
    let rates = FeeRates { maker: FeeRate(-150_000), taker: FeeRate(0) };
    exchange.done(&Command::SetFeeTier(SetFeeTier {
        instrument: InstrumentId(0),
        tier: 3,
        reserved: 0,
        rates,
        reserved_2: 0,
    }));
    exchange.done(&Command::AssignFeeTier(AssignFeeTier { account: ALICE, tier: 3, reserved: [0; 3] }));
    exchange.credit(protocol::AccountId::FEES, USDT, 5);
    let start = exchange.balance(ALICE, USDT).0;
    exchange.place(limit(ALICE, Side::Sell, 33, 14));
    exchange.place(limit(BOB, Side::Buy, 33, 7));
    assert_eq!(exchange.balance(ALICE, USDT).0, start + 2_310 + 3, "3.465 rounds down");
    exchange.place(limit(BOB, Side::Buy, 33, 7));
    assert_eq!(exchange.balance(ALICE, USDT).0, start + 4_620 + 5, "only 2 were left");
    assert_eq!(exchange.balance(protocol::AccountId::FEES, USDT).0, 0);
}

#[test]
fn orders_are_refused_with_the_first_rule_they_break() {
    let mut exchange = new();
    set(&mut exchange, change::FILTERS, |instrument| {
        instrument.filters = Filters {
            tick_size: Price(5),
            min_price: Price(10),
            max_price: Price(1_000),
            lot_size: Quantity(2),
            min_quantity: Quantity(4),
            max_quantity: Quantity(1_000_000),
            max_market_quantity: Quantity(100),
            min_notional: 1_001,
            max_notional: 999_999_999,
            bid_multiplier_up: 20_000,
            ask_multiplier_down: 5_000,
            ..Filters::open()
        };
    });
    set(&mut exchange, change::REFERENCE_PRICE, |instrument| instrument.filters.reference_price = Price(100));
    let good = limit(ALICE, Side::Buy, 100, 10);
    let poor = protocol::AccountId(5_000);
    let cases: [(PlaceOrder, Reject); 22] = [
        (PlaceOrder { account: poor, ..good }, Reject::UnknownAccount),
        (PlaceOrder { account: protocol::AccountId::FEES, ..good }, Reject::NotAllowedForSystemAccount),
        (PlaceOrder { instrument: InstrumentId(9), ..good }, Reject::UnknownInstrument),
        (PlaceOrder { instrument: InstrumentId(0), ..good }, Reject::UnknownInstrument),
        (PlaceOrder { price: Price(0), ..good }, Reject::BadCombination),
        (PlaceOrder { expires_at: Time(1), ..good }, Reject::BadCombination),
        (PlaceOrder { time_in_force: TimeInForce::GoodTillDate, ..good }, Reject::BadCombination),
        (
            PlaceOrder { time_in_force: TimeInForce::GoodTillDate, expires_at: Time(5), ..good },
            Reject::ExpiryInThePast,
        ),
        (PlaceOrder { order_type: OrderType::LimitMaker, ..immediate(good) }, Reject::BadCombination),
        (PlaceOrder { order_type: OrderType::LimitMaker, price: Price(0), ..good }, Reject::BadCombination),
        (
            PlaceOrder { order_type: OrderType::LimitMaker, quantity_kind: QuantityKind::Quote, ..good },
            Reject::BadCombination,
        ),
        (PlaceOrder { price: Price(100), ..market(ALICE, Side::Buy, 10) }, Reject::BadCombination),
        (PlaceOrder { price: Price(101), ..good }, Reject::PriceFilter),
        (PlaceOrder { price: Price(5), ..good }, Reject::PriceFilter),
        (PlaceOrder { quantity: Quantity(5), ..good }, Reject::LotSize),
        (PlaceOrder { quantity: Quantity(2), ..good }, Reject::LotSize),
        (PlaceOrder { price: Price(10), ..good }, Reject::Notional),
        (PlaceOrder { quantity: Quantity(1_000_000), ..good }, Reject::Notional),
        (PlaceOrder { price: Price(205), ..good }, Reject::PercentPrice),
        (
            PlaceOrder { price: Price(45), quantity: Quantity(30), ..limit(ALICE, Side::Sell, 0, 0) },
            Reject::PercentPrice,
        ),
        (market(ALICE, Side::Buy, 102), Reject::MarketLotSize),
        (market(ALICE, Side::Buy, 10), Reject::NotEnoughLiquidity),
    ];
    let hash_of_orders =
        |exchange: &Exchange<Books>| exchange.side(Side::Buy).len() + exchange.side(Side::Sell).len();
    for (order, reject) in cases {
        let did = exchange.place(order);
        assert_eq!((did.outcome, did.events.as_slice()), (refused(reject), &[][..]), "{order:?}");
    }
    assert_eq!(hash_of_orders(&exchange), 0);
    assert_eq!(exchange.place(good).outcome, Outcome::Done);
}

#[test]
fn funds_are_needed_and_held() {
    let mut exchange = new();
    let (usdt, btc) = (exchange.balance(ALICE, USDT).0, exchange.balance(ALICE, BTC).0);
    let too_much = limit(ALICE, Side::Buy, 1_000_000, usdt as u64 / 10_000_000 + 1);
    assert_eq!(exchange.place(too_much).outcome, refused(Reject::InsufficientBalance));
    let all = limit(ALICE, Side::Buy, 1_000_000, usdt as u64 / 10_000_000);
    assert_eq!(exchange.place(all).outcome, Outcome::Done);
    assert_eq!(exchange.balance(ALICE, USDT), (0, usdt));
    exchange.cancel(ALICE, 1);
    assert_eq!(exchange.balance(ALICE, USDT), (usdt, 0));
    let too_much = limit(ALICE, Side::Sell, 1, btc as u64 / 1_000 + 1);
    assert_eq!(exchange.place(too_much).outcome, refused(Reject::InsufficientBalance));
    let all = limit(ALICE, Side::Sell, 1, btc as u64 / 1_000);
    assert_eq!(exchange.place(all).outcome, Outcome::Done);
    assert_eq!(exchange.balance(ALICE, BTC), (0, btc));
}

#[test]
fn a_market_buy_costs_exactly_what_the_book_says_or_is_refused() {
    let mut exchange = new();
    for (price, quantity) in [(100, 3), (110, 3)] {
        exchange.place(limit(ALICE, Side::Sell, price, quantity));
    }
    let external = exchange.engine.ledger().asset(USDT).expect("there").external;
    let usdt = exchange.balance(BOB, USDT).0;
    let leave =
        |amount| Command::Ledger(protocol::command::LedgerOperation::transfer(BOB, external, USDT, amount));
    // 3 at 100 and 2 at 110 cost 5,200 ledger units.
    exchange.done(&leave(usdt - 5_199));
    assert_eq!(exchange.place(market(BOB, Side::Buy, 5)).outcome, refused(Reject::InsufficientBalance));
    exchange.credit(BOB, USDT, 1);
    assert_eq!(trades(&exchange.place(market(BOB, Side::Buy, 5))), [(1, 100, 3), (2, 110, 2)]);
    assert_eq!(exchange.balance(BOB, USDT), (0, 0));
}

#[test]
fn market_orders_take_what_there_is_and_the_rest_expires() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Sell, 100, 3));
    let did = exchange.place(market(BOB, Side::Buy, 5));
    assert_eq!((trades(&did), closes(&did)), (vec![(1, 100, 3)], vec![(2, CloseReason::NoMoreLiquidity)]));
}

#[test]
fn no_market_order_trades_beyond_the_protection_price() {
    let mut exchange = new();
    set(&mut exchange, change::FILTERS, |instrument| instrument.filters.bid_multiplier_up = 15_000);
    set(&mut exchange, change::REFERENCE_PRICE, |instrument| instrument.filters.reference_price = Price(100));
    for price in [140, 150, 151] {
        exchange.place(limit(ALICE, Side::Sell, price, 1));
    }
    let did = exchange.place(market(BOB, Side::Buy, 3));
    assert_eq!(trades(&did), [(1, 140, 1), (2, 150, 1)]);
    assert_eq!(closes(&did), [(4, CloseReason::ProtectionPrice)]);
}

#[test]
fn market_orders_by_quote_quantity_spend_or_raise_no_more_than_that() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Sell, 100, 3));
    exchange.place(limit(ALICE, Side::Sell, 110, 3));
    // 3 at 100 cost 3,000; 1,999 more buy one at 110; 899 are left, less than a lot.
    let did = exchange.place(market_by_quote(BOB, Side::Buy, 4_999));
    assert_eq!(
        (trades(&did), closes(&did)),
        (vec![(1, 100, 3), (2, 110, 1)], vec![(3, CloseReason::LessThanOneLot)])
    );
    exchange.place(limit(ALICE, Side::Buy, 90, 10));
    let did = exchange.place(market_by_quote(BOB, Side::Sell, 1_800));
    assert_eq!((trades(&did), closes(&did)), (vec![(4, 90, 2)], vec![]));
}

#[test]
fn post_only_orders_never_take() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Sell, 100, 3));
    let post_only =
        |price| PlaceOrder { order_type: OrderType::LimitMaker, ..limit(BOB, Side::Buy, price, 1) };
    assert_eq!(exchange.place(post_only(100)).outcome, refused(Reject::WouldTake));
    assert_eq!(exchange.place(post_only(99)).outcome, Outcome::Done);
    assert_eq!(exchange.side(Side::Buy), [(2, 99, 1)]);
}

#[test]
fn immediate_and_fill_or_kill_orders_do_not_rest() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Sell, 100, 3));
    exchange.place(limit(ALICE, Side::Sell, 101, 3));
    let fill_or_kill = |price, quantity| PlaceOrder {
        time_in_force: TimeInForce::FillOrKill,
        ..limit(BOB, Side::Buy, price, quantity)
    };
    let did = exchange.place(fill_or_kill(100, 4));
    assert_eq!((trades(&did), closes(&did)), (vec![], vec![(3, CloseReason::NotFillableWhole)]));
    assert_eq!(trades(&exchange.place(fill_or_kill(101, 4))), [(1, 100, 3), (2, 101, 1)]);
    let did = exchange.place(immediate(limit(BOB, Side::Buy, 101, 5)));
    assert_eq!((trades(&did), closes(&did)), (vec![(2, 101, 2)], vec![(5, CloseReason::NoMoreLiquidity)]));
    assert_eq!((exchange.side(Side::Buy), exchange.side(Side::Sell)), (vec![], vec![]));
}

#[test]
fn orders_with_a_date_end_at_it_before_any_command() {
    let mut exchange = new();
    let ends = Time(exchange.time.0 + 10);
    let order = PlaceOrder {
        time_in_force: TimeInForce::GoodTillDate,
        expires_at: ends,
        ..limit(ALICE, Side::Sell, 100, 3)
    };
    let held = exchange.balance(ALICE, BTC);
    exchange.place(order);
    assert_eq!(exchange.engine.next_expiry(), Some(ends));
    exchange.time = ends;
    let did = exchange.place(limit(BOB, Side::Buy, 100, 3));
    assert_eq!((trades(&did), closes(&did)), (vec![], vec![(1, CloseReason::TimeReached)]));
    assert_eq!((exchange.balance(ALICE, BTC), exchange.engine.next_expiry()), (held, None));
}

#[test]
fn an_order_whose_time_came_does_not_trade_though_too_many_are_due_at_once() {
    let mut exchange = new();
    exchange.audited = false;
    let ends = Time(exchange.time.0 + 10);
    let order = PlaceOrder {
        time_in_force: TimeInForce::GoodTillDate,
        expires_at: ends,
        ..limit(ALICE, Side::Sell, 100, 3)
    };
    set(&mut exchange, change::FILTERS, |instrument| instrument.filters.max_account_orders = 2_000);
    let later = PlaceOrder { expires_at: Time(ends.0 + 1), ..order };
    // It is the first in the queue: what is over stands behind it.
    let alive = exchange.place(PlaceOrder { quantity: Quantity(1), ..later }).result;
    for _ in 0..1_100 {
        assert_eq!(exchange.place(order).outcome, Outcome::Done);
    }
    exchange.time = ends;
    let did = exchange.place(immediate(limit(BOB, Side::Buy, 100, 3)));
    assert_eq!(trades(&did), vec![(alive, 100, 1)], "nothing that is over trades, and what is not does");
    assert!(closes(&did)[..1_100].iter().all(|(_, reason)| *reason == CloseReason::TimeReached));
    assert_eq!((exchange.side(Side::Sell), exchange.engine.next_expiry()), (vec![], None));
}

#[test]
fn self_trade_prevention_by_account_and_by_group() {
    let cases = [
        // (mode, trades, taker rests, maker rests)
        (SelfTradePrevention::None, 1, 0, 0),
        (SelfTradePrevention::ExpireTaker, 0, 0, 5),
        (SelfTradePrevention::ExpireMaker, 0, 8, 0),
        (SelfTradePrevention::ExpireBoth, 0, 0, 0),
        (SelfTradePrevention::Decrement, 0, 3, 0),
    ];
    // Bob and Carol are one firm; Alice is alone.
    for (maker, taker) in [(ALICE, ALICE), (BOB, CAROL)] {
        for (mode, expected_trades, taker_rests, maker_rests) in cases {
            let mut exchange = new();
            exchange.place(limit(maker, Side::Sell, 100, 5));
            let did =
                exchange.place(PlaceOrder { self_trade_prevention: mode, ..limit(taker, Side::Buy, 100, 8) });
            assert_eq!(trades(&did).len(), expected_trades, "{mode:?}");
            let rests = |side| exchange.side(side).iter().map(|order| order.2).sum::<u64>();
            let taker_rests = if mode == SelfTradePrevention::None { 3 } else { taker_rests };
            assert_eq!((rests(Side::Buy), rests(Side::Sell)), (taker_rests, maker_rests), "{mode:?}");
        }
    }
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Sell, 100, 5));
    let mode = SelfTradePrevention::ExpireBoth;
    let did = exchange.place(PlaceOrder { self_trade_prevention: mode, ..limit(BOB, Side::Buy, 100, 5) });
    assert_eq!(trades(&did), [(1, 100, 5)], "strangers trade");
}

#[test]
fn trade_ids_are_consecutive_and_aggregates_join_one_takers_fills_at_a_price() {
    let mut exchange = new();
    for price in [100, 100, 101] {
        exchange.place(limit(ALICE, Side::Sell, price, 1));
    }
    let ids = |did: &exchange::Did| -> Vec<(u64, u64)> {
        did.events
            .iter()
            .filter_map(|event| match event {
                Event::Trade(trade) => Some((trade.trade_id.0, trade.aggregate_id)),
                _ => None,
            })
            .collect()
    };
    assert_eq!(ids(&exchange.place(limit(BOB, Side::Buy, 101, 3))), [(1, 1), (2, 1), (3, 2)]);
    exchange.place(limit(ALICE, Side::Sell, 101, 1));
    assert_eq!(ids(&exchange.place(limit(BOB, Side::Buy, 101, 1))), [(4, 3)]);
}
