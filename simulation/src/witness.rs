//! The naive model: who said what to whom, and what must follow from it. It remembers each command that
//! was ever handed in and each answer and event that was ever given out, applies the journal to the
//! obviously right books, and adds up the money by itself. Refuses to trust the exchange in anything but
//! the bytes on its disk.

use crate::commands::Known;
use crate::ledger::OwnLedger;
use engine_core::{Engine, LadderBooks, NaiveBooks};
use engine_journal::{EventReader, JournalReader, SimulatedStorage, Snapshots};
use engine_runtime::pipeline::TIMER;
use protocol::{
    Sequence, SourceId, SourceNumber,
    command::{CommandRecord, TIME_OFFSET},
    event::{ChunkHeader, Event, EventBuffer, EventChunk},
    reject::{Outcome, Reject},
};
use services::Answer;
use std::collections::BTreeMap;

/// What was found wrong.
pub type Found = Result<(), String>;

/// A command's events as they are said, however they were split into chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    /// The last chunk's, made that of one chunk.
    header: ChunkHeader,
    events: Vec<u8>,
}

/// A command that was handed in.
#[derive(Debug)]
struct Submitted {
    bytes: Vec<u8>,
    /// The exchange said that it was not taken.
    is_refused: bool,
}

/// An answer that was given, to be found in the journal.
#[derive(Debug)]
struct Acknowledged {
    source: SourceId,
    number: SourceNumber,
    bytes: Vec<u8>,
    answer: Answer,
}

/// Remembers and judges.
#[derive(Debug)]
pub struct Witness {
    submitted: BTreeMap<(SourceId, SourceNumber), Vec<Submitted>>,
    acknowledged: BTreeMap<Sequence, Acknowledged>,
    acknowledgements: u64,
    /// The journal as it was found durable, by sequence from 1.
    records: Vec<Vec<u8>>,
    said: Vec<Said>,
    /// The last number of each source that had an effect.
    effects: BTreeMap<SourceId, SourceNumber>,
    naive: Engine<NaiveBooks>,
    buffer: EventBuffer,
    ledger: OwnLedger,
    /// What answers told of.
    pub known: Known,
}

impl Default for Witness {
    fn default() -> Self {
        Self {
            submitted: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            acknowledgements: 0,
            records: Vec::new(),
            said: Vec::new(),
            effects: BTreeMap::new(),
            naive: Engine::new(0),
            buffer: EventBuffer::growing(),
            ledger: OwnLedger::default(),
            known: Known::default(),
        }
    }
}

impl Witness {
    /// A source is about to hand in a command.
    pub fn submits(&mut self, source: SourceId, number: SourceNumber, bytes: &[u8]) {
        let same = self.submitted.entry((source, number)).or_default();
        if let Some(known) = same.iter_mut().find(|known| known.bytes == bytes) {
            known.is_refused = false;
        } else {
            same.push(Submitted { bytes: bytes.to_vec(), is_refused: false });
        }
    }

    /// The exchange said of a command, which was handed in once alone, that it was not taken.
    pub fn was_refused(&mut self, source: SourceId, number: SourceNumber, bytes: &[u8]) {
        let same = self.submitted.get_mut(&(source, number)).into_iter().flatten();
        same.filter(|known| known.bytes == bytes).for_each(|known| known.is_refused = true);
    }

    /// The exchange answered.
    pub fn was_answered(
        &mut self,
        source: SourceId,
        number: SourceNumber,
        bytes: &[u8],
        answer: Answer,
    ) -> Found {
        self.acknowledgements += 1;
        for event in answer.events() {
            match event {
                Event::OrderAccepted(order, ..) => self.known.orders = order.order_id.0,
                Event::OrderListChanged(list, _) => self.known.lists = self.known.lists.max(list.list_id.0),
                Event::HoldOpened(hold) => self.known.holds = hold.hold_id.0,
                _ => {}
            }
        }
        let sequence = answer.sequence;
        let acknowledged = Acknowledged { source, number, bytes: bytes.to_vec(), answer };
        if let Some(before) = self.acknowledged.insert(sequence, acknowledged) {
            return Err(format!(
                "sequence {sequence} answers {:?} and another",
                (before.source, before.number)
            ));
        }
        Ok(())
    }

    /// Answers given, commands found durable, trades among them.
    pub fn counts(&self) -> (u64, u64, u64) {
        (self.acknowledgements, self.records.len() as u64, self.ledger.trades())
    }

    /// The state that the journal must come to.
    pub fn engine(&self) -> &Engine<NaiveBooks> {
        &self.naive
    }

    /// Audits a recovery: the journal, what was heard in each life before it and in the recovery, and
    /// the state that came of it.
    pub fn audit(
        &mut self,
        storage: &SimulatedStorage,
        heard_before: &[Vec<u8>],
        heard_now: &[u8],
        recovered: Sequence,
    ) -> Found {
        self.read_journal(storage, recovered, recovered)?;
        self.check_answers()?;
        for heard in heard_before {
            self.check_heard(heard).map_err(|what| format!("in a life before: {what}"))?;
        }
        let count = self.check_heard(heard_now).map_err(|what| format!("in the recovery: {what}"))?;
        if count != recovered.0 {
            return Err(format!("consumers were shown {count} commands of {recovered} in the recovery"));
        }
        self.read_event_log(storage)
    }

    /// Audits an exchange that runs, whose journal ends at `durable`, and whose consumers were told of the
    /// commands up to `told`. What nobody was told of may still be lost.
    pub fn audit_live(
        &mut self,
        storage: &SimulatedStorage,
        heard: &[u8],
        durable: Sequence,
        told: Sequence,
    ) -> Found {
        self.read_journal(storage, durable, told)?;
        self.check_answers()?;
        self.check_heard(heard).map(drop)
    }

    /// Audits the state of an engine that has applied the whole journal, and no more.
    pub fn audit_state(&self, engine: &Engine<LadderBooks>) -> Found {
        if engine.sequence() != self.naive.sequence() {
            return Err(format!("the state is at {}, not at {}", engine.sequence(), self.naive.sequence()));
        }
        engine.audit().map_err(|error| error.to_string())?;
        self.ledger.compare(engine)?;
        self.ledger.compare(&self.naive)?;
        if engine.state_hash() == self.naive.state_hash() {
            return Ok(());
        }
        Err(format!("invariant 6: the state at {} is not what the journal comes to", engine.sequence()))
    }

    /// Reads the journal, which ends at `end`: what was there before is unchanged, and what is new, up to
    /// `up_to`, was handed in, has one effect, and is applied to the naive books. Its oldest part may have
    /// left.
    fn read_journal(&mut self, storage: &SimulatedStorage, end: Sequence, up_to: Sequence) -> Found {
        let mut reader = JournalReader::open(storage.clone(), 0).map_err(|error| error.to_string())?;
        let mut last = None;
        while let Some(batch) = reader.next_batch().map_err(|error| error.to_string())? {
            for (sequence, record) in batch.records() {
                if last.is_some_and(|last| sequence != last + 1) {
                    return Err(format!("the journal has {sequence} after {last:?}"));
                }
                last = Some(sequence);
                match self.records.get(sequence as usize - 1) {
                    Some(known) if known == record => {}
                    Some(_) => return Err(format!("command {sequence} is another than it was")),
                    None if sequence > up_to.0 => {}
                    None if sequence == self.records.len() as u64 + 1 => {
                        self.take(Sequence(sequence), record)?;
                    }
                    None => return Err(format!("the journal begins at {sequence}, and some before are new")),
                }
            }
        }
        let known = Sequence(self.records.len() as u64);
        // Without a record the last segment has just begun.
        if known >= up_to && known <= end && last.is_none_or(|last| last == end.0) {
            return Ok(());
        }
        Err(format!("it is at {end}, and the journal ended at {known}, and now at {last:?}"))
    }

    /// Takes a command that is durable now.
    fn take(&mut self, sequence: Sequence, bytes: &[u8]) -> Found {
        let record = CommandRecord::parse(bytes)
            .map_err(|error| format!("command {sequence} of the journal cannot be read: {error}"))?;
        let header = *record.header;
        if header.source != TIMER {
            self.check_submitted(sequence, &header.source, header.number, bytes)?;
        }
        if header.time < self.naive.time() {
            return Err(format!("time runs backwards at command {sequence}"));
        }
        self.buffer.clear();
        let outcome = self.naive.apply(&record, header.time, sequence, &mut self.buffer);
        self.naive.audit().map_err(|error| format!("{error}, in the naive books after {sequence}"))?;
        let (mut said, events) = read_said(self.buffer.bytes())?;
        let said = said.pop().ok_or("a command without a chunk")?;
        let used_none = [Reject::NumberOutOfOrder, Reject::DuplicateForgotten, Reject::SourceStopped];
        let is_effect =
            said.header.repeat == 0 && !used_none.iter().any(|reject| outcome == Outcome::Refused(*reject));
        if header.source == TIMER && !(is_effect && outcome == Outcome::Done) {
            return Err(format!("the timer's command {sequence} came to {outcome:?}"));
        }
        if is_effect {
            let before = self.effects.insert(header.source, header.number);
            if header.number.0 != before.map_or(0, |number| number.0) + 1 {
                return Err(format!(
                    "invariant 5: number {} of source {} has an effect at {sequence} after {before:?}",
                    header.number, header.source
                ));
            }
        }
        self.ledger.take(&events).map_err(|what| format!("{what}, at command {sequence}"))?;
        self.records.push(bytes.to_vec());
        self.said.push(said);
        Ok(())
    }

    fn check_submitted(
        &self,
        sequence: Sequence,
        source: &SourceId,
        number: SourceNumber,
        bytes: &[u8],
    ) -> Found {
        let mut unstamped = bytes.to_vec();
        unstamped[TIME_OFFSET..TIME_OFFSET + 8].fill(0);
        let mut same = self.submitted.get(&(*source, number)).into_iter().flatten();
        match same.find(|known| known.bytes == unstamped) {
            Some(known) if known.is_refused => {
                Err(format!("command {sequence} was refused as not taken (source {source}, number {number})"))
            }
            Some(_) => Ok(()),
            None => Err(format!("command {sequence} was never handed in (source {source}, number {number})")),
        }
    }

    /// Every answer is what the journal says, at its sequence.
    fn check_answers(&mut self) -> Found {
        for (sequence, given) in std::mem::take(&mut self.acknowledged) {
            let who = format!("source {}, number {}", given.source, given.number);
            let index = sequence.0 as usize - 1;
            let (Some(record), Some(said)) = (self.records.get(index), self.said.get(index)) else {
                return Err(format!("command {sequence} was acknowledged and is lost ({who})"));
            };
            let mut unstamped = record.clone();
            unstamped[TIME_OFFSET..TIME_OFFSET + 8].fill(0);
            if unstamped != given.bytes {
                return Err(format!("command {sequence} was acknowledged and is another one ({who})"));
            }
            let (answered, _) = read_said(&given.answer.chunks)?;
            let header = &said.header;
            let answer = (given.answer.outcome, given.answer.result, given.answer.time);
            let outcome = Outcome::from_code(header.code);
            if answered != [said.clone()]
                || (Some(answer.0), answer.1, answer.2) != (outcome, header.result, header.time)
            {
                return Err(format!(
                    "command {sequence} was answered {answer:?}, and the journal comes to {outcome:?}, {} ({who})",
                    header.result
                ));
            }
        }
        Ok(())
    }

    /// Every snapshot, and the commands after it, come to the same state and say the same as the journal
    /// from its first command on. Those in `spoilt` were.
    pub fn check_snapshots(&self, storage: &SimulatedStorage, spoilt: &BTreeMap<String, Vec<u8>>) -> Found {
        let snapshots = Snapshots::new(storage.clone());
        for sequence in snapshots.list().map_err(|error| error.to_string())? {
            let snapshot = match snapshots.read(sequence) {
                Ok(snapshot) => snapshot,
                Err(_) if spoilt.contains_key(&snapshots.locate(sequence)) => continue,
                Err(error) => return Err(error.to_string()),
            };
            self.check_snapshot(sequence, &snapshot.payload)
                .map_err(|what| format!("the snapshot of {sequence}: {what}"))?;
        }
        Ok(())
    }

    fn check_snapshot(&self, sequence: u64, content: &[u8]) -> Found {
        let mut engine: Engine = Engine::from_snapshot(content, 0).map_err(|error| error.to_string())?;
        if engine.sequence().0 != sequence || sequence > self.records.len() as u64 {
            return Err(format!(
                "it is of {}, the journal ends at {}",
                engine.sequence(),
                self.records.len()
            ));
        }
        let mut events = EventBuffer::growing();
        for record in &self.records[sequence as usize..] {
            let record = CommandRecord::parse(record).map_err(|error| error.to_string())?;
            let next = engine.sequence().next();
            engine.apply(&record, record.header.time, next, &mut events);
        }
        let (said, _) = read_said(events.bytes())?;
        if said != self.said[sequence as usize..] || engine.state_hash() != self.naive.state_hash() {
            return Err("what follows from it is not what follows from the first command".to_owned());
        }
        Ok(())
    }

    /// What a consumer heard is a prefix of what the journal says; returns how many commands it heard of.
    fn check_heard(&self, heard: &[u8]) -> Result<u64, String> {
        let (heard, _) = read_said(heard)?;
        for (index, said) in heard.iter().enumerate() {
            match self.said.get(index) {
                Some(known) if known == said => {}
                Some(_) => return Err(format!("consumers were told otherwise of command {}", index + 1)),
                None => return Err(format!("consumers were told of command {}, which is lost", index + 1)),
            }
        }
        Ok(heard.len() as u64)
    }

    /// The event log holds what was said, to the journal's end.
    fn read_event_log(&self, storage: &SimulatedStorage) -> Found {
        let mut reader = EventReader::open(storage.clone(), 0).map_err(|error| error.to_string())?;
        let mut last = 0;
        while let Some(group) = reader.next_group().map_err(|error| error.to_string())? {
            let (said, _) = read_said(group.payload)?;
            let expected = self.said.get(group.first_sequence as usize - 1..group.last_sequence as usize);
            if group.first_sequence != last + 1 || expected != Some(&said) {
                return Err(format!(
                    "the event log is wrong of commands {} to {}",
                    group.first_sequence, group.last_sequence
                ));
            }
            last = group.last_sequence;
        }
        if last == self.said.len() as u64 {
            return Ok(());
        }
        Err(format!("the event log ends at {last}, the journal at {}", self.said.len()))
    }
}

/// The commands in a run of chunks, and all their events.
fn read_said(bytes: &[u8]) -> Result<(Vec<Said>, Vec<Event>), String> {
    let (mut all, mut events) = (Vec::new(), Vec::new());
    let mut open: Option<Said> = None;
    let mut end = 0;
    for chunk in EventChunk::all(bytes) {
        let chunk = chunk.map_err(|error| format!("a chunk cannot be read: {error}"))?;
        let start = end + size_of::<ChunkHeader>();
        end += chunk.header.length as usize;
        let header = ChunkHeader { length: 0, chunk: 0, ..chunk.header };
        let said = open.get_or_insert(Said { header, events: Vec::new() });
        said.header = ChunkHeader { first_event: said.header.first_event, ..header };
        said.events.extend_from_slice(&bytes[start..end]);
        for event in chunk.events() {
            events.push(event.map_err(|error| format!("an event cannot be read: {error}"))?);
        }
        if header.last == 1 {
            all.extend(open.take());
        }
    }
    if open.is_some() { Err("a command's last chunk is missing".to_owned()) } else { Ok((all, events)) }
}
