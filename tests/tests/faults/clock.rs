//! The clock: an hour off for a client, and an hour ahead of today's while the journal was written. The
//! core takes its time from the journal and is not touched; who signs with a wrong time is refused.

use crate::{
    journal::{self, ADMINISTRATION},
    verify,
};
use protocol::{Time, command::Command};
use tests::{
    client::{ClientError, milliseconds_now},
    order::limit,
    ports::free_addresses,
    server::{Server, serve},
};
use ureq::http::Method;

const HOUR: u128 = 3_600_000;

/// Orders signed at these times, in milliseconds from now, and what they are told.
const SIGNED: [(i64, Option<i64>); 6] = [
    (-3_600_000, Some(-1021)),
    (-61_000, Some(-1021)),
    (0, None),
    (-1_000, None),
    (30_000, Some(-1021)),
    (3_600_000, Some(-1021)),
];

pub fn of_a_client() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let server = Server::start(&data);
    let client = server.client(1);
    for (off, expected) in SIGNED {
        let timestamp = (milliseconds_now() as i64 + off).to_string();
        let order = limit("BUY", "0.001", "40000");
        let told = client.signed_at(&timestamp, &Method::POST, "/api/v3/order", &order);
        let code = match &told {
            Ok(_) => None,
            Err(ClientError::Refused { code, .. }) => Some(*code),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(code, expected, "{off} ms off: {told:?}");
        let told =
            told.map_or_else(|error| error.to_string(), |answer| format!("order {}", answer["orderId"]));
        println!("clock: an order signed {off} ms from now: {told}");
    }
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    verify(&data);
}

/// The machine's clock was an hour ahead when the last command was written, and is right again: time does
/// not run backwards, so that the start waits for somebody to say which of the two is right.
pub fn of_the_machine() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let server = Server::start(&data);
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    let before = journal::held(&data, ADMINISTRATION);
    let ahead = Time(((milliseconds_now() + HOUR) * 1_000_000) as u64);
    journal::append(&data, &Command::Tick, ADMINISTRATION, before.next_number, ahead);
    verify(&data);

    let [listen, admin] = free_addresses();
    let start = serve(&data, listen, admin).output().expect("rialto can be started");
    let said = String::from_utf8_lossy(&start.stderr);
    let words = "behind the time of the journal's last command; set the clock, or wait";
    assert!(said.contains(words), "{said}");
    assert_eq!(start.status.code(), Some(2), "{said}");
    verify(&data);
    let told = said.lines().rfind(|line| line.contains(words)).unwrap_or_default();
    println!("clock: the journal's last command is an hour ahead of the clock: {}: {told}", start.status);
}
