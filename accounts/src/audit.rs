//! Who did what in administration, in a chain of hashes: a row that is changed, taken out or put in
//! between breaks it. Refuses to judge what was done.
//!
//! Who can write the whole file can also make a new chain: an [`AuditHead`] kept elsewhere (a log line,
//! a statement) tells that apart, and a cut-off end too.

use data_encoding::HEXLOWER;
use database::{Database, DatabaseError, Row, Transaction, Value};
use protocol::Time;
use sha2::{Digest as _, Sha256};

/// How many rows are read at a time.
const PAGE_ROWS: i64 = 1_000;
/// The hash before the first row's.
const GENESIS: [u8; 32] = [0; 32];

/// Why the log could not be trusted or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The first row, in order, that does not fit.
    #[error(
        "the audit log was changed: row {id}: {what}; restore the database's backup and find out who wrote to it"
    )]
    Tampered {
        /// The row's number.
        id: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The last row's number; 0 when the log is empty.
    pub id: u64,
    /// The last row's hash; zeros when the log is empty.
    pub hash: [u8; 32],
}

impl AuditHead {
    /// The end of an empty log.
    pub const EMPTY: Self = Self { id: 0, hash: GENESIS };
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Dense, from 1.
    pub id: u64,
    /// When it was done.
    pub time: Time,
    /// Who did it.
    pub actor: String,
    /// What was done, as a dotted name (`key.create`).
    pub action: String,
    /// To what, as JSON text.
    pub details: String,
    /// The hash of the row before.
    pub previous_hash: [u8; 32],
    /// SHA-256 over all of the above.
    pub hash: [u8; 32],
}

/// The log, in a database.
#[derive(Clone, Debug)]
pub struct AuditLog {
    database: Database,
}

impl AuditLog {
    /// The log in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Writes a row and returns the new end. `details` must hold no secret.
    pub async fn append(
        &self,
        time: Time,
        actor: &str,
        action: &str,
        details: &serde_json::Value,
    ) -> Result<AuditHead, AuditError> {
        let mut transaction = self.database.begin().await?;
        let head = append_in(&mut transaction, time, actor, action, details).await?;
        transaction.commit().await?;
        Ok(head)
    }

    /// Up to `limit` rows after number `after`, oldest first.
    pub async fn entries(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, AuditError> {
        let values = [Value::Integer(after as i64), Value::Integer(i64::from(limit))];
        let statement = "SELECT id, time, actor, action, details, previous_hash, hash FROM audit_log \
                         WHERE id > $1 ORDER BY id LIMIT $2";
        self.database.rows(statement, &values).await?.iter().map(read).collect()
    }

    /// Follows the chain from the first row to the end, and returns the end.
    ///
    /// `known`, if given, is an end noted before: it must still be part of the chain.
    pub async fn verify(&self, known: Option<AuditHead>) -> Result<AuditHead, AuditError> {
        let mut head = AuditHead::EMPTY;
        loop {
            let page = self.entries(head.id, PAGE_ROWS as u32).await?;
            if page.is_empty() {
                break;
            }
            for entry in page {
                head = follow(head, &entry)?;
                if known.is_some_and(|known| known.id == head.id && known.hash != head.hash) {
                    return Err(AuditError::Tampered { id: head.id, what: "another row stood here before" });
                }
            }
        }
        match known {
            Some(known) if known.id > head.id => {
                Err(AuditError::Tampered { id: head.id + 1, what: "it was there before, and is gone" })
            }
            _ => Ok(head),
        }
    }
}

/// As [`AuditLog::append`], together with what else `transaction` writes.
pub async fn append_in(
    transaction: &mut Transaction,
    time: Time,
    actor: &str,
    action: &str,
    details: &serde_json::Value,
) -> Result<AuditHead, AuditError> {
    let last = transaction.rows("SELECT id, hash FROM audit_log ORDER BY id DESC LIMIT 1", &[]).await?;
    let head = match last.first() {
        None => AuditHead::EMPTY,
        Some(row) => {
            let id = row.integer("id")? as u64;
            AuditHead { id, hash: hash_in(row, "hash", id)? }
        }
    };
    let mut entry = AuditEntry {
        id: head.id + 1,
        time,
        actor: actor.to_owned(),
        action: action.to_owned(),
        details: details.to_string(),
        previous_hash: head.hash,
        hash: GENESIS,
    };
    entry.hash = hash_of(&entry);
    transaction
        .execute(
            "INSERT INTO audit_log (id, time, actor, action, details, previous_hash, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                Value::Integer(entry.id as i64),
                Value::Integer(entry.time.0 as i64),
                Value::Text(&entry.actor),
                Value::Text(&entry.action),
                Value::Text(&entry.details),
                Value::Text(&HEXLOWER.encode(&entry.previous_hash)),
                Value::Text(&HEXLOWER.encode(&entry.hash)),
            ],
        )
        .await?;
    Ok(AuditHead { id: entry.id, hash: entry.hash })
}

/// The end after `entry`, if it belongs after `head`.
fn follow(head: AuditHead, entry: &AuditEntry) -> Result<AuditHead, AuditError> {
    let tampered = |id, what| Err(AuditError::Tampered { id, what });
    if entry.id != head.id + 1 {
        return tampered(head.id + 1, "it is missing");
    }
    if entry.previous_hash != head.hash {
        return tampered(entry.id, "it does not follow the row before");
    }
    if entry.hash != hash_of(entry) {
        return tampered(entry.id, "its content does not have its hash");
    }
    Ok(AuditHead { id: entry.id, hash: entry.hash })
}

/// SHA-256 of the row. Each text is led by its length, so that no two rows have the same bytes.
fn hash_of(entry: &AuditEntry) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(entry.previous_hash);
    hasher.update(entry.id.to_le_bytes());
    hasher.update(entry.time.0.to_le_bytes());
    for text in [&entry.actor, &entry.action, &entry.details] {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    hasher.finalize().into()
}

fn read(row: &Row) -> Result<AuditEntry, AuditError> {
    let id = row.integer("id")? as u64;
    Ok(AuditEntry {
        id,
        time: Time(row.integer("time")? as u64),
        actor: row.text("actor")?,
        action: row.text("action")?,
        details: row.text("details")?,
        previous_hash: hash_in(row, "previous_hash", id)?,
        hash: hash_in(row, "hash", id)?,
    })
}

fn hash_in(row: &Row, column: &'static str, id: u64) -> Result<[u8; 32], AuditError> {
    let bytes = HEXLOWER.decode(row.text(column)?.as_bytes()).ok();
    let hash = bytes.and_then(|bytes| bytes.try_into().ok());
    hash.ok_or(AuditError::Tampered { id, what: "a hash is not one" })
}
