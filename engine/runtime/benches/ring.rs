//! Our ring beside those of libraries, taking turns in one run: records a second through one, two
//! and no other threads, and the time of one hop. Prints medians and ratios; refuses to judge.
//!
//! `cargo bench -p engine-runtime --bench ring -- [ROUNDS]`

use core_affinity::CoreId;
use crossbeam_queue::ArrayQueue;
use disruptor::{BusySpin, Producer as _, build_multi_producer};
use engine_runtime::ring::{PAYLOAD_BYTES, Producer, ring};
use engine_runtime::wait::{WaitStrategy, Waiter};
use std::hint::black_box;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

const SLOTS: usize = 1 << 14;
const RECORDS: usize = 2_000_000;
const RECORD_BYTES: usize = 96;
const DRAIN_BYTES: usize = 1 << 18;
const HOPS: usize = 20_000;

/// What the peers carry: as much as one slot of ours.
type Event = [u8; PAYLOAD_BYTES];

fn record(number: usize) -> [u8; RECORD_BYTES] {
    let mut record = [0; RECORD_BYTES];
    record[..2].copy_from_slice(&(RECORD_BYTES as u16).to_le_bytes());
    record[8..16].copy_from_slice(&(number as u64).to_le_bytes());
    record
}

/// As with real records, no length is known when this is compiled.
fn fill(event: &mut Event, record: &[u8]) {
    let length = usize::from(u16::from_le_bytes([record[0], record[1]]));
    event[..length].copy_from_slice(&black_box(record)[..length]);
}

fn event(record: &[u8]) -> Event {
    let mut event = [0; PAYLOAD_BYTES];
    fill(&mut event, record);
    event
}

fn append(buffer: &mut Vec<u8>, event: &Event) {
    let length = usize::from(u16::from_le_bytes([event[0], event[1]]));
    buffer.extend_from_slice(&event[..length.min(PAYLOAD_BYTES)]);
}

/// Tries until it works: all contenders wait for room or work in this same way.
fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let mut tries = 0;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        tries += 1;
        if tries % 64 == 0 {
            std::thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

/// The processor's cores, read before any thread is pinned (threads inherit a pin).
static CORES: LazyLock<Vec<CoreId>> = LazyLock::new(|| core_affinity::get_core_ids().unwrap_or_default());

/// Puts this thread on a core of its own, so that a scheduler that puts both ends on one core does
/// not look like a fast ring.
fn pin(core: usize) {
    if let Some(core) = CORES.get(core % CORES.len().max(1)) {
        core_affinity::set_for_current(*core);
    }
}

/// Looks not taken after each drain: the consumer has other work, some microseconds of it. One that
/// looks again at once reads each slot while it is being written, and the cache lines that then go
/// to and fro are all that is measured (`PAUSE=0` shows it).
static PAUSE: LazyLock<u32> =
    LazyLock::new(|| std::env::var("PAUSE").ok().and_then(|pause| pause.parse().ok()).unwrap_or(256));

/// Runs `producers` beside a consumer that `drain`s until all records came; records a second.
fn race<P: FnOnce() + Send>(producers: Vec<P>, mut drain: impl FnMut(&mut Vec<u8>) -> usize) -> f64 {
    let total = RECORDS / producers.len() * producers.len();
    let mut buffer = Vec::with_capacity(DRAIN_BYTES + PAYLOAD_BYTES);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (core, producer) in (1..).zip(producers) {
            scope.spawn(move || {
                pin(core);
                producer();
            });
        }
        pin(0);
        let mut seen = 0;
        while seen < total {
            buffer.clear();
            seen += until(|| Some(drain(&mut buffer)).filter(|count| *count > 0));
            black_box(&buffer);
            for _ in 0..*PAUSE {
                std::hint::spin_loop();
            }
        }
    });
    total as f64 / start.elapsed().as_secs_f64()
}

fn ours(producers: usize, batch: usize, strategy: WaitStrategy) -> f64 {
    let waiter = Waiter::new(strategy);
    let (producer, mut consumer) = ring(SLOTS, waiter.bell());
    let produce = |producer: Producer| {
        move || {
            let mut records = Vec::with_capacity(batch * RECORD_BYTES);
            for first in (0..RECORDS / producers).step_by(batch) {
                records.clear();
                for number in first..(first + batch).min(RECORDS / producers) {
                    records.extend_from_slice(&record(number));
                }
                until(|| producer.push(&records).ok());
            }
        }
    };
    let producers = (0..producers).map(|_| produce(producer.clone())).collect();
    race(producers, |buffer| consumer.drain_into(buffer, DRAIN_BYTES).records)
}

fn disruptor(producers: usize, batch: usize) -> f64 {
    let builder = build_multi_producer(SLOTS, || [0; PAYLOAD_BYTES], BusySpin);
    let (mut poller, builder) = builder.new_event_poller();
    let producer = builder.build();
    let threads = (0..producers).map(|_| {
        let mut producer = producer.clone();
        move || {
            for first in (0..RECORDS / producers).step_by(batch) {
                let count = batch.min(RECORDS / producers - first);
                until(|| {
                    producer
                        .try_batch_publish(count, |events| {
                            for (number, event) in (first..).zip(events) {
                                fill(event, &record(number));
                            }
                        })
                        .ok()
                });
            }
        }
    });
    race(threads.collect(), |buffer| {
        let Ok(mut events) = poller.take((DRAIN_BYTES / RECORD_BYTES) as u64) else { return 0 };
        let mut count = 0;
        for event in &mut events {
            append(buffer, event);
            count += 1;
        }
        count
    })
}

fn array_queue(producers: usize) -> f64 {
    let queue = Arc::new(ArrayQueue::<Event>::new(SLOTS));
    let threads = (0..producers).map(|_| {
        let queue = Arc::clone(&queue);
        move || {
            for number in 0..RECORDS / producers {
                let event = event(&record(number));
                until(|| queue.push(event).ok());
            }
        }
    });
    race(threads.collect(), |buffer| {
        let mut count = 0;
        while count < DRAIN_BYTES / RECORD_BYTES
            && let Some(event) = queue.pop()
        {
            append(buffer, &event);
            count += 1;
        }
        count
    })
}

fn rtrb() -> f64 {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<Event>::new(SLOTS);
    let thread = move || {
        for number in 0..RECORDS {
            let event = event(&record(number));
            until(|| producer.push(event).ok());
        }
    };
    race(vec![thread], |buffer| {
        let mut count = 0;
        while count < DRAIN_BYTES / RECORD_BYTES
            && let Ok(event) = consumer.pop()
        {
            append(buffer, &event);
            count += 1;
        }
        count
    })
}

/// Push and drain on one thread, in turns of `batch`: the work itself, without another core.
fn alone(strategy: WaitStrategy, batch: usize) -> f64 {
    let waiter = Waiter::new(strategy);
    let (producer, mut consumer) = ring(SLOTS, waiter.bell());
    let mut buffer = Vec::with_capacity(DRAIN_BYTES);
    let records: Vec<u8> = (0..batch).flat_map(record).collect();
    let start = Instant::now();
    for _ in 0..RECORDS / 64 {
        for _ in 0..64 / batch {
            producer.push(black_box(&records)).expect("64 records fit");
        }
        buffer.clear();
        consumer.drain_into(&mut buffer, DRAIN_BYTES);
        black_box(&buffer);
    }
    RECORDS as f64 / start.elapsed().as_secs_f64()
}

/// Half a round trip of one record between two threads, in ns: median and 99th percentile.
fn hops(strategy: WaitStrategy) -> (u64, u64) {
    let (mut here, mut there) = (Waiter::new(strategy), Waiter::new(strategy));
    let (to, mut at_other) = ring(64, there.bell());
    let (back, mut returned) = ring(64, here.bell());
    let mut times = Vec::with_capacity(HOPS);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            pin(1);
            let mut buffer = Vec::new();
            for _ in 0..HOPS {
                there.wait_until(None, || at_other.has_record());
                buffer.clear();
                at_other.drain_into(&mut buffer, DRAIN_BYTES);
                back.push(&buffer).expect("one record fits");
            }
        });
        pin(0);
        let mut buffer = Vec::new();
        for number in 0..HOPS {
            let start = Instant::now();
            to.push(&record(number)).expect("one record fits");
            here.wait_until(None, || returned.has_record());
            buffer.clear();
            returned.drain_into(&mut buffer, DRAIN_BYTES);
            times.push(start.elapsed().as_nanos() as u64 / 2);
        }
    });
    times.sort_unstable();
    (times[HOPS / 2], times[HOPS * 99 / 100])
}

/// A name and a run that returns records a second.
type Contender = (&'static str, Box<dyn Fn() -> f64>);

fn main() {
    let rounds: usize = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(5);
    let park = WaitStrategy::default();
    println!("{} cores, the consumer pauses for {} looks", CORES.len(), *PAUSE);
    let contenders: Vec<Contender> = vec![
        ("1 producer   ours, one by one", Box::new(move || ours(1, 1, park))),
        ("             ours, busy consumer", Box::new(|| ours(1, 1, WaitStrategy::Busy))),
        ("             disruptor multi producer", Box::new(|| disruptor(1, 1))),
        ("             ArrayQueue", Box::new(|| array_queue(1))),
        ("             rtrb (one producer only)", Box::new(rtrb)),
        ("1 producer   ours, batches of 16", Box::new(move || ours(1, 16, park))),
        ("             disruptor, batches of 16", Box::new(|| disruptor(1, 16))),
        ("2 producers  ours, one by one", Box::new(move || ours(2, 1, park))),
        ("             ours, busy consumer", Box::new(|| ours(2, 1, WaitStrategy::Busy))),
        ("             disruptor multi producer", Box::new(|| disruptor(2, 1))),
        ("             ArrayQueue", Box::new(|| array_queue(2))),
        ("2 producers  ours, batches of 16", Box::new(move || ours(2, 16, park))),
        ("             disruptor, batches of 16", Box::new(|| disruptor(2, 16))),
        ("one thread   ours, one by one", Box::new(move || alone(park, 1))),
        ("             ours, busy consumer", Box::new(|| alone(WaitStrategy::Busy, 1))),
        ("             ours, batches of 16", Box::new(move || alone(park, 16))),
    ];
    let mut rates = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for ((_, run), rates) in contenders.iter().zip(&mut rates) {
            rates.push(run());
        }
    }
    println!("records of {RECORD_BYTES} bytes, {SLOTS} slots, median of {rounds} rounds");
    let mut first = 1.0;
    for ((name, _), rates) in contenders.iter().zip(&mut rates) {
        rates.sort_by(f64::total_cmp);
        let median = rates[rates.len() / 2];
        if !name.starts_with(' ') {
            first = median;
        }
        println!("{name:<42} {:>7.2} M/s {:>6.2}x", median / 1e6, median / first);
    }
    for strategy in [
        WaitStrategy::Busy,
        park,
        WaitStrategy::Park { spins: 64, yields: 0 },
        WaitStrategy::Park { spins: 1024, yields: 0 },
        WaitStrategy::Park { spins: 0, yields: 0 },
    ] {
        let (median, tail) = hops(strategy);
        println!("hop {strategy:?}: p50 {median} ns, p99 {tail} ns");
    }
}
