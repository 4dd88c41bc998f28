//! 100,000 events of a book, followed by clients that joined at different times and speeds: none finds a
//! gap, and each ends with the exchange's own book.

use crate::{book::Book, socket::Socket};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};
use tests::{client::Client, server::Server};

/// Commands that change the book.
const EVENTS: u64 = 100_000;
/// Of them, those that trade, sent by another account.
const TAKES: u64 = 10_000;
/// Orders of an account that are open at a time.
const OPEN: u64 = 120;
/// Requests under way at a time.
const WINDOW: u64 = 200;
/// The level that tells of the end: nobody else's.
const LAST_PRICE: &str = "30000.00000000";
/// Between two looks at how far the load has come.
const LOOK: Duration = Duration::from_millis(1);
/// Clients that join while the book moves.
const LATE: u64 = 6;

#[test]
fn no_client_finds_a_gap_over_100_000_events() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(&directory.path().join("data"));
    let address = server.listen;
    let (maker, taker) = (server.client(1), server.client(2));
    let done = AtomicU64::new(0);
    let books: Vec<Book> = thread::scope(|scope| {
        let reader = |path: &'static str| {
            let public = server.client(3);
            move || follow(address, path, &public)
        };
        let mut readers = vec![
            scope.spawn(reader("/ws/btcusdt@depth@100ms")),
            scope.spawn(reader("/ws/btcusdt@depth")),
            scope.spawn(reader("/stream?streams=btcusdt@depth@100ms/btcusdt@trade/btcusdt@bookTicker")),
        ];
        let load = scope.spawn(|| {
            thread::scope(|load| {
                load.spawn(|| run(address, &maker, EVENTS - TAKES, &done, make));
                load.spawn(|| run(address, &taker, TAKES, &done, take));
            });
            let last = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
                "price": "30000", "quantity": "0.001"});
            run(address, &maker, 1, &done, |_| ("order.place", last.clone()));
        });
        for late in 1..=LATE {
            while done.load(Ordering::Relaxed) < EVENTS * late / (LATE + 1) && !load.is_finished() {
                thread::sleep(LOOK);
            }
            readers.push(scope.spawn(reader("/ws/btcusdt@depth@100ms")));
        }
        load.join().expect("the load ends");
        readers.into_iter().map(|reader| reader.join().expect("no gap")).collect()
    });
    let depth = server.client(3).public("/api/v3/depth", &[("symbol", "BTCUSDT"), ("limit", "5000")]);
    let shown = Book::snapshot(&depth.expect("the book"));
    assert!(shown.bids.len() + shown.asks.len() > 20, "the book is no empty one");
    for book in books {
        assert_eq!(book, shown);
    }
}

/// Follows the book from a snapshot on until the last level is in it.
fn follow(address: SocketAddr, path: &str, client: &Client) -> Book {
    let mut socket = Socket::connect(address, path);
    // As clients do: what comes before the snapshot waits, here in the connection.
    let depth = client.public("/api/v3/depth", &[("symbol", "BTCUSDT"), ("limit", "5000")]);
    let mut book = Book::snapshot(&depth.expect("the book"));
    let slow = path.ends_with("@depth");
    let mut differences = 0;
    while !book.bids.contains_key(LAST_PRICE) {
        let frame = socket.next().expect("the connection stays open");
        let update = if frame["stream"].is_string() { &frame["data"] } else { &frame };
        if update["e"] != "depthUpdate" {
            continue;
        }
        if slow && differences == 0 {
            // The slow pace's first difference may begin before a snapshot of the fast one.
            straddle(&mut book, update);
        } else {
            book.apply(update);
        }
        differences += 1;
    }
    book
}

/// The first difference after a snapshot may overlap it (dialect §8).
fn straddle(book: &mut Book, update: &Value) {
    let [first, last] = ["U", "u"].map(|key| update[key].as_u64().expect("an id"));
    if last > book.version {
        assert!(first <= book.version + 1, "a gap");
        book.version = first - 1;
        book.apply(update);
    }
}

/// Sends requests over one session, many under way at a time, and counts those that were done.
fn run(
    address: SocketAddr,
    client: &Client,
    count: u64,
    done: &AtomicU64,
    request: impl Fn(u64) -> (&'static str, Value),
) {
    let mut socket = Socket::connect(address, "/ws-api/v3?returnRateLimits=false");
    socket.signed(client, "session.logon");
    let (mut sent, mut succeeded, mut answered) = (0, 0, 0);
    while succeeded < count {
        while sent - answered < WINDOW && succeeded + (sent - answered) < count {
            let (method, parameters) = request(sent);
            socket.write(&json!({"id": sent, "method": method, "params": parameters}));
            sent += 1;
        }
        socket.flush();
        let answer = socket.next().expect("the connection stays open");
        answered += 1;
        if answer["status"] == 200 {
            succeeded += 1;
            done.fetch_add(1, Ordering::Relaxed);
        } else {
            // Its order was taken before it could be cancelled.
            assert_eq!(answer["error"]["code"], -2011, "{answer}");
        }
    }
}

/// Orders near the middle, each cancelled when it has become old.
fn make(number: u64) -> (&'static str, Value) {
    let order = number / 2;
    if number % 2 == 1 && order >= OPEN {
        let name = format!("m{}", order - OPEN);
        return ("order.cancel", json!({"symbol": "BTCUSDT", "origClientOrderId": name}));
    }
    let away = mixed(number) % 60;
    let (side, price) =
        if mixed(number) & 64 == 0 { ("BUY", 49_999 - away) } else { ("SELL", 50_001 + away) };
    let name = if number % 2 == 1 { format!("e{order}") } else { format!("m{order}") };
    let parameters = json!({"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC",
        "price": price.to_string(), "quantity": format!("0.00{}", 1 + mixed(number) % 9),
        "newClientOrderId": name, "newOrderRespType": "ACK"});
    ("order.place", parameters)
}

/// Small orders that take from either side by turns.
fn take(number: u64) -> (&'static str, Value) {
    let (side, price) = if number.is_multiple_of(2) { ("BUY", "50100") } else { ("SELL", "49900") };
    let parameters = json!({"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "IOC",
        "price": price, "quantity": "0.0015", "newOrderRespType": "ACK"});
    ("order.place", parameters)
}

fn mixed(number: u64) -> u64 {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
}
