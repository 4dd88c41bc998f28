//! Views that were saved and read back answer as those that were never away, and go on alike.

use super::engine::{Exchange, Step, command, step};
use crate::views::{
    AggregateQuery, AmendmentQuery, Bounds, CandleQuery, Interval, OrderListQuery, OrderQuery, OwnTradeQuery,
    PreventedMatchQuery, RestoreError, Views, sample::BTCUSDT,
};
use proptest::prelude::*;
use protocol::{AccountId, Time, TradeId};
use services::TradeQuery;
use std::fmt::Write as _;

/// All that can be asked.
fn everything(views: &Views, now: Time) -> String {
    let mut said = format!("{:?} {:?}", views.position(), views.directory().listings());
    let (accounts, limit) = (views.accounts(), usize::MAX);
    for account in (0..20).map(AccountId) {
        let orders =
            OrderQuery { instrument: None, from_id: None, until_id: None, start: None, end: None, limit };
        let lists = OrderListQuery { from_id: None, start: None, end: None, limit };
        let trades = OwnTradeQuery {
            instrument: BTCUSDT,
            order_id: None,
            from_id: None,
            start: None,
            end: None,
            limit,
        };
        let prevented = PreventedMatchQuery {
            instrument: BTCUSDT,
            prevented_match_id: None,
            order_id: None,
            from_id: None,
            limit,
        };
        let amendments = |order_id| AmendmentQuery { order_id, from_execution_id: 0, limit };
        let closed = accounts.orders(account, &orders).found;
        let _ = write!(
            said,
            "{:?} {:?} {closed:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            accounts.summary(account),
            accounts.balances(account),
            accounts.open_orders(account, None),
            accounts.order_lists(account, &lists),
            accounts.own_trades(account, &trades),
            accounts.prevented_matches(account, &prevented),
            closed
                .iter()
                .map(|order| accounts.order_named(account, &order.client_order_id))
                .collect::<Vec<_>>(),
            closed
                .iter()
                .map(|order| accounts.amendments(account, &amendments(order.order_id)))
                .collect::<Vec<_>>(),
        );
    }
    let market = views.market(BTCUSDT).expect("a market");
    let aggregates = AggregateQuery { from_id: Some(0), start: None, end: None, limit };
    let _ = write!(
        said,
        "{:?} {:?} {:?} {:?}",
        market.best(),
        market.trades(TradeQuery { from_id: Some(TradeId(0)), limit }),
        market.aggregate_trades(&aggregates),
        market.ticker(now)
    );
    for interval in Interval::ALL {
        let query = CandleQuery { interval, start: None, end: None, limit: 50, zone_minutes: 0 };
        let _ = write!(said, "{:?}", market.candles(&query, now));
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn saved_views_go_on_as_if_they_had_never_been_away(
        steps in proptest::collection::vec(step(), 1..150),
    ) {
        let (mut straight, mut restarted) = (Exchange::new(), Exchange::new());
        for (index, step) in steps.iter().enumerate() {
            let Some(command) = command(&straight, step) else {
                restarted.restart();
                continue;
            };
            prop_assert_eq!(straight.apply(&command), restarted.apply(&command));
            if index % 16 == 0 {
                let now = straight.engine.time();
                prop_assert_eq!(everything(&straight.views, now), everything(&restarted.views, now));
            }
        }
        restarted.restart();
        let now = straight.engine.time();
        prop_assert_eq!(everything(&straight.views, now), everything(&restarted.views, now));
        for views in [&straight.views, &restarted.views] {
            views.tick(now);
        }
        let depth = |views: &Views| views.market(BTCUSDT).expect("a market").depth(usize::MAX);
        prop_assert_eq!(depth(&straight.views).bids, depth(&restarted.views).bids);
        prop_assert_eq!(depth(&straight.views).asks, depth(&restarted.views).asks);
        prop_assert_eq!(restarted.views.audit(), Ok(()));
    }
}

#[test]
fn what_is_cut_short_or_of_another_version_is_refused() {
    let mut exchange = Exchange::new();
    let place = Step::Place { account: 0, buy: true, price: 100, quantity: 5, kind: 0, mode: 0 };
    let place = command(&exchange, &place).expect("a command");
    exchange.apply(&place);
    let saved = exchange.save();
    for length in 0..saved.len() {
        assert!(Views::restored(Bounds::default(), &saved[..length]).is_err(), "cut at {length}");
    }
    let longer = [&saved[..], &[0]].concat();
    assert_eq!(Views::restored(Bounds::default(), &longer).err(), Some(RestoreError::Unreadable));
    let mut other = saved;
    other[0] += 1;
    assert!(matches!(Views::restored(Bounds::default(), &other), Err(RestoreError::Version { .. })));
}
