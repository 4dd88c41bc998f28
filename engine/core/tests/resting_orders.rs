//! Orders at rest, one behaviour a test: names, cancels, amends, replacements, limits, and what an
//! instrument's or an account's state does to them (C-ORD-02, C-ORD-05, C-TRD-03).

mod exchange;

use engine_core::Books as _;
use exchange::{ALICE, BOB, BTC, BTCUSDT, CAROL, Exchange, USDT, immediate, limit, market, name, trades};
use protocol::{
    AccountId, InstrumentId, InstrumentStatus, OrderId, Quantity, Reject, Side, SourceId, SourceNumber,
    command::{
        AmendOrder, CancelAll, CancelIds, CancelOrder, CancelReplace, ChangeInstrument, Command, PlaceOrder,
        SetKillSwitch, SetLimits, SetOrderFilters, SuspendAccount, change, sample,
    },
    event::{Event, NOT_ATTEMPTED},
    order::{CancelRestriction, CloseReason, ReplaceMode, RestingOrders},
    reject::Outcome,
    terms::{KillSwitch, OrderFilters},
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

fn status(exchange: &mut Exchange<Books>, status: InstrumentStatus) -> Outcome {
    set(exchange, change::STATUS, |instrument| instrument.status = status)
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
fn names_are_unique_among_open_orders_and_free_again_after() {
    let mut exchange = new();
    let order = limit(ALICE, Side::Buy, 100, 1);
    assert_eq!(exchange.place_named(order, "mine").outcome, Outcome::Done);
    assert_eq!(exchange.place_named(order, "mine").outcome, refused(Reject::DuplicateClientOrderId));
    assert_eq!(exchange.place_named(PlaceOrder { account: BOB, ..order }, "mine").outcome, Outcome::Done);
    let by_name = |order_id| {
        let cancel = CancelOrder { account: ALICE, order_id: OrderId(order_id), ..sample::cancel_order() };
        Command::CancelOrder {
            cancel,
            ids: CancelIds { original: Some(name("mine")), request: Some(name("why")) },
        }
    };
    assert_eq!(exchange.apply(&by_name(2)).outcome, refused(Reject::UnknownOrder), "id and name disagree");
    let did = exchange.apply(&by_name(0));
    assert!(
        matches!(did.events[..], [Event::OrderClosed(_, Some(request))] if request == name("why")),
        "{did:?}"
    );
    assert_eq!(exchange.place_named(order, "mine").outcome, Outcome::Done);
}

#[test]
fn nobody_cancels_or_amends_anothers_order() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Buy, 100, 5));
    assert_eq!(exchange.cancel(BOB, 1).outcome, refused(Reject::UnknownOrder));
    let amend = AmendOrder {
        account: BOB,
        instrument: BTCUSDT,
        ids: 0,
        reserved: 0,
        order_id: OrderId(1),
        new_quantity: Quantity(1),
    };
    let ids = CancelIds::default();
    assert_eq!(exchange.apply(&Command::AmendOrder { amend, ids }).outcome, refused(Reject::UnknownOrder));
    assert_eq!(exchange.side(Side::Buy), [(1, 100, 5)]);
    assert_eq!(exchange.cancel(ALICE, 1).outcome, Outcome::Done);
    assert_eq!(exchange.cancel(ALICE, 1).outcome, refused(Reject::UnknownOrder));
}

#[test]
fn cancels_may_ask_for_a_state() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Sell, 100, 5));
    let ask = |restriction| {
        let cancel = CancelOrder { account: ALICE, restriction, ..sample::cancel_order() };
        Command::CancelOrder { cancel, ids: CancelIds::default() }
    };
    let partly = ask(CancelRestriction::OnlyPartiallyFilled);
    assert_eq!(exchange.apply(&partly).outcome, refused(Reject::CancelRestricted));
    exchange.place(limit(BOB, Side::Buy, 100, 1));
    assert_eq!(exchange.apply(&ask(CancelRestriction::OnlyNew)).outcome, refused(Reject::CancelRestricted));
    assert_eq!(exchange.apply(&partly).outcome, Outcome::Done);
}

#[test]
fn an_amend_to_less_keeps_its_place() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Sell, 100, 10));
    exchange.place(limit(BOB, Side::Sell, 100, 10));
    exchange.place(limit(CAROL, Side::Buy, 100, 2));
    let amend = |new_quantity| {
        let amend = AmendOrder {
            account: ALICE,
            instrument: BTCUSDT,
            ids: 0,
            reserved: 0,
            order_id: OrderId(1),
            new_quantity: Quantity(new_quantity),
        };
        Command::AmendOrder { amend, ids: CancelIds::default() }
    };
    for bad in [10, 11, 2, 1] {
        assert_eq!(exchange.apply(&amend(bad)).outcome, refused(Reject::AmendNotLess), "{bad}");
    }
    assert_eq!(exchange.apply(&amend(0)).outcome, refused(Reject::LotSize));
    exchange.done(&amend(6));
    assert_eq!(exchange.side(Side::Sell), [(1, 100, 4), (2, 100, 10)]);
    assert_eq!(exchange.balance(ALICE, BTC).1, 4 * 1_000);
}

fn amend(account: AccountId, order_id: u64, new_quantity: u64, name: Option<&str>) -> Command {
    let amend = AmendOrder {
        account,
        instrument: BTCUSDT,
        ids: 0,
        reserved: 0,
        order_id: OrderId(order_id),
        new_quantity: Quantity(new_quantity),
    };
    let request = name.map(exchange::name);
    Command::AmendOrder { amend, ids: CancelIds { original: None, request } }
}

#[test]
fn an_order_named_by_id_and_name_must_have_both() {
    let mut exchange = new();
    exchange.place_named(limit(ALICE, Side::Sell, 100, 10), "mine");
    exchange.place_named(limit(ALICE, Side::Sell, 100, 10), "other");
    let cancel = |order_id, text| Command::CancelOrder {
        cancel: CancelOrder { account: ALICE, order_id: OrderId(order_id), ..sample::cancel_order() },
        ids: CancelIds { original: Some(name(text)), request: None },
    };
    for (order_id, text, outcome) in [
        (1, "other", refused(Reject::UnknownOrder)),
        (3, "mine", refused(Reject::UnknownOrder)),
        (1, "mine", Outcome::Done),
        (0, "other", Outcome::Done),
    ] {
        assert_eq!(exchange.apply(&cancel(order_id, text)).outcome, outcome, "{order_id} {text}");
    }
}

#[test]
fn a_suspended_account_with_its_kill_switch_on_places_nothing() {
    let mut exchange = new();
    let suspend = SuspendAccount { account: ALICE, resting_orders: RestingOrders::Keep, reserved: [0; 3] };
    let switch = KillSwitch::On;
    exchange.done(&Command::SetKillSwitch(SetKillSwitch { account: ALICE, switch, reserved: [0; 3] }));
    exchange.done(&Command::SuspendAccount(suspend));
    let did = exchange.place(limit(ALICE, Side::Sell, 100, 1));
    assert_eq!(did.outcome, refused(Reject::AccountSuspended));
}

#[test]
fn an_amend_may_give_a_name_that_is_free_or_its_own() {
    let mut exchange = new();
    exchange.place_named(limit(ALICE, Side::Sell, 100, 10), "mine");
    exchange.place_named(limit(ALICE, Side::Sell, 100, 10), "other");
    let taken = exchange.apply(&amend(ALICE, 1, 9, Some("other")));
    assert_eq!(taken.outcome, refused(Reject::DuplicateClientOrderId));
    for (quantity, given) in [(9, "mine"), (8, "new")] {
        exchange.done(&amend(ALICE, 1, quantity, Some(given)));
        assert_eq!(exchange.side(Side::Sell)[0], (1, 100, quantity), "{given}");
    }
    exchange.done(&amend(ALICE, 2, 9, Some("mine")));
}

#[test]
fn amends_are_counted_and_bounded_where_a_filter_says_so() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Sell, 100, 10));
    exchange.done(&amend(ALICE, 1, 9, None));
    let filters = OrderFilters { max_order_amends: 2, ..OrderFilters::open() };
    let set = SetOrderFilters { instrument: BTCUSDT, reserved: [0; 6], filters };
    exchange.done(&Command::SetOrderFilters(set));
    for (quantity, outcome) in [
        (8, Outcome::Done),
        (8, refused(Reject::AmendNotLess)),
        (7, Outcome::Done),
        (6, refused(Reject::TooManyAmends)),
    ] {
        assert_eq!(exchange.apply(&amend(ALICE, 1, quantity, None)).outcome, outcome, "{quantity}");
    }
    let filters = OrderFilters::open();
    exchange.done(&Command::SetOrderFilters(SetOrderFilters { filters, ..set }));
    exchange.done(&amend(ALICE, 1, 6, None));
    assert_eq!(exchange.balance(ALICE, BTC).1, 6 * 1_000);
}

#[test]
fn a_refused_amend_changes_nothing_where_amends_are_counted_either() {
    let refused_or_not = |command: &Command| {
        let mut exchange = new();
        exchange.place_named(limit(ALICE, Side::Sell, 100, 10), "mine");
        exchange.place_named(limit(ALICE, Side::Sell, 100, 10), "other");
        let filters = OrderFilters { max_order_amends: 2, ..OrderFilters::open() };
        let set = SetOrderFilters { instrument: BTCUSDT, reserved: [0; 6], filters };
        exchange.done(&Command::SetOrderFilters(set));
        // From a source of its own, whose number it uses, whatever becomes of it.
        let bytes = command.encode(SourceId(2), SourceNumber(1), 0);
        let outcome = exchange.apply_bytes(&bytes).outcome;
        let orders: Vec<_> = (1..=2)
            .map(|order_id| {
                let books = exchange.engine.books();
                let handle = books.find(OrderId(order_id)).expect("it rests");
                (books.order(handle).leaves, books.executed(handle), books.client_order_id(handle))
            })
            .collect();
        (outcome, orders, exchange.balance(ALICE, BTC))
    };
    let (done, untouched, balance) = refused_or_not(&Command::Tick);
    assert_eq!(done, Outcome::Done);
    for (command, reject) in [
        (amend(ALICE, 1, 0, None), Reject::LotSize),
        (amend(ALICE, 1, 10, None), Reject::AmendNotLess),
        (amend(ALICE, 1, 9, Some("other")), Reject::DuplicateClientOrderId),
        (amend(BOB, 1, 9, None), Reject::UnknownOrder),
    ] {
        let expected = (refused(reject), untouched.clone(), balance);
        assert_eq!(refused_or_not(&command), expected, "{command:?}");
    }
}

#[test]
fn cancel_replace_in_both_modes() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Buy, 100, 5));
    let replace = |order_id, mode, price| {
        let cancel = CancelOrder { account: ALICE, order_id: OrderId(order_id), ..sample::cancel_order() };
        let order = limit(ALICE, Side::Buy, price, 5);
        let replace = CancelReplace { cancel, order, mode, reserved: [0; 7] };
        Command::CancelReplace { replace, ids: CancelIds::default(), client_order_id: None, terms: None }
    };
    let codes = |did: &exchange::Did| (did.outcome, did.header.cancel_code);
    let did = exchange.apply(&replace(1, ReplaceMode::StopOnFailure, 101));
    assert_eq!(codes(&did), (Outcome::Done, 0));
    assert_eq!(closes(&did), [(1, CloseReason::Replaced)]);
    let unknown = Reject::UnknownOrder as u16;
    let did = exchange.apply(&replace(1, ReplaceMode::StopOnFailure, 102));
    assert_eq!(codes(&did), (refused(Reject::ReplaceCancelFailed), unknown));
    let did = exchange.apply(&replace(1, ReplaceMode::AllowFailure, 102));
    assert_eq!(codes(&did), (Outcome::Done, unknown));
    // Whose and where must be the same of both, and filters come before the cancel: order 2 stays.
    let cancel = CancelOrder { account: ALICE, order_id: OrderId(2), ..sample::cancel_order() };
    let order = limit(ALICE, Side::Buy, 102, 5);
    for order in [PlaceOrder { account: BOB, ..order }, PlaceOrder { instrument: InstrumentId(2), ..order }] {
        let replace = CancelReplace { cancel, order, mode: ReplaceMode::AllowFailure, reserved: [0; 7] };
        let ids = CancelIds::default();
        let did =
            exchange.apply(&Command::CancelReplace { replace, ids, client_order_id: None, terms: None });
        assert_eq!(codes(&did), (refused(Reject::BadCombination), NOT_ATTEMPTED));
    }
    let did = exchange.apply(&replace(2, ReplaceMode::AllowFailure, 0));
    assert_eq!(codes(&did), (refused(Reject::BadCombination), NOT_ATTEMPTED));
    assert_eq!(exchange.side(Side::Buy), [(3, 102, 5), (2, 101, 5)]);
}

#[test]
fn cancel_all_ends_an_accounts_orders_and_no_others() {
    let mut exchange = new();
    let all = |instrument| {
        Command::CancelAll(CancelAll {
            account: ALICE,
            instrument,
            reason: CloseReason::Cancelled,
            reserved: 0,
        })
    };
    assert_eq!(exchange.apply(&all(BTCUSDT)).outcome, refused(Reject::NothingToCancel));
    for price in [90, 91, 92] {
        exchange.place(limit(ALICE, Side::Buy, price, 1));
        exchange.place(limit(BOB, Side::Buy, price, 1));
    }
    let did = exchange.done(&all(InstrumentId(0)));
    assert_eq!(
        (did.result, closes(&did).iter().map(|close| close.0).collect::<Vec<_>>()),
        (3, vec![5, 3, 1])
    );
    assert_eq!(exchange.side(Side::Buy).len(), 3);
    assert_eq!(exchange.apply(&all(InstrumentId(7))).outcome, refused(Reject::UnknownInstrument));
}

#[test]
fn an_instruments_status_decides_what_it_takes() {
    let mut exchange = new();
    status(&mut exchange, InstrumentStatus::PreOpen);
    exchange.place(limit(ALICE, Side::Sell, 100, 1));
    assert_eq!(
        trades(&exchange.place(limit(BOB, Side::Buy, 101, 1))),
        [],
        "nothing matches before the opening"
    );
    let closed = refused(Reject::MarketClosed);
    assert_eq!(exchange.place(market(BOB, Side::Buy, 1)).outcome, closed);
    assert_eq!(exchange.place(immediate(limit(BOB, Side::Buy, 1, 1))).outcome, closed);
    assert_eq!(status(&mut exchange, InstrumentStatus::Trading), refused(Reject::BookCrossed));
    for halted in [InstrumentStatus::Halt, InstrumentStatus::Break, InstrumentStatus::CancelOnly] {
        assert_eq!(status(&mut exchange, halted), Outcome::Done);
        assert_eq!(exchange.place(limit(BOB, Side::Buy, 1, 1)).outcome, closed, "{halted:?}");
    }
    assert_eq!(exchange.cancel(BOB, 2).outcome, Outcome::Done, "cancels are always taken");
    assert_eq!(status(&mut exchange, InstrumentStatus::Trading), Outcome::Done);
    assert_eq!(trades(&exchange.place(limit(BOB, Side::Buy, 100, 1))), [(1, 100, 1)]);
}

#[test]
fn limits_of_an_account_hold_for_what_is_open_already() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Buy, 100, 10)); // 10,000 ledger units
    exchange.done(&Command::SetLimits(SetLimits {
        account: ALICE,
        asset: USDT,
        reserved: 0,
        max_open_orders: 3,
        reserved_2: 0,
        max_order_notional: 20_000,
        max_open_notional: 31_000,
    }));
    let buy = |quantity| limit(ALICE, Side::Buy, 100, quantity);
    assert_eq!(exchange.place(buy(21)).outcome, refused(Reject::OrderNotionalLimit));
    assert_eq!(exchange.place(buy(20)).outcome, Outcome::Done);
    assert_eq!(exchange.place(buy(2)).outcome, refused(Reject::OpenNotionalLimit));
    exchange.place(limit(BOB, Side::Sell, 100, 5));
    assert_eq!(exchange.place(buy(2)).outcome, Outcome::Done, "a fill makes room");
    assert_eq!(exchange.place(buy(1)).outcome, refused(Reject::OpenOrdersLimit));
    exchange.cancel(ALICE, 1);
    assert_eq!(exchange.place(buy(1)).outcome, Outcome::Done);
}

#[test]
fn a_suspended_account_places_nothing_and_its_orders_go_as_told() {
    let mut exchange = new();
    exchange.place(limit(ALICE, Side::Sell, 100, 1));
    let suspend = |resting_orders| {
        Command::SuspendAccount(SuspendAccount { account: ALICE, resting_orders, reserved: [0; 3] })
    };
    exchange.done(&suspend(RestingOrders::Keep));
    assert_eq!(exchange.place(limit(ALICE, Side::Sell, 100, 1)).outcome, refused(Reject::AccountSuspended));
    assert_eq!(trades(&exchange.place(limit(BOB, Side::Buy, 100, 1))), [(1, 100, 1)]);
    exchange.done(&Command::ResumeAccount(protocol::command::ResumeAccount { account: ALICE, reserved: 0 }));
    exchange.place(limit(ALICE, Side::Sell, 100, 1));
    let did = exchange.done(&suspend(RestingOrders::Cancel));
    assert_eq!(closes(&did), [(3, CloseReason::AccountSuspended)]);
}

#[test]
fn the_most_orders_of_all_accounts_in_an_instrument() {
    let mut exchange = new();
    assert_eq!(
        set(&mut exchange, change::FILTERS, |instrument| instrument.filters.max_open_orders = 0),
        refused(Reject::BadDefinition)
    );
    set(&mut exchange, change::FILTERS, |instrument| instrument.filters.max_open_orders = 2);
    exchange.place(limit(ALICE, Side::Buy, 100, 1));
    exchange.place(limit(BOB, Side::Sell, 110, 1));
    let third = limit(CAROL, Side::Buy, 100, 1);
    assert_eq!(exchange.place(third).outcome, refused(Reject::TooManyOrders));
    assert_eq!(exchange.place(immediate(limit(CAROL, Side::Buy, 110, 1))).outcome, Outcome::Done);
    assert_eq!(exchange.place(third).outcome, Outcome::Done);
}

#[test]
fn the_most_orders_of_an_account_in_an_instrument() {
    let mut exchange = new();
    set(&mut exchange, change::FILTERS, |instrument| instrument.filters.max_account_orders = 2);
    for expected in [Outcome::Done, Outcome::Done, refused(Reject::TooManyOrders)] {
        assert_eq!(exchange.place(limit(ALICE, Side::Buy, 100, 1)).outcome, expected);
    }
    assert_eq!(exchange.place(limit(BOB, Side::Buy, 100, 1)).outcome, Outcome::Done);
    let did = exchange.place(immediate(limit(ALICE, Side::Buy, 100, 1)));
    assert_eq!(did.outcome, Outcome::Done, "what does not rest does not count");
}
