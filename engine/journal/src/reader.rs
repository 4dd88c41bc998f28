//! Reads the command log, of a stopped or a live data directory, for replay and for followers. It
//! changes nothing, takes no lock, and does not know what a record means.

use crate::Sequence;
use crate::archive::Archive;
use crate::error::ReadError;
use crate::layout::BatchHeader;
use crate::records::Records;
use crate::storage::Storage;
use crate::walk::Walk;

/// One group of commands as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// The sequence of the first record.
    pub first_sequence: Sequence,
    /// How many records.
    pub count: u32,
    /// The epoch it was written in.
    pub epoch: u32,
    /// The records, one after the other.
    pub payload: &'a [u8],
}

impl<'a> Batch<'a> {
    /// The records with their sequences.
    pub fn records(&self) -> impl Iterator<Item = (Sequence, &'a [u8])> + use<'a> {
        (self.first_sequence..).zip(Records::new(self.payload))
    }

    /// The sequence of the last record.
    pub fn last_sequence(&self) -> Sequence {
        self.first_sequence + u64::from(self.count) - 1
    }
}

/// How far a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read since the reader was opened.
    pub bytes_done: u64,
    /// Bytes there are to read in all, as the journal was when asked.
    pub bytes_total: u64,
}

/// A place in the command log's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalPlace {
    /// The segment, by its first sequence.
    pub segment: Sequence,
    /// Bytes from the start of its file.
    pub offset: u64,
}

/// Reads batches in order.
#[derive(Debug)]
pub struct JournalReader<S: Storage> {
    walk: Walk<S>,
    from: Sequence,
    start: u64,
    has_judged: bool,
}

impl<S: Storage> JournalReader<S> {
    /// A reader that begins at sequence `from` (0: with the first there is). The segments before the
    /// one that holds it are not looked at. Segments in the data directory's own archive are read as if
    /// they were in the journal.
    pub fn open(storage: S, from: Sequence) -> Result<Self, ReadError> {
        let archive = Archive::of(storage.clone());
        Self::open_with_archive(storage, archive, from)
    }

    /// The same, with an archive elsewhere.
    pub fn open_with_archive(storage: S, archive: Archive<S>, from: Sequence) -> Result<Self, ReadError> {
        let walk = Walk::new(storage, Some(archive), Some(from).filter(|from| *from > 0))?;
        Ok(Self { start: walk.bytes_done(), walk, from, has_judged: false })
    }

    /// The next batch; `None` at the last whole one, where a later call looks again. A batch that
    /// holds sequences before the one asked for is given from that one on.
    ///
    /// Of a live journal this may be a batch whose sync has not returned: whoever lets effects out
    /// compares with the writer's durable sequence.
    pub fn next_batch(&mut self) -> Result<Option<Batch<'_>>, ReadError> {
        let header = loop {
            match self.walk.advance()? {
                Some(header) if header.last_sequence() < self.from => {}
                Some(header) => break header,
                None => {
                    if !self.must_judge() {
                        return Ok(None);
                    }
                    let judged = self.walk.judge_end();
                    // What looked like damage may have been a writer at work: the place is read again
                    // after what follows it was seen, and only then believed.
                    match self.walk.advance()? {
                        Some(header) if header.last_sequence() < self.from => {}
                        Some(header) => break header,
                        None => {
                            judged?;
                            self.has_judged = true;
                            return Ok(None);
                        }
                    }
                }
            }
        };
        self.batch(header).map(Some)
    }

    /// A search of the rest costs a segment's reading: once at the first end, and at anything that is
    /// not plain zeros.
    fn must_judge(&mut self) -> bool {
        !self.has_judged || self.walk.stops_at_something()
    }

    fn batch(&mut self, header: BatchHeader) -> Result<Batch<'_>, ReadError> {
        let first = header.first_sequence.get();
        let skipped = self.from.saturating_sub(first);
        let payload = self.walk.payload(&header)?;
        let before: usize = Records::new(payload).take(skipped as usize).map(<[u8]>::len).sum();
        Ok(Batch {
            first_sequence: first + skipped,
            count: header.count.get() - skipped as u32,
            epoch: header.epoch.get(),
            payload: &payload[before..],
        })
    }

    /// How far it is, for a progress bar. Reads the end of the last segment: ask now and then, not
    /// for every batch.
    pub fn progress(&mut self) -> Result<Progress, ReadError> {
        let bytes_done = self.walk.bytes_done() - self.start;
        Ok(Progress { bytes_done, bytes_total: bytes_done + self.walk.bytes_left()? })
    }

    /// The place after the last batch given: what is before it in that segment was verified. `None` of an
    /// empty journal.
    pub fn place(&self) -> Option<JournalPlace> {
        self.walk.place().map(|place| JournalPlace { segment: place.segment, offset: place.offset })
    }

    /// Bytes read since the reader was opened: cheap, for every batch.
    pub fn bytes_done(&self) -> u64 {
        self.walk.bytes_done() - self.start
    }
}
