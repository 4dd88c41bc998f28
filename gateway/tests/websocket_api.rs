//! The WebSocket API over a real socket: signing, sessions, orders, and accounts' own streams.

mod exchange;

use exchange::{Exchange, Key, Socket, now_millis};
use serde_json::{Value, json};

/// A frame with `parameters` signed as clients do: sorted, joined, not percent-encoded.
fn signed(key: &Key, id: &Value, method: &str, mut parameters: Value) -> Value {
    parameters["apiKey"] = key.api_key.clone().into();
    parameters["timestamp"] = now_millis().into();
    let mut pairs: Vec<String> = parameters
        .as_object()
        .expect("parameters are an object")
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        })
        .collect();
    pairs.sort();
    parameters["signature"] = key.sign(&pairs.join("&")).into();
    json!({"id": id, "method": method, "params": parameters})
}

fn limit(side: &str, price: &str, quantity: &str) -> Value {
    json!({
        "symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC", "price": price,
        "quantity": quantity,
    })
}

#[tokio::test]
async fn the_answer_to_a_subscription_comes_first_and_events_follow() {
    let exchange = Exchange::open().await;
    let address = exchange.serve().await;
    for wanted in [json!({"key_type": "HMAC"}), json!({"key_type": "ED25519"})] {
        let key = exchange.key("alice", wanted).await;
        let mut socket = Socket::connect(address, "/ws-api/v3").await;
        let frame = signed(&key, &json!("s"), "userDataStream.subscribe.signature", json!({}));
        let subscribed = socket.ask(frame.clone()).await;
        assert_eq!((&subscribed["id"], &subscribed["status"]), (&json!("s"), &json!(200)), "{subscribed}");
        assert_eq!(subscribed["result"], json!({"subscriptionId": 0}));
        assert_eq!(subscribed["rateLimits"][0]["rateLimitType"], "REQUEST_WEIGHT");
        assert_eq!(socket.ask(frame).await["error"]["code"], -2035);

        let order = signed(&key, &json!(7), "order.place", limit("BUY", "40000.00", "0.5"));
        socket.send(order.to_string()).await;
        let (mut placed, mut report, mut position) = (None, None, None);
        while placed.is_none() || report.is_none() || position.is_none() {
            let value = socket.next().await;
            match value["event"]["e"].as_str() {
                Some("executionReport") => report = Some(value),
                Some("outboundAccountPosition") => position = Some(value),
                _ => placed = Some(value),
            }
        }
        let (placed, report, position) = (placed.unwrap(), report.unwrap(), position.unwrap());
        assert_eq!((&placed["id"], &placed["result"]["status"]), (&json!(7), &json!("NEW")), "{placed}");
        assert_eq!((&report["subscriptionId"], &report["event"]["x"]), (&json!(0), &json!("NEW")));
        assert_eq!(report["event"]["i"], placed["result"]["orderId"]);
        for name in "e E s c S o f q p P F g C x X r i l z L T t I w m M O Z Y Q n N V".split(' ') {
            assert!(report["event"].get(name).is_some(), "{name} in {report}");
        }
        let balances = position["event"]["B"].as_array().unwrap();
        assert!(balances.iter().any(|balance| balance["a"] == "USDT" && balance["l"] == "20000.00000000"));

        let all = signed(&key, &json!("c"), "openOrders.cancelAll", json!({"symbol": "BTCUSDT"}));
        socket.send(all.to_string()).await;
        let cancelled = socket.until(|value| value["event"]["x"] == "CANCELED").await;
        assert_eq!(cancelled["event"]["C"], placed["result"]["clientOrderId"]);

        let unsubscribe =
            json!({"id": null, "method": "userDataStream.unsubscribe", "params": {"subscriptionId": "0"}});
        socket.send(unsubscribe.to_string()).await;
        let answer = socket.until(|value| value["event"].is_null() && value["id"].is_null()).await;
        assert_eq!((&answer["status"], &answer["result"]), (&json!(200), &json!({})));
        let ended = socket.next().await;
        assert_eq!(
            (&ended["subscriptionId"], &ended["event"]["e"]),
            (&json!(0), &json!("eventStreamTerminated"))
        );
        let none = socket.ask(json!({"id": 1, "method": "userDataStream.unsubscribe"})).await;
        assert_eq!(none["error"]["code"], -2036);
    }
}

#[tokio::test]
async fn a_session_trades_without_signing_again() {
    let exchange = Exchange::open().await;
    let address = exchange.serve().await;
    let key = exchange.key("alice", json!({"key_type": "ED25519"})).await;
    let mut socket = Socket::connect(address, "/ws-api/v3?returnRateLimits=false&timeUnit=MICROSECOND").await;
    let order = json!({"id": 1, "method": "v3/order.place", "params": limit("BUY", "40000", "0.5")});
    assert_eq!(socket.ask(order.clone()).await["error"]["code"], -1102, "nobody has logged on");
    assert_eq!(
        socket.ask(json!({"id": 1, "method": "userDataStream.subscribe"})).await["error"]["code"],
        -1002
    );

    let logged_on = socket.ask(signed(&key, &json!(2), "session.logon", json!({}))).await;
    assert_eq!(logged_on["result"]["apiKey"], key.api_key, "{logged_on}");
    assert!(logged_on.get("rateLimits").is_none());
    assert!(logged_on["result"]["serverTime"].as_u64().unwrap() > 100_000_000_000_000);
    let placed = socket.ask(order).await;
    assert_eq!(placed["result"]["status"], "NEW", "{placed}");
    let subscribed = socket.ask(json!({"id": 3, "method": "userDataStream.subscribe"})).await;
    assert_eq!(subscribed["result"]["subscriptionId"], 0);
    let status = socket.ask(json!({"id": 4, "method": "session.status", "params": {}})).await;
    assert_eq!(status["result"]["userDataStream"], true);

    let by_id = json!({"symbol": "BTCUSDT", "orderId": placed["result"]["orderId"]});
    let shown = socket.ask(json!({"id": 5, "method": "order.status", "params": by_id})).await;
    assert_eq!(shown["result"]["price"], "40000.00000000");
    let account =
        socket.ask(json!({"id": 6, "method": "account.status", "params": {"omitZeroBalances": true}})).await;
    assert_eq!(account["result"]["balances"].as_array().unwrap().len(), 2);
    let stale = json!({"symbol": "BTCUSDT", "timestamp": 1_700_000_000_000_u64});
    let stale = socket.ask(json!({"id": 7, "method": "openOrders.status", "params": stale})).await;
    assert_eq!(stale["error"]["code"], -1021);

    let out = socket.ask(json!({"id": 8, "method": "session.logout"})).await;
    assert_eq!((&out["result"]["apiKey"], &out["result"]["userDataStream"]), (&json!(null), &json!(false)));
    assert_eq!(socket.next().await["event"]["e"], "eventStreamTerminated");
    let open = socket.ask(json!({"id": 9, "method": "openOrders.status"})).await;
    assert_eq!(open["error"]["code"], -1102);
}

#[tokio::test]
async fn public_calls_are_those_of_rest() {
    let exchange = Exchange::open().await;
    let address = exchange.serve().await;
    let mut socket = Socket::connect(address, "/ws-api/v3").await;
    for (method, parameters, path) in [
        ("ping", json!({}), "/api/v3/ping"),
        ("depth", json!({"symbol": "BTCUSDT", "limit": 5}), "/api/v3/depth?symbol=BTCUSDT&limit=5"),
        (
            "klines",
            json!({"symbol": "BTCUSDT", "interval": "1h"}),
            "/api/v3/klines?symbol=BTCUSDT&interval=1h",
        ),
        ("trades.recent", json!({"symbol": "BTCUSDT"}), "/api/v3/trades?symbol=BTCUSDT"),
        (
            "ticker.book",
            json!({"symbols": ["BTCUSDT"]}),
            "/api/v3/ticker/bookTicker?symbols=%5B%22BTCUSDT%22%5D",
        ),
        ("ticker.price", json!({}), "/api/v3/ticker/price"),
        ("avgPrice", json!({"symbol": "BTCUSDT"}), "/api/v3/avgPrice?symbol=BTCUSDT"),
        ("executionRules", json!({"symbol": "BTCUSDT"}), "/api/v3/executionRules?symbol=BTCUSDT"),
        (
            "referencePrice.calculation",
            json!({"symbol": "BTCUSDT"}),
            "/api/v3/referencePrice/calculation?symbol=BTCUSDT",
        ),
    ] {
        let answer = socket.ask(json!({"id": method, "method": method, "params": parameters})).await;
        assert_eq!(answer["result"], exchange.public(path).await.ok(), "{method}");
    }
    // These tell the time.
    for (method, parameters, key) in [
        ("ticker", json!({"symbol": "BTCUSDT", "windowSize": "4h"}), "weightedAvgPrice"),
        ("ticker.tradingDay", json!({"symbol": "BTCUSDT"}), "weightedAvgPrice"),
        ("referencePrice", json!({"symbol": "BTCUSDT"}), "referencePrice"),
    ] {
        let answer = socket.ask(json!({"id": 1, "method": method, "params": parameters})).await;
        assert!(answer["result"][key].is_string(), "{method}: {answer}");
    }
    let gone =
        socket.ask(json!({"id": 1, "method": "userDataStream.start", "params": {"apiKey": "x"}})).await;
    assert_eq!(gone["status"], 410, "{gone}");
}

#[tokio::test]
async fn bad_frames_are_refused_and_change_nothing() {
    let exchange = Exchange::open().await;
    let address = exchange.serve().await;
    let key = exchange.hmac("alice").await;
    let mut socket = Socket::connect(address, "/ws-api/v3").await;
    let before = exchange.state_hash();
    let mut tampered = signed(&key, &json!(1), "order.place", limit("BUY", "40000", "0.5"));
    tampered["params"]["quantity"] = "0.6".into();
    let mut unsigned = signed(&key, &json!(1), "order.place", limit("BUY", "40000", "0.5"));
    unsigned["params"].as_object_mut().unwrap().remove("signature");
    for (frame, code) in [
        ("{".to_owned(), -1135),
        ("[]".to_owned(), -1135),
        (r#"{"id":1}"#.to_owned(), -1102),
        (r#"{"id":1.5,"method":"ping"}"#.to_owned(), -1100),
        (r#"{"id":1,"method":"order.sell"}"#.to_owned(), -1020),
        (r#"{"id":1,"method":"depth","params":[]}"#.to_owned(), -1130),
        (r#"{"id":1,"method":"depth","params":{"symbol":"A","symbol":"B"}}"#.to_owned(), -1101),
        (tampered.to_string(), -1022),
        (unsigned.to_string(), -1102),
        (signed(&key, &json!(1), "order.place", limit("BUY", "40000", "0.123456789")).to_string(), -1111),
        (signed(&key, &json!(1), "order.place", limit("BUY", "40000", "0")).to_string(), -1013),
    ] {
        socket.send(frame.clone()).await;
        let answer = socket.next().await;
        assert_eq!(answer["error"]["code"], code, "{frame}: {answer}");
        assert!(answer["status"].as_u64().unwrap() >= 400, "{frame}");
    }
    assert_eq!(exchange.state_hash(), before);
    exchange.gateway.stop_streams();
    assert_eq!(socket.next().await["event"]["e"], "serverShutdown");
    assert_eq!(socket.closed().await, 1001);
}

#[tokio::test]
async fn a_number_is_signed_as_it_was_written() {
    let exchange = Exchange::open().await;
    let address = exchange.serve().await;
    let key = exchange.hmac("alice").await;
    let mut socket = Socket::connect(address, "/ws-api/v3").await;
    let time = now_millis();
    let payload = format!(
        "apiKey={}&price=40000.10000&quantity=0.50&side=BUY&symbol=BTCUSDT&timeInForce=GTC&timestamp={time}&type=LIMIT",
        key.api_key
    );
    let frame = format!(
        r#"{{"id":1,"method":"order.test","params":{{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","price":40000.10000,"quantity":0.50,"apiKey":"{}","timestamp":{time},"signature":"{}"}}}}"#,
        key.api_key,
        key.sign(&payload)
    );
    socket.send(frame).await;
    assert_eq!(socket.next().await["result"], json!({}));
}
