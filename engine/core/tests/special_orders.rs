//! Orders with terms and lists at their edges: replaced, amended, filled, activated, ended by another
//! hand, each with what it leaves behind.

mod exchange;

use engine_core::LadderBooks;
use exchange::{ALICE, BOB, BTC, BTCUSDT, CAROL, Did, Exchange, USDT, limit, market, trades};
use protocol::{
    AccountId, AssetId, InstrumentId, InstrumentStatus, OrderId, OrderListId, OrderTerms, OrderType, Price,
    Quantity, Reject, Side, SourceId, Time, TimeInForce,
    command::{
        AmendOrder, CancelIds, CancelOrder, CancelOrderList, CancelReplace, ChangeInstrument, CloseSession,
        Command, LedgerOperation, ListedOrder, PlaceOrder, PlaceOrderList, QuantityKind, SetBreaker,
        SetCancelTimer, change, sample,
    },
    event::{Event, NOT_ATTEMPTED},
    order::{CancelRestriction, CloseReason, ReplaceMode},
    reject::Outcome,
    terms::{Breaker, Contingency, PegPrice},
};

const QUOTE: i64 = 10;
const BASE: i64 = 1_000;
const SECOND: u64 = 1_000_000_000;

type Venue = Exchange<LadderBooks>;

/// The last price is 100, nothing rests.
fn venue() -> Venue {
    let mut venue: Venue = Exchange::new();
    trade_at(&mut venue, 100);
    venue
}

fn trade_at(venue: &mut Venue, price: u32) -> Did {
    venue.place(limit(BOB, Side::Sell, price, 1));
    venue.place(limit(CAROL, Side::Buy, price, 1))
}

fn refused(reject: Reject) -> Outcome {
    Outcome::Refused(reject)
}

fn place(venue: &mut Venue, order: PlaceOrder, terms: OrderTerms) -> Did {
    venue.apply(&Command::PlaceOrder { order, client_order_id: None, terms: Some(terms) })
}

fn shows(visible: u64) -> OrderTerms {
    OrderTerms { visible_quantity: Quantity(visible), ..OrderTerms::NONE }
}

fn stop_at(price: u32) -> OrderTerms {
    OrderTerms { stop_price: Price(price), ..OrderTerms::NONE }
}

fn typed(order_type: OrderType, side: Side, price: u32, quantity: u64) -> PlaceOrder {
    PlaceOrder { order_type, ..limit(ALICE, side, price, quantity) }
}

fn leg(order: PlaceOrder, terms: OrderTerms) -> ListedOrder {
    ListedOrder { order, client_order_id: None, terms: Some(terms) }
}

fn list_of(contingency: Contingency, orders: &[ListedOrder]) -> Command {
    let list = PlaceOrderList { account: ALICE, instrument: BTCUSDT, contingency, ids: 0 };
    Command::PlaceOrderList { list, client_order_id: Some(exchange::name("mine")), orders: orders.to_vec() }
}

/// A sell of 4: 110 or better, or out at 88 once 90 is met.
fn pair() -> [ListedOrder; 2] {
    [
        leg(typed(OrderType::LimitMaker, Side::Sell, 110, 4), OrderTerms::NONE),
        leg(typed(OrderType::StopLossLimit, Side::Sell, 88, 4), stop_at(90)),
    ]
}

fn accepted(did: &Did) -> Vec<u64> {
    let order = |event: &Event| match event {
        Event::OrderAccepted(order, ..) => Some(order.order_id.0),
        _ => None,
    };
    did.events.iter().filter_map(order).collect()
}

fn closed(did: &Did) -> Vec<(u64, CloseReason)> {
    let order = |event: &Event| match event {
        Event::OrderClosed(order, _) => Some((order.order_id.0, order.reason)),
        _ => None,
    };
    did.events.iter().filter_map(order).collect()
}

/// Leaves the account `amount` of what it has available.
fn leave(venue: &mut Venue, account: AccountId, asset: AssetId, amount: i64) {
    let external = venue.engine.ledger().asset(asset).expect("there").external;
    let gone = venue.balance(account, asset).0 - amount;
    venue.done(&Command::Ledger(LedgerOperation::transfer(account, external, asset, gone)));
}

#[test]
fn an_order_with_terms_replaces_another_in_both_modes() {
    let mut venue = venue();
    venue.place(limit(ALICE, Side::Buy, 90, 5));
    let cancel =
        |order_id| CancelOrder { account: ALICE, order_id: OrderId(order_id), ..sample::cancel_order() };
    let with = |replace: CancelReplace| Command::CancelReplace {
        replace,
        ids: CancelIds::default(),
        client_order_id: None,
        terms: Some(shows(2)),
    };
    let replace = |order_id, mode, quantity| CancelReplace {
        cancel: cancel(order_id),
        order: limit(ALICE, Side::Buy, 91, quantity),
        mode,
        reserved: [0; 7],
    };
    let codes = |did: &Did| (did.outcome, did.header.cancel_code);
    let unknown = Reject::UnknownOrder as u16;
    let good = replace(3, ReplaceMode::StopOnFailure, 7);
    for bad in [
        CancelReplace { order: PlaceOrder { account: BOB, ..good.order }, ..good },
        CancelReplace { order: PlaceOrder { instrument: InstrumentId(2), ..good.order }, ..good },
    ] {
        let expected = (refused(Reject::BadCombination), NOT_ATTEMPTED);
        assert_eq!(codes(&venue.apply(&with(bad))), expected, "{bad:?}");
    }
    // Its terms come before the cancel: order 3 stays.
    let did = venue.apply(&with(replace(3, ReplaceMode::AllowFailure, 1)));
    assert_eq!(codes(&did), (refused(Reject::VisibleExceedsQuantity), NOT_ATTEMPTED));
    let did = venue.apply(&with(good));
    assert_eq!((codes(&did), closed(&did)), ((Outcome::Done, 0), vec![(3, CloseReason::Replaced)]));
    let did = venue.apply(&with(replace(3, ReplaceMode::StopOnFailure, 6)));
    assert_eq!(codes(&did), (refused(Reject::ReplaceCancelFailed), unknown));
    let did = venue.apply(&with(replace(3, ReplaceMode::AllowFailure, 6)));
    assert_eq!(codes(&did), (Outcome::Done, unknown));
    assert_eq!(venue.side(Side::Buy), [(4, 91, 2), (5, 91, 2)]);
    assert_eq!(venue.balance(ALICE, USDT).1, 13 * 91 * QUOTE);
}

#[test]
fn funds_for_terms_and_lists_are_needed_to_the_last_unit() {
    let iceberg = Command::PlaceOrder {
        order: limit(ALICE, Side::Sell, 120, 4),
        client_order_id: None,
        terms: Some(shows(1)),
    };
    for command in [iceberg, list_of(Contingency::OneCancelsOther, &pair())] {
        for (funds, outcome) in
            [(4 * BASE - 1, refused(Reject::InsufficientBalance)), (4 * BASE, Outcome::Done)]
        {
            let mut venue = venue();
            leave(&mut venue, ALICE, BTC, funds);
            assert_eq!(venue.apply(&command).outcome, outcome, "{funds} for {command:?}");
        }
    }
}

#[test]
fn what_waits_counts_though_it_will_not_rest() {
    let mut venue = venue();
    let mut definition = sample::instrument();
    definition.filters.max_account_orders = 1;
    let parts = change::FILTERS;
    venue.done(&Command::ChangeInstrument(ChangeInstrument {
        instrument: BTCUSDT,
        parts,
        reserved: [0; 5],
        definition,
    }));
    let order = PlaceOrder {
        time_in_force: TimeInForce::ImmediateOrCancel,
        ..typed(OrderType::StopLossLimit, Side::Buy, 112, 1)
    };
    assert_eq!(place(&mut venue, order, stop_at(110)).outcome, Outcome::Done);
    assert_eq!(place(&mut venue, order, stop_at(110)).outcome, refused(Reject::TooManyOrders));
}

#[test]
fn an_icebergs_first_slice_counts_as_traded() {
    for (restriction, outcome) in [
        (CancelRestriction::OnlyNew, refused(Reject::CancelRestricted)),
        (CancelRestriction::OnlyPartiallyFilled, Outcome::Done),
    ] {
        let mut venue = venue();
        let id = place(&mut venue, limit(ALICE, Side::Sell, 110, 9), shows(3)).result;
        venue.place(limit(CAROL, Side::Buy, 110, 3));
        let amend = |new_quantity| AmendOrder {
            account: ALICE,
            instrument: BTCUSDT,
            ids: 0,
            reserved: 0,
            order_id: OrderId(id),
            new_quantity: Quantity(new_quantity),
        };
        let ids = CancelIds::default;
        let amended = |venue: &mut Venue, quantity| {
            venue.apply(&Command::AmendOrder { amend: amend(quantity), ids: ids() }).outcome
        };
        assert_eq!(amended(&mut venue, 3), refused(Reject::AmendNotLess), "3 of 9 have traded");
        assert_eq!(amended(&mut venue, 4), Outcome::Done);
        assert_eq!((venue.side(Side::Sell), venue.balance(ALICE, BTC).1), (vec![(id, 110, 1)], BASE));
        let cancel =
            CancelOrder { account: ALICE, order_id: OrderId(id), restriction, ..sample::cancel_order() };
        assert_eq!(venue.apply(&Command::CancelOrder { cancel, ids: ids() }).outcome, outcome);
    }
}

#[test]
fn an_amend_says_whether_the_order_waits_and_may_keep_its_name() {
    let mut venue = venue();
    let orders = [
        (typed(OrderType::StopLossLimit, Side::Sell, 80, 9), stop_at(90), "waits", 1),
        (limit(ALICE, Side::Sell, 130, 9), shows(3), "works", 0),
    ];
    for (order, terms, given, waits) in orders {
        let name = Some(exchange::name(given));
        let placed = Command::PlaceOrder { order, client_order_id: name, terms: Some(terms) };
        let order_id = OrderId(venue.done(&placed).result);
        for (new_quantity, name) in [(8, name), (7, None), (6, Some(exchange::name("new")))] {
            let amend = AmendOrder {
                account: ALICE,
                instrument: BTCUSDT,
                ids: 0,
                reserved: 0,
                order_id,
                new_quantity: Quantity(new_quantity),
            };
            let ids = CancelIds { original: None, request: name };
            let did = venue.done(&Command::AmendOrder { amend, ids });
            let said = did.events.iter().find_map(|event| match event {
                Event::OrderAmended(amended, _) => Some(amended.waits),
                _ => None,
            });
            assert_eq!(said, Some(waits), "{given} {new_quantity}");
        }
        venue.cancel(ALICE, order_id.0);
    }
}

#[test]
fn a_dated_leg_that_is_filled_does_not_end_again_at_its_date() {
    let mut venue = venue();
    let ends = Time(venue.time.0 + SECOND);
    let mut legs = pair();
    legs[0].order.time_in_force = TimeInForce::GoodTillDate;
    legs[0].order.expires_at = ends;
    let did = venue.done(&list_of(Contingency::OneCancelsOther, &legs));
    let [maker, stop] = accepted(&did)[..] else { panic!("two orders") };
    assert_eq!(venue.engine.next_expiry(), Some(ends));
    let did = venue.place(limit(CAROL, Side::Buy, 110, 4));
    assert_eq!(
        (trades(&did), closed(&did)),
        (vec![(maker, 110, 4)], vec![(stop, CloseReason::ListContingency)])
    );
    assert_eq!(venue.engine.next_expiry(), None);
    venue.time = ends;
    assert_eq!(venue.done(&Command::Tick).events, []);
}

#[test]
fn legs_are_of_the_lists_account_and_instrument_and_in_order_of_price() {
    let other = |leg: ListedOrder, order: PlaceOrder| ListedOrder { order, ..leg };
    let [above, below] = pair();
    let take_profit = |terms| leg(typed(OrderType::TakeProfit, Side::Sell, 0, 4), terms);
    let stop_loss = |terms| leg(typed(OrderType::StopLoss, Side::Sell, 0, 4), terms);
    let trail = OrderTerms { trailing_delta: 1_000, ..OrderTerms::NONE };
    let cases = [
        ([above, other(below, PlaceOrder { account: BOB, ..below.order })], refused(Reject::BadCombination)),
        (
            [above, other(below, PlaceOrder { instrument: InstrumentId(9), ..below.order })],
            refused(Reject::BadCombination),
        ),
        ([take_profit(stop_at(110)), stop_loss(stop_at(110))], refused(Reject::ListPrices)),
        ([take_profit(stop_at(109)), stop_loss(stop_at(110))], refused(Reject::ListPrices)),
        ([take_profit(stop_at(111)), stop_loss(stop_at(110))], Outcome::Done),
        (
            [above, leg(typed(OrderType::StopLossLimit, Side::Sell, 88, 4), stop_at(110))],
            refused(Reject::ListPrices),
        ),
        ([above, leg(typed(OrderType::StopLossLimit, Side::Sell, 88, 4), trail)], Outcome::Done),
        ([leg(typed(OrderType::TakeProfitLimit, Side::Sell, 120, 4), trail), below], Outcome::Done),
    ];
    for (legs, outcome) in cases {
        // Nothing has traded, so that no trigger is met.
        let mut venue: Venue = Exchange::new();
        assert_eq!(venue.apply(&list_of(Contingency::OneCancelsOther, &legs)).outcome, outcome, "{legs:?}");
    }
}

#[test]
fn pending_orders_are_checked_when_their_turn_comes() {
    use Contingency::OneTriggersOther;
    let working = leg(limit(ALICE, Side::Buy, 90, 4), OrderTerms::NONE);
    let pending = |order, terms| list_of(OneTriggersOther, &[working, leg(order, terms)]);
    let by_quote =
        PlaceOrder { quantity_kind: QuantityKind::Quote, ..typed(OrderType::Market, Side::Sell, 0, 4_000) };
    let peg = OrderTerms { peg: PegPrice::Primary, ..OrderTerms::NONE };
    let pegged = typed(OrderType::Limit, Side::Buy, 0, 4);
    let mut venue = venue();
    venue.place(limit(BOB, Side::Buy, 95, 4));
    for (order, terms) in [(by_quote, OrderTerms::NONE), (pegged, peg)] {
        assert_eq!(venue.apply(&pending(order, terms)).outcome, refused(Reject::NotSupported), "{order:?}");
    }
    // Post-only, and it would take now; the buy at 95 is gone when its turn comes.
    let post_only = typed(OrderType::LimitMaker, Side::Sell, 94, 4);
    let did = venue.done(&pending(post_only, OrderTerms::NONE));
    let [_, sell] = accepted(&did)[..] else { panic!("two orders: {did:?}") };
    venue.place(limit(CAROL, Side::Sell, 90, 8));
    assert_eq!(venue.side(Side::Sell), [(sell, 94, 4)]);
}

#[test]
fn a_working_order_that_would_take_is_refused_at_once() {
    let mut venue = venue();
    venue.place(limit(BOB, Side::Buy, 93, 4));
    let taking = leg(typed(OrderType::LimitMaker, Side::Sell, 93, 4), OrderTerms::NONE);
    let plain = leg(limit(ALICE, Side::Buy, 80, 4), OrderTerms::NONE);
    let list = list_of(Contingency::OneTriggersOther, &[taking, plain]);
    assert_eq!(venue.apply(&list).outcome, refused(Reject::WouldTake));
}

#[test]
fn a_pending_market_order_costs_what_the_book_says_or_expires() {
    for (short, goes_in) in [(0, true), (1, false)] {
        for side in [Side::Buy, Side::Sell] {
            let mut venue = venue();
            let order = typed(OrderType::Market, side, 0, 3);
            // The working order is another's side: what it brings in is what the pending one spends.
            let working = leg(limit(ALICE, side.opposite(), side.pick(120, 80), 3), OrderTerms::NONE);
            let did =
                venue.done(&list_of(Contingency::OneTriggersOther, &[working, leg(order, OrderTerms::NONE)]));
            let [first, pending] = accepted(&did)[..] else { panic!("two orders") };
            let makers = side.pick([(121, 2), (130, 2)], [(79, 2), (70, 2)]);
            for (price, quantity) in makers {
                venue.place(limit(BOB, side.opposite(), price, quantity));
            }
            let (asset, brought, cost) =
                side.pick((USDT, 3 * 120 * QUOTE, (2 * 121 + 130) * QUOTE), (BTC, 3 * BASE, 3 * BASE));
            leave(&mut venue, ALICE, asset, cost - brought);
            if short == 1 {
                if cost == brought {
                    continue; // a sell has what its working buy brought
                }
                let more = venue.balance(ALICE, asset).0 - 1;
                leave(&mut venue, ALICE, asset, more);
            }
            let did = venue.place(limit(CAROL, side, side.pick(120, 80), 3));
            let mut expected = vec![(first, side.pick(120, 80), 3)];
            if goes_in {
                let [(price, _), (worse, _)] = makers;
                let after = trades(&did);
                assert_eq!(
                    after[1..].iter().map(|trade| (trade.1, trade.2)).collect::<Vec<_>>(),
                    [(price, 2), (worse, 1)]
                );
                expected.extend(&after[1..]);
            } else {
                assert_eq!(closed(&did), [(pending, CloseReason::InsufficientBalance)]);
            }
            assert_eq!(trades(&did), expected, "{side:?} {short}");
        }
    }
}

#[test]
fn a_pending_pair_goes_in_whole_or_not_at_all() {
    for (funds, goes_in) in [(0, true), (-1, false)] {
        let mut venue = venue();
        let [above, below] = pair();
        // The working buy brings 4; the pair sells 4, or one unit of the ledger is missing.
        let working = leg(limit(ALICE, Side::Buy, 95, 4), OrderTerms::NONE);
        let did = venue.done(&list_of(Contingency::OneTriggersOneCancelsOther, &[working, above, below]));
        let [_, high, low] = accepted(&did)[..] else { panic!("three orders") };
        venue.place(limit(BOB, Side::Sell, 95, 3));
        leave(&mut venue, ALICE, BTC, 3 * BASE + funds);
        let did = venue.place(limit(BOB, Side::Sell, 95, 1));
        if goes_in {
            assert_eq!(
                (venue.side(Side::Sell), venue.balance(ALICE, BTC)),
                (vec![(high, 110, 4)], (0, 4 * BASE))
            );
        } else {
            let mut gone = closed(&did);
            gone.sort_unstable_by_key(|(order_id, _)| *order_id);
            assert_eq!(gone.iter().map(|(order_id, _)| *order_id).collect::<Vec<_>>(), [high, low]);
            assert_eq!(gone[0].1, CloseReason::InsufficientBalance);
            assert_eq!(venue.balance(ALICE, BTC), (4 * BASE - 1, 0));
        }
    }
}

#[test]
fn a_list_named_twice_over_is_cancelled_when_both_agree() {
    let mut venue = venue();
    let list_id = OrderListId(venue.done(&list_of(Contingency::OneCancelsOther, &pair())).result);
    let cancel = |list_id, name: Option<&str>| {
        let cancel = CancelOrderList { account: ALICE, instrument: BTCUSDT, ids: 0, reserved: 0, list_id };
        Command::CancelOrderList {
            cancel,
            ids: CancelIds { original: name.map(exchange::name), request: None },
        }
    };
    for wrong in [
        cancel(list_id, Some("another")),
        cancel(OrderListId(9), Some("mine")),
        cancel(OrderListId(0), Some("another")),
        cancel(OrderListId(0), None),
    ] {
        assert_eq!(venue.apply(&wrong).outcome, refused(Reject::UnknownOrderList), "{wrong:?}");
    }
    assert_eq!(venue.done(&cancel(list_id, Some("mine"))).result, list_id.0);
}

#[test]
fn a_leg_ended_by_a_rule_takes_the_other_along_and_says_the_rule() {
    let mut venue = venue();
    let mut legs = pair();
    legs[0].terms = Some(OrderTerms { session: 1, ..OrderTerms::NONE });
    let did = venue.done(&list_of(Contingency::OneCancelsOther, &legs));
    let [maker, stop] = accepted(&did)[..] else { panic!("two orders") };
    let close = CloseSession { source: SourceId(1), reserved: 0, session: 1 };
    let reason = CloseReason::SessionClosed;
    assert_eq!(closed(&venue.done(&Command::CloseSession(close))), [(maker, reason), (stop, reason)]);
}

#[test]
fn a_halt_that_an_operator_ends_does_not_end_again_by_itself() {
    for status in [InstrumentStatus::Trading, InstrumentStatus::Halt] {
        let mut venue = venue();
        let breaker = Breaker { band: 1_000, reserved: 0, window: 60 * SECOND, halt: 30 * SECOND };
        venue.done(&Command::SetBreaker(SetBreaker { instrument: BTCUSDT, reserved: [0; 6], breaker }));
        trade_at(&mut venue, 100);
        trade_at(&mut venue, 120);
        let due = venue.engine.next_expiry().expect("it is halted and will reopen");
        let mut definition = sample::instrument();
        definition.status = status;
        let parts = change::STATUS;
        let set = ChangeInstrument { instrument: BTCUSDT, parts, reserved: [0; 5], definition };
        venue.done(&Command::ChangeInstrument(set));
        assert_eq!(venue.engine.next_expiry(), None, "{status:?}");
        venue.time = due;
        assert_eq!(venue.done(&Command::Tick).events, [], "{status:?}");
        assert_eq!(venue.engine.market(BTCUSDT).expect("there").instrument.status, status);
    }
}

#[test]
fn a_change_of_something_else_leaves_a_halt_to_end_by_itself() {
    let mut venue = venue();
    let breaker = Breaker { band: 1_000, reserved: 0, window: 60 * SECOND, halt: 30 * SECOND };
    venue.done(&Command::SetBreaker(SetBreaker { instrument: BTCUSDT, reserved: [0; 6], breaker }));
    trade_at(&mut venue, 100);
    trade_at(&mut venue, 120);
    let due = venue.engine.next_expiry();
    assert_ne!(due, None);
    let definition = venue.engine.market(BTCUSDT).expect("there").instrument;
    for parts in [change::FILTERS, change::FEES, change::REFERENCE_PRICE] {
        let set = ChangeInstrument { instrument: BTCUSDT, parts, reserved: [0; 5], definition };
        venue.done(&Command::ChangeInstrument(set));
        assert_eq!(venue.engine.next_expiry(), due);
    }
}

#[test]
fn a_cancel_timer_runs_a_day_at_most() {
    let mut venue = venue();
    let day = 86_400 * SECOND;
    for (timeout, outcome) in [(day, Outcome::Done), (day + 1, refused(Reject::AmountOutOfRange))] {
        let set = SetCancelTimer { account: ALICE, reserved: 0, timeout };
        assert_eq!(venue.apply(&Command::SetCancelTimer(set)).outcome, outcome);
    }
    assert_eq!(venue.engine.next_expiry(), Some(Time(venue.time.0 + day)));
}

#[test]
fn terms_at_their_bounds_are_taken() {
    let mut venue = venue();
    // 100 parts are the most.
    assert_eq!(place(&mut venue, limit(ALICE, Side::Buy, 50, 300), shows(3)).outcome, Outcome::Done);
    let more = limit(ALICE, Side::Buy, 50, 301);
    assert_eq!(place(&mut venue, more, shows(3)).outcome, refused(Reject::IcebergParts));
    let peg = |peg_offset| OrderTerms { peg: PegPrice::Primary, peg_offset, ..OrderTerms::NONE };
    let pegged = limit(ALICE, Side::Buy, 0, 1);
    assert_eq!(place(&mut venue, pegged, peg(100)).outcome, refused(Reject::NoPegPrice));
    assert_eq!(place(&mut venue, pegged, peg(101)).outcome, refused(Reject::BadCombination));
    let offset_alone = OrderTerms { peg_offset: 1, ..OrderTerms::NONE };
    let plain = limit(ALICE, Side::Buy, 50, 1);
    assert_eq!(place(&mut venue, plain, offset_alone).outcome, refused(Reject::BadCombination));
    assert_eq!(venue.place(market(CAROL, Side::Sell, 1)).outcome, Outcome::Done);
}
