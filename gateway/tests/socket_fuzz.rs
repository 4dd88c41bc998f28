//! Whatever text is sent over a WebSocket, each is answered once, in the door's own words, and the door
//! stays open: frames of a corpus, cut, joined, and changed in places.
#![allow(clippy::unwrap_used, reason = "what cannot be here is a test's failure")]

mod exchange;

use exchange::{Exchange, Socket};
use gateway::RateLimits;
use proptest::{
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;
use std::num::NonZeroU32;

/// Frames sent to each door.
const FRAMES: usize = 3_000;

const STREAMS: &[&str] = &[
    r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@depth@100ms"],"id":1}"#,
    r#"{"method":"SUBSCRIBE","params":["btcusdt@kline_1d@+08:00","!miniTicker@arr@1000ms"],"id":"a-b_c"}"#,
    r#"{"method":"UNSUBSCRIBE","params":["btcusdt%40trade"],"id":null}"#,
    r#"{"method":"LIST_SUBSCRIPTIONS","id":-9223372036854775808}"#,
    r#"{"method":"SET_PROPERTY","params":["combined",true],"id":5}"#,
    r#"{"method":"GET_PROPERTY","params":["combined"],"id":2}"#,
    r#"{"id":1,"id":2,"method":"SUBSCRIBE","params":[]}"#,
    r#"{"method":"SUBSCRIBE","params":[1,null,{"a":[]},"\u0000"],"id":{}}"#,
];

const CALLS: &[&str] = &[
    r#"{"id":"1","method":"ping"}"#,
    r#"{"id":7,"method":"v3/depth","params":{"symbol":"BTCUSDT","limit":5}}"#,
    r#"{"id":null,"method":"klines","params":{"symbol":"BTCUSDT","interval":"1m","timeZone":"-11:59"}}"#,
    r#"{"id":1,"method":"ticker.24hr","params":{"symbols":["BTCUSDT"],"type":"MINI"}}"#,
    r#"{"id":1,"method":"session.logon","params":{"apiKey":"x","timestamp":1700000000000,"signature":"00"}}"#,
    r#"{"id":1,"method":"session.status","params":{}}"#,
    r#"{"id":1,"method":"session.subscriptions"}"#,
    r#"{"id":1,"method":"userDataStream.unsubscribe","params":{"subscriptionId":"0"}}"#,
    r#"{"id":1,"method":"userDataStream.subscribe.signature","params":{"apiKey":"x","timestamp":"1","recvWindow":5000.001,"signature":"=="}}"#,
    r#"{"id":1,"method":"order.place","params":{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","price":40000.10,"quantity":"0.5","apiKey":"x","timestamp":1,"signature":"a"}}"#,
    r#"{"id":1,"method":"exchangeInfo","params":{"permissions":["SPOT",[]],"returnRateLimits":"maybe"}}"#,
    r#"{"id":1,"method":"trades.aggregate","params":{"symbol":"BTCUSDT","fromId":18446744073709551616}}"#,
];

/// What has broken parsers before.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\u",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "-0",
    "-",
    "18446744073709551616",
    "0.1e-400",
    "\u{0}",
    "\u{feff}",
    "\u{10ffff}",
    "é",
    "%",
    "%40",
    "\n",
    "//",
    "NaN",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"a\":",
    "\"id\":",
    "\"params\":",
    "\"method\":",
];

/// A frame of the corpus, changed in up to six places; sometimes any text at all.
fn frame(corpus: &'static [&'static str]) -> impl Strategy<Value = String> {
    let change = (any::<Index>(), any::<Index>(), select(PIECES), select(corpus), 0_u8..5);
    let changed = (select(corpus), proptest::collection::vec(change, 0..6)).prop_map(|(frame, changes)| {
        let mut text: Vec<char> = frame.chars().collect();
        for (from, to, piece, other, kind) in changes {
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            match kind {
                0 => drop(text.drain(from..to.min(from + 8))),
                1 => drop(text.splice(from..from, piece.chars())),
                2 => drop(text.splice(from..to.min(from + 4), piece.chars())),
                3 => drop(text.splice(from.., other.chars().skip(from))),
                _ => {
                    let copy = text[from..to].to_vec();
                    drop(text.splice(to..to, copy));
                }
            }
        }
        text.into_iter().take(4_000).collect()
    });
    prop_oneof![9 => changed, 1 => any::<String>()]
}

fn frames(corpus: &'static [&'static str]) -> Vec<String> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let strategy = frame(corpus);
    let any = (0..FRAMES).map(|_| strategy.new_tree(&mut runner).unwrap().current());
    corpus.iter().map(|frame| (*frame).to_owned()).chain(any).collect()
}

async fn exchange() -> Exchange {
    let limits = RateLimits {
        request_weight_per_minute: 100_000_000,
        raw_requests_per_5_minutes: 100_000_000,
        stream_message_burst: NonZeroU32::new(1_000_000).unwrap(),
        ..RateLimits::default()
    };
    Exchange::open_with(limits).await
}

#[tokio::test]
async fn every_control_frame_is_answered() {
    let exchange = exchange().await;
    let address = exchange.serve().await;
    let mut socket = Socket::connect(address, "/stream").await;
    for frame in frames(STREAMS) {
        socket.send(frame.clone()).await;
        let answer = socket.next().await;
        let error = &answer["error"];
        let good = answer.get("result").is_some() && error.is_null();
        let refused = (0..=4).contains(&error["code"].as_i64().unwrap_or(-1)) && error["msg"].is_string();
        assert!((good || refused) && answer.get("id").is_some(), "{frame}: {answer}");
    }
}

#[tokio::test]
async fn every_request_is_answered_without_a_fault_of_the_servers() {
    let exchange = exchange().await;
    let address = exchange.serve().await;
    let before = exchange.state_hash();
    let mut socket = Socket::connect(address, "/ws-api/v3").await;
    for frame in frames(CALLS) {
        socket.send(frame.clone()).await;
        let answer = socket.next().await;
        let status = answer["status"].as_u64().unwrap_or_default();
        match status {
            200 => assert!(answer.get("result").is_some(), "{frame}: {answer}"),
            400..500 => {
                assert!(answer["error"]["code"].as_i64().is_some_and(|code| code < 0), "{frame}: {answer}");
                assert!(answer["error"]["msg"].is_string(), "{frame}: {answer}");
            }
            _ => panic!("{frame}: {answer}"),
        }
        assert!(
            matches!(answer["id"], Value::Null | Value::Number(_) | Value::String(_)),
            "{frame}: {answer}"
        );
    }
    assert_eq!(exchange.state_hash(), before, "nobody was let in");
}
