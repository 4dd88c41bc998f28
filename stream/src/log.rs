//! The event log of a data directory as a stream: all that is in it is durable, so it may be read as
//! soon as it is there. Reads while an engine writes, or after. Refuses to change anything.

use crate::{Batch, Published, StreamError};
use engine_journal::{EventReader, FileStorage, Identity, ReadError};
use protocol::Sequence;
use std::mem;
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often the log is looked at when nobody tells of more.
const POLL: Duration = Duration::from_millis(20);
/// About so many bytes make a batch, when there are so many.
const BATCH_BYTES: usize = 1 << 20;

type Reader = EventReader<FileStorage>;
type Reading = JoinHandle<(Reader, Result<Option<Batch>, StreamError>)>;

/// Reads the event log after a position.
#[derive(Debug)]
pub struct LogStream {
    storage: FileStorage,
    published: Option<Published>,
    /// The last command given.
    position: Sequence,
    state: State,
}

/// Where the reader is: a read under way outlives a future that was dropped.
#[derive(Debug)]
enum State {
    Idle(Reader),
    Reading(Reading),
    Ended,
}

impl LogStream {
    /// Opens the log of the data directory `directory`, to read what comes after `position`. Who has
    /// no [`Published`] looks for more every 20 ms.
    ///
    /// # Errors
    /// When the log is not there, cannot be read, no longer has what comes after `position`, or ends before
    /// it.
    pub fn open(
        directory: &Path,
        position: Sequence,
        published: Option<Published>,
    ) -> Result<Self, StreamError> {
        let storage = FileStorage::new(directory);
        let reader = EventReader::open(storage.clone(), position.next().0).map_err(|error| match error {
            ReadError::Deleted { first, .. } => StreamError::Behind { position, first: Sequence(first) },
            other => other.into(),
        })?;
        if position > Sequence(0) && !reaches(&storage, position)? {
            let reader = EventReader::open(storage, 0)?;
            return Err(StreamError::Ahead { position, end: last_of(reader, Sequence(0))? });
        }
        Ok(Self { storage, published, position, state: State::Idle(reader) })
    }

    pub(crate) async fn next(&mut self) -> Result<Batch, StreamError> {
        loop {
            if let Some(published) = &mut self.published {
                // Before looking: what is told from here on is looked for again.
                published.note();
            }
            if let Some(batch) = self.read().await? {
                self.position = batch.last;
                return Ok(batch);
            }
            match &mut self.published {
                Some(published) => published.changed().await,
                None => tokio::time::sleep(POLL).await,
            }
        }
    }

    pub(crate) async fn end(&mut self) -> Result<Sequence, StreamError> {
        if let Some(published) = &self.published
            && published.newest() >= self.position
            && published.newest().0 > 0
        {
            return Ok(published.newest());
        }
        let (storage, from) = (self.storage.clone(), self.position);
        blocking(tokio::task::spawn_blocking(move || {
            Ok(last_of(EventReader::open(storage, from.next().0)?, from)?)
        }))
        .await?
    }

    async fn read(&mut self) -> Result<Option<Batch>, StreamError> {
        if let State::Idle(_) = &self.state
            && let State::Idle(reader) = mem::replace(&mut self.state, State::Ended)
        {
            let (storage, position) = (self.storage.clone(), self.position);
            self.state =
                State::Reading(tokio::task::spawn_blocking(move || read_batch(&storage, reader, position)));
        }
        let State::Reading(reading) = &mut self.state else {
            return Err(StreamError::Ended("it failed before".to_owned()));
        };
        let (reader, batch) = blocking(reading).await?;
        self.state = if batch.is_ok() { State::Idle(reader) } else { State::Ended };
        batch
    }
}

/// The last command that `reader` comes to; `from` when there is none.
fn last_of(mut reader: Reader, from: Sequence) -> Result<Sequence, ReadError> {
    let mut end = from;
    while let Some(group) = reader.next_group()? {
        end = Sequence(group.last_sequence);
    }
    Ok(end)
}

/// Whether the log has got as far as `position`.
fn reaches(storage: &FileStorage, position: Sequence) -> Result<bool, StreamError> {
    match EventReader::open(storage.clone(), position.0) {
        Ok(mut reader) => Ok(reader.next_group()?.is_some()),
        // It begins later.
        Err(ReadError::Deleted { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

async fn blocking<T>(
    work: impl Future<Output = Result<T, tokio::task::JoinError>>,
) -> Result<T, StreamError> {
    work.await.map_err(|error| StreamError::Ended(error.to_string()))
}

/// What is there after `position`, up to about [`BATCH_BYTES`].
fn read_batch(
    storage: &FileStorage,
    mut reader: Reader,
    position: Sequence,
) -> (Reader, Result<Option<Batch>, StreamError>) {
    let batch = gather(storage, &mut reader, position);
    (reader, batch)
}

fn gather(
    storage: &FileStorage,
    reader: &mut Reader,
    position: Sequence,
) -> Result<Option<Batch>, StreamError> {
    let mut batch: Option<Batch> = None;
    while batch.as_ref().is_none_or(|batch| batch.chunks.len() < BATCH_BYTES) {
        let Some(group) = reader.next_group()? else { break };
        let (first, last) = (Sequence(group.first_sequence), Sequence(group.last_sequence));
        if let Some(batch) = &mut batch {
            batch.last = last;
            batch.chunks.extend_from_slice(group.payload);
        } else {
            let chunks = group.payload.to_vec();
            let identity = Identity::read(storage)?;
            // A log is written after its directory's identity was.
            let (engine_id, epoch) = identity.map_or((0, 0), |identity| (identity.engine_id, identity.epoch));
            batch = Some(Batch { engine_id, epoch, first, last, chunks });
        }
    }
    let Some(batch) = batch else { return Ok(None) };
    if batch.first > position.next() {
        return Err(StreamError::Gap { expected: position.next(), found: batch.first });
    }
    batch.after(position).map_err(|source| StreamError::Unreadable { position, source })
}
