//! The journal of a stopped server, in a test's hands: what it holds, and one command more that no
//! sequencer has written. Refuses to know what the core makes of it.

use engine_core::Engine;
use engine_journal::{FileStorage, JournalOptions, JournalReader, JournalWriter, SnapshotInfo, Snapshots};
use engine_runtime::pipeline::make_snapshot;
use protocol::{
    Sequence, SourceId, SourceNumber, Time,
    command::{Command, CommandHeader},
};
use std::{mem::offset_of, path::Path};

/// The source of traders' commands, and that of administration's.
pub const GATEWAY: SourceId = SourceId(1);
pub const ADMINISTRATION: SourceId = SourceId(2);
/// Where a record has its sender, its number and its time.
const SOURCE: usize = offset_of!(CommandHeader, source);
const NUMBER: usize = offset_of!(CommandHeader, number);
const TIME: usize = offset_of!(CommandHeader, time);

/// What a journal holds.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Its last command.
    pub last: Sequence,
    /// That command's time.
    pub time: Time,
    /// The number that a source's next command has.
    pub next_number: SourceNumber,
}

/// Reads the journal to its end; numbers are those of `source`.
pub fn held(data: &Path, source: SourceId) -> Held {
    let mut reader = JournalReader::open(FileStorage::new(data), 0).expect("the journal can be read");
    let mut held = Held { last: Sequence(0), time: Time(0), next_number: SourceNumber(1) };
    while let Some(batch) = reader.next_batch().expect("the journal is whole") {
        for (_, record) in batch.records() {
            held.time = Time(word(record, TIME));
            if word(record, SOURCE) as u32 == source.0 {
                held.next_number = SourceNumber(word(record, NUMBER) + 1);
            }
        }
        held.last = Sequence(batch.last_sequence());
    }
    held
}

/// Eight bytes of a record; of a number of four they are its lower half.
fn word(record: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(record[at..at + 8].try_into().expect("eight bytes"))
}

/// Appends a command as it would have been written at `time`. Gives its sequence.
pub fn append(
    data: &Path,
    command: &Command,
    source: SourceId,
    number: SourceNumber,
    time: Time,
) -> Sequence {
    let mut record = command.encode(source, number, 0);
    record[TIME..TIME + 8].copy_from_slice(&time.0.to_le_bytes());
    let options = JournalOptions { reserve: 0, ..JournalOptions::default() };
    let (mut journal, _) =
        JournalWriter::open(FileStorage::new(data), options).expect("the journal can be opened");
    let sequence = journal.next_sequence();
    journal.append_batch(sequence, 1, &record).expect("the journal can be written");
    Sequence(sequence)
}

/// Puts in the place of the newest state a snapshot in which these bytes are those: whole, of the right
/// hash, and wrong. Gives its sequence and its file.
pub fn forge_snapshot(data: &Path, bytes: &[u8], others: &[u8]) -> (Sequence, String) {
    let storage = FileStorage::new(data);
    let made = make_snapshot(&storage, held(data, GATEWAY).last).expect("a snapshot can be made");
    let snapshots = Snapshots::new(storage).with_reserve(0);
    let snapshot = snapshots.read(made.sequence.0).expect("a snapshot that was made");
    let places: Vec<usize> =
        (0..snapshot.payload.len()).filter(|at| snapshot.payload[*at..].starts_with(bytes)).collect();
    let [place] = places[..] else { panic!("there {} times", places.len()) };
    let mut payload = snapshot.payload;
    payload[place..place + others.len()].copy_from_slice(others);
    let engine: Engine = Engine::from_snapshot(&payload, 0).expect("a state that can be read");
    let info = SnapshotInfo { state_hash: engine.state_hash().0, ..snapshot.info };
    snapshots.write(&info, &payload).expect("a snapshot can be written");
    (made.sequence, snapshots.locate(made.sequence.0))
}
