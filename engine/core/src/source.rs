//! Repeats: each source numbers its commands densely, and a number that comes again gets the
//! outcome it had (requirements §10.1, invariant 5). Refuses to know what a command does.

use protocol::{Reject, SourceId, command::CommandHeader, reject::Outcome};

/// How many outcomes are kept for each source. A source resends what was not answered, and never
/// has more than this in flight. Part of the rules: it decides what a late repeat is told.
pub(crate) const OUTCOMES_KEPT: u64 = 4_096;
/// Sources are numbered below this.
pub(crate) const SOURCES_MAX: u32 = 1_024;

/// How a command of a source ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) content_hash: u64,
    pub(crate) result: u64,
    pub(crate) code: u16,
    pub(crate) cancel_code: u16,
}

/// One source.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The number that must come next.
    pub(crate) next: u64,
    /// Whether a number came again with another content.
    pub(crate) stopped: bool,
    /// By `number % OUTCOMES_KEPT`.
    pub(crate) kept: Box<[Kept]>,
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
        let source = self.sources[id as usize].get_or_insert_with(|| Source {
            next: 1,
            stopped: false,
            kept: vec![Kept::default(); OUTCOMES_KEPT as usize].into_boxed_slice(),
        });
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

    /// Keeps the outcome of a fresh command.
    #[inline]
    pub(crate) fn keep(&mut self, header: &CommandHeader, outcome: Outcome, cancel_code: u16, result: u64) {
        if let Some(Some(source)) = self.sources.get_mut(header.source.0 as usize) {
            source.kept[(header.number.0 % OUTCOMES_KEPT) as usize] =
                Kept { content_hash: header.content_hash, result, code: outcome.code(), cancel_code };
        }
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
        let kept = Kept { content_hash: 14, result: 2, code: Reject::UnknownOrder as u16, cancel_code: 3 };
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
}
