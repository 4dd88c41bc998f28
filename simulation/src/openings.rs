//! Between two lives of the exchange: what its end does to the disk, and the openings that follow until
//! one succeeds. A start may be refused only for a reason. Refuses to know what happens in a life.

use crate::clock::{SECOND, SimulatedClock};
use crate::life::{Life, NotOpened};
use crate::planted::{self, PlantedFault};
use crate::world::{End, Room, World};
use engine_journal::{EventAppendError, JournalReader, SimulatedStorage};
use engine_runtime::pipeline::{Clock, OpenError};
use services::EngineState;
use std::io;
use std::sync::Arc;

/// Openings in a row that may fail before it is no longer chance.
const OPENINGS: u32 = 60;

impl World {
    /// Ends a life, and opens the next one, whatever it takes; then audits.
    pub(crate) fn end_and_open(&mut self, life: Life, end: End) -> Result<Life, String> {
        self.trace(|_| format!("{end:?}"));
        for client in &mut self.clients {
            client.disconnect(&mut self.witness)?;
        }
        self.heard.push(life.heard());
        drop(life);
        self.fall(end);
        self.open(Some(end))
    }

    /// What the end does to the disk.
    fn fall(&mut self, end: End) {
        if end == End::PowerCut {
            self.summary.power_cuts += 1;
            self.disk.power_cut(self.random.bits());
            if self.fault == Some(PlantedFault::TornGroup) {
                let mended = planted::mend_torn_group(self.disk.storage());
                self.trace(|_| format!("planted: a torn group mended: {mended}"));
            }
        } else {
            self.summary.kills += u64::from(end == End::Killed);
            self.disk.process_killed();
        }
    }

    pub(crate) fn open(&mut self, end: Option<End>) -> Result<Life, String> {
        let mut rotten = end.map_or(Ok(None), |end| self.rot(end))?;
        for opening in 0..OPENINGS {
            // Also a recovery may be cut off; but not for ever.
            let is_cut_off = !self.is_calm && opening < OPENINGS / 2 && self.random.once_in(6);
            if is_cut_off {
                self.disk.storage().power_off_after(self.random.below(10));
            }
            let clock: Arc<dyn Clock> = Arc::<SimulatedClock>::clone(&self.clock);
            let random = self.random.fork();
            match Life::open(&self.disk, clock, &self.sizes, self.rules, self.fault, random) {
                Ok(life) => {
                    if let Some((path, content)) = rotten {
                        self.live_with(&path, content)?;
                    }
                    return self.begin(life);
                }
                Err(NotOpened { error, heard }) => {
                    self.trace(|_| format!("does not open: {error}"));
                    self.heard.push(heard);
                    if self.disk.has_failed() {
                        let end = self.random.pick(&[End::PowerCut, End::Killed]);
                        self.fall(end);
                    } else if let OpenError::ClockBehind { seconds } = error
                        && self.excuses.is_clock_set_back
                    {
                        self.clock.pass((seconds + 1) * SECOND);
                    } else if let Some((path, content)) = rotten.take() {
                        if !error.to_string().contains(&path) && !self.is_last_copy(&path, &error) {
                            return Err(format!("rot in {path} is refused without naming it: {error}"));
                        }
                        self.summary.rot_refused += 1;
                        self.disk.storage().set_content(&path, content);
                        self.disk.process_killed();
                    } else if matches!(error, OpenError::EventsLost { .. }) && !self.spoilt.is_empty() {
                        // The state was in a snapshot that has rotted, and nowhere else.
                        for (path, content) in std::mem::take(&mut self.spoilt) {
                            self.disk.storage().set_content(&path, content);
                        }
                        self.disk.process_killed();
                    } else if self.excuses.room == Room::Short && is_no_room(&error) {
                        self.disk.storage().set_room(None);
                        self.disk.process_killed();
                    } else {
                        return Err(format!("it does not open: {error}"));
                    }
                }
            }
        }
        Err(format!("it does not open in {OPENINGS} attempts"))
    }

    /// An exchange has opened though a bit has flipped: of a file that it made again, or need not read.
    /// Of the latter, whoever reads it must see it.
    fn live_with(&mut self, path: &str, content: Vec<u8>) -> Result<(), String> {
        self.summary.rot_harmless += 1;
        if path.starts_with("snapshots/") {
            self.spoilt.insert(path.to_owned(), content.clone());
        }
        match read_whole(self.disk.storage()) {
            Err(error) if error.contains(path) => {
                self.disk.storage().set_content(path, content);
                Ok(())
            }
            result => result,
        }
    }

    /// Whether a start is refused because the only copy of what it needs is gone: the events of commands
    /// that have left the journal for good, or the one snapshot of their state.
    fn is_last_copy(&self, path: &str, error: &OpenError) -> bool {
        let is_needed = path.starts_with("events/") || path.starts_with("snapshots/");
        is_needed && !self.rules.archive && matches!(error, OpenError::EventsLost { .. })
    }

    /// A bit flips on the disk of a process that ended by itself or was killed. (After a loss of power the
    /// event log may be lost as well, and a rotten last group is then the same bytes as a torn one.)
    /// Returns what was there.
    fn rot(&mut self, end: End) -> Result<Option<(String, Vec<u8>)>, String> {
        if end == End::PowerCut || self.is_calm || self.excuses.room == Room::Short || !self.random.once_in(4)
        {
            return Ok(None);
        }
        let storage = self.disk.storage();
        let paths: Vec<_> = storage.paths().into_iter().filter(|path| !path.contains("torn")).collect();
        let Some(path) = paths.get(self.random.below(paths.len().max(1) as u64) as usize) else {
            return Ok(None);
        };
        let content = storage.content(path).unwrap_or_default();
        let Some(last) = content.iter().rposition(|byte| *byte != 0) else { return Ok(None) };
        let most = if self.random.once_in(8) { content.len() } else { last + 1 };
        let bit = self.random.below(most as u64 * 8);
        let mut spoilt = content.clone();
        spoilt[(bit / 8) as usize] ^= 1 << (bit % 8);
        storage.set_content(path, spoilt);
        self.trace(|_| format!("bit {bit} of {path} rots"));
        if path.starts_with("archive/") {
            // No start reads it: who reads the whole journal must see it.
            let seen = read_whole(storage);
            storage.set_content(path, content);
            return match seen {
                Err(error) if !error.contains(path.as_str()) => {
                    Err(format!("rot in {path} is refused without naming it: {error}"))
                }
                _ => Ok(None),
            };
        }
        Ok(Some((path.clone(), content)))
    }

    /// Audits a recovery, and lets the clients in.
    fn begin(&mut self, life: Life) -> Result<Life, String> {
        let recovered = life.exchange().recovered();
        self.trace(|_| format!("opened at {recovered}"));
        self.summary.lives += 1;
        if let EngineState::Halted(reason) = life.state() {
            return Err(format!("it opens halted: {reason}"));
        }
        let heard = std::mem::take(&mut self.heard);
        self.witness.audit(self.disk.storage(), &heard, &life.heard(), recovered)?;
        if self.excuses.room == Room::OneWriteShort {
            self.excuses.room = Room::Enough;
        }
        self.witness.check_snapshots(self.disk.storage(), &self.spoilt)?;
        self.check_state(&life)?;
        if self.excuses.room == Room::Short && self.random.once_in(2) {
            self.disk.storage().set_room(None);
            self.excuses.room = Room::Enough;
        }
        for client in &mut self.clients {
            client.connect(life.exchange().port(client.source()))?;
        }
        Ok(life)
    }
}

/// Reads the journal from its first segment on, in the archive or not.
fn read_whole(storage: &SimulatedStorage) -> Result<(), String> {
    let mut reader = JournalReader::open(storage.clone(), 0).map_err(|error| error.to_string())?;
    while reader.next_batch().map_err(|error| error.to_string())?.is_some() {}
    Ok(())
}

/// Whether an opening failed for want of room.
fn is_no_room(error: &OpenError) -> bool {
    match error {
        OpenError::EventLog(EventAppendError::NoRoom { .. }) => true,
        OpenError::Journal(engine_journal::OpenError::Io { source, .. }) => {
            source.kind() == io::ErrorKind::StorageFull
        }
        _ => false,
    }
}
