//! Whatever is sent to whichever path, signed or not, as a query, a form or JSON: the door answers in its
//! own words, with a documented status, and never with a fault of its own. Values come from a corpus of
//! those that have broken parsers before, from the document's own words, and from anywhere.

mod exchange;

use exchange::{Exchange, Key};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{collection::vec, prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Value, json};
use std::{cell::Cell, sync::OnceLock};
use tokio::runtime::Runtime;

/// Values that are at the edge of something.
const CORPUS: &[&str] = &[
    "",
    "0",
    "1",
    "2",
    "-1",
    "+1",
    "00",
    "007",
    "0.5",
    "0.1",
    "5.",
    ".5",
    "0.00000001",
    "0.000000001",
    "1e5",
    "1E400",
    "NaN",
    "Infinity",
    "-0",
    "0x10",
    "1_000",
    "1,5",
    "١٢",
    "null",
    "true",
    "false",
    "TRUE",
    "undefined",
    "4294967294",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    "999999999999999999999",
    "0.99999999999999999999",
    "50000",
    "40000.00",
    "50000.01",
    "1000",
    "5000",
    "1700000000000",
    "1700000000000000",
    "253402300800000",
    "BTCUSDT",
    "btcusdt",
    "BTC",
    "USDT",
    "DOGE",
    "AAAAAAAAAAAAAAAAAAAAAAAAA",
    "BUY",
    "SELL",
    "LIMIT",
    "MARKET",
    "LIMIT_MAKER",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
    "GTC",
    "IOC",
    "FOK",
    "GTD",
    "1m",
    "1M",
    "7d",
    "59m",
    "14:00",
    "-12:00",
    "12:60",
    "rialto-1",
    "rialto-cancel-1",
    "rialto-18446744073709551615",
    "x-TKT5PX2F0",
    "a b",
    "a\u{0}b",
    "\u{feff}",
    "é",
    "💥",
    "%",
    "%00",
    "%ff",
    "&",
    "=",
    "[]",
    "[\"BTCUSDT\"]",
    "[\"BTCUSDT\",\"BTCUSDT\"]",
    "[\"\"]",
    "[1]",
    "[[]]",
    "[\"BTCUSDT\"",
    "{}",
    "{\"a\":1}",
    "\"",
    "'",
    "<script>",
    "../../etc/passwd",
    "'; DROP TABLE keys; --",
];

/// Where anything is sent.
const PATHS: [&str; 5] = ["/api/v3/order", "/api/trade/create-order", "/api/v3/ping", "/api/v3/depth", "/"];

/// The exchange that every case asks: what one leaves, the next one finds.
struct Target {
    exchange: Exchange,
    key: Key,
    document: Value,
    runtime: Runtime,
}

fn target() -> &'static Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let runtime = Runtime::new().expect("a runtime starts");
        let (exchange, key, document) = runtime.block_on(async {
            let exchange = Exchange::open().await;
            let key =
                exchange.key("alice", json!({"key_type": "HMAC", "scopes": "READ,TRADE,WITHDRAW"})).await;
            let order = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&price=50000&quantity=50";
            exchange.signed(&exchange.hmac("bob").await, "POST", "/api/v3/order", order).await.ok();
            exchange.tick();
            let document = exchange.public("/api/openapi.json").await.ok();
            (exchange, key, document)
        });
        Target { exchange, key, document, runtime }
    })
}

/// A documented operation: method, path, and each parameter with the words it takes.
#[derive(Clone, Debug)]
struct Operation {
    method: String,
    path: String,
    parameters: Vec<(String, Vec<String>)>,
}

fn operations() -> Vec<Operation> {
    let texts = |values: &Value| {
        values.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let paths = target().document["paths"].as_object().expect("a document has paths");
    let operation = |path: &str, method: &str, operation: &Value| Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        parameters: operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query" && parameter["name"] != "signature")
            .map(|parameter| {
                (
                    parameter["name"].as_str().expect("a parameter has a name").to_owned(),
                    texts(&parameter["schema"]["enum"]),
                )
            })
            .collect(),
    };
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .expect("a path has operations")
                .iter()
                .map(move |(method, body)| operation(path, method, body))
        })
        .collect()
}

fn value(words: Vec<String>) -> BoxedStrategy<String> {
    let corpus = select(CORPUS).prop_map(str::to_owned);
    let anything = prop_oneof![
        any::<String>(),
        "[0-9]{1,22}(\\.[0-9]{1,22})?",
        "[A-Z0-9]{1,26}",
        "[a-zA-Z0-9_-]{1,40}",
    ];
    if words.is_empty() {
        prop_oneof![3 => corpus, 2 => anything].boxed()
    } else {
        prop_oneof![6 => select(words), 2 => corpus, 1 => anything].boxed()
    }
}

/// A request to an operation: some of its parameters, now and then one of another's, or one twice.
fn request(operation: Operation) -> impl Strategy<Value = (Operation, Vec<(String, String)>)> {
    let good: Vec<(&str, &str)> = vec![("symbol", "BTCUSDT"), ("coin", "BTC"), ("interval", "1m")];
    let sent: Vec<_> = operation
        .parameters
        .iter()
        .map(|(name, words)| {
            let usual = good.iter().find(|(known, _)| known == name).map(|(_, value)| (*value).to_owned());
            let usual = usual.map_or_else(
                || value(words.clone()),
                |usual| prop_oneof![6 => Just(usual), 1 => value(words.clone())].boxed(),
            );
            let name = name.clone();
            proptest::option::weighted(0.6, usual)
                .prop_map(move |value| value.map(|value| (name.clone(), value)))
        })
        .collect();
    let stray = vec(("[a-zA-Z]{1,20}|timestamp|signature", value(Vec::new())), 0..2);
    (Just(operation), sent, stray)
        .prop_map(|(operation, sent, stray)| (operation, sent.into_iter().flatten().chain(stray).collect()))
}

/// How the parameters travel.
#[derive(Clone, Copy, Debug)]
enum Form {
    Query,
    Body,
    Json,
    Unsigned,
}

fn urlencoded(pairs: &[(String, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

async fn send(operation: &Operation, pairs: &[(String, String)], form: Form) -> exchange::Reply {
    let Target { exchange, key, .. } = target();
    let headers = [("x-mbx-apikey", key.api_key.as_str())];
    let timing = format!("timestamp={}", exchange::now_millis());
    let untimed: Vec<_> =
        pairs.iter().filter(|(name, _)| name != "timestamp" && name != "signature").cloned().collect();
    let (query, body) = match form {
        Form::Query => (format!("{}&{timing}", urlencoded(&untimed)), String::new()),
        Form::Body => (timing, urlencoded(&untimed)),
        Form::Json => {
            let object: serde_json::Map<String, Value> =
                untimed.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            (timing, Value::Object(object).to_string())
        }
        Form::Unsigned => (urlencoded(pairs), String::new()),
    };
    let query = match form {
        Form::Unsigned => query,
        // A GET has no body: what is signed is its query.
        _ if operation.method == "GET" => format!("{query}&signature={}", key.sign(&query)),
        _ => format!("{query}&signature={}", key.sign(&format!("{query}{body}"))),
    };
    exchange.raw(&operation.method, &format!("{}?{query}", operation.path), &headers, body).await
}

#[test]
fn every_request_is_answered_in_the_doors_own_words() {
    let target = target();
    let mut good = 0;
    for operation in operations() {
        let mut runner = TestRunner::new(ProptestConfig {
            cases: 60,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let forms = prop_oneof![3 => Just(Form::Query), 2 => Just(Form::Body), 2 => Just(Form::Json), 1 => Just(Form::Unsigned)];
        let cases = (request(operation), forms);
        let answered_well = Cell::new(0);
        let result = runner.run(&cases, |((operation, pairs), form)| {
            let reply = target.runtime.block_on(send(&operation, &pairs, form));
            let Operation { method, path, .. } = &operation;
            let documented = &target.document["paths"][path][method.to_lowercase()]["responses"];
            prop_assert!(reply.status < 500, "{} {}: {} {}", method, path, reply.status, reply.body);
            prop_assert!(
                documented[reply.status.to_string()].is_object(),
                "{} {}: {}",
                method,
                path,
                reply.status
            );
            if reply.status >= 400 {
                prop_assert!(reply.body["code"].as_i64().is_some_and(|code| code <= -1000), "{}", reply.body);
                prop_assert!(
                    reply.body["msg"].as_str().is_some_and(|text| !text.is_empty()),
                    "{}",
                    reply.body
                );
            } else {
                answered_well.set(answered_well.get() + 1);
            }
            Ok(())
        });
        if let Err(error) = result {
            panic!("{error}");
        }
        good += answered_well.get();
    }
    assert!(good > 500, "most paths must be reached beyond their parameters: only {good} requests were good");
    target.exchange.views.audit().unwrap();
}

#[test]
fn bodies_and_queries_of_any_bytes_are_refused_or_passed_over() {
    let target = target();
    let texts = prop_oneof![
        vec(any::<u8>(), 0..200),
        "[{}\\[\\]\":,a-z0-9 ]{0,80}".prop_map(String::into_bytes),
        "[a-c=&%+0-9{]{0,80}".prop_map(String::into_bytes),
    ];
    let queries = "[-A-Za-z0-9._~!$&'()*+,;=:@/?%]{0,60}";
    let cases = (
        select(&PATHS[..]),
        select(&["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"][..]),
        queries,
        texts,
    );
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let result = runner.run(&cases, |(path, method, query, body)| {
        let key = ("x-mbx-apikey", target.key.api_key.as_str());
        let reply =
            target.runtime.block_on(target.exchange.bytes(method, &format!("{path}?{query}"), &[key], body));
        prop_assert!(reply.status < 500, "{} {}?{}: {}", method, path, query, reply.status);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
