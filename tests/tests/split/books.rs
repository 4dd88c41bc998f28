//! The books of record beside a trading exchange: settlement killed apart, PostgreSQL killed apart, and then
//! what SQL says of orders, trades and balances is what the traders were told and what the gateways show.

use crate::kills::{audit, caught_up, clients, verify};
use serde_json::Value;
use std::{collections::BTreeSet, sync::atomic::Ordering};
use tests::{
    amount::units,
    kafka::{self, Broker},
    load::{ACCOUNTS, Known, Load, Random, SYMBOL, text},
    program,
    split::Split,
};
use ureq::http::Method;

/// Answers between two kills.
const ANSWERS: u64 = 150;

/// Waits until the books have what the engine has.
fn settled(split: &mut Split) {
    let sequence = split.engine.ready()["sequence"].as_u64().expect("a sequence");
    split.settlement.wait_until(|status, body| status == 200 && body["sequence"].as_u64() >= Some(sequence));
}

/// Holds the books to what traders noted and to what a gateway shows.
fn compare(split: &Split, load: &Load) -> String {
    let named = split.postgres.query(
        "SELECT account, client_order_id, count(*) FROM settlement.orders WHERE client_order_id IS NOT NULL GROUP BY 1, 2",
    );
    let mut orders = BTreeSet::new();
    for row in &named {
        let fields: Vec<&str> = row.split('|').collect();
        assert_eq!(fields[2], "1", "there twice: {row}");
        orders.insert(fields[1].to_owned());
    }
    let log = load.log();
    let (mut acknowledged, mut sent) = (0, BTreeSet::new());
    for line in &log {
        sent.insert(line.name.as_str());
        match &line.known {
            Known::Sent => {}
            Known::Placed { .. } | Known::Cancelled { .. } => {
                assert!(orders.contains(&line.name), "acknowledged and not in the books: {line:?}");
                acknowledged += 1;
            }
            Known::Refused => {
                assert!(!orders.contains(&line.name), "refused and in the books: {line:?}");
            }
        }
    }
    for name in &orders {
        assert!(sent.contains(name.as_str()), "in the books and never sent: {name}");
    }

    let sums = split.postgres.query(
        "SELECT asset, sum(available + held) FROM settlement.balances GROUP BY asset HAVING sum(available + held) <> 0",
    );
    assert!(sums.is_empty(), "an asset does not sum to zero: {sums:?}");
    let legs = split.postgres.query(
        "SELECT b.account, b.asset FROM settlement.balances b LEFT JOIN (SELECT account, asset, sum(available) a, \
         sum(held) h FROM settlement.postings GROUP BY 1, 2) p USING (account, asset) \
         WHERE b.available <> coalesce(p.a, 0) OR b.held <> coalesce(p.h, 0)",
    );
    assert!(legs.is_empty(), "balances that are not the sum of their postings: {legs:?}");
    for account in 1..=ACCOUNTS {
        let client = split.client(account, 0);
        let shown = client.signed(&Method::GET, "/api/v3/account", &[]).expect("an account");
        let uid = shown["uid"].as_u64().expect("an account's number");
        let rows = split.postgres.query(&format!(
            "SELECT a.name, b.available, b.held FROM settlement.balances b JOIN settlement.assets a USING (asset) WHERE b.account = {uid}"
        ));
        for row in rows {
            let fields: Vec<&str> = row.split('|').collect();
            let balances = shown["balances"].as_array().expect("a list");
            let found = balances.iter().find(|balance| balance["asset"] == fields[0]);
            let found = found.unwrap_or_else(|| panic!("{row} is not shown"));
            let (free, locked) = (units(&text(found, "free")), units(&text(found, "locked")));
            assert_eq!(
                (free.to_string(), locked.to_string()),
                (fields[1].to_owned(), fields[2].to_owned()),
                "{row}"
            );
        }
        let trades =
            client.signed(&Method::GET, "/api/v3/myTrades", &[("symbol", SYMBOL), ("limit", "1000")]);
        let trades = trades.expect("a list");
        let newest = trades
            .as_array()
            .and_then(|trades| trades.last())
            .map_or(0, |trade| trade["id"].as_u64().unwrap_or(0));
        let there = split
            .postgres
            .query(&format!("SELECT count(*) FROM settlement.trades WHERE trade_id = {newest}"));
        assert!(newest == 0 || there[0] != "0", "trade {newest} is shown and not in the books");
    }
    let trades = &split.postgres.query("SELECT count(*) FROM settlement.trades")[0];
    format!(
        "{acknowledged} acknowledgements, {} orders and {trades} trades in SQL, every balance equal",
        orders.len()
    )
}

/// A load with kills beside it, and the books held to it.
fn under_load(mut split: Split) {
    split.start_all();
    split.settlement.start();
    let load = Load::new(&split.directory().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(u64::from(std::process::id()));
    for killed in ["settlement", "postgres", "engine", "gateway"] {
        let traders = clients(&split, 0);
        load.trade(&traders, killed, &mut random, || {
            let answers = || load.answers.load(Ordering::Relaxed);
            for _ in 0..2 {
                load.wait_for(answers() + ANSWERS);
                match killed {
                    "settlement" => {
                        split.settlement.kill();
                        load.wait_for(answers() + ANSWERS);
                        split.settlement.start();
                    }
                    "postgres" => {
                        split.postgres.kill();
                        load.wait_for(answers() + ANSWERS);
                        split.postgres.start_again();
                    }
                    "engine" => {
                        split.engine.kill();
                        split.engine.start();
                    }
                    _ => {
                        let (gateway, _) = &mut split.gateways[0];
                        gateway.kill();
                        // Traders of the other one are not disturbed.
                        load.wait_for(answers() + ANSWERS);
                        gateway.start();
                        break;
                    }
                }
            }
            load.end();
        });
        caught_up(&mut split);
        let found = audit(&split, &load);
        settled(&mut split);
        println!("{killed} killed: {found}; {}", compare(&split, &load));
    }
    follow(&split, &load);
    split.settlement.terminate();
    split.engine.terminate();
    verify(&split.data());
}

/// One order, from door to row.
fn follow(split: &Split, load: &Load) {
    let log = load.log();
    let id = log.iter().rev().find_map(|line| match &line.known {
        Known::Placed { order_id, status, .. } if status == "FILLED" => Some(*order_id),
        _ => None,
    });
    let id = id.expect("some order was filled");
    let sequence = &split
        .postgres
        .query(&format!("SELECT sequence FROM settlement.trades WHERE taker_order_id = {id}"))[0];
    let configuration = split.directory().join("engine.toml");
    let configuration = configuration.to_str().expect("text");
    let ways = program::run_json(["trace", "--sequence", sequence, "--config", configuration, "--json"]);
    let books = &ways[0]["books"];
    let count = |name: &str| books[name].as_array().map_or(0, Vec::len);
    assert!(count("trades") > 0 && count("postings") >= 4, "{ways}");
    let is_event = |event: &Value| event["event"] == "Trade";
    let events = ways[0]["events"].as_array().expect("a list");
    assert_eq!(events.iter().filter(|event| is_event(event)).count(), count("trades"), "{ways}");
    let table = program::run(["trace", "--sequence", sequence, "--config", configuration]);
    println!("{}", String::from_utf8_lossy(&table.stdout));
}

#[test]
fn books_from_the_event_log_are_what_traders_were_told() {
    under_load(Split::prepare(2, None));
}

#[test]
fn books_from_kafka_are_what_traders_were_told() {
    if let Some(missing) = kafka::missing() {
        println!("not run: {missing}");
        return;
    }
    let broker = Broker::start();
    under_load(Split::prepare(2, Some(broker.servers())));
}
