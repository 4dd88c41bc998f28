//! An account's stream across a kill: what it told is not lost, and once subscribed again it tells
//! everything, as REST does.

use crate::socket::Socket;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};
use tests::{client::Client, order::place_limit, server::Server};
use ureq::http::Method;

/// Answers before the kill, and after.
const ANSWERS: u64 = 600;
/// Between two looks at how far the load has come.
const LOOK: Duration = Duration::from_millis(1);

#[test]
fn a_stream_subscribed_again_after_a_kill_tells_everything() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let server = Server::start(&data);
    let clients = [server.client(1), server.client(2)];
    let mut socket = subscribed(&server, &clients[0]);
    let (stop, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    let (acknowledged, told) = thread::scope(|scope| {
        let reader = scope.spawn(move || std::iter::from_fn(|| socket.next()).collect::<Vec<_>>());
        let loads = [0, 1].map(|place| {
            let (client, stop, answers) = (&clients[place], &stop, &answers);
            scope.spawn(move || trade(client, place, "a", stop, answers))
        });
        while answers.load(Ordering::Relaxed) < ANSWERS && loads.iter().any(|load| !load.is_finished()) {
            thread::sleep(LOOK);
        }
        assert!(answers.load(Ordering::Relaxed) >= ANSWERS, "the exchange answers until it is killed");
        server.kill();
        stop.store(true, Ordering::Relaxed);
        let mut acknowledged = loads.map(|load| load.join().expect("the load ends"));
        (std::mem::take(&mut acknowledged[0]), reader.join().expect("the reader ends"))
    });

    let server = Server::start(&data);
    let clients = [server.client(1), server.client(2)];
    let mut socket = subscribed(&server, &clients[0]);
    let orders = orders(&clients[0]);
    for order in acknowledged {
        assert!(orders.contains_key(&order), "order {order} was acknowledged");
    }
    let trades = trades(&clients[0], 0);
    let reports = |events: &[Value]| -> Vec<Value> {
        let events = events.iter().map(|frame| frame["event"].clone());
        events.filter(|event| event["e"] == "executionReport").collect()
    };
    let told_before = reports(&told);
    assert!(!told_before.is_empty());
    for report in &told_before {
        assert!(orders.contains_key(&id(report, "i")), "told and then lost: {report}");
        if report["x"] == "TRADE" {
            let shown = shown_trade(report, ["l", "L", "n"]);
            assert_eq!(trades.get(&(id(report, "t"), id(report, "i"))), Some(&shown), "{report}");
        }
    }

    let from = next_trade(&trades);
    let (stop, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let loads = [0, 1].map(|place| {
            let (client, stop, answers) = (&clients[place], &stop, &answers);
            scope.spawn(move || trade(client, place, "b", stop, answers))
        });
        while answers.load(Ordering::Relaxed) < ANSWERS && loads.iter().any(|load| !load.is_finished()) {
            thread::sleep(LOOK);
        }
        assert!(answers.load(Ordering::Relaxed) >= ANSWERS, "the exchange answers");
        stop.store(true, Ordering::Relaxed);
    });
    place(&clients[0], "BUY", "30000", "the-last").expect("the last order");
    let mut events = Vec::new();
    let mut last_seen = false;
    // The last order's report, and then the balances it moved.
    loop {
        let frame = socket.next().expect("the connection stays open");
        let event = &frame["event"];
        let is_position = event["e"] == "outboundAccountPosition";
        last_seen |= event["c"] == "the-last";
        events.push(frame);
        if last_seen && is_position {
            break;
        }
    }
    let reports = reports(&events);
    let mut streamed = BTreeMap::new();
    for report in reports.iter().filter(|report| report["x"] == "TRADE") {
        let key = (id(report, "t"), id(report, "i"));
        let twice = streamed.insert(key, shown_trade(report, ["l", "L", "n"]));
        assert_eq!(twice, None, "told twice: {report}");
    }
    assert!(!streamed.is_empty());
    assert_eq!(streamed, self::trades(&clients[0], from), "the stream's trades are those of REST");
    let executions: Vec<u64> = reports.iter().map(|report| id(report, "I")).collect();
    assert!(executions.is_sorted(), "in the order in which they happened");
    let shown = self::orders(&clients[0]);
    let last_reports: BTreeMap<u64, &Value> =
        reports.iter().map(|report| (id(report, "i"), report)).collect();
    for (order, report) in last_reports {
        let expected = [text(report, "X"), text(report, "z"), text(report, "Z")];
        assert_eq!(shown.get(&order), Some(&expected), "{report}");
    }
    let account = clients[0].signed(&Method::GET, "/api/v3/account", &[]).expect("the account");
    let balances: BTreeMap<String, [String; 2]> = rows(&account["balances"])
        .map(|row| (text(row, "asset"), [text(row, "free"), text(row, "locked")]))
        .collect();
    let mut positions = BTreeMap::new();
    for frame in events.iter().filter(|frame| frame["event"]["e"] == "outboundAccountPosition") {
        for row in rows(&frame["event"]["B"]) {
            positions.insert(text(row, "a"), [text(row, "f"), text(row, "l")]);
        }
    }
    assert!(positions.len() >= 2);
    for (asset, position) in positions {
        assert_eq!(balances.get(&asset), Some(&position), "{asset}");
    }
}

fn subscribed(server: &Server, client: &Client) -> Socket {
    let mut socket = Socket::connect(server.listen, "/ws-api/v3");
    assert_eq!(socket.signed(client, "userDataStream.subscribe.signature")["subscriptionId"], 0);
    socket
}

/// Places crossing orders until told to stop, or until there is no answer; gives those acknowledged.
fn trade(client: &Client, place_of: usize, run: &str, stop: &AtomicBool, answers: &AtomicU64) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    for number in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let side = if (number + place_of as u64).is_multiple_of(2) { "BUY" } else { "SELL" };
        let price = (50_000 + number * 7 % 5).to_string();
        match place(client, side, &price, &format!("{run}-{place_of}-{number}")) {
            Some(order) => acknowledged.push(order),
            None => break,
        }
        answers.fetch_add(1, Ordering::Relaxed);
        if number % 20 == 19 {
            // Nothing to cancel is an answer too.
            let _ = client.signed(&Method::DELETE, "/api/v3/openOrders", &[("symbol", "BTCUSDT")]);
        }
    }
    acknowledged
}

/// An order's id; `None` without an answer.
fn place(client: &Client, side: &str, price: &str, name: &str) -> Option<u64> {
    let answer = place_limit(client, [side, "0.001", price], &[("newClientOrderId", name)]).ok()?;
    Some(id(&answer, "orderId"))
}

/// Every order: its status, what of it was executed, and for how much.
fn orders(client: &Client) -> BTreeMap<u64, [String; 3]> {
    let mut orders = BTreeMap::new();
    loop {
        let from = orders.keys().last().map_or(0, |last: &u64| last + 1).to_string();
        let parameters = [("symbol", "BTCUSDT"), ("orderId", &from), ("limit", "1000")];
        let page = client.signed(&Method::GET, "/api/v3/allOrders", &parameters).expect("the orders");
        let before = orders.len();
        orders.extend(rows(&page).map(|row| {
            (
                id(row, "orderId"),
                [text(row, "status"), text(row, "executedQty"), text(row, "cummulativeQuoteQty")],
            )
        }));
        if orders.len() == before {
            return orders;
        }
    }
}

/// Own trades from an id on, by trade and order: a trade with oneself has two.
type Trades = BTreeMap<(u64, u64), [String; 3]>;

fn trades(client: &Client, from: u64) -> Trades {
    let mut trades = Trades::new();
    loop {
        let from = next_trade(&trades).max(from).to_string();
        let parameters = [("symbol", "BTCUSDT"), ("fromId", &from), ("limit", "1000")];
        let page = client.signed(&Method::GET, "/api/v3/myTrades", &parameters).expect("the trades");
        let before = trades.len();
        trades.extend(rows(&page).map(|row| {
            ((id(row, "id"), id(row, "orderId")), shown_trade(row, ["qty", "price", "commission"]))
        }));
        if trades.len() == before {
            return trades;
        }
    }
}

fn next_trade(trades: &Trades) -> u64 {
    trades.keys().last().map_or(0, |(trade, _)| trade + 1)
}

fn shown_trade(row: &Value, keys: [&str; 3]) -> [String; 3] {
    keys.map(|key| text(row, key))
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

fn id(row: &Value, key: &str) -> u64 {
    row[key].as_u64().unwrap_or_else(|| panic!("{key} of {row}"))
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("{key} of {row}")).to_owned()
}
