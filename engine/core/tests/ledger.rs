//! Money besides trades: transfers, holds, batches, repeats (requirements §10.1, §10.6).

mod exchange;

use exchange::{ALICE, BOB, BTC, CAROL, Exchange, USDT, limit};
use protocol::{
    AccountId, AssetId, HoldId, Reject, Side, SourceId, SourceNumber, Time, TimeInForce,
    command::{
        BATCH_OPERATIONS_MAX, Command, CreateAsset, CreateInstrument, LedgerOperation, PlaceOrder,
        SetCancelTimer, SuspendAccount, sample,
    },
    event::Event,
    money::SUPPLY_MAX,
    order::RestingOrders,
    reject::Outcome,
};

const START: i64 = 1_000_000_000_000_000;

fn new() -> Exchange {
    Exchange::new()
}

fn refused(reject: Reject) -> Outcome {
    Outcome::Refused(reject)
}

fn ledger(exchange: &mut Exchange, operation: LedgerOperation) -> exchange::Did {
    exchange.apply(&Command::Ledger(operation))
}

#[test]
fn transfers_move_what_is_available_and_no_more() {
    let mut exchange = new();
    let cases = [
        (LedgerOperation::transfer(ALICE, BOB, BTC, 0), Reject::AmountOutOfRange),
        (LedgerOperation::transfer(ALICE, BOB, BTC, -1), Reject::AmountOutOfRange),
        (LedgerOperation::transfer(ALICE, BOB, BTC, i64::MAX), Reject::AmountOutOfRange),
        (LedgerOperation::transfer(ALICE, BOB, BTC, START + 1), Reject::InsufficientBalance),
        (LedgerOperation::transfer(ALICE, ALICE, BTC, 1), Reject::BadCombination),
        (LedgerOperation::transfer(ALICE, AccountId(99), BTC, 1), Reject::UnknownAccount),
        (LedgerOperation::transfer(AccountId(99), BOB, BTC, 1), Reject::UnknownAccount),
        (LedgerOperation::transfer(ALICE, BOB, AssetId(9), 1), Reject::UnknownAsset),
        // The world outside of one asset does not hold another.
        (LedgerOperation::transfer(ALICE, AccountId(3), USDT, 1), Reject::NotAllowedForSystemAccount),
    ];
    for (operation, reject) in cases {
        assert_eq!(ledger(&mut exchange, operation).outcome, refused(reject), "{operation:?}");
    }
    assert_eq!(
        ledger(&mut exchange, LedgerOperation::transfer(ALICE, BOB, BTC, START)).outcome,
        Outcome::Done
    );
    assert_eq!((exchange.balance(ALICE, BTC), exchange.balance(BOB, BTC)), ((0, 0), (2 * START, 0)));
}

#[test]
fn no_more_than_the_largest_supply_comes_in() {
    let mut exchange = new();
    let asset = CreateAsset { max_supply: 100, ..sample::asset("GOLD") };
    let id = AssetId(exchange.done(&Command::CreateAsset(asset)).result as u16);
    let external = exchange.engine.ledger().asset(id).expect("there").external;
    exchange.done(&Command::Ledger(LedgerOperation::transfer(external, ALICE, id, 60)));
    let more = LedgerOperation::transfer(external, BOB, id, 41);
    assert_eq!(ledger(&mut exchange, more).outcome, refused(Reject::SupplyExceeded));
    exchange.done(&Command::Ledger(LedgerOperation::transfer(ALICE, external, id, 1)));
    assert_eq!(ledger(&mut exchange, more).outcome, Outcome::Done);
    let all = CreateAsset { max_supply: SUPPLY_MAX, ..sample::asset("ALL") };
    let id = AssetId(exchange.done(&Command::CreateAsset(all)).result as u16);
    let external = exchange.engine.ledger().asset(id).expect("there").external;
    exchange.done(&Command::Ledger(LedgerOperation::transfer(external, ALICE, id, SUPPLY_MAX)));
    let twice = LedgerOperation::transfer(external, BOB, id, SUPPLY_MAX);
    assert_eq!(ledger(&mut exchange, twice).outcome, refused(Reject::SupplyExceeded));
    for bad in [
        CreateAsset { max_supply: SUPPLY_MAX + 1, ..sample::asset("BIG") },
        CreateAsset { max_supply: 0, ..sample::asset("NONE") },
        CreateAsset { scale: 9, ..sample::asset("FINE") },
    ] {
        assert_eq!(exchange.apply(&Command::CreateAsset(bad)).outcome, refused(Reject::BadDefinition));
    }
    assert_eq!(
        exchange.apply(&Command::CreateAsset(sample::asset("GOLD"))).outcome,
        refused(Reject::NameTaken)
    );
    let again = CreateInstrument { instrument: sample::instrument() };
    assert_eq!(exchange.apply(&Command::CreateInstrument(again)).outcome, refused(Reject::NameTaken));
}

#[test]
fn a_hold_is_captured_in_parts_and_its_rest_returns() {
    let mut exchange = new();
    let hold = HoldId(ledger(&mut exchange, LedgerOperation::hold(ALICE, USDT, 100, Time::NEVER)).result);
    assert_eq!(exchange.balance(ALICE, USDT), (START - 100, 100));
    ledger(&mut exchange, LedgerOperation::capture(hold, BOB, 30, false));
    assert_eq!(
        (exchange.balance(ALICE, USDT), exchange.balance(BOB, USDT)),
        ((START - 100, 70), (START + 30, 0))
    );
    ledger(&mut exchange, LedgerOperation::release(hold, 20));
    assert_eq!(exchange.balance(ALICE, USDT), (START - 80, 50));
    let too_much = LedgerOperation::capture(hold, BOB, 51, true);
    assert_eq!(ledger(&mut exchange, too_much).outcome, refused(Reject::AmountOutOfRange));
    ledger(&mut exchange, LedgerOperation::capture(hold, BOB, 10, true));
    assert_eq!(
        (exchange.balance(ALICE, USDT), exchange.balance(BOB, USDT)),
        ((START - 40, 0), (START + 40, 0))
    );
    let closed = LedgerOperation::release(hold, 0);
    assert_eq!(
        ledger(&mut exchange, closed).outcome,
        refused(Reject::UnknownHold),
        "a closed hold never reopens"
    );
    let next = ledger(&mut exchange, LedgerOperation::hold(ALICE, USDT, 1, Time::NEVER)).result;
    assert_eq!(next, hold.0 + 1, "nor is its id used again");
}

#[test]
fn holds_expire_unless_extended() {
    let mut exchange = new();
    let at = |seconds: u64| Time(1_000_000_000_000 + seconds * 1_000_000_000);
    let hold = LedgerOperation::hold(ALICE, USDT, 5, at(10));
    let ids = [(); 3].map(|()| HoldId(ledger(&mut exchange, hold).result));
    ledger(&mut exchange, LedgerOperation::extend_hold(ids[1], at(20)));
    ledger(&mut exchange, LedgerOperation::extend_hold(ids[2], Time::NEVER));
    assert_eq!(
        ledger(&mut exchange, LedgerOperation::extend_hold(ids[2], at(0))).outcome,
        refused(Reject::ExpiryInThePast)
    );
    for (seconds, held) in [(9, 15), (10, 10), (19, 10), (25, 5), (9_999, 5)] {
        exchange.time = at(seconds);
        let did = exchange.done(&Command::Tick);
        assert_eq!(exchange.balance(ALICE, USDT).1, held, "after {seconds} s");
        assert!(
            did.events
                .iter()
                .all(|event| matches!(event, Event::HoldReleased(released) if released.expired == 1))
        );
    }
}

#[test]
fn a_batch_happens_whole_or_not_at_all() {
    let mut exchange = new();
    let hold = HoldId(ledger(&mut exchange, LedgerOperation::hold(ALICE, USDT, 100, Time(u64::MAX))).result);
    let good = vec![
        LedgerOperation::transfer(ALICE, BOB, BTC, 7),
        LedgerOperation::hold(BOB, BTC, 7, Time::NEVER),
        LedgerOperation::capture(hold, BOB, 30, false),
        LedgerOperation::release(hold, 20),
        LedgerOperation::extend_hold(hold, Time::NEVER),
        LedgerOperation::capture(hold, BOB, 0, true),
    ];
    for failing in 0..=good.len() {
        let mut batch = good.clone();
        batch.insert(failing, LedgerOperation::transfer(ALICE, BOB, BTC, START + 1));
        let balances: Vec<_> = exchange.engine.ledger().balances.iter().collect();
        let holds: Vec<_> = exchange.engine.ledger().holds.iter().map(|(id, hold)| (id, *hold)).collect();
        let did = exchange.apply(&Command::Batch(batch));
        assert_eq!((did.outcome, did.events), (refused(Reject::InsufficientBalance), vec![]));
        assert_eq!(exchange.engine.ledger().balances.iter().collect::<Vec<_>>(), balances);
        assert_eq!(
            exchange.engine.ledger().holds.iter().map(|(id, hold)| (id, *hold)).collect::<Vec<_>>(),
            holds
        );
    }
    assert_eq!(exchange.apply(&Command::Batch(vec![])).outcome, refused(Reject::EmptyBatch));
    assert_eq!(exchange.done(&Command::Batch(good)).events.len(), 6);
    assert_eq!(exchange.balance(BOB, USDT), (START + 80, 0));
    assert_eq!(exchange.balance(ALICE, USDT), (START - 80, 0));
}

#[test]
fn a_batch_that_failed_leaves_no_trace_in_what_comes_after() {
    let run = |with_failure: bool| {
        let mut exchange = new();
        if with_failure {
            let batch = vec![
                LedgerOperation::hold(ALICE, USDT, 5, Time::NEVER),
                LedgerOperation::hold(ALICE, USDT, 6, Time(u64::MAX)),
                LedgerOperation::transfer(ALICE, BOB, BTC, START + 1),
            ];
            assert_eq!(exchange.apply(&Command::Batch(batch)).outcome, refused(Reject::InsufficientBalance));
        }
        let hold = LedgerOperation::hold(ALICE, USDT, 7, Time::NEVER);
        (ledger(&mut exchange, hold).result, exchange.engine.ledger().holds.opened())
    };
    assert_eq!(run(true), (1, 1), "ids of holds are dense");
    assert_eq!(run(true), run(false));
}

#[test]
fn a_batch_says_its_first_hold_and_is_bounded() {
    let mut exchange = new();
    let transfer = LedgerOperation::transfer(ALICE, BOB, BTC, 1);
    let hold = |amount| LedgerOperation::hold(ALICE, USDT, amount, Time::NEVER);
    exchange.done(&Command::Ledger(hold(1)));
    assert_eq!(exchange.done(&Command::Batch(vec![transfer, hold(2), hold(3)])).result, 2);
    assert_eq!(exchange.done(&Command::Batch(vec![transfer; 2])).result, 0, "it opened none");
    assert_eq!(exchange.done(&Command::Batch(vec![transfer; BATCH_OPERATIONS_MAX])).outcome, Outcome::Done);
}

#[test]
fn a_hold_is_released_in_parts_to_its_last_unit_and_no_further() {
    let mut exchange = new();
    let hold = HoldId(ledger(&mut exchange, LedgerOperation::hold(ALICE, USDT, 10, Time::NEVER)).result);
    let releases = [
        (11, refused(Reject::AmountOutOfRange), vec![]),
        (-1, refused(Reject::AmountOutOfRange), vec![]),
        (4, Outcome::Done, vec![(4, 0)]),
        (7, refused(Reject::AmountOutOfRange), vec![]),
        (6, Outcome::Done, vec![(6, 1)]),
        (1, refused(Reject::UnknownHold), vec![]),
    ];
    for (amount, outcome, released) in releases {
        let did = ledger(&mut exchange, LedgerOperation::release(hold, amount));
        let said: Vec<_> = did
            .events
            .iter()
            .map(|event| match event {
                Event::HoldReleased(released) => (released.amount, released.closed),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!((did.outcome, said), (outcome, released), "{amount}");
    }
    assert_eq!(exchange.balance(ALICE, USDT), (START, 0));
}

#[test]
fn what_is_due_ends_in_the_order_of_times_then_orders_before_holds_before_timers() {
    let mut exchange = new();
    let now = exchange.time.0;
    let at = |later: u64| Time(now + later);
    let dated = |later| PlaceOrder {
        time_in_force: TimeInForce::GoodTillDate,
        expires_at: at(later),
        ..limit(BOB, Side::Sell, 100, 1)
    };
    let timer = |account, timeout| Command::SetCancelTimer(SetCancelTimer { account, reserved: 0, timeout });
    // Carol's timer cancels her order; the times of each kind are before, with and after the others'.
    for later in [10, 20, 30] {
        assert_eq!(exchange.place(dated(later)).outcome, Outcome::Done);
        ledger(&mut exchange, LedgerOperation::hold(ALICE, USDT, later as i64, at(later)));
    }
    ledger(&mut exchange, LedgerOperation::hold(ALICE, USDT, 25, at(25)));
    exchange.place(dated(26));
    exchange.place(PlaceOrder { account: ALICE, ..dated(28) });
    exchange.done(&timer(BOB, 20));
    exchange.done(&timer(CAROL, 24));
    let ended = |did: &exchange::Did| -> Vec<String> {
        let word = |event: &Event| match event {
            Event::OrderClosed(order, _) => format!("order {} {:?}", order.order_id, order.reason),
            Event::HoldReleased(hold) => format!("hold {}", hold.amount),
            Event::CancelTimerSet(timer) => format!("timer {}", timer.account),
            other => panic!("{other:?}"),
        };
        did.events.iter().map(word).collect()
    };
    exchange.time = at(9);
    assert_eq!(ended(&exchange.done(&Command::Tick)), Vec::<String>::new());
    exchange.time = at(10);
    assert_eq!(ended(&exchange.done(&Command::Tick)), ["order 1 TimeReached", "hold 10"]);
    exchange.time = at(40);
    let last = ended(&exchange.done(&Command::Tick));
    let expected = [
        "order 2 TimeReached",
        "hold 20",
        &format!("timer {BOB}"),
        "order 4 CancelTimer",
        "order 3 CancelTimer",
        &format!("timer {CAROL}"),
        "hold 25",
        "order 5 TimeReached",
        "hold 30",
    ];
    assert_eq!(last, expected);
    assert_eq!(exchange.engine.next_expiry(), None);
}

#[test]
fn a_suspended_account_sends_nothing_and_may_receive() {
    let mut exchange = new();
    let suspend = SuspendAccount { account: ALICE, resting_orders: RestingOrders::Keep, reserved: [0; 3] };
    exchange.done(&Command::SuspendAccount(suspend));
    for operation in
        [LedgerOperation::transfer(ALICE, BOB, BTC, 1), LedgerOperation::hold(ALICE, BTC, 1, Time::NEVER)]
    {
        assert_eq!(ledger(&mut exchange, operation).outcome, refused(Reject::AccountSuspended));
    }
    exchange.done(&Command::Ledger(LedgerOperation::transfer(BOB, ALICE, BTC, 1)));
}

#[test]
fn a_repeat_gets_its_outcome_and_does_nothing_again() {
    let mut exchange = new();
    let bytes = Command::Ledger(LedgerOperation::hold(ALICE, USDT, 5, Time::NEVER)).encode(
        SourceId(9),
        SourceNumber(1),
        0,
    );
    let first = exchange.apply_bytes(&bytes);
    let again = exchange.apply_bytes(&bytes);
    assert_eq!((again.outcome, again.result, again.header.repeat), (first.outcome, first.result, 1));
    assert_eq!((again.events, exchange.balance(ALICE, USDT)), (vec![], (START - 5, 5)));
    let other = Command::Tick.encode(SourceId(9), SourceNumber(1), 0);
    assert_eq!(exchange.apply_bytes(&other).outcome, refused(Reject::SourceStopped));
    assert_eq!(exchange.engine.next_number(SourceId(9)), SourceNumber(2));
}

#[test]
fn a_malformed_body_is_refused_and_changes_nothing() {
    let mut exchange = new();
    let command = Command::PlaceOrder { order: sample::limit_order(), client_order_id: None, terms: None };
    let mut bytes = command.encode(SourceId(9), SourceNumber(1), 0);
    bytes[46] = 77; // the side
    assert_eq!(exchange.apply_bytes(&bytes).outcome, refused(Reject::Malformed));
}
