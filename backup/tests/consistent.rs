//! Database and journal of a backup agree, also when administration acts while it is made.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use backup::{Content, CreateOptions, Kind, create};
use database::{Database, Value};
use engine_journal::{FileStorage, JournalReader};
use engine_runtime::pipeline::Port;
use protocol::command::{Command, OpenAccount};
use protocol::reject::Outcome;
use services::CommandPort as _;
use support::{ADMINISTRATION, GATEWAY, Place, later, open, set_up, trade};

/// Promises an account in the outbox, opens it, and writes the answer down: as administration does.
async fn open_account(database: &Database, port: &Port, number: i64) {
    let mut transaction = database.begin().await.unwrap();
    let values = [Value::Integer(number)];
    let promise =
        "INSERT INTO outbox (source, number, content_hash, command) VALUES ('administration', $1, '', '')";
    transaction.execute(promise, &values).await.unwrap();
    transaction.commit().await.unwrap();
    let command = Command::OpenAccount(OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] });
    let answer = port.submit(&command, number as u64).unwrap().await.unwrap();
    assert_eq!(answer.outcome, Outcome::Done);
    let mut transaction = database.begin().await.unwrap();
    transaction.execute("UPDATE outbox SET outcome = 'done' WHERE number = $1", &values).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Promises and answers in the database, and commands of administration in the journal.
async fn counted(directory: &Path) -> (i64, i64, i64) {
    let database = Database::open_sqlite(&directory.join("accounts.sqlite")).await.unwrap();
    let statement = "SELECT COUNT(*) AS promises, COUNT(outcome) AS answers FROM outbox";
    let rows = database.rows(statement, &[]).await.unwrap();
    let (promises, answers) = (rows[0].integer("promises").unwrap(), rows[0].integer("answers").unwrap());
    database.close().await;
    let mut reader = JournalReader::open(FileStorage::new(directory), 0).unwrap();
    let mut commands = 0;
    while let Some(batch) = reader.next_batch().unwrap() {
        // A command's source stands in bytes 4 to 8 of its record.
        let of_administration = |record: &[u8]| record[4..8] == ADMINISTRATION.0.to_le_bytes();
        commands += batch.records().filter(|(_, record)| of_administration(record)).count() as i64;
    }
    (promises, answers, commands)
}

#[test]
fn administration_that_acts_meanwhile_is_in_both_or_in_neither() {
    let place = Place::new();
    let exchange = open(&place.data());
    let traders = exchange.port(GATEWAY);
    set_up(&traders);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(Database::open_sqlite(&place.data().join("accounts.sqlite"))).unwrap();
    let port = exchange.port(ADMINISTRATION);
    let (stop, stopped) = channel::<()>();
    let (acted, acts) = channel();
    let made = std::thread::scope(|scope| {
        let (runtime, database) = (&runtime, &database);
        scope.spawn(move || {
            let mut number = 0;
            // Now and then, as people do; and never at a moment that is known.
            while matches!(stopped.recv_timeout(Duration::from_millis(40)), Err(RecvTimeoutError::Timeout)) {
                number += 1;
                runtime.block_on(open_account(database, &port, number));
                trade(&traders, number as u64 * 20, number as u64 * 20 + 20, 5);
                // Nobody hears it once the backups that wait for it are made.
                let _ = acted.send(());
            }
        });
        let made: Vec<_> = (0..6)
            .map(|index| {
                let kind = if index % 3 == 0 { Kind::Full } else { Kind::Incremental };
                if index >= 3 {
                    acts.recv().unwrap();
                }
                place.create_of(&place.data(), kind, later(index)).unwrap()
            })
            .collect();
        stop.send(()).unwrap();
        made
    });
    runtime.block_on(database.close());
    exchange.stop();

    for manifest in &made[3..] {
        let to = place.path(&manifest.id);
        let report = place.restore(&to, Some(manifest.last_sequence)).unwrap();
        let restored = report.database.unwrap();
        assert_eq!((restored.sequence, restored.unknown_to_it), (manifest.last_sequence, vec![]));
        let (promises, answers, commands) = runtime.block_on(counted(&to));
        assert!(answers <= commands, "{answers} answers were given, {commands} commands are there");
        assert!(commands <= promises, "{commands} commands are there, {promises} were promised");
        assert!(commands > 0);
    }
}

#[test]
fn a_restore_between_two_backups_says_how_the_database_stands() {
    let place = Place::new();
    let exchange = open(&place.data());
    set_up(&exchange.port(GATEWAY));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(Database::open_sqlite(&place.data().join("accounts.sqlite"))).unwrap();
    let port = exchange.port(ADMINISTRATION);
    place.create(Kind::Full).unwrap();
    trade(&exchange.port(GATEWAY), 0, 3, 1);
    runtime.block_on(open_account(&database, &port, 1));
    trade(&exchange.port(GATEWAY), 3, 6, 1);
    place.create_of(&place.data(), Kind::Incremental, later(1)).unwrap();
    runtime.block_on(database.close());
    exchange.stop();
    // Commands 1 to 6 set it up, 10 opens an account, 13 is the last.
    for (at, of, unknown, word) in [
        (4, 6, vec![], "later than the journal"),
        (9, 6, vec![], ""),
        (11, 6, vec![10], "earlier than the journal"),
        (13, 13, vec![], ""),
    ] {
        let report = place.restore(&place.path(&format!("restored-{at}")), Some(at)).unwrap();
        let database = report.database.unwrap();
        assert_eq!((database.sequence, database.unknown_to_it), (of, unknown), "at {at}");
        let to_do = report.to_do.join("\n");
        assert!(to_do.contains(word), "at {at}: {to_do}");
        assert_eq!(to_do.contains("than the journal"), !word.is_empty(), "at {at}: {to_do}");
        assert_eq!(to_do.contains("are given up"), at < 13, "at {at}: {to_do}");
        assert!(to_do.contains("master.key"), "{to_do}");
    }
}

#[test]
fn the_master_key_is_taken_when_it_is_asked_for() {
    let place = Place::new();
    let exchange = open(&place.data());
    set_up(&exchange.port(GATEWAY));
    exchange.stop();
    let master_key = place.data().join("master.key");
    fs::write(&master_key, "secret").unwrap();
    fs::set_permissions(&master_key, Permissions::from_mode(0o600)).unwrap();
    let without = place.create(Kind::Full).unwrap();
    assert!(without.files.iter().all(|entry| entry.content != Content::MasterKey));
    let options = CreateOptions {
        data: &place.data(),
        to: &place.backups(),
        key: &place.key,
        kind: Kind::Full,
        with_master_key: true,
        with_state_hash: false,
        now: later(1),
    };
    create(&options, &mut |_| ()).unwrap();
    let to = place.path("restored");
    assert!(place.restore(&to, None).unwrap().equal);
    assert_eq!(fs::read_to_string(to.join("master.key")).unwrap(), "secret");
    assert_eq!(fs::metadata(to.join("master.key")).unwrap().permissions().mode() & 0o777, 0o600);
    // Nothing of it can be read in the backup.
    for entry in fs::read_dir(place.backups()).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(&entry).into_iter().flatten() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"secret"), "{}", entry.display());
        }
    }
}
