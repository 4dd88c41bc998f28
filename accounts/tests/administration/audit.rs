//! The audit log: every change of the room leaves a row, and no row can be changed unseen.

use crate::{ACTOR, NOW, create, open, open_database, opened, tamper};
use accounts::audit::{AuditError, AuditHead, AuditLog};
use accounts::{AccountName, NewCredential};
use protocol::{SourceNumber, Time};
use serde_json::{Value, json};
use std::path::Path;

async fn verified(directory: &Path, known: Option<AuditHead>) -> Result<AuditHead, AuditError> {
    AuditLog::new(open_database(directory).await).verify(known).await
}

/// A log of `rows` rows, and its end.
async fn written(directory: &Path, rows: u64) -> AuditHead {
    let log = AuditLog::new(open_database(directory).await);
    let mut head = AuditHead::EMPTY;
    for row in 1..=rows {
        head = log.append(Time(row), ACTOR, "test.write", &json!({"row": row})).await.unwrap();
        assert_eq!(head.id, row);
    }
    head
}

#[tokio::test]
async fn a_whole_log_verifies_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(verified(directory.path(), None).await.unwrap(), AuditHead::EMPTY);
    let noted = written(directory.path(), 2).await;
    let log = AuditLog::new(open_database(directory.path()).await);
    let head = log.append(NOW, "é\"'", "test.text", &Value::Null).await.unwrap();
    assert_eq!(log.verify(None).await.unwrap(), head);
    assert_eq!(log.verify(Some(noted)).await.unwrap(), head);
    let entries = log.entries(2, 10).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].time, entries[0].actor.as_str(), entries[0].details.as_str()),
        (NOW, "é\"'", "null")
    );
    assert_eq!(entries[0].previous_hash, noted.hash);
}

#[tokio::test]
async fn a_log_of_more_than_a_page_verifies() {
    let directory = tempfile::tempdir().unwrap();
    let database = open_database(directory.path()).await;
    let mut transaction = database.begin().await.unwrap();
    for row in 0..2_500 {
        accounts::audit::append_in(&mut transaction, Time(row), ACTOR, "test.write", &json!({}))
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    assert_eq!(AuditLog::new(database).verify(None).await.unwrap().id, 2_500);
}

#[tokio::test]
async fn a_tampered_row_is_named() {
    for (statement, row) in [
        ("UPDATE audit_log SET details = '{}' WHERE id = 3", 3),
        ("UPDATE audit_log SET actor = 'someone' WHERE id = 1", 1),
        ("UPDATE audit_log SET action = action || ' ' WHERE id = 5", 5),
        ("UPDATE audit_log SET actor = actor || 't', action = 'est.write' WHERE id = 2", 2),
        ("UPDATE audit_log SET time = time + 1 WHERE id = 4", 4),
        ("UPDATE audit_log SET hash = previous_hash WHERE id = 3", 3),
        ("UPDATE audit_log SET hash = 'x' WHERE id = 3", 3),
        ("UPDATE audit_log SET previous_hash = hash WHERE id = 3", 3),
        ("DELETE FROM audit_log WHERE id = 2", 2),
        ("DELETE FROM audit_log WHERE id = 1", 1),
        ("UPDATE audit_log SET id = 9 WHERE id = 5", 5),
        (
            "INSERT INTO audit_log SELECT 6, time, actor, action, details, previous_hash, hash \
             FROM audit_log WHERE id = 5",
            6,
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        written(directory.path(), 5).await;
        tamper(directory.path(), statement, &[]).await;
        let error = verified(directory.path(), None).await.unwrap_err();
        assert!(matches!(error, AuditError::Tampered { id, .. } if id == row), "{statement}: {error:?}");
        assert!(error.to_string().contains(&format!("row {row}:")), "{error}");
    }
}

#[tokio::test]
async fn a_noted_end_finds_a_cut_and_a_rewritten_log() {
    let directory = tempfile::tempdir().unwrap();
    let noted = written(directory.path(), 5).await;
    tamper(directory.path(), "DELETE FROM audit_log WHERE id = 5", &[]).await;
    assert_eq!(verified(directory.path(), None).await.unwrap().id, 4);
    let cut = verified(directory.path(), Some(noted)).await.unwrap_err();
    assert!(matches!(cut, AuditError::Tampered { id: 5, .. }), "{cut:?}");

    let log = AuditLog::new(open_database(directory.path()).await);
    log.append(Time(5), ACTOR, "test.other", &json!({})).await.unwrap();
    assert_eq!(log.verify(None).await.unwrap().id, 5);
    let rewritten = log.verify(Some(noted)).await.unwrap_err();
    assert!(matches!(rewritten, AuditError::Tampered { id: 5, .. }), "{rewritten:?}");
}

#[tokio::test]
async fn every_change_leaves_a_row_and_a_refusal_none() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = open(directory.path()).await;
    opened(&accounts, "demo-1", 3).await;
    let hmac = create(&accounts, 3, NewCredential::Hmac).await;
    let pair = accounts.rotate_key(ACTOR, &hmac.api_key, NewCredential::Ed25519Generated, NOW).await.unwrap();
    accounts.revoke_key(ACTOR, &pair.api_key, NOW).await.unwrap();
    accounts.revoke_key(ACTOR, &pair.api_key, NOW).await.unwrap_err();
    let name = AccountName::parse("demo-1").unwrap();
    accounts.create_account(ACTOR, &name, |_| b"".to_vec(), NOW).await.unwrap_err();
    let name = AccountName::parse("demo-2").unwrap();
    accounts.create_account("other", &name, |_| b"".to_vec(), NOW).await.unwrap();
    accounts.account_refused("other", SourceNumber(2), b"", NOW).await.unwrap();

    let entries = accounts.audit_log().entries(0, 100).await.unwrap();
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    let expected =
        ["account.create", "key.create", "key.rotate", "key.revoke", "account.create", "account.refused"];
    assert_eq!(actions, expected);
    let details: Value = serde_json::from_str(&entries[2].details).unwrap();
    assert_eq!(details["api_key"], hmac.api_key.as_str());
    assert_eq!(details["new_api_key"], pair.api_key.as_str());
    assert_eq!((entries[0].actor.as_str(), entries[4].actor.as_str()), (ACTOR, "other"));
    accounts.audit_log().verify(None).await.unwrap();
}
