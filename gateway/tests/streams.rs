//! Market streams over a real socket: paths, control frames, what is sent, and how it ends.

mod exchange;

use exchange::{Exchange, Socket};
use serde_json::json;

const ORDER: &str = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&price=50000&quantity=0.5";
const TAKER: &str = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1";

#[tokio::test]
async fn every_path_leads_to_streams_and_a_tail_that_is_none_is_ignored() {
    let exchange = Exchange::open().await;
    let address = exchange.serve().await;
    let trade = json!(["btcusdt@trade"]);
    for (path, combined, names) in [
        ("/ws", false, json!([])),
        ("/ws/", false, json!([])),
        ("/ws/0", false, json!([])),
        ("/ws/btcusdt@trade", false, trade.clone()),
        ("/ws/btcusdt%40trade", false, trade.clone()),
        ("/ws/btcusdt@trade/nothing@at/all", false, trade.clone()),
        ("/stream", true, json!([])),
        ("/stream?streams=btcusdt@trade", true, trade.clone()),
        (
            "/stream?streams=btcusdt@trade/btcusdt@bookTicker",
            true,
            json!(["btcusdt@bookTicker", "btcusdt@trade"]),
        ),
        ("/stream/ws", false, json!([])),
        ("/stream/ws/7", false, json!([])),
        ("/stream/ws/btcusdt@trade?timeUnit=microsecond", false, trade.clone()),
    ] {
        let mut socket = Socket::connect(address, path).await;
        let listed = socket.ask(json!({"method": "LIST_SUBSCRIPTIONS", "id": 1})).await;
        assert_eq!(listed, json!({"result": names, "id": 1}), "{path}");
        let property = socket.ask(json!({"method": "GET_PROPERTY", "params": ["combined"], "id": "p"})).await;
        assert_eq!(property, json!({"result": combined, "id": "p"}), "{path}");
    }
}

#[tokio::test]
async fn a_subscriber_sees_trades_prices_and_the_book() {
    let exchange = Exchange::open().await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    let address = exchange.serve().await;
    let mut socket = Socket::connect(address, "/ws").await;
    let names = json!(["btcusdt@trade", "btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@kline_1m"]);
    let subscribed = socket.ask(json!({"method": "SUBSCRIBE", "params": names, "id": 1})).await;
    assert_eq!(subscribed, json!({"result": null, "id": 1}));

    exchange.signed(&alice, "POST", "/api/v3/order", ORDER).await.ok();
    exchange.tick();
    let depth = socket.until(|value| value["e"] == "depthUpdate").await;
    assert_eq!((&depth["s"], &depth["a"]), (&json!("BTCUSDT"), &json!([["50000.00000000", "0.50000000"]])));

    exchange.signed(&bob, "POST", "/api/v3/order", TAKER).await.ok();
    exchange.tick();
    let mut seen = (None, None, None);
    while seen.0.is_none() || seen.1.is_none() || seen.2.is_none() {
        let value = socket.next().await;
        match value["e"].as_str() {
            Some("trade") => seen.0 = Some(value),
            Some("depthUpdate") => seen.1 = Some(value),
            None if value["A"] == "0.40000000" => seen.2 = Some(value),
            _ => {}
        }
    }
    let (trade, next, quote) = (seen.0.unwrap(), seen.1.unwrap(), seen.2.unwrap());
    assert_eq!(
        (&trade["p"], &trade["q"], &trade["t"]),
        (&json!("50000.00000000"), &json!("0.10000000"), &json!(1))
    );
    assert_eq!(next["U"].as_u64().unwrap(), depth["u"].as_u64().unwrap() + 1, "no gap between differences");
    assert_eq!((&quote["s"], &quote["a"]), (&json!("BTCUSDT"), &json!("50000.00000000")));

    let unsubscribed = json!({"method": "UNSUBSCRIBE", "params": names, "id": 2});
    socket.send(unsubscribed.to_string()).await;
    socket.until(|value| *value == json!({"result": null, "id": 2})).await;
    exchange.signed(&bob, "POST", "/api/v3/order", TAKER).await.ok();
    exchange.tick();
    let listed = socket.ask(json!({"method": "LIST_SUBSCRIPTIONS", "id": 3})).await;
    assert_eq!(listed, json!({"result": [], "id": 3}), "nothing comes any more");
}

#[tokio::test]
async fn combined_streams_are_wrapped_with_their_names() {
    let exchange = Exchange::open().await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    let address = exchange.serve().await;
    let mut socket = Socket::connect(address, "/stream?streams=btcusdt@trade").await;
    // Whoever sees the connection open misses nothing from then on.
    exchange.signed(&alice, "POST", "/api/v3/order", ORDER).await.ok();
    exchange.signed(&bob, "POST", "/api/v3/order", TAKER).await.ok();
    let wrapped = socket.next().await;
    assert_eq!((&wrapped["stream"], &wrapped["data"]["e"]), (&json!("btcusdt@trade"), &json!("trade")));
}

#[tokio::test]
async fn bad_frames_are_answered_and_too_many_streams_refused() {
    let exchange = Exchange::open().await;
    let address = exchange.serve().await;
    let mut socket = Socket::connect(address, "/ws").await;
    for (text, code) in [("{", 3), ("[]", 2), (r#"{"method":"BUY","id":1}"#, 2)] {
        socket.send(text).await;
        assert_eq!(socket.next().await["error"]["code"], code, "{text}");
    }
    socket.send("x".repeat(70_000)).await;
    assert!(matches!(socket.closed_or_gone().await, None | Some(1009)));
}

#[tokio::test]
async fn a_client_that_floods_is_closed() {
    let exchange = Exchange::open().await;
    let address = exchange.serve().await;
    let mut socket = Socket::connect(address, "/ws").await;
    // Two windows' worth: however the clock falls, one of them overflows.
    for id in 0..601 {
        if socket.try_send(json!({"method": "LIST_SUBSCRIPTIONS", "id": id}).to_string()).await.is_err() {
            break;
        }
    }
    assert!(matches!(socket.closed_or_gone().await, None | Some(1008)));
}

#[tokio::test]
async fn clients_are_told_when_the_server_stops() {
    let exchange = Exchange::open().await;
    let address = exchange.serve().await;
    let mut raw = Socket::connect(address, "/ws").await;
    let mut combined = Socket::connect(address, "/stream").await;
    for socket in [&mut raw, &mut combined] {
        socket.ask(json!({"method": "LIST_SUBSCRIPTIONS", "id": 1})).await;
    }
    exchange.gateway.stop_streams();
    assert_eq!(raw.next().await["e"], "serverShutdown");
    let wrapped = combined.next().await;
    assert_eq!(
        (&wrapped["stream"], &wrapped["data"]["e"]),
        (&json!("!serverShutdown"), &json!("serverShutdown"))
    );
    assert_eq!((raw.closed().await, combined.closed().await), (1001, 1001));
}
