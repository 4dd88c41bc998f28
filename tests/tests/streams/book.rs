//! A local book, kept by the rule that clients keep theirs by (dialect §8). Refuses to forgive a gap.

use serde_json::Value;
use std::collections::BTreeMap;

/// A side: what rests at each price, both as they were sent.
pub type Levels = BTreeMap<String, String>;

/// The book at a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    pub version: u64,
    pub bids: Levels,
    pub asks: Levels,
}

impl Book {
    /// From the answer of `/api/v3/depth`.
    pub fn snapshot(depth: &Value) -> Self {
        let mut book = Self { version: depth["lastUpdateId"].as_u64().expect("an id"), ..Self::default() };
        book.take(&depth["bids"], &depth["asks"]);
        book
    }

    /// Takes in a difference. Those that are older than the book are passed over, as clients do.
    pub fn apply(&mut self, update: &Value) {
        let [first, last] = ["U", "u"].map(|key| update[key].as_u64().expect("an id"));
        if last <= self.version {
            return;
        }
        assert_eq!(first, self.version + 1, "a gap or an overlap");
        self.take(&update["b"], &update["a"]);
        self.version = last;
    }

    fn take(&mut self, bids: &Value, asks: &Value) {
        for (levels, changed) in [(&mut self.bids, bids), (&mut self.asks, asks)] {
            for level in changed.as_array().expect("levels") {
                let [price, quantity] = [0, 1].map(|place| level[place].as_str().expect("a text").to_owned());
                if quantity == "0.00000000" {
                    levels.remove(&price);
                } else {
                    levels.insert(price, quantity);
                }
            }
        }
    }
}
