//! A gateway's commands from the moment they have a number until their answer is in the event stream.
//! Refuses to know sockets and clocks.

use protocol::{
    SourceId, SourceNumber,
    command::{Command, CommandRecord},
    event::{ChunkHeader, NOT_ATTEMPTED},
    reject::Outcome,
};
use services::{Answer, PendingAnswer, SubmitError};
use std::collections::VecDeque;
use std::time::Instant;
use tokio::sync::oneshot;

/// Commands of one source that are not answered, in the order of their numbers.
#[derive(Debug)]
pub(crate) struct Outgoing {
    source: SourceId,
    /// The most that are not answered.
    window: usize,
    next: SourceNumber,
    waiting: VecDeque<Waiting>,
    /// How many of them were given to the connection there is.
    sent: usize,
    /// The chunks of a command of this source that is not whole yet.
    open: Vec<u8>,
}

#[derive(Debug)]
struct Waiting {
    number: SourceNumber,
    trace: u64,
    record: Vec<u8>,
    since: Instant,
    /// Nobody, once it was told that the answer is not known.
    sender: Option<oneshot::Sender<Result<Answer, SubmitError>>>,
}

impl Outgoing {
    pub(crate) fn new(source: SourceId, window: usize) -> Self {
        let next = SourceNumber(1);
        Self { source, window, next, waiting: VecDeque::new(), sent: 0, open: Vec::new() }
    }

    /// Numbers a command, to be sent.
    pub(crate) fn push(
        &mut self,
        command: &Command,
        trace: u64,
        now: Instant,
    ) -> Result<PendingAnswer, SubmitError> {
        if self.waiting.len() >= self.window {
            return Err(SubmitError::Overloaded);
        }
        let number = self.next;
        let record = command.encode(self.source, number, trace);
        // A record that the engine cannot read would end the connection, and others' commands with it.
        CommandRecord::parse(&record).map_err(|_| SubmitError::Closed)?;
        let (sender, answer) = PendingAnswer::channel();
        self.waiting.push_back(Waiting { number, trace, record, since: now, sender: Some(sender) });
        self.next = SourceNumber(number.0 + 1);
        Ok(answer)
    }

    /// Gives what was not sent yet to `write`, until it says that it has enough; whether there was any.
    pub(crate) fn send(&mut self, mut write: impl FnMut(&[u8]) -> bool) -> bool {
        let before = self.sent;
        while let Some(waiting) = self.waiting.get(self.sent) {
            self.sent += 1;
            if !write(&waiting.record) {
                break;
            }
        }
        self.sent > before
    }

    /// A new connection, whose engine has settled all that it had taken, and whose answers have all been
    /// [seen](Self::see): what is still waiting was never taken. It is sent again under the same numbers;
    /// or its senders are told why not, and the numbers are given to others.
    pub(crate) fn reconcile(&mut self, next: SourceNumber, refusal: Option<SubmitError>) {
        let numbers = self.waiting.iter().map(|waiting| waiting.number.0);
        let goes_on = numbers.eq(next.0..next.0 + self.waiting.len() as u64);
        if refusal.is_some() || !goes_on {
            let error = refusal.unwrap_or(SubmitError::Closed);
            for sender in self.waiting.drain(..).filter_map(|waiting| waiting.sender) {
                // Who no longer waits is not told.
                let _ = sender.send(Err(error));
            }
        }
        self.sent = 0;
        self.next = SourceNumber(next.0 + self.waiting.len() as u64);
    }

    /// Answers the command that ends in a chunk of the event stream, if it is one of these.
    pub(crate) fn see(&mut self, header: &ChunkHeader, chunk: &[u8]) {
        if header.source != self.source {
            return;
        }
        if header.chunk == 0 {
            self.open.clear();
        }
        self.open.extend_from_slice(chunk);
        let Some(outcome) = header.outcome() else { return };
        let chunks = std::mem::take(&mut self.open);
        let Ok(place) = self.waiting.binary_search_by_key(&header.number, |waiting| waiting.number) else {
            return;
        };
        // An earlier life of this gateway used the number, if the trace is another.
        let Some(waiting) = self.waiting.get(place).filter(|waiting| waiting.trace == header.trace) else {
            return;
        };
        debug_assert_eq!(waiting.number, header.number, "found by its number");
        let Some(answered) = self.waiting.remove(place) else { return };
        if place < self.sent {
            self.sent -= 1;
        }
        let cancel_outcome =
            (header.cancel_code != NOT_ATTEMPTED).then(|| Outcome::from_code(header.cancel_code)).flatten();
        let answer = Answer {
            sequence: header.sequence,
            time: header.time,
            outcome,
            cancel_outcome,
            result: header.result,
            chunks: chunks.into_boxed_slice(),
        };
        if let Some(sender) = answered.sender {
            // Who no longer waits is not told.
            let _ = sender.send(Ok(answer));
        }
    }

    /// Tells those who wait since before `time` that the answer is not known. Their commands stay: they
    /// may have been taken.
    pub(crate) fn give_up(&mut self, time: Instant) -> usize {
        let late = self.waiting.iter_mut().take_while(|waiting| waiting.since < time);
        let senders = late.filter_map(|waiting| waiting.sender.take());
        senders.map(|sender| drop(sender.send(Err(SubmitError::Unknown)))).count()
    }

    /// How many wait for an answer.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{
        Sequence, Time,
        command::CommandHeader,
        event::{EventBuffer, EventChunk},
    };
    use std::time::Duration;

    const SOURCE: SourceId = SourceId(16);

    fn pushed(outgoing: &mut Outgoing, trace: u64) -> PendingAnswer {
        outgoing.push(&Command::Tick, trace, Instant::now()).unwrap()
    }

    fn sent(outgoing: &mut Outgoing) -> Vec<u64> {
        let mut numbers = Vec::new();
        outgoing.send(|record| {
            numbers.push(CommandRecord::parse(record).unwrap().header.number.0);
            true
        });
        numbers
    }

    /// What the stream carries of a command that was done.
    fn done(outgoing: &mut Outgoing, source: SourceId, number: u64, trace: u64) {
        let record = Command::Tick.encode(source, SourceNumber(number), trace);
        let header: CommandHeader = *CommandRecord::parse(&record).unwrap().header;
        let mut buffer = EventBuffer::growing();
        buffer.begin(&header, Sequence(number + 100), Time(5), 0);
        buffer.finish(Outcome::Done.code(), NOT_ATTEMPTED, 7);
        for chunk in EventChunk::all(buffer.bytes()) {
            outgoing.see(&chunk.unwrap().header, buffer.bytes());
        }
    }

    #[test]
    fn each_answer_finds_its_command_by_source_number_and_trace() {
        let mut outgoing = Outgoing::new(SOURCE, 8);
        let answers = [11, 12, 13].map(|trace| pushed(&mut outgoing, trace));
        assert_eq!(sent(&mut outgoing), [1, 2, 3]);
        assert!(sent(&mut outgoing).is_empty());
        done(&mut outgoing, SourceId(17), 1, 11);
        done(&mut outgoing, SOURCE, 1, 99);
        assert_eq!(outgoing.waiting(), 3, "neither is one of these");
        for number in [2, 1, 3] {
            done(&mut outgoing, SOURCE, number, number + 10);
        }
        for (number, answer) in (1..).zip(answers) {
            let answer = answer.wait().unwrap();
            assert_eq!((answer.sequence.0, answer.result, answer.time), (number + 100, 7, Time(5)));
        }
        pushed(&mut outgoing, 14);
        assert_eq!(sent(&mut outgoing), [4]);
    }

    #[test]
    fn a_full_window_takes_no_number() {
        let mut outgoing = Outgoing::new(SOURCE, 2);
        let _first = pushed(&mut outgoing, 1);
        let _second = pushed(&mut outgoing, 2);
        assert_eq!(outgoing.push(&Command::Tick, 3, Instant::now()).err(), Some(SubmitError::Overloaded));
        done(&mut outgoing, SOURCE, 1, 1);
        let _third = pushed(&mut outgoing, 3);
        assert_eq!(sent(&mut outgoing), [2, 3]);
    }

    #[test]
    fn what_was_never_taken_is_sent_again_under_its_number() {
        let mut outgoing = Outgoing::new(SOURCE, 8);
        let answers = [1, 2, 3].map(|trace| pushed(&mut outgoing, trace));
        assert_eq!(sent(&mut outgoing), [1, 2, 3]);
        done(&mut outgoing, SOURCE, 1, 1);
        outgoing.reconcile(SourceNumber(2), None);
        assert_eq!(sent(&mut outgoing), [2, 3]);
        done(&mut outgoing, SOURCE, 2, 2);
        done(&mut outgoing, SOURCE, 3, 3);
        assert!(answers.into_iter().all(|answer| answer.wait().is_ok()));
    }

    #[test]
    fn what_was_never_taken_and_may_not_be_is_told_so_and_its_number_is_used_again() {
        for (next, refusal, told) in [
            (2, Some(SubmitError::NoRoom), SubmitError::NoRoom),
            (2, Some(SubmitError::Closed), SubmitError::Closed),
            // The engine goes on elsewhere: it was restored to before, or the source was used by another.
            (9, None, SubmitError::Closed),
            (1, None, SubmitError::Closed),
        ] {
            let mut outgoing = Outgoing::new(SOURCE, 8);
            let first = pushed(&mut outgoing, 1);
            let second = pushed(&mut outgoing, 2);
            sent(&mut outgoing);
            done(&mut outgoing, SOURCE, 1, 1);
            outgoing.reconcile(SourceNumber(next), refusal);
            assert!(first.wait().is_ok());
            assert_eq!(second.wait().err(), Some(told), "{next} {refusal:?}");
            pushed(&mut outgoing, 3);
            assert_eq!(sent(&mut outgoing), [next]);
        }
    }

    #[test]
    fn who_waits_too_long_is_told_that_nobody_knows_and_the_command_stays() {
        let mut outgoing = Outgoing::new(SOURCE, 8);
        let answer = pushed(&mut outgoing, 1);
        let begun = outgoing.waiting[0].since;
        assert_eq!(outgoing.give_up(begun), 0);
        assert_eq!(outgoing.give_up(begun + Duration::from_nanos(1)), 1);
        assert_eq!(answer.wait().err(), Some(SubmitError::Unknown));
        assert_eq!((outgoing.waiting(), sent(&mut outgoing)), (1, vec![1]));
    }
}
