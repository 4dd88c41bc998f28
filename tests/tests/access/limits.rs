//! The limits as they are when nobody has raised them.

use crate::http::{Answer, ask};
use std::net::TcpStream;
use tests::{
    client::{Client, milliseconds_now},
    server::Server,
};

/// More than either limit needs, however the windows fall.
const REQUESTS_MAX: usize = 1_000;

fn order(stream: &mut TcpStream, client: &Client) -> Answer {
    let payload = format!(
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000&recvWindow=60000&timestamp={}",
        milliseconds_now()
    );
    let target = format!("/api/v3/order?{payload}&signature={}", client.signature(&payload));
    ask(stream, "POST", &target, &[("X-MBX-APIKEY", client.api_key())])
}

#[test]
fn by_default_an_account_and_an_address_are_held_to_the_dialects_limits() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start_with(&directory.path().join("data"), "");
    let (first, second) = (server.client(1), server.client(2));
    let mut stream = TcpStream::connect(server.listen).expect("the port is open");

    // Orders, by account: 100 in 10 seconds.
    let mut count = 0;
    let refused = loop {
        let answer = order(&mut stream, &first);
        if answer.status != 200 {
            break answer;
        }
        let shown: u32 = answer.header("x-mbx-order-count-10s").expect("a count").parse().expect("a number");
        assert!(shown == count + 1 || shown <= 1, "{shown} after {count}");
        count = shown;
    };
    assert_eq!((refused.status, refused.body["code"].as_i64()), (429, Some(-1015)), "{refused:?}");
    assert_eq!(refused.body["msg"], "Too many new orders; current limit is 100 orders per 10 SECOND.");
    assert_eq!(count, 100);
    let wait: u64 = refused.header("retry-after").expect("a time").parse().expect("a number");
    assert!((1..=10).contains(&wait));
    assert_eq!(order(&mut stream, &second).status, 200, "another account is not meant");

    // Weight, by address: 6000 in a minute; then bans.
    let mut statuses = Vec::new();
    while statuses.last() != Some(&418) && statuses.len() < REQUESTS_MAX {
        let answer = ask(&mut stream, "GET", "/api/v3/depth?symbol=BTCUSDT&limit=5000", &[]);
        let used: u32 = match answer.header("x-mbx-used-weight-1m") {
            Some(used) => used.parse().expect("a number"),
            None => panic!("no weight: {answer:?}"),
        };
        match answer.status {
            200 => assert!(used <= 6_000),
            429 | 418 => assert!(used > 6_000 && answer.header("retry-after").is_some(), "{answer:?}"),
            other => panic!("{other}: {answer:?}"),
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses.last(), Some(&418), "{statuses:?}");
    assert!(statuses.contains(&429));
    let banned = order(&mut stream, &second);
    assert_eq!((banned.status, banned.body["code"].as_i64()), (418, Some(-1003)), "{banned:?}");

    // Operators see it, and are not meant.
    let mut admin = TcpStream::connect(server.admin).expect("the port is open");
    assert_eq!(ask(&mut admin, "GET", "/readyz", &[]).status, 200);
}
