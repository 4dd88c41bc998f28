//! Faults that are planted to be found: a simulation that finds none proves nothing until it has found
//! these. All are planted from outside, through the storage or through what a stepped exchange lets its
//! owner do; no build of the exchange contains them.

use clap::ValueEnum;
use engine_core::Engine;
use engine_journal::{JournalReader, SimulatedStorage};
use protocol::{
    Sequence, Time,
    command::{Command, CommandRecord, LedgerOperation, LedgerOperationKind},
    event::EventBuffer,
    reject::Outcome,
};

/// Which fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlantedFault {
    /// Every sync says Ok and does nothing.
    NoSync,
    /// What is applied is let out while its sync is still under way.
    EarlyAnswer,
    /// One release of a hold is said, and its funds stay held.
    DroppedRelease,
    /// A group that the power tore is made to look whole: as if no checksum were looked at.
    TornGroup,
}

impl PlantedFault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NoSync, Self::EarlyAnswer, Self::DroppedRelease, Self::TornGroup];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSync => "no-sync",
            Self::EarlyAnswer => "early-answer",
            Self::DroppedRelease => "dropped-release",
            Self::TornGroup => "torn-group",
        }
    }
}

/// The state to which the journal comes if the last release in it did nothing but end as it did:
/// another operation on the same hold, which moves no money, stands in its place. `None` when there is
/// no release.
pub fn without_last_release(storage: &SimulatedStorage, up_to: Sequence) -> Option<Engine> {
    let records = read(storage, up_to)?;
    let mut engine = Engine::new(0);
    let dropped = records.iter().rposition(|record| release(record).is_some())?;
    for (index, record) in records.iter().enumerate() {
        let mut bytes = record.clone();
        let time = CommandRecord::parse(record).ok()?.header.time;
        if index == dropped {
            bytes = instead_of(record)?;
        }
        let parsed = CommandRecord::parse(&bytes).ok()?;
        let outcome = engine.apply(&parsed, time, Sequence(index as u64 + 1), &mut EventBuffer::growing());
        if index == dropped && outcome != Outcome::Done {
            return None;
        }
    }
    Some(engine)
}

fn read(storage: &SimulatedStorage, up_to: Sequence) -> Option<Vec<Vec<u8>>> {
    let mut reader = JournalReader::open(storage.clone(), 0).ok()?;
    let mut records = Vec::new();
    while let Some(batch) = reader.next_batch().ok()? {
        records.extend(batch.records().map(|(_, record)| record.to_vec()));
    }
    (records.len() as u64 == up_to.0).then_some(records)
}

fn release(record: &[u8]) -> Option<LedgerOperation> {
    match CommandRecord::parse(record).ok()?.decode().ok()? {
        Command::Ledger(operation) if operation.kind == LedgerOperationKind::Release => Some(operation),
        _ => None,
    }
}

fn instead_of(record: &[u8]) -> Option<Vec<u8>> {
    let header = *CommandRecord::parse(record).ok()?.header;
    let extend = LedgerOperation::extend_hold(release(record)?.hold_id, Time::NEVER);
    Some(Command::Ledger(extend).encode(header.source, header.number, header.trace))
}

/// Where a segment's first batch begins, how long a batch's header is, and where in it are the length
/// of the payload and the checksums: the journal's layout, version 1.
const FIRST_BATCH: usize = 4096;
const HEADER: usize = 56;
const LENGTH: usize = 28;
const CHECKSUM: usize = 40;
const HEADER_CHECKSUM: usize = 48;

/// Gives a torn last group checksums that fit what is left of it, if its header is whole. Returns
/// whether there was one.
pub fn mend_torn_group(storage: &SimulatedStorage) -> bool {
    let last = storage.paths().into_iter().rfind(|path| path.starts_with("journal/segment-"));
    let Some((path, mut bytes)) = last.and_then(|path| Some((path.clone(), storage.content(&path)?))) else {
        return false;
    };
    let mut offset = FIRST_BATCH;
    while let Some(header) = bytes.get(offset..offset + HEADER) {
        if number(header, HEADER_CHECKSUM) != sum(&[&header[..HEADER_CHECKSUM]]) {
            return false;
        }
        let length =
            u32::from_le_bytes([header[LENGTH], header[LENGTH + 1], header[LENGTH + 2], header[LENGTH + 3]]);
        let end = offset + HEADER + length as usize;
        let Some(payload) = bytes.get(offset + HEADER..end) else { return false };
        let checksum = sum(&[&header[..CHECKSUM], payload]);
        if checksum != number(header, CHECKSUM) {
            bytes[offset + CHECKSUM..offset + HEADER_CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
            let own = sum(&[&bytes[offset..offset + HEADER_CHECKSUM]]);
            bytes[offset + HEADER_CHECKSUM..offset + HEADER].copy_from_slice(&own.to_le_bytes());
            storage.set_content(&path, bytes);
            return true;
        }
        offset = end;
    }
    false
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().copied().map_or(0, u64::from_le_bytes)
}

fn sum(parts: &[&[u8]]) -> u64 {
    let mut digest = crc64fast::Digest::new();
    for part in parts {
        digest.write(part);
    }
    digest.sum64()
}
