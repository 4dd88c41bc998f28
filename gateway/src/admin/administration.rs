//! One command of administration from promise to answer: written to the outbox, sent, answered, marked
//! and audited, one after the other. After a stop, [`Administration::reconcile`] finishes what was
//! promised. Refuses to know HTTP.

use super::{
    error::{AdminError, Result},
    outcomes::{Ended, Outcomes},
};
use crate::{gateway::system_time, views::Views};
use accounts::{
    Account, AccountName, Accounts, AccountsError,
    outbox::{OutboxCommand, OutboxError},
};
use protocol::{
    AccountId, SourceId, SourceNumber, Time,
    command::{Command, CommandRecord, OpenAccount},
    record::DecodeError,
    reject::Outcome,
};
use serde_json::{Value, json};
use services::{CommandPort, SubmitError};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Mutex;

/// The actor of what is finished after a stop.
const RECOVERY: &str = "recovery";

/// Administration's way to the engine.
pub struct Administration {
    accounts: Arc<Accounts>,
    commands: Arc<dyn CommandPort>,
    views: Views,
    outcomes: Arc<Outcomes>,
    source: SourceId,
    /// One command at a time: the engine takes them in the order they were promised.
    lane: Mutex<()>,
    /// The last number that the journal has and the database does not, when the database is from before;
    /// 0 otherwise.
    ahead: AtomicU64,
}

/// Why what was promised could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A promised command cannot be read.
    #[error(
        "command {number} in administration's outbox cannot be read ({error}); restore the database's backup"
    )]
    Unreadable {
        /// Which.
        number: SourceNumber,
        /// Why.
        error: DecodeError,
    },
    /// The engine did not take it.
    #[error(
        "the engine did not take a command that administration had promised: {0}; start again when it is open"
    )]
    NotTaken(#[from] SubmitError),
    /// The database failed.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
}

impl fmt::Debug for Administration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Administration").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Administration {
    /// Administration over its rooms. `commands` is the port of `source`, used by nobody else;
    /// `outcomes` was recorded from the same source.
    pub fn new(
        accounts: Arc<Accounts>,
        commands: Arc<dyn CommandPort>,
        views: Views,
        source: SourceId,
        outcomes: Arc<Outcomes>,
    ) -> Self {
        Self { accounts, commands, views, outcomes, source, lane: Mutex::new(()), ahead: AtomicU64::new(0) }
    }

    /// Accounts and keys.
    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    pub(super) fn views(&self) -> &Views {
        &self.views
    }

    /// Finishes what was promised before a stop: to be called once, when the engine has recovered and
    /// is open, before anything else. Gives how many commands there were.
    ///
    /// A database that is older than the journal would give numbers again that were used, and take old
    /// outcomes for new commands'. Then nothing is finished, and administration is stopped until
    /// `go_on_from_old_database`.
    pub async fn reconcile(&self) -> std::result::Result<usize, ReconcileError> {
        let _lane = self.lane.lock().await;
        let last = self.accounts.outbox().last_number().await.map_err(AccountsError::from)?.0;
        let taken = self.outcomes.highest();
        if taken > last {
            self.ahead.store(taken, Ordering::Release);
            tracing::error!(
                last,
                taken,
                "the accounts' database is older than the journal, which has commands of administration that it \
                 lacks: administration is stopped; stop, restore the newest backup of the database, and start \
                 again; if there is none, let it go on (POST /admin/sources/ID/resume)"
            );
            return Ok(0);
        }
        let unanswered = self.accounts.outbox().unanswered().await.map_err(AccountsError::from)?;
        for promised in &unanswered {
            let number = promised.number;
            let unreadable = |error| ReconcileError::Unreadable { number, error };
            let record = CommandRecord::parse(&promised.command).map_err(unreadable)?;
            let command = record.decode().map_err(unreadable)?;
            let ended = match self.outcomes.of(number.0) {
                Some(ended) => ended,
                None => self.send(&command, number).await?,
            };
            self.mark(RECOVERY, &command, number, ended).await?;
            let details = json!({"outbox_number": number.0, "outcome": ended.outcome.code()});
            self.write_audit(RECOVERY, "command.finished", &details).await?;
        }
        Ok(unanswered.len())
    }

    /// The source of its commands.
    pub(super) fn source(&self) -> SourceId {
        self.source
    }

    /// Goes on with a database that is older than the journal: its next number is the one after the
    /// journal's last. What it had promised is finished as the journal says, and never sent again.
    /// Gives that number; nothing when the database is not older.
    pub(super) async fn go_on_from_old_database(
        &self,
        actor: &str,
    ) -> std::result::Result<Option<u64>, AdministrationError> {
        let _lane = self.lane.lock().await;
        let ahead = self.ahead.load(Ordering::Acquire);
        if ahead == 0 {
            return Ok(None);
        }
        let outbox = self.accounts.outbox();
        outbox.skip_to(SourceNumber(ahead)).await.map_err(AccountsError::from)?;
        for promised in outbox.unanswered().await.map_err(AccountsError::from)? {
            let number = promised.number;
            let command = CommandRecord::parse(&promised.command).and_then(|record| record.decode());
            match (command, self.outcomes.of(number.0)) {
                (Ok(command), Some(ended)) => self.mark(RECOVERY, &command, number, ended).await?,
                (Ok(command), None) => self.withdraw(&command, number).await?,
                (Err(_), _) => {
                    let damaged = OutboxError::Damaged { origin: "administration", number };
                    return Err(AccountsError::from(damaged).into());
                }
            }
        }
        self.write_audit(actor, "source.resume", &json!({"source": self.source.0, "skipped_to": ahead}))
            .await?;
        self.ahead.store(0, Ordering::Release);
        Ok(Some(ahead + 1))
    }

    /// Refuses while the database is older than the journal.
    fn check_database(&self) -> std::result::Result<(), AdministrationError> {
        match self.ahead.load(Ordering::Acquire) {
            0 => Ok(()),
            taken => Err(AdministrationError::OldDatabase { taken }),
        }
    }

    /// Opens an account and gives it its name.
    pub async fn open_account(
        &self,
        actor: &str,
        name: &AccountName,
        open: OpenAccount,
    ) -> std::result::Result<AccountId, AdministrationError> {
        let _lane = self.lane.lock().await;
        self.check_database()?;
        let command = Command::OpenAccount(open);
        let (account, promised) = self
            .accounts
            .create_account(actor, name, |number| self.encode(&command, number), system_time())
            .await?;
        let ended = self.send_or_withdraw(&command, &promised).await?;
        self.mark(actor, &command, account.outbox_number, ended).await?;
        match ended.outcome {
            // The engine gives account ids of 32 bits.
            Outcome::Done => Ok(AccountId(ended.result as u32)),
            Outcome::Refused(reject) => Err(AdministrationError::Refused(reject)),
        }
    }

    /// Does a command and writes it to the audit log as `action` of `details`. Gives the id it made.
    pub async fn execute(
        &self,
        actor: &str,
        action: &str,
        details: Value,
        command: Command,
    ) -> std::result::Result<u64, AdministrationError> {
        let _lane = self.lane.lock().await;
        self.check_database()?;
        let outbox = self.accounts.outbox();
        let promised =
            outbox.append(|number| self.encode(&command, number)).await.map_err(AccountsError::from)?;
        let ended = self.send_or_withdraw(&command, &promised).await?;
        self.mark(actor, &command, promised.number, ended).await?;
        let mut details = details;
        details["outbox_number"] = promised.number.0.into();
        details["outcome"] = match ended.outcome {
            Outcome::Done => "DONE".into(),
            Outcome::Refused(reject) => reject.name().into(),
        };
        self.write_audit(actor, action, &details).await?;
        match ended.outcome {
            Outcome::Done => Ok(ended.result),
            Outcome::Refused(reject) => Err(AdministrationError::Refused(reject)),
        }
    }

    /// The record that is kept: the same bytes whenever it is sent.
    fn encode(&self, command: &Command, number: SourceNumber) -> Vec<u8> {
        command.encode(self.source, number, number.0)
    }

    /// Sends a promised command. Its trace is its outbox number, by which [`Outcomes`] finds it.
    async fn send(&self, command: &Command, number: SourceNumber) -> std::result::Result<Ended, SubmitError> {
        let answer = self.commands.submit(command, number.0)?.await?;
        Ok(Ended { outcome: answer.outcome, result: answer.result })
    }

    /// Sends a command that was just promised. One that was not taken is marked so, and is done with;
    /// one whose fate is not known stays promised.
    async fn send_or_withdraw(
        &self,
        command: &Command,
        promised: &OutboxCommand,
    ) -> std::result::Result<Ended, AdministrationError> {
        match self.send(command, promised.number).await {
            Ok(ended) => Ok(ended),
            Err(SubmitError::Unknown) => Err(AdministrationError::Submit(SubmitError::Unknown)),
            Err(not_taken) => {
                self.withdraw(command, promised.number).await?;
                Err(AdministrationError::Submit(not_taken))
            }
        }
    }

    async fn withdraw(
        &self,
        command: &Command,
        number: SourceNumber,
    ) -> std::result::Result<(), AccountsError> {
        const NOT_TAKEN: &[u8] = br#"{"taken":false}"#;
        if matches!(command, Command::OpenAccount(_)) {
            self.accounts.account_refused("admin", number, NOT_TAKEN, system_time()).await
        } else {
            Ok(self.accounts.outbox().mark_answered(number, NOT_TAKEN).await?)
        }
    }

    /// Writes the engine's answer beside the promise.
    async fn mark(
        &self,
        actor: &str,
        command: &Command,
        number: SourceNumber,
        ended: Ended,
    ) -> std::result::Result<(), AccountsError> {
        let outcome = json!({"code": ended.outcome.code(), "result": ended.result}).to_string();
        let outcome = outcome.as_bytes();
        match (command, ended.outcome) {
            (Command::OpenAccount(_), Outcome::Done) => {
                let account = AccountId(ended.result as u32);
                self.accounts.account_opened(number, account, outcome).await.map(|_| ())
            }
            (Command::OpenAccount(_), Outcome::Refused(_)) => {
                self.accounts.account_refused(actor, number, outcome, system_time()).await
            }
            _ => Ok(self.accounts.outbox().mark_answered(number, outcome).await?),
        }
    }

    /// Writes what was done other than by a command to the audit log.
    pub(super) async fn note(&self, actor: &str, action: &str, details: Value) -> Result<()> {
        Ok(self.write_audit(actor, action, &details).await?)
    }

    async fn write_audit(
        &self,
        actor: &str,
        action: &str,
        details: &Value,
    ) -> std::result::Result<(), AccountsError> {
        self.accounts.audit_log().append(system_time(), actor, action, details).await?;
        Ok(())
    }

    /// The open account of this name.
    pub(super) async fn named(&self, name: &str) -> Result<(Account, AccountId)> {
        let parsed = AccountName::parse(name)?;
        let account = self.accounts.account(&parsed).await?.ok_or_else(|| AdminError::no_account(name))?;
        let id = account.account_id.ok_or_else(|| AdminError::no_account(name))?;
        Ok((account, id))
    }
}

/// Why a command of administration was not done.
#[derive(Debug, thiserror::Error)]
pub enum AdministrationError {
    /// The engine refused it.
    #[error("the engine refused: {0}")]
    Refused(protocol::Reject),
    /// It was not taken, or its fate is not known.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The database failed or refused.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The database is from before.
    #[error(
        "the accounts' database is older than the journal, which has commands of administration up to {taken}: nothing was \
         done; restore the newest backup of the database, or let administration go on (POST /admin/sources/ID/resume)"
    )]
    OldDatabase {
        /// The last of them.
        taken: u64,
    },
}

impl From<AdministrationError> for AdminError {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::Refused(reject) => Self::refused(reject),
            AdministrationError::Submit(error) => error.into(),
            AdministrationError::Accounts(error) => error.into(),
            AdministrationError::OldDatabase { .. } => Self::unavailable(error.to_string()),
        }
    }
}

/// Now, for what is written with a time.
pub(super) fn now() -> Time {
    system_time()
}
