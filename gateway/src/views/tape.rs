//! The last trades of an instrument, one by one and aggregated. Refuses to know whose they are.

use super::{AggregateQuery, AggregateTrade, PublicTrade};
use protocol::TradeId;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The last trades and aggregate trades, the oldest first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tape {
    trades: VecDeque<PublicTrade>,
    aggregates: VecDeque<AggregateTrade>,
    bound: usize,
}

impl Tape {
    pub(super) fn new(bound: usize) -> Self {
        Self { trades: VecDeque::new(), aggregates: VecDeque::new(), bound: bound.max(1) }
    }

    /// Keeps so many from now on.
    pub(super) fn set_bound(&mut self, bound: usize) {
        self.bound = bound.max(1);
    }

    /// Takes in a trade.
    pub(super) fn add(&mut self, trade: &PublicTrade, aggregate_id: u64) {
        push_bounded(&mut self.trades, *trade, self.bound);
        match self.aggregates.back_mut() {
            Some(last) if last.aggregate_id == aggregate_id => {
                last.quantity.0 += trade.quantity.0;
                last.last = trade.trade_id;
            }
            _ => {
                let aggregate = AggregateTrade {
                    aggregate_id,
                    price: trade.price,
                    quantity: trade.quantity,
                    first: trade.trade_id,
                    last: trade.trade_id,
                    time: trade.time,
                    taker_side: trade.taker_side,
                };
                push_bounded(&mut self.aggregates, aggregate, self.bound);
            }
        }
    }

    pub(super) fn last(&self) -> Option<PublicTrade> {
        self.trades.back().copied()
    }

    pub(super) fn last_aggregate(&self) -> Option<AggregateTrade> {
        self.aggregates.back().copied()
    }

    /// The last `limit` trades.
    pub(super) fn last_trades(&self, limit: usize) -> Vec<PublicTrade> {
        let skip = self.trades.len().saturating_sub(limit);
        self.trades.range(skip..).copied().collect()
    }

    /// `limit` trades from an id on.
    pub(super) fn trades_from(&self, from: TradeId, limit: usize) -> Vec<PublicTrade> {
        let skip = self.trades.partition_point(|trade| trade.trade_id < from);
        self.trades.range(skip..).take(limit).copied().collect()
    }

    /// Aggregate trades (see [`AggregateQuery`]).
    pub(super) fn aggregates(&self, query: &AggregateQuery) -> Vec<AggregateTrade> {
        let first = self.aggregates.partition_point(|aggregate| {
            query.from_id.is_some_and(|from| aggregate.aggregate_id < from)
                || query.start.is_some_and(|start| aggregate.time < start)
        });
        let after = self
            .aggregates
            .partition_point(|aggregate| query.end.is_none_or(|end| aggregate.time <= end))
            .max(first);
        let forward = query.from_id.is_some() || query.start.is_some();
        let skip = if forward { first } else { after.saturating_sub(query.limit).max(first) };
        self.aggregates.range(skip..after).take(query.limit).copied().collect()
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, bound: usize) {
    if queue.len() >= bound {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Price, Quantity, Side, Time};

    fn tape(bound: usize) -> Tape {
        let mut tape = Tape::new(bound);
        for id in 1..=10 {
            let trade = PublicTrade {
                trade_id: TradeId(id),
                price: Price(5),
                quantity: Quantity(id),
                quote: 5 * id as i64,
                time: Time(100 * id.div_ceil(2)),
                taker_side: Side::Buy,
            };
            tape.add(&trade, id.div_ceil(2)); // two fills each
        }
        tape
    }

    #[test]
    fn trades_are_read_from_either_end() {
        let ids = |trades: Vec<PublicTrade>| trades.iter().map(|trade| trade.trade_id.0).collect::<Vec<_>>();
        let tape = tape(6);
        assert_eq!(ids(tape.last_trades(2)), [9, 10]);
        assert_eq!(ids(tape.last_trades(99)), [5, 6, 7, 8, 9, 10]);
        assert_eq!(ids(tape.trades_from(TradeId(1), 2)), [5, 6]);
        assert_eq!(ids(tape.trades_from(TradeId(9), 9)), [9, 10]);
        assert_eq!(ids(tape.trades_from(TradeId(11), 9)), [0; 0]);
    }

    #[test]
    fn aggregates_sum_fills_and_are_read_by_id_or_time() {
        let tape = tape(99);
        let second =
            tape.aggregates(&AggregateQuery { from_id: Some(2), start: None, end: None, limit: 1 })[0];
        assert_eq!((second.quantity, second.first, second.last), (Quantity(7), TradeId(3), TradeId(4)));
        for (from_id, start, end, limit, expected) in [
            (None, None, None, 2, &[4, 5][..]),
            (Some(0), None, None, 2, &[1, 2]),
            (Some(4), None, None, 9, &[4, 5]),
            (None, Some(200), None, 2, &[2, 3]),
            (None, Some(201), Some(400), 9, &[3, 4]),
            (None, None, Some(300), 2, &[2, 3]),
            (None, Some(500), Some(400), 9, &[]),
            (Some(9), None, None, 9, &[]),
        ] {
            let query = AggregateQuery { from_id, start: start.map(Time), end: end.map(Time), limit };
            let ids: Vec<u64> = tape.aggregates(&query).iter().map(|one| one.aggregate_id).collect();
            assert_eq!(ids, expected, "{query:?}");
        }
    }
}
