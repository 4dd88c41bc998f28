//! Reconciliation again and again: keeps the last report for whoever asks, notes each in the books, and has
//! withdrawals wait after a break until somebody has looked. Refuses to know how the engine's balances are
//! found.

use crate::{
    Balances, SettlementError,
    base::Base,
    reconcile::{BooksBalances, ReconciliationReport, reconcile},
};
use database::{
    Database,
    Value::{Integer, OptionalText},
};
use protocol::{Sequence, Time};
use services::{Metric, MetricSource, WithdrawalPause};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

const INSERT: &str = "INSERT INTO reconciliations (made_at, sequence, time, with_engine, balances, postings, breaks, \
     first_break) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";

/// The engine's balances on their way; an error says in words why there are none.
pub type PendingBalances<'a> = Pin<Box<dyn Future<Output = Result<Balances, String>> + Send + 'a>>;

/// Who knows what the engine had.
pub trait EngineBalances: fmt::Debug + Send + Sync {
    /// All balances after a command.
    fn balances_at(&self, sequence: Sequence) -> PendingBalances<'_>;
}

/// How much is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All postings that are kept.
    All,
    /// Those since the closing before the last one: as much on the books' last day as on their first.
    Recent,
}

/// What is known so far.
#[derive(Debug, Default)]
struct Known {
    last: Option<ReconciliationReport>,
    runs: u64,
    failures: u64,
    /// Up to where the postings of each event were added up.
    checked: Sequence,
    /// The first break since somebody looked.
    paused: Option<String>,
}

/// Reconciles the books of one database.
#[derive(Debug)]
pub struct Reconciler {
    database: Database,
    known: Mutex<Known>,
}

impl Reconciler {
    /// Of the books in `database`.
    pub fn new(database: Database) -> Self {
        Self { database, known: Mutex::default() }
    }

    /// Where they are.
    pub const fn database(&self) -> &Database {
        &self.database
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Each change is one assignment: whoever had the lock cannot have left it half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares the books as they are with the engine at the same command, and notes what was found. After
    /// a break withdrawals are to wait ([`WithdrawalPause`]).
    ///
    /// # Errors
    /// When it could not be done: nothing is known then, and nothing is paused.
    pub async fn run(
        &self,
        engine: Option<&dyn EngineBalances>,
        extent: Extent,
        now: Time,
    ) -> Result<ReconciliationReport, SettlementError> {
        let found = self.find(engine, extent, now).await;
        let mut known = self.known();
        known.runs += 1;
        match &found {
            Err(_) => known.failures += 1,
            Ok(report) => {
                if let Some(first) = report.breaks.first() {
                    tracing::error!(sequence = report.sequence, rows = first.rows, "the books do not agree");
                    known.paused.get_or_insert_with(|| first.rows.clone());
                } else {
                    known.checked = Sequence(report.sequence);
                }
                known.last = Some(report.clone());
            }
        }
        found
    }

    async fn find(
        &self,
        engine: Option<&dyn EngineBalances>,
        extent: Extent,
        now: Time,
    ) -> Result<ReconciliationReport, SettlementError> {
        let base = match extent {
            Extent::All => Base::earliest(&self.database).await?,
            Extent::Recent => Base::recent(&self.database).await?,
        };
        let books = BooksBalances::read(&self.database).await?;
        let balances = match engine {
            Some(engine) => Some(engine.balances_at(books.sequence).await.map_err(SettlementError::Engine)?),
            None => None,
        };
        let checked = self.known().checked;
        let report = reconcile(&self.database, &books, balances.as_ref(), &base, checked).await?;
        let mut transaction = self.database.begin().await?;
        let values = [
            Integer(now.0 as i64),
            Integer(report.sequence as i64),
            Integer(report.time as i64),
            Integer(report.with_engine.into()),
            Integer(report.balances as i64),
            Integer(report.postings as i64),
            Integer(report.breaks.len() as i64),
            OptionalText(report.breaks.first().map(|first| first.rows.as_str())),
        ];
        transaction.execute(INSERT, &values).await?;
        transaction.commit().await?;
        Ok(report)
    }

    /// Somebody has looked: withdrawals need not wait any longer for what was found so far.
    pub fn resume(&self) {
        self.known().paused = None;
    }
}

impl WithdrawalPause for Reconciler {
    fn paused(&self) -> Option<String> {
        self.known().paused.clone()
    }
}

impl MetricSource for Reconciler {
    fn metrics(&self) -> Vec<Metric> {
        let known = self.known();
        let (sequence, breaks) =
            known.last.as_ref().map_or((0, 0), |last| (last.sequence, last.breaks.len() as u64));
        vec![
            Metric::counter("reconciliation_runs_total", "Reconciliations that were begun", known.runs),
            Metric::counter(
                "reconciliation_failures_total",
                "Reconciliations that could not be done",
                known.failures,
            ),
            Metric::gauge("reconciliation_sequence", "The command last compared at", sequence),
            Metric::gauge("reconciliation_breaks", "Breaks that the last one found", breaks),
            Metric::gauge(
                "reconciliation_withdrawals_paused",
                "1 while withdrawals are to wait for a break",
                known.paused.is_some().into(),
            ),
        ]
    }
}
