//! Accounts: written before their command is sent, opened when the engine has answered.

use crate::{ACTOR, NOW, open, opened};
use accounts::outbox::OutboxError;
use accounts::{AccountName, AccountsError};
use protocol::{AccountId, SourceNumber};

#[tokio::test]
async fn an_account_and_its_command_are_written_before_either_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let name = AccountName::parse("demo-1").unwrap();
    let accounts = open(directory.path()).await;
    let (account, _) = accounts.create_account(ACTOR, &name, |_| b"open demo-1".to_vec(), NOW).await.unwrap();
    assert_eq!((account.account_id, account.outbox_number), (None, SourceNumber(1)));
    drop(accounts);

    // A crash here: the next start finds the promise and keeps it.
    let accounts = open(directory.path()).await;
    assert_eq!(accounts.account(&name).await.unwrap(), Some(account));
    let waiting = accounts.outbox().unanswered().await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        (waiting[0].number, waiting[0].command.as_slice()),
        (SourceNumber(1), b"open demo-1".as_slice())
    );

    for _ in 0..2 {
        let account = accounts.account_opened(SourceNumber(1), AccountId(3), b"opened 3").await.unwrap();
        assert_eq!(account.account_id, Some(AccountId(3)));
    }
    assert!(accounts.outbox().unanswered().await.unwrap().is_empty());
    let again = accounts.account_opened(SourceNumber(1), AccountId(4), b"opened 3").await;
    assert!(matches!(again, Err(AccountsError::AccountIdConflict { .. })), "{again:?}");
    let again = accounts.account_opened(SourceNumber(1), AccountId(4), b"opened 4").await;
    assert!(matches!(again, Err(AccountsError::Outbox(OutboxError::OutcomeConflict { .. }))), "{again:?}");
    assert_eq!(accounts.account(&name).await.unwrap().unwrap().account_id, Some(AccountId(3)));
}

#[tokio::test]
async fn a_taken_name_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = open(directory.path()).await;
    let first = opened(&accounts, "demo-1", 3).await;
    let refused = accounts.create_account(ACTOR, &first.name, |_| b"again".to_vec(), NOW).await;
    assert!(matches!(refused, Err(AccountsError::AccountExists(_))), "{refused:?}");
    assert_eq!(accounts.outbox().last_number().await.unwrap(), SourceNumber(1));
    let second = opened(&accounts, "demo-2", 4).await;
    assert_eq!(second.outbox_number, SourceNumber(2), "numbers stay dense");
    assert_eq!(accounts.accounts().await.unwrap(), [first, second]);
}

#[tokio::test]
async fn a_refused_account_gives_its_name_back() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = open(directory.path()).await;
    let name = AccountName::parse("demo-1").unwrap();
    let (account, _) = accounts.create_account(ACTOR, &name, |_| b"open".to_vec(), NOW).await.unwrap();
    accounts.account_refused(ACTOR, account.outbox_number, b"refused", NOW).await.unwrap();
    assert!(accounts.accounts().await.unwrap().is_empty());
    assert!(accounts.outbox().unanswered().await.unwrap().is_empty());
    let (account, _) = accounts.create_account(ACTOR, &name, |_| b"open".to_vec(), NOW).await.unwrap();
    assert_eq!(account.outbox_number, SourceNumber(2));

    // An open account is not undone by a late refusal.
    accounts.account_opened(SourceNumber(2), AccountId(3), b"opened").await.unwrap();
    let late = accounts.account_refused(ACTOR, SourceNumber(2), b"opened", NOW).await;
    assert!(matches!(late, Err(AccountsError::NotAwaited(SourceNumber(2)))), "{late:?}");
}

#[tokio::test]
async fn two_accounts_never_share_an_id() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = open(directory.path()).await;
    opened(&accounts, "demo-1", 3).await;
    let name = AccountName::parse("demo-2").unwrap();
    let (account, _) = accounts.create_account(ACTOR, &name, |_| b"open".to_vec(), NOW).await.unwrap();
    assert!(accounts.account_opened(account.outbox_number, AccountId(3), b"opened").await.is_err());
    assert_eq!(accounts.outbox().unanswered().await.unwrap().len(), 1, "nothing was written");
}
