//! Two journals side by side, byte by byte. Groups of commands may be cut otherwise in each; records
//! are compared, not groups. Refuses to apply a command.

use super::{Difference, record};
use crate::{ReplayError, Watch, history::Progress};
use engine_journal::{FileStorage, JournalReader, Records as RecordsOf};
use protocol::{Sequence, command::CommandHeader};
use zerocopy::IntoBytes;

/// How far two journals are the same.
pub(super) struct Records {
    /// The first command that both have; 0 when one has none.
    pub(super) first: u64,
    /// The last one up to which all are the same; 0 when none is.
    pub(super) equal_up_to: u64,
    /// The last one of each.
    pub(super) last: [u64; 2],
    /// How they part.
    pub(super) parted: Option<Parted>,
}

/// How two journals part.
pub(super) enum Parted {
    /// One has no more commands.
    Length,
    /// Both have a command of the next sequence, but not the same.
    Commands([Vec<u64>; 2]),
}

/// One journal, a batch at a time.
struct Side {
    reader: JournalReader<FileStorage>,
    batch: Vec<u8>,
    /// Bytes of the batch that were compared.
    done: usize,
    /// The last sequence of the batch.
    last: u64,
}

impl Side {
    fn open(storage: &FileStorage, from: u64) -> Result<Self, ReplayError> {
        let reader = JournalReader::open(storage.clone(), from)?;
        Ok(Self { reader, batch: Vec::new(), done: 0, last: 0 })
    }

    /// Reads the next batch once this one is done; whether there is one.
    fn fill(&mut self) -> Result<bool, ReplayError> {
        if self.done < self.batch.len() {
            return Ok(true);
        }
        let Some(batch) = self.reader.next_batch()? else { return Ok(false) };
        self.last = batch.last_sequence();
        self.batch.clear();
        self.batch.extend_from_slice(batch.payload);
        self.done = 0;
        Ok(true)
    }

    fn rest(&self) -> &[u8] {
        &self.batch[self.done..]
    }

    /// The last sequence there is, whatever was compared.
    fn end(mut self) -> Result<u64, ReplayError> {
        while let Some(batch) = self.reader.next_batch()? {
            self.last = batch.last_sequence();
        }
        Ok(self.last)
    }
}

impl Records {
    /// Compares from the first command that both have.
    pub(super) fn compare(storages: &[FileStorage; 2], watch: Watch<'_>) -> Result<Self, ReplayError> {
        let mut first = 1;
        for storage in storages {
            let mut reader = JournalReader::open(storage.clone(), 0)?;
            first = reader.next_batch()?.map_or(1, |batch| batch.first_sequence).max(first);
        }
        let mut left = Side::open(&storages[0], first)?;
        let mut right = Side::open(&storages[1], first)?;
        let total = left.reader.progress()?.bytes_total.min(right.reader.progress()?.bytes_total);
        let mut equal_up_to = first - 1;
        let parted = loop {
            match (left.fill()?, right.fill()?) {
                (false, false) => break None,
                (true, true) => {}
                _ => break Some(Parted::Length),
            }
            let length = left.rest().len().min(right.rest().len());
            if left.rest()[..length] != right.rest()[..length] {
                let (same, commands) = first_other(left.rest(), right.rest());
                equal_up_to += same;
                break Some(Parted::Commands(commands));
            }
            // Whoever is done has compared its whole batch.
            left.done += length;
            right.done += length;
            let ended = |side: &Side| if side.rest().is_empty() { side.last } else { u64::MAX };
            equal_up_to = ended(&left).min(ended(&right));
            let done = left.reader.bytes_done();
            watch(Progress { done, total: total.max(done) });
        };
        let last = [left.end()?, right.end()?];
        let is_empty = last.contains(&0);
        Ok(Self {
            first: if is_empty { 0 } else { first },
            equal_up_to: if is_empty { 0 } else { equal_up_to },
            last,
            parted,
        })
    }
}

/// How many records at the front are the same, and the first ones that are not.
fn first_other(left: &[u8], right: &[u8]) -> (u64, [Vec<u64>; 2]) {
    let words = |record: &[u8]| {
        let mut words = vec![0_u64; record.len().div_ceil(8)];
        words.as_mut_bytes()[..record.len()].copy_from_slice(record);
        words
    };
    for (same, (one, other)) in (0..).zip(RecordsOf::new(left).zip(RecordsOf::new(right))) {
        if one != other {
            return (same, [words(one), words(other)]);
        }
    }
    // The caller saw a difference, and batches hold whole records.
    unreachable!("what differs in bytes differs in a record")
}

/// In which fields two commands differ.
pub(super) fn differences(
    commands: &[Vec<u64>; 2],
    sequence: Sequence,
) -> Result<Vec<Difference>, ReplayError> {
    let [left, right] = [record(&commands[0], sequence)?, record(&commands[1], sequence)?];
    let mut found = Vec::new();
    let mut tell = |what: &str, field: fn(&CommandHeader) -> String| {
        let (one, other) = (field(left.header), field(right.header));
        if one != other {
            found.push(Difference::new(format!("the command's {what}"), one, other));
        }
    };
    tell("kind", |header| format!("{:?}", header.kind));
    tell("source", |header| header.source.to_string());
    tell("number", |header| header.number.to_string());
    tell("time", |header| crate::describe::iso(header.time));
    tell("trace", |header| header.trace.to_string());
    let unreadable = |source| ReplayError::Record { sequence, source };
    let (one, other) = (left.decode().map_err(unreadable)?, right.decode().map_err(unreadable)?);
    if one != other {
        found.push(Difference::new("the command's content", format!("{one:?}"), format!("{other:?}")));
    }
    Ok(found)
}
