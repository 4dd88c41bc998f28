//! Bad input: malformed, oversized, unknown, unsigned, stale, out of range, too precise. Each gets the
//! dialect's code, text and HTTP status, and changes nothing.

mod exchange;

use exchange::{Exchange, Key};
use serde_json::json;

const LIMIT: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=40000&quantity=0.5";

/// What is expected: HTTP status, code, and what the text contains.
type Expected = (u16, i64, &'static str);

const REFUSED: Expected = (401, -2015, "Invalid API-key, IP, or permissions for action.");
const BAD_SIGNATURE: Expected = (400, -1022, "Signature for this request is not valid.");
const STALE: Expected = (400, -1021, "Timestamp for this request is outside of the recvWindow.");

/// A good limit order with one parameter set to another value, or left out where there is none.
fn order_with(name: &str, value: &str) -> String {
    let mut pairs: Vec<String> = LIMIT
        .split('&')
        .filter(|pair| pair.split_once('=').is_none_or(|(known, _)| known != name))
        .map(str::to_owned)
        .collect();
    if !value.is_empty() {
        pairs.push(format!("{name}={value}"));
    }
    pairs.join("&")
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_and_change_nothing() {
    const MANDATORY: &str = "Mandatory parameter";
    const ILLEGAL: &str = "Illegal characters found in parameter";
    let exchange = Exchange::open().await;
    let key = exchange.hmac("alice").await;
    let cases: &[(&str, &str, Expected)] = &[
        ("symbol", "", (400, -1102, MANDATORY)),
        ("symbol", "NOPE", (400, -1121, "Invalid symbol.")),
        ("symbol", "btcusdt", (400, -1100, ILLEGAL)),
        ("symbol", "BTC%2FUSDT", (400, -1100, ILLEGAL)),
        ("symbol", "A%00B", (400, -1100, ILLEGAL)),
        ("side", "", (400, -1102, MANDATORY)),
        ("side", "HOLD", (400, -1117, "Invalid side.")),
        ("type", "", (400, -1102, MANDATORY)),
        ("type", "GUESS", (400, -1116, "Invalid orderType.")),
        ("type", "STOP_LOSS_LIMIT", (400, -1102, "'stopPrice' or 'trailingDelta'")),
        ("type", "TAKE_PROFIT", (400, -1106, "Parameter 'timeInForce' sent when not required.")),
        ("type", "MARKET", (400, -1106, "Parameter 'timeInForce' sent when not required.")),
        ("type", "LIMIT_MAKER", (400, -1106, "Parameter 'timeInForce' sent when not required.")),
        ("timeInForce", "", (400, -1102, "'timeInForce'")),
        ("timeInForce", "GTX", (400, -1115, "Invalid timeInForce.")),
        ("price", "", (400, -1102, "'price'")),
        ("price", "0", (400, -1013, "Filter failure: PRICE_FILTER")),
        ("price", "-1", (400, -1100, ILLEGAL)),
        ("price", "1e5", (400, -1100, ILLEGAL)),
        ("price", "NaN", (400, -1100, ILLEGAL)),
        ("price", "Infinity", (400, -1100, ILLEGAL)),
        ("price", "0x10", (400, -1100, ILLEGAL)),
        ("price", "40%2C000", (400, -1100, ILLEGAL)),
        ("price", "%D9%A4%D9%A0", (400, -1100, ILLEGAL)),
        ("price", "40000.005", (400, -1013, "Filter failure: PRICE_FILTER")),
        ("price", "40000.123456789", (400, -1111, "Parameter 'price' has too much precision.")),
        ("price", "1000000.01", (400, -1013, "Filter failure: PRICE_FILTER")),
        ("price", "99999999999", (400, -1013, "Filter failure: PRICE_FILTER")),
        ("price", "99999999999999999999", (400, -1108, "Parameter 'price' overflowed.")),
        ("price", "999999999999999999999", (400, -1100, ILLEGAL)),
        ("price", "250001", (400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE")),
        ("quantity", "", (400, -1102, "'quantity'")),
        ("quantity", "0", (400, -1013, "Filter failure: LOT_SIZE")),
        ("quantity", "0.000001", (400, -1013, "Filter failure: LOT_SIZE")),
        ("quantity", "0.1234567891", (400, -1111, "Parameter 'quantity' has too much precision.")),
        ("quantity", "9000.00001", (400, -1013, "Filter failure: LOT_SIZE")),
        ("quantity", "0.00001", (400, -1013, "Filter failure: NOTIONAL")),
        ("quantity", "1000", (400, -1013, "Filter failure: NOTIONAL")),
        ("quantity", "200", (400, -2010, "Account has insufficient balance for requested action.")),
        ("quoteOrderQty", "100", (400, -1106, "Parameter 'quoteOrderQty' sent when not required.")),
        ("newClientOrderId", "a+b", (400, -1100, ILLEGAL)),
        ("newClientOrderId", "%C3%A9", (400, -1100, ILLEGAL)),
        ("newClientOrderId", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", (400, -1100, ILLEGAL)),
        ("newOrderRespType", "MOST", (400, -1130, "'newOrderRespType'")),
        ("selfTradePreventionMode", "MAYBE", (400, -1130, "'selfTradePreventionMode'")),
        ("strategyType", "999999", (400, -1130, "'strategyType'")),
        ("strategyId", "x", (400, -1100, ILLEGAL)),
        ("stopPrice", "39000", (400, -1106, "Parameter 'stopPrice' sent when not required.")),
        ("trailingDelta", "100", (400, -1106, "Parameter 'trailingDelta' sent when not required.")),
        ("icebergQty", "x", (400, -1100, ILLEGAL)),
        ("pegPriceType", "PRIMARY_PEG", (400, -1106, "Parameter 'price' sent when not required.")),
        ("pegPriceType", "SECONDARY_PEG", (400, -1130, "'pegPriceType'")),
        ("pegOffsetValue", "1", (400, -1106, "Parameter 'pegOffsetValue' sent when not required.")),
        ("recvWindow", "60001", (400, -1131, "recvWindow must be less than 60000")),
        ("recvWindow", "x", (400, -1100, ILLEGAL)),
        ("recvWindow", "1.2345", (400, -1100, ILLEGAL)),
    ];
    let before = exchange.state_hash();
    for (name, value, expected) in cases {
        let parameters = order_with(name, value);
        let reply = exchange.signed(&key, "POST", "/api/v3/order", &parameters).await;
        expect(reply.error(), *expected, &parameters);
        let test = exchange.signed(&key, "POST", "/api/v3/order/test", &parameters).await;
        expect(test.error(), *expected, &format!("test {parameters}"));
    }
    let account = exchange.signed(&key, "GET", "/api/v3/account", "omitZeroBalances=true").await.ok();
    assert!(account["balances"].as_array().unwrap().iter().all(|row| row["locked"] == "0.00000000"));
    let open = exchange.signed(&key, "GET", "/api/v3/openOrders", "").await.ok();
    assert_eq!(open, json!([]));
    // The core's refusals are commands too; what the gateway refuses never comes to the core.
    assert_ne!(exchange.state_hash(), before);
    let before = exchange.state_hash();
    let by_core = [-1013, -2010];
    for (name, value, _) in cases.iter().filter(|(_, _, expected)| !by_core.contains(&expected.1)) {
        exchange.signed(&key, "POST", "/api/v3/order", &order_with(name, value)).await;
        assert_eq!(exchange.state_hash(), before, "{name}={value}");
    }
}

#[tokio::test]
async fn other_calls_refuse_what_they_cannot_read() {
    let exchange = Exchange::open().await;
    let key = exchange.hmac("alice").await;
    let before = exchange.state_hash();
    let cases: &[(&str, &str, &str, Expected)] = &[
        ("GET", "/api/v3/order", "symbol=BTCUSDT", (400, -1102, "'origClientOrderId' or 'orderId'")),
        ("GET", "/api/v3/order", "symbol=BTCUSDT&orderId=1", (400, -2013, "Order does not exist.")),
        ("GET", "/api/v3/order", "symbol=BTCUSDT&orderId=-1", (400, -1100, "Illegal")),
        ("GET", "/api/v3/order", "symbol=BTCUSDT&orderId=99999999999999999999", (400, -1108, "overflowed")),
        (
            "GET",
            "/api/v3/order",
            "symbol=BTCUSDT&origClientOrderId=none",
            (400, -2013, "Order does not exist."),
        ),
        ("DELETE", "/api/v3/order", "symbol=BTCUSDT", (400, -1102, "'origClientOrderId' or 'orderId'")),
        (
            "DELETE",
            "/api/v3/order",
            "symbol=BTCUSDT&orderId=1&cancelRestrictions=ANY",
            (400, -1145, "Invalid cancelRestrictions"),
        ),
        ("DELETE", "/api/v3/openOrders", "", (400, -1102, "'symbol'")),
        ("POST", "/api/v3/order/cancelReplace", LIMIT, (400, -1102, "'cancelReplaceMode'")),
        ("PUT", "/api/v3/order/amend/keepPriority", "symbol=BTCUSDT&orderId=1", (400, -1102, "'newQty'")),
        ("GET", "/api/v3/allOrders", "", (400, -1102, "'symbol'")),
        ("GET", "/api/v3/allOrders", "symbol=BTCUSDT&startTime=0&endTime=86400001", (400, -1127, "24 hours")),
        ("GET", "/api/v3/allOrders", "symbol=BTCUSDT&startTime=2&endTime=1", (400, -1130, "'endTime'")),
        ("GET", "/api/v3/allOrders", "symbol=BTCUSDT&limit=0", (400, -1130, "'limit'")),
        ("GET", "/api/v3/myTrades", "symbol=BTCUSDT&fromId=1&startTime=1", (400, -1128, "Combination")),
        ("GET", "/api/v3/account", "omitZeroBalances=maybe", (400, -1130, "'omitZeroBalances'")),
        ("PUT", "/api/v3/order", LIMIT, (404, -1020, "This operation is not supported.")),
    ];
    for (method, path, parameters, expected) in cases {
        let reply = exchange.signed(&key, method, path, parameters).await;
        expect(reply.error(), *expected, &format!("{method} {path} {parameters}"));
    }
    let public: &[(&str, Expected)] = &[
        ("/api/v3/depth", (400, -1102, "'symbol'")),
        ("/api/v3/depth?symbol=NOPE", (400, -1121, "Invalid symbol.")),
        ("/api/v3/depth?symbol=BTCUSDT&limit=x", (400, -1100, "'limit'")),
        ("/api/v3/depth?symbol=BTCUSDT&symbol=BTCUSDT", (400, -1101, "Duplicate")),
        ("/api/v3/depth?symbol=%zz", (400, -1100, "Illegal")),
        ("/api/v3/depth?symbol=%ff", (400, -1100, "Illegal")),
        ("/api/v3/klines?symbol=BTCUSDT", (400, -1102, "'interval'")),
        ("/api/v3/klines?symbol=BTCUSDT&interval=7m", (400, -1120, "Invalid interval.")),
        ("/api/v3/klines?symbol=BTCUSDT&interval=1m&timeZone=15", (400, -1130, "'timeZone'")),
        ("/api/v3/ticker/24hr?symbol=BTCUSDT&type=TINY", (400, -1139, "Invalid ticker type.")),
        ("/api/v3/ticker/price?symbols=%5B1%5D", (400, -1100, "'symbols'")),
        ("/api/v3/ticker/price?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", (400, -1128, "Combination")),
        ("/api/v3/exchangeInfo?symbolStatus=ASLEEP", (400, -1122, "Invalid symbolStatus.")),
        ("/api/v3/nothing", (404, -1020, "not supported")),
        ("/", (404, -1020, "not supported")),
        ("/ws", (426, -1020, "WebSocket")),
        ("/ws-api/v3", (426, -1020, "WebSocket")),
    ];
    for (path, expected) in public {
        let reply = exchange.public(path).await;
        expect(reply.error(), *expected, path);
    }
    let headers: &[(&str, &str, Expected)] = &[
        ("x-mbx-time-unit", "HOUR", (400, -1194, "MICROSECOND or MILLISECOND")),
        ("accept", "application/sbe", (406, -1020, "application/json")),
    ];
    for (name, value, expected) in headers {
        let reply = exchange.raw("GET", "/api/v3/ping", &[(name, value)], String::new()).await;
        expect(reply.error(), *expected, value);
    }
    let reply = exchange.raw("PATCH", "/api/v3/order", &[], String::new()).await;
    expect(reply.error(), (405, -1020, "not supported"), "PATCH");
    assert_eq!(exchange.state_hash(), before);
}

#[tokio::test]
async fn whoever_cannot_prove_who_they_are_is_turned_away() {
    let exchange = Exchange::open().await;
    let key = exchange.hmac("alice").await;
    let ed25519 = exchange.key("alice", json!({"key_type": "ED25519"})).await;
    let reader = exchange.key("alice", json!({"key_type": "HMAC", "scopes": "READ"})).await;
    let trader = exchange.key("alice", json!({"key_type": "HMAC", "scopes": "TRADE"})).await;
    let elsewhere =
        exchange.key("alice", json!({"key_type": "HMAC", "ip_allow_list": "203.0.113.0/24"})).await;
    let disabled = exchange.hmac("alice").await;
    exchange.admin("DELETE", &format!("/admin/keys/{}", disabled.api_key), json!(null)).await.ok();
    let unknown = "k".repeat(64);
    let before = exchange.state_hash();

    let good = key.signed_query(LIMIT);
    let time = exchange::now_millis();
    let sign = |key: &Key, payload: &str| format!("{payload}&signature={}", key.sign(payload));
    let timed = |offset: i64, window: &str| {
        sign(&key, &format!("{LIMIT}{window}&timestamp={}", time.saturating_add_signed(offset)))
    };
    let tampered = good.replace("quantity=0.5", "quantity=0.6");
    let unsigned = good.rsplit_once('&').unwrap().0.to_owned();
    let untimed = sign(&key, LIMIT);
    let short = format!("{LIMIT}&timestamp={time}&signature=abcd");
    let not_hex = format!("{LIMIT}&timestamp={time}&signature={}", "z".repeat(64));
    let as_other_kind = sign(&key, &format!("{LIMIT}&timestamp={time}"));
    let word = sign(&key, &format!("{LIMIT}&timestamp=now"));
    let zero = sign(&key, &format!("{LIMIT}&timestamp=0"));
    let cases: Vec<(&str, Option<&str>, String, Expected)> = vec![
        ("no key", None, good.clone(), (401, -2014, "API-key format invalid.")),
        ("not a key", Some("short"), good.clone(), (401, -2014, "API-key format invalid.")),
        ("unknown key", Some(&unknown), good.clone(), REFUSED),
        ("disabled key", Some(&disabled.api_key), disabled.signed_query(LIMIT), REFUSED),
        ("read only", Some(&reader.api_key), reader.signed_query(LIMIT), REFUSED),
        ("other address", Some(&elsewhere.api_key), elsewhere.signed_query(LIMIT), REFUSED),
        ("no signature", Some(&key.api_key), unsigned, (400, -1102, "'signature'")),
        ("no timestamp", Some(&key.api_key), untimed, (400, -1102, "'timestamp'")),
        ("a word for a time", Some(&key.api_key), word, (400, -1100, "'timestamp'")),
        ("time zero", Some(&key.api_key), zero, STALE),
        ("stale", Some(&key.api_key), timed(-6_000, ""), STALE),
        ("stale by its own window", Some(&key.api_key), timed(-600, "&recvWindow=500"), STALE),
        (
            "from the future",
            Some(&key.api_key),
            timed(60_000, ""),
            (400, -1021, "1000ms ahead of the server's time."),
        ),
        ("tampered", Some(&key.api_key), tampered, BAD_SIGNATURE),
        ("cut signature", Some(&key.api_key), short, BAD_SIGNATURE),
        ("no hexadecimal", Some(&key.api_key), not_hex, BAD_SIGNATURE),
        ("another key's", Some(&trader.api_key), good.clone(), BAD_SIGNATURE),
        ("another kind's", Some(&ed25519.api_key), as_other_kind, BAD_SIGNATURE),
    ];
    for (name, api_key, parameters, expected) in &cases {
        let headers: Vec<_> = api_key.iter().map(|key| ("x-mbx-apikey", *key)).collect();
        let reply = exchange.raw("POST", "/api/v3/order", &headers, parameters.clone()).await;
        expect(reply.error(), *expected, name);
    }
    let reply = exchange.signed(&trader, "GET", "/api/v3/account", "").await;
    expect(reply.error(), REFUSED, "a key that may trade and not read");
    assert_eq!(exchange.state_hash(), before);

    // The same request, untouched, is taken, wherever its parts stand.
    let (query, body) = good.split_at(good.find("&type").unwrap());
    let headers = [("x-mbx-apikey", key.api_key.as_str())];
    let whole = exchange.raw("POST", &format!("/api/v3/order/test?{good}"), &headers, String::new()).await;
    assert_eq!(whole.ok(), json!({}));
    let split = exchange.raw("POST", &format!("/api/v3/order/test?{query}"), &headers, body.to_owned()).await;
    assert_eq!(split.ok(), json!({}), "query and body are signed without a separator");
}

#[tokio::test]
async fn oversized_requests_are_refused() {
    let exchange = Exchange::open().await;
    let key = exchange.hmac("alice").await;
    let before = exchange.state_hash();
    let headers = [("x-mbx-apikey", key.api_key.as_str())];
    let body = format!("{LIMIT}&padding={}", "x".repeat(64 * 1024));
    let reply = exchange.raw("POST", "/api/v3/order", &headers, body).await;
    expect(reply.error(), (413, -1130, "65536 bytes"), "body");
    let many = (0..65).map(|index| format!("p{index}=1")).collect::<Vec<_>>().join("&");
    let reply = exchange.raw("POST", "/api/v3/order", &headers, many).await;
    expect(reply.error(), (400, -1101, "Too many parameters"), "parameters");
    assert_eq!(exchange.state_hash(), before);
}

#[track_caller]
fn expect((status, code, text): (u16, i64, &str), expected: Expected, what: &str) {
    let told = text.contains(expected.2);
    assert!(
        (status, code) == (expected.0, expected.1) && told,
        "{what}: answered {status} {code} {text:?}, expected {expected:?}"
    );
}
