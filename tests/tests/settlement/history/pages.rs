//! What the books answer is what views that keep everything answer, of either database, for every question
//! about the past.

use super::written::Written;
use gateway::views::{Bounds, Views};
use protocol::{AccountId, InstrumentId, OrderId, OrderListId, Time, TradeId, history::Interval};
use services::{
    AggregateQuery, AmendmentQuery, EventConsumer as _, History as _, KeptCandleQuery, OrderListQuery,
    OrderQuery, OwnTradeQuery, PreventedMatchQuery, TradeQuery,
};
use settlement::BooksReader;
use simulation::Random;
use tests::postgres::Postgres;

/// Views that drop nothing.
fn truth(written: &Written) -> Views {
    let everything = Bounds {
        closed_orders_of_account: usize::MAX,
        closed_orders: usize::MAX,
        own_trades_of_account: usize::MAX,
        own_trades: usize::MAX,
        records_of_account: usize::MAX,
        trades_of_instrument: usize::MAX,
        candles: usize::MAX,
        ..Bounds::default()
    };
    let (views, mut projection) = Views::new(everything);
    for batch in &written.history.batches {
        projection.consume(&batch.chunks);
    }
    views
}

#[derive(Default)]
struct Asked {
    orders: usize,
    trades: usize,
    lists: usize,
    prevented: usize,
    amendments: usize,
    aggregates: usize,
    candles: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_answer_as_views_that_keep_everything() {
    let server = Postgres::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let written = Written::new(&server, directory.path(), 23, 6_000).await;
    let views = truth(&written);
    let newest = written.history.engine.time();
    for (location, database) in &written.databases {
        let books = BooksReader::new(database.clone());
        assert_eq!(books.refresh().await.expect("a position").sequence, written.history.end());
        assert_eq!(books.position().time, newest, "{location}");
        let (mut random, mut asked) = (Random::new(5), Asked::default());
        let instruments: Vec<InstrumentId> =
            views.directory().listings().iter().map(|listing| listing.id()).collect();
        for _ in 0..400 {
            let account = AccountId(random.below(16) as u32);
            let instrument = instruments[random.below(instruments.len() as u64) as usize];
            let time = |random: &mut Random| {
                // The history begins in 2026, and has some hours.
                let begin = 1_793_490_600_000_000_000;
                (random.below(2) == 0).then(|| Time(begin + random.below(newest.0 - begin + 1)))
            };
            let (start, end) = (time(&mut random), time(&mut random));
            let from = (random.below(2) == 0).then(|| random.below(3_000));
            let limit = 1 + random.below(60) as usize;
            let orders = OrderQuery {
                instrument: (random.below(4) > 0).then_some(instrument),
                from_id: from.map(OrderId),
                until_id: (random.below(4) == 0).then(|| OrderId(random.below(4_000))),
                start,
                end,
                limit,
            };
            if orders.until_id.is_none_or(|until| from.is_none_or(|from| until.0 >= from)) {
                let expected = views.accounts().orders(account, &orders).found;
                let found = books.orders(account, orders).await.expect("orders");
                asked.orders += found.len();
                assert_eq!(found, expected, "{location} {orders:?}");
                for order in expected.iter().take(3) {
                    let by_id = books.order(account, order.order_id).await.expect("an order");
                    assert_eq!(by_id, Some(*order));
                    let named = books.order_named(account, order.client_order_id).await.expect("an order");
                    let expected = views.accounts().order_named(account, &order.client_order_id);
                    let renamed =
                        named.is_some_and(|named| Some(named.order_id) != expected.map(|one| one.order_id));
                    assert!(named == expected || renamed, "{named:?} {expected:?}");
                    let prevented = PreventedMatchQuery {
                        instrument: order.instrument,
                        prevented_match_id: None,
                        order_id: Some(order.order_id),
                        from_id: None,
                        limit: 99,
                    };
                    let expected = views.accounts().prevented_matches(account, &prevented).found;
                    asked.prevented += expected.len();
                    assert_eq!(books.prevented_matches(account, prevented).await.expect("matches"), expected);
                }
                let strangers = books.order(AccountId(999), OrderId(1)).await.expect("nobody's");
                assert_eq!(strangers, None);
            }
            let trades = OwnTradeQuery {
                instrument,
                order_id: None,
                from_id: from.map(TradeId),
                start: start.filter(|_| from.is_none()),
                end: end.filter(|_| from.is_none()),
                limit,
            };
            let expected = views.accounts().own_trades(account, &trades).found;
            let found = books.own_trades(account, trades).await.expect("trades");
            asked.trades += found.len();
            assert_eq!(found, expected, "{location} {trades:?}");
            for trade in expected.iter().take(2) {
                let of_order = OwnTradeQuery { order_id: Some(trade.order_id), ..trades };
                let expected = views.accounts().own_trades(account, &of_order).found;
                assert_eq!(books.own_trades(account, of_order).await.expect("trades"), expected);
            }
            let lists = OrderListQuery { from_id: from.map(OrderListId), start, end, limit };
            let expected = views.accounts().order_lists(account, &lists).found;
            let found = books.order_lists(account, lists).await.expect("lists");
            asked.lists += found.len();
            assert_eq!(found.len(), expected.len(), "{location} {lists:?}");
            for (found, expected) in found.iter().zip(&expected) {
                let mut expected = *expected;
                (expected.hold, expected.hold_asset) = (0, protocol::AssetId(0));
                assert_eq!(found.list, expected, "{location}");
                let names = expected.orders().iter().map(|order_id| {
                    views.accounts().order(account, *order_id).expect("it is kept").client_order_id
                });
                assert_eq!(found.names, names.collect::<Vec<_>>());
            }
            let market = views.market(instrument).expect("a market");
            let public = TradeQuery { from_id: from.map(TradeId), limit };
            assert_eq!(
                books.trades(instrument, public).await.expect("trades"),
                market.trades(public).found,
                "{location} {public:?}"
            );
            let aggregates = AggregateQuery {
                from_id: from,
                start: start.filter(|_| from.is_none()),
                end: end.filter(|_| from.is_none()),
                limit,
            };
            let found = books.aggregate_trades(instrument, aggregates).await.expect("trades");
            asked.aggregates += found.len();
            assert_eq!(found, market.aggregate_trades(&aggregates).found, "{location} {aggregates:?}");
            let interval = Interval::ALL[random.below(16) as usize];
            let query =
                gateway::views::CandleQuery { interval, start: None, end, limit: 5_000, zone_minutes: 0 };
            let all = market.candles(&query, newest).found;
            let kept: Vec<_> = all.iter().filter(|candle| candle.trades > 0).copied().collect();
            let from = all.first().map_or(Time(0), |first| first.open_time);
            let query = KeptCandleQuery {
                interval,
                from,
                until: all.last().map_or(Time(0), |last| last.end_time),
                limit: 5_000,
            };
            let mut found = books.candles(instrument, query).await.expect("candles");
            found.retain(|candle| candle.open_time >= from);
            asked.candles += found.len();
            assert_eq!(found, kept, "{location} {query:?}");
        }
        for account in (0..16).map(AccountId) {
            let all = OrderQuery {
                instrument: None,
                from_id: None,
                until_id: None,
                start: None,
                end: None,
                limit: usize::MAX,
            };
            for order in views.accounts().orders(account, &all).found {
                let query = AmendmentQuery { order_id: order.order_id, from_execution_id: 0, limit: 99 };
                let expected = views.accounts().amendments(account, &query).found;
                if !expected.is_empty() {
                    asked.amendments += expected.len();
                    assert_eq!(books.amendments(account, query).await.expect("amendments"), expected);
                    let after = AmendmentQuery { from_execution_id: expected[0].execution_id + 1, ..query };
                    assert_eq!(books.amendments(account, after).await.expect("amendments"), expected[1..]);
                }
            }
        }
        let Asked { orders, trades, lists, prevented, amendments, aggregates, candles } = asked;
        println!(
            "{location}: {orders} orders, {trades} trades, {lists} lists, {prevented} prevented matches, {amendments} amendments, {aggregates} aggregates, {candles} candles"
        );
        // Amendments are rare in a history drawn by chance: there may be none.
        for rows in [orders, trades, lists, prevented, aggregates, candles] {
            assert!(rows > 0, "each kind was asked for");
        }
    }
}
