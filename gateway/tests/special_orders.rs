//! Orders that are not plain, through REST: stops, trails, icebergs, pegs, lists; the cancel timer and the
//! kill switch. What each is told, and what is shown of it until its end.

mod exchange;

use exchange::{Exchange, Key};
use serde_json::{Value, json};

const ORDER: &str = "/api/v3/order";

fn limit(side: &str, price: &str, quantity: &str) -> String {
    format!("symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&price={price}&quantity={quantity}")
}

async fn post(exchange: &Exchange, key: &Key, path: &str, parameters: &str) -> Value {
    exchange.signed(key, "POST", path, parameters).await.ok()
}

async fn order(exchange: &Exchange, key: &Key, placed: &Value) -> Value {
    let which = format!("symbol=BTCUSDT&orderId={}", placed["orderId"]);
    exchange.signed(key, "GET", ORDER, &which).await.ok()
}

/// Alice and Bob, after a trade of 0.1 at 50,000.
async fn traded() -> (Exchange, Key, Key) {
    let exchange = Exchange::open().await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    trade(&exchange, &alice, &bob, "50000").await;
    (exchange, alice, bob)
}

/// Bob sells 0.1 to Alice at a price.
async fn trade(exchange: &Exchange, alice: &Key, bob: &Key, price: &str) {
    post(exchange, bob, ORDER, &limit("SELL", price, "0.1")).await;
    post(exchange, alice, ORDER, &limit("BUY", price, "0.1")).await;
}

#[tokio::test]
async fn a_stop_waits_and_then_works() {
    let (exchange, alice, bob) = traded().await;
    let stop = "symbol=BTCUSDT&side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.2&price=48900&stopPrice=49000\
                &strategyId=7&strategyType=1000001&newOrderRespType=RESULT";
    let placed = post(&exchange, &alice, ORDER, stop).await;
    assert_eq!((&placed["status"], &placed["workingTime"]), (&json!("NEW"), &json!(-1)));
    assert_eq!((&placed["stopPrice"], &placed["strategyId"]), (&json!("49000.00000000"), &json!(7)));
    assert_eq!(placed["strategyType"], 1_000_001);
    assert_eq!(order(&exchange, &alice, &placed).await["isWorking"], false);
    exchange.tick();
    let depth = exchange.public("/api/v3/depth?symbol=BTCUSDT").await.ok();
    assert_eq!(depth["asks"], json!([]), "a stop is in no book before its trigger");
    trade(&exchange, &alice, &bob, "49000").await;
    let working = order(&exchange, &alice, &placed).await;
    assert_eq!((&working["isWorking"], &working["status"]), (&json!(true), &json!("NEW")));
    assert!(working["workingTime"].as_i64().unwrap() > 0);
    exchange.views.audit().unwrap();
    let would = stop.replace("stopPrice=49000", "stopPrice=50000");
    let told = exchange.signed(&alice, "POST", ORDER, &would).await;
    assert_eq!(told.error(), (400, -2010, "Order would trigger immediately."));
    let rehearsed = exchange.signed(&alice, "POST", "/api/v3/order/test", &would).await;
    assert_eq!(rehearsed.error(), (400, -2010, "Order would trigger immediately."));
}

#[tokio::test]
async fn an_iceberg_shows_its_tip() {
    let (exchange, alice, bob) = traded().await;
    let iceberg = format!("{}&icebergQty=0.1", limit("SELL", "51000", "0.35"));
    let placed = post(&exchange, &alice, ORDER, &iceberg).await;
    assert_eq!((&placed["icebergQty"], &placed["origQty"]), (&json!("0.10000000"), &json!("0.35000000")));
    exchange.tick();
    let depth = exchange.public("/api/v3/depth?symbol=BTCUSDT").await.ok();
    assert_eq!(depth["asks"], json!([["51000.00000000", "0.10000000"]]));
    post(&exchange, &bob, ORDER, &limit("BUY", "51000", "0.15")).await;
    let left = order(&exchange, &alice, &placed).await;
    assert_eq!((&left["executedQty"], &left["status"]), (&json!("0.15000000"), &json!("PARTIALLY_FILLED")));
    exchange.views.audit().unwrap();
    let parts = format!("{}&icebergQty=0.001", limit("SELL", "51000", "0.35"));
    let told = exchange.signed(&alice, "POST", ORDER, &parts).await;
    assert_eq!(told.error(), (400, -1013, "Filter failure: ICEBERG_PARTS"));
}

#[tokio::test]
async fn a_pegged_order_takes_its_price_from_the_book() {
    let (exchange, alice, bob) = traded().await;
    post(&exchange, &bob, ORDER, &limit("BUY", "49500", "0.1")).await;
    let pegged = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&pegPriceType=PRIMARY_PEG";
    let placed = post(&exchange, &alice, ORDER, pegged).await;
    assert_eq!((&placed["price"], &placed["peggedPrice"]), (&json!("0.00000000"), &json!("49500.00000000")));
    assert_eq!(placed["pegPriceType"], "PRIMARY_PEG");
}

#[tokio::test]
async fn of_two_orders_one_cancels_the_other() {
    let (exchange, alice, bob) = traded().await;
    let oco = "symbol=BTCUSDT&side=SELL&quantity=0.1&aboveType=LIMIT_MAKER&abovePrice=52000\
               &belowType=STOP_LOSS&belowStopPrice=48000&listClientOrderId=pair";
    let placed = post(&exchange, &alice, "/api/v3/orderList/oco", oco).await;
    assert_eq!(
        (&placed["contingencyType"], &placed["listOrderStatus"]),
        (&json!("OCO"), &json!("EXECUTING"))
    );
    assert_eq!(placed["orderReports"].as_array().unwrap().len(), 2);
    let open = exchange.signed(&alice, "GET", "/api/v3/openOrderList", "").await.ok();
    assert_eq!((open.as_array().unwrap().len(), &open[0]["listClientOrderId"]), (1, &json!("pair")));
    post(&exchange, &bob, ORDER, &limit("BUY", "52000", "0.1")).await;
    let list = exchange.signed(&alice, "GET", "/api/v3/orderList", "origClientOrderId=pair").await.ok();
    assert_eq!((&list["listStatusType"], &list["listOrderStatus"]), (&json!("ALL_DONE"), &json!("ALL_DONE")));
    let all = exchange.signed(&alice, "GET", "/api/v3/allOrderList", "").await.ok();
    assert_eq!(all, json!([list]));
    let gone =
        exchange.signed(&alice, "DELETE", "/api/v3/orderList", "symbol=BTCUSDT&listClientOrderId=pair").await;
    assert_eq!(gone.error().1, -2011);

    let old = "symbol=BTCUSDT&side=SELL&quantity=0.1&price=53000&stopPrice=47000";
    let placed = post(&exchange, &alice, "/api/v3/order/oco", old).await;
    let list = format!("symbol=BTCUSDT&orderListId={}", placed["orderListId"]);
    let cancelled = exchange.signed(&alice, "DELETE", "/api/v3/orderList", &list).await.ok();
    let statuses: Vec<_> =
        cancelled["orderReports"].as_array().unwrap().iter().map(|report| report["status"].clone()).collect();
    assert_eq!(statuses, ["CANCELED", "CANCELED"]);
    exchange.views.audit().unwrap();
}

#[tokio::test]
async fn a_filled_order_triggers_the_next() {
    let (exchange, alice, bob) = traded().await;
    let otoco = "symbol=BTCUSDT&workingType=LIMIT&workingSide=BUY&workingPrice=49500&workingQuantity=0.1\
                 &workingTimeInForce=GTC&pendingSide=SELL&pendingQuantity=0.1&pendingAboveType=LIMIT_MAKER\
                 &pendingAbovePrice=53000&pendingBelowType=STOP_LOSS&pendingBelowStopPrice=45000";
    let placed = post(&exchange, &alice, "/api/v3/orderList/otoco", otoco).await;
    let statuses = |reports: &Value| -> Vec<Value> {
        reports.as_array().unwrap().iter().map(|report| report["status"].clone()).collect()
    };
    assert_eq!(statuses(&placed["orderReports"]), ["NEW", "PENDING_NEW", "PENDING_NEW"]);
    post(&exchange, &bob, ORDER, &limit("SELL", "49500", "0.1")).await;
    let mut after = Vec::new();
    for report in placed["orderReports"].as_array().unwrap() {
        after.push(order(&exchange, &alice, report).await["status"].clone());
    }
    assert_eq!(after, ["FILLED", "NEW", "NEW"]);
    let cancelled = exchange.signed(&alice, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    assert_eq!(cancelled[0]["orderListId"], placed["orderListId"]);
    exchange.views.audit().unwrap();
}

#[tokio::test]
async fn an_account_stops_itself() {
    let (exchange, alice, _) = traded().await;
    post(&exchange, &alice, ORDER, &limit("BUY", "40000", "0.1")).await;
    let timer = post(&exchange, &alice, "/api/trade/cancel-timer", "countdownTime=60000").await;
    assert!(timer["dueTime"].as_i64().unwrap() > 0);
    let lifted = post(&exchange, &alice, "/api/trade/cancel-timer", "countdownTime=0").await;
    assert_eq!(lifted["dueTime"], -1);
    let killed = post(&exchange, &alice, "/api/trade/kill-switch", "switch=ON").await;
    assert_eq!(killed, json!({"switch": "ON", "canceledOrders": 1}));
    let refused = exchange.signed(&alice, "POST", ORDER, &limit("BUY", "40000", "0.1")).await;
    assert_eq!(refused.error(), (400, -2010, "This account may not place or cancel orders."));
    let account = exchange.signed(&alice, "GET", "/api/v3/account", "").await.ok();
    assert_eq!(account["canTrade"], false);
    post(&exchange, &alice, "/api/trade/kill-switch", "switch=OFF").await;
    post(&exchange, &alice, ORDER, &limit("BUY", "40000", "0.1")).await;
    let delisted = exchange.admin("POST", "/admin/instruments/BTCUSDT/delist", json!(null)).await;
    delisted.ok();
    let closed = exchange.signed(&alice, "POST", ORDER, &limit("BUY", "40000", "0.1")).await;
    assert_eq!(closed.error(), (400, -1013, "Market is closed."));
    let open = exchange.signed(&alice, "GET", "/api/v3/openOrders", "").await.ok();
    assert_eq!(open, json!([]));
}
