//! A sync fails: the process ends at once, does not answer what the sync was for, and does not ask the
//! system again, which would say yes and lie.

use crate::{clients, kill::Seen, verify};
use std::os::unix::process::ExitStatusExt as _;
use tests::{
    audit,
    client::ClientError,
    load::{Load, Random},
    order::place_limit,
    server::Server,
    tracer::Tracer,
};
use ureq::http::Method;

/// Which sync fails, after the tracer is there.
const NTH: [u64; 3] = [1, 2, 5];
/// Under load, with groups of several orders.
const NTH_UNDER_LOAD: u64 = 40;
const ABORT: i32 = 6;

pub fn one_by_one() {
    for nth in NTH {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let mut server = Server::start(&data);
        let client = server.client(1);
        let tracer = fail_sync(&server, &directory.path().join("trace"), nth);
        let mut answered = Vec::new();
        // One after the other: each is a group and a sync of its own.
        let end = loop {
            let name = format!("n{}", answered.len() + 1);
            match place_limit(&client, ["BUY", "0.001", "40000"], &[("newClientOrderId", &name)]) {
                Ok(answer) => answered.push(answer["orderId"].as_u64().expect("an order id")),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(end, ClientError::NoAnswer(_) | ClientError::Refused { code: -1006, .. }),
            "sync {nth}: {end}"
        );
        let status = server.ended();
        assert_eq!(status.signal(), Some(ABORT), "{status}");
        assert!(server.log().contains("the journal failed"), "{}", server.log());
        assert_eq!(answered.len() as u64, nth - 1, "answered before the sync that failed");
        let calls = journal_syncs(tracer);
        assert_eq!(calls.len() as u64, nth, "no call after the one that failed: {calls:?}");
        assert!(calls.last().is_some_and(|call| call.contains("EIO")), "{calls:?}");

        let server = Server::start(&data);
        let open = server.client(1).signed(&Method::GET, "/api/v3/openOrders", &[("symbol", "BTCUSDT")]);
        let open = open.expect("an account's own view");
        let ids = open.as_array().expect("a list").iter().filter_map(|order| order["orderId"].as_u64());
        let ids: Vec<u64> = ids.collect();
        assert!(ids.starts_with(&answered) && ids.len() <= answered.len() + 1, "{answered:?}: {ids:?}");
        verify(&data);
        println!(
            "sync: EIO at sync {nth}: {} orders answered, the next one not ({end}); the process ended with \
             {status} after {} calls; open again in {} ms with {} orders",
            answered.len(),
            calls.len(),
            server.opened_in.as_millis(),
            ids.len()
        );
    }
}

pub fn under_load() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let load = Load::new(&directory.path().join("acknowledged")).expect("the log can be made");
    let mut random = Random::new(u64::from(std::process::id()));
    let mut server = Server::start(&data);
    let tracer = fail_sync(&server, &directory.path().join("trace"), NTH_UNDER_LOAD);
    let status = load.trade(&clients(&server), "s", &mut random, || server.ended());
    assert_eq!(status.signal(), Some(ABORT), "{status}");
    let calls = journal_syncs(tracer);
    assert_eq!(calls.len() as u64, NTH_UNDER_LOAD, "no call after the one that failed: {calls:?}");
    let server = Server::start(&data);
    let mut seen = Seen::default();
    seen.opened(server.opened_in);
    seen.add(audit::audit(&clients(&server), &load.log()));
    verify(&data);
    println!("sync: EIO at sync {NTH_UNDER_LOAD} under load, then no call: {}", seen.summary());
}

fn fail_sync(server: &Server, trace: &std::path::Path, nth: u64) -> Tracer {
    let inject = format!("inject=fdatasync:error=EIO:when={nth}");
    Tracer::attach_thread(server, "rialto-sequence", trace, &["-e", "trace=fdatasync", "-e", &inject])
}

fn journal_syncs(tracer: Tracer) -> Vec<String> {
    let mut calls = tracer.ended();
    calls.retain(|line| line.contains("fdatasync(") && line.contains("/journal/"));
    calls
}
