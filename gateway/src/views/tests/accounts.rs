//! Balances, orders and own trades after events.

use crate::views::{
    Balance, Bounds, Order, OrderQuery, OrderStatus, OwnTradeQuery,
    sample::{ALICE, BOB, BTCUSDT, Exchange, MINUTE, START, accepted, closed, name, rested},
};
use protocol::{
    AccountId, AssetId, FeeRate, InstrumentId, OrderId, OrderType, Price, Quantity, SelfTradePrevention,
    Side, Time, TradeId,
    command::{QuantityKind, SetLimits, sample},
    event::{
        AccountResumed, AccountSuspended, EventKind, FeeTierAssigned, FeeTierSet, LimitsSet, OrderAmended,
        TradePrevented,
    },
    instrument::FeeRates,
    order::{CloseReason, RestingOrders},
};

const USDT: AssetId = AssetId(2);
const BTC: AssetId = AssetId(1);

fn order(exchange: &Exchange, account: AccountId, id: u64) -> Order {
    exchange.views.accounts().order(account, OrderId(id)).expect("the order is kept")
}

#[test]
fn a_resting_order_holds_and_shows() {
    let mut exchange = Exchange::open();
    exchange.rest(ALICE, Side::Buy, 5_000_000, 50_000, Some("mine"));
    // 0.5 BTC at 50,000 is 25,000 USDT.
    let held = 2_500_000_000_000;
    let balance = exchange.views.accounts().balance(ALICE, USDT);
    assert_eq!(balance, Balance { available: 100_000_000_000_000 - held, held });
    let shown = order(&exchange, ALICE, 1);
    assert_eq!((shown.status, shown.leaves, shown.is_resting), (OrderStatus::New, Quantity(50_000), true));
    assert_eq!((shown.time, shown.working_time), (START, Some(START)));
    let accounts = exchange.views.accounts();
    assert_eq!(accounts.order_named(ALICE, &name("mine")), Some(shown));
    assert_eq!(accounts.order_named(BOB, &name("mine")), None);
    assert_eq!(accounts.order_named(ALICE, &name("rialto-1")), None, "it has a name of its own");
    assert_eq!(accounts.open_orders(ALICE, Some(BTCUSDT)), [shown]);
    assert_eq!(accounts.open_orders(ALICE, Some(InstrumentId(2))), []);
    assert_eq!(exchange.views.position().0.0, exchange.sequence);
    exchange.views.audit().expect("it adds up");
}

#[test]
fn trades_fill_both_sides() {
    let mut exchange = Exchange::open();
    let maker = exchange.rest(ALICE, Side::Sell, 5_000_000, 50_000, None);
    exchange.take(&maker, BOB, 20_000, 0, false);
    let (ask, bid) = (order(&exchange, ALICE, 1), order(&exchange, BOB, 2));
    assert_eq!(
        (ask.status, ask.executed, ask.leaves),
        (OrderStatus::PartiallyFilled, Quantity(20_000), Quantity(30_000))
    );
    assert_eq!((bid.status, bid.executed, bid.is_resting), (OrderStatus::Filled, Quantity(20_000), false));
    assert_eq!((ask.cumulative_quote, bid.cumulative_quote), (1_000_000_000_000, 1_000_000_000_000));
    assert_eq!(ask.client_order_id.as_str(), "rialto-1");
    assert_eq!(exchange.views.accounts().order_named(ALICE, &name("rialto-1")), Some(ask));
    assert_eq!(exchange.views.accounts().balance(BOB, BTC).available, 100_000_000_000_000 + 20_000_000);

    exchange.take(&maker, BOB, 30_000, 5_000, true);
    assert_eq!(order(&exchange, ALICE, 1).status, OrderStatus::Filled);
    let left = order(&exchange, BOB, 3);
    assert_eq!(
        (left.status, left.leaves, left.is_resting),
        (OrderStatus::PartiallyFilled, Quantity(5_000), true)
    );
    assert_eq!(exchange.views.accounts().open_orders(ALICE, None), []);

    let query = OwnTradeQuery {
        instrument: BTCUSDT,
        order_id: None,
        from_id: None,
        start: None,
        end: None,
        limit: 1,
    };
    let own = exchange.views.accounts().own_trades(ALICE, &query).found;
    assert_eq!(own.len(), 1, "the last");
    assert_eq!((own[0].trade_id, own[0].is_maker, own[0].side), (TradeId(2), true, Side::Sell));
    assert_eq!((own[0].commission_asset, own[0].quote), (USDT, 1_500_000_000_000));
    let of_order = OwnTradeQuery { order_id: Some(OrderId(2)), limit: 9, ..query };
    assert_eq!(exchange.views.accounts().own_trades(BOB, &of_order).found[0].trade_id, TradeId(1));
    let from = OwnTradeQuery { from_id: Some(TradeId(1)), ..query };
    assert_eq!(exchange.views.accounts().own_trades(BOB, &from).found[0].trade_id, TradeId(1));
    exchange.views.audit().expect("it adds up");
}

#[test]
fn how_an_order_ends_says_its_status() {
    for (reason, status) in [
        (CloseReason::Cancelled, OrderStatus::Canceled),
        (CloseReason::Replaced, OrderStatus::Canceled),
        (CloseReason::AccountSuspended, OrderStatus::Canceled),
        (CloseReason::ByOperator, OrderStatus::Canceled),
        (CloseReason::NoMoreLiquidity, OrderStatus::Expired),
        (CloseReason::NotFillableWhole, OrderStatus::Expired),
        (CloseReason::TimeReached, OrderStatus::Expired),
        (CloseReason::ProtectionPrice, OrderStatus::Expired),
        (CloseReason::LessThanOneLot, OrderStatus::Expired),
        (CloseReason::SelfTrade, OrderStatus::ExpiredInMatch),
    ] {
        let mut exchange = Exchange::open();
        let resting = exchange.rest(ALICE, Side::Buy, 100, 8, None);
        exchange.now = Time(START.0 + 1);
        exchange.command(|events| events.push(EventKind::OrderClosed, &closed(&resting, 8, reason, true)));
        let ended = order(&exchange, ALICE, 1);
        assert_eq!((ended.status, ended.close_reason), (status, Some(reason)));
        assert_eq!((ended.time, ended.update_time), (START, exchange.now));
        assert_eq!(exchange.views.accounts().open_orders(ALICE, None), []);
        assert_eq!(exchange.views.accounts().balance(ALICE, USDT).held, 0);
        exchange.views.audit().expect("it adds up");
    }
}

#[test]
fn a_market_order_by_quote_is_filled_less_than_a_lot_short() {
    let mut exchange = Exchange::open();
    let maker = exchange.rest(ALICE, Side::Sell, 100, 50, None);
    for (asked, left, status) in [
        (10_000, 0, OrderStatus::Filled),
        (10_999, 999, OrderStatus::Filled),
        (20_000, 10_000, OrderStatus::Expired),
    ] {
        let order_id = exchange.next_order();
        let taker = protocol::event::OrderAccepted {
            order_type: OrderType::Market,
            quantity_kind: QuantityKind::Quote,
            ..accepted(order_id, BOB, Side::Buy, 0, asked)
        };
        let trade = exchange.trade_event(&maker, &taker, 10, false);
        let reason = if left == 999 { CloseReason::LessThanOneLot } else { CloseReason::NoMoreLiquidity };
        exchange.command(|events| {
            events.push(EventKind::OrderAccepted, &taker);
            events.push(EventKind::Trade, &trade);
            if left > 0 {
                events.push(EventKind::OrderClosed, &closed(&taker, left, reason, false));
            }
        });
        let shown = order(&exchange, BOB, order_id.0);
        assert_eq!(shown.status, status, "{asked}");
        assert_eq!(
            (shown.original_quantity(), shown.original_quote_quantity()),
            (Quantity(10), asked as i64)
        );
    }
    exchange.views.audit().expect("it adds up");
}

#[test]
fn a_command_split_into_chunks_is_read_as_one() {
    // The last trade and the close that makes it the last stand in different chunks for some of
    // these counts.
    for trades in 1..120 {
        let mut exchange = Exchange::open();
        let maker = exchange.rest(ALICE, Side::Sell, 100, 1_000, None);
        let taker = protocol::event::OrderAccepted {
            order_type: OrderType::Market,
            quantity_kind: QuantityKind::Quote,
            ..accepted(exchange.next_order(), BOB, Side::Buy, 0, trades * 1_000 + 999)
        };
        let fills: Vec<_> = (0..trades).map(|_| exchange.trade_event(&maker, &taker, 1, false)).collect();
        exchange.command(|events| {
            events.push(EventKind::OrderAccepted, &taker);
            for fill in &fills {
                events.push(EventKind::Trade, fill);
            }
            let closed = closed(&taker, 999, CloseReason::LessThanOneLot, false);
            events.push(EventKind::OrderClosed, &closed);
        });
        let shown = order(&exchange, BOB, taker.order_id.0);
        assert_eq!((shown.status, shown.executed), (OrderStatus::Filled, Quantity(trades)), "{trades}");
    }
}

#[test]
fn an_amended_order_is_smaller_and_renamed() {
    let mut exchange = Exchange::open();
    let resting = exchange.rest(ALICE, Side::Sell, 100, 50, Some("before"));
    exchange.take(&resting, BOB, 20, 0, false);
    let amended = OrderAmended {
        order_id: resting.order_id,
        account: ALICE,
        price: resting.price,
        old_leaves: Quantity(30),
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
    let shown = order(&exchange, ALICE, 1);
    assert_eq!((shown.asked, shown.executed, shown.leaves), (Quantity(30), Quantity(20), Quantity(10)));
    assert_eq!(shown.client_order_id, name("after"));
    assert_eq!(exchange.views.accounts().order_named(ALICE, &name("before")), None);
    assert_eq!(exchange.views.accounts().order_named(ALICE, &name("after")), Some(shown));
    exchange.views.audit().expect("it adds up");
}

#[test]
fn a_decremented_order_ends_without_a_close() {
    let mut exchange = Exchange::open();
    let resting = exchange.rest(ALICE, Side::Sell, 100, 50, None);
    let order_id = exchange.next_order();
    let taker = accepted(order_id, ALICE, Side::Buy, 100, 80);
    let prevented = TradePrevented {
        prevented_match_id: 1,
        maker_order_id: resting.order_id,
        taker_order_id: order_id,
        maker_account: ALICE,
        taker_account: ALICE,
        price: Price(100),
        instrument: BTCUSDT,
        taker_side: Side::Buy,
        mode: SelfTradePrevention::Decrement,
        quantity: Quantity(50),
        maker_decrement: Quantity(50),
    };
    exchange.command(|events| {
        events.push(EventKind::OrderAccepted, &taker);
        events.push(EventKind::TradePrevented, &prevented);
        events.push(EventKind::OrderRested, &rested(&taker, 30));
    });
    let (maker, taker) = (order(&exchange, ALICE, 1), order(&exchange, ALICE, 2));
    assert_eq!((maker.status, maker.prevented), (OrderStatus::ExpiredInMatch, Quantity(50)));
    assert_eq!((taker.status, taker.prevented, taker.leaves), (OrderStatus::New, Quantity(50), Quantity(30)));
    assert_eq!(taker.last_prevention.map(|prevention| prevention.counter_order_id), Some(OrderId(1)));
    exchange.views.audit().expect("it adds up");
}

#[test]
fn orders_are_asked_for_by_id_and_time() {
    let mut exchange = Exchange::open();
    for minute in 0..5 {
        exchange.now = Time(START.0 + minute * MINUTE);
        let resting = exchange.rest(ALICE, Side::Buy, 100, 8, Some("again"));
        if minute < 4 {
            exchange.close(&resting, 8, None);
        }
    }
    let at = |minute: u64| Some(Time(START.0 + minute * MINUTE));
    for (from_id, start, end, limit, expected) in [
        (None, None, None, 2, &[4, 5][..]),
        (Some(2), None, None, 2, &[2, 3]),
        (None, at(1), None, 2, &[2, 3]),
        (None, at(1), at(2), 9, &[2, 3]),
        (None, None, at(2), 2, &[2, 3]),
        (Some(9), None, None, 9, &[]),
    ] {
        let query = OrderQuery {
            instrument: Some(BTCUSDT),
            from_id: from_id.map(OrderId),
            until_id: None,
            start,
            end,
            limit,
        };
        let orders = exchange.views.accounts().orders(ALICE, &query).found;
        assert_eq!(orders.iter().map(|order| order.order_id.0).collect::<Vec<_>>(), expected, "{query:?}");
    }
    let latest = exchange.views.accounts().order_named(ALICE, &name("again")).expect("a name");
    assert_eq!(latest.order_id, OrderId(5), "the latest of that name");
}

#[test]
fn open_orders_are_read_whole_however_many() {
    let mut exchange = Exchange::open();
    for count in 0..2_500 {
        exchange.rest(ALICE, Side::Buy, 100 + count % 7, 1, None);
    }
    let open = exchange.views.accounts().open_orders(ALICE, Some(BTCUSDT));
    assert_eq!(open.len(), 2_500);
    assert!(open.windows(2).all(|pair| pair[0].order_id < pair[1].order_id));
}

#[test]
fn what_is_kept_is_bounded() {
    let bounds = Bounds {
        closed_orders_of_account: 3,
        closed_orders: 4,
        own_trades_of_account: 3,
        own_trades: 4,
        ..Bounds::default()
    };
    let mut exchange = Exchange::new(bounds);
    let maker = exchange.rest(ALICE, Side::Sell, 100, 50, Some("open"));
    for _ in 0..5 {
        exchange.take(&maker, BOB, 1, 0, false); // orders 2 to 6, trades 1 to 5
    }
    let orders = |exchange: &Exchange, account| {
        let query =
            OrderQuery { instrument: None, from_id: None, until_id: None, start: None, end: None, limit: 99 };
        let orders = exchange.views.accounts().orders(account, &query).found;
        orders.iter().map(|order| order.order_id.0).collect::<Vec<_>>()
    };
    let trades = |exchange: &Exchange, account| {
        let query = OwnTradeQuery {
            instrument: BTCUSDT,
            order_id: None,
            from_id: None,
            start: None,
            end: None,
            limit: 99,
        };
        let trades = exchange.views.accounts().own_trades(account, &query).found;
        trades.iter().map(|trade| trade.trade_id.0).collect::<Vec<_>>()
    };
    assert_eq!(orders(&exchange, BOB), [4, 5, 6]);
    assert_eq!(orders(&exchange, ALICE), [1], "open orders are never dropped");
    assert_eq!((trades(&exchange, ALICE), trades(&exchange, BOB)), (vec![4, 5], vec![4, 5]));
    for _ in 0..2 {
        let resting = exchange.rest(ALICE, Side::Buy, 9, 1, None); // orders 7 and 8
        exchange.close(&resting, 1, None);
    }
    assert_eq!((orders(&exchange, BOB), orders(&exchange, ALICE)), (vec![5, 6], vec![1, 7, 8]));
    assert_eq!(exchange.views.accounts().order_named(BOB, &name("rialto-4")), None);
    exchange.views.audit().expect("it adds up");
}

#[test]
fn what_operators_do_to_an_account_shows() {
    let mut exchange = Exchange::open();
    let limits = SetLimits {
        account: ALICE,
        asset: USDT,
        reserved: 0,
        max_open_orders: 5,
        reserved_2: 0,
        max_order_notional: 6,
        max_open_notional: 7,
    };
    let rates = FeeRates { maker: FeeRate(-5), taker: FeeRate(9) };
    exchange.command(|events| {
        let suspended =
            AccountSuspended { account: ALICE, resting_orders: RestingOrders::Keep, reserved: [0; 3] };
        events.push(EventKind::AccountSuspended, &suspended);
        events.push(EventKind::LimitsSet, &LimitsSet { limits });
        events
            .push(EventKind::FeeTierAssigned, &FeeTierAssigned { account: ALICE, tier: 3, reserved: [0; 3] });
        let set = FeeTierSet { instrument: InstrumentId(0), tier: 3, reserved: 0, rates, reserved_2: 0 };
        events.push(EventKind::FeeTierSet, &set);
    });
    let summary = exchange.views.accounts().summary(ALICE).expect("an account");
    assert!(summary.suspended);
    assert_eq!((summary.limits, summary.fee_tier, summary.trade_group), (Some(limits), 3, 7));
    assert_eq!(exchange.views.rates(ALICE, BTCUSDT), Some(rates));
    assert_eq!(exchange.views.rates(BOB, BTCUSDT), Some(sample::instrument().fees));
    assert_eq!(exchange.views.rates(BOB, InstrumentId(2)), None);
    exchange.command(|events| {
        events.push(EventKind::AccountResumed, &AccountResumed { account: ALICE, reserved: 0 });
    });
    assert!(!exchange.views.accounts().summary(ALICE).expect("an account").suspended);
    assert_eq!(exchange.views.accounts().summary(AccountId::FEES), None);
    assert_eq!(exchange.views.accounts().summary(AccountId(99)), None);
}
