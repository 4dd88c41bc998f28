//! What was backed up while an exchange was writing comes back, up to any command, as the same state.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use backup::{BackupError, Catalogue, Content, KeepRule, Kind, Manifest, prune};
use engine_journal::{
    Archive, FileStorage, Identity, JournalReader, RetentionRule, Snapshots, closed_segments,
};
use engine_runtime::pipeline::make_snapshot;
use protocol::Sequence;
use services::EngineStatus as _;
use support::{GATEWAY, Place, later, open, set_up, state_hash, trade};

#[test]
fn backups_made_while_an_exchange_writes_restore_to_the_same_state() {
    let place = Place::new();
    let exchange = open(&place.data());
    let port = exchange.port(GATEWAY);
    set_up(&port);
    trade(&port, 0, 3_000, 100);
    let ends = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut index = 3_000;
            while !ends.load(Ordering::Relaxed) {
                trade(&port, index, index + 500, 100);
                index += 500;
            }
        });
        let kinds = [Kind::Full, Kind::Incremental, Kind::Incremental, Kind::Full, Kind::Incremental];
        let mut made: Vec<Manifest> = Vec::new();
        for (index, kind) in kinds.into_iter().enumerate() {
            // The writer may get no processor while a small backup is made.
            let last = made.last().map_or(0, |manifest| manifest.last_sequence);
            while exchange.status().durable_sequence().0 <= last {
                std::thread::yield_now();
            }
            made.push(place.create_of(&place.data(), kind, later(index as u64)).unwrap());
        }
        ends.store(true, Ordering::Relaxed);
        made
    });
    exchange.stop();

    assert!(made.windows(2).all(|pair| pair[0].last_sequence < pair[1].last_sequence), "it went on writing");
    for (index, manifest) in made.iter().enumerate() {
        let first = if manifest.kind == Kind::Full { 1 } else { made[index - 1].last_sequence + 1 };
        assert_eq!(manifest.first_sequence, first, "each goes on where the one before ended");
        let hash = state_hash(&place.data(), manifest.last_sequence);
        assert_eq!(manifest.state_hash.as_ref(), Some(&hash));
    }
    for at in [Some(made[2].last_sequence), None] {
        let to = place.path(&format!("restored-{at:?}"));
        let report = place.restore(&to, at).unwrap();
        let last = at.unwrap_or(made[4].last_sequence);
        assert!(report.equal, "{report:?}");
        assert_eq!(report.last_sequence, last);
        assert_eq!(report.state_hash, state_hash(&place.data(), last));
        // The newest full one is what it begins with; all it holds is there for an earlier command.
        assert_eq!(report.backups[0], made[3].id);
        let original = Identity::read(&FileStorage::new(place.data())).unwrap().unwrap();
        let restored = Identity::read(&FileStorage::new(&to)).unwrap().unwrap();
        assert_eq!(restored.engine_id, original.engine_id);
        assert!(restored.epoch >= original.epoch + 1_000, "an epoch of its own");

        // It is an exchange: it opens, knows where it was, and goes on.
        let exchange = open(&to);
        assert_eq!(exchange.recovered(), Sequence(last));
        trade(&exchange.port(GATEWAY), 0, 10, 1);
        exchange.stop();
        assert_eq!(replay::verify(&to, &mut |_| ()).unwrap().last_sequence, last + 10);
    }
}

#[test]
fn any_command_can_be_the_last_one() {
    let place = Place::new();
    let exchange = open(&place.data());
    let port = exchange.port(GATEWAY);
    set_up(&port);
    trade(&port, 0, 2_000, 500);
    place.create(Kind::Full).unwrap();
    trade(&port, 2_000, 6_000, 500);
    let manifest = place.create_of(&place.data(), Kind::Incremental, later(1)).unwrap();
    exchange.stop();

    // One within a group, wherever groups happened to end.
    let mut reader = JournalReader::open(FileStorage::new(place.data()), 100).unwrap();
    let mut within = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        if batch.count > 2 {
            within.push(batch.first_sequence + 1);
        }
    }
    assert!(within.len() > 2, "groups of several commands");
    let last = manifest.last_sequence;
    let some = [1, 7, within[0], within[within.len() / 2], within[within.len() - 1], last - 1, last];
    for at in some {
        let to = place.path(&format!("restored-{at}"));
        let report = place.restore(&to, Some(at)).unwrap();
        assert!(report.equal, "{report:?}");
        assert_eq!(report.state_hash, state_hash(&place.data(), at), "at {at}");
        assert_eq!(report.recorded_hash.is_some(), at == last);
        let exchange = open(&to);
        assert_eq!(exchange.recovered(), Sequence(at));
        exchange.stop();
        fs::remove_dir_all(&to).unwrap();
    }
    match place.restore(&place.path("restored"), Some(last + 1)).unwrap_err() {
        BackupError::PastTheEnd { wanted, last: found, .. } => assert_eq!((wanted, found), (last + 1, last)),
        error => panic!("{error}"),
    }
    assert!(!place.path("restored").exists());
}

#[test]
fn archived_segments_are_in_a_full_backup() {
    let place = Place::new();
    let storage = FileStorage::new(place.data());
    let exchange = open(&place.data());
    let port = exchange.port(GATEWAY);
    set_up(&port);
    trade(&port, 0, 13_000, 200);
    let rule = RetentionRule { segments: 1, bytes: 0 };
    let plan = rule.plan(&closed_segments(&storage).unwrap(), Some(u64::MAX), &[]);
    let archive = Archive::of(storage.clone()).with_reserve(0);
    let gone = plan.execute(&storage, Some(&archive), |_| {}).unwrap();
    assert!(gone.len() >= 2, "{gone:?}");

    let manifest = place.create(Kind::Full).unwrap();
    let archived = manifest.files.iter().filter(|entry| matches!(entry.content, Content::Archived { .. }));
    assert_eq!(archived.count(), gone.len());
    // An incremental one after more has left the journal.
    trade(&port, 13_000, 26_000, 200);
    let plan = rule.plan(&closed_segments(&storage).unwrap(), Some(u64::MAX), &[]);
    assert!(plan.execute(&storage, Some(&archive), |_| {}).unwrap().len() >= 2);
    let manifest = place.create_of(&place.data(), Kind::Incremental, later(1)).unwrap();
    exchange.stop();
    for at in [gone[0].last / 2, gone[1].first + 1, manifest.last_sequence] {
        let to = place.path(&format!("restored-{at}"));
        let report = place.restore(&to, Some(at)).unwrap();
        assert!(report.equal, "{report:?}");
        assert_eq!(report.state_hash, state_hash(&place.data(), at));
        assert_eq!(open(&to).recovered(), Sequence(at));
    }
}

#[test]
fn snapshots_are_restored_up_to_the_last_command_and_agree_with_the_replay() {
    let place = Place::new();
    let storage = FileStorage::new(place.data());
    let exchange = open(&place.data());
    let port = exchange.port(GATEWAY);
    set_up(&port);
    trade(&port, 0, 1_000, 50);
    make_snapshot(&storage, Sequence(400)).unwrap();
    make_snapshot(&storage, Sequence(900)).unwrap();
    place.create(Kind::Full).unwrap();
    trade(&port, 1_000, 2_000, 50);
    make_snapshot(&storage, Sequence(1_500)).unwrap();
    // A damaged one is left where it is.
    make_snapshot(&storage, Sequence(1_600)).unwrap();
    let damaged = place.data().join(Content::Snapshot { sequence: 1_600 }.path());
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[200] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    place.create_of(&place.data(), Kind::Incremental, later(1)).unwrap();
    exchange.stop();
    for (at, kept) in
        [(300, vec![]), (400, vec![400]), (1_499, vec![900, 400]), (2_006, vec![1_500, 900, 400])]
    {
        let to = place.path(&format!("restored-{at}"));
        let report = place.restore(&to, Some(at)).unwrap();
        assert!(report.equal, "{report:?}");
        assert_eq!(report.snapshots, kept.len() as u64, "at {at}");
        assert_eq!(Snapshots::new(FileStorage::new(&to)).list().unwrap(), kept);
        assert_eq!(report.state_hash, state_hash(&place.data(), at));
        // Twice: first without an event log, then from a snapshot.
        for _ in 0..2 {
            let exchange = open(&to);
            assert_eq!(exchange.recovered(), Sequence(at));
            exchange.stop();
        }
    }
}

#[test]
fn an_incremental_backup_needs_a_base_of_the_same_history() {
    let place = Place::new();
    let exchange = open(&place.data());
    let port = exchange.port(GATEWAY);
    set_up(&port);
    let error = place.create(Kind::Incremental).unwrap_err();
    assert!(matches!(error, BackupError::NothingToBuildOn { .. }), "{error}");
    trade(&port, 0, 100, 10);
    place.create(Kind::Full).unwrap();
    let nothing_new = place.create_of(&place.data(), Kind::Incremental, later(1)).unwrap();
    assert_eq!((nothing_new.first_sequence, nothing_new.last_sequence), (0, 106));
    exchange.stop();

    // The exchange is restored to an earlier command and goes on otherwise.
    let to = place.path("restored");
    place.restore(&to, Some(50)).unwrap();
    let exchange = open(&to);
    trade(&exchange.port(GATEWAY), 1_000, 1_200, 10);
    exchange.stop();
    let error = place.create_of(&to, Kind::Incremental, later(2)).unwrap_err();
    assert!(matches!(error, BackupError::AnotherHistory { .. }), "{error}");
    let full = place.create_of(&to, Kind::Full, later(3)).unwrap();
    let next = place.create_of(&to, Kind::Incremental, later(4)).unwrap();
    assert_eq!((full.last_sequence, next.parent.as_ref()), (250, Some(&full.id)));
    assert!(place.restore(&place.path("again"), None).unwrap().equal);
}

#[test]
fn nothing_is_restored_over_something() {
    let place = Place::new();
    let exchange = open(&place.data());
    set_up(&exchange.port(GATEWAY));
    exchange.stop();
    place.create(Kind::Full).unwrap();
    let error = place.restore(&place.data(), None).unwrap_err();
    assert!(matches!(error, BackupError::NotEmpty(_)), "{error}");
    let error = place.create_of(&place.path("nowhere"), Kind::Full, later(1)).unwrap_err();
    assert!(matches!(error, BackupError::NoExchange(_)), "{error}");
}

#[test]
fn what_a_kept_backup_builds_on_is_never_pruned() {
    let place = Place::new();
    let exchange = open(&place.data());
    let port = exchange.port(GATEWAY);
    set_up(&port);
    let day = |days: u64| later(days * 24 * 60 * 60);
    let mut made = Vec::new();
    for (days, kind) in [
        (0, Kind::Full),
        (1, Kind::Incremental),
        (200, Kind::Full),
        (400, Kind::Full),
        (401, Kind::Incremental),
    ] {
        trade(&port, days * 100, days * 100 + 50, 10);
        made.push(place.create_of(&place.data(), kind, day(days)).unwrap().id);
    }
    exchange.stop();
    fs::create_dir(place.backups().join(".unfinished-1")).unwrap();

    let rehearsed = prune(&place.backups(), KeepRule::default(), day(401), true).unwrap();
    assert_eq!(rehearsed, [made[1].clone(), made[0].clone()]);
    assert_eq!(Catalogue::read(&place.backups()).unwrap().backups().len(), 5, "only said");
    assert_eq!(prune(&place.backups(), KeepRule::default(), day(401), false).unwrap(), rehearsed);
    assert_eq!(Catalogue::read(&place.backups()).unwrap().backups().len(), 3);
    let report = place.restore(&place.path("restored"), None).unwrap();
    assert_eq!(report.backups, made[3..]);
    assert!(report.equal);

    place.create_of(&place.data(), Kind::Full, day(402)).unwrap();
    assert!(!place.backups().join(".unfinished-1").exists(), "what was left is cleared away");
}
