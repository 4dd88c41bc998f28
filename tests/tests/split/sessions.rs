//! Orders that end with a session, when the gateway that had it dies: by a command of the journal, of the
//! engine's own, once the gateway is back as another life or has not come back in time.

use engine_journal::{EventReader, FileStorage};
use protocol::event::{Event, EventChunk};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};
use tests::{
    client::{Client, milliseconds_now},
    split::Split,
};
use tungstenite::{Message, WebSocket, client};
use ureq::http::Method;

const PATIENCE: Duration = Duration::from_mins(2);
/// A gateway that is away for longer has ended: `gateway_grace_seconds` of `deploy/engine.toml`.
const GRACE: Duration = Duration::from_secs(5);

type Socket = WebSocket<TcpStream>;

/// A session of `trader` whose orders end with it.
fn logged_on(address: SocketAddr, trader: &Client) -> Socket {
    let stream = TcpStream::connect(address).expect("the gateway listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let (mut socket, _) = client(format!("ws://{address}/ws-api/v3"), stream).expect("a WebSocket");
    let (timestamp, key) = (milliseconds_now() as u64, trader.api_key());
    let signature = trader.signature(&format!("apiKey={key}&cancelOnDisconnect=true&timestamp={timestamp}"));
    let parameters =
        json!({"apiKey": key, "cancelOnDisconnect": true, "timestamp": timestamp, "signature": signature});
    ask(&mut socket, &json!({"id": 1, "method": "session.logon", "params": parameters}));
    socket
}

fn ask(socket: &mut Socket, request: &Value) -> Value {
    socket.send(Message::text(request.to_string())).expect("the gateway reads");
    loop {
        if let Message::Text(text) = socket.read().expect("the gateway answers") {
            let answer: Value = serde_json::from_str(&text).expect("answers are JSON");
            assert_eq!(answer["status"], 200, "{answer}");
            return answer["result"].clone();
        }
    }
}

fn place(socket: &mut Socket, price: &str) -> u64 {
    let order = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "price": price, "quantity": "0.01"});
    let placed = ask(socket, &json!({"id": 2, "method": "order.place", "params": order}));
    placed["orderId"].as_u64().expect("an order id")
}

fn open_orders(trader: &Client) -> Vec<u64> {
    let open = trader.signed(&Method::GET, "/api/v3/openOrders", &[("symbol", "BTCUSDT")]).expect("a list");
    open.as_array().expect("a list").iter().filter_map(|order| order["orderId"].as_u64()).collect()
}

fn until_open(trader: &Client, wanted: &[u64]) -> Duration {
    let start = Instant::now();
    while open_orders(trader) != wanted {
        assert!(start.elapsed() < PATIENCE, "{:?} are open, not {wanted:?}", open_orders(trader));
        thread::sleep(Duration::from_millis(10));
    }
    start.elapsed()
}

/// The ends of sessions that the event log tells: the command's own source, and whose sessions ended.
fn ends(split: &Split) -> Vec<(u32, u32)> {
    let mut log = EventReader::open(FileStorage::new(split.data()), 0).expect("an event log");
    let mut ends = Vec::new();
    while let Some(group) = log.next_group().expect("it can be read") {
        for chunk in EventChunk::all(group.payload).map(|chunk| chunk.expect("a chunk")) {
            for event in chunk.events() {
                if let Event::SessionEnded(ended) = event.expect("an event") {
                    ends.push((chunk.header.source.0, ended.source.0));
                }
            }
        }
    }
    ends
}

#[test]
fn a_dead_gateways_sessions_end_by_a_journaled_command() {
    let mut split = Split::start(2);
    let (dying, staying) = (split.gateways[0].1, split.gateways[1].1);
    let (first, second) = (split.client(1, 1), split.client(2, 1));
    let mut kept = logged_on(staying, &second);
    let own = place(&mut kept, "40000");

    // Its new life has begun: at once.
    let mut session = logged_on(dying, &first);
    let order = place(&mut session, "40001");
    until_open(&first, &[order]);
    split.gateways[0].0.kill();
    split.gateways[0].0.start();
    until_open(&first, &[]);
    // A session of a gateway that lives stays.
    until_open(&second, &[own]);

    // It does not come back: after the grace.
    let mut session = logged_on(dying, &first);
    let order = place(&mut session, "40002");
    until_open(&first, &[order]);
    let killed = Instant::now();
    split.gateways[0].0.kill();
    let open = open_orders(&first);
    assert!(open == [order] || killed.elapsed() >= GRACE, "it may still come back: {open:?}");
    let waited = until_open(&first, &[]);

    // The engine is killed, and the other gateway dies with it: the engine's next life ends its sessions,
    // of which it was told nothing.
    split.engine.kill();
    split.gateways[1].0.kill();
    split.engine.start();
    split.gateways[0].0.start();
    let (first, second) = (split.client(1, 0), split.client(2, 0));
    until_open(&second, &[]);
    until_open(&first, &[]);
    drop((session, kept));
    split.engine.terminate();
    let mut ends = ends(&split);
    // An engine also ends what the traders' doors of its own process once had.
    ends.retain(|(_, ended)| *ended >= 16);
    assert!(ends.iter().all(|(source, _)| *source == 3), "{ends:?}");
    let of = |gateway| ends.iter().filter(|(_, ended)| *ended == gateway).count();
    assert!(of(16) >= 2 && of(17) >= 1, "{ends:?}");
    println!("sessions of a gateway that did not come back ended after {} ms: {ends:?}", waited.as_millis());
}

#[test]
fn sessions_outlive_an_engine_that_is_back_in_time() {
    let mut split = Split::start(1);
    let trader = split.client(1, 0);
    let mut session = logged_on(split.gateways[0].1, &trader);
    let order = place(&mut session, "40000");
    split.engine.kill();
    split.engine.start();
    split.gateways[0].0.wait_until(|status, _| status == 200);
    let second = place(&mut session, "40001");
    until_open(&trader, &[order, second]);
    drop(session);
    until_open(&trader, &[]);
}
