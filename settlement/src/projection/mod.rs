//! Events to rows. Keeps in memory what the rows of the next event depend on (balances, open orders, the
//! last candles), and what changed since the rows were last taken. Refuses to know databases, clocks and
//! where one transaction ends: the same events make the same rows however they come in batches.

mod directory;
mod load;
mod market;
mod money;
mod orders;

pub(crate) use load::{position, read_candle};

use crate::{
    SettlementError,
    order_row::KeptOrder,
    prepared::{Place, Prepared, Tables},
};
use directory::{AccountState, Listing};
use foldhash::fast::FixedState;
use market::Candles;
use money::BalanceState;
use orders::ListState;
use protocol::{
    AccountId, AssetId, InstrumentId, OrderId, OrderListId, Sequence, Time,
    event::{Event, EventChunk},
    order::CloseReason,
};
use stream::{Batch, StreamError};

/// Keys are the engine's own dense ids: no one can choose them to collide.
type Map<K, V> = hashbrown::HashMap<K, V, FixedState>;

/// A value that rows are made of, and whether it changed since they were taken.
#[derive(Clone, Copy, Debug)]
struct Tracked<T> {
    value: T,
    changed: bool,
}

/// The state that rows follow from.
#[derive(Debug)]
pub(crate) struct Projection {
    /// After the last command taken in; `None` of empty books.
    place: Option<Place>,
    /// Where the rows that are not taken yet begin.
    taken: Option<Place>,
    /// The time of the first command whose rows are not taken yet.
    first_time: Option<Time>,
    /// By instrument id, from 1.
    listings: Vec<Option<Listing>>,
    accounts: Map<AccountId, AccountState>,
    balances: Map<(AccountId, AssetId), Tracked<BalanceState>>,
    /// Open ones, and those closed since the rows were taken.
    orders: Map<OrderId, Tracked<KeptOrder>>,
    lists: Map<OrderListId, Tracked<ListState>>,
    candles: Map<InstrumentId, Candles>,
    /// And when.
    changed_listings: Map<InstrumentId, Time>,
    changed_accounts: Vec<AccountId>,
    changed_balances: Vec<(AccountId, AssetId)>,
    changed_orders: Vec<OrderId>,
    changed_lists: Vec<OrderListId>,
    tables: Tables,
}

/// Which event is being taken in.
#[derive(Clone, Copy, Debug)]
struct Moment {
    sequence: Sequence,
    time: Time,
    /// Its place in its command, from 0.
    event_index: u32,
    /// The engine's count of events before it.
    number: u64,
}

impl Projection {
    /// Of empty books.
    pub(crate) fn new() -> Self {
        Self {
            place: None,
            taken: None,
            first_time: None,
            listings: Vec::new(),
            accounts: Map::default(),
            balances: Map::default(),
            orders: Map::default(),
            lists: Map::default(),
            candles: Map::default(),
            changed_listings: Map::default(),
            changed_accounts: Vec::new(),
            changed_balances: Vec::new(),
            changed_orders: Vec::new(),
            changed_lists: Vec::new(),
            tables: Tables::new(),
        }
    }

    /// The last command taken in; 0 before the first.
    /// The time of the command at the position.
    pub(crate) fn time(&self) -> Time {
        self.place.map_or(Time(0), |place| place.time)
    }

    pub(crate) fn position(&self) -> Sequence {
        self.place.map_or(Sequence(0), |place| place.sequence)
    }

    /// About how many rows the next [`Self::take`] gives.
    pub(crate) fn rows(&self) -> usize {
        self.tables.len()
            + self.changed_accounts.len()
            + self.changed_balances.len()
            + self.changed_orders.len()
            + self.changed_lists.len()
    }

    /// Whether there is something to take.
    pub(crate) fn is_changed(&self) -> bool {
        self.first_time.is_some()
    }

    /// Takes in what is new in `batch`; what is at or below the position is dropped.
    ///
    /// # Errors
    /// A gap, another engine's or an older epoch's events, events that cannot be read or contradict the
    /// books. What came before them is taken in: write it, and go no further.
    pub(crate) fn apply(&mut self, batch: &Batch) -> Result<(), SettlementError> {
        let before = self.place;
        if let Some(place) = before {
            let (found, expected) = (batch.engine_id, place.engine_id);
            if found != expected {
                return Err(StreamError::OtherEngine { expected, found }.into());
            }
            if batch.epoch < place.epoch {
                return Err(StreamError::Fenced { newest: place.epoch, found: batch.epoch }.into());
            }
        }
        let mut left = batch.chunks.as_slice();
        while !left.is_empty() {
            let command = command(&mut left, self.position())?;
            if command.sequence > self.position() {
                self.apply_command(batch, &command)?;
            }
        }
        let expected = self.position().next();
        if batch.last >= expected {
            return Err(StreamError::Gap { expected, found: batch.last.next() }.into());
        }
        Ok(())
    }

    fn apply_command(&mut self, batch: &Batch, command: &Command<'_>) -> Result<(), SettlementError> {
        let expected = self.position().next();
        if command.sequence != expected {
            return Err(StreamError::Gap { expected, found: command.sequence }.into());
        }
        let mut event_index = 0;
        let mut waiting: Option<(Moment, Event)> = None;
        let mut time = Time(0);
        // Every event was read once before: here each can be.
        for chunk in EventChunk::all(command.chunks).flatten() {
            time = chunk.header.time;
            for (number, event) in (chunk.header.first_event..).zip(chunk.events().flatten()) {
                let at = Moment { sequence: command.sequence, time, event_index, number };
                event_index += 1;
                if let Some((before, ready)) = waiting.replace((at, event)) {
                    self.event(&ready, Some(&event), before)?;
                }
            }
        }
        if let Some((at, ready)) = waiting {
            self.event(&ready, None, at)?;
        }
        self.first_time.get_or_insert(time);
        let Batch { engine_id, epoch, .. } = *batch;
        self.place = Some(Place { engine_id, epoch, sequence: command.sequence, time });
        Ok(())
    }

    fn event(&mut self, event: &Event, next: Option<&Event>, at: Moment) -> Result<(), SettlementError> {
        self.post(event, at)?;
        match event {
            Event::OrderAccepted(accepted, name, terms) => self.accept(accepted, *name, *terms, at),
            Event::OrderRested(rested) => {
                self.change_order(rested.order_id, at, |order| order.rest(rested.leaves));
            }
            Event::OrderTriggered(triggered) => {
                self.change_order(triggered.order_id, at, |order| order.trigger(at.time));
            }
            Event::OrderActivated(activated) => {
                self.change_order(activated.order_id, at, |order| order.activate(activated, at.time));
            }
            Event::ReserveChanged(reserve) => {
                self.change_order(reserve.order_id, at, |order| order.hidden = reserve.new);
            }
            Event::OrderClosed(closed, _) => {
                self.change_order(closed.order_id, at, |order| order.close(closed.reason, at.time));
            }
            Event::OrderAmended(amended, name) => self.amend(amended, *name, at),
            Event::TradePrevented(prevented) => self.prevent(prevented, at),
            Event::OrderListChanged(changed, name) => self.change_list(changed, *name, at),
            Event::Trade(trade) => {
                let short_of_a_lot = matches!(next, Some(Event::OrderClosed(closed, _))
                    if closed.order_id == trade.taker_order_id && closed.reason == CloseReason::LessThanOneLot);
                self.trade(trade, false, short_of_a_lot, at)?;
            }
            Event::AuctionTrade(auction) => self.trade(&auction.trade, true, false, at)?,
            _ => self.change_directory(event, at),
        }
        Ok(())
    }

    /// The rows since the last time, if there is anything new.
    pub(crate) fn take(&mut self) -> Option<Prepared> {
        let first_time = self.first_time.take()?;
        let to = self.place?;
        self.take_directory();
        self.take_balances();
        self.take_orders();
        self.take_lists();
        self.take_candles();
        let tables = std::mem::replace(&mut self.tables, Tables::new());
        let from = self.taken.replace(to);
        Some(Prepared { from, to, first_time, tables })
    }

    fn contradiction(at: Moment, what: String) -> SettlementError {
        SettlementError::Contradiction { sequence: at.sequence, event_index: at.event_index, what }
    }
}

/// The chunks of one command.
#[derive(Debug)]
struct Command<'a> {
    sequence: Sequence,
    chunks: &'a [u8],
}

/// Reads the chunks of the command at the front of `left`, every event of it, and moves past them.
fn command<'a>(left: &mut &'a [u8], position: Sequence) -> Result<Command<'a>, SettlementError> {
    let whole = *left;
    let mut sequence = None;
    loop {
        let unreadable = |source| SettlementError::Unreadable {
            // Of a chunk that cannot be read at all, the command is the one after what was read.
            sequence: sequence.unwrap_or(position.next()),
            source,
        };
        let chunk = EventChunk::take(left).map_err(unreadable)?;
        let expected = *sequence.get_or_insert(chunk.header.sequence);
        if chunk.header.sequence != expected {
            return Err(StreamError::Gap { expected, found: chunk.header.sequence }.into());
        }
        for event in chunk.events() {
            event.map_err(|source| SettlementError::Unreadable { sequence: expected, source })?;
        }
        if chunk.header.last == 1 {
            let chunks = &whole[..whole.len() - left.len()];
            return Ok(Command { sequence: expected, chunks });
        }
    }
}
