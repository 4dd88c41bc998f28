//! Repeats: each source numbers its commands densely, and a number that comes again gets the
//! outcome it had (requirements §10.1, invariant 5). Refuses to know what a command does.

use crate::snapshot::{Reader, SnapshotError, Writer};
use protocol::{Reject, SourceId, command::CommandHeader, event::NOT_ATTEMPTED, reject::Outcome};

/// How many outcomes are kept for each source. A source that sends again what was not answered must
/// not have more than this unanswered: who hands its commands in takes the bound from here. Part of
/// the rules: it decides what a late repeat is told.
pub const OUTCOMES_KEPT: u64 = 4_096;
/// Sources are numbered below this.
pub(crate) const SOURCES_MAX: u32 = 1_024;

/// How a command of a source ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) content_hash: u64,
    /// Code in bits 0–7, cancel code in bits 8–15, result above: ids stay far below 2^48, and the
    /// ring of a busy source stays in the processor's cache.
    packed: u64,
}

/// The cancel's "not attempted" as a byte; rejects' codes are below it.
const NOT_ATTEMPTED_BYTE: u64 = 0xff;

impl Kept {
    #[inline]
    fn new(content_hash: u64, code: u16, cancel_code: u16, result: u64) -> Self {
        let cancel = if cancel_code == NOT_ATTEMPTED { NOT_ATTEMPTED_BYTE } else { u64::from(cancel_code) };
        Self { content_hash, packed: u64::from(code) | cancel << 8 | result << 16 }
    }

    pub(crate) fn code(self) -> u16 {
        (self.packed & 0xff) as u16
    }

    pub(crate) fn cancel_code(self) -> u16 {
        match self.packed >> 8 & 0xff {
            NOT_ATTEMPTED_BYTE => NOT_ATTEMPTED,
            code => code as u16,
        }
    }

    pub(crate) fn result(self) -> u64 {
        self.packed >> 16
    }
}

/// One source.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The number that must come next.
    pub(crate) next: u64,
    /// Whether a number came again with another content.
    pub(crate) stopped: bool,
    /// By `number % OUTCOMES_KEPT`.
    pub(crate) kept: Box<[Kept; OUTCOMES_KEPT as usize]>,
}

impl Default for Source {
    fn default() -> Self {
        let kept = vec![Kept::default(); OUTCOMES_KEPT as usize];
        Self { next: 1, stopped: false, kept: kept.try_into().expect("as many as there are") }
    }
}

impl Source {
    /// The numbers whose outcomes are kept.
    fn numbers_kept(&self) -> std::ops::Range<u64> {
        self.next.saturating_sub(OUTCOMES_KEPT).max(1)..self.next
    }
}

/// What to do with a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Do it.
    Fresh,
    /// It was done: this was its outcome.
    Repeat(Kept),
    /// Refuse it; its number is not used.
    Refuse(Reject),
}

/// All sources.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    sources: Vec<Option<Source>>,
}

impl Sources {
    /// Decides, and counts the number as used if the command is fresh.
    #[inline]
    pub(crate) fn admit(&mut self, header: &CommandHeader) -> Admission {
        let number = header.number.0;
        match self.sources.get_mut(header.source.0 as usize) {
            Some(Some(source)) if number == source.next && !source.stopped => {
                source.next += 1;
                Admission::Fresh
            }
            _ => self.admit_other(header),
        }
    }

    #[cold]
    fn admit_other(&mut self, header: &CommandHeader) -> Admission {
        let SourceId(id) = header.source;
        if id >= SOURCES_MAX {
            return Admission::Refuse(Reject::Malformed);
        }
        if self.sources.len() <= id as usize {
            self.sources.resize_with(id as usize + 1, || None);
        }
        let source = self.sources[id as usize].get_or_insert_default();
        let number = header.number.0;
        if source.stopped {
            return Admission::Refuse(Reject::SourceStopped);
        }
        if number == source.next {
            source.next += 1;
            return Admission::Fresh;
        }
        if number > source.next || number == 0 {
            return Admission::Refuse(Reject::NumberOutOfOrder);
        }
        if source.next - number > OUTCOMES_KEPT {
            return Admission::Refuse(Reject::DuplicateForgotten);
        }
        let kept = source.kept[(number % OUTCOMES_KEPT) as usize];
        if kept.content_hash == header.content_hash {
            return Admission::Repeat(kept);
        }
        source.stopped = true;
        Admission::Refuse(Reject::SourceStopped)
    }

    /// Lets a stopped source go on where it was. Gives its next number; nothing when it was not stopped.
    pub(crate) fn resume(&mut self, SourceId(id): SourceId) -> Result<Option<u64>, Reject> {
        if id >= SOURCES_MAX {
            return Err(Reject::Malformed);
        }
        let stopped = self.sources.get_mut(id as usize).and_then(Option::as_mut).filter(|one| one.stopped);
        Ok(stopped.map(|source| {
            source.stopped = false;
            source.next
        }))
    }

    /// Keeps the outcome of a fresh command.
    #[inline]
    pub(crate) fn keep(&mut self, header: &CommandHeader, outcome: Outcome, cancel_code: u16, result: u64) {
        if let Some(Some(source)) = self.sources.get_mut(header.source.0 as usize) {
            source.kept[(header.number.0 % OUTCOMES_KEPT) as usize] =
                Kept::new(header.content_hash, outcome.code(), cancel_code, result);
        }
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.count(self.iter().count());
        for (id, source) in self.iter() {
            out.u32(id.0);
            out.u64(source.next);
            out.bool(source.stopped);
            for number in source.numbers_kept() {
                let kept = source.kept[(number % OUTCOMES_KEPT) as usize];
                out.numbers(&[kept.content_hash, kept.packed]);
            }
        }
    }

    pub(crate) fn read(&mut self, input: &mut Reader<'_>) -> Result<(), SnapshotError> {
        input.part("sources");
        for _ in 0..input.count()? {
            let id = input.u32()?;
            input.check(id < SOURCES_MAX && self.sources.len() <= id as usize)?;
            let mut source = Source { next: input.u64()?, stopped: input.bool()?, ..Source::default() };
            input.check(source.next > 0)?;
            for number in source.numbers_kept() {
                let kept = Kept { content_hash: input.u64()?, packed: input.u64()? };
                input.check(Outcome::from_code(kept.code()).is_some())?;
                source.kept[(number % OUTCOMES_KEPT) as usize] = kept;
            }
            self.sources.resize_with(id as usize, || None);
            self.sources.push(Some(source));
        }
        Ok(())
    }

    /// Every source that ever sent a command, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.sources
            .iter()
            .enumerate()
            .filter_map(|(id, source)| Some((SourceId(id as u32), source.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{
        SourceNumber,
        command::{Command, CommandRecord},
    };

    fn header(source: u32, number: u64, content_hash: u64) -> CommandHeader {
        let bytes = Command::Tick.encode(SourceId(source), SourceNumber(number), 0);
        let mut header = *CommandRecord::parse(&bytes).expect("a record").header;
        header.content_hash = content_hash;
        header
    }

    #[test]
    fn numbers_are_dense_and_repeats_get_their_outcome() {
        let mut sources = Sources::default();
        assert_eq!(sources.admit(&header(1, 2, 0)), Admission::Refuse(Reject::NumberOutOfOrder));
        assert_eq!(sources.admit(&header(1, 0, 0)), Admission::Refuse(Reject::NumberOutOfOrder));
        for number in 1..=OUTCOMES_KEPT + 1 {
            let header = header(1, number, number * 7);
            assert_eq!(sources.admit(&header), Admission::Fresh);
            sources.keep(&header, Outcome::Refused(Reject::UnknownOrder), 3, number);
        }
        let kept = Kept::new(14, Reject::UnknownOrder as u16, 3, 2);
        assert_eq!((kept.code(), kept.cancel_code(), kept.result()), (Reject::UnknownOrder as u16, 3, 2));
        assert_eq!(Kept::new(0, 0, NOT_ATTEMPTED, 7).cancel_code(), NOT_ATTEMPTED);
        assert_eq!(sources.admit(&header(1, 2, 14)), Admission::Repeat(kept));
        assert_eq!(sources.admit(&header(1, 1, 7)), Admission::Refuse(Reject::DuplicateForgotten));
        assert_eq!(sources.admit(&header(2, 1, 7)), Admission::Fresh, "sources count for themselves");
    }

    #[test]
    fn another_content_under_a_used_number_stops_the_source_alone() {
        let mut sources = Sources::default();
        assert_eq!(sources.admit(&header(1, 1, 7)), Admission::Fresh);
        sources.keep(&header(1, 1, 7), Outcome::Done, 0, 0);
        assert_eq!(sources.admit(&header(1, 1, 8)), Admission::Refuse(Reject::SourceStopped));
        assert_eq!(sources.admit(&header(1, 2, 9)), Admission::Refuse(Reject::SourceStopped));
        assert_eq!(sources.admit(&header(2, 1, 9)), Admission::Fresh);
        assert_eq!(sources.admit(&header(SOURCES_MAX, 1, 9)), Admission::Refuse(Reject::Malformed));
    }

    #[test]
    fn a_stopped_source_goes_on_where_it_was_once_it_is_resumed() {
        let mut sources = Sources::default();
        for (id, resumed) in
            [(1, Ok(None)), (SOURCES_MAX - 1, Ok(None)), (SOURCES_MAX, Err(Reject::Malformed))]
        {
            assert_eq!(sources.resume(SourceId(id)), resumed, "{id}");
        }
        assert_eq!(sources.iter().count(), 0, "asking makes no source");
        for number in 1..=2 {
            assert_eq!(sources.admit(&header(1, number, 7)), Admission::Fresh);
            sources.keep(&header(1, number, 7), Outcome::Done, 0, number);
        }
        assert_eq!(sources.resume(SourceId(1)), Ok(None), "it was not stopped");
        assert_eq!(sources.admit(&header(1, 1, 8)), Admission::Refuse(Reject::SourceStopped));
        assert_eq!(sources.resume(SourceId(1)), Ok(Some(3)));
        assert_eq!(sources.admit(&header(1, 2, 7)), Admission::Repeat(Kept::new(7, 0, 0, 2)));
        assert_eq!(sources.admit(&header(1, 3, 9)), Admission::Fresh);
        assert_eq!(sources.admit(&header(1, 1, 8)), Admission::Refuse(Reject::SourceStopped), "and again");
    }

    #[test]
    fn what_is_kept_of_a_source_is_its_last_outcomes_and_no_more() {
        let mut sources = Sources::default();
        for number in 1..=2 * OUTCOMES_KEPT {
            assert_eq!(sources.admit(&header(1, number, number)), Admission::Fresh);
            sources.keep(&header(1, number, number), Outcome::Done, 0, number);
        }
        for (number, is_kept) in
            [(OUTCOMES_KEPT, false), (OUTCOMES_KEPT + 1, true), (2 * OUTCOMES_KEPT, true)]
        {
            let expected = if is_kept {
                Admission::Repeat(Kept::new(number, 0, 0, number))
            } else {
                Admission::Refuse(Reject::DuplicateForgotten)
            };
            assert_eq!(sources.admit(&header(1, number, number)), expected, "{number}");
        }
    }

    #[test]
    fn sources_in_a_snapshot_are_known_ones_in_order() {
        // Ids and the numbers that come next; none has an outcome that is kept.
        let cases: [(&[(u32, u64)], bool); 7] = [
            (&[], true),
            (&[(0, 1)], true),
            (&[(3, 1), (5, 1), (SOURCES_MAX - 1, 1)], true),
            (&[(SOURCES_MAX, 1)], false),
            (&[(5, 1), (3, 1)], false),
            (&[(5, 1), (5, 1)], false),
            (&[(5, 0)], false),
        ];
        for (sources, possible) in cases {
            let mut content = Vec::new();
            let mut sink = |piece: &[u8]| content.extend_from_slice(piece);
            let mut out = Writer::new(&mut sink);
            out.count(sources.len());
            for (id, next) in sources {
                out.u32(*id);
                out.u64(*next);
                out.bool(false);
            }
            out.finish();
            let mut read = Sources::default();
            let refused = read.read(&mut Reader::new(&content)).err();
            assert_eq!(refused.is_none(), possible, "{sources:?}");
            if possible {
                let ids: Vec<_> = read.iter().map(|(id, source)| (id.0, source.next)).collect();
                assert_eq!(ids, sources);
            }
        }
    }
}
