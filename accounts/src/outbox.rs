//! Commands that a source has promised to the engine. A command is written here, numbered, before it is
//! sent, and sent again until it is answered; the engine answers a repeat with the first outcome. Refuses
//! to know what the commands say.

use data_encoding::HEXLOWER;
use database::{Database, DatabaseError, Row, Transaction, Value};
use protocol::SourceNumber;
use sha2::{Digest as _, Sha256};

const SELECT_LAST: &str = "SELECT COALESCE(MAX(number), 0) AS number FROM outbox WHERE source = $1";
/// What stands for the answer of a number that was skipped.
const SKIPPED: &[u8] = br#"{"skipped":true}"#;

/// Why the outbox refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The number was never given out.
    #[error("source {origin} has no command {number} in its outbox")]
    Unknown {
        /// The source.
        origin: &'static str,
        /// The number.
        number: SourceNumber,
    },
    /// The engine answered the same number twice, differently.
    #[error(
        "command {number} of source {origin} was answered before with another outcome: stop and compare the engine's journal with this database"
    )]
    OutcomeConflict {
        /// The source.
        origin: &'static str,
        /// The number.
        number: SourceNumber,
    },
    /// A row does not hold what was written.
    #[error("command {number} of source {origin} is damaged in the outbox; restore the database's backup")]
    Damaged {
        /// The source.
        origin: &'static str,
        /// The number.
        number: SourceNumber,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// A command as it was promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxCommand {
    /// The source's number for it: dense, from 1.
    pub number: SourceNumber,
    /// The command's bytes: what is sent, the first time and every time.
    pub command: Vec<u8>,
    /// SHA-256 of those bytes.
    pub content_hash: [u8; 32],
}

/// The outbox of one source.
#[derive(Clone, Debug)]
pub struct Outbox {
    database: Database,
    origin: &'static str,
}

impl Outbox {
    /// The outbox of the source called `origin`, in `database`.
    pub fn new(database: Database, origin: &'static str) -> Self {
        Self { database, origin }
    }

    /// Writes a command under the next number, which is given to `encode` because it is part of the
    /// command. When this returns it is on disk and may be sent.
    pub async fn append(
        &self,
        encode: impl FnOnce(SourceNumber) -> Vec<u8>,
    ) -> Result<OutboxCommand, OutboxError> {
        let mut transaction = self.database.begin().await?;
        let command = self.append_in(&mut transaction, encode).await?;
        transaction.commit().await?;
        Ok(command)
    }

    /// As [`append`](Self::append), together with what else `transaction` writes.
    pub async fn append_in(
        &self,
        transaction: &mut Transaction,
        encode: impl FnOnce(SourceNumber) -> Vec<u8>,
    ) -> Result<OutboxCommand, OutboxError> {
        let last = highest(&transaction.rows(SELECT_LAST, &[Value::Text(self.origin)]).await?)?;
        let number = SourceNumber(last.0 + 1);
        let command = encode(number);
        let content_hash: [u8; 32] = Sha256::digest(&command).into();
        transaction
            .execute(
                "INSERT INTO outbox (source, number, content_hash, command) VALUES ($1, $2, $3, $4)",
                &[
                    Value::Text(self.origin),
                    Value::Integer(number.0 as i64),
                    Value::Text(&HEXLOWER.encode(&content_hash)),
                    Value::Text(&HEXLOWER.encode(&command)),
                ],
            )
            .await?;
        Ok(OutboxCommand { number, command, content_hash })
    }

    /// The highest number given out, 0 when there is none: to compare with the engine's at the start.
    pub async fn last_number(&self) -> Result<SourceNumber, OutboxError> {
        highest(&self.database.rows(SELECT_LAST, &[Value::Text(self.origin)]).await?)
    }

    /// Gives no number up to this one any more: the engine has used them, and this database is from before.
    pub async fn skip_to(&self, number: SourceNumber) -> Result<(), OutboxError> {
        let hash: [u8; 32] = Sha256::digest([]).into();
        let mut transaction = self.database.begin().await?;
        transaction
            .execute(
                "INSERT INTO outbox (source, number, content_hash, command, outcome) VALUES ($1, $2, $3, '', $4)",
                &[
                    Value::Text(self.origin),
                    Value::Integer(number.0 as i64),
                    Value::Text(&HEXLOWER.encode(&hash)),
                    Value::Text(&HEXLOWER.encode(SKIPPED)),
                ],
            )
            .await?;
        Ok(transaction.commit().await?)
    }

    /// What has no answer yet, in the order to send it.
    pub async fn unanswered(&self) -> Result<Vec<OutboxCommand>, OutboxError> {
        let rows = self
            .database
            .rows(
                "SELECT number, command, content_hash FROM outbox \
                 WHERE source = $1 AND outcome IS NULL ORDER BY number",
                &[Value::Text(self.origin)],
            )
            .await?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    /// Writes the engine's answer. The same answer again changes nothing; another one is a conflict.
    pub async fn mark_answered(&self, number: SourceNumber, outcome: &[u8]) -> Result<(), OutboxError> {
        let mut transaction = self.database.begin().await?;
        self.mark_answered_in(&mut transaction, number, outcome).await?;
        Ok(transaction.commit().await?)
    }

    /// As [`mark_answered`](Self::mark_answered), together with what else `transaction` writes.
    pub async fn mark_answered_in(
        &self,
        transaction: &mut Transaction,
        number: SourceNumber,
        outcome: &[u8],
    ) -> Result<(), OutboxError> {
        let outcome = HEXLOWER.encode(outcome);
        let key = [Value::Text(self.origin), Value::Integer(number.0 as i64), Value::Text(&outcome)];
        let written = transaction
            .execute(
                "UPDATE outbox SET outcome = $3 WHERE source = $1 AND number = $2 \
                 AND (outcome IS NULL OR outcome = $3)",
                &key,
            )
            .await?;
        if written == 1 {
            return Ok(());
        }
        let statement = "SELECT number FROM outbox WHERE source = $1 AND number = $2";
        let known = transaction.rows(statement, &key[..2]).await?;
        Err(if known.is_empty() {
            OutboxError::Unknown { origin: self.origin, number }
        } else {
            OutboxError::OutcomeConflict { origin: self.origin, number }
        })
    }

    fn read(&self, row: &Row) -> Result<OutboxCommand, OutboxError> {
        let number = SourceNumber(row.integer("number")? as u64);
        let damaged = || OutboxError::Damaged { origin: self.origin, number };
        let command = HEXLOWER.decode(row.text("command")?.as_bytes()).map_err(|_| damaged())?;
        let content_hash: [u8; 32] = Sha256::digest(&command).into();
        if row.text("content_hash")? != HEXLOWER.encode(&content_hash) {
            return Err(damaged());
        }
        Ok(OutboxCommand { number, command, content_hash })
    }
}

fn highest(rows: &[Row]) -> Result<SourceNumber, OutboxError> {
    let [row] = rows else {
        let reason = format!("{} rows instead of one", rows.len());
        return Err(DatabaseError::Column { column: "number", reason }.into());
    };
    Ok(SourceNumber(row.integer("number")? as u64))
}
