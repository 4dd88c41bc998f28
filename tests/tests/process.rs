//! The program as a process: alone in its directory, ended in order, stopped by damage, and silent
//! until its disk has answered.

use serde_json::{Value, json};
use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tests::{
    client::{Client, milliseconds_now},
    directory::content,
    order::place_limit,
    ports::free_addresses,
    program,
    server::{Server, serve},
    tracer::Tracer,
};
use tungstenite::{Message, WebSocket, stream::MaybeTlsStream};
use ureq::http::Method;

/// A stop in order takes 10 s at most (`rialto serve --help`), on a machine that has nothing else to do.
const STOP_MAX: Duration = Duration::from_mins(1);
/// How long each sync is held back.
const DELAY: Duration = Duration::from_millis(300);

fn new_directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    (directory, data)
}

fn place(client: &Client, side: &str, price: &str, name: &str) -> Value {
    let beside = [("newClientOrderId", name), ("newOrderRespType", "FULL")];
    place_limit(client, [side, "0.01", price], &beside).expect("an order in range")
}

/// Orders that trade and orders that rest.
fn trade_a_little(server: &Server) {
    let (maker, taker) = (server.client(1), server.client(2));
    for number in 0..20 {
        place(&maker, "SELL", &format!("{}.00", 50_000 + number), &format!("sell-{number}"));
        let side = if number % 3 == 0 { "SELL" } else { "BUY" };
        place(&taker, side, &format!("{}.00", 50_000 + number), &format!("other-{number}"));
    }
}

/// What two accounts see of themselves.
fn views(server: &Server) -> Vec<Value> {
    let mut seen = Vec::new();
    for account in 1..=2 {
        let client = server.client(account);
        for path in ["/api/v3/account", "/api/v3/openOrders", "/api/v3/allOrders", "/api/v3/myTrades"] {
            let symbol = [("symbol", "BTCUSDT")];
            seen.push(client.signed(&Method::GET, path, &symbol).expect("an account's own view"));
        }
    }
    seen
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

fn state_hash(data: &Path) -> Value {
    let verified = program::run_json(["replay", "verify", text(data), "--json"]);
    assert_eq!(verified["equal"], true, "{verified}");
    let state = program::run_json(["replay", "state", text(data), "--json"]);
    assert_eq!(state["state_hash"], verified["state_hash"], "verify and state replay the same journal");
    state["state_hash"].clone()
}

#[test]
fn a_second_process_is_told_who_has_the_directory() {
    let (_directory, data) = new_directory();
    let server = Server::start(&data);
    let [listen, admin] = free_addresses();
    let second = serve(&data, listen, admin).output().expect("rialto can be started");
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(2), "{said}");
    let holder = server.process().as_raw_nonzero().to_string();
    assert!(said.contains("in use by") && said.contains(&holder), "process {holder} holds it: {said}");
    // The first goes on.
    trade_a_little(&server);
}

#[test]
fn a_stop_in_order_ends_in_time_and_a_restart_shows_the_same() {
    let (_directory, data) = new_directory();
    let server = Server::start(&data);
    trade_a_little(&server);
    let before = views(&server);
    let (status, took) = server.terminate();
    assert!(status.success() && took < STOP_MAX, "{status} after {took:?}");
    let files = content(&data).expect("the directory can be read");
    assert!(files.contains_key(Path::new("accounts.sqlite")));
    for beside in ["accounts.sqlite-wal", "accounts.sqlite-shm"] {
        assert!(
            !files.contains_key(Path::new(beside)),
            "{beside} is left: a copy of the file lacks something"
        );
    }
    let hash = state_hash(&data);
    assert_eq!(state_hash(&data), hash, "replayed twice");

    let server = Server::start(&data);
    println!("stopped in {} ms, open again in {} ms", took.as_millis(), server.opened_in.as_millis());
    assert_eq!(views(&server), before);
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    assert_eq!(state_hash(&data), hash, "a start and a stop change nothing");
}

#[test]
fn a_stop_under_load_loses_nothing_acknowledged() {
    let (_directory, data) = new_directory();
    let server = Server::start(&data);
    let client = server.client(1);
    let (told, acknowledged) = mpsc::channel();
    let trader = thread::spawn(move || {
        let mut last = 0;
        for number in 0_u64.. {
            let name = format!("n{number}");
            let placed = place_limit(&client, ["BUY", "0.001", "40000"], &[("newClientOrderId", &name)]);
            let Ok(answer) = placed else { break };
            last = answer["orderId"].as_u64().expect("an order id");
            // Who no longer listens knows enough.
            let _ = told.send(());
        }
        last
    });
    for _ in 0..50 {
        acknowledged.recv().expect("the trader trades until the stop");
    }
    let (status, took) = server.terminate();
    assert!(status.success() && took < STOP_MAX, "{status} after {took:?}");
    let last = trader.join().expect("the trader ends with the server");
    let server = Server::start(&data);
    let open = server.client(1).signed(&Method::GET, "/api/v3/openOrders", &[("symbol", "BTCUSDT")]);
    let open = open.expect("an account's own view");
    let ids: Vec<u64> =
        open.as_array().into_iter().flatten().filter_map(|order| order["orderId"].as_u64()).collect();
    // One more may have been taken whose answer did not come through.
    assert!(
        ids == (1..=last).collect::<Vec<_>>() || ids == (1..=last + 1).collect::<Vec<_>>(),
        "{last}: {ids:?}"
    );
}

#[test]
fn a_damaged_journal_stops_the_start_and_nothing_is_touched() {
    let (_directory, data) = new_directory();
    let server = Server::start(&data);
    trade_a_little(&server);
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");

    let segment = fs::read_dir(data.join("journal"))
        .expect("the journal's directory")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "log"))
        .expect("a segment");
    let mut bytes = fs::read(&segment).expect("the segment can be read");
    let written = bytes.iter().rposition(|byte| *byte != 0).expect("something is written");
    bytes[written / 2] ^= 1;
    fs::write(&segment, bytes).expect("the segment can be written");
    let before = content(&data).expect("the directory can be read");

    let [listen, admin] = free_addresses();
    let start = serve(&data, listen, admin).output().expect("rialto can be started");
    let said = String::from_utf8_lossy(&start.stderr);
    assert_eq!(start.status.code(), Some(2), "{said}");
    let name = segment.file_name().and_then(|name| name.to_str()).expect("a segment's name is text");
    assert!(said.contains(name) && said.contains("offset"), "{said}");
    let after = content(&data).expect("the directory can be read");
    let touched: Vec<_> =
        before.iter().filter(|(path, is)| after.get(*path) != Some(is)).map(|(path, _)| path).collect();
    assert!(before.contains_key(Path::new("LOCK")) && before.contains_key(Path::new("accounts.sqlite")));
    let added: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(touched.is_empty() && added.is_empty(), "touched {touched:?}, added {added:?}");

    let verified = program::run(["replay", "verify", text(&data), "--json"]);
    let said = String::from_utf8_lossy(&verified.stderr);
    assert_eq!(verified.status.code(), Some(2), "{said}");
    assert!(said.contains(name) && said.contains("offset"), "{said}");
}

/// Everything that comes over a socket, with the moment at which it came.
fn listen(mut socket: WebSocket<MaybeTlsStream<TcpStream>>) -> mpsc::Receiver<(Instant, Value)> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // It ends with the server.
        while let Ok(message) = socket.read() {
            let now = Instant::now();
            if let Message::Text(text) = message {
                let value = serde_json::from_str(&text).expect("every message is JSON");
                if sender.send((now, value)).is_err() {
                    return;
                }
            }
        }
    });
    receiver
}

fn connect(server: &Server, path: &str) -> WebSocket<MaybeTlsStream<TcpStream>> {
    tungstenite::connect(format!("ws://{}{path}", server.listen)).expect("a socket opens").0
}

/// The user stream of an account.
fn user_stream(server: &Server, client: &Client) -> WebSocket<MaybeTlsStream<TcpStream>> {
    let mut socket = connect(server, "/ws-api/v3");
    let timestamp = milliseconds_now();
    let signature = client.signature(&format!("apiKey={}&timestamp={timestamp}", client.api_key()));
    let request = json!({
        "id": "1",
        "method": "userDataStream.subscribe.signature",
        "params": {"apiKey": client.api_key(), "timestamp": timestamp as u64, "signature": signature},
    });
    socket.send(Message::text(request.to_string())).expect("a request is sent");
    let answer = socket.read().expect("an answer comes").into_text().expect("an answer is text");
    let answer: Value = serde_json::from_str(&answer).expect("an answer is JSON");
    assert_eq!(answer["status"], 200, "{answer}");
    socket
}

#[test]
fn nothing_leaves_before_its_sync_has_returned() {
    let (directory, data) = new_directory();
    let server = Server::start(&data);
    let (maker, taker) = (server.client(1), server.client(2));
    let makers = listen(user_stream(&server, &maker));
    let trades = listen(connect(&server, "/ws/btcusdt@trade"));
    let delay = format!("inject=fdatasync:delay_enter={}", DELAY.as_micros());
    let disk = ["-e", "trace=fdatasync", "-e", delay.as_str()];
    let disk = Tracer::attach(&server, &directory.path().join("trace"), &disk);
    let mut soonest = Duration::MAX;

    for number in 0..3 {
        let price = format!("{}.00", 50_000 + number);
        let name = format!("slow-{number}");
        let sent = Instant::now();
        place(&maker, "SELL", &price, &name);
        let answered = sent.elapsed();
        assert!(answered >= DELAY, "answered after {answered:?}");
        let (report_at, report) = wait_for(&makers, |message| message["event"]["c"] == *name);
        assert!(report_at - sent >= DELAY, "told after {:?}: {report}", report_at - sent);
        soonest = soonest.min(answered).min(report_at - sent);

        let sent = Instant::now();
        place(&taker, "BUY", &price, &format!("taker-{number}"));
        let answered = sent.elapsed();
        assert!(answered >= DELAY, "answered after {answered:?}");
        let (report_at, report) =
            wait_for(&makers, |message| message["event"]["c"] == *name && message["event"]["x"] == "TRADE");
        assert!(report_at - sent >= DELAY, "told after {:?}: {report}", report_at - sent);
        soonest = soonest.min(answered).min(report_at - sent);
        let (trade_at, trade) = wait_for(&trades, |message| message["e"] == "trade");
        assert_eq!(trade["p"], format!("{price}000000"), "{trade}");
        assert!(trade_at - sent >= DELAY, "told after {:?}: {trade}", trade_at - sent);
        soonest = soonest.min(trade_at - sent);
    }
    let delayed = |line: &String| line.contains("/journal/") && line.contains("DELAYED");
    let delayed: Vec<_> = disk.detach().into_iter().filter(delayed).collect();
    assert!(delayed.len() >= 6, "each order has a sync of its own: {delayed:?}");
    println!(
        "{} syncs of the journal held back for {} ms: the soonest of 6 answers, 6 reports and 3 trades came after {} ms",
        delayed.len(),
        DELAY.as_millis(),
        soonest.as_millis()
    );
}

/// The next message of this kind.
fn wait_for(
    messages: &mpsc::Receiver<(Instant, Value)>,
    wanted: impl Fn(&Value) -> bool,
) -> (Instant, Value) {
    loop {
        let (at, message) = messages.recv_timeout(Duration::from_mins(1)).expect("the message comes");
        if wanted(&message) {
            return (at, message);
        }
    }
}
