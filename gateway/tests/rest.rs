//! The REST door, from end to end: what an account does and what it is told, with both kinds of keys.

mod exchange;

use exchange::Exchange;
use serde_json::{Value, json};

fn limit(side: &str, price: &str, quantity: &str) -> String {
    format!("symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&price={price}&quantity={quantity}")
}

fn balance(account: &Value, asset: &str) -> (String, String) {
    let rows = account["balances"].as_array().expect("balances");
    let row = rows.iter().find(|row| row["asset"] == asset).expect("the asset's balance");
    let text = |name: &str| row[name].as_str().expect("an amount").to_owned();
    (text("free"), text("locked"))
}

#[tokio::test]
async fn an_order_rests_is_shown_and_is_cancelled() {
    let exchange = Exchange::open().await;
    for wanted in [json!({"key_type": "HMAC"}), json!({"key_type": "Ed25519"})] {
        let key = exchange.key("alice", wanted).await;
        let order = format!("{}&newClientOrderId=mine", limit("BUY", "40000.00", "0.50000"));
        let placed = exchange.signed(&key, "POST", "/api/v3/order", &order).await;
        assert_eq!(placed.headers["x-mbx-order-count-10s"].to_str().unwrap().parse::<u32>().unwrap() % 2, 1);
        let placed = placed.ok();
        assert_eq!(placed["status"], "NEW");
        assert_eq!(placed["clientOrderId"], "mine");
        assert_eq!(placed["origQty"], "0.50000000");
        assert_eq!(placed["fills"], json!([]));
        let id = placed["orderId"].as_u64().unwrap();

        let account = exchange.signed(&key, "GET", "/api/v3/account", "").await.ok();
        assert_eq!(balance(&account, "USDT"), ("980000.00000000".to_owned(), "20000.00000000".to_owned()));
        assert_eq!(account["makerCommission"], 10);

        let by_name = "symbol=BTCUSDT&origClientOrderId=mine";
        for parameters in [by_name, &format!("symbol=BTCUSDT&orderId={id}")] {
            let shown = exchange.signed(&key, "GET", "/api/v3/order", parameters).await.ok();
            assert_eq!((&shown["orderId"], &shown["isWorking"]), (&json!(id), &json!(true)));
        }
        let open = exchange.signed(&key, "GET", "/api/v3/openOrders", "").await.ok();
        assert_eq!(open.as_array().unwrap().len(), 1);

        let duplicate = exchange.signed(&key, "POST", "/api/v3/order", &order).await;
        assert_eq!(duplicate.error(), (400, -2010, "Duplicate order sent."));

        let cancelled = exchange.signed(&key, "DELETE", "/api/v3/order", by_name).await.ok();
        assert_eq!(
            (&cancelled["status"], &cancelled["origClientOrderId"]),
            (&json!("CANCELED"), &json!("mine"))
        );
        assert_ne!(cancelled["clientOrderId"], "mine");
        let again = exchange.signed(&key, "DELETE", "/api/v3/order", by_name).await;
        assert_eq!(again.error(), (400, -2011, "Unknown order sent."));
        let account = exchange.signed(&key, "GET", "/api/v3/account", "").await.ok();
        assert_eq!(balance(&account, "USDT"), ("1000000.00000000".to_owned(), "0.00000000".to_owned()));
        // The second key's order counts are odd again.
        exchange.signed(&key, "POST", "/api/v3/order/test", &limit("BUY", "40000", "1")).await.ok();
        let other = exchange.signed(&key, "POST", "/api/v3/order", &limit("BUY", "1", "1")).await;
        assert_eq!(other.error(), (400, -1013, "Filter failure: NOTIONAL"));
        let percent = exchange.signed(&key, "POST", "/api/v3/order", &limit("BUY", "9999", "1")).await;
        assert_eq!(percent.error(), (400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"));
    }
}

#[tokio::test]
async fn two_accounts_trade_and_both_see_it() {
    let exchange = Exchange::open().await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    for (price, quantity) in [("50000.00", "0.10000"), ("50010.00", "0.20000")] {
        exchange.signed(&alice, "POST", "/api/v3/order", &limit("SELL", price, quantity)).await.ok();
    }
    let order = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.15&newOrderRespType=FULL";
    let bought = exchange.signed(&bob, "POST", "/api/v3/order", order).await.ok();
    assert_eq!(bought["status"], "FILLED");
    assert_eq!((&bought["timeInForce"], &bought["price"]), (&json!("GTC"), &json!("0.00000000")));
    assert_eq!(bought["executedQty"], "0.15000000");
    assert_eq!(bought["cummulativeQuoteQty"], "7500.50000000");
    let fills = bought["fills"].as_array().unwrap();
    assert_eq!(fills.len(), 2);
    assert_eq!(fills[0]["commission"], "0.00010000");
    assert_eq!((&fills[0]["commissionAsset"], &fills[0]["tradeId"]), (&json!("BTC"), &json!(1)));

    for (key, side, maker, commission) in
        [(&bob, true, false, "0.00005000"), (&alice, false, true, "2.50050000")]
    {
        let trades = exchange.signed(key, "GET", "/api/v3/myTrades", "symbol=BTCUSDT").await.ok();
        let last = trades.as_array().unwrap().last().unwrap();
        assert_eq!((&last["isBuyer"], &last["isMaker"]), (&json!(side), &json!(maker)));
        assert_eq!((&last["price"], &last["qty"]), (&json!("50010.00000000"), &json!("0.05000000")));
        assert_eq!(last["commission"], commission);
    }
    let all = exchange.signed(&alice, "GET", "/api/v3/allOrders", "symbol=BTCUSDT&startTime=0").await.ok();
    let statuses: Vec<_> = all.as_array().unwrap().iter().map(|order| order["status"].clone()).collect();
    assert_eq!(statuses, ["FILLED", "PARTIALLY_FILLED"]);

    exchange.tick();
    let depth = exchange.public("/api/v3/depth?symbol=BTCUSDT").await.ok();
    assert_eq!(depth["asks"], json!([["50010.00000000", "0.15000000"]]));
    let trades = exchange.public("/api/v3/aggTrades?symbol=BTCUSDT&fromId=0").await.ok();
    assert_eq!(
        (&trades[0]["p"], &trades[0]["m"], &trades[0]["M"]),
        (&json!("50000.00000000"), &json!(false), &json!(true))
    );
    let trades = exchange.public("/api/v3/trades?symbol=BTCUSDT&limit=1").await.ok();
    assert_eq!((trades.as_array().unwrap().len(), &trades[0]["quoteQty"]), (1, &json!("2500.50000000")));
    let candles = exchange.public("/api/v3/klines?symbol=BTCUSDT&interval=1m").await.ok();
    let candle = candles.as_array().unwrap().last().unwrap().as_array().unwrap().clone();
    assert_eq!(candle.len(), 12);
    let ticker = exchange.public("/api/v3/ticker/24hr?symbol=BTCUSDT").await.ok();
    assert_eq!((&ticker["lastPrice"], &ticker["count"]), (&json!("50010.00000000"), &json!(2)));
    assert_eq!(
        (&ticker["priceChangePercent"], &ticker["weightedAvgPrice"]),
        (&json!("0.020"), &json!("50003.33333333"))
    );
    assert_eq!(
        exchange.public("/api/v3/ticker/price").await.ok(),
        json!([{"symbol": "BTCUSDT", "price": "50010.00000000"}])
    );
    let best = exchange.public("/api/v3/ticker/bookTicker?symbol=BTCUSDT").await.ok();
    assert_eq!((&best["askPrice"], &best["bidQty"]), (&json!("50010.00000000"), &json!("0.00000000")));
    let average = exchange.public("/api/v3/avgPrice?symbol=BTCUSDT").await.ok();
    assert_eq!(average["price"], "50003.33333333");
}

#[tokio::test]
async fn a_market_order_by_quote_quantity_spends_what_it_says() {
    let exchange = Exchange::open().await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    exchange.signed(&alice, "POST", "/api/v3/order", &limit("SELL", "50000.00", "1.00000")).await.ok();
    // The second is less than one lot short of what it may spend: filled, in the answer as in the views.
    for (asked, shown) in [("100", "100.00000000"), ("100.3", "100.30000000")] {
        let order = format!("symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty={asked}");
        let bought = exchange.signed(&bob, "POST", "/api/v3/order", &order).await.ok();
        let which = format!("symbol=BTCUSDT&orderId={}", bought["orderId"]);
        let queried = exchange.signed(&bob, "GET", "/api/v3/order", &which).await.ok();
        for order in [bought, queried] {
            let quantities = (&order["executedQty"], &order["origQty"]);
            assert_eq!(quantities, (&json!("0.00200000"), &json!("0.00200000")), "{order}");
            assert_eq!(
                (&order["origQuoteOrderQty"], &order["status"]),
                (&json!(shown), &json!("FILLED")),
                "{order}"
            );
        }
    }
}

#[tokio::test]
async fn post_only_ioc_and_fok_end_as_they_should() {
    let exchange = Exchange::open().await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    exchange.signed(&alice, "POST", "/api/v3/order", &limit("SELL", "50000.00", "0.10000")).await.ok();
    let maker = "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&price=50000&quantity=0.1";
    let refused = exchange.signed(&bob, "POST", "/api/v3/order", maker).await;
    assert_eq!(refused.error(), (400, -2010, "Order would immediately match and take."));
    let immediate = limit("BUY", "50000", "0.30000");
    let killed = exchange.signed(&bob, "POST", "/api/v3/order", &immediate.replace("GTC", "FOK")).await.ok();
    assert_eq!((&killed["status"], &killed["executedQty"]), (&json!("EXPIRED"), &json!("0.00000000")));
    let taken = exchange.signed(&bob, "POST", "/api/v3/order", &immediate.replace("GTC", "IOC")).await.ok();
    assert_eq!((&taken["status"], &taken["executedQty"]), (&json!("EXPIRED"), &json!("0.10000000")));
    let resting = "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&price=49000&quantity=0.1";
    let placed = exchange.signed(&bob, "POST", "/api/v3/order", resting).await.ok();
    assert_eq!(placed.as_object().unwrap().len(), 5, "LIMIT_MAKER is acknowledged: {placed}");
    let poor = limit("BUY", "50000.00", "30.00000");
    let refused = exchange.signed(&bob, "POST", "/api/v3/order", &poor).await;
    assert_eq!(refused.error(), (400, -2010, "Account has insufficient balance for requested action."));
}

#[tokio::test]
async fn orders_are_replaced_amended_and_cancelled_together() {
    let exchange = Exchange::open().await;
    let alice = exchange.hmac("alice").await;
    let first = exchange.signed(&alice, "POST", "/api/v3/order", &limit("BUY", "40000", "0.5")).await.ok();
    let id = first["orderId"].as_u64().unwrap();
    let replace =
        format!("{}&cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId={id}", limit("BUY", "41000", "0.4"));
    let path = "/api/v3/order/cancelReplace";
    let replaced = exchange.signed(&alice, "POST", path, &replace).await.ok();
    assert_eq!(
        (&replaced["cancelResult"], &replaced["newOrderResult"]),
        (&json!("SUCCESS"), &json!("SUCCESS"))
    );
    assert_eq!(replaced["cancelResponse"]["orderId"], id);
    assert_eq!(replaced["newOrderResponse"]["price"], "41000.00000000");
    let failed = exchange.signed(&alice, "POST", path, &replace).await;
    assert_eq!(failed.error().1, -2022);
    assert_eq!(failed.body["data"]["newOrderResult"], "NOT_ATTEMPTED");
    let allowed = replace.replace("STOP_ON_FAILURE", "ALLOW_FAILURE");
    let half = exchange.signed(&alice, "POST", path, &allowed).await;
    assert_eq!((half.status, half.error().1), (409, -2021));
    assert_eq!(half.body["data"]["cancelResponse"]["code"], -2011);

    let id = replaced["newOrderResponse"]["orderId"].as_u64().unwrap();
    let path = "/api/v3/order/amend/keepPriority";
    let amended =
        exchange.signed(&alice, "PUT", path, &format!("symbol=BTCUSDT&orderId={id}&newQty=0.3")).await.ok();
    assert_eq!(amended["amendedOrder"]["qty"], "0.30000000");
    let more = exchange.signed(&alice, "PUT", path, &format!("symbol=BTCUSDT&orderId={id}&newQty=0.9")).await;
    assert_eq!(more.error().1, -2038);

    let path = "/api/v3/openOrders";
    let cancelled = exchange.signed(&alice, "DELETE", path, "symbol=BTCUSDT").await.ok();
    assert_eq!(cancelled.as_array().unwrap().len(), 2);
    let none = exchange.signed(&alice, "DELETE", path, "symbol=BTCUSDT").await;
    assert_eq!(none.error(), (400, -2011, "Unknown order sent."));
}

#[tokio::test]
async fn orders_are_named_by_the_ids_they_are_shown_with() {
    let exchange = Exchange::open().await;
    let alice = exchange.hmac("alice").await;
    let placed = exchange.signed(&alice, "POST", "/api/v3/order", &limit("BUY", "40000", "0.5")).await.ok();
    let name = placed["clientOrderId"].as_str().unwrap();
    let parameters = format!("symbol=BTCUSDT&origClientOrderId={name}&orderId={}", placed["orderId"]);
    let cancelled = exchange.signed(&alice, "DELETE", "/api/v3/order", &parameters).await.ok();
    assert_eq!(cancelled["status"], "CANCELED");
    let placed = exchange.signed(&alice, "POST", "/api/v3/order", &limit("BUY", "40000", "0.5")).await.ok();
    let name = placed["clientOrderId"].as_str().unwrap();
    let parameters = format!("symbol=BTCUSDT&origClientOrderId={name}");
    exchange.signed(&alice, "GET", "/api/v3/order", &parameters).await.ok();
    exchange.signed(&alice, "DELETE", "/api/v3/order", &parameters).await.ok();
}

#[tokio::test]
async fn what_clients_ask_while_they_load_markets_is_answered() {
    let exchange = Exchange::open().await;
    let alice = exchange.hmac("alice").await;
    assert_eq!(exchange.public("/api/v3/ping").await.ok(), json!({}));
    let time = exchange.public("/api/v3/time").await;
    assert!(time.headers["x-mbx-used-weight-1m"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    assert!(time.ok()["serverTime"].as_u64().unwrap() < 100_000_000_000_000);
    let micros =
        exchange.raw("GET", "/api/v3/time", &[("x-mbx-time-unit", "MICROSECOND")], String::new()).await;
    assert!(micros.ok()["serverTime"].as_u64().unwrap() > 100_000_000_000_000);
    let info = exchange.public("/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D").await.ok();
    let symbol = &info["symbols"][0];
    assert!(symbol["orderTypes"].as_array().unwrap().contains(&json!("TAKE_PROFIT_LIMIT")));
    assert_eq!((&symbol["status"], &symbol["permissionSets"]), (&json!("TRADING"), &json!([["SPOT"]])));
    let filter = |kind: &str| {
        let filters = symbol["filters"].as_array().unwrap();
        filters.iter().find(|filter| filter["filterType"] == kind).unwrap_or_else(|| panic!("{kind}")).clone()
    };
    assert_eq!(filter("PRICE_FILTER")["tickSize"], "0.01000000");
    assert_eq!(filter("LOT_SIZE")["stepSize"], "0.00001000");
    assert_eq!(filter("NOTIONAL")["minNotional"], "5.00000000");
    assert_eq!(filter("ICEBERG_PARTS")["limit"], 100);
    assert_eq!(filter("PERCENT_PRICE_BY_SIDE")["bidMultiplierUp"], "5.00000000");
    for path in ["/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"] {
        assert_eq!(exchange.public(path).await.ok()["symbols"], json!([]), "{path}");
    }
    let coins = exchange.signed(&alice, "GET", "/sapi/v1/capital/config/getall", "").await.ok();
    assert_eq!((&coins[0]["coin"], &coins[0]["free"]), (&json!("BTC"), &json!("100.00000000")));
    let fees = exchange.signed(&alice, "GET", "/sapi/v1/asset/tradeFee", "").await.ok();
    assert_eq!(fees[0]["takerCommission"], "0.00100000");
    for path in ["/sapi/v1/margin/allPairs", "/sapi/v1/margin/isolated/allPairs"] {
        assert_eq!(exchange.signed(&alice, "GET", path, "").await.ok(), json!([]), "{path}");
    }
    let limits = exchange.signed(&alice, "GET", "/api/v3/rateLimit/order", "").await.ok();
    assert_eq!((&limits[0]["intervalNum"], &limits[0]["count"]), (&json!(10), &json!(0)));
}
