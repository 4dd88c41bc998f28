//! Pages over small memories and books that lag, against views that keep everything: whatever is asked,
//! and whatever happens between reading one and the other, nothing is skipped and nothing comes twice.

use super::Past;
use crate::views::{
    AggregateQuery, Bounds, CandleQuery, Interval, OrderQuery, OwnTradeQuery, Projection, Views,
    sample::BTCUSDT,
    tests::engine::{Exchange, Step, command, step},
};
use proptest::prelude::*;
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, OrderListId, Sequence, Time, TradeId,
    history::{AggregateTrade, Amendment, Candle, Order, OwnTrade, PreventedMatch, PublicTrade},
};
use services::{
    AmendmentQuery, BooksPosition, EventConsumer as _, History, HistoryError, KeptCandleQuery,
    NamedOrderList, OrderListQuery, PendingHistory, PreventedMatchQuery, StatementQuery, TradeQuery,
};
use std::{
    fmt::Debug,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

/// Books that are views which keep everything, shown the events some commands late. An answer is made
/// only when it is polled for the second time: meanwhile the exchange goes on.
#[derive(Debug)]
struct LateBooks {
    views: Views,
    projection: Mutex<Projection>,
}

impl LateBooks {
    fn new() -> Arc<Self> {
        let (views, projection) = Views::new(Bounds::default());
        Arc::new(Self { views, projection: Mutex::new(projection) })
    }

    /// Writes the log up to `until` commands of it.
    fn write(&self, log: &[Vec<u8>], until: usize) {
        let mut projection = self.projection.lock().expect("no test panics with it");
        let written = projection.position().0 as usize;
        for chunks in log.iter().take(until).skip(written) {
            projection.consume(chunks);
        }
    }

    fn answer<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&Views) -> T + Send + 'static,
    ) -> PendingHistory<'_, T> {
        let views = self.views.clone();
        Box::pin(async move {
            Later(false).await;
            Ok(answer(&views))
        })
    }
}

/// Ready when polled again.
struct Later(bool);

impl Future for Later {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl History for LateBooks {
    fn position(&self) -> BooksPosition {
        let (sequence, time) = self.views.position();
        BooksPosition { sequence, time }
    }

    fn order(&self, account: AccountId, order_id: OrderId) -> PendingHistory<'_, Option<Order>> {
        self.answer(move |views| views.accounts().order(account, order_id))
    }

    fn order_named(&self, account: AccountId, name: ClientOrderId) -> PendingHistory<'_, Option<Order>> {
        self.answer(move |views| views.accounts().order_named(account, &name))
    }

    fn orders(&self, account: AccountId, query: OrderQuery) -> PendingHistory<'_, Vec<Order>> {
        self.answer(move |views| views.accounts().orders(account, &query).found)
    }

    fn own_trades(&self, account: AccountId, query: OwnTradeQuery) -> PendingHistory<'_, Vec<OwnTrade>> {
        self.answer(move |views| views.accounts().own_trades(account, &query).found)
    }

    fn order_list(&self, _: AccountId, _: OrderListId) -> PendingHistory<'_, Option<NamedOrderList>> {
        self.answer(|_| None)
    }

    fn order_list_named(&self, _: AccountId, _: ClientOrderId) -> PendingHistory<'_, Option<NamedOrderList>> {
        self.answer(|_| None)
    }

    fn order_lists(&self, _: AccountId, _: OrderListQuery) -> PendingHistory<'_, Vec<NamedOrderList>> {
        self.answer(|_| Vec::new())
    }

    fn prevented_matches(
        &self,
        account: AccountId,
        query: PreventedMatchQuery,
    ) -> PendingHistory<'_, Vec<PreventedMatch>> {
        self.answer(move |views| views.accounts().prevented_matches(account, &query).found)
    }

    fn amendments(&self, account: AccountId, query: AmendmentQuery) -> PendingHistory<'_, Vec<Amendment>> {
        self.answer(move |views| views.accounts().amendments(account, &query).found)
    }

    fn trades(&self, instrument: InstrumentId, query: TradeQuery) -> PendingHistory<'_, Vec<PublicTrade>> {
        self.answer(move |views| views.market(instrument).expect("a market").trades(query).found)
    }

    fn aggregate_trades(
        &self,
        instrument: InstrumentId,
        query: AggregateQuery,
    ) -> PendingHistory<'_, Vec<AggregateTrade>> {
        self.answer(move |views| views.market(instrument).expect("a market").aggregate_trades(&query).found)
    }

    fn candles(&self, instrument: InstrumentId, query: KeptCandleQuery) -> PendingHistory<'_, Vec<Candle>> {
        self.answer(move |views| {
            let kept = views.market(instrument).expect("a market").kept_candles(query.interval);
            let first = kept.partition_point(|candle| candle.open_time < query.from);
            let in_time = |candle: &&Candle| candle.open_time < query.until;
            let before = kept[..first].last().filter(in_time);
            before
                .into_iter()
                .chain(kept[first..].iter().filter(in_time).take(query.limit))
                .copied()
                .collect()
        })
    }

    fn statement(&self, _: StatementQuery) -> PendingHistory<'_, String> {
        self.answer(|_| String::new())
    }
}

/// The exchange under test, its books, and its truth: views that keep everything.
struct Trial {
    exchange: Exchange,
    views: Views,
    projection: Projection,
    books: Arc<LateBooks>,
    bounds: Bounds,
}

impl Trial {
    fn new(bounds: Bounds) -> Self {
        let (exchange, books) = (Exchange::new(), LateBooks::new());
        let (views, projection) = Views::new(bounds);
        views.read_beyond_memory_in(Arc::<LateBooks>::clone(&books));
        let mut trial = Self { exchange, views, projection, books, bounds };
        trial.catch_up();
        trial
    }

    fn catch_up(&mut self) {
        let have = self.projection.position().0 as usize;
        for chunks in &self.exchange.log[have..] {
            self.projection.consume(chunks);
        }
    }

    fn take(&mut self, step: &Step) {
        if let Some(command) = command(&self.exchange, step) {
            self.exchange.apply(&command);
            self.catch_up();
        }
    }

    /// The views are saved, and go on from that.
    fn restart(&mut self) {
        let saved = self.projection.save().expect("views are saved");
        let (views, projection) = Views::restored(self.bounds, &saved).expect("what was saved");
        views.read_beyond_memory_in(Arc::<LateBooks>::clone(&self.books));
        (self.views, self.projection) = (views, projection);
    }

    /// What the past says when `meanwhile` happens between memory and books.
    fn ask<T: Debug>(
        &mut self,
        question: impl AsyncFnOnce(Past<'_>) -> Result<T, HistoryError>,
        meanwhile: impl FnOnce(&mut Self),
    ) -> Result<T, HistoryError> {
        let views = self.views.clone();
        let mut asked = pin!(question(Past(&views)));
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(answer) = asked.as_mut().poll(&mut context) {
            return answer;
        }
        meanwhile(self);
        for _ in 0..1_000 {
            if let Poll::Ready(answer) = asked.as_mut().poll(&mut context) {
                return answer;
            }
        }
        panic!("no answer")
    }
}

/// How a page lies over the whole.
#[derive(Clone, Copy, Debug)]
struct Ends {
    is_forward: bool,
    limit: usize,
}

/// Checks a page against everything that is asked for, as it was before and as it is after.
fn no_seam(page: &[u64], before: &[u64], after: &[u64], ends: Ends) -> Result<(), TestCaseError> {
    let wanted = |all: &[u64]| -> Vec<u64> {
        let skip = if ends.is_forward { 0 } else { all.len().saturating_sub(ends.limit) };
        all[skip..].iter().take(ends.limit).copied().collect()
    };
    // Of what came meanwhile it may have the first ones.
    let newest = page.last().copied().max(before.last().copied()).unwrap_or(0);
    let until: Vec<u64> = after.iter().copied().filter(|id| *id <= newest).collect();
    prop_assert_eq!(page, &wanted(&until)[..], "{:?}", ends);
    Ok(())
}

fn small() -> impl Strategy<Value = Bounds> {
    (1_usize..6, 1_usize..9, 1_usize..4).prop_map(|(few, more, lag)| Bounds {
        closed_orders_of_account: few,
        closed_orders: 2 * few,
        own_trades_of_account: few,
        own_trades: 2 * few,
        records_of_account: few,
        trades_of_instrument: more,
        candles: more,
        while_books_lag: lag,
        ..Bounds::default()
    })
}

const fn is_behind(error: &HistoryError) -> bool {
    matches!(error, HistoryError::Behind { .. })
}

fn order_ids(orders: &[Order]) -> Vec<u64> {
    orders.iter().map(|order| order.order_id.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn pages_over_memory_and_books_have_no_seam(
        bounds in small(),
        steps in proptest::collection::vec((step(), 0_usize..6, any::<bool>()), 1..60),
        meanwhile in proptest::collection::vec(step(), 0..12),
        from in 0_u64..60,
        by_time in any::<bool>(),
        limit in 1_usize..12,
        which in 0_u8..6,
        (account, backward) in (0_usize..3, any::<bool>()),
        late in 0_usize..8,
    ) {
        let mut trial = Trial::new(bounds);
        for (step, lag, restarts) in &steps {
            trial.take(step);
            let written = trial.exchange.log.len().saturating_sub(*lag * 8);
            trial.books.write(&trial.exchange.log, written);
            if *restarts && matches!(step, Step::Tick) {
                trial.restart();
            }
        }
        let account = trial.exchange.accounts[account];
        let start = by_time.then_some(Time(from / 2 * 1_000_000_000));
        let from = (!by_time && !backward).then_some(from);
        let start = start.filter(|_| !backward);
        let ends = Ends { is_forward: from.is_some() || (start.is_some() && which != 2), limit };
        let go_on = |trial: &mut Trial| {
            for step in &meanwhile {
                trial.take(step);
            }
            let log = trial.exchange.log.len();
            trial.books.write(&trial.exchange.log, log.saturating_sub(late));
        };
        let orders = OrderQuery {
            instrument: Some(BTCUSDT), from_id: from.map(OrderId), until_id: None, start, end: None, limit,
        };
        let trades = OwnTradeQuery {
            instrument: BTCUSDT, order_id: None, from_id: from.map(TradeId), start, end: None, limit,
        };
        let whole = usize::MAX;
        let truth = |trial: &Trial| -> Vec<u64> {
            let (accounts, market) =
                (trial.exchange.views.accounts(), trial.exchange.views.market(BTCUSDT).expect("a market"));
            match which {
                0 => order_ids(&accounts.orders(account, &OrderQuery { limit: whole, ..orders }).found),
                1 => {
                    let query = OwnTradeQuery { limit: whole, ..trades };
                    let found = accounts.own_trades(account, &query).found;
                    found.iter().map(|trade| 2 * trade.trade_id.0 + u64::from(trade.is_maker)).collect()
                }
                2 => {
                    let query = TradeQuery { from_id: from.map(TradeId), limit: whole };
                    market.trades(query).found.iter().map(|trade| trade.trade_id.0).collect()
                }
                _ => {
                    let query = AggregateQuery { from_id: from, start, end: None, limit: whole };
                    let found = market.aggregate_trades(&query).found;
                    found.iter().map(|trade| trade.aggregate_id).collect()
                }
            }
        };
        let before = truth(&trial);
        let market = trial.views.market(BTCUSDT).expect("a market");
        let page = match which {
            0 => trial.ask(async |past| Ok(order_ids(&past.orders(account, &orders).await?)), go_on),
            1 => trial.ask(
                async |past| {
                    let found = past.own_trades(account, &trades).await?;
                    Ok(found.iter().map(|trade| 2 * trade.trade_id.0 + u64::from(trade.is_maker)).collect())
                },
                go_on,
            ),
            2 => trial.ask(
                async |past| {
                    let query = TradeQuery { from_id: from.map(TradeId), limit };
                    let found = past.trades(&market, query).await?;
                    Ok(found.iter().map(|trade| trade.trade_id.0).collect::<Vec<_>>())
                },
                go_on,
            ),
            3 => trial.ask(
                async |past| {
                    let query = AggregateQuery { from_id: from, start, end: None, limit };
                    let found = past.aggregate_trades(&market, &query).await?;
                    Ok(found.iter().map(|trade| trade.aggregate_id).collect::<Vec<_>>())
                },
                go_on,
            ),
            _ => {
                // Candles and amendments: nothing happens meanwhile, and all of each is the same.
                let now = trial.exchange.engine.time();
                let query = CandleQuery {
                    interval: if which == 4 { Interval::OneSecond } else { Interval::OneMinute },
                    start,
                    end: None,
                    limit,
                    zone_minutes: if by_time { 0 } else { 3 },
                };
                let expected =
                    trial.exchange.views.market(BTCUSDT).expect("a market").candles(&query, now).found;
                match trial.ask(async |past| past.candles(&market, &query, now).await, |_| {}) {
                    Ok(candles) => prop_assert_eq!(candles, expected),
                    Err(error) => prop_assert!(is_behind(&error), "{}", error),
                }
                return Ok(());
            }
        };
        match page {
            Ok(page) => no_seam(&page, &before, &truth(&trial), ends)?,
            // Only beyond the hard bound does memory let go what the books do not have.
            Err(error) => prop_assert!(is_behind(&error), "{}", error),
        }
    }

    #[test]
    fn every_order_is_found_as_it_is_or_the_books_are_said_to_be_behind(
        bounds in small(),
        steps in proptest::collection::vec((step(), 0_usize..6), 1..60),
    ) {
        let mut trial = Trial::new(bounds);
        for (step, lag) in &steps {
            trial.take(step);
            let written = trial.exchange.log.len().saturating_sub(*lag * 8);
            trial.books.write(&trial.exchange.log, written);
        }
        let everything = OrderQuery {
            instrument: None, from_id: None, until_id: None, start: None, end: None, limit: usize::MAX,
        };
        for account in trial.exchange.accounts.clone() {
            let orders = trial.exchange.views.accounts().orders(account, &everything).found;
            for order in orders {
                match trial.ask(async |past| past.order(account, order.order_id).await, |_| {}) {
                    Ok(found) => prop_assert_eq!(found, Some(order)),
                    Err(error) => prop_assert!(is_behind(&error), "{}", error),
                }
                let name = order.client_order_id;
                match trial.ask(async |past| past.order_named(account, &name).await, |_| {}) {
                    Ok(found) => prop_assert_eq!(found, Some(order)),
                    Err(error) => prop_assert!(is_behind(&error), "{}", error),
                }
            }
            let nobody = OrderId(1_000_000);
            let none = trial.ask(async |past| past.order(account, nobody).await, |_| {});
            prop_assert_eq!(none, Ok(None));
        }
    }
}

#[test]
fn memory_keeps_what_the_books_lack_and_says_so_beyond_its_hard_bound() {
    let bounds = Bounds { trades_of_instrument: 2, while_books_lag: 3, ..Bounds::default() };
    let mut trial = Trial::new(bounds);
    let place =
        |buy| Step::Place { account: usize::from(buy), buy, price: 100, quantity: 1, kind: 0, mode: 0 };
    let market = |trial: &Trial| trial.views.market(BTCUSDT).expect("a market");
    let query = TradeQuery { from_id: Some(TradeId(1)), limit: 99 };
    for trades in 1..=7 {
        trial.take(&place(true));
        trial.take(&place(false));
        let kept = market(&trial).trades(query);
        assert_eq!(kept.found.len(), trades.min(6), "three times the bound while the books lag");
    }
    let market = market(&trial);
    let behind = trial.ask(async |past| past.trades(&market, query).await, |_| {});
    assert!(matches!(behind, Err(HistoryError::Behind { at: Sequence(0), .. })), "{behind:?}");
    let last = TradeQuery { from_id: None, limit: 3 };
    assert_eq!(
        trial.ask(async |past| past.trades(&market, last).await, |_| {}).map(|some| some.len()),
        Ok(3)
    );
    let log = trial.exchange.log.len();
    trial.books.write(&trial.exchange.log, log);
    let all = trial.ask(async |past| past.trades(&market, query).await, |_| {}).expect("they caught up");
    assert_eq!(all.iter().map(|trade| trade.trade_id.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    trial.take(&place(true));
    trial.take(&place(false));
    assert_eq!(market.trades(query).found.len(), 2, "the bound holds again");
}
