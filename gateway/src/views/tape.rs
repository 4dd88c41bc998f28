//! The last trades of an instrument, one by one and aggregated. Refuses to know whose they are.

use super::{
    AggregateQuery, AggregateTrade, PublicTrade,
    bounds::{Gone, Held, Leave},
};
use protocol::{Time, TradeId};
use serde::{Deserialize, Serialize};
use services::TradeQuery;
use std::collections::VecDeque;

/// The last trades and aggregate trades, the oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Tape {
    trades: VecDeque<PublicTrade>,
    trades_gone: Gone,
    aggregates: VecDeque<AggregateTrade>,
    aggregates_gone: Gone,
}

impl Tape {
    /// Takes in a trade.
    pub(super) fn add(&mut self, trade: &PublicTrade, aggregate_id: u64, leave: &Leave) {
        push_bounded(&mut self.trades, *trade, |trade| trade.time, &mut self.trades_gone, leave);
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
                let gone = &mut self.aggregates_gone;
                push_bounded(&mut self.aggregates, aggregate, |aggregate| aggregate.time, gone, leave);
            }
        }
    }

    pub(super) fn last(&self) -> Option<PublicTrade> {
        self.trades.back().copied()
    }

    pub(super) fn last_aggregate(&self) -> Option<AggregateTrade> {
        self.aggregates.back().copied()
    }

    /// Trades (see [`TradeQuery`]).
    pub(super) fn trades(&self, query: TradeQuery) -> Held<Vec<PublicTrade>> {
        let oldest = self.trades.front().map_or(TradeId(u64::MAX), |trade| trade.trade_id);
        let (skip, is_all) = match query.from_id {
            Some(from) => (self.trades.partition_point(|trade| trade.trade_id < from), from >= oldest),
            None => (self.trades.len().saturating_sub(query.limit), self.trades.len() >= query.limit),
        };
        let found = self.trades.range(skip..).take(query.limit).copied().collect();
        Held { found, lacks: self.trades_gone.until().filter(|_| !is_all) }
    }

    /// Aggregate trades (see [`AggregateQuery`]).
    pub(super) fn aggregates(&self, query: &AggregateQuery) -> Held<Vec<AggregateTrade>> {
        let first = self.aggregates.partition_point(|aggregate| {
            query.from_id.is_some_and(|from| aggregate.aggregate_id < from)
                || query.start.is_some_and(|start| aggregate.time < start)
        });
        let after = self
            .aggregates
            .partition_point(|aggregate| query.end.is_none_or(|end| aggregate.time <= end))
            .max(first);
        let forward = query.is_forward();
        let skip = if forward { first } else { after.saturating_sub(query.limit).max(first) };
        let found: Vec<_> = self.aggregates.range(skip..after).take(query.limit).copied().collect();
        let is_all = if forward {
            self.aggregates.front().is_some_and(|oldest| {
                query.from_id.is_some_and(|from| from >= oldest.aggregate_id)
                    || query.start.is_some_and(|start| start > oldest.time)
            })
        } else {
            found.len() == query.limit
        };
        Held { found, lacks: self.aggregates_gone.until().filter(|_| !is_all) }
    }
}

fn push_bounded<T>(
    queue: &mut VecDeque<T>,
    item: T,
    time: impl Fn(&T) -> Time,
    gone: &mut Gone,
    leave: &Leave,
) {
    queue.push_back(item);
    while let Some(oldest) = queue.front().map(&time)
        && leave.oldest(queue.len(), leave.bounds.trades_of_instrument, oldest)
    {
        queue.pop_front();
        gone.note(leave, oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::Bounds;
    use protocol::{Price, Quantity, Sequence, Side};

    fn tape(bound: usize) -> Tape {
        let mut tape = Tape::default();
        let bounds = Bounds { trades_of_instrument: bound, ..Bounds::default() };
        let leave = Leave { bounds, books: None, now: Sequence(5) };
        for id in 1..=10 {
            let trade = PublicTrade {
                trade_id: TradeId(id),
                price: Price(5),
                quantity: Quantity(id),
                quote: 5 * id as i64,
                time: Time(100 * id.div_ceil(2)),
                taker_side: Side::Buy,
            };
            tape.add(&trade, id.div_ceil(2), &leave); // two fills each
        }
        tape
    }

    #[test]
    fn trades_are_read_from_either_end() {
        let tape = tape(6);
        for (from_id, limit, expected, lacks) in [
            (None, 2, &[9, 10][..], false),
            (None, 6, &[5, 6, 7, 8, 9, 10], false),
            (None, 99, &[5, 6, 7, 8, 9, 10], true),
            (Some(1), 2, &[5, 6], true),
            (Some(5), 2, &[5, 6], false),
            (Some(9), 9, &[9, 10], false),
            (Some(11), 9, &[], false),
        ] {
            let read = tape.trades(TradeQuery { from_id: from_id.map(TradeId), limit });
            let ids: Vec<_> = read.found.iter().map(|trade| trade.trade_id.0).collect();
            assert_eq!(
                (&ids[..], read.lacks),
                (expected, lacks.then_some(Sequence(5))),
                "{from_id:?} {limit}"
            );
        }
    }

    #[test]
    fn aggregates_sum_fills_and_are_read_by_id_or_time() {
        let tape = tape(99);
        let second =
            tape.aggregates(&AggregateQuery { from_id: Some(2), start: None, end: None, limit: 1 }).found[0];
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
            let ids: Vec<u64> = tape.aggregates(&query).found.iter().map(|one| one.aggregate_id).collect();
            assert_eq!(ids, expected, "{query:?}");
        }
    }
}
