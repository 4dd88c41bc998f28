//! What is known beside the books in a snapshot: marked orders, lists, timers, breakers, and work
//! that a command left to the next. Triggers, sessions, counts and names of lists are made again from
//! these. Refuses to know the books' own part of an order.

use super::{
    Contingent, Special,
    breaker::{Part, Watched},
    lists::OrderList,
};
use crate::{
    Engine,
    books::{Books, MARKED},
    snapshot::{Reader, SnapshotError, Writer},
};
use protocol::{
    AccountId, InstrumentId, OrderId, OrderListId, Price, Quantity, SourceId, Time, terms::OrderPhase,
};

impl Contingent {
    /// The orders in no level, by instrument, then id.
    pub(crate) fn beside(&self) -> impl Iterator<Item = OrderId> {
        self.beside.iter().map(|(_, order_id)| *order_id)
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.count(self.orders.len());
        for (order_id, special) in &self.orders {
            out.u64(order_id.0);
            write_special(special, out);
        }
        self.write_lists(out);
        out.count(self.timers.len());
        for (account, due) in &self.timers {
            out.u32(account.0);
            out.u64(due.0);
        }
        self.write_breakers(out);
        out.count(self.moved.len());
        for instrument in &self.moved {
            out.u16(instrument.0);
        }
        out.count(self.closing.len());
        for instrument in &self.closing {
            out.u16(instrument.0);
        }
        out.count(self.activations.len());
        for list_id in &self.activations {
            out.u64(list_id.0);
        }
    }

    fn write_lists(&self, out: &mut Writer<'_>) {
        out.u64(self.lists.opened);
        out.count(self.lists.open.len());
        for (list_id, list) in &self.lists.open {
            out.u64(list_id.0);
            out.u32(list.account.0);
            out.u16(list.instrument.0);
            out.plain(&list.contingency);
            out.client_order_id(list.name.as_ref());
            for (order_id, open) in list.orders.iter().zip(list.open) {
                out.u64(order_id.0);
                out.bool(open);
            }
            out.i64(list.shared);
            out.bool(list.paired);
        }
    }

    fn write_breakers(&self, out: &mut Writer<'_>) {
        out.count(self.breakers.watched.len());
        for (instrument, watched) in &self.breakers.watched {
            out.u16(instrument.0);
            out.plain(&watched.breaker);
            out.count(watched.parts.len());
            for part in &watched.parts {
                out.u64(part.number);
                out.u32(part.low.0);
                out.u32(part.high.0);
            }
        }
        out.count(self.breakers.reopenings.len());
        for (time, instrument) in &self.breakers.reopenings {
            out.u64(time.0);
            out.u16(instrument.0);
        }
    }

    fn read_list(&mut self, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
        let list_id = OrderListId(input.u64()?);
        let mut list = OrderList {
            account: AccountId(input.u32()?),
            instrument: InstrumentId(input.u16()?),
            contingency: input.plain()?,
            name: input.client_order_id()?,
            orders: [OrderId(0); 3],
            open: [false; 3],
            shared: 0,
            paired: false,
        };
        for place in 0..3 {
            list.orders[place] = OrderId(input.u64()?);
            list.open[place] = input.bool()?;
        }
        list.shared = input.i64()?;
        list.paired = input.bool()?;
        input.check(list_id.0 <= self.lists.opened)?;
        self.count(list.account, list.instrument, |counts| counts.lists += 1);
        self.lists.put_back(list_id, list);
        Ok(())
    }
}

fn write_special(special: &Special, out: &mut Writer<'_>) {
    out.plain(&special.order);
    out.plain(&special.terms);
    out.u32(special.source.0);
    out.u64(special.list_id.0);
    out.plain(&special.phase);
    out.u64(special.reserve.0);
    out.u32(special.trigger.0);
    out.u32(special.extreme.0);
    out.u32(special.amends);
}

fn read_special(input: &mut Reader<'_>) -> Result<Special, SnapshotError> {
    Ok(Special {
        order: input.plain()?,
        terms: input.plain()?,
        source: SourceId(input.u32()?),
        list_id: OrderListId(input.u64()?),
        phase: input.plain()?,
        reserve: Quantity(input.u64()?),
        trigger: Price(input.u32()?),
        extreme: Price(input.u32()?),
        amends: input.u32()?,
    })
}

impl<B: Books> Engine<B> {
    /// Reads what [`Contingent::write`] wrote; books and markets are there.
    pub(crate) fn read_contingent(&mut self, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
        input.part("marked orders");
        for _ in 0..input.count()? {
            let order_id = OrderId(input.u64()?);
            let special = read_special(input)?;
            let handle = self.books.find(order_id).ok_or_else(|| input.impossible())?;
            let order = self.books.order(handle);
            let is_same = order.instrument == special.order.instrument && order.flags & MARKED != 0;
            input.check(is_same)?;
            self.contingent.remember(order_id, special);
            if special.phase == OrderPhase::Waiting {
                self.contingent.put_back_trigger(order_id, &special);
            }
        }
        input.part("order lists");
        self.contingent.lists.opened = input.u64()?;
        for _ in 0..input.count()? {
            self.contingent.read_list(input)?;
        }
        input.part("timers");
        for _ in 0..input.count()? {
            let (account, due) = (AccountId(input.u32()?), Time(input.u64()?));
            self.contingent.timers.insert(account, due);
            self.contingent.timers_due.insert((due, account));
        }
        input.part("breakers");
        for _ in 0..input.count()? {
            let instrument = self.known_instrument(input)?;
            let mut watched = Watched { breaker: input.plain()?, parts: std::collections::VecDeque::new() };
            for _ in 0..input.count()? {
                let part = Part { number: input.u64()?, low: Price(input.u32()?), high: Price(input.u32()?) };
                watched.parts.push_back(part);
            }
            self.contingent.breakers.watched.insert(instrument, watched);
        }
        for _ in 0..input.count()? {
            let time = Time(input.u64()?);
            let instrument = self.known_instrument(input)?;
            self.contingent.breakers.reopenings.insert((time, instrument));
        }
        input.part("work");
        for _ in 0..input.count()? {
            let instrument = self.known_instrument(input)?;
            self.contingent.moved.insert(instrument);
        }
        for _ in 0..input.count()? {
            let instrument = self.known_instrument(input)?;
            self.contingent.closing.insert(instrument);
        }
        for _ in 0..input.count()? {
            self.contingent.activations.push_back(OrderListId(input.u64()?));
        }
        for market in &mut self.markets {
            market.watched = self.contingent.watches(market.instrument.id);
        }
        Ok(())
    }

    fn known_instrument(&self, input: &mut Reader<'_>) -> Result<InstrumentId, SnapshotError> {
        let instrument = InstrumentId(input.u16()?);
        input.check(self.market(instrument).is_some())?;
        Ok(instrument)
    }
}

impl Contingent {
    /// A waiting order's trigger, and from where it trails, as `arm` and `follow_trails` left them.
    fn put_back_trigger(&mut self, order_id: OrderId, special: &Special) {
        let triggers = self.triggers.entry(special.order.instrument).or_default();
        triggers.insert(special.rises(), special.trigger, order_id);
        if special.extreme.0 != 0 {
            triggers.insert_extreme(special.order.side, special.extreme, order_id);
        }
    }
}
