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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        LadderBooks,
        audit::tests::{ALICE, BOB, HERE, order, sound},
        books::RestingOrder,
    };
    use protocol::{
        Quantity, SourceId, SourceNumber,
        command::{CancelIds, CancelReplace, Command, sample},
        order::ReplaceMode,
    };

    const RESTING: OrderId = OrderId(1_000);

    /// More orders than are kept near: sells of Alice's from 500 on, of which [`RESTING`] is the first.
    fn large() -> Engine<LadderBooks> {
        let mut engine = sound::<LadderBooks>();
        for more in 0..40_000 {
            let order_id = OrderId(RESTING.0 + more);
            let PlaceOrder { account, instrument, side, price, quantity, .. } =
                order(ALICE, Side::Sell, 500 + more as u32, 1);
            let resting =
                RestingOrder { order_id, leaves: quantity, account, price, instrument, side, flags: 0 };
            engine.books.insert(resting, Quantity(0), None);
        }
        engine
    }

    /// What is noted of these commands: (placing, cancelling, payers).
    fn noted(
        engine: &mut Engine<LadderBooks>,
        commands: &[Command],
    ) -> (usize, usize, Vec<(AccountId, Side)>) {
        let mut records = Vec::new();
        for command in commands {
            command.encode_into(SourceId(1), SourceNumber(1), 0, &mut records);
        }
        engine.look_ahead(&records);
        let payers = engine.ahead.payers.iter().map(|payer| (payer.account, payer.side)).collect();
        (engine.ahead.placing.len(), engine.ahead.cancelling.len(), payers)
    }

    #[test]
    fn what_commands_will_touch_is_found_once_there_is_more_than_a_cache_holds() {
        let place = |order| Command::PlaceOrder { order, client_order_id: None, terms: None };
        let cancel = CancelOrder { account: ALICE, order_id: RESTING, ..sample::cancel_order() };
        let ids = CancelIds::default;
        let replace = CancelReplace {
            cancel,
            order: order(ALICE, Side::Buy, 95, 1),
            mode: ReplaceMode::AllowFailure,
            reserved: [0; 7],
        };
        // The best buy is Alice's at 100, the best sell Bob's at 110.
        let cases = [
            (place(order(BOB, Side::Buy, 109, 1)), (1, 0, vec![(BOB, Side::Buy)])),
            (
                place(order(ALICE, Side::Buy, 110, 1)),
                (1, 0, vec![(ALICE, Side::Buy), (BOB, Side::Sell), (BOB, Side::Buy)]),
            ),
            (place(order(BOB, Side::Sell, 101, 1)), (1, 0, vec![(BOB, Side::Sell)])),
            (
                place(order(BOB, Side::Sell, 100, 1)),
                (1, 0, vec![(BOB, Side::Sell), (ALICE, Side::Buy), (ALICE, Side::Sell)]),
            ),
            (Command::CancelOrder { cancel, ids: ids() }, (0, 1, vec![(ALICE, Side::Sell)])),
            (
                Command::CancelReplace { replace, ids: ids(), client_order_id: None, terms: None },
                (1, 1, vec![(ALICE, Side::Buy), (ALICE, Side::Sell)]),
            ),
            (Command::Tick, (0, 0, vec![])),
            (
                place(PlaceOrder { instrument: InstrumentId(9), ..order(BOB, Side::Buy, 109, 1) }),
                (0, 0, vec![(BOB, Side::Buy)]),
            ),
        ];
        let mut engine = large();
        for (command, expected) in cases {
            assert_eq!(noted(&mut engine, std::slice::from_ref(&command)), expected, "{command:?}");
        }
        let many = vec![place(order(BOB, Side::Buy, 90, 1)); LOOK_AHEAD + 5];
        assert_eq!(noted(&mut engine, &many).0, LOOK_AHEAD);
        assert_eq!(engine.ahead.placing[0].instrument, HERE);
    }

    #[test]
    fn nothing_is_looked_at_while_all_is_near() {
        let order = order(BOB, Side::Buy, 110, 1);
        let place = Command::PlaceOrder { order, client_order_id: None, terms: None };
        assert_eq!(noted(&mut sound::<LadderBooks>(), &[place]), (0, 0, vec![]));
    }
}
