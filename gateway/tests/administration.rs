//! Administration: who may, what it changes, what it refuses, and what becomes of a promise that was
//! not kept before a stop.

mod exchange;

use exchange::Exchange;
use protocol::{
    Reject, SourceId, SourceNumber,
    command::{Command, CreateAsset},
    instrument::Name,
    reject::Outcome,
};
use serde_json::{Value, json};

const BUY: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=40000&quantity=0.5";

#[tokio::test]
async fn only_the_token_opens_administration() {
    let exchange = Exchange::open().await;
    for header in [None, Some("Bearer nonsense"), Some("Bearer "), Some("Basic YTpi"), Some(exchange::TOKEN)]
    {
        let reply = exchange.admin_with(header, "/admin/accounts").await;
        assert_eq!(reply.status, 401, "{header:?}");
        assert!(reply.body["error"].as_str().unwrap().contains("admin-token"), "{header:?}");
    }
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/elsewhere", 404)] {
        assert_eq!(exchange.admin_with(None, path).await.status, status, "{path}");
    }
    let ready = exchange.admin_with(None, "/readyz").await.body;
    assert_eq!((&ready["status"], &ready["recovering"]), (&json!("OPEN"), &json!(false)));
    assert_eq!(ready["sequence"], ready["durable_sequence"]);
    let metrics = exchange.admin_with(None, "/metrics").await.body;
    assert!(metrics.as_str().unwrap().contains("\nrialto_engine_open 1\n"), "{metrics}");
}

#[tokio::test]
async fn what_is_made_is_shown() {
    let exchange = Exchange::open().await;
    let assets = exchange.admin("GET", "/admin/assets", Value::Null).await.ok();
    assert_eq!((&assets[1]["name"], &assets[1]["scale"]), (&json!("USDT"), &json!(8)));
    let instrument = exchange.admin("GET", "/admin/instruments/BTCUSDT", Value::Null).await.ok();
    assert_eq!(instrument["filters"]["min_notional"], "5.00000000");
    let accounts = exchange.admin("GET", "/admin/accounts", Value::Null).await.ok();
    assert_eq!(accounts.as_array().unwrap().len(), 2);
    let alice = exchange.admin("GET", "/admin/accounts/alice", Value::Null).await.ok();
    assert_eq!((&alice["suspended"], &alice["open_orders"]), (&json!(false), &json!(0)));
    assert_eq!(alice["balances"].as_array().unwrap().len(), 2);
    let key = exchange.key("alice", json!({"key_type": "HMAC", "label": "desk", "scopes": "READ"})).await;
    let keys = exchange.admin("GET", "/admin/accounts/alice/keys", Value::Null).await.ok();
    assert_eq!((&keys[0]["api_key"], &keys[0]["scopes"]), (&json!(key.api_key), &json!("READ")));
    assert!(!keys.to_string().contains("secret"));

    let snapshot = exchange.admin("POST", "/admin/snapshots", Value::Null).await.ok();
    assert_eq!(format!("StateHash({})", snapshot["state_hash"].as_str().unwrap()), exchange.state_hash());

    let audit = exchange.admin("GET", "/admin/audit?limit=1000", Value::Null).await.ok();
    let actions: Vec<_> =
        audit.as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    for action in [
        "asset.create",
        "instrument.create",
        "account.create",
        "account.credit",
        "key.create",
        "snapshot.take",
    ] {
        assert!(actions.contains(&action), "{action} in {actions:?}");
    }
    let log = exchange.administration.accounts().audit_log();
    assert_eq!(log.verify(None).await.unwrap().id, audit.as_array().unwrap().len() as u64);
}

#[tokio::test]
async fn bad_requests_are_refused_in_plain_words_and_change_nothing() {
    let exchange = Exchange::open().await;
    let before = exchange.state_hash();
    for (method, path, body, status, words) in [
        ("POST", "/admin/assets", json!({"name": "btc", "scale": 8}), 400, "capital letters"),
        ("POST", "/admin/assets", json!({"name": "ETH", "scale": 9}), 400, "scale must be"),
        ("POST", "/admin/assets", json!({"name": "ETH"}), 400, "missing field `scale`"),
        (
            "POST",
            "/admin/assets",
            json!({"name": "ETH", "scale": 8, "colour": 1}),
            400,
            "unknown field `colour`",
        ),
        (
            "POST",
            "/admin/instruments",
            json!({"symbol": "X", "base": "BTC", "quote": "EUR", "price_scale": 2, "quantity_scale": 2}),
            404,
            "no asset named",
        ),
        (
            "POST",
            "/admin/instruments",
            json!({"symbol": "X", "base": "BTC", "quote": "USDT", "price_scale": 5, "quantity_scale": 5}),
            400,
            "must not exceed the quote asset's scale",
        ),
        ("PATCH", "/admin/instruments/BTCUSDT", json!({}), 400, "name something to change"),
        ("PATCH", "/admin/instruments/NOPE", json!({"status": "HALT"}), 404, "no instrument"),
        ("PATCH", "/admin/instruments/BTCUSDT", json!({"status": "ASLEEP"}), 400, "PRE_OPEN, TRADING"),
        (
            "PATCH",
            "/admin/instruments/BTCUSDT",
            json!({"filters": {"tick_size": "0.001"}}),
            400,
            "too much precision",
        ),
        (
            "PATCH",
            "/admin/instruments/BTCUSDT",
            json!({"fees": {"maker": "0", "taker": "-0.1"}}),
            400,
            "a taker fee",
        ),
        ("POST", "/admin/accounts", json!({"name": "a b"}), 400, "account name"),
        ("POST", "/admin/accounts", json!({"name": "alice"}), 409, "exists already"),
        ("POST", "/admin/accounts", json!({"name": "carol", "fee_tier": 16}), 400, "0 to 15"),
        (
            "POST",
            "/admin/accounts/nobody/credit",
            json!({"asset": "BTC", "amount": "1"}),
            404,
            "no account named",
        ),
        (
            "POST",
            "/admin/accounts/alice/credit",
            json!({"asset": "BTC", "amount": "-1"}),
            400,
            "must not be negative",
        ),
        (
            "POST",
            "/admin/accounts/alice/credit",
            json!({"asset": "BTC", "amount": 1}),
            400,
            "expected a string",
        ),
        ("POST", "/admin/accounts/alice/credit", json!({"asset": "BTC", "amount": "0"}), 400, "more than 0"),
        (
            "POST",
            "/admin/accounts/alice/credit",
            json!({"asset": "EUR", "amount": "1"}),
            404,
            "no asset named",
        ),
        ("POST", "/admin/accounts/alice/suspend", json!({"resting_orders": "SELL"}), 400, "KEEP or CANCEL"),
        ("POST", "/admin/accounts/alice/keys", json!({"key_type": "RSA"}), 400, "made by their owners"),
        ("POST", "/admin/accounts/alice/keys", json!({"key_type": "DSA"}), 400, "HMAC, ED25519 or RSA"),
        ("POST", "/admin/accounts/alice/keys", json!({"key_type": "HMAC", "scopes": "FLY"}), 400, "no scope"),
        (
            "POST",
            "/admin/accounts/alice/keys",
            json!({"key_type": "HMAC", "ip_allow_list": "here"}),
            400,
            "no address",
        ),
        ("DELETE", "/admin/keys/short", Value::Null, 400, "64 letters"),
        ("DELETE", &format!("/admin/keys/{}", "k".repeat(64)), Value::Null, 404, "no API key"),
        ("PATCH", &format!("/admin/keys/{}", "k".repeat(64)), json!({"enabled": true}), 404, "no API key"),
        ("PUT", "/admin/fee-tiers/16", json!({"maker": "0", "taker": "0"}), 400, "0 to 15"),
        ("PUT", "/admin/accounts", Value::Null, 405, "not for that method"),
        ("GET", "/admin/audit?after=x", Value::Null, 400, "whole number"),
    ] {
        let reply = exchange.admin(method, path, body.clone()).await;
        assert_eq!(reply.status, status, "{method} {path} {body}: {}", reply.body);
        assert!(
            reply.body["error"].as_str().unwrap().contains(words),
            "{method} {path} {body}: {}",
            reply.body
        );
    }
    assert_eq!(exchange.state_hash(), before);

    let debit = json!({"asset": "BTC", "amount": "100.00000001"});
    let reply = exchange.admin("POST", "/admin/accounts/alice/debit", debit).await;
    assert_eq!((reply.status, &reply.body["reject"]), (409, &json!("InsufficientBalance")));
}

#[tokio::test]
async fn an_operators_changes_are_felt_by_traders() {
    let exchange = Exchange::open().await;
    let key = exchange.hmac("alice").await;
    let place = || exchange.signed(&key, "POST", "/api/v3/order", BUY);
    let halt = exchange.admin("PATCH", "/admin/instruments/BTCUSDT", json!({"status": "HALT"})).await.ok();
    assert_eq!(halt["status"], "HALT");
    assert_eq!(place().await.error(), (400, -1013, "Market is closed."));
    assert_eq!(exchange.public("/api/v3/exchangeInfo").await.ok()["symbols"][0]["status"], "HALT");
    exchange.admin("PATCH", "/admin/instruments/BTCUSDT", json!({"status": "TRADING"})).await.ok();

    let limits = json!({"asset": "USDT", "max_order_notional": "10000"});
    exchange.admin("PUT", "/admin/accounts/alice/limits", limits).await.ok();
    assert_eq!(place().await.error().1, -2010);
    exchange.admin("PUT", "/admin/accounts/alice/limits", json!({"asset": "USDT"})).await.ok();
    place().await.ok();

    exchange.admin("POST", "/admin/accounts/alice/suspend", json!({"resting_orders": "CANCEL"})).await.ok();
    assert_eq!(place().await.error(), (400, -2010, "This account may not place or cancel orders."));
    let account = exchange.signed(&key, "GET", "/api/v3/account", "").await.ok();
    assert_eq!(account["canTrade"], false);
    exchange.admin("POST", "/admin/accounts/alice/resume", Value::Null).await.ok();
    let open = exchange.signed(&key, "GET", "/api/v3/openOrders", "").await.ok();
    assert_eq!(open, json!([]), "its orders were cancelled");

    exchange.admin("PUT", "/admin/fee-tiers/3", json!({"maker": "-0.0001", "taker": "0.0005"})).await.ok();
    exchange.admin("PUT", "/admin/accounts/alice/fee-tier", json!({"tier": 3})).await.ok();
    let rates = exchange.signed(&key, "GET", "/api/v3/account/commission", "symbol=BTCUSDT").await.ok();
    assert_eq!(rates["standardCommission"]["maker"], "-0.00010000");
    let debited = exchange
        .admin("POST", "/admin/accounts/alice/debit", json!({"asset": "BTC", "amount": "99.5"}))
        .await;
    assert_eq!(debited.ok()["available"], "0.50000000");
}

#[tokio::test]
async fn a_promise_is_kept_after_a_stop_and_only_once() {
    let exchange = Exchange::open().await;
    let alice = exchange.hmac("alice").await;
    exchange.signed(&alice, "POST", "/api/v3/order", BUY).await.ok();
    let asset = |name: &str| {
        let name = Name::parse(name).unwrap();
        Command::CreateAsset(CreateAsset { name, scale: 8, reserved: [0; 7], max_supply: 1_000 })
    };
    let outbox = exchange.administration.accounts().outbox().clone();
    let promise = |name: &str| {
        let command = asset(name);
        outbox.append(move |number| command.encode(SourceId(2), number, number.0))
    };
    // One was taken, and the stop came before its answer was written; the other was never sent.
    let taken = promise("TAKEN").await.unwrap();
    exchange.submit_as_administration(&asset("TAKEN"), taken.number.0).await;
    promise("UNSENT").await.unwrap();

    let exchange = exchange.restart().await;
    let names = |exchange: &Exchange| -> Vec<String> {
        let directory = exchange.views.directory();
        directory.assets().iter().map(|asset| asset.name.to_string()).collect()
    };
    assert_eq!(names(&exchange), ["BTC", "USDT", "TAKEN"]);
    assert_eq!(exchange.administration.reconcile().await.unwrap(), 2);
    assert_eq!(names(&exchange), ["BTC", "USDT", "TAKEN", "UNSENT"]);
    assert_eq!(exchange.administration.reconcile().await.unwrap(), 0);
    let open = exchange.signed(&alice, "GET", "/api/v3/openOrders", "").await.ok();
    assert_eq!(open.as_array().unwrap().len(), 1, "keys and orders are as they were");
    exchange.admin("POST", "/admin/accounts", json!({"name": "carol"})).await.ok();
}

#[tokio::test]
async fn a_stopped_source_is_resumed_by_an_operator() {
    const SETTLEMENT: SourceId = SourceId(7);
    let exchange = Exchange::open().await;
    let resume = async |source: &str| {
        exchange.admin("POST", &format!("/admin/sources/{source}/resume"), Value::Null).await
    };
    for nonsense in ["x", "-1", "1024"] {
        assert_eq!(resume(nonsense).await.status, 400, "{nonsense}");
    }
    let send = |name: &str| {
        let asset = Command::CreateAsset(CreateAsset {
            name: Name::parse(name).unwrap(),
            scale: 8,
            reserved: [0; 7],
            max_supply: 1,
        });
        exchange.submit_record(&asset.encode(SETTLEMENT, SourceNumber(1), 0))
    };
    assert_eq!(send("ONE"), Outcome::Done);
    assert_eq!(resume("7").await.ok(), json!({"source": 7, "was_stopped": false, "next_number": null}));
    assert_eq!(send("TWO"), Outcome::Refused(Reject::SourceStopped));
    assert_eq!(send("ONE"), Outcome::Refused(Reject::SourceStopped));
    assert_eq!(resume("7").await.ok(), json!({"source": 7, "was_stopped": true, "next_number": 2}));
    assert_eq!(send("ONE"), Outcome::Done, "a repeat gets its outcome again");
    let audit = exchange.admin("GET", "/admin/audit?limit=1000", Value::Null).await.ok();
    let last = audit.as_array().unwrap().last().unwrap();
    assert_eq!((&last["action"], &last["details"]["source"]), (&json!("source.resume"), &json!(7)));
}
