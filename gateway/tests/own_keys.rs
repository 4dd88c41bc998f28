//! An account's own keys over REST: made, used, changed, replaced, revoked, each request once; RSA keys;
//! and the order in which a request is checked.

#![allow(clippy::unwrap_used, reason = "tests")]

mod exchange;

use exchange::{Exchange, Key, Reply, Signer, now_millis};
use serde_json::{Value, json};

const KEYS: &str = "/api/account/keys";

/// A key from an account's own answer.
fn made(answer: &Value) -> Key {
    let api_key = answer["apiKey"].as_str().unwrap().to_owned();
    Key { api_key, signer: Signer::Hmac(answer["secretKey"].as_str().unwrap().to_owned()) }
}

async fn manager(exchange: &Exchange) -> Key {
    exchange.key("alice", json!({"key_type": "HMAC", "scopes": "READ,TRADE,KEYS"})).await
}

/// Sends a request as it is, signed before.
async fn sent(exchange: &Exchange, key: &Key, method: &str, path: &str, query: &str) -> Reply {
    let headers = [("x-mbx-apikey", key.api_key.as_str())];
    exchange.raw(method, &format!("{path}?{query}"), &headers, String::new()).await
}

#[tokio::test]
async fn an_account_manages_its_keys() {
    let exchange = Exchange::open().await;
    let manager = manager(&exchange).await;
    let wanted = "keyType=HMAC&scopes=READ&label=reports%20only";
    let reader = made(&exchange.signed(&manager, "POST", KEYS, wanted).await.ok());
    exchange.signed(&reader, "GET", "/api/v3/account", "").await.ok();
    let order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000";
    assert_eq!(exchange.signed(&reader, "POST", "/api/v3/order", order).await.error().1, -2015);
    for (method, parameters) in [("GET", ""), ("POST", wanted), ("DELETE", "targetKey=x")] {
        let refused = exchange.signed(&reader, method, KEYS, parameters).await;
        assert_eq!(refused.error().1, -2015, "{method} needs the scope KEYS");
    }

    let listed = exchange.signed(&manager, "GET", KEYS, "").await.ok();
    let row = |listed: &Value, key: &Key| {
        listed.as_array().unwrap().iter().find(|row| row["apiKey"] == key.api_key.as_str()).cloned()
    };
    let shown = row(&listed, &reader).unwrap();
    let expected = ("HMAC", "READ", "", "reports only", true);
    let seen = (
        shown["keyType"].as_str().unwrap(),
        shown["scopes"].as_str().unwrap(),
        shown["ipAllowList"].as_str().unwrap(),
        shown["label"].as_str().unwrap(),
        shown["enabled"].as_bool().unwrap(),
    );
    assert_eq!(seen, expected);
    assert!(shown["lastUsedTime"].as_u64().unwrap() >= shown["createTime"].as_u64().unwrap());
    assert!(!listed.to_string().contains("secret"), "{listed}");

    // Off, on, bound to an address that is not ours, free again.
    let target = format!("targetKey={}", reader.api_key);
    for (change, works) in [
        ("enabled=false", false),
        ("enabled=true", true),
        ("ipAllowList=192.0.2.1", false),
        ("ipAllowList=&label=free", true),
    ] {
        let changed = exchange.signed(&manager, "PUT", KEYS, &format!("{target}&{change}")).await.ok();
        assert_eq!(changed["apiKey"], reader.api_key.as_str());
        let answer = exchange.signed(&reader, "GET", "/api/v3/account", "").await;
        assert_eq!(answer.status == 200, works, "{change}: {answer:?}");
    }

    let rotate = format!("{target}&keyType=HMAC");
    let next = made(&exchange.signed(&manager, "POST", "/api/account/keys/rotate", &rotate).await.ok());
    assert_eq!(exchange.signed(&reader, "GET", "/api/v3/account", "").await.error().1, -2015);
    exchange.signed(&next, "GET", "/api/v3/account", "").await.ok();
    let target = format!("targetKey={}", next.api_key);
    let revoked = exchange.signed(&manager, "DELETE", KEYS, &target).await.ok();
    assert_eq!(revoked, json!({"apiKey": next.api_key, "revoked": true}));
    assert_eq!(exchange.signed(&next, "GET", "/api/v3/account", "").await.error().1, -2015);
    let again = exchange.signed(&manager, "PUT", KEYS, &format!("{target}&enabled=true")).await;
    assert_eq!((again.status, again.error().1), (400, -1130));
    let listed = exchange.signed(&manager, "GET", KEYS, "").await.ok();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test]
async fn a_change_is_carried_out_once_and_as_it_was_signed() {
    let exchange = Exchange::open().await;
    let manager = manager(&exchange).await;
    let create = manager.signed_query("keyType=HMAC&scopes=READ");
    let first = sent(&exchange, &manager, "POST", KEYS, &create).await.ok();
    let replayed = sent(&exchange, &manager, "POST", KEYS, &create).await;
    assert_eq!((replayed.status, replayed.error().1), (400, -1130), "{replayed:?}");
    // The other case of the same hexadecimal is the same request.
    let (payload, signature) = create.split_once("&signature=").unwrap();
    let upper = format!("{payload}&signature={}", signature.to_uppercase());
    assert_eq!(sent(&exchange, &manager, "POST", KEYS, &upper).await.error().1, -1130);
    assert_eq!(exchange.signed(&manager, "GET", KEYS, "").await.ok().as_array().unwrap().len(), 2);

    // What only reads may come twice in one millisecond.
    let read = manager.signed_query("");
    for _ in 0..2 {
        sent(&exchange, &manager, "GET", KEYS, &read).await.ok();
        sent(&exchange, &manager, "GET", "/api/v3/account", &read).await.ok();
    }
    // A request signed for one call is none of another.
    let target = first["apiKey"].as_str().unwrap();
    let disable = manager.signed_query(&format!("targetKey={target}&enabled=false"));
    for (method, path) in
        [("DELETE", KEYS), ("POST", KEYS), ("POST", "/api/account/keys/rotate"), ("GET", KEYS)]
    {
        let refused = sent(&exchange, &manager, method, path, &disable).await;
        assert_eq!(refused.error().1, -1104, "{method} {path}: {refused:?}");
    }
    sent(&exchange, &manager, "PUT", KEYS, &disable).await.ok();
    // More than it has itself, a key does not hand out.
    for (beyond, code) in [
        ("keyType=HMAC&scopes=READ,WITHDRAW", -1002),
        ("keyType=HMAC&scopes=ADMIN", -1130),
        ("keyType=DSA&scopes=READ", -1130),
        ("keyType=RSA&scopes=READ", -1130),
        ("scopes=READ", -1102),
        ("keyType=HMAC", -1102),
        ("keyType=HMAC&scopes=READ&ipAllowList=nowhere", -1130),
    ] {
        let refused = exchange.signed(&manager, "POST", KEYS, beyond).await;
        assert_eq!(refused.error().1, code, "{beyond}: {refused:?}");
    }
}

#[tokio::test]
async fn a_request_is_checked_in_the_dialects_order() {
    let exchange = Exchange::open().await;
    let (alice, bound) = (
        exchange.key("alice", json!({"key_type": "HMAC", "scopes": "READ"})).await,
        exchange.key("alice", json!({"key_type": "HMAC", "ip_allow_list": "192.0.2.1"})).await,
    );
    let (now, old) = (now_millis(), now_millis() - 10_000);
    let unknown = "x".repeat(64);
    let account = "/api/v3/account";
    // Each request has every fault from its own on; the first is the one that is told.
    for (path, key, query, code) in [
        (account, "short", String::new(), -2014),
        (account, "", String::new(), -2014),
        (account, &unknown, String::new(), -2015),
        (account, &bound.api_key, String::new(), -2015),
        ("/api/account/keys", &alice.api_key, String::new(), -2015),
        (account, &alice.api_key, String::new(), -1102),
        (account, &alice.api_key, format!("timestamp={old}"), -1102),
        (account, &alice.api_key, format!("timestamp={old}&signature=00"), -1021),
        (account, &alice.api_key, format!("timestamp={}&signature=00", now + 60_000), -1021),
        (account, &alice.api_key, format!("timestamp={now}&recvWindow=60001&signature=00"), -1131),
        (account, &alice.api_key, format!("timestamp={now}&recvWindow=5000.1234&signature=00"), -1100),
        (account, &alice.api_key, format!("timestamp={now}&recvWindow=5000.123&signature=00"), -1022),
        ("/api/v3/order", &alice.api_key, format!("timestamp={now}&symbol=NOPE&signature=00"), -1022),
    ] {
        let headers = [("x-mbx-apikey", key)];
        let reply = exchange.raw("GET", &format!("{path}?{query}"), &headers, String::new()).await;
        assert_eq!(reply.error().1, code, "{path}?{query}");
    }
    let nobody = exchange.raw("GET", account, &[], String::new()).await;
    assert_eq!(nobody.error().1, -2014);
    // Microseconds and a window of three decimals are taken.
    let payload = format!("recvWindow=4999.999&timestamp={}", now_millis() * 1_000);
    let query = format!("{payload}&signature={}", alice.sign(&payload));
    sent(&exchange, &alice, "GET", account, &query).await.ok();
}
