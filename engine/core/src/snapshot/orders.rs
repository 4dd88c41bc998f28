//! Open orders in a snapshot: each once, by id, and then, for each side of each book, which come in
//! which order. Refuses to know more of an order than the books do.
//!
//! They are put back in the order of their ids, in no level, which is the order of their accounts'
//! lists; then each goes to the back of its level, in the order of the book.

use super::{Reader, SnapshotError, Writer};
use crate::{
    Engine,
    books::{Books, EXPIRES, LATE, MARKED, PENDING, RestingOrder, WAITING},
};
use protocol::{InstrumentId, OrderId, Quantity, Side, Time};

/// What flags say that nothing else does.
const SAID: u8 = EXPIRES | MARKED | WAITING | PENDING | LATE;
const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

fn queue<B: Books>(books: &B, instrument: InstrumentId, side: Side) -> impl Iterator<Item = B::Handle> {
    std::iter::successors(books.front(instrument, side), |handle| books.after(*handle))
}

pub(super) fn write<B: Books>(engine: &Engine<B>, out: &mut Writer<'_>) {
    let books = &engine.books;
    let mut open: Vec<(OrderId, B::Handle)> = Vec::new();
    for market in &engine.markets {
        for side in SIDES {
            let resting = queue(books, market.instrument.id, side);
            open.extend(resting.map(|handle| (books.order(handle).order_id, handle)));
        }
    }
    let in_levels = open.len();
    open.extend(
        engine
            .contingent
            .beside()
            .map(|order_id| (order_id, books.find(order_id).expect("an order in no level is open"))),
    );
    open.sort_unstable_by_key(|(order_id, _)| *order_id);
    out.count(open.len());
    for (_, handle) in open {
        let order = books.order(handle);
        out.u64(order.order_id.0);
        out.u32(order.account.0);
        out.u16(order.instrument.0);
        out.u8(order.side as u8);
        out.u8(order.flags & SAID);
        out.u32(order.price.0);
        out.numbers(&[order.leaves.0, books.executed(handle).0]);
        if order.flags & EXPIRES != 0 {
            out.u64(engine.expiring.time(order.order_id).expect("an order that expires does so at a time").0);
        }
        out.client_order_id(books.client_order_id(handle).as_ref());
    }
    out.count(in_levels);
    for market in &engine.markets {
        for side in SIDES {
            for handle in queue(books, market.instrument.id, side) {
                out.u64(books.order(handle).order_id.0);
            }
        }
    }
}

/// An order that is to go back into its level.
struct Queued {
    order_id: OrderId,
    executed: Quantity,
    is_back: bool,
}

pub(super) fn read<B: Books>(engine: &mut Engine<B>, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
    input.part("orders");
    // By id, as they come.
    let mut queued: Vec<Queued> = Vec::new();
    let mut before = OrderId(0);
    for _ in 0..input.count()? {
        let order_id = OrderId(input.u64()?);
        input.check(order_id > before && order_id.0 <= engine.orders)?;
        before = order_id;
        let order = read_order(engine, order_id, input)?;
        let executed = Quantity(input.u64()?);
        if order.flags & (WAITING | PENDING) == 0 {
            input.check(order.price.0 != 0 && order.leaves.0 != 0)?;
            queued.push(Queued { order_id, executed, is_back: false });
        }
        if order.flags & EXPIRES != 0 {
            engine.expiring.insert(order_id, Time(input.u64()?));
        }
        let name = input.client_order_id()?;
        engine.books.insert_beside(order, name.as_ref());
    }
    input.part("queues");
    let count = input.count()?;
    input.check(count == queued.len())?;
    for _ in 0..count {
        let order_id = OrderId(input.u64()?);
        let place = queued.binary_search_by_key(&order_id, |queued| queued.order_id);
        let queued = &mut queued[place.map_err(|_| input.impossible())?];
        input.check(!queued.is_back)?;
        queued.is_back = true;
        let handle = engine.books.find(order_id).ok_or_else(|| input.impossible())?;
        engine.books.enter(handle, queued.executed);
    }
    Ok(())
}

fn read_order<B: Books>(
    engine: &Engine<B>,
    order_id: OrderId,
    input: &mut Reader<'_>,
) -> Result<RestingOrder, SnapshotError> {
    let account = protocol::AccountId(input.u32()?);
    let instrument = InstrumentId(input.u16()?);
    let side = match input.u8()? {
        0 => Side::Buy,
        1 => Side::Sell,
        _ => return Err(input.impossible()),
    };
    let flags = input.u8()?;
    let price = protocol::Price(input.u32()?);
    let leaves = Quantity(input.u64()?);
    let is_known = engine.market(instrument).is_some() && engine.ledger.accounts.get(account).is_some();
    input.check(is_known && flags & !SAID == 0)?;
    Ok(RestingOrder { order_id, leaves, account, price, instrument, side, flags })
}
