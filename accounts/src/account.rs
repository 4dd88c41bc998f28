//! Accounts and their names. The engine gives the id: the row and its command are written first, the id
//! when the engine has answered. Refuses to know what an account holds.

use crate::outbox::OutboxCommand;
use crate::{Accounts, AccountsError, audit};
use database::{DatabaseError, Row, Value};
use protocol::{AccountId, SourceNumber, Time};
use serde_json::json;
use std::fmt;

/// The longest account name, in characters.
const NAME_LENGTH_MAX: usize = 64;

/// What people call an account: 1 to 64 of `[a-zA-Z0-9._-]`, unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName(String);

impl AccountName {
    /// Parses an operator's text.
    pub fn parse(text: &str) -> Result<Self, AccountsError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if text.is_empty() || text.len() > NAME_LENGTH_MAX || !text.bytes().all(allowed) {
            return Err(AccountsError::AccountName(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An account as administration knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What people call it.
    pub name: AccountName,
    /// The engine's id; `None` until the engine has answered.
    pub account_id: Option<AccountId>,
    /// The command of administration's outbox that opens it.
    pub outbox_number: SourceNumber,
    /// When it was asked for.
    pub created_at: Time,
}

const SELECT_BY_NUMBER: &str =
    "SELECT name, account_id, outbox_number, created_at FROM accounts WHERE outbox_number = $1";

impl Accounts {
    /// Writes an account without an id, and the command that opens it, in one transaction.
    /// `open_command` encodes the command under its number; when this returns it may be sent.
    pub async fn create_account(
        &self,
        actor: &str,
        name: &AccountName,
        open_command: impl FnOnce(SourceNumber) -> Vec<u8>,
        now: Time,
    ) -> Result<(Account, OutboxCommand), AccountsError> {
        let mut transaction = self.database.begin().await?;
        let command = self.outbox.append_in(&mut transaction, open_command).await?;
        let number = command.number;
        let inserted = transaction
            .execute(
                "INSERT INTO accounts (name, outbox_number, created_at) VALUES ($1, $2, $3)",
                &[Value::Text(name.as_str()), Value::Integer(number.0 as i64), Value::Integer(now.0 as i64)],
            )
            .await;
        match inserted {
            Err(DatabaseError::Duplicate(_)) => return Err(AccountsError::AccountExists(name.to_string())),
            other => other?,
        };
        let details = json!({"account": name.as_str(), "outbox_number": number.0});
        audit::append_in(&mut transaction, now, actor, "account.create", &details).await?;
        transaction.commit().await?;
        let account =
            Account { name: name.clone(), account_id: None, outbox_number: number, created_at: now };
        Ok((account, command))
    }

    /// Writes the id that the engine answered, and the answer, in one transaction. The same again
    /// changes nothing.
    pub async fn account_opened(
        &self,
        number: SourceNumber,
        account_id: AccountId,
        outcome: &[u8],
    ) -> Result<Account, AccountsError> {
        let mut transaction = self.database.begin().await?;
        self.outbox.mark_answered_in(&mut transaction, number, outcome).await?;
        let key = [Value::Integer(number.0 as i64), Value::Integer(i64::from(account_id.0))];
        let rows = transaction.rows(SELECT_BY_NUMBER, &key[..1]).await?;
        let account = read(rows.first().ok_or(AccountsError::NotAwaited(number))?)?;
        match account.account_id {
            Some(recorded) if recorded != account_id => {
                return Err(AccountsError::AccountIdConflict { number, recorded, answered: account_id });
            }
            Some(_) => {}
            None => {
                let statement = "UPDATE accounts SET account_id = $2 WHERE outbox_number = $1";
                transaction.execute(statement, &key).await?;
            }
        }
        transaction.commit().await?;
        Ok(Account { account_id: Some(account_id), ..account })
    }

    /// Writes that the engine refused to open the account: its name is free again.
    pub async fn account_refused(
        &self,
        actor: &str,
        number: SourceNumber,
        outcome: &[u8],
        now: Time,
    ) -> Result<(), AccountsError> {
        let mut transaction = self.database.begin().await?;
        self.outbox.mark_answered_in(&mut transaction, number, outcome).await?;
        let statement = "DELETE FROM accounts WHERE outbox_number = $1 AND account_id IS NULL RETURNING name";
        let rows = transaction.rows(statement, &[Value::Integer(number.0 as i64)]).await?;
        let name = rows.first().ok_or(AccountsError::NotAwaited(number))?.text("name")?;
        let details = json!({"account": name, "outbox_number": number.0});
        audit::append_in(&mut transaction, now, actor, "account.refused", &details).await?;
        Ok(transaction.commit().await?)
    }

    /// Every account, in the order they were asked for.
    pub async fn accounts(&self) -> Result<Vec<Account>, AccountsError> {
        let statement =
            "SELECT name, account_id, outbox_number, created_at FROM accounts ORDER BY outbox_number";
        self.database.rows(statement, &[]).await?.iter().map(read).collect()
    }

    /// The account of this name.
    pub async fn account(&self, name: &AccountName) -> Result<Option<Account>, AccountsError> {
        let statement = "SELECT name, account_id, outbox_number, created_at FROM accounts WHERE name = $1";
        let rows = self.database.rows(statement, &[Value::Text(name.as_str())]).await?;
        rows.first().map(read).transpose()
    }
}

fn read(row: &Row) -> Result<Account, AccountsError> {
    let name = row.text("name")?;
    let damaged = |what| AccountsError::Damaged { table: "accounts", row: name.clone(), what };
    let account_id = row
        .optional_integer("account_id")?
        .map(|id| u32::try_from(id).map(AccountId).map_err(|_| damaged("account_id")))
        .transpose()?;
    Ok(Account {
        name: AccountName::parse(&name).map_err(|_| damaged("name"))?,
        account_id,
        outbox_number: SourceNumber(row.integer("outbox_number")? as u64),
        created_at: Time(row.integer("created_at")? as u64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        let longest = "a".repeat(64);
        for good in ["demo-1", "a", "A.b_C-9", &longest] {
            assert_eq!(AccountName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "é", "a/b", "a\n", &format!("{longest}a")] {
            assert!(AccountName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
