//! The audit of what is known beside the books, one broken thing a case.

use crate::{
    AuditError, Books, Engine, LadderBooks,
    audit::tests::{ALICE, HERE, apply, broken, order, place, sound},
    books::{MARKED, PENDING, WAITING},
};
use protocol::{
    OrderId, OrderListId, OrderTerms, OrderType, Price, Quantity, Side,
    command::{Command, ListedOrder, PlaceOrder, PlaceOrderList},
    terms::Contingency,
};

type Venue = Engine<LadderBooks>;

const ICEBERG: OrderId = OrderId(6);
const STOP: OrderId = OrderId(7);
/// A sell that waits for the buy before it in its list.
const PENDING_SELL: OrderId = OrderId(9);
/// The second of a pair of which one cancels the other.
const STOP_LEG: OrderId = OrderId(11);
const PAIR: OrderListId = OrderListId(2);

/// A sound exchange with an iceberg, a stop order, a list with a pending order, and a pair.
fn venue() -> Venue {
    let mut venue = sound::<LadderBooks>();
    let typed =
        |order_type, side, price, quantity| PlaceOrder { order_type, ..order(ALICE, side, price, quantity) };
    let stop_at = |price| Some(OrderTerms { stop_price: Price(price), ..OrderTerms::NONE });
    let iceberg = OrderTerms { visible_quantity: Quantity(2), ..OrderTerms::NONE };
    place(&mut venue, PlaceOrder { ids: 0, ..order(ALICE, Side::Buy, 80, 6) }, Some(iceberg));
    place(&mut venue, typed(OrderType::StopLossLimit, Side::Buy, 130, 3), stop_at(130));
    let leg = |order_type, side, price, quantity, terms| ListedOrder {
        order: typed(order_type, side, price, quantity),
        client_order_id: None,
        terms,
    };
    let lists = [
        (
            Contingency::OneTriggersOther,
            vec![
                leg(OrderType::Limit, Side::Buy, 70, 1, None),
                leg(OrderType::Limit, Side::Sell, 140, 1, None),
            ],
        ),
        (
            Contingency::OneCancelsOther,
            vec![
                leg(OrderType::LimitMaker, Side::Sell, 150, 2, None),
                leg(OrderType::StopLossLimit, Side::Sell, 60, 2, stop_at(60)),
            ],
        ),
    ];
    for (contingency, orders) in lists {
        let list = PlaceOrderList { account: ALICE, instrument: HERE, contingency, ids: 0 };
        apply(&mut venue, &Command::PlaceOrderList { list, client_order_id: None, orders });
    }
    assert_eq!(venue.audit(), Ok(()));
    venue
}

fn change(venue: &mut Venue, order_id: OrderId, change: impl FnOnce(&mut crate::RestingOrder)) {
    let handle = venue.books.find(order_id).expect("it is open");
    venue.books.change(handle, change);
}

#[test]
fn what_is_known_beside_the_books_is_held_to_them() {
    type Spoil = fn(&mut Venue);
    let flags = "an order's flags differ from what is known of it";
    let listed = "an order in no level that is not listed so";
    let no_list = "an order of a list that does not know it";
    let list = "a list that differs from its orders";
    let cases: [(Spoil, &str); 12] = [
        (|venue| change(venue, ICEBERG, |order| order.flags &= !MARKED), flags),
        (|venue| change(venue, ICEBERG, |order| order.flags |= WAITING), flags),
        (|venue| change(venue, STOP, |order| order.flags ^= WAITING | PENDING), flags),
        (|venue| change(venue, PENDING_SELL, |order| order.flags ^= WAITING | PENDING), flags),
        (
            |venue| {
                let special = *venue.contingent.special(ICEBERG);
                venue.contingent.orders.insert(OrderId(99), special);
            },
            "a marked order that is not open",
        ),
        (|venue| assert!(venue.contingent.beside.remove(&(HERE, STOP))), listed),
        (|venue| assert!(venue.contingent.beside.insert((HERE, ICEBERG))), listed),
        (|venue| venue.contingent.special_mut(STOP).list_id = PAIR, no_list),
        (|venue| venue.contingent.special_mut(STOP).list_id = OrderListId(77), no_list),
        (|venue| change_list(venue, |list| list.open[0] = false), list),
        (|venue| change_list(venue, |list| list.open[2] = true), list),
        (|venue| venue.markets[0].watched = false, "a market that does not know whether it is watched"),
    ];
    for (number, (spoil, what)) in cases.into_iter().enumerate() {
        let mut venue = venue();
        spoil(&mut venue);
        assert_eq!(venue.audit(), broken(what), "case {number}");
    }
}

fn change_list(venue: &mut Venue, change: impl FnOnce(&mut super::super::lists::OrderList)) {
    change(venue.contingent.lists.open.get_mut(&PAIR).expect("it is open"));
}

#[test]
fn a_list_of_no_open_order_is_found() {
    let mut venue = venue();
    change_list(&mut venue, |list| {
        list.open = [false; 3];
        list.orders = [OrderId(0); 3];
    });
    for order_id in [OrderId(10), STOP_LEG] {
        venue.contingent.special_mut(order_id).list_id = OrderListId(0);
    }
    assert_eq!(venue.audit(), broken("a list that differs from its orders"));
}

#[test]
fn what_marked_orders_hold_is_counted_once_by_what_they_are() {
    type Spoil = fn(&mut Venue);
    // By how much more the audit then expects to be held, in the asset that the order pays with.
    let cases: [(Spoil, i128); 4] = [
        (|venue| venue.contingent.special_mut(ICEBERG).reserve.0 += 1, 80 * 10),
        (|venue| change(venue, STOP, |order| order.leaves.0 += 1), 130 * 10),
        // It holds nothing before its turn comes.
        (|venue| change(venue, PENDING_SELL, |order| order.leaves.0 += 1), 0),
        (|venue| change_list(venue, |list| list.shared -= 1), 1),
    ];
    for (number, (spoil, more)) in cases.into_iter().enumerate() {
        let mut venue = venue();
        spoil(&mut venue);
        let found = match venue.audit() {
            Ok(()) => 0,
            Err(AuditError::HeldDiffers { held, expected, .. }) => expected - i128::from(held),
            Err(other) => panic!("case {number}: {other}"),
        };
        assert_eq!(found, more, "case {number}");
    }
}
