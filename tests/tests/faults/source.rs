//! A source with an old database would send a new command under a number that was used, or take an old
//! command's outcome for a new one's: that source stops with an alarm and nothing is swallowed; the others
//! go on, and an operator lets it go on again.

use crate::{
    journal::{self, GATEWAY},
    verify,
};
use protocol::command::Command;
use serde_json::{Value, json};
use std::fs;
use tests::{
    client::{Client, ClientError},
    order::place_limit,
    server::Server,
};
use ureq::http::Method;

pub fn with_a_used_number() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let server = Server::start(&data);
    let first = place(&server.client(1)).expect("an order in range");
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    // The gateway's last number again, for something else.
    let held = journal::held(&data, GATEWAY);
    let number = protocol::SourceNumber(held.next_number.0 - 1);
    let again = journal::append(&data, &Command::Tick, GATEWAY, number, held.time);

    let server = Server::start(&data);
    let refused = place(&server.client(1)).expect_err("its source is stopped");
    let ClientError::Refused { status, .. } = &refused else { panic!("{refused}") };
    assert!(*status >= 400, "{refused}");
    let asset = json!({"name": "DOGE", "scale": 8});
    let ask = |path: &str, body: &Value| server.operator().ask(&Method::POST, path, body).expect("an answer");
    let (status, made) = ask("/admin/assets", &asset);
    assert_eq!(status, 200, "another source goes on: {made}");
    let alarm = alarm(&server);
    let (status, resumed) = ask("/admin/sources/1/resume", &Value::Null);
    assert_eq!((status, &resumed["was_stopped"]), (200, &true.into()), "{resumed}");
    let next = place(&server.client(1)).expect("its source goes on");
    assert_eq!(next["orderId"].as_u64(), first["orderId"].as_u64().map(|id| id + 1), "no id was used");
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    verify(&data);
    println!(
        "source: command {again} has number {} of source 1 with another content: the source is stopped ({refused}; the log: \
         {alarm}), administration goes on ({made}); resumed ({resumed}), the next order is {}",
        number.0, next["orderId"]
    );
}

/// Administration's own database is from before: the exchange has made an account since.
pub fn of_administration() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let (status, _) = Server::start(&data).terminate();
    assert!(status.success(), "{status}");
    let (database, backup) = (data.join("accounts.sqlite"), directory.path().join("backup.sqlite"));
    fs::copy(&database, &backup).expect("the database can be copied");
    let server = Server::start(&data);
    let ask = |server: &Server, path: &str, body: &Value| {
        server.operator().ask(&Method::POST, path, body).expect("an answer")
    };
    let account = |name: &str| json!({"name": name});
    let (status, bob) = ask(&server, "/admin/accounts", &account("bob"));
    assert_eq!(status, 200, "{bob}");
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    fs::copy(&backup, &database).expect("the database can be restored");

    let server = Server::start(&data);
    let (status, refused) = ask(&server, "/admin/accounts", &account("carol"));
    assert_eq!(status, 503, "{refused}");
    assert!(
        refused["error"].as_str().is_some_and(|text| text.contains("older than the journal")),
        "{refused}"
    );
    place(&server.client(1)).expect("traders go on");
    let log = server.log();
    let alarm = log.lines().rfind(|line| line.contains("older than the journal")).expect("an alarm");
    let (status, resumed) = ask(&server, "/admin/sources/2/resume", &Value::Null);
    assert_eq!((status, &resumed["was_stopped"]), (200, &true.into()), "{resumed}");
    let (status, carol) = ask(&server, "/admin/accounts", &account("carol"));
    assert_eq!(status, 200, "{carol}");
    assert_ne!(carol["account_id"], bob["account_id"], "carol is not bob");
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    let server = Server::start(&data);
    let (status, dave) = ask(&server, "/admin/accounts", &account("dave"));
    assert_eq!(status, 200, "{dave}");
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    verify(&data);
    println!(
        "source: the accounts' database is from before account {}: administration is stopped ({refused}; the log: {alarm}), \
         traders go on; resumed ({resumed}), the next account is {}",
        bob["account_id"], carol["account_id"]
    );
}

fn alarm(server: &Server) -> String {
    let log = server.log();
    log.lines()
        .rfind(|line| line.contains("stopped") && line.contains("source"))
        .unwrap_or_default()
        .to_owned()
}

fn place(client: &Client) -> Result<Value, ClientError> {
    place_limit(client, ["BUY", "0.001", "40000"], &[])
}
