//! What an account looks up beside orders and trades: prevented matches, amendments, filters, wallet
//! answers; and the exchange's own paths for orders.

mod exchange;

use exchange::{Exchange, Key};
use serde_json::{Value, json};

const PATH: &str = "/api/v3/order";

fn limit(side: &str, price: &str, quantity: &str) -> String {
    format!("symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&price={price}&quantity={quantity}")
}

async fn get(exchange: &Exchange, key: &Key, path: &str, parameters: &str) -> Value {
    exchange.signed(key, "GET", path, parameters).await.ok()
}

#[tokio::test]
async fn prevented_matches_are_found_by_id_and_by_either_order() {
    let exchange = Exchange::open().await;
    let alice = exchange.hmac("alice").await;
    let maker = exchange.signed(&alice, "POST", PATH, &limit("SELL", "50000", "0.1")).await.ok();
    let taker = format!("{}&selfTradePreventionMode=EXPIRE_MAKER", limit("BUY", "50000", "0.1"));
    let taker = exchange.signed(&alice, "POST", PATH, &taker).await.ok();
    let path = "/api/v3/myPreventedMatches";
    let by_id = get(&exchange, &alice, path, "symbol=BTCUSDT&preventedMatchId=1").await;
    let expected = json!([{
        "symbol": "BTCUSDT", "preventedMatchId": 1, "takerOrderId": taker["orderId"], "makerSymbol": "BTCUSDT",
        "makerOrderId": maker["orderId"], "tradeGroupId": -1, "selfTradePreventionMode": "EXPIRE_MAKER",
        "price": "50000.00000000", "makerPreventedQuantity": "0.10000000",
        "transactTime": by_id[0]["transactTime"],
    }]);
    assert_eq!(by_id, expected);
    for order in [&maker, &taker] {
        let by_order = format!("symbol=BTCUSDT&orderId={}", order["orderId"]);
        assert_eq!(get(&exchange, &alice, path, &by_order).await, expected);
        let later = format!("{by_order}&fromPreventedMatchId=2");
        assert_eq!(get(&exchange, &alice, path, &later).await, json!([]));
    }
    let bob = exchange.hmac("bob").await;
    assert_eq!(get(&exchange, &bob, path, "symbol=BTCUSDT&preventedMatchId=1").await, json!([]));
    for (parameters, code) in
        [("symbol=BTCUSDT", -1102), ("symbol=BTCUSDT&orderId=1&preventedMatchId=1", -1128)]
    {
        assert_eq!(exchange.signed(&alice, "GET", path, parameters).await.error().1, code, "{parameters}");
    }
}

#[tokio::test]
async fn an_orders_amendments_are_listed() {
    let exchange = Exchange::open().await;
    let alice = exchange.hmac("alice").await;
    let order = format!("{}&newClientOrderId=first", limit("BUY", "40000", "0.5"));
    let id = exchange.signed(&alice, "POST", PATH, &order).await.ok()["orderId"].clone();
    let amend = "/api/v3/order/amend/keepPriority";
    for (quantity, name) in [("0.4", "&newClientOrderId=second"), ("0.3", "")] {
        let parameters = format!("symbol=BTCUSDT&orderId={id}&newQty={quantity}{name}");
        exchange.signed(&alice, "PUT", amend, &parameters).await.ok();
    }
    let path = "/api/v3/order/amendments";
    let rows = get(&exchange, &alice, path, &format!("symbol=BTCUSDT&orderId={id}")).await;
    let short: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            ["origClientOrderId", "newClientOrderId", "origQty", "newQty"].map(|name| row[name].clone())
        })
        .collect();
    let expected =
        [["first", "second", "0.50000000", "0.40000000"], ["second", "second", "0.40000000", "0.30000000"]];
    assert_eq!(json!(short), json!(expected));
    let from = rows[1]["executionId"].clone();
    let later = format!("symbol=BTCUSDT&orderId={id}&fromExecutionId={from}");
    assert_eq!(get(&exchange, &alice, path, &later).await, json!([rows[1]]));
    let bob = exchange.hmac("bob").await;
    assert_eq!(get(&exchange, &bob, path, &format!("symbol=BTCUSDT&orderId={id}")).await, json!([]));
    assert_eq!(exchange.signed(&alice, "GET", path, "symbol=BTCUSDT").await.error().1, -1102);
}

#[tokio::test]
async fn the_rest_of_the_account_is_answered() {
    let exchange = Exchange::open().await;
    let alice = exchange.hmac("alice").await;
    assert_eq!(get(&exchange, &alice, "/api/v3/myAllocations", "symbol=BTCUSDT").await, json!([]));
    let filters = get(&exchange, &alice, "/api/v3/myFilters", "symbol=BTCUSDT").await;
    let info = exchange.public("/api/v3/exchangeInfo?symbol=BTCUSDT").await.ok();
    assert_eq!(filters["symbolFilters"], info["symbols"][0]["filters"]);
    assert_eq!(get(&exchange, &alice, "/sapi/v1/account/status", "").await, json!({"data": "Normal"}));
    let trading = get(&exchange, &alice, "/sapi/v1/account/apiTradingStatus", "").await;
    assert_eq!(trading["data"]["isLocked"], false);
    let assets = exchange.signed(&alice, "POST", "/sapi/v3/asset/getUserAsset", "").await.ok();
    assert_eq!((&assets[0]["asset"], &assets[0]["free"]), (&json!("BTC"), &json!("100.00000000")));
    let one = exchange.signed(&alice, "POST", "/sapi/v3/asset/getUserAsset", "asset=USDT").await.ok();
    assert_eq!((one.as_array().unwrap().len(), &one[0]["asset"]), (1, &json!("USDT")));
    for path in ["/sapi/v1/capital/deposit/hisrec", "/sapi/v1/capital/withdraw/history"] {
        assert_eq!(get(&exchange, &alice, path, "coin=BTC").await, json!([]), "{path}");
        assert_eq!(exchange.signed(&alice, "GET", path, "coin=DOGE").await.error().1, -1108, "{path}");
    }
    let address = exchange.signed(&alice, "GET", "/sapi/v1/capital/deposit/address", "coin=BTC").await;
    assert_eq!(address.error().1, -4019);
    let withdrawer = exchange.key("alice", json!({"key_type": "HMAC", "scopes": "WITHDRAW"})).await;
    let wanted = "coin=BTC&address=abc&amount=1";
    let path = "/sapi/v1/capital/withdraw/apply";
    assert_eq!(exchange.signed(&withdrawer, "POST", path, wanted).await.error().1, -4019);
    assert_eq!(exchange.signed(&withdrawer, "POST", path, "coin=BTC").await.error().1, -1102);
    assert_eq!(exchange.signed(&alice, "POST", path, wanted).await.error().1, -2015);
    for method in ["POST", "PUT", "DELETE"] {
        let reply = exchange.raw(method, "/api/v3/userDataStream", &[], String::new()).await;
        assert_eq!((reply.error().0, reply.error().1), (410, -1020), "{method}");
    }
    exchange.admin("POST", "/admin/accounts/alice/suspend", json!({})).await.ok();
    assert_eq!(get(&exchange, &alice, "/sapi/v1/account/status", "").await, json!({"data": "Locked"}));
}

#[tokio::test]
async fn a_rehearsed_order_is_told_what_it_would_be_told() {
    let exchange = Exchange::open().await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    let named = format!("{}&newClientOrderId=mine", limit("SELL", "50000", "1"));
    exchange.signed(&alice, "POST", PATH, &named).await.ok();
    let before = exchange.state_hash();
    let path = "/api/v3/order/test";
    let maker = "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&quantity=1&price=";
    let market = "symbol=BTCUSDT&side=BUY&type=MARKET";
    let cases = [
        (&bob, limit("BUY", "49000", "1"), None),
        (&bob, limit("BUY", "49000", "21"), Some("Account has insufficient balance for requested action.")),
        (&bob, limit("SELL", "51000", "101"), Some("Account has insufficient balance for requested action.")),
        (&bob, format!("{maker}49999.99"), None),
        (&bob, format!("{maker}50000"), Some("Order would immediately match and take.")),
        (&bob, format!("{market}&quoteOrderQty=1000000"), None),
        (
            &bob,
            format!("{market}&quoteOrderQty=1000001"),
            Some("Account has insufficient balance for requested action."),
        ),
        (&bob, named.clone(), None),
        (&alice, named.clone(), Some("Duplicate order sent.")),
    ];
    for (key, parameters, refused) in &cases {
        let reply = exchange.signed(key, "POST", path, parameters).await;
        match refused {
            None => assert_eq!(reply.ok(), json!({}), "{parameters}"),
            Some(text) => assert_eq!(reply.error(), (400, -2010, *text), "{parameters}"),
        }
    }
    let rates = format!("{}&computeCommissionRates=true", limit("BUY", "49000", "1"));
    let rates = exchange.signed(&bob, "POST", path, &rates).await.ok();
    assert_eq!(rates["standardCommissionForOrder"], json!({"maker": "0.00100000", "taker": "0.00100000"}));
    assert_eq!(exchange.state_hash(), before);
}

/// Sends a JSON body, the signature in the query.
async fn post_json(exchange: &Exchange, key: &Key, path: &str, body: &Value) -> exchange::Reply {
    let (timing, body) = (format!("timestamp={}", exchange::now_millis()), body.to_string());
    let signature = key.sign(&format!("{timing}{body}"));
    let headers = [("x-mbx-apikey", key.api_key.as_str()), ("content-type", "application/json")];
    exchange.raw("POST", &format!("{path}?{timing}&signature={signature}"), &headers, body).await
}

#[tokio::test]
async fn the_exchanges_own_paths_place_list_and_cancel() {
    let exchange = Exchange::open().await;
    let (alice, bob) = (exchange.hmac("alice").await, exchange.hmac("bob").await);
    let create = "/api/trade/create-order";
    let order =
        json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "price": "40000", "quantity": 0.5});
    let placed = post_json(&exchange, &alice, create, &order).await.ok();
    assert_eq!((&placed["status"], &placed["timeInForce"]), (&json!("NEW"), &json!("GTC")));
    let form = "symbol=BTCUSDT&side=SELL&type=LIMIT&price=50000&quantity=0.2&newClientOrderId=mine";
    exchange.signed(&alice, "POST", create, form).await.ok();
    let market = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"});
    let bought = post_json(&exchange, &bob, create, &market).await.ok();
    assert_eq!(bought["status"], "FILLED");
    let tampered =
        exchange.raw("POST", create, &[("x-mbx-apikey", bob.api_key.as_str())], market.to_string()).await;
    assert_eq!(tampered.error().1, -1102, "a JSON body needs a signature too");

    let list = "/api/trade/orders";
    let ids = |orders: &Value| {
        orders.as_array().unwrap().iter().map(|order| order["orderId"].clone()).collect::<Vec<_>>()
    };
    let (first, second) = (placed["orderId"].clone(), json!(placed["orderId"].as_u64().unwrap() + 1));
    for (filter, expected) in [
        ("", vec![&first, &second]),
        ("symbol=BTCUSDT&side=SELL", vec![&second]),
        ("type=LIMIT&limit=1", vec![&second]),
        ("orderId=0&limit=1", vec![&first]),
        ("status=PARTIALLY_FILLED", vec![&second]),
        ("status=CLOSED", vec![]),
        ("status=ALL&startTime=0", vec![&first, &second]),
        ("endTime=1", vec![]),
        ("type=MARKET", vec![]),
    ] {
        let orders = get(&exchange, &alice, list, filter).await;
        assert_eq!(ids(&orders).iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    for (filter, code) in [("status=LOST", -1130), ("side=HOLD", -1117), ("symbol=NOPE", -1121)] {
        assert_eq!(exchange.signed(&alice, "GET", list, filter).await.error().1, code, "{filter}");
    }

    let cancel = "/api/trade/cancel-order";
    let by_id = json!({"orderId": first});
    let foreign = post_json(&exchange, &bob, cancel, &by_id).await;
    assert_eq!(foreign.error(), (400, -2011, "Unknown order sent."), "nobody cancels another's order");
    assert_eq!(post_json(&exchange, &alice, cancel, &by_id).await.ok()["status"], "CANCELED");
    assert_eq!(post_json(&exchange, &alice, cancel, &by_id).await.error().1, -2011);
    let by_name = exchange.signed(&alice, "POST", cancel, "origClientOrderId=mine").await.ok();
    assert_eq!((&by_name["status"], &by_name["executedQty"]), (&json!("CANCELED"), &json!("0.10000000")));
    assert_eq!(exchange.signed(&alice, "POST", cancel, "").await.error().1, -1102);
    let closed = get(&exchange, &alice, list, "status=CANCELED").await;
    assert_eq!(ids(&closed), [first.clone(), second.clone()]);
    assert_eq!(get(&exchange, &bob, list, "status=ALL").await.as_array().unwrap().len(), 1);
}
