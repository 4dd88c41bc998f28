//! A command that breaks an invariant: trading halts before anything of it leaves, the next start is open
//! to read as it was before it, and there is a way on. docs/operations/halt.md tells operators the same.

use crate::{
    clients,
    journal::{self, ADMINISTRATION, GATEWAY},
    until, verify,
};
use protocol::{Time, command::Command};
use serde_json::Value;
use std::{fs, path::Path};
use tests::{
    amount::ONE,
    client::{Client, ClientError},
    order::place_limit,
    program,
    server::Server,
};
use ureq::http::Method;

/// What a demonstration's account has at first, in units.
const USDT: i128 = 1_000_000 * ONE;
/// Held for an order to buy 0.01 at 40,000.
const HELD: i128 = 400 * ONE;

/// A command is in the journal that no core takes: its time lies before the one before it.
pub fn at_the_start() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let server = Server::start(&data);
    let order = place(&server.client(1)).expect("an order in range");
    stop(server);
    let before = journal::held(&data, ADMINISTRATION);
    let broken = journal::append(&data, &Command::Tick, ADMINISTRATION, before.next_number, Time(1));

    let server = Server::start_halted(&data);
    let (status, ready) = server.readiness();
    let reason = ready["reason"].as_str().expect("a reason");
    assert!(reason.contains(&format!("command {broken} broke an invariant")), "{ready}");
    assert_eq!((status, &ready["sequence"]), (503, &before.last.0.into()), "{ready}");
    let open = open_orders(&server.client(1));
    assert_eq!(open.len(), 1, "what was there before the command can be read");
    let refused = place(&server.client(2)).expect_err("trading has halted");
    assert!(matches!(refused, ClientError::Refused { status: 503, .. }), "{refused}");
    let log = last_lines(&server, "halted");
    stop(server);
    let verified = program::run(["replay", "verify", text(&data), "--json"]);
    let said = format!("{}{}", lossy(&verified.stdout), lossy(&verified.stderr));
    assert!(!verified.status.success() && said.contains(&broken.to_string()), "{said}");
    println!(
        "halt: command {broken} runs backwards in time: the start halted: /readyz {status} {ready}; the log: {log}; 1 order \
         can be read, a new one is refused ({refused}); `rialto replay verify` ended with {}: {said}",
        verified.status
    );

    let voided = program::run([
        "replay",
        "void",
        text(&data),
        "--sequence",
        &broken.to_string(),
        "--reason",
        "its time came from a broken clock",
        "--administrator",
        "Ada",
        "--administrator",
        "Grace",
    ]);
    let told = format!("{}{}", lossy(&voided.stdout), lossy(&voided.stderr));
    assert!(voided.status.success(), "{told}");
    let server = Server::start(&data);
    let next = place(&server.client(2)).expect("trading is open");
    assert_eq!(next["orderId"].as_u64(), order["orderId"].as_u64().map(|id| id + 1));
    stop(server);
    verify(&data);
    println!(
        "halt: voided by two administrators ({}); trading is open again, and replay agrees",
        told.trim()
    );
}

/// A snapshot that is whole and wrong: an account's order holds less than it must. The running core finds
/// it when the order is cancelled.
pub fn while_trading() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let server = Server::start(&data);
    let order = place(&server.client(1)).expect("an order in range");
    stop(server);
    let bytes = |held: i128| {
        let numbers = [USDT - held, held].map(|number| i64::try_from(number).expect("a balance"));
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>()
    };
    let (forged, file) = journal::forge_snapshot(&data, &bytes(HELD), &bytes(HELD - 1));

    let server = Server::start(&data);
    let client = server.client(1);
    let log = server.log();
    assert!(log.contains(&format!("snapshot={forged}")), "it went on from the forged snapshot: {log}");
    let mut stream = crate::stream::Stream::of_account(&server, &client);
    let cancel = [("symbol", "BTCUSDT"), ("origClientOrderId", "resting")];
    let fate = client.signed(&Method::DELETE, "/api/v3/order", &cancel).expect_err("it breaks an invariant");
    assert!(
        matches!(fate, ClientError::Refused { code: -1006 | -1016, .. } | ClientError::NoAnswer(_)),
        "{fate}"
    );
    let (status, ready) = server.readiness();
    let reason = ready["reason"].as_str().expect("a reason");
    // The core takes a command while it is being written.
    let is_written =
        || reason.contains(&format!("command {} broke an invariant: ", journal::held(&data, GATEWAY).last));
    until("the journal's last command is the one that broke an invariant", is_written);
    let broken = journal::held(&data, GATEWAY).last;
    assert_eq!((status, &ready["status"]), (503, &"HALTED".into()), "{ready}");
    assert_eq!(open_orders(&client).len(), 1, "the cancel's effect has not left");
    let refused = place(&server.client(2)).expect_err("trading has halted");
    stop(server);
    assert_eq!(stream.rest(), Vec::<Value>::new(), "the cancel's events have not left");

    let server = Server::start_halted(&data);
    let (_, again) = server.readiness();
    assert_eq!(again["reason"], ready["reason"]);
    assert_eq!(again["sequence"], broken.0 - 1, "{again}");
    assert_eq!(open_orders(&server.client(1)).len(), 1);
    stop(server);
    let verified = program::run(["replay", "verify", text(&data)]);
    let said = format!("{}{}", lossy(&verified.stdout), lossy(&verified.stderr));
    assert!(!verified.status.success() && said.contains("snapshot"), "{said}");
    println!(
        "halt: a snapshot that holds 1 unit too little: the cancel of order {} was answered with {fate}, no event left; \
         /readyz {status} {ready}; another order: {refused}; the next start is open to read at {}; \
         `rialto replay verify` ended with {}: {}",
        order["orderId"],
        again["sequence"],
        verified.status,
        said.trim()
    );

    let voided =
        program::run(["replay", "void", text(&data), "--sequence", &broken.to_string()].into_iter().chain([
            "--reason",
            "it halted the exchange",
            "--administrator",
            "Ada",
            "--administrator",
            "Grace",
        ]));
    let not_broken = lossy(&voided.stderr);
    assert!(!voided.status.success(), "{not_broken}");
    println!("halt: `rialto replay void` of it ended with {}: {}", voided.status, not_broken.trim());

    fs::remove_file(&file).expect("the snapshot can be removed");
    let server = Server::start(&data);
    assert!(open_orders(&server.client(1)).is_empty(), "the cancel has happened");
    let balances = clients(&server)[0].signed(&Method::GET, "/api/v3/account", &[]).expect("an account");
    assert!(balances.to_string().contains("1000000.00000000"), "{balances}");
    place(&server.client(2)).expect("trading is open");
    stop(server);
    verify(&data);
    println!(
        "halt: {file} removed: the whole journal was applied again, the cancel is done, and replay agrees"
    );
}

fn place(client: &Client) -> Result<Value, ClientError> {
    place_limit(client, ["BUY", "0.01", "40000"], &[("newClientOrderId", "resting")])
}

fn open_orders(client: &Client) -> Vec<Value> {
    let open = client.signed(&Method::GET, "/api/v3/openOrders", &[("symbol", "BTCUSDT")]);
    open.expect("an account's own view").as_array().expect("a list").clone()
}

fn stop(server: Server) {
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
}

/// The log's last line with this word.
fn last_lines(server: &Server, word: &str) -> String {
    let log = server.log();
    log.lines().rfind(|line| line.contains(word)).unwrap_or_else(|| panic!("no {word} in {log}")).to_owned()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}
