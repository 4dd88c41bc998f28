//! The sum of what rests at each price, exact and up to the last event, and what changed since it
//! was last asked. Refuses to know orders and who reads it.

use super::{BestPrices, Level};
use protocol::{Price, Quantity, Sequence, Side};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Levels that changed, with their quantity now; 0 took the level away.
pub(super) type Changes = HashMap<(Side, Price), Quantity>;

/// One side's or both sides' levels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Levels {
    bids: BTreeMap<Price, Quantity>,
    asks: BTreeMap<Price, Quantity>,
}

impl Levels {
    fn side(&self, side: Side) -> &BTreeMap<Price, Quantity> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Price, Quantity> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// What rests at a price.
    pub(super) fn quantity(&self, side: Side, price: Price) -> Quantity {
        self.side(side).get(&price).copied().unwrap_or_default()
    }

    /// Sets what rests at a price; whether that is another quantity than before.
    pub(super) fn set(&mut self, side: Side, price: Price, quantity: Quantity) -> bool {
        let levels = self.side_mut(side);
        let before = if quantity.0 == 0 { levels.remove(&price) } else { levels.insert(price, quantity) };
        before.unwrap_or_default() != quantity
    }

    /// The best `limit` levels of a side, the best first.
    pub(super) fn best(&self, side: Side, limit: usize) -> Vec<Level> {
        let level = |(price, quantity): (&Price, &Quantity)| Level { price: *price, quantity: *quantity };
        match side {
            Side::Buy => self.bids.iter().rev().take(limit).map(level).collect(),
            Side::Sell => self.asks.iter().take(limit).map(level).collect(),
        }
    }

    fn top(&self, side: Side) -> Option<Level> {
        let top = match side {
            Side::Buy => self.bids.last_key_value(),
            Side::Sell => self.asks.first_key_value(),
        };
        top.map(|(price, quantity)| Level { price: *price, quantity: *quantity })
    }
}

/// The book as of the last event.
#[derive(Debug, Default)]
pub(super) struct LiveBook {
    levels: Levels,
    changes: Changes,
    version: Sequence,
}

impl LiveBook {
    /// The book of these levels. All of it counts as changed: nobody has seen it yet.
    pub(super) fn of(levels: Levels, version: Sequence) -> Self {
        let bids = levels.bids.iter().map(|(price, quantity)| ((Side::Buy, *price), *quantity));
        let asks = levels.asks.iter().map(|(price, quantity)| ((Side::Sell, *price), *quantity));
        Self { changes: bids.chain(asks).collect(), levels, version }
    }

    pub(super) fn version(&self) -> Sequence {
        self.version
    }

    /// More rests at a price.
    pub(super) fn add(&mut self, side: Side, price: Price, quantity: Quantity, sequence: Sequence) {
        let sum = self.levels.quantity(side, price).0 + quantity.0;
        self.set(side, price, Quantity(sum), sequence);
    }

    /// Less rests at a price.
    pub(super) fn remove(&mut self, side: Side, price: Price, quantity: Quantity, sequence: Sequence) {
        let before = self.levels.quantity(side, price).0;
        debug_assert!(before >= quantity.0, "more leaves the book than is in it");
        self.set(side, price, Quantity(before.saturating_sub(quantity.0)), sequence);
    }

    fn set(&mut self, side: Side, price: Price, quantity: Quantity, sequence: Sequence) {
        self.version = sequence;
        self.levels.set(side, price, quantity);
        self.changes.insert((side, price), quantity);
    }

    /// The best of either side.
    pub(super) fn best(&self) -> BestPrices {
        BestPrices {
            update_id: self.version,
            bid: self.levels.top(Side::Buy),
            ask: self.levels.top(Side::Sell),
        }
    }

    /// What changed since the last call, and the version it leads to.
    pub(super) fn take_changes(&mut self) -> (Changes, Sequence) {
        (std::mem::take(&mut self.changes), self.version)
    }

    pub(super) fn levels(&self) -> &Levels {
        &self.levels
    }
}
