//! The API's document against the exchange: every documented call is made, and every answer, good or not,
//! has the shape that the document says.

mod exchange;

use exchange::{Exchange, Key, Reply, schema::mismatch};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Calls in an order that lets each find what it needs: method, path, parameters, expected status. Order
/// ids count from 1.
const CALLS: &[(&str, &str, &str, u16)] = &[
    ("GET", "/api/v3/ping", "", 200),
    ("GET", "/api/v3/time", "", 200),
    ("GET", "/api/v3/exchangeInfo", "", 200),
    (
        "POST",
        "/api/v3/order",
        "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&price=50000&quantity=0.5",
        200,
    ),
    ("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&price=40000&quantity=0.5", 200),
    ("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1", 200),
    (
        "POST",
        "/api/v3/order",
        "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&newOrderRespType=RESULT",
        200,
    ),
    (
        "POST",
        "/api/v3/order",
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=50000&quantity=0.1&selfTradePreventionMode=EXPIRE_TAKER",
        200,
    ),
    ("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0", 400),
    ("POST", "/api/v3/order/test", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1", 200),
    (
        "POST",
        "/api/v3/order/test",
        "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&computeCommissionRates=true",
        200,
    ),
    ("GET", "/api/v3/order", "symbol=BTCUSDT&orderId=1", 200),
    ("GET", "/api/v3/order", "symbol=BTCUSDT&orderId=5", 200),
    ("GET", "/api/v3/order", "symbol=BTCUSDT&orderId=99", 400),
    ("PUT", "/api/v3/order/amend/keepPriority", "symbol=BTCUSDT&orderId=2&newQty=0.4", 200),
    ("GET", "/api/v3/order/amendments", "symbol=BTCUSDT&orderId=2", 200),
    ("GET", "/api/v3/openOrders", "", 200),
    (
        "POST",
        "/api/v3/order/cancelReplace",
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=41000&quantity=0.4&cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId=2",
        200,
    ),
    (
        "POST",
        "/api/v3/order/cancelReplace",
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=41000&quantity=0.4&cancelReplaceMode=ALLOW_FAILURE&cancelOrderId=2",
        409,
    ),
    ("DELETE", "/api/v3/order", "symbol=BTCUSDT&orderId=6", 200),
    ("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT", 200),
    ("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT", 400),
    ("GET", "/api/v3/allOrders", "symbol=BTCUSDT", 200),
    (
        "POST",
        "/api/trade/create-order",
        "symbol=BTCUSDT&side=BUY&type=LIMIT&price=40000&quantity=0.5&newClientOrderId=own",
        200,
    ),
    ("GET", "/api/trade/orders", "", 200),
    ("POST", "/api/trade/cancel-order", "origClientOrderId=own", 200),
    ("POST", "/api/trade/cancel-timer", "countdownTime=60000", 200),
    ("POST", "/api/trade/cancel-timer", "countdownTime=0", 200),
    ("POST", "/api/trade/cancel-timer", "countdownTime=86400001", 400),
    ("POST", "/api/trade/kill-switch", "switch=MAYBE", 400),
    ("POST", "/api/trade/kill-switch", "switch=OFF", 200),
    // Here are no books of record to state anything from.
    ("GET", "/api/account/statement", "startTime=0&endTime=1&format=JSON", 400),
    (
        "POST",
        "/api/v3/order",
        "symbol=BTCUSDT&side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.1&price=44000&stopPrice=45000&trailingDelta=100&icebergQty=0.05&strategyId=1&strategyType=1000000&newOrderRespType=RESULT",
        200,
    ),
    ("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=TAKE_PROFIT&quantity=0.1&stopPrice=60000", 200),
    (
        "POST",
        "/api/v3/orderList/oco",
        "symbol=BTCUSDT&side=SELL&quantity=0.1&aboveType=LIMIT_MAKER&abovePrice=52000&belowType=STOP_LOSS&belowStopPrice=48000",
        200,
    ),
    ("POST", "/api/v3/orderList/oco", "symbol=BTCUSDT", 400),
    ("POST", "/api/v3/order/oco", "symbol=BTCUSDT&side=SELL&quantity=0.1&price=53000&stopPrice=47000", 200),
    (
        "POST",
        "/api/v3/orderList/oto",
        "symbol=BTCUSDT&workingType=LIMIT&workingSide=BUY&workingPrice=45000&workingQuantity=0.1&workingTimeInForce=GTC&pendingType=LIMIT_MAKER&pendingSide=SELL&pendingPrice=55000&pendingQuantity=0.1",
        200,
    ),
    (
        "POST",
        "/api/v3/orderList/otoco",
        "symbol=BTCUSDT&workingType=LIMIT&workingSide=BUY&workingPrice=45000&workingQuantity=0.1&workingTimeInForce=GTC&pendingSide=SELL&pendingQuantity=0.1&pendingAboveType=LIMIT_MAKER&pendingAbovePrice=55000&pendingBelowType=STOP_LOSS&pendingBelowStopPrice=40000",
        200,
    ),
    ("GET", "/api/v3/openOrders", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/openOrderList", "", 200),
    ("DELETE", "/api/v3/orderList", "symbol=BTCUSDT&orderListId=1", 200),
    ("DELETE", "/api/v3/orderList", "symbol=BTCUSDT&orderListId=1", 400),
    ("GET", "/api/v3/orderList", "orderListId=1", 200),
    ("GET", "/api/v3/orderList", "orderListId=99", 400),
    ("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/allOrderList", "", 200),
    ("GET", "/api/v3/allOrders", "symbol=BTCUSDT", 200),
    ("PUT", "/api/v3/order", "", 404),
    ("GET", "/api/v3/account", "", 200),
    ("GET", "/api/v3/account/commission", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/myTrades", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/rateLimit/order", "", 200),
    ("GET", "/api/v3/myPreventedMatches", "symbol=BTCUSDT&preventedMatchId=1", 200),
    ("GET", "/api/v3/myAllocations", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/myFilters", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/depth", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/depth", "symbol=NOPE", 400),
    ("GET", "/api/v3/trades", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/historicalTrades", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/historicalBlockTrades", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/aggTrades", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/klines", "symbol=BTCUSDT&interval=1m", 200),
    ("GET", "/api/v3/uiKlines", "symbol=BTCUSDT&interval=1m", 200),
    ("GET", "/api/v3/avgPrice", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/ticker/24hr", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/ticker/24hr", "type=MINI", 200),
    ("GET", "/api/v3/ticker/tradingDay", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/ticker", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/ticker", "symbol=BTCUSDT&type=MINI", 200),
    ("GET", "/api/v3/ticker/price", "", 200),
    ("GET", "/api/v3/ticker/bookTicker", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/executionRules", "", 200),
    ("GET", "/api/v3/referencePrice", "symbol=BTCUSDT", 200),
    ("GET", "/api/v3/referencePrice/calculation", "symbol=BTCUSDT", 200),
    ("GET", "/fapi/v1/exchangeInfo", "", 200),
    ("GET", "/dapi/v1/exchangeInfo", "", 200),
    ("POST", "/api/v3/userDataStream", "", 410),
    ("PUT", "/api/v3/userDataStream", "", 410),
    ("DELETE", "/api/v3/userDataStream", "", 410),
    ("GET", "/api/account/keys", "", 200),
    ("POST", "/api/account/keys", "keyType=HMAC&scopes=READ", 200),
    ("PUT", "/api/account/keys", "targetKey=x&enabled=true", 400),
    ("DELETE", "/api/account/keys", "targetKey=x", 400),
    ("POST", "/api/account/keys/rotate", "targetKey=x&keyType=HMAC", 400),
    ("GET", "/sapi/v1/system/status", "", 200),
    ("GET", "/sapi/v1/capital/config/getall", "", 200),
    ("GET", "/sapi/v1/asset/tradeFee", "", 200),
    ("GET", "/sapi/v1/account/apiRestrictions", "", 200),
    ("GET", "/sapi/v1/account/status", "", 200),
    ("GET", "/sapi/v1/account/apiTradingStatus", "", 200),
    ("POST", "/sapi/v3/asset/getUserAsset", "", 200),
    ("GET", "/sapi/v1/capital/deposit/address", "coin=BTC", 400),
    ("GET", "/sapi/v1/capital/deposit/hisrec", "", 200),
    ("POST", "/sapi/v1/capital/withdraw/apply", "coin=BTC&address=a&amount=1", 400),
    ("GET", "/sapi/v1/capital/withdraw/history", "", 200),
    ("GET", "/sapi/v1/margin/allPairs", "", 200),
    ("GET", "/sapi/v1/margin/isolated/allPairs", "", 200),
    ("GET", "/sapi/v1/spot/delist-schedule", "", 200),
];

async fn call(exchange: &Exchange, key: &Key, method: &str, path: &str, parameters: &str) -> Reply {
    exchange.signed(key, method, path, parameters).await
}

#[track_caller]
fn conforms(document: &Value, method: &str, path: &str, reply: &Reply) {
    let operation = &document["paths"][path][method.to_lowercase()];
    let response = &operation["responses"][reply.status.to_string()];
    assert!(response.is_object(), "{method} {path}: {} is not documented", reply.status);
    let schema = &response["content"]["application/json"]["schema"];
    if let Some(reason) = mismatch(document, schema, &reply.body) {
        panic!("{method} {path}: {reason}\n{}", reply.body);
    }
}

#[tokio::test]
async fn every_documented_call_answers_as_documented() {
    let exchange = Exchange::open().await;
    let document = exchange.public("/api/openapi.json").await.ok();
    let key = exchange.key("alice", json!({"key_type": "HMAC", "scopes": "READ,TRADE,WITHDRAW,KEYS"})).await;
    let mut made = BTreeSet::new();
    for (method, path, parameters, status) in CALLS {
        let reply = call(&exchange, &key, method, path, parameters).await;
        assert_eq!(reply.status, *status, "{method} {path}?{parameters}: {}", reply.body);
        conforms(&document, method, path, &reply);
        made.insert((path.to_string(), method.to_lowercase()));
        if path.ends_with("create-order") {
            exchange.tick();
        }
    }
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            assert!(made.contains(&(path.clone(), method.clone())), "{method} {path} was not called");
            // Signed calls say so, and refuse those who do not sign.
            let unsigned = exchange.raw(&method.to_uppercase(), path, &[], String::new()).await;
            conforms(&document, method, path, &unsigned);
            assert_eq!(unsigned.status == 401, operation["security"].is_array(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_page_is_there_and_needs_nothing_else() {
    let exchange = Exchange::open().await;
    let page = exchange.raw("GET", "/api/docs", &[], String::new()).await;
    assert_eq!(page.headers["content-type"], "text/html;charset=UTF-8");
    let text = page.body.as_str().unwrap();
    assert!(text.contains("/api/v3/order/cancelReplace") && !text.contains("<script"));
}
