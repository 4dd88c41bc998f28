//! Orders that end with the session that placed them.

mod exchange;

use exchange::{Exchange, Key, Socket, now_millis};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long a test waits for what must happen. It is far above what anything takes.
const PATIENCE: Duration = Duration::from_mins(1);

async fn logged_on(exchange: &Exchange, key: &Key, parameters: Value) -> Socket {
    let mut socket = Socket::connect(exchange.serve().await, "/ws-api/v3").await;
    log_on(&mut socket, key, parameters).await;
    socket
}

async fn log_on(socket: &mut Socket, key: &Key, mut parameters: Value) {
    let wanted = parameters["cancelOnDisconnect"].clone();
    parameters["apiKey"] = key.api_key.clone().into();
    parameters["timestamp"] = now_millis().into();
    let pairs = parameters.as_object().expect("an object").iter();
    let payload: Vec<String> =
        pairs.map(|(name, value)| format!("{name}={}", value.to_string().trim_matches('"'))).collect();
    parameters["signature"] = key.sign(&payload.join("&")).into();
    let answer = socket.ask(json!({"id": 1, "method": "session.logon", "params": parameters})).await;
    assert_eq!(answer["status"], 200, "{answer}");
    assert_eq!(answer["result"]["cancelOnDisconnect"], wanted, "{answer}");
}

async fn place(socket: &mut Socket, price: &str) -> u64 {
    let order = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "price": price, "quantity": "0.5"});
    let answer = socket.ask(json!({"id": 2, "method": "order.place", "params": order})).await;
    answer["result"]["orderId"].as_u64().unwrap_or_else(|| panic!("{answer}"))
}

async fn open_orders(exchange: &Exchange, key: &Key) -> Vec<u64> {
    let open = exchange.signed(key, "GET", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    open.as_array().expect("a list").iter().filter_map(|order| order["orderId"].as_u64()).collect()
}

async fn until_open(exchange: &Exchange, key: &Key, wanted: &[u64]) {
    let start = Instant::now();
    loop {
        let open = open_orders(exchange, key).await;
        if open == wanted {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{open:?} are open, not {wanted:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_session_that_asks_for_it_takes_its_orders_with_it_and_no_others() {
    let exchange = Exchange::open().await;
    let key = exchange.hmac("alice").await;
    let mut stays = logged_on(&exchange, &key, json!({})).await;
    let mut goes = logged_on(&exchange, &key, json!({"cancelOnDisconnect": true})).await;
    let other = place(&mut stays, "40000").await;
    let own = place(&mut goes, "40001").await;
    assert_eq!(open_orders(&exchange, &key).await, [other, own]);
    drop(goes);
    until_open(&exchange, &key, &[other]).await;
    drop(stays);
    let mut again = logged_on(&exchange, &key, json!({"cancelOnDisconnect": true})).await;
    assert_eq!(open_orders(&exchange, &key).await, [other], "whoever did not ask keeps its orders");

    let first = place(&mut again, "40002").await;
    log_on(&mut again, &key, json!({"cancelOnDisconnect": true})).await;
    until_open(&exchange, &key, &[other]).await;
    let second = place(&mut again, "40003").await;
    assert!(first < second);
    again.ask(json!({"id": 3, "method": "session.logout"})).await;
    until_open(&exchange, &key, &[other]).await;
    let closed =
        exchange.signed(&key, "GET", "/api/v3/order", &format!("symbol=BTCUSDT&orderId={second}")).await;
    assert_eq!(closed.ok()["status"], "CANCELED");
}

#[tokio::test]
async fn the_next_start_ends_sessions_that_could_not_say_that_they_ended() {
    let exchange = Exchange::open().await;
    let key = exchange.hmac("alice").await;
    let mut goes = logged_on(&exchange, &key, json!({"cancelOnDisconnect": true})).await;
    let mut stays = logged_on(&exchange, &key, json!({})).await;
    place(&mut goes, "40001").await;
    let other = place(&mut stays, "40000").await;
    let exchange = exchange.restart().await;
    exchange.gateway.end_sessions_of_before().await;
    assert_eq!(open_orders(&exchange, &key).await, [other]);
    let before = exchange.state_hash();
    exchange.gateway.end_sessions_of_before().await;
    assert_eq!(exchange.state_hash(), before, "nothing is left to end");
}
