//! More orders than the exchange takes: its queue is small and its disk is slow. Those it has no room for
//! are refused at once in clear words, those it has answered are on disk, and it recovers by itself.

use crate::{clients, kill::Seen, verify};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};
use tests::{
    audit,
    client::{Client, ClientError},
    load::{Known, Line, text},
    server::Server,
    tracer::Tracer,
};
use ureq::http::Method;

/// The smallest queue there is, and limits that no test comes near.
const SETTINGS: &str = "ring_slots = 64
request_weight_per_minute = 100000000
raw_requests_per_5_minutes = 100000000
orders_per_10_seconds = 1000000
orders_per_day = 100000000
";
/// Each sync takes so much longer, as on a slow disk.
const SLOW: [&str; 4] = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=20000"];
/// Clients of each account when it is calm and when it is too much.
const CALM: usize = 1;
const MANY: usize = 50;
/// How long each phase lasts.
const PHASE: Duration = Duration::from_secs(2);

/// What the clients of a phase saw.
#[derive(Default)]
struct Phase {
    lines: Vec<Line>,
    accepted: Vec<Duration>,
    refused: Vec<Duration>,
    words: Option<String>,
    unknown: usize,
}

pub fn is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let server = Server::start_with(&data, SETTINGS);
    let tracer = Tracer::attach_thread(&server, "rialto-sequence", &directory.path().join("trace"), &SLOW);
    let traders = clients(&server);
    let mut calm = phase(&traders, "calm", CALM, || thread::sleep(PHASE));
    let mut much = phase(&traders, "much", MANY, || thread::sleep(PHASE));
    let (status, _) = server.readiness();
    assert_eq!(status, 200, "an overload is no end");
    let mut again = phase(&traders, "again", CALM, || thread::sleep(PHASE));
    // The moment at which most is under way.
    let killed = phase(&traders, "kill", MANY, || {
        thread::sleep(PHASE / 4);
        server.kill();
    });
    drop(tracer.ended());

    assert!(calm.refused.is_empty() && again.refused.is_empty(), "refused without need");
    assert!(!much.refused.is_empty(), "{} accepted, and none refused", much.accepted.len());
    let words = much.words.take().expect("a refusal has words");
    let server = Server::start(&data);
    let mut seen = Seen::default();
    seen.opened(server.opened_in);
    let lines: Vec<Line> =
        [&calm, &much, &again, &killed].iter().flat_map(|phase| phase.lines.iter().cloned()).collect();
    seen.add(audit::audit(&clients(&server), &lines));
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    verify(&data);
    println!(
        "overload: a queue of 64 slots and syncs of 20 ms more; {} clients: {}; {} clients: {}, {} refused ({words}) \
         within {} ms (p99); {} clients again: {}",
        3 * CALM,
        accepted(&mut calm),
        3 * MANY,
        accepted(&mut much),
        much.refused.len(),
        p99(&mut much.refused).as_millis(),
        3 * CALM,
        accepted(&mut again)
    );
    println!("overload: killed under it: {}", seen.summary());
}

/// Lets so many clients of each account place orders, one after the other each, while `meanwhile` runs.
fn phase(traders: &[Client], name: &str, many: usize, meanwhile: impl FnOnce()) -> Phase {
    let ended = AtomicBool::new(false);
    let phases: Vec<Phase> = thread::scope(|scope| {
        let mut threads = Vec::new();
        for (account, client) in (1..).zip(traders) {
            for number in 0..many {
                let (ended, prefix) = (&ended, format!("{name}{number}a{account}n"));
                threads.push(scope.spawn(move || place_until(client, account, &prefix, ended)));
            }
        }
        meanwhile();
        ended.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("a client ends")).collect()
    });
    let mut all = Phase::default();
    for phase in phases {
        all.lines.extend(phase.lines);
        all.accepted.extend(phase.accepted);
        all.refused.extend(phase.refused);
        all.words = all.words.or(phase.words);
        all.unknown += phase.unknown;
    }
    all
}

fn place_until(client: &Client, account: usize, prefix: &str, ended: &AtomicBool) -> Phase {
    let mut phase = Phase::default();
    let mut number = 0_u64;
    while !ended.load(Ordering::Relaxed) {
        number += 1;
        let name = format!("{prefix}{number}");
        let order = [
            ("symbol", "BTCUSDT"),
            ("side", "BUY"),
            // Nothing is there to trade with, so that nothing is left open.
            ("type", "LIMIT"),
            ("timeInForce", "IOC"),
            ("quantity", "0.001"),
            ("price", "40000"),
            ("newClientOrderId", &name),
            ("newOrderRespType", "RESULT"),
        ];
        let sent = Instant::now();
        let answer = client.signed(&Method::POST, "/api/v3/order", &order);
        let took = sent.elapsed();
        let known = match answer {
            Ok(answer) => {
                phase.accepted.push(took);
                let order_id = answer["orderId"].as_u64().expect("an order id");
                let (status, executed) = (text(&answer, "status"), text(&answer, "executedQty"));
                Known::Placed { order_id, status, executed }
            }
            Err(ClientError::Refused { status: 503, code: -1008, message }) => {
                phase.refused.push(took);
                phase.words = Some(format!("HTTP 503: -1008 {message}"));
                Known::Refused
            }
            Err(ClientError::NoAnswer(_) | ClientError::Refused { code: -1006, .. }) => {
                phase.unknown += 1;
                phase.lines.push(Line { account, name, known: Known::Sent });
                break;
            }
            Err(error) => panic!("{error}"),
        };
        phase.lines.push(Line { account, name: name.clone(), known: Known::Sent });
        phase.lines.push(Line { account, name, known });
    }
    phase
}

fn accepted(phase: &mut Phase) -> String {
    let count = phase.accepted.len();
    format!("{count} accepted within {} ms (p99)", p99(&mut phase.accepted).as_millis())
}

fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() * 99 / 100).copied().unwrap_or_default()
}
