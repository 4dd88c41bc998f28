//! Reconciles the books of record with the engine again and again, beside trading. Refuses to know what is
//! compared, and to act on a break beyond telling it: who pays money out asks.

use crate::{config::Config, reconcile_command::Replayed, process::now};
use database::{Database, TableGroup};
use services::{Metric, MetricSource};
use settlement::Reconciler;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at};

/// Reconciliations to come, and what they found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reconciling(Arc<OnceLock<Reconciler>>);

impl MetricSource for Reconciling {
    fn metrics(&self) -> Vec<Metric> {
        self.0.get().map(Reconciler::metrics).unwrap_or_default()
    }
}

impl Reconciling {
    /// Begins, where the configuration wants it; to be aborted at a stop.
    pub(crate) fn start(&self, config: &Config) -> Option<JoinHandle<()>> {
        let every = Duration::from_mins(config.reconcile_minutes);
        if every.is_zero() {
            return None;
        }
        let (this, config) = (self.clone(), config.clone());
        Some(tokio::spawn(async move {
            let mut times = interval_at(tokio::time::Instant::now() + every, every);
            times.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                times.tick().await;
                match this.once(&config).await {
                    Ok(0) => tracing::info!("the books of record agree with the engine"),
                    Ok(breaks) => tracing::error!(
                        breaks,
                        "the books of record and the engine do not agree: `rialto settlement reconcile` names the rows"
                    ),
                    Err(error) => {
                        tracing::warn!(%error, "the books could not be reconciled; trying again later");
                    }
                }
            }
        }))
    }

    /// How many breaks there are.
    async fn once(&self, config: &Config) -> Result<usize, anyhow::Error> {
        let reconciler = if let Some(reconciler) = self.0.get() {
            reconciler
        } else {
            let location = config.database(TableGroup::Settlement)?;
            let database = Database::open(&location, TableGroup::Settlement).await?;
            self.0.get_or_init(|| Reconciler::new(database))
        };
        let engine = Replayed { directory: config.data.clone() };
        Ok(reconciler.run(Some(&engine), now()).await?.breaks.len())
    }
}
