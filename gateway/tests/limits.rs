//! The limits as clients meet them: refused, told when to come back, banned; over REST, the WebSocket
//! API and market streams, and behind a proxy.

#![allow(clippy::unwrap_used, reason = "tests")]

mod exchange;

use exchange::{Exchange, Reply, Socket};
use gateway::RateLimits;
use serde_json::{Value, json};
use std::num::NonZeroU32;

const ORDER: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000";

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name).map(|value| value.to_str().unwrap())
}

fn number(reply: &Reply, name: &str) -> u64 {
    header(reply, name).unwrap_or_else(|| panic!("no {name}: {reply:?}")).parse().unwrap()
}

/// The limit of a row of `rateLimits`, by its kind and interval.
fn limit(rows: &Value, kind: &str, interval: &str) -> Value {
    let rows = rows.as_array().unwrap();
    let row = rows.iter().find(|row| row["rateLimitType"] == kind && row["interval"] == interval);
    row.unwrap_or_else(|| panic!("no {kind} by {interval}: {rows:?}"))["limit"].clone()
}

#[tokio::test]
async fn weight_is_shown_refused_and_then_banned() {
    let limits =
        RateLimits { request_weight_per_minute: 60, refusals_before_ban: 3, ..RateLimits::default() };
    let exchange = Exchange::open_with(limits).await;
    let info = exchange.public("/api/v3/exchangeInfo").await;
    assert_eq!(limit(&info.body["rateLimits"], "REQUEST_WEIGHT", "MINUTE"), 60);
    // A minute may turn meanwhile: the count then begins again, and the limit is met a little later.
    let mut used = number(&info, "x-mbx-used-weight-1m");
    assert_eq!(used, 20, "exchangeInfo weighs 20");
    let refused = loop {
        let reply = exchange.public("/api/v3/depth?symbol=BTCUSDT&limit=500").await;
        let now = number(&reply, "x-mbx-used-weight-1m");
        assert!(now == used + 25 || now == 25, "{used} and then {now}");
        assert_eq!(number(&reply, "x-mbx-used-weight"), now);
        used = now;
        if now > 60 {
            break reply;
        }
        assert_eq!(reply.status, 200);
    };
    let text = "Too much request weight used; current limit is 60 request weight per 1 MINUTE. Please use \
                WebSocket Streams for live updates to avoid polling the API.";
    assert_eq!(refused.error(), (429, -1003, text));
    assert!((1..=60).contains(&number(&refused, "retry-after")));
    assert_eq!(header(&refused, "content-type"), Some("application/json;charset=UTF-8"));

    let mut statuses = Vec::new();
    let banned = loop {
        let reply = exchange.public("/api/v3/depth?symbol=BTCUSDT&limit=5000").await;
        statuses.push(reply.status);
        if reply.status == 418 {
            break reply;
        }
    };
    assert!(statuses.len() >= 3 && statuses[..statuses.len() - 1].iter().all(|status| *status == 429));
    let (_, code, text) = banned.error();
    assert!(
        code == -1003 && text.starts_with("Way too much request weight used; IP banned until "),
        "{text}"
    );
    assert!((60..=120).contains(&number(&banned, "retry-after")));
    // Nothing else is answered either, not even what is not there.
    for path in ["/api/v3/ping", "/nowhere", "/ws"] {
        assert_eq!(exchange.public(path).await.status, 418, "{path}");
    }
}

#[tokio::test]
async fn raw_requests_are_counted_whatever_they_are() {
    let limits = RateLimits { raw_requests_per_5_minutes: 3, ..RateLimits::default() };
    let exchange = Exchange::open_with(limits).await;
    let mut statuses = Vec::new();
    while !statuses.contains(&429) {
        statuses.push(exchange.public("/nowhere").await.status);
    }
    assert!(statuses.len() >= 4 && statuses[0] == 404, "{statuses:?}");
}

#[tokio::test]
async fn orders_are_limited_by_account() {
    let limits = RateLimits { orders_per_10_seconds: 200_000, orders_per_day: 3, ..RateLimits::default() };
    let exchange = Exchange::open_with(limits).await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    for count in 1..=3 {
        let placed = exchange.signed(&alice, "POST", "/api/v3/order", ORDER).await;
        assert_eq!((placed.status, number(&placed, "x-mbx-order-count-1d")), (200, count));
        assert!(number(&placed, "x-mbx-order-count-10s") <= count);
    }
    let refused = exchange.signed(&alice, "POST", "/api/v3/order", ORDER).await;
    let text = "Too many new orders; current limit is 3 orders per 1 DAY.";
    assert_eq!(refused.error(), (429, -1015, text));
    assert!((1..=86_400).contains(&number(&refused, "retry-after")));
    assert_eq!(number(&refused, "x-mbx-order-count-1d"), 3, "a refused order is not counted");
    exchange.signed(&bob, "POST", "/api/v3/order", ORDER).await.ok();

    // What is no order goes on: queries, tests, cancels.
    exchange.signed(&alice, "POST", "/api/v3/order/test", ORDER).await.ok();
    let open = exchange.signed(&alice, "GET", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    let ids: Vec<u64> =
        open.as_array().unwrap().iter().map(|order| order["orderId"].as_u64().unwrap()).collect();
    let rows = exchange.signed(&alice, "GET", "/api/v3/rateLimit/order", "").await.ok();
    assert_eq!((limit(&rows, "ORDERS", "DAY"), &rows[1]["count"]), (json!(3), &json!(3)));

    // A replacement needs room for the new order, unless the cancel alone will do.
    let replace = |id: u64, mode: &str| {
        format!(
            "{ORDER}&cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId={id}&orderRateLimitExceededMode={mode}"
        )
    };
    let path = "/api/v3/order/cancelReplace";
    let neither = exchange.signed(&alice, "POST", path, &replace(ids[0], "DO_NOTHING")).await;
    assert_eq!(neither.error().1, -1015);
    let cancelled = exchange.signed(&alice, "POST", path, &replace(ids[0], "CANCEL_ONLY")).await;
    assert_eq!((cancelled.status, cancelled.error().1), (409, -2021));
    let data = &cancelled.body["data"];
    assert_eq!((&data["cancelResult"], &data["newOrderResult"]), (&json!("SUCCESS"), &json!("FAILURE")));
    assert_eq!(data["newOrderResponse"]["code"], -1015);
    exchange
        .signed(&alice, "DELETE", "/api/v3/order", &format!("symbol=BTCUSDT&orderId={}", ids[1]))
        .await
        .ok();
    let left = exchange.signed(&alice, "GET", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    assert_eq!(left.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn frames_are_refused_in_frames() {
    let limits =
        RateLimits { request_weight_per_minute: 100, refusals_before_ban: 2, ..RateLimits::default() };
    let exchange = Exchange::open_with(limits).await;
    let address = exchange.serve().await;
    let mut socket = Socket::connect(address, "/ws-api/v3").await;
    let mut answer;
    let ask = json!({"id": "d", "method": "depth", "params": {"symbol": "BTCUSDT", "limit": 1000}});
    let mut seen = Vec::new();
    loop {
        answer = socket.ask(ask.clone()).await;
        assert_eq!(answer["id"], "d");
        let status = answer["status"].as_u64().unwrap();
        seen.push(status);
        let count = answer["rateLimits"][0]["count"].as_u64().unwrap();
        assert_eq!(status == 200, count <= 100, "{answer}");
        if status == 418 {
            break;
        }
        if status == 429 {
            let error = &answer["error"];
            assert_eq!(error["code"], -1003);
            let (now, until) = (
                error["data"]["serverTime"].as_u64().unwrap(),
                error["data"]["retryAfter"].as_u64().unwrap(),
            );
            assert!(now < until && until <= now + 60_000 && until.is_multiple_of(60_000), "{answer}");
        }
    }
    assert!(seen.iter().filter(|status| **status == 429).count() >= 2, "{seen:?}");
    let data = &answer["error"]["data"];
    assert!(
        data["retryAfter"].as_u64().unwrap() > data["serverTime"].as_u64().unwrap() + 119_000,
        "{answer}"
    );
    // Methods of the session, and frames that cannot be read, are refused as well.
    for frame in [json!({"id": 1, "method": "session.status"}), json!({"id": 2, "method": "no.such"})] {
        assert_eq!(socket.ask(frame).await["status"], 418);
    }
}

#[tokio::test]
async fn orders_by_frames_count_with_those_by_rest() {
    let limits = RateLimits { orders_per_day: 2, ..RateLimits::default() };
    let exchange = Exchange::open_with(limits).await;
    let alice = exchange.hmac("alice").await;
    let address = exchange.serve().await;
    let mut socket = Socket::connect(address, "/ws-api/v3").await;
    let frame = |method: &str, mut params: Value| {
        params["apiKey"] = alice.api_key.clone().into();
        params["timestamp"] = exchange::now_millis().into();
        let mut pairs: Vec<_> = params
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            })
            .collect();
        pairs.sort();
        params["signature"] = alice.sign(&pairs.join("&")).into();
        json!({"id": 1, "method": method, "params": params})
    };
    let order = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
                       "price": "40000", "quantity": "0.001"});
    exchange.signed(&alice, "POST", "/api/v3/order", ORDER).await.ok();
    let placed = socket.ask(frame("order.place", order.clone())).await;
    assert_eq!(placed["status"], 200, "{placed}");
    let row = |kind: &str| {
        placed["rateLimits"].as_array().unwrap().iter().find(|row| row["interval"] == kind).cloned()
    };
    assert_eq!(row("DAY").unwrap()["count"], 2);
    assert_eq!(row("SECOND").unwrap()["limit"], 100);
    let refused = socket.ask(frame("order.place", order)).await;
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!(429), &json!(-1015)), "{refused}");
    assert!(refused["error"]["data"]["retryAfter"].as_u64().is_some());
    let limits = socket.ask(frame("account.rateLimits.orders", json!({}))).await;
    assert_eq!(limits["result"][1]["count"], 2, "{limits}");
}

#[tokio::test]
async fn connections_and_control_frames_are_limited() {
    let limits = RateLimits {
        connections_per_5_minutes: 2,
        stream_messages_per_second: NonZeroU32::MIN,
        stream_message_burst: NonZeroU32::new(4).unwrap(),
        ..RateLimits::default()
    };
    let exchange = Exchange::open_with(limits).await;
    let address = exchange.serve().await;
    for path in ["/ws", "/ws-api/v3"] {
        // Five minutes may turn meanwhile: at the latest the sixth is one too many.
        let mut opened = Vec::new();
        let status = loop {
            match Socket::try_connect(address, path).await {
                Ok(socket) => opened.push(socket),
                Err(status) => break status,
            }
        };
        assert!((2..=5).contains(&opened.len()) && status == 429, "{path}: {status} after {}", opened.len());
        if path == "/ws" {
            let mut socket = opened.pop().unwrap();
            for id in 0..100 {
                let frame = json!({"method": "LIST_SUBSCRIPTIONS", "id": id}).to_string();
                if socket.try_send(frame).await.is_err() {
                    break;
                }
            }
            assert!(matches!(socket.closed_or_gone().await, None | Some(1008)));
        }
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_counts_for_itself() {
    let limits = RateLimits {
        request_weight_per_minute: 30,
        // Where requests that no server took in seem to come from.
        trusted_proxies: "0.0.0.0".parse().unwrap(),
        ..RateLimits::default()
    };
    let exchange = Exchange::open_with(limits).await;
    let ask = async |client: &str| {
        let headers = [("x-forwarded-for", client)];
        exchange.raw("GET", "/api/v3/trades?symbol=BTCUSDT", &headers, String::new()).await
    };
    let first = ask("203.0.113.7").await;
    assert_eq!((first.status, number(&first, "x-mbx-used-weight-1m")), (200, 25));
    // The minute may turn between two; of three in a row one is refused.
    let refused = async |client: &str| {
        for _ in 0..3 {
            if ask(client).await.status == 429 {
                return;
            }
        }
        panic!("{client} is not refused");
    };
    refused("203.0.113.7").await;
    for other in ["203.0.113.8", "2001:db8::1", "203.0.113.7, 203.0.113.9"] {
        assert_eq!(ask(other).await.status, 200, "{other}");
    }
    // A client's own word counts for nothing.
    refused("1.1.1.1, 203.0.113.7").await;
}

#[tokio::test]
async fn browsers_may_ask_and_read_what_they_used() {
    let exchange = Exchange::open().await;
    let preflight = [
        ("origin", "https://trade.example"),
        ("access-control-request-method", "DELETE"),
        ("access-control-request-headers", "x-mbx-apikey,content-type"),
    ];
    let allowed = exchange.raw("OPTIONS", "/api/v3/order", &preflight, String::new()).await;
    assert_eq!(allowed.status, 200);
    assert_eq!(header(&allowed, "access-control-allow-origin"), Some("*"));
    for (name, wanted) in
        [("access-control-allow-methods", "DELETE"), ("access-control-allow-headers", "x-mbx-apikey")]
    {
        let value = header(&allowed, name).unwrap().to_ascii_lowercase();
        assert!(value == "*" || value.contains(&wanted.to_ascii_lowercase()), "{name}: {value}");
    }
    let origin = [("origin", "https://trade.example")];
    for (path, status) in [("/api/v3/time", 200), ("/api/v3/account", 401), ("/nowhere", 404)] {
        let reply = exchange.raw("GET", path, &origin, String::new()).await;
        assert_eq!((reply.status, header(&reply, "access-control-allow-origin")), (status, Some("*")));
        let exposed = header(&reply, "access-control-expose-headers").unwrap().to_ascii_lowercase();
        for name in ["x-mbx-used-weight-1m", "x-mbx-order-count-10s", "retry-after"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
}
