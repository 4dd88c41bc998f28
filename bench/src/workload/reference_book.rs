//! The reference matcher: price, then time, in sorted maps of queues. It is here to be obviously right, and to tell
//! the generator what is live.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::stream_file::Side;

/// An order as the reference keeps it.
#[derive(Clone, Copy)]
pub(super) struct ReferenceOrder {
    pub(super) side: Side,
    pub(super) price: u32,
    /// What is left.
    pub(super) quantity: u32,
    /// When it came to rest; an entry of a level's queue with another arrival is a past life of the same id.
    arrival: u64,
    /// Where `Symbol::live` names it, while it is live.
    live_index: u32,
    live: bool,
}

/// An order's place in its level's queue.
#[derive(Clone, Copy)]
struct QueueEntry {
    order: u32,
    arrival: u64,
}

type Levels = BTreeMap<u32, VecDeque<QueueEntry>>;

#[derive(Default)]
struct Symbol {
    bids: Levels,
    asks: Levels,
    /// Ids of the live orders. The order of this list is part of what a seed means: targets are drawn by index.
    live: Vec<u32>,
}

/// The totals an exchange must reach.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) trades: u64,
    pub(super) quantity: u64,
    pub(super) notional: u64,
    pub(super) live_orders: u64,
    pub(super) commands_that_traded: u64,
}

/// All the books, and every id ever given.
pub(super) struct ReferenceBook {
    symbols: Vec<Symbol>,
    /// By id; id 0 is never given, an id that never rested has no order.
    orders: Vec<Option<ReferenceOrder>>,
    arrivals: u64,
    totals: Totals,
    hash: u64,
}

impl ReferenceBook {
    pub(super) fn new(symbols: u16) -> Self {
        Self {
            symbols: (0..symbols).map(|_| Symbol::default()).collect(),
            orders: vec![None],
            arrivals: 0,
            totals: Totals::default(),
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// A hash over every trade in order: both ids, quantity, price.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn highest_id(&self) -> u32 {
        (self.orders.len() - 1) as u32
    }

    /// Gives the next id.
    pub(super) fn new_id(&mut self) -> u32 {
        self.orders.push(None);
        self.highest_id()
    }

    pub(super) fn live_count(&self, symbol: usize) -> u32 {
        self.symbols[symbol].live.len() as u32
    }

    /// The live order at `index` of the symbol's list, with its id.
    pub(super) fn live_order(&self, symbol: usize, index: u32) -> (u32, ReferenceOrder) {
        let id = self.symbols[symbol].live[index as usize];
        (id, self.orders[id as usize].expect("a live id has an order"))
    }

    /// Prices at which orders rest, of both sides of all symbols.
    pub(super) fn level_count(&self) -> u64 {
        let of = |symbol: &Symbol| {
            let levels: HashSet<_> = symbol
                .live
                .iter()
                .filter_map(|&id| self.orders[id as usize])
                .map(|order| (order.side, order.price))
                .collect();
            levels.len() as u64
        };
        self.symbols.iter().map(of).sum()
    }

    /// The best price of a side. Queue entries of orders that are gone are dropped on the way.
    pub(super) fn best(&mut self, symbol: usize, side: Side) -> Option<u32> {
        loop {
            let levels = self.symbols[symbol].levels(side);
            let mut level = match side {
                Side::Buy => levels.last_entry()?,
                Side::Sell => levels.first_entry()?,
            };
            while let Some(entry) = level.get().front() {
                let order = self.orders[entry.order as usize];
                if order.is_some_and(|order| order.live && order.arrival == entry.arrival) {
                    return Some(*level.key());
                }
                level.get_mut().pop_front();
            }
            level.remove();
        }
    }

    pub(super) fn remove(&mut self, symbol: usize, id: u32) {
        let Some(order) = self.orders[id as usize].as_mut() else { return };
        order.live = false;
        let index = order.live_index as usize;
        let live = &mut self.symbols[symbol].live;
        live.swap_remove(index);
        if let Some(&moved) = live.get(index)
            && let Some(moved) = self.orders[moved as usize].as_mut()
        {
            moved.live_index = index as u32;
        }
        self.totals.live_orders -= 1;
    }

    /// Matches an order up to its price; what is left rests if `rests`, and is forgotten otherwise.
    pub(super) fn submit(
        &mut self,
        symbol: usize,
        id: u32,
        side: Side,
        price: u32,
        quantity: u32,
        rests: bool,
    ) {
        let mut left = quantity;
        while left > 0 {
            let Some(best) = self.best(symbol, side.opposite()) else { break };
            let crosses = match side {
                Side::Buy => best <= price,
                Side::Sell => best >= price,
            };
            if !crosses {
                break;
            }
            left -= self.trade_with_first(symbol, id, side.opposite(), best, left);
        }
        if left < quantity {
            self.totals.commands_that_traded += 1;
        }
        if left > 0 && rests {
            self.rest(symbol, id, side, price, left);
        }
    }

    /// Trades with the first order of a level that [`Self::best`] has just cleaned; returns the quantity.
    fn trade_with_first(
        &mut self,
        symbol: usize,
        taker: u32,
        maker_side: Side,
        price: u32,
        wanted: u32,
    ) -> u32 {
        let level = &self.symbols[symbol].levels(maker_side)[&price];
        let maker_id = level.front().expect("the best level has a live first order").order;
        let maker = self.orders[maker_id as usize].as_mut().expect("a queued order exists");
        let traded = wanted.min(maker.quantity);
        maker.quantity -= traded;
        let filled = maker.quantity == 0;

        self.totals.trades += 1;
        self.totals.quantity += u64::from(traded);
        self.totals.notional = self.totals.notional.wrapping_add(u64::from(traded) * u64::from(price));
        let ids = u64::from(maker_id) << 32 | u64::from(taker);
        self.hash =
            (self.hash ^ ids).wrapping_mul(0x0100_0000_01b3) ^ (u64::from(traded) << 20 | u64::from(price));
        if filled {
            self.remove(symbol, maker_id);
        }
        traded
    }

    fn rest(&mut self, symbol: usize, id: u32, side: Side, price: u32, quantity: u32) {
        self.arrivals += 1;
        let arrival = self.arrivals;
        let symbol = &mut self.symbols[symbol];
        let live_index = symbol.live.len() as u32;
        symbol.live.push(id);
        symbol.levels(side).entry(price).or_default().push_back(QueueEntry { order: id, arrival });
        self.orders[id as usize] =
            Some(ReferenceOrder { side, price, quantity, arrival, live_index, live: true });
        self.totals.live_orders += 1;
    }
}

impl Symbol {
    fn levels(&mut self, side: Side) -> &mut Levels {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}
