//! The part of the state hash that is beside the books. Nothing of it where there is nothing, so
//! that a state of plain orders hashes as it always did.

use super::Contingent;
use crate::{Engine, books::Books, hash::Content};
use zerocopy::IntoBytes;

impl Contingent {
    fn is_empty(&self) -> bool {
        let nothing_open = self.orders.is_empty() && self.lists.open.is_empty() && !self.has_work();
        let nothing_set = self.timers.is_empty() && self.breakers.watched.is_empty();
        nothing_open && nothing_set && self.lists.opened == 0 && self.breakers.reopenings.is_empty()
    }

    fn hash(&self, content: &mut Content) {
        content.part("contingent");
        content.numbers(&[self.orders.len() as u64, self.lists.opened]);
        for (order_id, special) in &self.orders {
            content.bytes(special.order.as_bytes());
            content.bytes(special.terms.as_bytes());
            content.numbers(&[
                order_id.0,
                u64::from(special.source.0),
                special.list_id.0,
                special.phase as u64,
                special.reserve.0,
                u64::from(special.trigger.0),
                u64::from(special.extreme.0),
                u64::from(special.amends),
            ]);
        }
        content.part("lists");
        for (list_id, list) in &self.lists.open {
            content.numbers(&[list_id.0, u64::from(list.account.0), u64::from(list.instrument.0)]);
            content.number(list.contingency as u64);
            content.bytes(list.name.as_ref().map_or(&[][..], |name| name.as_bytes()));
            for (order_id, open) in list.orders.iter().zip(list.open) {
                content.numbers(&[order_id.0, u64::from(open)]);
            }
            content.signed(list.shared);
            content.number(u64::from(list.paired));
        }
        content.part("timers");
        for (account, due) in &self.timers {
            content.numbers(&[u64::from(account.0), due.0]);
        }
        content.part("breakers");
        for (instrument, watched) in &self.breakers.watched {
            content.number(u64::from(instrument.0));
            content.bytes(watched.breaker.as_bytes());
            for part in &watched.parts {
                content.numbers(&[part.number, u64::from(part.low.0), u64::from(part.high.0)]);
            }
        }
        for (time, instrument) in &self.breakers.reopenings {
            content.numbers(&[time.0, u64::from(instrument.0)]);
        }
        content.part("work");
        content.numbers(&[self.moved.len() as u64, self.closing.len() as u64]);
        for instrument in self.moved.iter().chain(&self.closing) {
            content.number(u64::from(instrument.0));
        }
        for list_id in &self.activations {
            content.number(list_id.0);
        }
    }
}

impl<B: Books> Engine<B> {
    /// What is beside the books, and the orders in no level.
    pub(crate) fn hash_contingent(&self, content: &mut Content) {
        if self.contingent.is_empty() {
            return;
        }
        self.contingent.hash(content);
        content.part("beside");
        for (_, order_id) in &self.contingent.beside {
            let handle = self.books.find(*order_id).expect("an order in no level is open");
            let expires_at = self.expiring.time(*order_id).unwrap_or_default();
            content.numbers(&[order_id.0, self.books.order(handle).leaves.0, expires_at.0]);
            let name = self.books.client_order_id(handle);
            content.bytes(name.as_ref().map_or(&[][..], |name| name.as_bytes()));
        }
    }
}
