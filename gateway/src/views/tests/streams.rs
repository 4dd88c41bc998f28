//! What market streams are sent, and when.

use crate::views::{
    Bounds, Interval, Pace, PartialLevels, Stream, Subscription, TickerWindow, TimeUnit, ZonedInterval,
    sample::{ALICE, BOB, BTCUSDT, Exchange, MINUTE, START, accepted},
};
use protocol::{Side, Time, event::EventKind, event::Trade};
use serde_json::{Value, json};

const SECOND: u64 = 1_000_000_000;

fn listen(exchange: &Exchange, streams: &[Stream]) -> Subscription {
    let mut subscription = exchange.views.hub().connect(TimeUnit::Millisecond);
    for stream in streams {
        subscription.subscribe(*stream, &format!("{stream:?}")).expect("room");
    }
    subscription
}

fn received(subscription: &mut Subscription) -> Vec<Value> {
    std::iter::from_fn(|| subscription.try_receive())
        .map(|message| serde_json::from_str(message.json().as_str()).expect("JSON"))
        .collect()
}

fn tick_after(exchange: &mut Exchange, nanoseconds: u64) {
    exchange.now = Time(exchange.now.0 + nanoseconds);
    exchange.views.tick(exchange.now);
}

#[test]
fn trades_are_sent_as_they_happen_and_aggregates_when_they_are_whole() {
    let mut exchange = Exchange::open();
    let makers = [100, 100, 101].map(|price| exchange.rest(ALICE, Side::Sell, price, 10, None));
    let mut trades = listen(&exchange, &[Stream::Trade(BTCUSDT)]);
    let mut aggregates = listen(&exchange, &[Stream::AggregateTrade(BTCUSDT)]);
    let taker = accepted(exchange.next_order(), BOB, Side::Buy, 101, 30);
    let events = makers.map(|maker| exchange.trade_event(&maker, &taker, 10, true));
    exchange.command(|buffer| {
        buffer.push(EventKind::OrderAccepted, &taker);
        for (trade, aggregate_id) in events.iter().zip([1, 1, 2]) {
            buffer.push(EventKind::Trade, &Trade { aggregate_id, ..*trade });
        }
    });
    let sent = received(&mut trades);
    let time = START.millis();
    let first = json!({"e": "trade", "E": time, "s": "BTCUSDT", "t": 1, "p": "1.00000000", "q": "0.00010000",
        "T": time, "m": false, "M": true});
    assert_eq!((sent.len(), &sent[0]), (3, &first));
    let expected = [
        json!({"e": "aggTrade", "E": time, "s": "BTCUSDT", "a": 1, "p": "1.00000000", "q": "0.00020000",
            "f": 1, "l": 2, "T": time, "m": false, "M": true}),
        json!({"e": "aggTrade", "E": time, "s": "BTCUSDT", "a": 2, "p": "1.01000000", "q": "0.00010000",
            "f": 3, "l": 3, "T": time, "m": false, "M": true}),
    ];
    assert_eq!(received(&mut aggregates), expected);
}

#[test]
fn the_best_prices_are_sent_when_they_move() {
    let mut exchange = Exchange::open();
    let mut quotes = listen(&exchange, &[Stream::BookTicker(BTCUSDT)]);
    let bid = exchange.rest(ALICE, Side::Buy, 99, 5, None);
    let first = exchange.sequence;
    exchange.rest(ALICE, Side::Buy, 98, 5, None);
    exchange.close(&bid, 5, None);
    let second = exchange.sequence;
    assert_eq!(
        received(&mut quotes),
        [
            json!({"u": first, "s": "BTCUSDT", "b": "0.99000000", "B": "0.00005000", "a": "0.00000000",
                "A": "0.00000000"}),
            json!({"u": second, "s": "BTCUSDT", "b": "0.98000000", "B": "0.00005000", "a": "0.00000000",
                "A": "0.00000000"}),
        ]
    );
}

#[test]
fn differences_follow_each_other_at_both_paces() {
    let mut exchange = Exchange::open();
    let begun = exchange.views.market(BTCUSDT).expect("a market").depth(1).last_update_id.0;
    let mut fast = listen(&exchange, &[Stream::Depth(BTCUSDT, Pace::Fast)]);
    let mut slow = listen(&exchange, &[Stream::Depth(BTCUSDT, Pace::Slow)]);
    exchange.views.tick(exchange.now);
    let bid = exchange.rest(ALICE, Side::Buy, 99, 5, None);
    let first = exchange.sequence;
    tick_after(&mut exchange, SECOND / 10);
    tick_after(&mut exchange, SECOND / 10);
    exchange.rest(ALICE, Side::Sell, 101, 5, None);
    exchange.close(&bid, 5, None);
    let second = exchange.sequence;
    tick_after(&mut exchange, SECOND / 10);
    assert_eq!(received(&mut slow), [Value::Null; 0]);
    tick_after(&mut exchange, SECOND);
    let time = START.millis();
    assert_eq!(
        received(&mut fast),
        [
            json!({"e": "depthUpdate", "E": time + 100, "s": "BTCUSDT", "U": begun + 1, "u": first,
                "b": [["0.99000000", "0.00005000"]], "a": []}),
            json!({"e": "depthUpdate", "E": time + 300, "s": "BTCUSDT", "U": first + 1, "u": second,
                "b": [["0.99000000", "0.00000000"]], "a": [["1.01000000", "0.00005000"]]}),
        ]
    );
    assert_eq!(
        received(&mut slow),
        [json!({"e": "depthUpdate", "E": time + 1_300, "s": "BTCUSDT", "U": begun + 1, "u": second,
            "b": [["0.99000000", "0.00000000"]], "a": [["1.01000000", "0.00005000"]]})]
    );
}

#[test]
fn whoever_joins_is_sent_the_present_state_once() {
    let mut exchange = Exchange::open();
    exchange.rest(ALICE, Side::Buy, 99, 5, None);
    let version = exchange.sequence;
    exchange.views.tick(exchange.now);
    let stream = Stream::PartialDepth(BTCUSDT, PartialLevels::Five, Pace::Slow);
    let mut levels = listen(&exchange, &[stream]);
    let mut tickers = listen(&exchange, &[Stream::AllMiniTickers]);
    tick_after(&mut exchange, SECOND / 10);
    let present = json!({"lastUpdateId": version, "bids": [["0.99000000", "0.00005000"]], "asks": []});
    assert_eq!(received(&mut levels), [present]);
    assert_eq!(received(&mut tickers)[0][0]["s"], "BTCUSDT");
    tick_after(&mut exchange, SECOND);
    assert_eq!(received(&mut levels), [Value::Null; 0], "nothing moved");
    assert_eq!(received(&mut tickers), [Value::Null; 0]);
    exchange.rest(ALICE, Side::Sell, 101, 5, None);
    tick_after(&mut exchange, SECOND / 10);
    assert_eq!(received(&mut levels), [Value::Null; 0], "not before the second is over");
    tick_after(&mut exchange, SECOND);
    assert_eq!(received(&mut levels).len(), 1);
}

#[test]
fn tickers_are_sent_each_second_in_which_something_traded() {
    let mut exchange = Exchange::open();
    exchange.views.tick(exchange.now);
    let mut mini = listen(&exchange, &[Stream::MiniTicker(BTCUSDT)]);
    let mut full = listen(&exchange, &[Stream::Ticker(BTCUSDT)]);
    tick_after(&mut exchange, SECOND / 10);
    assert_eq!((received(&mut mini).len(), received(&mut full).len()), (1, 1), "they joined");
    let maker = exchange.rest(ALICE, Side::Sell, 100, 10, None);
    exchange.take(&maker, BOB, 4, 0, false);
    tick_after(&mut exchange, SECOND);
    let time = exchange.now.millis();
    assert_eq!(
        received(&mut mini),
        [json!({"e": "24hrMiniTicker", "E": time, "s": "BTCUSDT", "c": "1.00000000", "o": "1.00000000",
            "h": "1.00000000", "l": "1.00000000", "v": "0.00004000", "q": "0.00004000"})]
    );
    assert_eq!(
        received(&mut full),
        [json!({"e": "24hrTicker", "E": time, "s": "BTCUSDT", "p": "0.00000000", "P": "0.000",
            "w": "1.00000000", "x": "1.00000000", "c": "1.00000000", "Q": "0.00004000", "b": "0.00000000",
            "B": "0.00000000", "a": "1.00000000", "A": "0.00006000", "o": "1.00000000", "h": "1.00000000",
            "l": "1.00000000", "v": "0.00004000", "q": "0.00004000", "O": (START.0 - 1_439 * MINUTE) / 1_000_000,
            "C": time, "F": 1, "L": 1, "n": 1})]
    );
    tick_after(&mut exchange, SECOND);
    assert_eq!((received(&mut mini).len(), received(&mut full).len()), (0, 0));
}

#[test]
fn a_candle_is_closed_exactly_once_and_empty_ones_are_flat() {
    let mut exchange = Exchange::open();
    let mut candles = listen(&exchange, &[Stream::Candle(BTCUSDT, ZonedInterval::utc(Interval::OneMinute))]);
    exchange.views.tick(exchange.now);
    assert_eq!(received(&mut candles), [Value::Null; 0], "no price yet");
    let maker = exchange.rest(ALICE, Side::Sell, 100, 10, None);
    exchange.take(&maker, BOB, 4, 0, false);
    tick_after(&mut exchange, SECOND);
    let time = START.millis();
    assert_eq!(
        received(&mut candles),
        [json!({"e": "kline", "E": time + 1_000, "s": "BTCUSDT", "k": {"t": time, "T": time + 59_999,
            "s": "BTCUSDT", "i": "1m", "f": 1, "L": 1, "o": "1.00000000", "c": "1.00000000",
            "h": "1.00000000", "l": "1.00000000", "v": "0.00004000", "n": 1, "x": false,
            "q": "0.00004000", "V": "0.00004000", "Q": "0.00004000", "B": "0"}})]
    );
    let closed = |events: Vec<Value>| -> Vec<Value> {
        events.into_iter().map(|event| json!([event["k"]["t"], event["k"]["n"], event["k"]["x"]])).collect()
    };
    tick_after(&mut exchange, 59 * SECOND);
    assert_eq!(received(&mut candles), [Value::Null; 0], "an event of that minute may still come");
    exchange.take(&maker, BOB, 1, 0, false);
    exchange.views.tick(exchange.now);
    assert_eq!(closed(received(&mut candles)), [json!([time, 1, true])], "one of the next minute came");
    tick_after(&mut exchange, SECOND);
    assert_eq!(closed(received(&mut candles)), [json!([time + 60_000, 1, false])]);
    tick_after(&mut exchange, 120 * SECOND);
    assert_eq!(
        closed(received(&mut candles)),
        [json!([time + 60_000, 1, true]), json!([time + 120_000, 0, true])]
    );
}

#[test]
fn recovery_sends_nothing() {
    let mut exchange = Exchange::new(Bounds::default());
    let mut all = listen(&exchange, &[Stream::Trade(BTCUSDT), Stream::Depth(BTCUSDT, Pace::Fast)]);
    let maker = exchange.rest(ALICE, Side::Sell, 100, 10, None);
    exchange.take(&maker, BOB, 4, 0, false);
    exchange.views.tick(exchange.now);
    assert_eq!(received(&mut all), [Value::Null; 0]);
}

#[test]
fn windowed_tickers_and_averages_are_sent_each_second_in_which_they_moved() {
    let mut exchange = Exchange::open();
    exchange.views.tick(exchange.now);
    let hour = TickerWindow::OneHour;
    let mut single = listen(&exchange, &[Stream::WindowTicker(BTCUSDT, hour)]);
    let mut all = listen(&exchange, &[Stream::AllWindowTickers(hour)]);
    let mut average = listen(&exchange, &[Stream::AveragePrice(BTCUSDT)]);
    let mut reference = listen(&exchange, &[Stream::ReferencePrice(BTCUSDT)]);
    tick_after(&mut exchange, SECOND / 10);
    assert_eq!((received(&mut single).len(), received(&mut all).len()), (1, 1), "they joined");
    assert_eq!((received(&mut average).len(), received(&mut reference).len()), (1, 1));
    let maker = exchange.rest(ALICE, Side::Sell, 100, 10, None);
    exchange.take(&maker, BOB, 4, 0, false);
    let traded = exchange.now.millis();
    tick_after(&mut exchange, SECOND);
    let time = exchange.now.millis();
    let ticker = json!({"e": "1hTicker", "E": time, "s": "BTCUSDT", "p": "0.00000000", "P": "0.000",
        "o": "1.00000000", "h": "1.00000000", "l": "1.00000000", "c": "1.00000000", "w": "1.00000000",
        "v": "0.00004000", "q": "0.00004000", "O": (START.0 - 60 * MINUTE) / 1_000_000, "C": time, "F": 1,
        "L": 1, "n": 1});
    assert_eq!(received(&mut all), [json!([ticker])]);
    assert_eq!(received(&mut single), [ticker]);
    let minutes = exchange.views.directory().listings()[0].instrument.filters.average_minutes;
    assert_eq!(
        received(&mut average),
        [json!({"e": "avgPrice", "E": time, "s": "BTCUSDT", "i": format!("{minutes}m"), "w": "1.00000000",
            "T": traded})]
    );
    assert_eq!(
        received(&mut reference),
        [json!({"e": "referencePrice", "s": "BTCUSDT", "r": "1.00000000", "t": time})]
    );
    tick_after(&mut exchange, SECOND);
    for subscription in [&mut single, &mut all, &mut average, &mut reference] {
        assert_eq!(received(subscription), [Value::Null; 0], "nothing moved");
    }
}

/// A connection that reads nothing while the market moves on.
fn unread(streams: &[Stream]) -> (Exchange, Subscription) {
    let mut exchange = Exchange::open();
    exchange.views.tick(exchange.now);
    let unread = listen(&exchange, streams);
    let bound = Bounds::default().market_queue_bytes;
    for round in 0..50_000 {
        let (price, quantity) = (100 + round % 7, u64::from(round % 5) + 1);
        let maker = exchange.rest(ALICE, Side::Sell, price, quantity, None);
        if round % 3 == 0 {
            exchange.take(&maker, BOB, quantity, 0, true);
        } else {
            exchange.close(&maker, quantity, None);
        }
        if round % 10 == 0 {
            tick_after(&mut exchange, SECOND / 10);
        }
        assert!(exchange.views.hub().most_queued_bytes() <= bound);
    }
    (exchange, unread)
}

#[test]
fn books_and_quotes_wait_joined_for_a_reader_who_stopped_and_have_no_gap() {
    let depths = [Pace::Fast, Pace::Slow].map(|pace| Stream::Depth(BTCUSDT, pace));
    let quotes = [Stream::BookTicker(BTCUSDT), Stream::MiniTicker(BTCUSDT)];
    let (mut exchange, mut unread) = unread(&[depths[0], depths[1], quotes[0], quotes[1]]);
    exchange.rest(BOB, Side::Buy, 9, 1, None);
    tick_after(&mut exchange, SECOND);
    let mut versions: [Option<u64>; 2] = [None, None];
    let mut newest_quote = Value::Null;
    let mut count = 0;
    while let Some(message) = unread.try_receive() {
        count += 1;
        let payload: Value = serde_json::from_str(message.json().as_str()).expect("JSON");
        if payload["e"] == "depthUpdate" {
            let place = usize::from(message.stream() == format!("{:?}", depths[1]));
            let (first, last) = (payload["U"].as_u64().expect("U"), payload["u"].as_u64().expect("u"));
            assert!(versions[place].is_none_or(|version| first == version + 1), "a gap: {payload}");
            versions[place] = Some(last);
        } else if payload["e"].is_null() {
            newest_quote = payload;
        }
    }
    assert!(count < 200, "{count} messages say what 100,000 events did");
    let published = exchange.views.market(BTCUSDT).expect("a market").depth(5).last_update_id.0;
    assert_eq!(versions, [Some(published), Some(published)], "the last difference is there");
    assert_eq!(newest_quote["u"], published);
}

#[test]
fn a_reader_of_trades_who_stopped_is_told_of_the_end_and_not_sent_a_gap() {
    let (exchange, mut unread) = unread(&[Stream::Trade(BTCUSDT), Stream::Depth(BTCUSDT, Pace::Fast)]);
    let (mut trades, mut next) = (0, None);
    let mut messages = Vec::new();
    futures_util::future::FutureExt::now_or_never(async {
        while let Some(message) = unread.receive().await {
            messages.push(message);
        }
    })
    .expect("it ends");
    for message in messages {
        let payload: Value = serde_json::from_str(message.json().as_str()).expect("JSON");
        if payload["e"] == "trade" {
            trades += 1;
            assert_eq!(payload["t"], trades, "none was left out");
        } else {
            let first = payload["U"].as_u64().expect("U");
            assert!(next.is_none_or(|next| first == next), "a gap: {payload}");
            next = payload["u"].as_u64().map(|last| last + 1);
        }
    }
    assert!(trades > 1_000);
    assert!(exchange.views.hub().listened().is_empty(), "the hub sends it nothing any more");
}
