//! An hour of a real market through the whole pipeline: ring, journal, core, egress. It must end in
//! the state that the core alone ends in, and in which the journal, applied again, ends.
//!
//! `RIALTO_MBO_FILE` names a file of market-by-order records; without it, the shared one beside the
//! workspace is taken, and where there is none the test says that it was skipped.

use bench::{
    market_by_order::{MarketEvent, MarketFile, MarketRecord, replay::replay},
    rialto::venue::CoreVenue,
};
use engine_core::Engine;
use engine_runtime::pipeline::{Clock, Exchange, Options};
use protocol::{SourceId, Time, event::EventBuffer};
use services::{CommandPort as _, PendingAnswer, SubmitError};
use std::{collections::VecDeque, env, num::NonZeroU64, path::PathBuf, sync::Arc, time::Instant};
use tests::{
    amount::{ONE, units},
    program,
};

/// The source that the recorded commands were numbered for.
const SOURCE: SourceId = SourceId(1);
/// When every command comes: a clock that stands still stamps the same time in both runs.
const MOMENT: Time = Time(1_700_000_000_000_000_000);

struct StandingClock;

impl Clock for StandingClock {
    fn utc(&self) -> Time {
        MOMENT
    }

    fn monotonic(&self) -> u64 {
        0
    }
}

fn market_file() -> Option<PathBuf> {
    if let Some(named) = env::var_os("RIALTO_MBO_FILE") {
        return Some(named.into());
    }
    let shared = program::workspace().join("../shared/data/es-20231225.mbo.dbn.zst");
    shared.is_file().then_some(shared)
}

/// A unit that divides every price.
fn price_unit(records: &[MarketRecord]) -> NonZeroU64 {
    let prices = records.iter().filter_map(|record| match record.event {
        MarketEvent::Add { terms, .. }
        | MarketEvent::Modify { terms, .. }
        | MarketEvent::Trade { terms, .. } => Some(terms.price.0.get()),
        _ => None,
    });
    let divisor = |mut one: u64, mut other: u64| {
        while other != 0 {
            (one, other) = (other, one % other);
        }
        one
    };
    NonZeroU64::new(prices.fold(0, divisor)).unwrap_or(NonZeroU64::MIN)
}

#[test]
fn a_market_s_hour_ends_the_same_through_the_pipeline_and_the_core_alone() {
    let Some(file) = market_file() else {
        println!("SKIPPED: no file of market-by-order records; name one in RIALTO_MBO_FILE");
        return;
    };
    let records: Vec<MarketRecord> = MarketFile::open(&file)
        .expect("the file opens")
        .collect::<Result<_, _>>()
        .expect("the file is whole");
    let mut venue = CoreVenue::new(price_unit(&records));
    let report = replay(&records, &mut venue).expect("the core takes every command");

    let mut core: Engine = Engine::new(0);
    let mut events = EventBuffer::bounded(64 * 1024, Box::new(|_| {}));
    for record in venue.recorded().records() {
        let sequence = core.sequence().next();
        core.apply(&record, MOMENT, sequence, &mut events);
    }

    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = Options { clock: Arc::new(StandingClock), ..Options::default() };
    let exchange =
        Exchange::open_directory(directory.path(), options, Vec::new()).expect("an empty directory");
    let port = exchange.port(SOURCE);
    let start = Instant::now();
    let mut pending: VecDeque<PendingAnswer> = VecDeque::new();
    for record in venue.recorded().records() {
        let command = record.decode().expect("a command once encoded");
        let answer = loop {
            match port.submit(&command, 0) {
                Ok(answer) => break answer,
                // Full: what came first is answered first.
                Err(SubmitError::Overloaded) => match pending.pop_front() {
                    Some(first) => drop(first.wait().expect("an answer")),
                    None => std::thread::yield_now(),
                },
                Err(error) => panic!("{error}"),
            }
        };
        pending.push_back(answer);
    }
    for answer in pending {
        answer.wait().expect("an answer");
    }
    let elapsed = start.elapsed();
    let engine = exchange.stop().engine.expect("it has not halted");
    engine.audit().expect("books and ledger agree");

    let commands = venue.recorded().count();
    println!("{} in {} ms: {commands} commands; {report:?}", file.display(), elapsed.as_millis());
    println!("state hash {}", engine.state_hash());
    assert_eq!(engine.sequence().0, commands as u64);
    assert_eq!(engine.state_hash(), core.state_hash(), "the core alone");

    let data = directory.path().to_str().expect("a temporary path is text");
    let verified = program::run_json(["replay", "verify", data, "--json"]);
    assert_eq!(verified["equal"], true, "{verified}");
    assert_eq!(verified["state_hash"], engine.state_hash().to_string(), "replay verify");
    let state = program::run_json(["replay", "state", data, "--json"]);
    assert_eq!(state["state_hash"], engine.state_hash().to_string(), "replay state");
    let orders = state["orders"].as_array().expect("a list of orders");
    let lots = orders.iter().map(|order| {
        let leaves = order["leaves_qty"].as_str().expect("an amount");
        (units(leaves) / ONE) as u64
    });
    assert_eq!(
        (orders.len() as u64, lots.sum()),
        (report.live_orders, report.live_quantity),
        "the resting book"
    );
}
