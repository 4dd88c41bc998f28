//! The audit finds what it is there to find: each case breaks one thing in a sound exchange and
//! expects the audit to name it.

use super::AuditError;
use crate::{
    Books, Engine, LadderBooks, NaiveBooks,
    books::{LATE, RestingOrder},
    ledger::{balances::Balance, holds::Hold},
};
use protocol::{
    AccountId, AssetId, InstrumentId, InstrumentStatus, OrderId, OrderTerms, Price, Quantity, Side, SourceId,
    SourceNumber, Time,
    command::{
        Command, CommandRecord, CreateInstrument, LedgerOperation, OpenAccount, PlaceOrder, SetLimits, sample,
    },
    event::EventBuffer,
    reject::Outcome,
};

pub(crate) const BTC: AssetId = AssetId(1);
const USDT: AssetId = AssetId(2);
/// External accounts are 3 and 4.
const BTC_OUTSIDE: AccountId = AccountId(3);
pub(crate) const ALICE: AccountId = AccountId(5);
pub(crate) const BOB: AccountId = AccountId(6);
pub(crate) const HERE: InstrumentId = InstrumentId(1);
const FUNDS: i64 = 1_000_000;

/// Applies a command that must be done.
pub(crate) fn apply<B: Books>(engine: &mut Engine<B>, command: &Command) {
    let sequence = engine.sequence().next();
    let bytes = command.encode(SourceId(1), SourceNumber(sequence.0), 0);
    let record = CommandRecord::parse(&bytes).expect("a record");
    let outcome = engine.apply(&record, Time(1), sequence, &mut EventBuffer::growing());
    assert_eq!(outcome, Outcome::Done, "{command:?}");
}

pub(crate) fn order(account: AccountId, side: Side, price: u32, quantity: u64) -> PlaceOrder {
    PlaceOrder {
        account,
        instrument: HERE,
        side,
        price: Price(price),
        quantity: Quantity(quantity),
        ..sample::limit_order()
    }
}

pub(crate) fn place<B: Books>(engine: &mut Engine<B>, order: PlaceOrder, terms: Option<OrderTerms>) {
    let client_order_id = Some(sample::client_order_id(&format!("order-{}", engine.sequence())));
    apply(engine, &Command::PlaceOrder { order, client_order_id, terms });
}

/// Alice and Bob with orders on both sides, two of them at one price, and a hold of all that Bob has
/// left of an asset.
pub(crate) fn sound<B: Books>() -> Engine<B> {
    let mut engine: Engine<B> = Engine::new(7);
    for name in ["BTC", "USDT"] {
        apply(&mut engine, &Command::CreateAsset(sample::asset(name)));
    }
    apply(&mut engine, &Command::CreateInstrument(CreateInstrument { instrument: sample::instrument() }));
    for account in [ALICE, BOB] {
        let open = OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] };
        apply(&mut engine, &Command::OpenAccount(open));
        for asset in [BTC, USDT] {
            let outside = AccountId(2 + u32::from(asset.0));
            let funds = LedgerOperation::transfer(outside, account, asset, FUNDS);
            apply(&mut engine, &Command::Ledger(funds));
        }
    }
    place(&mut engine, order(ALICE, Side::Buy, 100, 5), None);
    place(&mut engine, order(BOB, Side::Buy, 100, 5), None);
    place(&mut engine, order(ALICE, Side::Buy, 90, 5), None);
    place(&mut engine, order(BOB, Side::Sell, 110, 5), None);
    place(&mut engine, order(ALICE, Side::Sell, 120, 5), None);
    let rest = engine.ledger.balances.get(BOB, USDT).available;
    apply(&mut engine, &Command::Ledger(LedgerOperation::hold(BOB, USDT, rest, Time::NEVER)));
    assert_eq!(engine.audit(), Ok(()));
    engine
}

/// What the audit says after `spoil`.
fn after<B: Books>(spoil: impl FnOnce(&mut Engine<B>)) -> Result<(), AuditError> {
    let mut engine = sound::<B>();
    spoil(&mut engine);
    engine.audit()
}

pub(crate) fn broken(what: &'static str) -> Result<(), AuditError> {
    Err(AuditError::Book { instrument: HERE, what })
}

/// Puts an order straight into the book, with what it holds.
fn slip_in<B: Books>(engine: &mut Engine<B>, order_id: u64, order: PlaceOrder, flags: u8) {
    let PlaceOrder { account, instrument, side, price, quantity, .. } = order;
    let resting = RestingOrder {
        order_id: OrderId(order_id),
        leaves: quantity,
        account,
        price,
        instrument,
        side,
        flags,
    };
    engine.books.insert(resting, Quantity(0), None);
    let market = &engine.markets[0];
    let held = market.held(side, price, quantity);
    engine.ledger.balances.of(account, market.paid_asset(side)).hold(held);
}

#[test]
fn balances_are_held_to_the_invariants() {
    type Spoil = fn(&mut Balance);
    let held = 5 * 1_000;
    let differs = |held, expected| AuditError::HeldDiffers { account: ALICE, asset: BTC, held, expected };
    let negative = AuditError::Negative { account: ALICE, asset: BTC };
    let cases: [(Spoil, AuditError); 6] = [
        (|balance| balance.available += 3, AuditError::SumNotZero { asset: BTC, sum: 3 }),
        (|balance| balance.available -= 3, AuditError::SumNotZero { asset: BTC, sum: -3 }),
        (|balance| balance.held += 1, differs(held + 1, i128::from(held))),
        (|balance| balance.held -= 1, differs(held - 1, i128::from(held))),
        (|balance| balance.available = -1, negative.clone()),
        (|balance| balance.held = -1, negative),
    ];
    for (spoil, error) in cases {
        let found = after::<NaiveBooks>(|engine| spoil(engine.ledger.balances.of(ALICE, BTC)));
        assert_eq!(found, Err(error));
    }
    let nothing_left = after::<NaiveBooks>(|engine| {
        assert_eq!(engine.ledger.balances.get(BOB, USDT).available, 0);
    });
    assert_eq!(nothing_left, Ok(()), "nothing available is not less than nothing");
    let outside = after::<NaiveBooks>(|engine| engine.ledger.balances.of(BTC_OUTSIDE, BTC).held = -1);
    assert_eq!(outside, Err(AuditError::Negative { account: BTC_OUTSIDE, asset: BTC }));
}

#[test]
fn a_hold_that_no_balance_knows_is_found() {
    let fees = AccountId::FEES;
    let hold =
        Hold { account: fees, asset: USDT, rest: 9, purpose: 0, expires_at: Time::NEVER, reference: [0; 2] };
    let found = after::<NaiveBooks>(|engine| {
        engine.ledger.holds.open(hold);
    });
    assert_eq!(found, Err(AuditError::HeldDiffers { account: fees, asset: USDT, held: 0, expected: 9 }));
}

#[test]
fn an_order_that_does_not_belong_is_found() {
    type Spoil = fn(&mut RestingOrder);
    let cases: [(Spoil, &str); 4] = [
        (|order| order.leaves = Quantity(0), "an order that does not belong"),
        (|order| order.side = Side::Sell, "an order that does not belong"),
        (|order| order.instrument = InstrumentId(2), "an order that does not belong"),
        (|order| order.order_id = OrderId(99), "an order that its id does not find"),
    ];
    for (spoil, what) in cases {
        let found = after::<LadderBooks>(|engine| {
            let front = engine.books.front(HERE, Side::Buy).expect("a buy");
            engine.books.change(front, spoil);
        });
        assert_eq!(found, broken(what));
    }
}

#[test]
fn an_order_that_its_name_does_not_find_is_found() {
    let found = after::<NaiveBooks>(|engine| {
        let name = engine.books.client_order_id(OrderId(1)).expect("a name");
        engine.books.rename(OrderId(3), &name);
    });
    assert_eq!(found, broken("an order that its name does not find"));
}

#[test]
fn an_order_out_of_its_turn_is_found() {
    let wrong = broken("not in order of price, then time");
    for (side, price) in [(Side::Buy, 50), (Side::Sell, 150)] {
        for (flags, expected) in [([0, 0], wrong.clone()), ([LATE, 0], Ok(())), ([0, LATE], Ok(()))] {
            let found = after::<LadderBooks>(|engine| {
                slip_in(engine, 9, order(ALICE, side, price, 1), flags[0]);
                slip_in(engine, 8, order(ALICE, side, price, 1), flags[1]);
            });
            assert_eq!(found, expected, "by time, {side:?} {flags:?}");
        }
    }
    // The first of two at a price says another price than its level's.
    for (side, price) in [(Side::Buy, 99), (Side::Sell, 151)] {
        let found = after::<LadderBooks>(|engine| {
            slip_in(engine, 8, order(ALICE, side, side.pick(100, 150), 1), 0);
            slip_in(engine, 9, order(ALICE, side, side.pick(100, 150), 1), 0);
            let handle = engine.books.find(OrderId(side.pick(1, 8))).expect("it rests");
            engine.books.change(handle, |order| order.price = Price(price));
        });
        assert_eq!(found, wrong, "by price, {side:?}");
    }
}

#[test]
fn an_account_whose_list_differs_from_the_book_is_found() {
    let found = after::<LadderBooks>(|engine| {
        // The book says the order is Bob's, Alice's list has it.
        slip_in(engine, 8, order(ALICE, Side::Sell, 150, 1), 0);
        let handle = engine.books.find(OrderId(8)).expect("it rests");
        engine.books.change(handle, |order| order.account = BOB);
    });
    assert_eq!(found, broken("an account's list or count differs from the book"));
}

#[test]
fn a_crossed_book_is_found_while_it_trades_and_was_not_left_so() {
    let crossed = broken("crossed while trading");
    let cases = [
        (InstrumentStatus::Trading, false, 110, crossed.clone()),
        (InstrumentStatus::Trading, false, 111, crossed),
        (InstrumentStatus::Trading, false, 109, Ok(())),
        (InstrumentStatus::Trading, true, 110, Ok(())),
        (InstrumentStatus::PreOpen, false, 110, Ok(())),
    ];
    for (status, left_crossed, price, expected) in cases {
        let found = after::<LadderBooks>(|engine| {
            slip_in(engine, 8, order(ALICE, Side::Buy, price, 1), 0);
            engine.markets[0].instrument.status = status;
            engine.markets[0].left_crossed = left_crossed;
        });
        assert_eq!(found, expected, "{status:?} {left_crossed} {price}");
    }
}

#[test]
fn an_account_that_is_counted_to_have_other_orders_open_is_found() {
    let limited = |open_orders, open| {
        after::<LadderBooks>(|engine| {
            apply(
                engine,
                &Command::SetLimits(SetLimits {
                    account: ALICE,
                    asset: USDT,
                    reserved: 0,
                    max_open_orders: 0,
                    reserved_2: 0,
                    max_order_notional: 0,
                    max_open_notional: 0,
                }),
            );
            assert_eq!(engine.audit(), Ok(()));
            let limits = engine.ledger.accounts.limits_mut(ALICE);
            limits.open_orders += open_orders;
            limits.notional.get_mut(&USDT).expect("they were set").open += open;
        })
    };
    let counted = Err(AuditError::Counted { account: ALICE });
    assert_eq!((limited(1, 0), limited(0, -1), limited(0, 0)), (counted.clone(), counted, Ok(())));
}
