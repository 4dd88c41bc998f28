//! The room as administration meets it, on a real database file.

#![allow(clippy::unwrap_used, reason = "all of this is tests: a failure is a panic")]

mod accounts;
mod audit;
mod keys;
mod master_key;
mod outbox;
mod own_keys;

use ::accounts::{Account, AccountName, Accounts, AccountsError, IpAllowList, MasterKeySource};
use ::accounts::{CreatedKey, NewCredential, NewKey, Scopes};
use database::{Database, Value};
use protocol::{AccountId, Time};
use std::path::Path;

const NOW: Time = Time(1_700_000_000_123_456_789);
const ACTOR: &str = "operator";

async fn open_database(directory: &Path) -> Database {
    Database::open_sqlite(&directory.join("rialto.sqlite")).await.expect("a fresh directory opens")
}

async fn try_open(directory: &Path, variable: Option<&str>) -> Result<Accounts, AccountsError> {
    let source = MasterKeySource::new(variable.map(Into::into), directory.join("master.key"));
    Accounts::open(open_database(directory).await, &source).await
}

async fn open(directory: &Path) -> Accounts {
    try_open(directory, None).await.expect("the room opens")
}

/// An account that the engine has opened.
async fn opened(accounts: &Accounts, name: &str, id: u32) -> Account {
    let name = AccountName::parse(name).expect("a plain name");
    let (account, _) =
        accounts.create_account(ACTOR, &name, |_| b"open".to_vec(), NOW).await.expect("a new name");
    accounts.account_opened(account.outbox_number, AccountId(id), b"opened").await.expect("it was awaited")
}

fn new_key(account: u32, credential: NewCredential) -> NewKey {
    NewKey {
        account_id: AccountId(account),
        credential,
        scopes: Scopes::READ | Scopes::TRADE,
        ip_allow_list: "10.0.0.0/8,203.0.113.7".parse::<IpAllowList>().expect("two networks"),
        label: "desk".to_owned(),
    }
}

async fn create(accounts: &Accounts, account: u32, credential: NewCredential) -> CreatedKey {
    accounts.create_key(ACTOR, new_key(account, credential), NOW).await.expect("the account is open")
}

/// Changes the database behind the room's back.
async fn tamper(directory: &Path, statement: &'static str, values: &[Value<'_>]) {
    let database = open_database(directory).await;
    let mut transaction = database.begin().await.expect("the database is there");
    assert_eq!(transaction.execute(statement, values).await.expect("good SQL"), 1);
    transaction.commit().await.expect("a commit");
    database.close().await;
}
