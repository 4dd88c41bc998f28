//! Groups of command records: what one write, one sync and one pass of the core are for. Refuses to
//! know who writes it and who applies it.
//!
//! The core reads records where they stand, and a record has to begin at an address that is a
//! multiple of 8. It does, here: the first one begins where the allocation's first such address is,
//! every record's length is a multiple of 8, and the allocation never moves, because it is made large
//! enough at once.

use crate::ring::{Consumer, Drained, PAYLOAD_BYTES};
use protocol::{Sequence, Time, command::TIME_OFFSET};

/// Records one after the other, the first at a multiple of 8.
pub(crate) struct Records {
    bytes: Vec<u8>,
    /// Where the first record begins: 0 to 7.
    start: usize,
    /// The most bytes of records.
    maximum: usize,
}

impl Records {
    /// An empty buffer for `maximum` bytes of records.
    pub(crate) fn new(maximum: usize) -> Self {
        // The ring copies whole slots and cuts off what is too much, so it reaches beyond.
        let mut bytes: Vec<u8> = Vec::with_capacity(maximum + 8 + PAYLOAD_BYTES);
        let start = bytes.as_ptr().align_offset(8);
        bytes.resize(start, 0);
        Self { bytes, start, maximum }
    }

    /// Replaces the records by those that the ring has.
    pub(crate) fn drain(&mut self, ring: &mut Consumer) -> Drained {
        self.bytes.truncate(self.start);
        let drained = ring.drain_into(&mut self.bytes, self.maximum);
        self.check();
        drained
    }

    /// Replaces the records by `records`.
    pub(crate) fn copy(&mut self, records: &[u8]) {
        if records.len() > self.maximum {
            *self = Self::new(records.len());
        }
        self.bytes.truncate(self.start);
        self.bytes.extend_from_slice(records);
        self.check();
    }

    /// The records.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Writes `time` into every record.
    pub(crate) fn stamp(&mut self, time: Time) {
        let mut rest = &mut self.bytes[self.start..];
        while let [low, high, ..] = *rest {
            let (record, after) = rest.split_at_mut(usize::from(u16::from_le_bytes([low, high])));
            record[TIME_OFFSET..TIME_OFFSET + 8].copy_from_slice(&time.0.to_le_bytes());
            rest = after;
        }
    }

    fn check(&self) {
        assert!(self.bytes[self.start..].as_ptr().addr().is_multiple_of(8), "records have moved");
    }
}

/// Commands with dense sequences and one time.
pub(crate) struct Group {
    /// The first command's.
    pub(crate) first_sequence: Sequence,
    /// How many commands.
    pub(crate) count: u32,
    /// The commands.
    pub(crate) records: Records,
}

impl Group {
    /// An empty group for `maximum` bytes of records.
    pub(crate) fn new(maximum: usize) -> Self {
        Self { first_sequence: Sequence(0), count: 0, records: Records::new(maximum) }
    }

    /// The last command's sequence.
    pub(crate) fn last_sequence(&self) -> Sequence {
        Sequence(self.first_sequence.0 + u64::from(self.count) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ring::ring,
        wait::{WaitStrategy, Waiter},
    };
    use protocol::{
        SourceId, SourceNumber,
        command::{CommandRecord, sample},
    };

    #[test]
    fn every_record_is_read_where_it_stands_and_has_the_time() {
        let waiter = Waiter::new(WaitStrategy::default());
        let (producer, mut consumer) = ring(1 << 12, waiter.bell());
        let commands = sample::every_command();
        for maximum in [8_192, 65_536] {
            for (index, command) in commands.iter().enumerate() {
                let bytes = command.encode(SourceId(1), SourceNumber(index as u64 + 1), 0);
                producer.push(&bytes).expect("room");
            }
            let mut records = Records::new(maximum);
            let mut seen = 0;
            while records.drain(&mut consumer).records > 0 {
                records.stamp(Time(77));
                for record in CommandRecord::all(records.bytes()) {
                    let record = record.expect("a record");
                    assert_eq!(
                        (record.header.time, record.decode().as_ref()),
                        (Time(77), Ok(&commands[seen]))
                    );
                    seen += 1;
                }
            }
            assert_eq!(seen, commands.len());
        }
    }

    #[test]
    fn a_copy_grows() {
        let mut records = Records::new(8);
        records.copy(&[7; 4_096]);
        assert_eq!(records.bytes(), [7; 4_096]);
    }
}
