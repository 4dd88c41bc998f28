//! The book as it was last published: what `/depth` answers and what the difference streams lead
//! to, so that whoever joins both finds no gap (dialect §4.4). Refuses to know live orders.
//!
//! Every difference begins one after the end of the one before it (`U == previous u + 1`), for
//! each pace on its own; the slow pace ends where a fast one ends.

use super::{
    Depth, Level,
    book::{Changes, Levels},
};
use protocol::{Price, Sequence, Side};
use std::collections::{BTreeMap, BTreeSet};

/// What changed between two published versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DepthChange {
    /// `U`: the version before it, plus one.
    pub(super) first: Sequence,
    /// `u`: the version it leads to.
    pub(super) last: Sequence,
    /// Buyers' levels as they are now; quantity 0 takes one away.
    pub(super) bids: Vec<Level>,
    /// Sellers' levels.
    pub(super) asks: Vec<Level>,
}

impl DepthChange {
    /// One change that leads where this one and `later`, which follows it, lead together.
    pub(super) fn joined(&self, later: &Self) -> Self {
        debug_assert_eq!(later.first, self.last.next(), "differences follow each other");
        let join = |earlier: &[Level], later: &[Level]| {
            let levels = earlier.iter().chain(later).map(|level| (level.price, *level));
            levels.collect::<BTreeMap<_, _>>().into_values()
        };
        Self {
            first: self.first,
            last: later.last,
            bids: join(&self.bids, &later.bids).rev().collect(),
            asks: join(&self.asks, &later.asks).collect(),
        }
    }
}

/// The published book.
#[derive(Debug, Default)]
pub(super) struct PublishedBook {
    levels: Levels,
    version: Sequence,
    /// Levels that changed since the slow pace was last sent.
    slow: BTreeSet<(Side, Price)>,
    slow_version: Sequence,
}

impl PublishedBook {
    /// The best `limit` levels of each side.
    pub(super) fn depth(&self, limit: usize) -> Depth {
        Depth {
            last_update_id: self.version,
            bids: self.levels.best(Side::Buy, limit),
            asks: self.levels.best(Side::Sell, limit),
        }
    }

    /// Begins at `version`, with nothing to send: nobody has seen any other.
    pub(super) fn start(&mut self, changes: &Changes, version: Sequence) {
        for (&(side, price), &quantity) in changes {
            self.levels.set(side, price, quantity);
        }
        (self.version, self.slow_version) = (version, version);
    }

    /// Moves to `version`; `None`, and it stays, when no level differs.
    pub(super) fn advance(&mut self, changes: &Changes, version: Sequence) -> Option<DepthChange> {
        let mut touched = BTreeSet::new();
        for (&(side, price), &quantity) in changes {
            if self.levels.set(side, price, quantity) {
                touched.insert((side, price));
            }
        }
        if touched.is_empty() {
            return None;
        }
        let first = self.version.next();
        self.version = version;
        let change = self.change(first, &touched);
        self.slow.append(&mut touched);
        Some(change)
    }

    /// All that [`PublishedBook::advance`] moved since the last call.
    pub(super) fn take_slow(&mut self) -> Option<DepthChange> {
        let touched = std::mem::take(&mut self.slow);
        if touched.is_empty() {
            return None;
        }
        let first = self.slow_version.next();
        self.slow_version = self.version;
        Some(self.change(first, &touched))
    }

    fn change(&self, first: Sequence, touched: &BTreeSet<(Side, Price)>) -> DepthChange {
        let of = |wanted: Side| {
            let of_side = touched.iter().filter(move |(side, _)| *side == wanted);
            of_side.map(move |&(side, price)| Level { price, quantity: self.levels.quantity(side, price) })
        };
        DepthChange {
            first,
            last: self.version,
            bids: of(Side::Buy).rev().collect(),
            asks: of(Side::Sell).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::book::LiveBook;
    use proptest::prelude::*;
    use protocol::Quantity;

    #[test]
    fn a_change_that_was_taken_back_is_not_sent() {
        let mut live = LiveBook::default();
        let mut published = PublishedBook::default();
        live.add(Side::Buy, Price(5), Quantity(2), Sequence(3));
        let (changes, version) = live.take_changes();
        let change = published.advance(&changes, version).expect("a new level");
        assert_eq!((change.first, change.last), (Sequence(1), Sequence(3)));
        assert_eq!(change.bids, [Level { price: Price(5), quantity: Quantity(2) }]);
        live.add(Side::Buy, Price(5), Quantity(1), Sequence(4));
        live.remove(Side::Buy, Price(5), Quantity(1), Sequence(5));
        let (changes, version) = live.take_changes();
        assert_eq!(published.advance(&changes, version), None);
        live.remove(Side::Buy, Price(5), Quantity(2), Sequence(9));
        let (changes, version) = live.take_changes();
        let change = published.advance(&changes, version).expect("the level is gone");
        assert_eq!((change.first, change.last), (Sequence(4), Sequence(9)));
        assert_eq!(change.bids, [Level { price: Price(5), quantity: Quantity(0) }]);
        let slow = published.take_slow().expect("both");
        assert_eq!((slow.first, slow.last), (Sequence(1), Sequence(9)));
        assert_eq!(published.take_slow(), None);
    }

    proptest! {
        /// A client that starts from any published book and applies what follows has the live one.
        #[test]
        fn differences_lead_from_any_version_to_the_live_book(
            steps in proptest::collection::vec((0_u8..6, any::<bool>(), 1_u32..9, 1_u64..5), 1..200),
        ) {
            let mut live = LiveBook::default();
            let mut published = PublishedBook::default();
            let mut clients: Vec<(Levels, Sequence)> = vec![(Levels::default(), Sequence(0))];
            let mut slow_client = (Levels::default(), Sequence(0));
            let mut late_client = (Levels::default(), Sequence(0));
            let mut waiting: Option<DepthChange> = None;
            for (index, (action, buy, price, quantity)) in steps.into_iter().enumerate() {
                let sequence = Sequence(index as u64 + 1);
                let (side, price) = (if buy { Side::Buy } else { Side::Sell }, Price(price));
                match action {
                    0..=2 => live.add(side, price, Quantity(quantity), sequence),
                    3 => {
                        let there = live.levels().quantity(side, price);
                        live.remove(side, price, Quantity(quantity.min(there.0)), sequence);
                    }
                    4 => {
                        let (changes, version) = live.take_changes();
                        if let Some(change) = published.advance(&changes, version) {
                            for client in &mut clients {
                                apply(client, &change);
                            }
                            waiting = Some(waiting.map_or_else(|| change.clone(), |first| first.joined(&change)));
                            if quantity == 1 {
                                apply(&mut late_client, &waiting.take().expect("just put there"));
                                prop_assert_eq!(&late_client.0, &published.levels);
                            }
                        }
                        clients.push((published.levels.clone(), published.version));
                    }
                    _ => {
                        if let Some(change) = published.take_slow() {
                            apply(&mut slow_client, &change);
                        }
                        prop_assert_eq!(&slow_client, &(published.levels.clone(), published.version));
                    }
                }
            }
            let (changes, version) = live.take_changes();
            if let Some(change) = published.advance(&changes, version) {
                for client in &mut clients {
                    apply(client, &change);
                }
            }
            for client in &clients {
                prop_assert_eq!(&client.0, live.levels());
            }
        }
    }

    fn apply(client: &mut (Levels, Sequence), change: &DepthChange) {
        assert_eq!(change.first, client.1.next(), "no gap and no overlap");
        assert!(change.last >= change.first);
        for (side, levels) in [(Side::Buy, &change.bids), (Side::Sell, &change.asks)] {
            for level in levels {
                client.0.set(side, level.price, level.quantity);
            }
        }
        client.1 = change.last;
    }
}
