//! More orders than the exchange takes: its queue is small and its disk is slow. Those it has no room for
//! are refused at once in clear words, those it has answered are on disk, and it recovers by itself.

use crate::{clients, kill::Seen, until, verify};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};
use tests::{
    audit,
    client::{Client, ClientError},
    load::{Known, Line, text},
    server::{AMPLE_LIMITS, Server},
    tracer::Tracer,
};
use ureq::http::Method;

/// Slots of the queue: the fewest there can be.
const SLOTS: u64 = 64;
/// Each sync takes so much longer, as on a slow disk: 100 ms, in which even a busy machine's clients send more
/// than the queue holds.
const SLOW: [&str; 4] = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=100000"];
/// Clients of each account when it is calm and when it is too much.
const CALM: usize = 1;
const MANY: usize = 50;
/// Orders that are accepted in each phase, and refused in that of too many, at least.
const ACCEPTED: u64 = 60;
const REFUSED: u64 = 1_000;

/// What has become of a phase's orders so far.
#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    refused: AtomicU64,
    ended: AtomicBool,
}

impl Counts {
    /// Waits for so many.
    fn wait_for(&self, accepted: u64, refused: u64) {
        until("so many orders are accepted and refused", || {
            self.accepted.load(Ordering::Relaxed) >= accepted
                && self.refused.load(Ordering::Relaxed) >= refused
        });
    }
}

/// Ends the clients, also when the phase fails: it waits for them.
struct Ends<'a>(&'a Counts);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }
}

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
    let server = Server::start_with(&data, &format!("ring_slots = {SLOTS}\n{AMPLE_LIMITS}"));
    let tracer = Tracer::attach_thread(&server, "rialto-sequence", &directory.path().join("trace"), &SLOW);
    let traders = clients(&server);
    let mut calm = phase(&traders, "calm", CALM, |counts| counts.wait_for(ACCEPTED, 0));
    let mut much = phase(&traders, "much", MANY, |counts| counts.wait_for(ACCEPTED, REFUSED));
    let (status, _) = server.readiness();
    assert_eq!(status, 200, "an overload is no end");
    let mut again = phase(&traders, "again", CALM, |counts| counts.wait_for(ACCEPTED, 0));
    let killed = phase(&traders, "kill", MANY, |counts| {
        // Who is refused finds the queue full: at that moment most is under way.
        counts.wait_for(0, 1);
        server.kill();
    });
    drop(tracer.ended());

    assert!(calm.refused.is_empty() && again.refused.is_empty(), "refused without need");
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
        "overload: a queue of {SLOTS} slots and syncs of 100 ms more; {} clients: {}; {} clients: {}, {} refused ({words}) \
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
fn phase(traders: &[Client], name: &str, many: usize, meanwhile: impl FnOnce(&Counts)) -> Phase {
    let counts = Counts::default();
    let phases: Vec<Phase> = thread::scope(|scope| {
        let mut threads = Vec::new();
        for (account, client) in (1..).zip(traders) {
            for number in 0..many {
                let (counts, prefix) = (&counts, format!("{name}{number}a{account}n"));
                threads.push(scope.spawn(move || place_until_ended(client, account, &prefix, counts)));
            }
        }
        let ends = Ends(&counts);
        meanwhile(&counts);
        drop(ends);
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

fn place_until_ended(client: &Client, account: usize, prefix: &str, counts: &Counts) -> Phase {
    let mut phase = Phase::default();
    let mut number = 0_u64;
    while !counts.ended.load(Ordering::Relaxed) {
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
                counts.accepted.fetch_add(1, Ordering::Relaxed);
                let order_id = answer["orderId"].as_u64().expect("an order id");
                let (status, executed) = (text(&answer, "status"), text(&answer, "executedQty"));
                Known::Placed { order_id, status, executed }
            }
            Err(ClientError::Refused { status: 503, code: -1008, message }) => {
                phase.refused.push(took);
                counts.refused.fetch_add(1, Ordering::Relaxed);
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
