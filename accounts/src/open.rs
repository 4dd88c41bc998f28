//! Opens the room: checks the master key against the database, and loads every enabled key. Refuses to
//! start with a key that does not open what is there.

use crate::audit::AuditLog;
use crate::master_key::{MasterKey, MasterKeyError, MasterKeySource};
use crate::outbox::Outbox;
use crate::seal::Sealer;
use crate::{AccountsError, KeyStore, keys};
use database::{Database, Value};
use std::sync::Arc;

/// What the check row holds, and the context it is sealed for.
const CHECK_TEXT: &str = "rialto master key";
const CHECK_CONTEXT: &str = "master_key_check";

/// The name of administration's outbox.
const ADMINISTRATION: &str = "administration";

/// Administration of accounts and keys. One for each database.
#[derive(Debug)]
pub struct Accounts {
    pub(crate) database: Database,
    pub(crate) sealer: Sealer,
    pub(crate) key_store: Arc<KeyStore>,
    pub(crate) outbox: Outbox,
    audit_log: AuditLog,
}

impl Accounts {
    /// Opens the room on a migrated database. At the first start, without a master key anywhere, makes
    /// one in the source's file.
    pub async fn open(database: Database, master_key: &MasterKeySource) -> Result<Self, AccountsError> {
        let sealer = checked_sealer(&database, master_key).await?;
        let key_store: KeyStore = keys::load_enabled(&database, &sealer).await?.into_iter().collect();
        Ok(Self {
            outbox: Outbox::new(database.clone(), ADMINISTRATION),
            audit_log: AuditLog::new(database.clone()),
            database,
            sealer,
            key_store: Arc::new(key_store),
        })
    }

    /// Writes what is not written yet and closes the database: its file can then be copied alone.
    pub async fn close(&self) -> Result<(), AccountsError> {
        let flushed = self.flush_last_used().await;
        self.database.close().await;
        flushed.map(drop)
    }

    /// The enabled keys, for the request path; it follows every change made here.
    pub fn key_store(&self) -> Arc<KeyStore> {
        Arc::clone(&self.key_store)
    }

    /// The commands that administration owes the engine.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The record of every change made here; the admin API adds its own.
    pub fn audit_log(&self) -> &AuditLog {
        &self.audit_log
    }
}

async fn checked_sealer(database: &Database, source: &MasterKeySource) -> Result<Sealer, AccountsError> {
    let rows = database.rows("SELECT sealed FROM master_key_check WHERE id = 1", &[]).await?;
    let sealed = rows.first().map(|row| row.text("sealed")).transpose()?;
    match (sealed, source.load()?) {
        (Some(sealed), Some(MasterKey { key, origin })) => {
            let sealer = Sealer::new(key);
            if sealer.open(CHECK_CONTEXT, &sealed).is_err() {
                return Err(MasterKeyError::Wrong(origin).into());
            }
            Ok(sealer)
        }
        (Some(_), None) => Err(MasterKeyError::Missing(source.file().to_owned()).into()),
        (None, found) => {
            let MasterKey { key, .. } = found.map_or_else(|| source.create(), Ok)?;
            let sealer = Sealer::new(key);
            let sealed = sealer.seal(CHECK_CONTEXT, &CHECK_TEXT.into())?;
            let mut transaction = database.begin().await?;
            let statement = "INSERT INTO master_key_check (id, sealed) VALUES (1, $1)";
            transaction.execute(statement, &[Value::Text(&sealed)]).await?;
            transaction.commit().await?;
            Ok(sealer)
        }
    }
}
