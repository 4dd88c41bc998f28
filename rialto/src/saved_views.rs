//! The consumers of events in this process, views and administration's outcomes, as they were saved and
//! as events brought them on. Refuses to know what they hold, and when they are saved.

use anyhow::Context as _;
use engine_journal::{EventReader, FileStorage, Identity, SnapshotInfo, Snapshots};
use gateway::{
    admin::{OutcomeRecorder, Outcomes},
    views::{Bounds, Projection, Views},
};
use protocol::{Sequence, SourceId, event::EventChunk};
use services::EventConsumer;
use std::sync::Arc;

/// Who consumes events here.
pub(crate) struct Consumers {
    pub(crate) views: Views,
    pub(crate) projection: Projection,
    pub(crate) outcomes: Arc<Outcomes>,
    pub(crate) recorder: OutcomeRecorder,
}

impl Consumers {
    /// With nothing. `source` is administration's.
    pub(crate) fn new(source: SourceId) -> Self {
        let (views, projection) = Views::new(Bounds::default());
        let (outcomes, recorder) = Outcomes::recorded_from(source);
        Self { views, projection, outcomes, recorder }
    }

    /// As they were saved last, at a command up to `at_most` (`None`: whichever); with nothing where they
    /// never were, or by another build.
    pub(crate) fn newest(
        storage: &FileStorage,
        source: SourceId,
        at_most: Option<Sequence>,
    ) -> anyhow::Result<Self> {
        let engine_id = Identity::read(storage)?.map(|identity| identity.engine_id);
        let at_most = at_most.map(|sequence| sequence.0);
        let (found, passed_over) =
            Snapshots::of_views(storage.clone()).newest_good(at_most, |info, saved| {
                if Some(info.engine_id) != engine_id {
                    return Err(format!("they are of engine {}", info.engine_id));
                }
                Self::restored(saved, source, Sequence(info.sequence))
            })?;
        for bad in passed_over {
            tracing::info!(file = bad.file, reason = bad.reason, "saved views are passed over");
        }
        Ok(found.map_or_else(|| Self::new(source), |(_, consumers)| consumers))
    }

    fn restored(saved: &[u8], source: SourceId, sequence: Sequence) -> Result<Self, String> {
        let cut = || "they are cut short".to_owned();
        let (length, rest) = saved.split_first_chunk::<8>().ok_or_else(cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
        let (views, outcomes) = rest.split_at_checked(length).ok_or_else(cut)?;
        let (views, projection) =
            Views::restored(Bounds::default(), views).map_err(|error| error.to_string())?;
        let (outcomes, recorder) =
            Outcomes::restored(source, outcomes).ok_or("outcomes of another build".to_owned())?;
        if [projection.position(), recorder.position()] != [sequence; 2] {
            return Err("they are not of the command that the file is named after".to_owned());
        }
        Ok(Self { views, projection, outcomes, recorder })
    }

    /// Shows them the events of the commands up to `until`, from the event log.
    pub(crate) fn bring_to(&mut self, storage: &FileStorage, until: Sequence) -> anyhow::Result<()> {
        let mut log = EventReader::open(storage.clone(), self.projection.position().next().0)?;
        while self.projection.position() < until {
            let group = log.next_group()?.context("the event log does not reach so far")?;
            let chunks = EventChunk::up_to(group.payload, until)?;
            let chunks = &chunks[EventChunk::up_to(chunks, self.projection.position())?.len()..];
            self.projection.consume(chunks);
            self.recorder.consume(chunks);
        }
        Ok(())
    }

    /// Saves them.
    pub(crate) fn write(&self, storage: &FileStorage) -> anyhow::Result<u64> {
        write(storage, &[&self.projection, &self.recorder])
    }
}

/// Saves consumers that stand at one command, the views first. Gives how many bytes they are; 0 when
/// they have nothing to save.
pub(crate) fn write(storage: &FileStorage, consumers: &[&dyn EventConsumer]) -> anyhow::Result<u64> {
    let [views, recorder] = consumers else { return Ok(0) };
    let (Some(saved), Some(outcomes)) = (views.save(), recorder.save()) else { return Ok(0) };
    let identity = Identity::read(storage)?.context("there is no identity yet")?;
    let sequence = views.position();
    if sequence == Sequence(0) || recorder.position() != sequence {
        return Ok(0);
    }
    let mut payload = (saved.len() as u64).to_le_bytes().to_vec();
    payload.extend(saved);
    payload.extend(outcomes);
    let info = SnapshotInfo {
        sequence: sequence.0,
        engine_id: identity.engine_id,
        epoch: identity.epoch,
        rules_version: 0,
        content_version: 0,
        state_hash: [0; 32],
    };
    Snapshots::of_views(storage.clone()).write(&info, &payload)?;
    Ok(payload.len() as u64)
}
