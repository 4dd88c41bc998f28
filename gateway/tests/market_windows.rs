//! Market data by windows and by status: rolling tickers, the trading day, execution rules, reference
//! prices.

mod exchange;

use exchange::Exchange;
use serde_json::{Value, json};

/// An exchange where 0.1 BTC was traded at 50,000, then 0.1 at 51,000.
async fn traded() -> Exchange {
    let exchange = Exchange::open().await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    for price in ["50000", "51000"] {
        let order = |side: &str| {
            format!("symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&price={price}&quantity=0.1")
        };
        exchange.signed(&alice, "POST", "/api/v3/order", &order("SELL")).await.ok();
        exchange.signed(&bob, "POST", "/api/v3/order", &order("BUY")).await.ok();
    }
    exchange
}

#[tokio::test]
async fn tickers_cover_the_window_that_is_asked_for() {
    let exchange = traded().await;
    let minute = 60_000;
    for (query, length) in
        [("", 1_440), ("&windowSize=1m", 1), ("&windowSize=2h", 120), ("&windowSize=7d", 10_080)]
    {
        let ticker = exchange.public(&format!("/api/v3/ticker?symbol=BTCUSDT{query}")).await.ok();
        let (open, close) = (ticker["openTime"].as_u64().unwrap(), ticker["closeTime"].as_u64().unwrap());
        assert_eq!((open % minute, close / minute - open / minute), (0, length), "{query}: {ticker}");
        let shown =
            ["openPrice", "lastPrice", "priceChange", "priceChangePercent", "weightedAvgPrice", "volume"];
        assert_eq!(
            shown.map(|name| ticker[name].as_str().unwrap().to_owned()),
            ["50000.00000000", "51000.00000000", "1000.00000000", "2.000", "50500.00000000", "0.20000000"],
            "{query}"
        );
        assert_eq!((&ticker["count"], &ticker["firstId"]), (&json!(2), &json!(1)));
        assert!(ticker.get("bidPrice").is_none() && ticker.get("prevClosePrice").is_none());
    }
    let symbols = "symbols=%5B%22BTCUSDT%22%5D";
    let mini = exchange.public(&format!("/api/v3/ticker?{symbols}&type=MINI")).await.ok();
    assert_eq!((&mini[0]["symbol"], mini[0].get("priceChange")), (&json!("BTCUSDT"), None));
    for (query, code) in [
        ("", -1102),
        ("symbol=BTCUSDT&windowSize=8d", -1130),
        ("symbol=BTCUSDT&type=HUGE", -1139),
        ("symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1128),
    ] {
        for path in ["/api/v3/ticker", "/api/v3/ticker/tradingDay"] {
            if path.ends_with("ticker") || !query.contains("windowSize") {
                assert_eq!(
                    exchange.public(&format!("{path}?{query}")).await.error().1,
                    code,
                    "{path} {query}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_trading_day_is_the_askers() {
    let exchange = traded().await;
    let day = 86_400_000;
    for (zone, minutes_east) in [("", 0), ("&timeZone=8", 480), ("&timeZone=-5:30", -330)] {
        let path = format!("/api/v3/ticker/tradingDay?symbol=BTCUSDT{zone}");
        let ticker = exchange.public(&path).await.ok();
        let open = ticker["openTime"].as_i64().unwrap();
        assert_eq!((open + minutes_east * 60_000) % day, 0, "{zone}: {ticker}");
        assert_eq!(ticker["closeTime"].as_i64().unwrap(), open + day - 1, "{zone}");
        assert_eq!(ticker["lastPrice"], "51000.00000000");
    }
    let micros = [("x-mbx-time-unit", "microsecond")];
    let path = "/api/v3/ticker/tradingDay?symbol=BTCUSDT";
    let ticker = exchange.raw("GET", path, &micros, String::new()).await.ok();
    assert_eq!(
        ticker["closeTime"].as_u64().unwrap() - ticker["openTime"].as_u64().unwrap(),
        86_400_000_000 - 1
    );
    assert_eq!(exchange.public(&format!("{path}&timeZone=15")).await.error().1, -1130);
}

#[tokio::test]
async fn the_price_that_bounds_are_reckoned_from_is_shown() {
    let exchange = traded().await;
    let rules = exchange.public("/api/v3/executionRules?symbol=BTCUSDT").await.ok();
    let expected = json!([{"ruleType": "PRICE_RANGE", "bidLimitMultUp": "5.00000000", "askLimitMultDown": "0.20000000"}]);
    assert_eq!(rules["symbolRules"], json!([{"symbol": "BTCUSDT", "rules": expected}]));
    let all = exchange.public("/api/v3/executionRules").await.ok();
    assert_eq!(all, rules);
    let reference = exchange.public("/api/v3/referencePrice?symbol=BTCUSDT").await.ok();
    assert_eq!(reference["referencePrice"], "50500.00000000");
    let calculation = exchange.public("/api/v3/referencePrice/calculation?symbol=BTCUSDT").await.ok();
    assert_eq!((&calculation["bucketCount"], &calculation["bucketWidthMs"]), (&json!(5), &json!(60_000)));
    assert_eq!(exchange.public("/api/v3/historicalBlockTrades?symbol=BTCUSDT").await.ok(), json!([]));
}

#[tokio::test]
async fn instruments_are_chosen_by_status() {
    let exchange = traded().await;
    exchange.admin("PATCH", "/admin/instruments/BTCUSDT", json!({"status": "HALT"})).await.ok();
    for path in ["depth", "ticker/24hr", "ticker/price", "ticker/bookTicker", "ticker", "referencePrice"] {
        let one = |status: &str| format!("/api/v3/{path}?symbol=BTCUSDT&symbolStatus={status}");
        exchange.public(&one("HALT")).await.ok();
        let mismatch = exchange.public(&one("TRADING")).await;
        assert_eq!((mismatch.error().0, mismatch.error().1), (400, -1220), "{path}");
        assert_eq!(exchange.public(&one("ASLEEP")).await.error().1, -1122, "{path}");
    }
    let count = |rows: &Value| rows.as_array().unwrap().len();
    for (status, expected) in [("HALT", 1), ("TRADING", 0)] {
        for path in ["ticker/24hr", "ticker/price", "ticker/bookTicker"] {
            let rows = exchange.public(&format!("/api/v3/{path}?symbolStatus={status}")).await.ok();
            assert_eq!(count(&rows), expected, "{path} {status}");
        }
    }
}
