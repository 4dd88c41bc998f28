//! What follows from a command: lists hear of their orders, a circuit breaker looks at the price,
//! waiting orders are triggered, one after the other, and so on from what these do. Bounded for each
//! command; the next command, or a `Tick`, goes on before anything else (docs/decisions/triggers.md).

use crate::{Engine, books::Books};
use protocol::{InstrumentId, OrderId, event::EventBuffer, order::CloseReason};

/// At most so many orders go in as what follows from one command.
const ACTIVATIONS_PER_COMMAND_MAX: usize = 64;
/// At most so many orders of delisted instruments are closed by one command.
const CLOSINGS_PER_COMMAND_MAX: usize = 1_024;

impl<B: Books> Engine<B> {
    /// The last price of a watched instrument may have moved.
    #[cold]
    pub(crate) fn wake(&mut self, instrument: InstrumentId) {
        self.contingent.moved.insert(instrument);
        self.awake = true;
    }

    /// Does what follows, as far as one command may.
    #[cold]
    pub(crate) fn follow(&mut self, events: &mut EventBuffer) {
        self.awake = false;
        for _ in 0..ACTIVATIONS_PER_COMMAND_MAX {
            self.settle_lists(events);
            if !self.follow_one(events) {
                break;
            }
        }
        self.settle_lists(events);
        self.close_delisted(events);
        self.settle_lists(events);
        self.awake = false;
        self.note_expiry();
    }

    /// One order goes in; says whether there was one.
    fn follow_one(&mut self, events: &mut EventBuffer) -> bool {
        if let Some(list_id) = self.contingent.activations.pop_front() {
            self.activate_list(list_id, events);
            return true;
        }
        while let Some(instrument) = self.contingent.moved.first().copied() {
            self.look_at_breaker(instrument, events);
            let trades = self.market(instrument).is_some_and(|market| market.instrument.status.matches());
            if trades && self.trigger_next(instrument, events) {
                return true;
            }
            self.contingent.moved.remove(&instrument);
        }
        false
    }

    /// Orders of delisted instruments leave: those in the book from the best on, then those beside it.
    fn close_delisted(&mut self, events: &mut EventBuffer) {
        for _ in 0..CLOSINGS_PER_COMMAND_MAX {
            let Some(instrument) = self.contingent.closing.first().copied() else { return };
            let in_book = [protocol::Side::Buy, protocol::Side::Sell]
                .into_iter()
                .find_map(|side| self.books.front(instrument, side));
            let beside = || {
                let all = (instrument, OrderId(0))..=(instrument, OrderId(u64::MAX));
                let (_, order_id) = self.contingent.beside.range(all).next()?;
                self.books.find(*order_id)
            };
            match in_book.or_else(beside) {
                Some(handle) => self.close_resting(handle, CloseReason::Delisted, None, events),
                None => {
                    self.contingent.closing.remove(&instrument);
                }
            }
        }
    }
}
