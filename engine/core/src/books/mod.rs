//! The books: which orders rest, in price order, then time order. Refuses to know balances, fees,
//! filters and why an order rests; that is `matching`.
//!
//! One interface, two makers: [`naive::NaiveBooks`], a sorted map of queues, obviously right, and
//! [`ladder::LadderBooks`], the fast one. Both are held to the same tests.

pub mod ladder;
pub mod naive;

use crate::{Engine, lookahead::Ahead};
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, Price, Quantity, Sequence, Side, Time,
    command::CommandRecord, event::EventBuffer, reject::Outcome,
};

/// Set in [`RestingOrder::flags`] when the order expires at a time.
pub const EXPIRES: u8 = 1;
/// Set in [`RestingOrder::flags`] when something of the order has traded.
pub const TRADED: u8 = 2;
/// Set when more is known of the order beside the books: see `contingent`.
pub const MARKED: u8 = 4;
/// Set when the order waits for its trigger, in no level, its funds held.
pub const WAITING: u8 = 8;
/// Set when the order waits for its list, or is on its way in, in no level, and holds nothing.
pub const PENDING: u8 = 16;
/// Set when the order's id does not say when it came to its level: it was triggered, or its slice
/// refreshed.
pub const LATE: u8 = 32;

/// An order in a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(32))]
pub struct RestingOrder {
    /// Its id.
    pub order_id: OrderId,
    /// What is left of it.
    pub leaves: Quantity,
    /// Whose.
    pub account: AccountId,
    /// At which price.
    pub price: Price,
    /// Where.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// [`EXPIRES`], [`TRADED`], [`MARKED`], [`WAITING`], [`PENDING`], [`LATE`]; the highest bits are
    /// the books' own.
    pub flags: u8,
}

/// Orders at rest, over all instruments.
///
/// A handle is good until its order is removed. Walks go from the best price to the worst, first
/// come first.
pub trait Books: Sized {
    /// Names a resting order while it rests.
    type Handle: Copy + PartialEq + std::fmt::Debug;

    /// Empty books. `hash_seed` may be any number: it spreads client order ids over the table and
    /// changes nothing that can be seen.
    fn new(hash_seed: u64) -> Self;

    /// Applies a command: [`Engine::apply`], compiled for these books here and once, not wherever
    /// it is called.
    fn apply(
        engine: &mut Engine<Self>,
        command: &CommandRecord<'_>,
        time: Time,
        sequence: Sequence,
        events: &mut EventBuffer,
    ) -> Outcome;

    /// Whether there is so much that looking ahead is worth its while.
    fn outgrow_the_cache(&self) -> bool {
        false
    }

    /// Reads what the commands noted will need of the books, and names who will pay or be paid by
    /// what they meet; see [`crate::lookahead`].
    fn look_ahead(&self, _ahead: &mut Ahead) {}

    /// Makes room for an instrument; ids come dense from 1.
    fn open_instrument(&mut self, instrument: InstrumentId);

    /// Puts an order, of which `executed` has traded, behind those at its price.
    fn insert(&mut self, order: RestingOrder, executed: Quantity, client_order_id: Option<&ClientOrderId>);

    /// Takes in an order that rests in no level: known by its id, its name and its account alone.
    fn insert_beside(&mut self, order: RestingOrder, client_order_id: Option<&ClientOrderId>);

    /// Takes such an order out.
    fn remove_beside(&mut self, handle: Self::Handle);

    /// Changes an order that rests in no level, or the flags of one that does; a level keeps its
    /// orders' prices and what is left of them.
    fn change(&mut self, handle: Self::Handle, change: impl FnOnce(&mut RestingOrder));

    /// Puts an order that rested in no level, and of which `executed` has traded, behind those at
    /// its price.
    fn enter(&mut self, handle: Self::Handle, executed: Quantity);

    /// Puts an order behind those at its price, with so much left and so much traded.
    fn requeue(&mut self, handle: Self::Handle, leaves: Quantity, executed: Quantity);

    /// The best price of a side.
    fn best_price(&self, instrument: InstrumentId, side: Side) -> Option<Price>;

    /// The next worse price of a side that has an order.
    fn price_after(&self, instrument: InstrumentId, side: Side, price: Price) -> Option<Price>;

    /// The best order of a side: best price, first come.
    fn front(&self, instrument: InstrumentId, side: Side) -> Option<Self::Handle>;

    /// The order after this one in its side.
    fn after(&self, handle: Self::Handle) -> Option<Self::Handle>;

    /// The order itself.
    fn order(&self, handle: Self::Handle) -> &RestingOrder;

    /// What of it has traded.
    fn executed(&self, handle: Self::Handle) -> Quantity;

    /// The name its client gave it.
    fn client_order_id(&self, handle: Self::Handle) -> Option<ClientOrderId>;

    /// Gives it another name.
    fn rename(&mut self, handle: Self::Handle, client_order_id: &ClientOrderId);

    /// Takes `quantity`, less than what is left, off an order that keeps its place; `traded` says
    /// whether it traded.
    fn reduce(&mut self, handle: Self::Handle, quantity: Quantity, traded: bool);

    /// Takes an order out.
    fn remove(&mut self, handle: Self::Handle);

    /// The order of this id, if it rests.
    fn find(&self, order_id: OrderId) -> Option<Self::Handle>;

    /// The order to which this account gave this name, if it rests.
    fn find_by_client_order_id(&self, account: AccountId, id: &ClientOrderId) -> Option<Self::Handle>;

    /// How many orders are open in the instrument, those in no level included.
    fn open_orders(&self, instrument: InstrumentId) -> u32;

    /// How many orders of the account are open in the instrument, those in no level included.
    fn count(&self, account: AccountId, instrument: InstrumentId) -> u32;

    /// The newest order of the account in the instrument.
    fn newest(&self, account: AccountId, instrument: InstrumentId) -> Option<Self::Handle>;

    /// The order of the same account in the same instrument that came before this one.
    fn older(&self, handle: Self::Handle) -> Option<Self::Handle>;
}
