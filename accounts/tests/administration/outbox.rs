//! The outbox: dense numbers, sent until answered, one answer.

use crate::{open_database, tamper};
use accounts::outbox::{Outbox, OutboxError};
use protocol::SourceNumber;
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn each_source_counts_for_itself_across_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let database = open_database(directory.path()).await;
    let wallet = Outbox::new(database.clone(), "wallet");
    let administration = Outbox::new(database.clone(), "administration");
    assert_eq!(wallet.last_number().await.unwrap(), SourceNumber(0));
    for number in 1..=3_u64 {
        let written = wallet.append(|number| number.0.to_le_bytes().to_vec()).await.unwrap();
        assert_eq!((written.number.0, written.command), (number, number.to_le_bytes().to_vec()));
    }
    assert_eq!(administration.append(|_| Vec::new()).await.unwrap().number, SourceNumber(1));
    database.close().await;

    let wallet = Outbox::new(open_database(directory.path()).await, "wallet");
    wallet.mark_answered(SourceNumber(2), b"done").await.unwrap();
    let waiting = wallet.unanswered().await.unwrap();
    assert_eq!(waiting.iter().map(|entry| entry.number.0).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(waiting[1].command, 3_u64.to_le_bytes());
    let hash: [u8; 32] = Sha256::digest(3_u64.to_le_bytes()).into();
    assert_eq!(waiting[1].content_hash, hash);
    assert_eq!(wallet.append(|_| b"4".to_vec()).await.unwrap().number, SourceNumber(4));
}

#[tokio::test]
async fn numbers_that_were_used_elsewhere_are_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(open_database(directory.path()).await, "wallet");
    outbox.append(|_| b"1".to_vec()).await.unwrap();
    outbox.skip_to(SourceNumber(7)).await.unwrap();
    let waiting = outbox.unanswered().await.unwrap();
    assert_eq!(waiting.iter().map(|entry| entry.number.0).collect::<Vec<_>>(), [1], "it waits for no answer");
    assert_eq!(outbox.append(|_| b"8".to_vec()).await.unwrap().number, SourceNumber(8));
    assert!(outbox.skip_to(SourceNumber(7)).await.is_err(), "nothing that is there is written over");
}

#[tokio::test]
async fn concurrent_appends_get_dense_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(open_database(directory.path()).await, "wallet");
    let tasks: Vec<_> = (0..6_u8)
        .map(|task| {
            let outbox = outbox.clone();
            tokio::spawn(async move {
                let mut numbers = Vec::new();
                for command in 0..5_u8 {
                    numbers.push(outbox.append(|_| vec![task, command]).await.unwrap().number.0);
                }
                numbers
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.extend(task.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_answer_is_kept_once() {
    let directory = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(open_database(directory.path()).await, "wallet");
    let number = outbox.append(|_| b"command".to_vec()).await.unwrap().number;
    for _ in 0..2 {
        outbox.mark_answered(number, b"").await.unwrap();
    }
    let other = outbox.mark_answered(number, b"other").await;
    assert!(matches!(other, Err(OutboxError::OutcomeConflict { .. })), "{other:?}");
    let unknown = outbox.mark_answered(SourceNumber(2), b"").await;
    assert!(matches!(unknown, Err(OutboxError::Unknown { .. })), "{unknown:?}");
}

#[tokio::test]
async fn a_changed_command_is_not_sent() {
    for statement in ["UPDATE outbox SET command = 'ff'", "UPDATE outbox SET command = 'xy'"] {
        let directory = tempfile::tempdir().unwrap();
        let database = open_database(directory.path()).await;
        Outbox::new(database.clone(), "wallet").append(|_| b"command".to_vec()).await.unwrap();
        database.close().await;
        tamper(directory.path(), statement, &[]).await;
        let outbox = Outbox::new(open_database(directory.path()).await, "wallet");
        let waiting = outbox.unanswered().await;
        assert!(matches!(waiting, Err(OutboxError::Damaged { .. })), "{waiting:?}");
    }
}
