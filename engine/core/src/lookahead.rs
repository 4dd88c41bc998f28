//! Looking ahead: what the next commands will need of a state larger than the processor's cache is
//! read before it is needed, for many commands at once, so that their waits for memory overlap
//! instead of following one another. Changes nothing, decides nothing, and refuses to know what
//! the commands will do: what it reads may be stale by the time they are applied.
//!
//! With a hundred thousand orders at rest this makes the core faster by half; with a thousand, all
//! of which are in the cache, there is nothing to wait for, and nothing is done.

use crate::{Engine, books::Books};
use protocol::{
    AccountId, InstrumentId, OrderId, Price, Side,
    command::{CancelOrder, CommandKind, CommandRecord, PlaceOrder},
};

/// How many commands are looked at together: what they miss fills the processor's queue of misses.
pub const LOOK_AHEAD: usize = 16;

/// An order that may come.
#[derive(Clone, Copy, Debug)]
pub struct Placing {
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) price: Price,
}

/// An order that may leave.
#[derive(Clone, Copy, Debug)]
pub struct Cancelling {
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) order_id: OrderId,
}

/// An account whose balance may move, in the asset that a side of an instrument pays with.
#[derive(Clone, Copy, Debug)]
pub struct Payer {
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
}

/// What the commands looked at may do, and whom they may meet; its memory is used again.
#[derive(Debug, Default)]
pub struct Ahead {
    pub(crate) placing: Vec<Placing>,
    pub(crate) cancelling: Vec<Cancelling>,
    pub(crate) payers: Vec<Payer>,
    /// Of all that was read, so that reading it is not left out.
    pub(crate) read: u64,
}

impl Ahead {
    fn clear(&mut self) {
        self.placing.clear();
        self.cancelling.clear();
        self.payers.clear();
    }

    fn note(&mut self, record: &CommandRecord<'_>) {
        match record.header.kind {
            CommandKind::PlaceOrder => {
                if let Ok((order, ..)) = record.place_order() {
                    self.note_order(order);
                }
            }
            CommandKind::CancelOrder => {
                if let Ok((cancel, ..)) = record.cancel_order() {
                    self.note_cancel(cancel);
                }
            }
            CommandKind::CancelReplace => {
                if let Ok((replace, ..)) = record.cancel_replace() {
                    self.note_cancel(&replace.cancel);
                    self.note_order(&replace.order);
                }
            }
            _ => {}
        }
    }

    fn note_order(&mut self, order: &PlaceOrder) {
        let PlaceOrder { account, instrument, side, price, .. } = *order;
        self.placing.push(Placing { account, instrument, side, price });
        self.payers.push(Payer { account, instrument, side });
    }

    fn note_cancel(&mut self, cancel: &CancelOrder) {
        let CancelOrder { account, instrument, order_id, .. } = *cancel;
        self.cancelling.push(Cancelling { account, instrument, order_id });
    }
}

impl<B: Books> Engine<B> {
    /// Brings near what the first [`LOOK_AHEAD`] of these records will need: for whoever has many
    /// to apply, before every so many of them.
    #[inline]
    pub fn look_ahead(&mut self, records: &[u8]) {
        if self.books.outgrow_the_cache() {
            self.look_far_ahead(records);
        }
    }

    fn look_far_ahead(&mut self, records: &[u8]) {
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.clear();
        CommandRecord::all(records).take(LOOK_AHEAD).flatten().for_each(|record| ahead.note(&record));
        ahead.placing.retain(|placing| self.market(placing.instrument).is_some());
        ahead.cancelling.retain(|cancelling| self.market(cancelling.instrument).is_some());
        self.books.look_ahead(&mut ahead);
        for payer in &ahead.payers {
            if let Some(market) = self.market(payer.instrument) {
                let balance = self.ledger.balances.get(payer.account, market.paid_asset(payer.side));
                ahead.read ^= balance.available as u64;
            }
        }
        std::hint::black_box(ahead.read);
        self.ahead = ahead;
    }
}
