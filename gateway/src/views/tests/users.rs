//! What an account's own stream is sent, in the order of events.

use crate::views::{
    TimeUnit, UserSubscription,
    sample::{ALICE, BOB, BTCUSDT, Exchange, START, accepted, closed, name, rested},
};
use protocol::{
    AccountId, AssetId, HoldId, OrderType, Price, Quantity, SelfTradePrevention, Side, Time,
    command::QuantityKind,
    event::{EventKind, HoldCaptured, HoldOpened, OrderAccepted, OrderAmended, Trade, TradePrevented},
    order::CloseReason,
};
use serde_json::{Value, json};

fn listen(exchange: &Exchange, account: AccountId) -> UserSubscription {
    exchange.views.user_feed().subscribe(account, TimeUnit::Millisecond)
}

fn received(subscription: &mut UserSubscription) -> Vec<Value> {
    std::iter::from_fn(|| subscription.try_receive())
        .map(|text| serde_json::from_str(&text).expect("JSON"))
        .collect()
}

/// The named keys of each event, as one list.
fn keys(events: &[Value], keys: &[&str]) -> Vec<Value> {
    events.iter().map(|event| keys.iter().map(|key| event[*key].clone()).collect()).collect()
}

#[test]
fn a_report_has_every_key() {
    let mut exchange = Exchange::open();
    let mut alice = listen(&exchange, ALICE);
    let number = exchange.next_event();
    exchange.rest(ALICE, Side::Buy, 5_000_000, 50_000, Some("mine"));
    let events = received(&mut alice);
    let time = START.millis();
    let expected = json!({
        "e": "executionReport", "E": time, "s": "BTCUSDT", "c": "mine", "S": "BUY", "o": "LIMIT",
        "f": "GTC", "q": "0.50000000", "p": "50000.00000000", "P": "0.00000000", "F": "0.00000000",
        "g": -1, "C": "", "x": "NEW", "X": "NEW", "r": "NONE", "i": 1, "l": "0.00000000",
        "z": "0.00000000", "L": "0.00000000", "n": "0.00000000", "N": null, "T": time, "t": -1,
        "I": 2 * number, "w": true, "m": false, "M": false, "O": time, "Z": "0.00000000",
        "Y": "0.00000000", "Q": "0.00000000", "W": time, "V": "NONE",
    });
    assert_eq!(events[0], expected);
    let position = json!({
        "e": "outboundAccountPosition", "E": time, "u": time,
        "B": [{"a": "USDT", "f": "975000.00000000", "l": "25000.00000000"}],
    });
    assert_eq!(events[1..], [position]);
}

#[test]
fn a_taker_is_accepted_before_it_trades_and_every_fill_is_reported() {
    let mut exchange = Exchange::open();
    let first = exchange.rest(ALICE, Side::Sell, 100, 10, None);
    let second = exchange.rest(ALICE, Side::Sell, 101, 10, None);
    let (mut alice, mut bob) = (listen(&exchange, ALICE), listen(&exchange, BOB));
    let order_id = exchange.next_order();
    let taker = accepted(order_id, BOB, Side::Buy, 101, 25);
    let fees = |trade: Trade| Trade { maker_fee: -7, taker_fee: 9, ..trade };
    let one = fees(exchange.trade_event(&first, &taker, 10, true));
    let two = fees(exchange.trade_event(&second, &taker, 10, true));
    let number = exchange.next_event();
    exchange.command(|events| {
        events.push(EventKind::OrderAccepted, &taker);
        events.push(EventKind::Trade, &one);
        events.push(EventKind::Trade, &two);
        events.push(EventKind::OrderRested, &rested(&taker, 5));
    });
    let events = received(&mut bob);
    let fields = ["x", "X", "t", "l", "z", "L", "Z", "Y", "n", "N", "m", "w", "I"];
    assert_eq!(
        keys(&events[..3], &fields),
        [
            json!([
                "NEW",
                "NEW",
                -1,
                "0.00000000",
                "0.00000000",
                "0.00000000",
                "0.00000000",
                "0.00000000",
                "0.00000000",
                null,
                false,
                true,
                2 * number
            ]),
            json!([
                "TRADE",
                "PARTIALLY_FILLED",
                1,
                "0.00010000",
                "0.00010000",
                "1.00000000",
                "0.00010000",
                "0.00010000",
                "0.00000009",
                "BTC",
                false,
                true,
                2 * (number + 1)
            ]),
            json!([
                "TRADE",
                "PARTIALLY_FILLED",
                2,
                "0.00010000",
                "0.00020000",
                "1.01000000",
                "0.00020100",
                "0.00010100",
                "0.00000009",
                "BTC",
                false,
                true,
                2 * (number + 2)
            ]),
        ]
    );
    assert_eq!(events[3]["B"].as_array().map(Vec::len), Some(2));
    assert_eq!(events.len(), 4);
    let events = received(&mut alice);
    assert_eq!(
        keys(&events[..2], &["x", "X", "i", "n", "N", "m", "w", "I"]),
        [
            json!(["TRADE", "FILLED", 1, "-0.00000007", "USDT", true, false, 2 * (number + 1) + 1]),
            json!(["TRADE", "FILLED", 2, "-0.00000007", "USDT", true, false, 2 * (number + 2) + 1]),
        ]
    );
    exchange.views.audit().expect("it adds up");
}

#[test]
fn ends_are_reported_in_the_dialects_words() {
    for (reason, request, expected) in [
        (CloseReason::Cancelled, Some("away"), json!(["CANCELED", "CANCELED", "mine", "away", false])),
        (CloseReason::ByOperator, None, json!(["CANCELED", "CANCELED", "mine", "rialto-cancel-1", false])),
        (CloseReason::TimeReached, None, json!(["EXPIRED", "EXPIRED", "", "mine", false])),
        (CloseReason::SelfTrade, None, json!(["TRADE_PREVENTION", "EXPIRED_IN_MATCH", "", "mine", false])),
    ] {
        let mut exchange = Exchange::open();
        let order = exchange.rest(ALICE, Side::Buy, 100, 8, Some("mine"));
        let mut alice = listen(&exchange, ALICE);
        let request = request.map(name);
        exchange.command(|events| {
            let closed = closed(&order, 8, reason, true);
            events.push_with_id(EventKind::OrderClosed, &closed, 2, request.as_ref());
        });
        assert_eq!(keys(&received(&mut alice)[..1], &["x", "X", "C", "c", "w"]), [expected]);
    }
}

#[test]
fn an_order_by_quote_a_lot_short_is_reported_filled_once() {
    let mut exchange = Exchange::open();
    let maker = exchange.rest(ALICE, Side::Sell, 100, 50, None);
    let mut bob = listen(&exchange, BOB);
    let taker = OrderAccepted {
        order_type: OrderType::Market,
        quantity_kind: QuantityKind::Quote,
        ..accepted(exchange.next_order(), BOB, Side::Buy, 0, 10_999)
    };
    let trade = exchange.trade_event(&maker, &taker, 10, false);
    exchange.command(|events| {
        events.push(EventKind::OrderAccepted, &taker);
        events.push(EventKind::Trade, &trade);
        let closed = closed(&taker, 999, CloseReason::LessThanOneLot, false);
        events.push(EventKind::OrderClosed, &closed);
    });
    let events = received(&mut bob);
    assert_eq!(
        keys(&events[..2], &["x", "X", "o", "f", "q", "Q", "p"]),
        [
            json!(["NEW", "NEW", "MARKET", "GTC", "0.00000000", "0.00010999", "0.00000000"]),
            json!(["TRADE", "FILLED", "MARKET", "GTC", "0.00010000", "0.00010999", "0.00000000"]),
        ]
    );
    assert_eq!(events[2]["e"], "outboundAccountPosition");
    assert_eq!(events.len(), 3);
}

#[test]
fn an_amend_is_reported_as_replaced() {
    let mut exchange = Exchange::open();
    let order = exchange.rest(ALICE, Side::Sell, 100, 50, Some("before"));
    let mut alice = listen(&exchange, ALICE);
    let amended = OrderAmended {
        order_id: order.order_id,
        account: ALICE,
        price: order.price,
        old_leaves: Quantity(50),
        new_leaves: Quantity(10),
        instrument: BTCUSDT,
        side: Side::Sell,
        waits: 0,
        holds_nothing: 0,
        reserved: [0; 3],
    };
    exchange.command(|events| {
        events.push_with_id(EventKind::OrderAmended, &amended, 2, Some(&name("after")));
    });
    let events = received(&mut alice);
    assert_eq!(
        keys(&events[..1], &["x", "X", "C", "c", "q"]),
        [json!(["REPLACED", "NEW", "before", "after", "0.00010000"])]
    );
}

#[test]
fn a_prevented_match_is_reported_to_each_order_it_touched() {
    for (mode, decrement, expected) in [
        (
            SelfTradePrevention::Decrement,
            10,
            vec![
                json!(["NEW", "NEW", 2, null]),
                json!(["TRADE_PREVENTION", "NEW", 2, "0.00010000"]),
                json!(["TRADE_PREVENTION", "EXPIRED_IN_MATCH", 1, "0.00010000"]),
            ],
        ),
        (
            SelfTradePrevention::ExpireMaker,
            0,
            vec![
                json!(["NEW", "NEW", 2, null]),
                json!(["TRADE_PREVENTION", "EXPIRED_IN_MATCH", 1, "0.00010000"]),
            ],
        ),
        (
            SelfTradePrevention::ExpireTaker,
            0,
            vec![
                json!(["NEW", "NEW", 2, null]),
                json!(["TRADE_PREVENTION", "EXPIRED_IN_MATCH", 2, "0.00010000"]),
            ],
        ),
    ] {
        let mut exchange = Exchange::open();
        let maker = exchange.rest(ALICE, Side::Sell, 100, 10, None);
        let mut alice = listen(&exchange, ALICE);
        let taker = accepted(exchange.next_order(), ALICE, Side::Buy, 100, 30);
        let prevented = TradePrevented {
            prevented_match_id: 4,
            maker_order_id: maker.order_id,
            taker_order_id: taker.order_id,
            maker_account: ALICE,
            taker_account: ALICE,
            price: Price(100),
            instrument: BTCUSDT,
            taker_side: Side::Buy,
            mode,
            quantity: Quantity(10),
            maker_decrement: Quantity(decrement),
        };
        exchange.command(|events| {
            events.push(EventKind::OrderAccepted, &taker);
            events.push(EventKind::TradePrevented, &prevented);
            match mode {
                SelfTradePrevention::ExpireMaker => {
                    let closed = closed(&maker, 10, CloseReason::SelfTrade, true);
                    events.push(EventKind::OrderClosed, &closed);
                }
                SelfTradePrevention::ExpireTaker => {
                    let closed = closed(&taker, 30, CloseReason::SelfTrade, false);
                    events.push(EventKind::OrderClosed, &closed);
                }
                _ => {}
            }
        });
        let events = received(&mut alice);
        let reports: Vec<_> = events.into_iter().filter(|event| event["e"] == "executionReport").collect();
        assert_eq!(keys(&reports, &["x", "X", "i", "B"]), expected, "{mode:?}");
        let last = reports.last().expect("reports");
        let known = ["v", "A", "u", "Cs", "pl", "pL", "pY"].map(|key| last[key].clone());
        let expected = ["4", "0.00010000", "7", "BTCUSDT", "0.00010000", "1.00000000", "0.00010000"];
        assert_eq!(known.map(|value| value.as_str().map_or(value.to_string(), str::to_owned)), expected);
    }
}

#[test]
fn money_that_comes_or_goes_is_told_before_the_balance() {
    let mut exchange = Exchange::open();
    let mut alice = listen(&exchange, ALICE);
    let mut micros = exchange.views.user_feed().subscribe(ALICE, TimeUnit::Microsecond);
    exchange.transfer(ALICE, 2, 500);
    let events = received(&mut alice);
    let time = START.millis();
    assert_eq!(
        events,
        [
            json!({"e": "balanceUpdate", "E": time, "a": "USDT", "d": "0.00000500", "T": time}),
            json!({"e": "outboundAccountPosition", "E": time, "u": time,
                "B": [{"a": "USDT", "f": "1000000.00000500", "l": "0.00000000"}]}),
        ]
    );
    assert_eq!(received(&mut micros)[0]["T"], START.micros());

    let (hold_id, asset) = (HoldId(1), AssetId(2));
    exchange.command(|events| {
        let opened = HoldOpened {
            hold_id,
            account: ALICE,
            purpose: 0,
            amount: 400,
            expires_at: Time::NEVER,
            reference: [0; 2],
            asset,
            reserved: [0; 6],
        };
        events.push(EventKind::HoldOpened, &opened);
    });
    exchange.command(|events| {
        let captured = HoldCaptured {
            hold_id,
            account: ALICE,
            to: BOB,
            amount: 300,
            released: 100,
            reference: [0; 2],
            asset,
            closed: 1,
            reserved: [0; 5],
        };
        events.push(EventKind::HoldCaptured, &captured);
    });
    let events = received(&mut alice);
    assert_eq!(
        keys(&events, &["e", "d"]),
        [
            json!(["outboundAccountPosition", null]),
            json!(["balanceUpdate", "-0.00000300"]),
            json!(["outboundAccountPosition", null]),
        ]
    );
    exchange.views.audit().expect("it adds up");
}

#[test]
fn recovery_is_silent() {
    let mut exchange = Exchange::new(crate::views::Bounds::default());
    let mut alice = listen(&exchange, ALICE);
    exchange.rest(ALICE, Side::Buy, 100, 8, None);
    assert_eq!(received(&mut alice), [Value::Null; 0]);
}
