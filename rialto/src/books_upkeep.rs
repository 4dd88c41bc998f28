//! What is done with the books of record again and again beside trading: days that are over are closed, months
//! past their retention dropped, balances reconciled with the engine's. Refuses to know how, and to act on a
//! break beyond telling it: who pays money out asks.

use crate::{config::Config, process::now, proof_key, reconcile_command::Replayed};
use database::{Database, DatabaseLocation, TableGroup};
use services::{Metric, MetricSource};
use settlement::{EngineBalances, Extent, Reconciler, State, Status, Upkeep, UpkeepDone};
use std::path::{Path, PathBuf};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at};

/// How often it is looked whether a day is over.
const LOOK: Duration = Duration::from_mins(1);
/// A time of which there is none, as timers go.
const NEVER: Duration = Duration::from_hours(24 * 365);

/// What was done and found so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct BooksUpkeep(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    reconciler: OnceLock<Reconciler>,
    /// Seconds since 1970.
    closed_until: AtomicU64,
    failures: AtomicU64,
}

impl MetricSource for BooksUpkeep {
    fn metrics(&self) -> Vec<Metric> {
        let Known { reconciler, closed_until, failures } = &*self.0;
        let mut metrics = vec![
            Metric::gauge(
                "books_closed_until_seconds",
                "the midnight that ends the last closed day, in seconds since 1970",
                closed_until.load(Ordering::Relaxed),
            ),
            Metric::counter(
                "books_closing_failures_total",
                "how often a day that was over could not be closed",
                failures.load(Ordering::Relaxed),
            ),
        ];
        metrics.extend(reconciler.get().into_iter().flat_map(Reconciler::metrics));
        metrics
    }
}

/// What its task works with.
struct Work {
    known: Arc<Known>,
    location: DatabaseLocation,
    upkeep: Upkeep,
    engine: Option<Replayed>,
}

impl BooksUpkeep {
    /// Begins once the books are kept, which `status` says; to be aborted at a stop. `engine` is the data
    /// directory of the engine, where this machine has it.
    pub(crate) fn start(
        &self,
        config: &Config,
        mut status: watch::Receiver<Status>,
        engine: Option<&Path>,
    ) -> anyhow::Result<JoinHandle<()>> {
        let work = Work {
            known: Arc::clone(&self.0),
            location: config.database(TableGroup::Settlement)?,
            upkeep: Upkeep { proof_key: proof_key::of(config)?, months_kept: config.months_kept() },
            engine: engine.map(PathBuf::from).map(|directory| Replayed { directory }),
        };
        let every = Duration::from_mins(config.reconcile_minutes);
        Ok(tokio::spawn(async move {
            if status.wait_for(|status| status.state == State::Running).await.is_err() {
                return;
            }
            work.run(patient(interval(LOOK)), reconciliations(every)).await;
        }))
    }
}

/// Each when it was done, and not at once for all that were missed.
fn patient(mut times: Interval) -> Interval {
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    times
}

fn reconciliations(every: Duration) -> Interval {
    let every = if every.is_zero() { NEVER } else { every };
    patient(interval_at(Instant::now() + every, every))
}

impl Work {
    async fn run(&self, mut looks: Interval, mut reconciliations: Interval) {
        loop {
            tokio::select! {
                _ = looks.tick() => self.close_and_drop().await,
                _ = reconciliations.tick() => self.reconcile().await,
            }
        }
    }

    async fn close_and_drop(&self) {
        match self.once().await {
            Ok(done) => {
                let until = done.last_closed.map_or(0, |day| day.end().0 / 1_000_000_000);
                self.known.closed_until.store(until, Ordering::Relaxed);
            }
            Err(error) => {
                self.known.failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "a day cannot be closed; trying again later");
            }
        }
    }

    async fn once(&self) -> anyhow::Result<UpkeepDone> {
        let reconciler = self.reconciler().await?;
        Ok(self.upkeep.run(reconciler.database(), now()).await?)
    }

    async fn reconcile(&self) {
        let engine = self.engine.as_ref().map(|engine| engine as &dyn EngineBalances);
        let found = async {
            let report = self.reconciler().await?.run(engine, Extent::Recent, now()).await?;
            anyhow::Ok(report.breaks.len())
        };
        match found.await {
            Ok(0) => tracing::info!(with_engine = engine.is_some(), "the books of record agree"),
            Ok(breaks) => tracing::error!(
                breaks,
                "the books of record do not agree: `rialto settlement reconcile` names the rows"
            ),
            Err(error) => tracing::warn!(%error, "the books could not be reconciled; trying again later"),
        }
    }

    /// Opens the books at the first need: a database that is away is tried again the next time.
    async fn reconciler(&self) -> anyhow::Result<&Reconciler> {
        if let Some(reconciler) = self.known.reconciler.get() {
            return Ok(reconciler);
        }
        let database = Database::open(&self.location, TableGroup::Settlement).await?;
        Ok(self.known.reconciler.get_or_init(|| Reconciler::new(database)))
    }
}
