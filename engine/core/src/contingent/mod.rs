//! Orders that are not plain: those that wait for a trigger or for their list, icebergs, members of
//! lists and of sessions; and what stops trading: timers, kill switches, breakers, delisting. What is
//! known of them beside the books, and what they do.
//!
//! A plain order never comes here: it has no mark in the books, and its instrument may have none
//! either. Refuses to know how books are kept.

mod activate;
mod auction;
mod audit;
mod breaker;
mod check;
mod close;
mod control;
mod enter;
mod follow;
mod lists;
mod marked;
mod snapshot;
pub(crate) use marked::Hidden;
mod triggers;

use crate::market::Market;
use breaker::Breakers;
use lists::Lists;
use protocol::{
    AccountId, InstrumentId, OrderId, OrderListId, OrderTerms, Price, Quantity, Side, SourceId, Time,
    command::PlaceOrder,
    terms::{AcceptedTerms, OrderPhase},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use triggers::Triggers;

/// What is known beside the books of an order marked there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Special {
    /// The order as it was accepted; its price is what it holds at.
    pub(crate) order: PlaceOrder,
    pub(crate) terms: OrderTerms,
    /// Whose gateway it came from.
    pub(crate) source: SourceId,
    pub(crate) list_id: OrderListId,
    pub(crate) phase: OrderPhase,
    /// What an iceberg keeps out of sight.
    pub(crate) reserve: Quantity,
    /// The last price that triggers it (or from which on it trails); 0 when there is none.
    pub(crate) trigger: Price,
    /// The best last price since it trails; 0 while it does not.
    pub(crate) extreme: Price,
    /// How often it was amended.
    pub(crate) amends: u32,
}

/// What an account has open in an instrument, of those kinds that are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) algo: u32,
    pub(crate) icebergs: u32,
    pub(crate) lists: u32,
}

/// All that is known beside the books.
#[derive(Debug, Default)]
pub(crate) struct Contingent {
    orders: BTreeMap<OrderId, Special>,
    /// Those in no level.
    beside: BTreeSet<(InstrumentId, OrderId)>,
    triggers: BTreeMap<InstrumentId, Triggers>,
    lists: Lists,
    sessions: BTreeSet<(SourceId, u64, OrderId)>,
    counts: BTreeMap<(AccountId, InstrumentId), Counts>,
    breakers: Breakers,
    /// When each account's cancel timer runs out, and the other way round.
    timers: BTreeMap<AccountId, Time>,
    timers_due: BTreeSet<(Time, AccountId)>,
    /// Instruments whose last price moved and is not looked at yet.
    moved: BTreeSet<InstrumentId>,
    /// Lists whose working order is filled, and whose pending orders are to go in.
    activations: VecDeque<OrderListId>,
    /// Delisted instruments that still have orders.
    closing: BTreeSet<InstrumentId>,
    /// What is to be said of the order that is being accepted.
    said: Option<AcceptedTerms>,
}

impl Contingent {
    /// An order marked in the books.
    fn special(&self, order_id: OrderId) -> &Special {
        &self.orders[&order_id]
    }

    /// The same, to change.
    fn special_mut(&mut self, order_id: OrderId) -> &mut Special {
        self.orders.get_mut(&order_id).expect("what is marked in the books is known beside them")
    }

    fn counts(&self, account: AccountId, instrument: InstrumentId) -> Counts {
        self.counts.get(&(account, instrument)).copied().unwrap_or_default()
    }

    fn count(&mut self, account: AccountId, instrument: InstrumentId, change: impl FnOnce(&mut Counts)) {
        let counts = self.counts.entry((account, instrument)).or_default();
        change(counts);
        if *counts == Counts::default() {
            self.counts.remove(&(account, instrument));
        }
    }

    /// Takes an order in.
    fn remember(&mut self, order_id: OrderId, special: Special) {
        let PlaceOrder { account, instrument, .. } = special.order;
        if special.terms.session != 0 {
            self.sessions.insert((special.source, special.terms.session, order_id));
        }
        self.count(account, instrument, |counts| {
            counts.algo += u32::from(special.order.order_type.is_triggered());
            counts.icebergs += u32::from(special.is_iceberg());
        });
        if special.phase != OrderPhase::Working {
            self.beside.insert((instrument, order_id));
        }
        self.orders.insert(order_id, special);
    }

    /// Forgets an order that left, or that is plain from now on.
    fn forget(&mut self, order_id: OrderId) {
        let Some(special) = self.orders.remove(&order_id) else { return };
        let PlaceOrder { account, instrument, .. } = special.order;
        self.sessions.remove(&(special.source, special.terms.session, order_id));
        self.beside.remove(&(instrument, order_id));
        self.count(account, instrument, |counts| {
            counts.algo -= u32::from(special.order.order_type.is_triggered());
            counts.icebergs -= u32::from(special.is_iceberg());
        });
    }

    /// What of an iceberg is out of sight; nothing of other orders.
    pub(crate) fn reserve(&self, order_id: OrderId) -> Quantity {
        self.orders.get(&order_id).map_or(Quantity(0), |special| special.reserve)
    }

    /// Whether something is left to do that the next command must go on with.
    pub(crate) fn has_work(&self) -> bool {
        !self.moved.is_empty() || !self.activations.is_empty() || !self.closing.is_empty()
    }

    /// When a timer runs out, or an instrument reopens, next.
    pub(crate) fn next_due(&self) -> Option<Time> {
        let timer = self.timers_due.first().map(|(time, _)| *time);
        let reopening = self.breakers.next_reopening().map(|(time, _)| time);
        timer.into_iter().chain(reopening).min()
    }

    /// Whether trades in the instrument are to be noted.
    fn watches(&self, instrument: InstrumentId) -> bool {
        self.triggers.contains_key(&instrument) || self.breakers.is_set(instrument)
    }
}

impl Special {
    pub(crate) fn is_iceberg(&self) -> bool {
        self.terms.visible_quantity.0 != 0
    }

    /// Whether the books must keep it marked once it works.
    fn stays_marked(&self) -> bool {
        self.reserve.0 != 0 || self.list_id.0 != 0 || self.terms.session != 0 || self.amends != 0
    }

    /// How much of `leaves` shows.
    fn slice_of(&self, leaves: Quantity) -> Quantity {
        if self.is_iceberg() { leaves.min(self.terms.visible_quantity) } else { leaves }
    }

    /// Whether its trigger is met from below: a last price at or above it.
    fn rises(&self) -> bool {
        rises(&self.order, self.extreme.0 != 0)
    }
}

/// Whether an order's trigger is met by a price at or above it (and not at or below it): a stop-loss
/// buy, a take-profit sell; once it trails, a buy.
fn rises(order: &PlaceOrder, trails: bool) -> bool {
    let buys = order.side == Side::Buy;
    if trails { buys } else { buys != order.order_type.is_take_profit() }
}

/// Whether `last` meets an order's stop price.
fn is_met(order: &PlaceOrder, stop_price: Price, last: Price) -> bool {
    if rises(order, false) { last >= stop_price } else { last <= stop_price }
}

/// The available balance that an order of `side` pays with.
fn paid(market: &Market, order: &PlaceOrder) -> (AccountId, protocol::AssetId) {
    (order.account, market.paid_asset(order.side))
}
