//! How connections live and end over a real socket: pings, silence, age, and readers that stop reading.
#![allow(clippy::unwrap_used, reason = "what cannot be here is a test's failure")]

mod exchange;

use exchange::{Exchange, Key, Socket, now_millis};
use gateway::SocketTimes;
use protocol::{
    AccountId, InstrumentId, OrderType, Price, Quantity, SelfTradePrevention, Side, Time, TimeInForce,
    command::{Command, PlaceOrder, QuantityKind},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

/// How long a test waits for what must happen. It is far above what anything takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// Trades that pass a reader who does not read.
const TRADES: u64 = 100_000;
/// A reader who stops is waited for until the test reads on, however long the market takes.
const PATIENT: SocketTimes = SocketTimes {
    ping_interval: Duration::from_secs(20),
    pong_timeout: Duration::from_hours(1),
    write_timeout: Duration::from_hours(1),
    life: Duration::from_hours(24),
};

/// Serves the exchange with other times for its connections.
async fn serve(exchange: &Exchange, times: SocketTimes) -> SocketAddr {
    let router = gateway::router(exchange.gateway.clone().with_socket_times(times));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    address
}

/// A number of `/metrics`.
async fn metric(exchange: &Exchange, name: &str) -> u64 {
    let text = exchange.admin("GET", "/metrics", Value::Null).await;
    let text = text.body.as_str().unwrap().to_owned();
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("rialto_{name} ")))
        .unwrap_or_else(|| panic!("{name} in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

async fn until_metric(exchange: &Exchange, name: &str, wanted: impl Fn(u64) -> bool) {
    let start = Instant::now();
    loop {
        let is = metric(exchange, name).await;
        if wanted(is) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{name} stays {is}");
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_client_that_sends_no_pong_is_dropped_and_one_that_does_stays() {
    let exchange = Exchange::open().await;
    let times = SocketTimes {
        ping_interval: Duration::from_millis(20),
        // Whoever answers pings may be kept from it by a busy machine for a while.
        pong_timeout: Duration::from_secs(3),
        ..SocketTimes::default()
    };
    let address = serve(&exchange, times).await;
    let one = async |path, name| {
        let mut silent = Socket::connect(address, path).await;
        let mut lively = Socket::connect(address, path).await;
        let frame = json!({"id": 1, "method": "LIST_SUBSCRIPTIONS"});
        silent.ask(frame.clone()).await;
        until_metric(&exchange, name, |open| open == 2).await;
        // Reading is what sends pongs.
        let gone = until_metric(&exchange, name, |open| open == 1);
        tokio::select! {
            () = lively.pinged(usize::MAX) => unreachable!("it is pinged for ever"),
            () = gone => {}
        }
        lively.ask(frame).await;
        assert_eq!(silent.closed_or_gone().await, None, "{path}");
        drop(lively);
        until_metric(&exchange, name, |open| open == 0).await;
    };
    tokio::join!(one("/ws", "stream_connections"), one("/ws-api/v3", "websocket_connections"));
}

#[tokio::test]
async fn a_connection_is_told_when_it_has_lived_its_life() {
    let exchange = Exchange::open().await;
    let times = SocketTimes {
        ping_interval: Duration::from_millis(20),
        life: Duration::from_millis(100),
        ..SocketTimes::default()
    };
    let address = serve(&exchange, times).await;
    let mut raw = Socket::connect(address, "/ws").await;
    assert_eq!(raw.next().await["e"], "serverShutdown");
    let mut combined = Socket::connect(address, "/stream").await;
    assert_eq!(combined.next().await["stream"], "!serverShutdown");
    let mut api = Socket::connect(address, "/ws-api/v3").await;
    assert_eq!(api.next().await["event"]["e"], "serverShutdown");
    for mut socket in [raw, combined, api] {
        assert_eq!(socket.closed().await, 1001);
    }
}

#[tokio::test]
async fn a_client_that_says_goodbye_is_answered() {
    let exchange = Exchange::open().await;
    let address = serve(&exchange, SocketTimes::default()).await;
    for path in ["/ws", "/stream", "/ws-api/v3"] {
        let mut socket = Socket::connect(address, path).await;
        socket.say_goodbye().await;
        assert_eq!(socket.closed().await, 1000, "{path}");
    }
}

fn order(account: u32, side: Side, quantity: u64, time_in_force: TimeInForce) -> Command {
    let order = PlaceOrder {
        account: AccountId(account),
        instrument: InstrumentId(1),
        side,
        order_type: OrderType::Limit,
        time_in_force,
        self_trade_prevention: SelfTradePrevention::None,
        quantity_kind: QuantityKind::Base,
        ids: 0,
        price: Price(5_000_000),
        quantity: Quantity(quantity),
        expires_at: Time::NEVER,
    };
    Command::PlaceOrder { order, client_order_id: None, terms: None }
}

/// The accounts' ids, by name.
async fn account(exchange: &Exchange, name: &str) -> u32 {
    let shown = exchange.admin("GET", &format!("/admin/accounts/{name}"), Value::Null).await.ok();
    shown["account_id"].as_u64().unwrap_or_else(|| panic!("an id in {shown}")) as u32
}

/// Trades one after the other, of the least quantity.
async fn trade(exchange: &Exchange, count: u64) {
    let (alice, bob) = (account(exchange, "alice").await, account(exchange, "bob").await);
    let quantity = 10;
    exchange
        .submit_as_administration(&order(alice, Side::Sell, count * quantity, TimeInForce::GoodTillCancel), 0)
        .await;
    let take = order(bob, Side::Buy, quantity, TimeInForce::ImmediateOrCancel);
    for trade in 0..count {
        exchange.submit_as_administration(&take, 0).await;
        if trade % 1_000 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_trades_who_stops_gets_them_without_a_gap_up_to_an_end_that_is_told() {
    let exchange = Exchange::open().await;
    let address = serve(&exchange, PATIENT).await;
    let mut stopped = Socket::connect(address, "/ws/btcusdt@trade").await;
    let mut reading = Socket::connect(address, "/ws/btcusdt@trade").await;
    // Whoever reads must get them all however busy the machine is: the market waits for that one.
    for done in (0..TRADES).step_by(1_000) {
        trade(&exchange, 1_000).await;
        for number in done + 1..=done + 1_000 {
            assert_eq!(reading.next().await["t"], number);
        }
    }
    let bound = gateway::views::Bounds::default().market_queue_bytes;
    let queued = exchange.views.hub().most_queued_bytes();
    assert!((bound / 2..=bound).contains(&queued), "{queued} bytes were queued");
    let mut next = 1;
    let code = loop {
        match stopped.text_or_close().await {
            Ok(text) => {
                assert_eq!(text["t"], next, "none is left out");
                next += 1;
            }
            Err(code) => break code,
        }
    };
    assert!(next > 1_000 && next < TRADES, "it ended after {next} trades");
    assert_eq!(code, Some(1013), "and says why");
    assert_eq!(metric(&exchange, "slow_connections_total").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_stops_reading_gets_its_events_without_a_gap_up_to_an_end_that_is_told() {
    let exchange = Exchange::open().await;
    let address = serve(&exchange, PATIENT).await;
    let key = exchange.hmac("bob").await;
    let mut stopped = Socket::connect(address, "/ws-api/v3").await;
    subscribe(&mut stopped, &key).await;
    trade(&exchange, TRADES).await;
    let bound = gateway::views::Bounds::default().user_queue_bytes;
    let queued = exchange.views.user_feed().most_queued_bytes();
    assert!((bound / 2..=bound).contains(&queued), "{queued} bytes were queued");
    let (mut trades, mut ended) = (0, false);
    let code = loop {
        match stopped.text_or_close().await {
            Ok(frame) => {
                assert!(!ended, "nothing comes after the end: {frame}");
                let event = &frame["event"];
                ended = event["e"] == "eventStreamTerminated";
                if event["x"] == "TRADE" {
                    trades += 1;
                    assert_eq!(event["t"], trades, "none is left out");
                }
            }
            Err(code) => break code,
        }
    };
    assert!(trades > 1_000 && trades < TRADES, "it ended after {trades} trades");
    assert!(ended, "the stream's end is told");
    assert_eq!(code, Some(1013));
    // Whoever comes back is sent what happens from then on, and can ask for the rest.
    let mut again = Socket::connect(address, "/ws-api/v3").await;
    subscribe(&mut again, &key).await;
    let newest = exchange.signed(&key, "GET", "/api/v3/myTrades", "symbol=BTCUSDT&limit=1").await.ok();
    assert_eq!(newest[0]["id"], TRADES);
    trade(&exchange, 1).await;
    let report = again.until(|frame| frame["event"]["x"] == "TRADE").await;
    assert_eq!(report["event"]["t"], TRADES + 1);
}

async fn subscribe(socket: &mut Socket, key: &Key) {
    let timestamp = now_millis();
    let payload = format!("apiKey={}&timestamp={timestamp}", key.api_key);
    let frame = json!({"id": 1, "method": "userDataStream.subscribe.signature", "params": {
        "apiKey": key.api_key, "timestamp": timestamp, "signature": key.sign(&payload),
    }});
    assert_eq!(socket.ask(frame).await["result"], json!({"subscriptionId": 0}));
}
