//! What the fast books promise besides being right: memory is used again, names are spread over
//! their table, far prices cost no more than near ones.

use super::{Books, LadderBooks, NIL};
use crate::books::RestingOrder;
use protocol::{AccountId, ClientOrderId, InstrumentId, OrderId, Price, Quantity, Side, command::sample};
use std::collections::BTreeSet;

const HERE: InstrumentId = InstrumentId(1);

fn books() -> LadderBooks {
    let mut books = LadderBooks::new(7);
    books.open_instrument(HERE);
    books
}

fn order(order_id: u64, side: Side, price: u32) -> RestingOrder {
    RestingOrder {
        order_id: OrderId(order_id),
        leaves: Quantity(1),
        account: AccountId(5),
        price: Price(price),
        instrument: HERE,
        side,
        flags: 0,
    }
}

fn name(number: u64) -> ClientOrderId {
    sample::client_order_id(&format!("order-{number}"))
}

#[test]
fn what_has_left_makes_room_for_what_comes() {
    let mut books = books();
    let mut order_id = 0;
    let mut sizes = BTreeSet::new();
    for _ in 0..4 {
        let first = order_id + 1;
        for place in 0..5_000 {
            order_id += 1;
            let side = if place % 2 == 0 { Side::Buy } else { Side::Sell };
            books.insert(order(order_id, side, 1 + place * 7), Quantity(0), Some(&name(order_id)));
        }
        for order_id in first..=order_id {
            let handle = books.find(OrderId(order_id)).expect("it rests");
            books.remove(handle);
        }
        assert_eq!(books.open_orders(HERE), 0);
        let pages = books.pages.pages.len();
        sizes.insert((books.slab.orders.len(), pages, books.names.names.len()));
    }
    assert_eq!(sizes.len(), 1, "slots, pages and names after each of four rounds: {sizes:?}");
}

#[test]
fn prices_are_walked_in_order_however_far_apart_and_in_whichever_order_they_came() {
    let far = [40_000_000, 39_000_000, 2_000_000, 512 * 64 * 3, 512 * 64 * 3 - 1, 512 * 64 * 2 + 5, 600, 1];
    for side in [Side::Buy, Side::Sell] {
        for turn in 0..far.len() {
            let mut prices = far;
            prices.rotate_left(turn);
            let mut books = books();
            for (order_id, price) in (1..).zip(prices) {
                books.insert(order(order_id, side, price), Quantity(0), None);
            }
            prices.sort_unstable();
            if side == Side::Buy {
                prices.reverse();
            }
            let walk = std::iter::successors(books.front(HERE, side), |handle| books.after(*handle));
            assert_eq!(walk.map(|handle| books.order(handle).price.0).collect::<Vec<_>>(), prices);
            let levels = std::iter::successors(books.best_price(HERE, side), |price| {
                books.price_after(HERE, side, *price)
            });
            assert_eq!(levels.map(|price| price.0).collect::<Vec<_>>(), prices);
        }
    }
}

#[test]
fn the_last_order_at_a_price_is_the_one_that_came_last() {
    let mut books = books();
    let tail =
        |books: &LadderBooks, price| books.sides[super::side_of(HERE, Side::Sell)].tail(price, &books.pages);
    assert_eq!(tail(&books, Price(700)), NIL);
    for order_id in 1..=3 {
        books.insert(order(order_id, Side::Sell, 700), Quantity(0), None);
    }
    let slot = books.find(OrderId(3)).expect("it rests");
    assert_eq!(tail(&books, Price(700)), slot);
    assert_eq!((tail(&books, Price(701)), tail(&books, Price(70_000))), (NIL, NIL));
}

#[test]
fn names_are_spread_over_their_table_by_a_seed() {
    let hashes = |seed| super::client_ids::hashes(seed, AccountId(5), (0..1_000).map(name));
    assert_eq!(hashes(1).len(), 1_000);
    assert!(hashes(1).is_disjoint(&hashes(2)), "who does not know the seed cannot make them meet");
}
