//! The public past of an instrument: trades, aggregate trades and candles. Refuses to know accounts.

use super::{
    Past,
    page::{End, united},
};
use crate::views::{
    AggregateQuery, AggregateTrade, Candle, CandleQuery, Held, Interval, Market, PublicTrade, ZonedInterval,
    candles::{CandleRange, first_open, last_open, merged, page},
};
use protocol::Time;
use services::{History, HistoryError, KeptCandleQuery, TradeQuery};
use std::sync::Arc;

/// Candles read from the books at once.
const CANDLES_AT_ONCE: usize = 5_000;

impl Past<'_> {
    /// An instrument's trades.
    pub(crate) async fn trades(
        &self,
        market: &Market,
        query: TradeQuery,
    ) -> Result<Vec<PublicTrade>, HistoryError> {
        let Held { found, lacks } = market.trades(query);
        let Some(books) = self.books(lacks)? else { return Ok(found) };
        let written = books.trades(market.instrument(), query).await?;
        let end = End::of(query.from_id.is_some());
        Ok(united(found, written, |trade| trade.trade_id, query.limit, end))
    }

    /// An instrument's aggregate trades.
    pub(crate) async fn aggregate_trades(
        &self,
        market: &Market,
        query: &AggregateQuery,
    ) -> Result<Vec<AggregateTrade>, HistoryError> {
        let Held { found, lacks } = market.aggregate_trades(query);
        let Some(books) = self.books(lacks)? else { return Ok(found) };
        let written = books.aggregate_trades(market.instrument(), *query).await?;
        Ok(united(found, written, |trade| trade.aggregate_id, query.limit, End::of(query.is_forward())))
    }

    /// An instrument's candles, flat ones where nothing traded, up to the interval of `now`.
    pub(crate) async fn candles(
        &self,
        market: &Market,
        query: &CandleQuery,
        now: Time,
    ) -> Result<Vec<Candle>, HistoryError> {
        let Held { found, lacks } = market.candles(query, now);
        let Some(books) = self.books(lacks)? else { return Ok(found) };
        let (zoned, range) = query.zoned_range();
        let made_from = zoned.made_from();
        let kept = market.kept_candles(made_from);
        let newest = kept.last().map_or(Time(0), |newest| zoned.open(newest.open_time));
        let before = Before {
            made_from,
            from: first_open(zoned, range, last_open(zoned, range, newest, now)),
            until: kept.first().map_or(Time::NEVER, |oldest| oldest.open_time),
        };
        let mut all = before.read(books, market, zoned, range).await?;
        all.extend(kept);
        Ok(if made_from == zoned.interval && zoned.zone_minutes == 0 {
            page(&all.into(), zoned, range, now)
        } else {
            page(&merged(all.into_iter(), zoned), zoned, range, now)
        })
    }
}

/// Candles that are no longer kept in memory.
struct Before {
    made_from: Interval,
    from: Time,
    until: Time,
}

impl Before {
    /// The one before `from`, and as many from then on as the range can have in it, and one more.
    async fn read(
        self,
        books: &Arc<dyn History>,
        market: &Market,
        zoned: ZonedInterval,
        range: CandleRange,
    ) -> Result<Vec<Candle>, HistoryError> {
        let Self { made_from: interval, mut from, until } = self;
        let mut all: Vec<Candle> = Vec::new();
        while from < until {
            let query = KeptCandleQuery { interval, from, until, limit: CANDLES_AT_ONCE };
            let read = books.candles(market.instrument(), query).await?;
            let last = read.last().copied();
            let is_all = read.len() < CANDLES_AT_ONCE;
            let known = all.last().map(|known| known.open_time);
            all.extend(read.into_iter().filter(|candle| known.is_none_or(|known| candle.open_time > known)));
            let Some(last) = last else { break };
            let beyond = (0..range.limit).fold(zoned.open(self.from), |open, _| zoned.next(open));
            if is_all || last.open_time > beyond {
                break;
            }
            from = last.end_time;
        }
        Ok(all)
    }
}
