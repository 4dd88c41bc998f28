//! The books of record of one engine: batches of events in, rows out, a transaction at a time. Refuses to
//! wait and to try again: that is [`run`](crate::run())'s.

use crate::{SettlementError, prepared::Prepared, projection::Projection, writer::Writer};
use database::Database;
use protocol::Sequence;
use stream::Batch;

/// The books in a database, and what their next rows depend on in memory.
#[derive(Debug)]
pub struct Books {
    projection: Projection,
    writer: Writer,
    /// What could not be written yet.
    unwritten: Option<Prepared>,
}

impl Books {
    /// Opens the books in a migrated database and reads what their next rows depend on.
    pub async fn open(database: Database) -> Result<Self, SettlementError> {
        let projection = Projection::load(&database).await?;
        Ok(Self { projection, writer: Writer::new(database), unwritten: None })
    }

    /// The last command taken in; 0 before the first.
    pub fn position(&self) -> Sequence {
        self.projection.position()
    }

    /// Takes in what is new in `batch`. What is at or below the position is dropped.
    ///
    /// # Errors
    /// A gap, another engine's or an older epoch's events, events that cannot be read or contradict the
    /// books. What came before them is taken in.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), SettlementError> {
        self.projection.apply(batch)
    }

    /// How many rows wait for [`Self::write`], about.
    pub fn rows(&self) -> usize {
        self.projection.rows()
    }

    /// What [`Self::write`] would write, which then does not: for measurements.
    pub fn take(&mut self) -> Option<Prepared> {
        self.projection.take()
    }

    /// Writes what was taken in, in one transaction. After a temporary error ([`SettlementError::is_temporary`])
    /// it may be called again, and writes the same.
    pub async fn write(&mut self) -> Result<(), SettlementError> {
        if let Some(prepared) = &self.unwritten {
            self.writer.write(prepared).await?;
            self.unwritten = None;
        }
        if let Some(prepared) = self.projection.take() {
            let result = self.writer.write(&prepared).await;
            if result.is_err() {
                self.unwritten = Some(prepared);
            }
            result?;
        }
        Ok(())
    }

    /// The parts, for whoever takes in and writes at the same time.
    pub(crate) fn into_parts(self) -> (Projection, Writer) {
        (self.projection, self.writer)
    }
}
