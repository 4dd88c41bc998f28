//! Chunks of events as records of all public topics: a pure function of the events so far, so that records
//! that are made again are the same. Refuses to send.

use super::{
    alerts::{self, LargeOrder},
    books::Books,
    money, orders,
    record::{Made, Place, PublicRecord},
};
use protocol::{
    AccountId, Sequence,
    event::{ChunkHeader, EventChunk},
    record::DecodeError,
    reject::Outcome,
};

/// Who sent a command that was refused: events do not say.
pub(super) trait Refusals {
    /// What can go wrong when asking.
    type Error;

    /// Whose command it was; `None` for one that is of no account.
    fn account(&mut self, sequence: Sequence) -> Result<Option<AccountId>, Self::Error>;
}

/// Why no records are made.
#[derive(Debug)]
pub(super) enum ProjectionError<E> {
    Events(DecodeError),
    Refusals(E),
}

/// What is known after the events so far.
#[derive(Debug, Default)]
pub(super) struct Projection {
    books: Books,
    large: Vec<LargeOrder>,
    /// The command whose events come, and how many came.
    current: Option<(Sequence, u32)>,
}

impl Projection {
    pub(super) fn new(large: Vec<LargeOrder>) -> Self {
        Self { large, ..Self::default() }
    }

    /// Learns what a chunk says, without a record.
    pub(super) fn learn(&mut self, chunk: &EventChunk<'_>) -> Result<(), DecodeError> {
        for event in chunk.events() {
            self.books.learn(&event?);
        }
        Ok(())
    }

    /// Adds the records of a chunk.
    pub(super) fn project<R: Refusals>(
        &mut self,
        chunk: &EventChunk<'_>,
        refusals: &mut R,
        records: &mut Vec<PublicRecord>,
    ) -> Result<(), ProjectionError<R::Error>> {
        let header = &chunk.header;
        let mut index = match self.current {
            Some((sequence, index)) if sequence == header.sequence => index,
            _ => 0,
        };
        for event in chunk.events() {
            let event = event.map_err(ProjectionError::Events)?;
            let moved = self.books.learn(&event);
            let mut made = Made::at(place(header, index), records);
            orders::tell(&self.books, &event, &mut made);
            money::tell_balances(&self.books, &event, &moved, &mut made);
            money::tell_movements(&self.books, &event, &mut made);
            alerts::tell(&self.books, &self.large, &event, &mut made);
            index += 1;
        }
        self.current = Some((header.sequence, index));
        if let Some(Outcome::Refused(reject)) = header.outcome()
            && header.repeat == 0
            && let Some(account) = refusals.account(header.sequence).map_err(ProjectionError::Refusals)?
        {
            let mut made = Made::at(place(header, index), records);
            alerts::tell_refusal(account, header.kind, reject, &mut made);
        }
        Ok(())
    }
}

const fn place(header: &ChunkHeader, index: u32) -> Place {
    Place { sequence: header.sequence, index, time: header.time, trace: header.trace }
}
