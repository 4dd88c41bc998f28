//! Book, trades, candles and tickers after events.

use crate::views::{
    AggregateQuery, BestPrices, Bounds, CandleQuery, Interval, Level,
    sample::{ALICE, BOB, BTCUSDT, Exchange, MINUTE, START},
};
use protocol::{Price, Quantity, Sequence, Side, Time, TradeId, filter::AveragePrice};
use services::{EventConsumer as _, TradeQuery};

const fn level(price: u32, quantity: u64) -> Level {
    Level { price: Price(price), quantity: Quantity(quantity) }
}

#[test]
fn the_book_is_published_by_the_tick() {
    let mut exchange = Exchange::open();
    let market = exchange.views.market(BTCUSDT).expect("a market");
    exchange.rest(ALICE, Side::Buy, 99, 5, None);
    exchange.rest(BOB, Side::Buy, 99, 6, None);
    exchange.rest(ALICE, Side::Buy, 98, 7, None);
    let ask = exchange.rest(ALICE, Side::Sell, 101, 8, None);
    let best = BestPrices {
        update_id: Sequence(exchange.sequence),
        bid: Some(level(99, 11)),
        ask: Some(level(101, 8)),
    };
    assert_eq!(market.best(), best);
    assert!(market.depth(9).bids.is_empty(), "as it was last published");
    exchange.views.tick(exchange.now);
    let depth = market.depth(9);
    assert_eq!(depth.last_update_id, Sequence(exchange.sequence));
    assert_eq!((depth.bids, depth.asks), (vec![level(99, 11), level(98, 7)], vec![level(101, 8)]));
    assert_eq!(market.depth(1).bids, [level(99, 11)]);
    exchange.close(&ask, 8, None);
    exchange.views.tick(exchange.now);
    assert!(market.depth(9).asks.is_empty());
    exchange.views.audit().expect("it adds up");
}

#[test]
fn recovery_ends_with_the_book_published() {
    let mut exchange = Exchange::new(Bounds::default());
    exchange.rest(ALICE, Side::Buy, 99, 5, None);
    exchange.views.tick(exchange.now);
    let market = exchange.views.market(BTCUSDT).expect("a market");
    assert!(market.depth(9).bids.is_empty());
    exchange.projection.live();
    let depth = market.depth(9);
    assert_eq!((depth.last_update_id, depth.bids), (Sequence(exchange.sequence), vec![level(99, 5)]));
}

#[test]
fn trades_make_tape_candles_and_ticker() {
    let mut exchange = Exchange::open();
    let market = exchange.views.market(BTCUSDT).expect("a market");
    let now = exchange.now;
    let empty = market.ticker(now);
    assert_eq!((empty.window.close, empty.window.trades, empty.window.change_percent()), (Price(0), 0, 0));
    assert_eq!(market.average_price(5, now), None);
    assert_eq!(market.last_trade(), None);

    for (minute, price, quantity, side) in
        [(0, 200, 10, Side::Sell), (2, 210, 30, Side::Sell), (3, 190, 20, Side::Buy)]
    {
        exchange.now = Time(START.0 + minute * MINUTE);
        let maker = exchange.rest(ALICE, side, price, quantity, None);
        exchange.take(&maker, BOB, quantity, 0, true);
    }
    let now = exchange.now;
    let last = market.last_trade().expect("a trade");
    assert_eq!((last.trade_id, last.price, last.quantity), (TradeId(3), Price(190), Quantity(20)));
    assert_eq!((last.taker_side, last.quote, last.time), (Side::Sell, 190 * 20 * 10, now));
    assert_eq!(market.trades(TradeQuery { from_id: Some(TradeId(2)), limit: 9 }).found.len(), 2);
    assert_eq!(market.trades(TradeQuery { from_id: None, limit: 1 }).found, [last]);
    let all = AggregateQuery { from_id: Some(0), start: None, end: None, limit: 9 };
    assert_eq!(market.aggregate_trades(&all).found.len(), 3);

    let query =
        CandleQuery { interval: Interval::OneMinute, start: None, end: None, limit: 9, zone_minutes: 0 };
    let candles = market.candles(&query, Time(now.0 + MINUTE)).found;
    let seen: Vec<_> = candles.iter().map(|candle| (candle.close.0, candle.volume, candle.trades)).collect();
    assert_eq!(seen, [(200, 10, 1), (200, 0, 0), (210, 30, 1), (190, 20, 1), (190, 0, 0)]);
    let hour = market.candles(&CandleQuery { interval: Interval::OneHour, ..query }, now).found;
    assert_eq!(
        (hour.len(), hour[0].open, hour[0].high, hour[0].low),
        (1, Price(200), Price(210), Price(190))
    );
    assert_eq!((hour[0].volume, hour[0].taker_volume), (60, 40));
    let zoned = CandleQuery { interval: Interval::OneHour, zone_minutes: 330, ..query };
    assert_eq!(market.candles(&zoned, now).found[0].open_time, Time(9_990 * MINUTE), "half past by UTC");

    let ticker = market.ticker(now);
    assert_eq!((ticker.window.open, ticker.window.close, ticker.window.volume), (Price(200), Price(190), 60));
    assert_eq!((ticker.window.change(), ticker.window.change_percent_text()), (-10, "-5.000".to_owned()));
    // (200×10 + 210×30 + 190×20) / 60 is 201.66… cents.
    assert_eq!(ticker.window.weighted_average(8, 5), 201_666_666);
    assert_eq!(ticker.previous_close, Price(200), "nothing before");
    assert_eq!(market.average_price(1, now), Some(AveragePrice { notional: 3_800, quantity: 20 }));
    assert_eq!(market.average_price(2, now), Some(AveragePrice { notional: 10_100, quantity: 50 }));

    // A day later the window holds the last trade only, and then nothing.
    let ticker = market.ticker(Time(START.0 + (1_440 + 2) * MINUTE));
    assert_eq!((ticker.window.trades, ticker.previous_close), (1, Price(210)));
    let later = Time(START.0 + (1_440 + 3) * MINUTE);
    let ticker = market.ticker(later);
    assert_eq!(
        (ticker.window.trades, ticker.window.open, ticker.previous_close),
        (0, Price(190), Price(190))
    );
    assert_eq!(market.average_price(5, later), Some(AveragePrice::of(Price(190))));
}
