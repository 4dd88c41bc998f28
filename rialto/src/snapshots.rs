//! When snapshots are made, and what leaves the disk once they are: old snapshots, and journal files
//! that no start and no consumer needs, into the archive. Refuses to know what is in them.

use crate::saved_views::{self, Consumers};
use engine_journal::{EventLogSync, FileStorage, KeepRules, Snapshots, tidy};
use engine_runtime::pipeline::{ExchangeStatus, MadeSnapshot, Stopped, make_snapshot, write_snapshot};
use gateway::views::Views;
use protocol::{Sequence, SourceId};
use services::{
    EngineState, EngineStatus as _, EventConsumer, PendingSnapshot, SnapshotRefused, SnapshotTaken,
    SnapshotTaker,
};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked whether one is due.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// When snapshots are made, and what stays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SnapshotRules {
    /// One is made after so many commands; 0 is never.
    pub(crate) commands: u64,
    /// One is made after so long, if there were commands; zero is never.
    pub(crate) interval: Duration,
    /// What stays.
    pub(crate) keep: KeepRules,
}

/// Makes them, one at a time.
pub(crate) struct SnapshotKeeper {
    storage: FileStorage,
    rules: SnapshotRules,
    status: Arc<ExchangeStatus>,
    views: Views,
    /// Administration's source.
    administration: SourceId,
    last: Mutex<Last>,
}

/// The last one made, or found at the start.
struct Last {
    sequence: Sequence,
    at: Instant,
    event_log: EventLogSync<FileStorage>,
}

impl fmt::Debug for SnapshotKeeper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SnapshotKeeper").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl SnapshotKeeper {
    pub(crate) fn new(
        data: &Path,
        rules: SnapshotRules,
        status: Arc<ExchangeStatus>,
        views: Views,
        administration: SourceId,
    ) -> Self {
        let storage = FileStorage::new(data);
        let newest = Snapshots::new(storage.clone()).list().unwrap_or_default().first().copied();
        let last = Last {
            sequence: Sequence(newest.unwrap_or(0)),
            at: Instant::now(),
            event_log: EventLogSync::new(storage.clone()),
        };
        Self { storage, rules, status, views, administration, last: Mutex::new(last) }
    }

    /// Makes one whenever it is due, for ever.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if self.is_due()
                && let Err(refused) = self.take().await
            {
                tracing::warn!(%refused, "no snapshot was made; a start will read more of the journal");
            }
        }
    }

    fn is_due(&self) -> bool {
        // One that is being made, which takes long, is not waited for on a thread that serves clients.
        let Ok(last) = self.last.try_lock() else { return false };
        let commands = self.status.durable_sequence().0.saturating_sub(last.sequence.0);
        let many = self.rules.commands > 0 && commands >= self.rules.commands;
        let long = !self.rules.interval.is_zero() && last.at.elapsed() >= self.rules.interval;
        self.status.state() == EngineState::Open && commands > 0 && (many || long)
    }

    /// Makes one of all that is on disk.
    fn make(&self) -> anyhow::Result<MadeSnapshot> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let made = make_snapshot(&self.storage, self.status.durable_sequence());
        // Also after a failure: it is tried again when the next one is due.
        last.at = Instant::now();
        let made = made?;
        if let Err(error) = self.save_views() {
            tracing::warn!(
                error = format!("{error:#}"),
                "the views are not saved; a start will read more events"
            );
        }
        self.made(&mut last, &made);
        Ok(made)
    }

    /// Writes one of the engine as it is at an orderly end, and of its consumers, if anything came since
    /// the last.
    pub(crate) fn write_last(&self, stopped: &Stopped) -> anyhow::Result<()> {
        let Some(engine) = &stopped.engine else { return Ok(()) };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_halted = matches!(self.status.state(), EngineState::Halted(_));
        if !is_halted && engine.sequence() > last.sequence {
            let made = write_snapshot(&self.storage, engine)?;
            let consumers: Vec<&dyn EventConsumer> =
                stopped.consumers.iter().map(|consumer| consumer.as_ref() as &dyn EventConsumer).collect();
            saved_views::write(&self.storage, &consumers)?;
            self.made(&mut last, &made);
        }
        Ok(())
    }

    /// Saves the views beside it, from where they were saved before, so that the exchange's own are not
    /// held up.
    fn save_views(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        // What the views have seen was in the event log before.
        let until = self.views.position().0;
        let mut consumers = Consumers::newest(&self.storage, self.administration, Some(until))?;
        consumers.bring_to(&self.storage, until)?;
        let bytes = consumers.write(&self.storage)?;
        let milliseconds = begun.elapsed().as_millis() as u64;
        tracing::info!(sequence = until.0, bytes, milliseconds, "the views are saved");
        Ok(())
    }

    fn made(&self, last: &mut Last, made: &MadeSnapshot) {
        last.sequence = made.sequence;
        tracing::info!(
            sequence = made.sequence.0,
            bytes = made.bytes,
            milliseconds = made.elapsed.as_millis() as u64,
            "a snapshot is made"
        );
        if let Err(error) = self.tidy(last) {
            tracing::warn!(error = format!("{error:#}"), "old snapshots and journal files stay for now");
        }
    }

    /// Lets go what nobody needs.
    fn tidy(&self, last: &mut Last) -> anyhow::Result<()> {
        // What the views have seen was in the event log before.
        let written = self.views.position().0;
        let rules = &self.rules.keep;
        tidy(&self.storage, &mut last.event_log, written.0, rules, |first| {
            tracing::info!(first, archived = rules.archive, "a journal file has left");
        })?;
        Snapshots::of_views(self.storage.clone()).retain(rules.snapshots)?;
        Ok(())
    }
}

/// Asked of the keeper by administration.
#[derive(Clone, Debug)]
pub(crate) struct Taker(pub(crate) Arc<SnapshotKeeper>);

impl SnapshotKeeper {
    async fn take(self: &Arc<Self>) -> Result<SnapshotTaken, SnapshotRefused> {
        let keeper = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || keeper.make()).await;
        let made = made.map_err(|error| SnapshotRefused(error.to_string()))?;
        let made = made.map_err(|error| SnapshotRefused(format!("{error:#}")))?;
        Ok(SnapshotTaken {
            sequence: made.sequence,
            state_hash: made.state_hash.to_string(),
            bytes: made.bytes,
            elapsed: made.elapsed,
        })
    }
}

impl SnapshotTaker for Taker {
    fn take(&self) -> PendingSnapshot {
        let keeper = Arc::clone(&self.0);
        Box::pin(async move { keeper.take().await })
    }
}
