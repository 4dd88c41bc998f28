//! Snapshots made while an exchange works, and starts that go on from them: the same state, the same
//! events to every consumer, whatever is missing or damaged.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use engine_core::StateHash;
use engine_journal::{
    JournalOptions, JournalWriter, OpenError as JournalError, SimulatedStorage, Snapshots, Void, VoidError,
    record_checksum,
};
use engine_runtime::pipeline::{
    Exchange, MakeSnapshotError, OpenError, Options, make_snapshot, write_snapshot,
};
use protocol::{AccountId, Sequence, SourceNumber, command::Command, reject::Outcome};
use services::{CommandPort as _, EngineState, EngineStatus as _, EventConsumer, HaltReason, SubmitError};
use support::{ADMINISTRATION, FIRST_CUSTOMER, GATEWAY, Seen, ask, flow, options, set_up, stop};

/// Small segments, so that some lie wholly below a snapshot.
fn small() -> Options {
    Options { journal_segment_bytes: 128 * 1024, event_segment_bytes: 64 * 1024, ..options() }
}

fn open(storage: &SimulatedStorage, seen: &Seen) -> Result<Exchange, OpenError> {
    Exchange::open(storage.clone(), small(), vec![Box::new(seen.clone())])
}

/// What an exchange left behind.
struct Left {
    storage: SimulatedStorage,
    hash: StateHash,
    seen: Vec<u8>,
    /// Of which commands there are snapshots, oldest first.
    snapshots: Vec<Sequence>,
}

/// Three snapshots while it works, and one of its end.
fn worked() -> Left {
    let storage = SimulatedStorage::new();
    let seen = Seen::default();
    let exchange = open(&storage, &seen).unwrap();
    let port = exchange.port(GATEWAY);
    set_up(&port, 4);
    let mut snapshots = Vec::new();
    for index in 0..4_000 {
        ask(&port, &flow(AccountId(FIRST_CUSTOMER.0 + (index % 4) as u32), index));
        if index % 1_200 == 1_100 {
            let made = make_snapshot(&storage, exchange.status().durable_sequence()).unwrap();
            assert_eq!(
                made.from,
                snapshots.last().copied().unwrap_or(Sequence(0)),
                "made from the one before"
            );
            snapshots.push(made.sequence);
        }
    }
    let engine = exchange.stop().engine.unwrap();
    snapshots.push(write_snapshot(&storage, &engine).unwrap().sequence);
    Left { storage, hash: engine.state_hash(), seen: seen.bytes(), snapshots }
}

impl Left {
    fn path(sequence: Sequence) -> String {
        format!("snapshots/snapshot-{:020}.bin", sequence.0)
    }

    /// A copy without some of its files.
    fn without(&self, gone: impl Fn(&str) -> bool) -> SimulatedStorage {
        let storage = SimulatedStorage::new();
        for path in self.storage.paths().into_iter().filter(|path| !gone(path)) {
            storage.set_content(&path, self.storage.content(&path).unwrap());
        }
        storage
    }

    /// Whether a segment of the journal ends before the command after `sequence`.
    fn is_below(&self, path: &str, sequence: Sequence) -> bool {
        let mut segments: Vec<_> =
            self.storage.paths().into_iter().filter(|path| path.starts_with("journal/segment-")).collect();
        segments.sort_unstable();
        let next = segments.iter().skip_while(|other| other.as_str() != path).nth(1);
        let first = |path: &str| path["journal/segment-".len()..][..20].parse::<u64>().unwrap();
        path.starts_with("journal/segment-") && next.is_some_and(|next| first(next) <= sequence.next().0)
    }

    fn opens_as_it_was(&self, storage: &SimulatedStorage, what: &str) {
        let seen = Seen::default();
        let exchange = open(storage, &seen).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(stop(exchange), self.hash, "{what}");
        assert!(seen.bytes() == self.seen, "{what}: the consumers see the same");
    }
}

#[test]
fn a_start_from_every_snapshot_is_the_start_from_nothing() {
    let left = worked();
    assert_eq!(left.snapshots.len(), 4);
    left.opens_as_it_was(&left.without(|path| path.starts_with("snapshots/")), "from nothing");
    for snapshot in &left.snapshots {
        let others = |path: &str| path.starts_with("snapshots/") && path != Left::path(*snapshot);
        left.opens_as_it_was(&left.without(others), &format!("from {snapshot}"));
        let older = |path: &str| others(path) || left.is_below(path, *snapshot);
        let storage = left.without(older);
        let gone = left.storage.paths().iter().filter(|path| left.is_below(path, *snapshot)).count();
        assert!(gone > 0, "some segments lie below {snapshot}");
        left.opens_as_it_was(&storage, &format!("from {snapshot}, without the segments before it"));
    }
}

#[test]
fn a_bad_snapshot_falls_back_to_the_one_before() {
    let left = worked();
    let storage = left.without(|_| false);
    for snapshot in left.snapshots.iter().rev() {
        let path = Left::path(*snapshot);
        let mut content = storage.content(&path).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 4;
        storage.set_content(&path, content);
        left.opens_as_it_was(&storage, &format!("{snapshot} and those after it are damaged"));
    }
}

#[test]
fn an_event_log_that_is_gone_or_short_is_made_again() {
    let left = worked();
    left.opens_as_it_was(&left.without(|path| path.starts_with("events/")), "without an event log");
    let last = left.storage.paths().into_iter().rfind(|path| path.starts_with("events/")).unwrap();
    left.opens_as_it_was(&left.without(|path| path == last), "without its last segment");
    let first = left.storage.paths().into_iter().find(|path| path.starts_with("events/")).unwrap();
    left.opens_as_it_was(&left.without(|path| path == first), "without its first segment");
    let oldest = left.snapshots[0];
    let neither = left.without(|path| path.starts_with("events/") || left.is_below(path, oldest));
    let refused = open(&neither, &Seen::default()).unwrap_err();
    assert!(matches!(refused, OpenError::EventsLost { missing: Sequence(1), .. }), "{refused}");
}

/// The commands before the journal's first are known by their events alone, and by the snapshots above
/// them. Damaged events then keep the exchange from starting, and what follows the damage stays.
#[test]
fn a_start_that_lacks_both_journal_and_events_is_refused_and_changes_nothing() {
    let left = worked();
    let storage = left.without(|path| left.is_below(path, left.snapshots[0]));
    let path = "events/segment-00000000000000000001.log";
    let mut damaged = storage.content(path).unwrap();
    damaged[1_000] ^= 1;
    storage.set_content(path, damaged);
    let contents = || storage.paths().into_iter().map(|path| storage.content(&path)).collect::<Vec<_>>();
    let before = contents();
    let refused = open(&storage, &Seen::default()).unwrap_err();
    assert!(matches!(refused, OpenError::EventsLost { .. }), "{refused}");
    assert!(contents() == before);
    left.opens_as_it_was(&left.without(|path| left.is_below(path, left.snapshots[0])), "undamaged");
}

#[test]
fn a_journal_that_ends_before_a_snapshot_has_lost_commands() {
    let left = worked();
    let last = left.storage.paths().into_iter().rfind(|path| path.starts_with("journal/segment-")).unwrap();
    let storage = left.without(|path| path == last || path.starts_with("events/"));
    let before = storage.paths();
    let refused = open(&storage, &Seen::default()).unwrap_err();
    let newest = left.snapshots.last().unwrap().0;
    assert!(
        matches!(refused, OpenError::Journal(JournalError::PublishedAboveEnd { published, .. }) if published == newest),
        "{refused}"
    );
    assert_eq!(storage.paths(), before, "nothing was touched");
}

#[test]
fn power_may_fail_at_any_change_of_a_snapshot_being_made() {
    let left = worked();
    for change in 1.. {
        let storage = left.without(|path| path.starts_with("snapshots/"));
        storage.power_off_after(change);
        let made = make_snapshot(&storage, left.snapshots[2]);
        storage.crash(change);
        left.opens_as_it_was(&storage, &format!("power failed at change {change}"));
        if made.is_ok() {
            assert_eq!(Snapshots::new(storage).list().unwrap(), [left.snapshots[2].0]);
            break;
        }
    }
}

#[test]
fn a_snapshot_is_of_a_command_that_is_there() {
    let left = worked();
    let wanted = left.snapshots.last().unwrap().next();
    let refused = make_snapshot(&left.storage, wanted).unwrap_err();
    assert!(
        matches!(refused, MakeSnapshotError::JournalEnds { wanted: found, .. } if found == wanted),
        "{refused}"
    );
    let empty = SimulatedStorage::new();
    assert!(matches!(make_snapshot(&empty, Sequence(0)).unwrap_err(), MakeSnapshotError::Nothing));
}

/// A consumer that has the events of the commands up to one already.
struct GoesOn(Seen, Sequence);

impl EventConsumer for GoesOn {
    fn consume(&mut self, chunks: &[u8]) {
        self.0.consume(chunks);
    }

    fn position(&self) -> Sequence {
        self.1
    }
}

#[test]
fn a_consumer_is_shown_what_it_has_not() {
    let left = worked();
    let last = *left.snapshots.last().unwrap();
    // Before every snapshot, between two, within a group of the log, and at the end.
    for position in [0, 7, left.snapshots[1].0 - 1, left.snapshots[1].0, left.snapshots[2].0 + 3, last.0] {
        let (all, rest) = (Seen::default(), Seen::default());
        let goes_on = GoesOn(rest.clone(), Sequence(position));
        let consumers: Vec<Box<dyn EventConsumer>> = vec![Box::new(all.clone()), Box::new(goes_on)];
        let exchange = Exchange::open(left.storage.clone(), small(), consumers).unwrap();
        assert_eq!(stop(exchange), left.hash);
        assert!(all.bytes() == left.seen, "whoever has nothing is shown all, beside {position}");
        assert_eq!(rest.first(), (position < last.0).then(|| Sequence(position + 1)), "after {position}");
        assert!(left.seen.ends_with(&rest.bytes()), "after {position}");
    }
    let ahead = GoesOn(Seen::default(), last.next());
    let refused = Exchange::open(left.storage.clone(), small(), vec![Box::new(ahead)]).unwrap_err();
    assert!(matches!(refused, OpenError::ConsumerAhead { .. }), "{refused}");
}

/// Appends a command whose time lies before the last one's, which no sequencer writes and no core takes.
fn append_broken(storage: &SimulatedStorage, last: Sequence) -> Vec<u8> {
    let journal_options = JournalOptions { reserve: 0, ..JournalOptions::default() };
    let (mut journal, _) = JournalWriter::open(storage.clone(), journal_options).unwrap();
    assert_eq!(journal.next_sequence(), last.next().0);
    let record = Command::Tick.encode(ADMINISTRATION, SourceNumber(1), 0);
    journal.append_batch(last.next().0, 1, &record).unwrap();
    record
}

#[test]
fn a_command_that_breaks_an_invariant_is_passed_over_once_it_is_voided() {
    let left = worked();
    let last = *left.snapshots.last().unwrap();
    let record = append_broken(&left.storage, last);
    let broken = last.next();
    let seen = Seen::default();
    let exchange = open(&left.storage, &seen).unwrap();
    let EngineState::Halted(HaltReason::BrokenInvariant { sequence, what }) = exchange.status().state()
    else {
        panic!("{:?}", exchange.status().state());
    };
    assert_eq!(sequence, broken);
    assert!(what.contains("time runs backwards"), "{what}");
    assert_eq!(exchange.port(GATEWAY).submit(&Command::Tick, 0).unwrap_err(), SubmitError::Closed);
    drop(exchange);
    assert!(seen.bytes() == left.seen, "open to read, as it was before the command");
    let refused = make_snapshot(&left.storage, broken).unwrap_err();
    assert!(matches!(refused, MakeSnapshotError::Broken { sequence, .. } if sequence == broken), "{refused}");

    let void = Void {
        sequence: broken.0,
        record_checksum: record_checksum(b"another record"),
        administrators: ["Ada".to_owned(), "Grace".to_owned()],
        time: 1,
        reason: "it came from a broken clock".to_owned(),
    };
    let storage = left.storage.duplicate();
    void.write(&storage).unwrap();
    assert!(matches!(
        open(&storage, &seen).unwrap_err(),
        OpenError::Void(VoidError::OfAnother { sequence }) if sequence == broken.0
    ));

    let record_checksum = record_checksum(&record);
    Void { record_checksum, ..void }.write(&left.storage).unwrap();
    let exchange = open(&left.storage, &Seen::default()).unwrap();
    assert_eq!(exchange.status().state(), EngineState::Open);
    assert_eq!(exchange.recovered(), broken);
    let answer = ask(&exchange.port(GATEWAY), &flow(FIRST_CUSTOMER, 5_000));
    assert_eq!((answer.outcome, answer.sequence), (Outcome::Done, broken.next()));
    let next = exchange.port(ADMINISTRATION).next_number();
    assert_eq!(next.0, 2, "its number was used");
    let hash = stop(exchange);
    let exchange = open(&left.storage, &Seen::default()).unwrap();
    assert_eq!(stop(exchange), hash);
}
