//! The master key: made once, found again, and never replaced in silence.

use crate::{create, open, open_database, opened, tamper, try_open};
use accounts::{AccountsError, MasterKeyError, NewCredential};
use database::Value;
use std::fs;

const VARIABLE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const OTHER: &str = "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn refusal(opened: Result<accounts::Accounts, AccountsError>) -> (MasterKeyError, String) {
    match opened {
        Err(AccountsError::MasterKey(error)) => {
            let text = error.to_string();
            (error, text)
        }
        other => panic!("expected a refusal of the master key, got {other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_key_is_told_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).await;
    let (error, text) = refusal(try_open(directory.path(), Some(VARIABLE)).await);
    assert!(matches!(error, MasterKeyError::Wrong(_)), "{error:?}");
    assert!(text.contains("RIALTO_MASTER_KEY") && text.contains("not the one"), "{text}");

    let file = directory.path().join("master.key");
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, VARIABLE).unwrap();
    let (error, text) = refusal(try_open(directory.path(), None).await);
    assert!(matches!(error, MasterKeyError::Wrong(_)), "{error:?}");
    assert!(text.contains("master.key") && !text.contains("00112233"), "{text}");

    fs::write(&file, right).unwrap();
    open(directory.path()).await;
}

#[tokio::test]
async fn a_lost_key_is_not_replaced_by_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).await;
    let file = directory.path().join("master.key");
    fs::remove_file(&file).unwrap();
    let (error, text) = refusal(try_open(directory.path(), None).await);
    assert!(matches!(error, MasterKeyError::Missing(_)), "{error:?}");
    assert!(text.contains("master.key") && text.contains("backup"), "{text}");
    assert!(!file.exists());
}

#[tokio::test]
async fn a_key_in_the_environment_needs_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = try_open(directory.path(), Some(VARIABLE)).await.unwrap();
    opened(&accounts, "demo-1", 3).await;
    let key = create(&accounts, 3, NewCredential::Hmac).await;
    drop(accounts);
    assert!(!directory.path().join("master.key").exists());
    let accounts = try_open(directory.path(), Some(&VARIABLE.to_uppercase())).await.unwrap();
    assert!(accounts.key_store().lookup(&key.api_key).is_some());
    refusal(try_open(directory.path(), Some(OTHER)).await);
    refusal(try_open(directory.path(), None).await);
}

#[tokio::test]
async fn a_secret_does_not_open_in_another_row() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = open(directory.path()).await;
    opened(&accounts, "demo-1", 3).await;
    opened(&accounts, "demo-2", 4).await;
    let mine = create(&accounts, 3, NewCredential::Hmac).await;
    let theirs = create(&accounts, 4, NewCredential::Hmac).await;
    drop(accounts);
    let database = open_database(directory.path()).await;
    let statement = "SELECT sealed_secret FROM api_keys WHERE api_key = $1";
    let rows = database.rows(statement, &[Value::Text(mine.api_key.as_str())]).await.unwrap();
    let sealed = rows[0].text("sealed_secret").unwrap();
    database.close().await;
    tamper(
        directory.path(),
        "UPDATE api_keys SET sealed_secret = $1 WHERE api_key = $2",
        &[Value::Text(&sealed), Value::Text(theirs.api_key.as_str())],
    )
    .await;
    let error = try_open(directory.path(), None).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, AccountsError::Damaged { table: "api_keys", .. }), "{text}");
    assert!(text.contains(theirs.api_key.as_str()), "{text}");
}
