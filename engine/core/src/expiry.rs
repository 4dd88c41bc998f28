//! What ends by itself: GTD orders and holds. Refuses to read a clock: what is due at a command's
//! time ends before the command, in the order of times, orders before holds before cancel timers and
//! halts, then by id.

use crate::{
    Engine,
    books::{Books, EXPIRES, RestingOrder},
};
use protocol::{OrderId, Time, event::EventBuffer, order::CloseReason};
use std::collections::{BTreeMap, BTreeSet};

/// At most so many end at one command, so that its work is bounded; the rest end at the next.
const EXPIRIES_PER_COMMAND_MAX: usize = 1_024;

/// GTD orders by their time.
#[derive(Debug, Default)]
pub(crate) struct ExpiringOrders {
    by_time: BTreeSet<(Time, OrderId)>,
    times: BTreeMap<OrderId, Time>,
}

impl ExpiringOrders {
    pub(crate) fn insert(&mut self, order_id: OrderId, expires_at: Time) {
        self.by_time.insert((expires_at, order_id));
        self.times.insert(order_id, expires_at);
    }

    pub(crate) fn remove(&mut self, order_id: OrderId) {
        if let Some(time) = self.times.remove(&order_id) {
            self.by_time.remove(&(time, order_id));
        }
    }

    pub(crate) fn time(&self, order_id: OrderId) -> Option<Time> {
        self.times.get(&order_id).copied()
    }

    fn next(&self) -> Option<(Time, OrderId)> {
        self.by_time.first().copied()
    }
}

impl<B: Books> Engine<B> {
    /// When something ends next by itself; a `Tick` at or after that time ends it.
    pub fn next_expiry(&self) -> Option<Time> {
        let order = self.expiring.next().map(|(time, _)| time);
        let hold = self.ledger.holds.next_expiry().map(|(time, _)| time);
        if self.contingent.has_work() {
            return Some(Time(0)); // at once: an earlier command left it
        }
        order.into_iter().chain(hold).chain(self.contingent.next_due()).min()
    }

    /// Ends what is due at `time`.
    #[inline]
    pub(crate) fn expire(&mut self, time: Time, events: &mut EventBuffer) {
        if time >= self.next_expiry {
            self.expire_due(time, events);
        }
    }

    #[cold]
    fn expire_due(&mut self, time: Time, events: &mut EventBuffer) {
        if self.contingent.has_work() {
            self.follow(events);
        }
        for _ in 0..EXPIRIES_PER_COMMAND_MAX {
            let order = self.expiring.next().filter(|(due, _)| *due <= time);
            let hold = self.ledger.holds.next_expiry().filter(|(due, _)| *due <= time);
            let other = self.contingent.next_due().filter(|due| *due <= time);
            let before = |due: Time, other: Option<Time>| other.is_none_or(|other| due <= other);
            match (order, hold) {
                (Some((due, order_id)), hold)
                    if before(due, hold.map(|(other, _)| other)) && before(due, other) =>
                {
                    let handle = self.books.find(order_id).expect("an order that expires is open");
                    self.close_resting(handle, CloseReason::TimeReached, None, events);
                }
                (_, Some((due, hold_id))) if before(due, other) => self.ledger.expire_hold(hold_id, events),
                _ if self.end_timer(time, events) => {}
                _ => break,
            }
        }
        self.settle_lists(events);
        self.note_expiry();
    }

    /// Whether an order's time has come though it still rests, because more were due at once than
    /// one command ends: it does not trade any more.
    #[inline]
    pub(crate) fn is_over(&self, order: &RestingOrder) -> bool {
        order.flags & EXPIRES != 0
            && self.next_expiry <= self.time
            && self.expiring.time(order.order_id).is_some_and(|due| due <= self.time)
    }

    /// Keeps the time of the next expiry where every command looks at it.
    pub(crate) fn note_expiry(&mut self) {
        self.next_expiry = self.next_expiry().unwrap_or(Time(u64::MAX));
    }
}
