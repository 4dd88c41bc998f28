//! What may be open at once: filters on orders of a kind, the room that a list needs, an account's
//! limits and positions. Each bound is met exactly, then passed by one (C-TRD-03, dialect §4.3).

mod exchange;

use engine_core::LadderBooks;
use exchange::{ALICE, BOB, BTC, BTCUSDT, CAROL, Exchange, USDT, immediate, limit, market, market_by_quote};
use protocol::{
    AssetId, OrderTerms, OrderType, Price, Quantity, Reject, Side,
    command::{
        AmendOrder, CancelIds, ChangeInstrument, Command, LedgerOperation, ListedOrder, PlaceOrder,
        PlaceOrderList, SetLimits, SetOrderFilters, change,
    },
    instrument::Filters,
    reject::Outcome,
    terms::{Contingency, OrderFilters},
};

type Venue = Exchange<LadderBooks>;

/// The last price is 100, nothing rests.
fn venue() -> Venue {
    let mut venue: Venue = Exchange::new();
    venue.place(limit(BOB, Side::Sell, 100, 1));
    venue.place(limit(BOB, Side::Buy, 100, 1));
    venue
}

fn refused(reject: Reject) -> Outcome {
    Outcome::Refused(reject)
}

fn set_filters(venue: &mut Venue, spoil: impl FnOnce(&mut Filters)) {
    let mut definition = venue.engine.market(BTCUSDT).expect("there").instrument;
    spoil(&mut definition.filters);
    let change =
        ChangeInstrument { instrument: BTCUSDT, parts: change::FILTERS, reserved: [0; 5], definition };
    venue.done(&Command::ChangeInstrument(change));
}

fn set_order_filters(venue: &mut Venue, filters: OrderFilters) {
    venue.done(&Command::SetOrderFilters(SetOrderFilters { instrument: BTCUSDT, reserved: [0; 6], filters }));
}

/// Limits of Alice in USDT; 0 is none.
fn set_limits(venue: &mut Venue, max_open_orders: u32, max_order_notional: i64, max_open_notional: i64) {
    venue.done(&Command::SetLimits(SetLimits {
        account: ALICE,
        asset: USDT,
        reserved: 0,
        max_open_orders,
        reserved_2: 0,
        max_order_notional,
        max_open_notional,
    }));
}

fn leg(order_type: OrderType, price: u32, terms: OrderTerms) -> ListedOrder {
    let order = PlaceOrder { order_type, ..limit(ALICE, Side::Sell, price, 4) };
    ListedOrder { order, client_order_id: None, terms: Some(terms) }
}

/// A pair of Alice's: out at 110, or at 88 once 90 is met; each shows 1 if it is an iceberg.
fn pair(icebergs: [bool; 2]) -> Command {
    let visible = |is: bool| Quantity(u64::from(is));
    let above = OrderTerms { visible_quantity: visible(icebergs[0]), ..OrderTerms::NONE };
    let below =
        OrderTerms { stop_price: Price(90), visible_quantity: visible(icebergs[1]), ..OrderTerms::NONE };
    let orders = vec![leg(OrderType::LimitMaker, 110, above), leg(OrderType::StopLossLimit, 88, below)];
    let contingency = Contingency::OneCancelsOther;
    let list = PlaceOrderList { account: ALICE, instrument: BTCUSDT, contingency, ids: 0 };
    Command::PlaceOrderList { list, client_order_id: None, orders }
}

/// An order of Alice's that waits far below.
fn stop() -> Command {
    let order = PlaceOrder { order_type: OrderType::StopLossLimit, ..limit(ALICE, Side::Sell, 10, 1) };
    let terms = Some(OrderTerms { stop_price: Price(10), ..OrderTerms::NONE });
    Command::PlaceOrder { order, client_order_id: None, terms }
}

fn iceberg() -> Command {
    let terms = Some(OrderTerms { visible_quantity: Quantity(1), ..OrderTerms::NONE });
    Command::PlaceOrder { order: limit(ALICE, Side::Sell, 120, 4), client_order_id: None, terms }
}

fn plain() -> Command {
    Command::PlaceOrder { order: limit(ALICE, Side::Sell, 130, 1), client_order_id: None, terms: None }
}

fn others_waiting() -> Command {
    let order = PlaceOrder { order_type: OrderType::StopLossLimit, ..limit(BOB, Side::Sell, 10, 1) };
    let terms = Some(OrderTerms { stop_price: Price(10), ..OrderTerms::NONE });
    Command::PlaceOrder { order, client_order_id: None, terms }
}

fn others() -> Command {
    Command::PlaceOrder { order: limit(BOB, Side::Sell, 140, 1), client_order_id: None, terms: None }
}

#[test]
fn a_list_needs_room_for_all_of_it() {
    /// The bound; what is open before; which legs are icebergs; what the list needs; the refusal.
    type Case = (fn(&mut Venue, u32), fn() -> Command, [bool; 2], u32, Reject);
    let two_plain = [false, false];
    let bounds: [Case; 7] = [
        (
            |venue, most| {
                set_order_filters(venue, OrderFilters { max_order_lists: most, ..OrderFilters::open() });
            },
            || pair([false, false]),
            two_plain,
            1,
            Reject::TooManyOrderLists,
        ),
        (
            |venue, most| set_filters(venue, |filters| filters.max_account_orders = most),
            plain,
            two_plain,
            2,
            Reject::TooManyOrders,
        ),
        (
            |venue, most| set_filters(venue, |filters| filters.max_open_orders = most),
            others,
            two_plain,
            2,
            Reject::TooManyOrders,
        ),
        (
            |venue, most| set_filters(venue, |filters| filters.max_open_orders = most),
            others_waiting,
            two_plain,
            2,
            Reject::TooManyOrders,
        ),
        (
            |venue, most| {
                set_order_filters(venue, OrderFilters { max_algo_orders: most, ..OrderFilters::open() });
            },
            stop,
            two_plain,
            1,
            Reject::TooManyAlgoOrders,
        ),
        (
            |venue, most| {
                set_order_filters(venue, OrderFilters { max_iceberg_orders: most, ..OrderFilters::open() });
            },
            iceberg,
            [true, true],
            2,
            Reject::TooManyIcebergOrders,
        ),
        (|venue, most| set_limits(venue, most, 0, 0), plain, two_plain, 2, Reject::OpenOrdersLimit),
    ];
    for (number, (bound, open, icebergs, needs, reject)) in bounds.into_iter().enumerate() {
        for before in 0..3 {
            for room in 0..4 {
                let mut venue = venue();
                for _ in 0..before {
                    venue.done(&open());
                }
                // A bound of 0 is none.
                let most = before + room;
                if most == 0 {
                    continue;
                }
                bound(&mut venue, most);
                let expected = if room >= needs { Outcome::Done } else { refused(reject) };
                let held = venue.balance(ALICE, BTC);
                let did = venue.apply(&pair(icebergs));
                assert_eq!(did.outcome, expected, "bound {number}: {before} open, room for {room}");
                assert_eq!(venue.balance(ALICE, BTC) == held, expected != Outcome::Done);
            }
        }
    }
}

#[test]
fn both_legs_of_a_list_that_wait_need_room() {
    let stop_price = |price| OrderTerms { stop_price: Price(price), ..OrderTerms::NONE };
    let orders =
        vec![leg(OrderType::TakeProfit, 0, stop_price(110)), leg(OrderType::StopLoss, 0, stop_price(90))];
    let list = PlaceOrderList {
        account: ALICE,
        instrument: BTCUSDT,
        contingency: Contingency::OneCancelsOther,
        ids: 0,
    };
    let list = Command::PlaceOrderList { list, client_order_id: None, orders };
    for (most, expected) in [(2, refused(Reject::TooManyAlgoOrders)), (3, Outcome::Done)] {
        let mut venue = venue();
        venue.done(&stop());
        set_order_filters(&mut venue, OrderFilters { max_algo_orders: most, ..OrderFilters::open() });
        assert_eq!(venue.apply(&list).outcome, expected, "{most}");
    }
}

#[test]
fn what_has_left_makes_room_for_its_kind() {
    let filters = OrderFilters {
        max_algo_orders: 1,
        max_iceberg_orders: 1,
        max_order_lists: 1,
        ..OrderFilters::open()
    };
    for (open, reject) in [
        (stop(), Reject::TooManyAlgoOrders),
        (iceberg(), Reject::TooManyIcebergOrders),
        (pair([false, false]), Reject::TooManyOrderLists),
    ] {
        let mut venue = venue();
        set_order_filters(&mut venue, filters);
        for _ in 0..3 {
            venue.done(&open);
            let full = if reject == Reject::TooManyOrderLists { Reject::TooManyAlgoOrders } else { reject };
            assert_eq!(venue.apply(&open).outcome, refused(full), "{open:?}");
            for order_id in 1..30 {
                venue.cancel(ALICE, order_id);
            }
        }
    }
}

#[test]
fn either_bound_on_open_orders_refuses_and_so_do_both_at_once() {
    for (of_account, of_all) in [(1, 9), (9, 1), (1, 1)] {
        let mut venue = venue();
        set_filters(&mut venue, |filters| {
            (filters.max_account_orders, filters.max_open_orders) = (of_account, of_all);
        });
        venue.done(&plain());
        assert_eq!(venue.apply(&plain()).outcome, refused(Reject::TooManyOrders), "{of_account} {of_all}");
    }
}

#[test]
fn what_waits_counts_as_open_until_it_is_cancelled_or_triggered_and_gone() {
    let mut venue = venue();
    set_filters(&mut venue, |filters| filters.max_open_orders = 2);
    for cancelled in [true, false] {
        let ids = [venue.done(&stop()).result, venue.done(&others_waiting()).result];
        assert_eq!(venue.apply(&plain()).outcome, refused(Reject::TooManyOrders));
        if cancelled {
            venue.cancel(ALICE, ids[0]);
            venue.cancel(BOB, ids[1]);
        } else {
            set_filters(&mut venue, |filters| filters.max_open_orders = 9);
            // At 10 both are triggered and trade.
            venue.place(limit(CAROL, Side::Buy, 10, 3));
            venue.place(immediate(limit(CAROL, Side::Sell, 10, 1)));
            assert_eq!((venue.side(Side::Buy), venue.side(Side::Sell)), (vec![], vec![]));
            set_filters(&mut venue, |filters| filters.max_open_orders = 2);
        }
    }
    for expected in [Outcome::Done, Outcome::Done, refused(Reject::TooManyOrders)] {
        assert_eq!(venue.apply(&plain()).outcome, expected);
    }
}

#[test]
fn an_orders_notional_is_limited_however_it_is_said() {
    // The average is 100; 10 ledger units of USDT buy one unit at price 1.
    let cases = [
        (limit(ALICE, Side::Buy, 50, 2), 1_000),
        (limit(ALICE, Side::Sell, 200, 5), 10_000),
        (market(ALICE, Side::Buy, 7), 7_000),
        (market(ALICE, Side::Sell, 7), 7_000),
        (market_by_quote(ALICE, Side::Buy, 9_999), 9_999),
        (market_by_quote(ALICE, Side::Sell, 9_999), 9_999),
    ];
    for (order, notional) in cases {
        for (most, expected) in [
            (notional, Outcome::Done),
            (notional - 1, refused(Reject::OrderNotionalLimit)),
            (0, Outcome::Done),
        ] {
            let mut venue = venue();
            venue.place(limit(BOB, Side::Buy, 99, 50));
            venue.place(limit(BOB, Side::Sell, 101, 50));
            set_limits(&mut venue, 0, most, 0);
            assert_eq!(venue.place(order).outcome, expected, "{order:?} of at most {most}");
        }
    }
}

#[test]
fn what_does_not_rest_is_not_counted_as_open() {
    let mut venue = venue();
    venue.place(limit(BOB, Side::Sell, 101, 50));
    set_limits(&mut venue, 1, 0, 10_000);
    venue.done(&Command::PlaceOrder {
        order: limit(ALICE, Side::Buy, 50, 20),
        client_order_id: None,
        terms: None,
    });
    let more = limit(ALICE, Side::Buy, 101, 1);
    assert_eq!(venue.place(more).outcome, refused(Reject::OpenOrdersLimit));
    assert_eq!(venue.place(immediate(more)).outcome, Outcome::Done);
    assert_eq!(venue.place(market(ALICE, Side::Buy, 1)).outcome, Outcome::Done);
    set_limits(&mut venue, 2, 0, 10_000);
    assert_eq!(venue.place(more).outcome, refused(Reject::OpenNotionalLimit));
    assert_eq!(venue.place(immediate(more)).outcome, Outcome::Done);
}

#[test]
fn an_icebergs_reserve_counts_as_open_until_it_trades_or_leaves() {
    let mut venue = venue();
    set_limits(&mut venue, 0, 0, 10_000);
    let terms = Some(OrderTerms { visible_quantity: Quantity(2), ..OrderTerms::NONE });
    let command = |order| Command::PlaceOrder { order, client_order_id: None, terms };
    // 9 at 100 are 9,000 ledger units.
    let id = venue.done(&command(limit(ALICE, Side::Buy, 100, 9))).result;
    let free = |venue: &mut Venue| {
        // The largest order at 10 (100 ledger units each) that still goes in.
        let most = (0..=200).rev().find(|quantity| {
            *quantity == 0 || {
                let did = venue.place(limit(ALICE, Side::Buy, 10, *quantity));
                let fits = did.outcome == Outcome::Done;
                if fits {
                    venue.cancel(ALICE, did.result);
                }
                fits
            }
        });
        most.expect("0 fits") * 100
    };
    assert_eq!(free(&mut venue), 1_000);
    venue.place(limit(BOB, Side::Sell, 100, 3));
    assert_eq!(free(&mut venue), 4_000, "6 are left");
    let amend = AmendOrder {
        account: ALICE,
        instrument: BTCUSDT,
        ids: 0,
        reserved: 0,
        order_id: protocol::OrderId(id),
        new_quantity: Quantity(5),
    };
    venue.done(&Command::AmendOrder { amend, ids: CancelIds::default() });
    assert_eq!(free(&mut venue), 8_000, "2 are left, of which 1 shows");
    venue.cancel(ALICE, id);
    assert_eq!(free(&mut venue), 10_000);
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    let mut venue = venue();
    let limits = |asset, max_order_notional, max_open_notional| {
        Command::SetLimits(SetLimits {
            account: ALICE,
            asset,
            reserved: 0,
            max_open_orders: 0,
            reserved_2: 0,
            max_order_notional,
            max_open_notional,
        })
    };
    for (command, outcome) in [
        (limits(AssetId(9), 0, 0), refused(Reject::UnknownAsset)),
        (limits(USDT, -1, 0), refused(Reject::AmountOutOfRange)),
        (limits(USDT, 0, -1), refused(Reject::AmountOutOfRange)),
        (limits(USDT, 0, 0), Outcome::Done),
        (limits(AssetId(0), 0, 0), Outcome::Done),
    ] {
        assert_eq!(venue.apply(&command).outcome, outcome, "{command:?}");
    }
}

#[test]
fn limits_count_what_icebergs_that_are_open_already_keep_out_of_sight() {
    let mut venue = venue();
    let terms = Some(OrderTerms { visible_quantity: Quantity(2), ..OrderTerms::NONE });
    let order = limit(ALICE, Side::Buy, 100, 9);
    venue.done(&Command::PlaceOrder { order, client_order_id: None, terms });
    set_limits(&mut venue, 0, 0, 10_000);
    assert_eq!(venue.place(limit(ALICE, Side::Buy, 10, 11)).outcome, refused(Reject::OpenNotionalLimit));
    assert_eq!(venue.place(limit(ALICE, Side::Buy, 10, 10)).outcome, Outcome::Done);
}

#[test]
fn a_position_is_what_there_is_and_what_open_buys_and_this_one_would_add() {
    // In quantity units: available, in an open sell, in an open buy, in an iceberg that shows 1.
    let parts = [7, 5, 3, 4];
    let there: u64 = parts.iter().sum();
    let most = 100;
    let room = most - there;
    // The average is 100, at which 1,000 ledger units of USDT buy one.
    let average = 100 * 10;
    let orders = [
        (limit(ALICE, Side::Buy, 50, room), limit(ALICE, Side::Buy, 50, room + 1)),
        (market(ALICE, Side::Buy, room), market(ALICE, Side::Buy, room + 1)),
        (
            market_by_quote(ALICE, Side::Buy, (room + 1) * average - 1),
            market_by_quote(ALICE, Side::Buy, (room + 1) * average),
        ),
    ];
    for (fits, too_much) in orders {
        let mut venue = venue();
        let external = venue.engine.ledger().asset(BTC).expect("there").external;
        let gone = venue.balance(ALICE, BTC).0 - (parts[0] + parts[1]) as i64 * 1_000;
        venue.done(&Command::Ledger(LedgerOperation::transfer(ALICE, external, BTC, gone)));
        venue.place(limit(ALICE, Side::Sell, 200, parts[1]));
        venue.place(limit(ALICE, Side::Buy, 50, parts[2]));
        let terms = Some(OrderTerms { visible_quantity: Quantity(1), ..OrderTerms::NONE });
        let order = limit(ALICE, Side::Buy, 50, parts[3]);
        venue.done(&Command::PlaceOrder { order, client_order_id: None, terms });
        venue.place(limit(BOB, Side::Sell, 101, 200));
        let filters = OrderFilters { max_position: Quantity(most), ..OrderFilters::open() };
        set_order_filters(&mut venue, filters);
        assert_eq!(venue.place(too_much).outcome, refused(Reject::MaxPosition), "{too_much:?}");
        let sell = limit(ALICE, Side::Sell, 200, 1);
        assert_eq!(venue.place(sell).outcome, Outcome::Done, "a sell adds nothing");
        assert_eq!(venue.place(fits).outcome, Outcome::Done, "{fits:?}");
    }
}
