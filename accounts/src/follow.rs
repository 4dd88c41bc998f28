//! Follows the changes of keys that another process of the exchange makes: the engine's, where
//! administration is, or another gateway's. Refuses to change anything.

use crate::{Accounts, AccountsError, keys};
use database::Value;

/// How far the audit log was followed. Every change of a key is a row there, of the same transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeysSeen(i64);

impl Accounts {
    /// Where [`Self::follow_keys`] begins: the keys as they were loaded hold all that was before.
    pub async fn keys_seen(&self) -> Result<KeysSeen, AccountsError> {
        let rows = self.database.rows("SELECT id FROM audit_log ORDER BY id DESC LIMIT 1", &[]).await?;
        Ok(KeysSeen(rows.first().map(|row| row.integer("id")).transpose()?.unwrap_or(0)))
    }

    /// Takes over what was changed of the keys since `seen`, and says how far it is seen now. Cheap when
    /// nothing was.
    pub async fn follow_keys(&self, seen: KeysSeen) -> Result<KeysSeen, AccountsError> {
        let newest = self.keys_seen().await?;
        if newest == seen {
            return Ok(seen);
        }
        let statement = "SELECT id FROM audit_log WHERE id > $1 AND action LIKE 'key.%' LIMIT 1";
        if !self.database.rows(statement, &[Value::Integer(seen.0)]).await?.is_empty() {
            // Changes made here come before or after, not in between: they hold the database too.
            let transaction = self.database.begin().await?;
            self.key_store.replace(keys::load_enabled(&self.database, &self.sealer).await?);
            drop(transaction);
        }
        Ok(newest)
    }
}
