//! Orders through one gateway are seen by the other, keys made at the engine work at both, and all ends in
//! order.

use serde_json::json;
use std::time::{Duration, Instant};
use tests::{
    client::{Client, ClientError},
    load::text,
    order::place_limit,
    program,
    split::Split,
};
use ureq::http::Method;

fn place(client: &Client, side: &str, price: &str, name: &str) -> Result<serde_json::Value, ClientError> {
    place_limit(client, [side, "0.001", price], &[("newClientOrderId", name), ("newOrderRespType", "FULL")])
}

#[test]
fn two_gateways_trade_with_each_other_and_each_reads_its_own_writes() {
    let mut split = Split::start(2);
    let (maker, taker) = (split.client(1, 0), split.client(2, 1));
    for number in 0..50 {
        let name = format!("order-{number}");
        let placed = place(&maker, "SELL", "50000", &name).expect("it rests");
        assert_eq!(placed["status"], "NEW", "{placed}");
        // Asked at once, the gateway that answered knows it.
        let which = [("symbol", "BTCUSDT"), ("origClientOrderId", name.as_str())];
        let asked = maker.signed(&Method::GET, "/api/v3/order", &which).expect("it is there");
        assert_eq!(asked["orderId"], placed["orderId"]);
        let taken = place(&taker, "BUY", "50000", &format!("taker-{number}")).expect("it trades");
        assert_eq!(
            (taken["status"].as_str(), text(&taken["fills"][0], "price").as_str()),
            (Some("FILLED"), "50000.00000000")
        );
    }
    for (gateway, _) in &mut split.gateways {
        gateway.terminate();
    }
    split.engine.terminate();
    let data = split.data();
    let report = program::run_json(["replay", "verify", data.to_str().expect("text"), "--json"]);
    assert_eq!(report["equal"], true, "{report}");
}

#[test]
fn a_key_that_the_engine_makes_or_revokes_counts_at_every_gateway() {
    let split = Split::start(2);
    let operator = split.operator();
    let made = operator.ask(&Method::POST, "/admin/accounts/demo-3/keys", &json!({"scopes": "READ,TRADE"}));
    let (status, key) = made.expect("an answer");
    assert_eq!(status, 200, "{key}");
    let (api_key, secret) = (text(&key, "api_key"), text(&key, "secret"));
    let clients: Vec<_> = split
        .gateways
        .iter()
        .map(|(_, address)| Client::new(*address, api_key.clone(), secret.clone()))
        .collect();
    let works = |client: &Client| client.signed(&Method::GET, "/api/v3/account", &[]).is_ok();
    until("the key works", || clients.iter().all(works));
    let path = format!("/admin/keys/{api_key}");
    let (status, answer) = operator.ask(&Method::DELETE, &path, &json!({})).expect("an answer");
    assert_eq!(status, 200, "{answer}");
    until("the key works no more", || !clients.iter().any(works));

    // What was done is in the record, which is in PostgreSQL here: by the configuration it is found.
    let configuration = split.directory().join("engine.toml");
    let audit = |what| {
        let configuration = configuration.to_str().expect("text");
        program::run_json(["audit", what, "--config", configuration, "--json"])
    };
    assert_eq!(audit("verify")["whole"], true);
    let rows = audit("list");
    assert!(rows.to_string().contains(&api_key), "{rows}");
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
