//! Looking ahead changes nothing, whatever the records are.

mod exchange;

use engine_core::LadderBooks;
use exchange::{ALICE, BOB, BTCUSDT, Exchange, limit};
use protocol::{
    AccountId, InstrumentId, OrderId, Side, SourceId, SourceNumber,
    command::{CancelIds, CancelOrder, CancelReplace, ChangeInstrument, Command, PlaceOrder, change, sample},
    order::{CancelRestriction, ReplaceMode},
};

/// More than the books keep near.
const ORDERS: u64 = 40_000;

#[test]
fn looking_ahead_changes_nothing_and_takes_any_record() {
    let mut exchange: Exchange<LadderBooks> = Exchange::new();
    exchange.audited = false;
    let mut definition = exchange.engine.market(BTCUSDT).expect("there").instrument;
    definition.filters.max_account_orders = ORDERS as u32;
    let parts = change::FILTERS;
    exchange.done(&Command::ChangeInstrument(ChangeInstrument {
        instrument: BTCUSDT,
        parts,
        reserved: [0; 5],
        definition,
    }));
    for number in 0..ORDERS {
        exchange.place(limit(ALICE, Side::Sell, 101 + (number % 50) as u32, 1));
    }

    let place = |order: PlaceOrder| Command::PlaceOrder { order, client_order_id: None, terms: None };
    let cancel = |account: AccountId, instrument: InstrumentId, order_id: u64| CancelOrder {
        account,
        instrument,
        restriction: CancelRestriction::None,
        ids: 0,
        order_id: OrderId(order_id),
    };
    let elsewhere = InstrumentId(999);
    let mut commands = vec![
        place(limit(BOB, Side::Buy, 120, 5)),
        place(limit(BOB, Side::Buy, 1, 5)),
        place(PlaceOrder { instrument: elsewhere, ..limit(AccountId(70_000), Side::Sell, u32::MAX, 5) }),
    ];
    for order_id in [0, 1, ORDERS / 2, ORDERS, ORDERS + 1, u64::MAX] {
        for (account, instrument) in [(ALICE, BTCUSDT), (AccountId(u32::MAX), elsewhere)] {
            let cancel = cancel(account, instrument, order_id);
            commands.push(Command::CancelOrder { cancel, ids: CancelIds::default() });
            let order = limit(account, Side::Buy, 110, 1);
            let replace = CancelReplace { cancel, order, mode: ReplaceMode::StopOnFailure, reserved: [0; 7] };
            commands.push(Command::CancelReplace {
                replace,
                ids: CancelIds::default(),
                client_order_id: None,
                terms: None,
            });
        }
    }
    commands.extend(sample::every_command());
    let before = exchange.engine.state_hash();
    for first in 0..commands.len() {
        let mut records = Vec::new();
        for command in &commands[first..] {
            command.encode_into(SourceId(1), SourceNumber(1), 0, &mut records);
        }
        exchange.engine.look_ahead(&records);
    }
    assert_eq!(exchange.engine.state_hash(), before);
}
