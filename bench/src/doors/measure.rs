//! Timing: round trips one after the other, many at once, and many in a batch; and medians over rounds.
//! Refuses to know what is asked.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

/// How long round trips took.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Latency {
    /// Half of them took less.
    pub p50: Duration,
    /// 99 of 100 took less.
    pub p99: Duration,
}

/// Times `count` round trips, one after the other.
///
/// # Errors
/// The first that failed.
pub fn latency(count: usize, mut ask: impl FnMut(usize) -> anyhow::Result<()>) -> anyhow::Result<Latency> {
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        let start = Instant::now();
        ask(number)?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    Ok(Latency { p50: at(50), p99: at(99) })
}

/// Requests a second, by so many connections at once, each of `count` requests: `connect` makes what asks.
///
/// # Errors
/// The first that failed.
pub fn rate<A: FnMut(usize) -> anyhow::Result<()> + Send>(
    connections: usize,
    count: usize,
    connect: impl Fn() -> anyhow::Result<A>,
) -> anyhow::Result<f64> {
    let askers = (0..connections).map(|_| connect()).collect::<anyhow::Result<Vec<_>>>()?;
    let barrier = Barrier::new(connections + 1);
    thread::scope(|scope| {
        let barrier = &barrier;
        let threads: Vec<_> = askers
            .into_iter()
            .map(|mut ask| {
                scope.spawn(move || {
                    barrier.wait();
                    (0..count).try_for_each(&mut ask)
                })
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        for thread in threads {
            thread.join().expect("an asker does not panic")?;
        }
        Ok((connections * count) as f64 / start.elapsed().as_secs_f64())
    })
}

/// Times appends of 4 KiB, each synced: what durability costs at least.
///
/// # Errors
/// When the file cannot be written.
pub fn sync(directory: &Path, count: usize) -> anyhow::Result<Latency> {
    let path = directory.join("append");
    let mut file = File::create(&path)?;
    let measured = latency(count, |_| {
        file.write_all(&[7; 4096])?;
        Ok(file.sync_data()?)
    });
    std::fs::remove_file(path)?;
    measured
}

/// The median.
///
/// # Panics
/// When there are no values.
pub fn median<T: PartialOrd + Copy>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).expect("a measured value is a number"));
    sorted[sorted.len() / 2]
}
