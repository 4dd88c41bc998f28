//! The state as bytes, and back: what a later start goes on from, and what the state hash is over.
//!
//! Content, never layout: equal states give equal bytes on every machine, build and path of recovery
//! (invariant 6). Everything that can change what a later command does is in them; how it is kept in
//! memory is not, and what follows from something else is made again. Because the hash is over the
//! same bytes, what a snapshot forgets the hash forgets too, and the tests that go on from a snapshot
//! find it. Refuses to know files; who stores the bytes checks that they are whole.

mod ledger;
mod market;
mod orders;
mod reader;
mod writer;

use crate::{Engine, books::Books};
use protocol::{RULES_VERSION, Sequence, Time};
use sha2::{Digest, Sha256};
use std::fmt;
use thiserror::Error;

pub(crate) use reader::Reader;
pub(crate) use writer::Writer;

/// Version of what is written and in which order. Another one is refused: the journal is then
/// applied again instead.
pub const SNAPSHOT_VERSION: u32 = 3;

/// A hash of the whole state: SHA-256 over its snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateHash(pub [u8; 32]);

impl StateHash {
    /// The hash of the state that [`Engine::write_snapshot`] wrote as these bytes, for who has them.
    pub fn of_snapshot(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }
}

impl fmt::Display for StateHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for StateHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StateHash({self})")
    }
}

/// Why bytes are no snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// Another build's.
    #[error("the snapshot is of version {found}, this build reads {SNAPSHOT_VERSION}")]
    Version {
        /// Which version it is.
        found: u32,
    },
    /// Rules this build does not have.
    #[error("the snapshot is of rules version {found}, this build has {RULES_VERSION}")]
    Rules {
        /// Which version it wants.
        found: u32,
    },
    /// It ends too early.
    #[error("the snapshot ends within its {part}")]
    CutShort {
        /// Where.
        part: &'static str,
    },
    /// It says something that cannot be.
    #[error("the snapshot's {part} cannot be as it says")]
    Impossible {
        /// Where.
        part: &'static str,
    },
}

impl<B: Books> Engine<B> {
    /// Writes the state after the last command, a piece at a time.
    pub fn write_snapshot(&self, sink: &mut dyn FnMut(&[u8])) {
        let mut out = Writer::new(sink);
        self.write_state(&mut out);
        out.finish();
    }

    /// The hash of the state after the last command.
    pub fn state_hash(&self) -> StateHash {
        let mut hasher = Sha256::new();
        self.write_snapshot(&mut |bytes| hasher.update(bytes));
        StateHash(hasher.finalize().into())
    }

    /// The engine that wrote `content`, ready for the next command. `hash_seed` as for
    /// [`Engine::new`].
    ///
    /// # Errors
    /// When the content is another version's, or is not what an engine writes. It is not meant to
    /// find damage: a checksum does.
    pub fn from_snapshot(content: &[u8], hash_seed: u64) -> Result<Self, SnapshotError> {
        let mut input = Reader::new(content);
        let mut engine = Self::new(hash_seed);
        engine.read_state(&mut input)?;
        input.end()?;
        Ok(engine)
    }

    fn write_state(&self, out: &mut Writer<'_>) {
        out.u32(SNAPSHOT_VERSION);
        out.u32(self.rules);
        out.numbers(&[self.sequence.0, self.time.0, self.orders, self.prevented_matches, self.events]);
        ledger::write(&self.ledger, out);
        market::write(&self.markets, out);
        orders::write(self, out);
        self.sources.write(out);
        self.contingent.write(out);
    }

    fn read_state(&mut self, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
        input.part("head");
        match input.u32()? {
            SNAPSHOT_VERSION => {}
            found => return Err(SnapshotError::Version { found }),
        }
        self.rules = input.u32()?;
        if self.rules > RULES_VERSION {
            return Err(SnapshotError::Rules { found: self.rules });
        }
        self.sequence = Sequence(input.u64()?);
        self.time = Time(input.u64()?);
        self.orders = input.u64()?;
        self.prevented_matches = input.u64()?;
        self.events = input.u64()?;
        self.ledger = ledger::read(input)?;
        self.markets = market::read(input)?;
        for market in &self.markets {
            self.books.open_instrument(market.instrument.id);
        }
        orders::read(self, input)?;
        self.sources.read(input)?;
        self.read_contingent(input)?;
        self.note_expiry();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
