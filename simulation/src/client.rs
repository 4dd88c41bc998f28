//! A client as the exchange knows it: a source with a port, which hands commands in, waits for answers,
//! loses its connection, and, if it numbers its commands itself, sends again what was not answered.
//! Refuses to know what its commands do.

use crate::witness::{Found, Witness};
use engine_runtime::pipeline::{Port, RecordError};
use protocol::{
    SourceId, SourceNumber,
    command::Command,
    reject::{Outcome, Reject},
};
use services::{Answer, CommandPort, PendingAnswer, SubmitError};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Who gives a client's commands their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Its port, as for a gateway: what was not answered when it ended is not sent again.
    Port,
    /// The client, as a service with an outbox: it sends again until it is answered.
    Own,
}

/// A command of an outbox.
#[derive(Debug)]
struct Outgoing {
    number: SourceNumber,
    bytes: Vec<u8>,
    is_sent: bool,
}

#[derive(Debug)]
struct Pending {
    number: SourceNumber,
    bytes: Vec<u8>,
    answer: PendingAnswer,
}

/// What a client was answered, and may ask again.
#[derive(Debug)]
struct Answered {
    number: SourceNumber,
    bytes: Vec<u8>,
    outcome: Outcome,
    result: u64,
}

/// One client.
#[derive(Debug)]
pub struct Client {
    source: SourceId,
    numbering: Numbering,
    /// Commands unanswered at most.
    in_flight_max: usize,
    port: Option<Port>,
    pending: Vec<Pending>,
    outbox: VecDeque<Outgoing>,
    /// The next own number.
    next: SourceNumber,
    /// The last own command that was answered.
    last_answered: Option<Answered>,
    /// The exchange has stopped this source.
    pub is_stopped: bool,
}

impl Client {
    /// A client that never has more than `in_flight_max` commands unanswered.
    pub fn new(source: SourceId, numbering: Numbering, in_flight_max: usize) -> Self {
        Self {
            source,
            numbering,
            in_flight_max,
            port: None,
            pending: Vec::new(),
            outbox: VecDeque::new(),
            next: SourceNumber(1),
            last_answered: None,
            is_stopped: false,
        }
    }

    /// Whose commands they are.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// Commands it may still hand in before it is answered.
    pub fn room(&self) -> usize {
        let waiting = match self.numbering {
            Numbering::Port => self.pending.len(),
            Numbering::Own => self.outbox.len(),
        };
        self.in_flight_max.saturating_sub(waiting)
    }

    /// Whether it waits for nothing.
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.outbox.is_empty()
    }

    /// The exchange is there again. A service compares its numbers with the core's.
    pub fn connect(&mut self, port: Port) -> Found {
        if self.numbering == Numbering::Own {
            let next = port.next_number();
            let answered = self.outbox.front().map_or(self.next, |oldest| oldest.number);
            if next < answered || next > self.next {
                return Err(format!(
                    "invariant 5: source {} goes on at {next}, and had answers below {answered} and numbers below {}",
                    self.source, self.next
                ));
            }
        }
        self.port = Some(port);
        Ok(())
    }

    /// The exchange is gone: takes the answers that came before, and no more.
    pub fn disconnect(&mut self, witness: &mut Witness) -> Found {
        self.poll(witness)?;
        self.port = None;
        self.pending.clear();
        self.outbox.iter_mut().for_each(|outgoing| outgoing.is_sent = false);
        Ok(())
    }

    /// Hands a command in; a service by way of its outbox.
    pub fn submit(&mut self, command: &Command, witness: &mut Witness) {
        match self.numbering {
            Numbering::Own => {
                let bytes = command.encode(self.source, self.next, 0);
                self.outbox.push_back(Outgoing { number: self.next, bytes, is_sent: false });
                self.next = SourceNumber(self.next.0 + 1);
                self.send(witness);
            }
            Numbering::Port => {
                let Some(port) = &self.port else { return };
                let number = port.next_number();
                let bytes = command.encode(self.source, number, 0);
                if let Ok(answer) = port.submit(command, 0) {
                    witness.submits(self.source, number, &bytes);
                    self.pending.push(Pending { number, bytes, answer });
                }
            }
        }
    }

    /// Sends what was not sent, in order, as far as it is taken.
    pub fn send(&mut self, witness: &mut Witness) {
        let Some(port) = &self.port else { return };
        for outgoing in self.outbox.iter_mut().filter(|outgoing| !outgoing.is_sent) {
            let Outgoing { number, bytes, .. } = outgoing;
            witness.submits(self.source, *number, bytes);
            let Ok(answer) = port.resend(bytes) else { return };
            outgoing.is_sent = true;
            self.pending.retain(|pending| pending.number != *number);
            self.pending.push(Pending { number: *number, bytes: bytes.clone(), answer });
        }
    }

    /// Sends everything unanswered once more, though it may be on its way.
    pub fn send_again(&mut self, witness: &mut Witness) {
        self.outbox.iter_mut().for_each(|outgoing| outgoing.is_sent = false);
        self.send(witness);
    }

    /// Sends a command once more that was answered: it must get the same answer.
    pub fn ask_again(&mut self, witness: &mut Witness) {
        let (Some(port), Some(answered)) = (&self.port, &self.last_answered) else { return };
        let Answered { number, bytes, .. } = answered;
        witness.submits(self.source, *number, bytes);
        if let Ok(answer) = port.resend(bytes) {
            self.pending.push(Pending { number: *number, bytes: bytes.clone(), answer });
        }
    }

    /// As a service whose database was restored from an old backup: another command under a used number.
    pub fn contradict(&mut self, command: &Command, witness: &mut Witness) {
        let (Some(port), Some(answered)) = (&self.port, &self.last_answered) else { return };
        let bytes = command.encode(self.source, answered.number, 0);
        if bytes == answered.bytes {
            return;
        }
        witness.submits(self.source, answered.number, &bytes);
        match port.resend(&bytes) {
            Ok(answer) => self.pending.push(Pending { number: answered.number, bytes, answer }),
            Err(RecordError::Submit(_)) => {}
            Err(error) => unreachable!("a whole record of this source: {error}"),
        }
    }

    /// Takes the answers that are there.
    pub fn poll(&mut self, witness: &mut Witness) -> Found {
        let context = &mut Context::from_waker(Waker::noop());
        for mut pending in std::mem::take(&mut self.pending) {
            match Pin::new(&mut pending.answer).poll(context) {
                Poll::Pending => self.pending.push(pending),
                Poll::Ready(Ok(answer)) => self.answered(pending, answer, witness)?,
                // Whether it happened is for the next start to say.
                Poll::Ready(Err(SubmitError::Unknown)) => self.unsend(pending.number),
                Poll::Ready(Err(_)) => self.refused(&pending, witness),
            }
        }
        Ok(())
    }

    fn refused(&mut self, pending: &Pending, witness: &mut Witness) {
        match self.numbering {
            Numbering::Port => witness.was_refused(self.source, pending.number, &pending.bytes),
            // It may have been sent more than once, and another copy been taken.
            Numbering::Own => self.unsend_from(pending.number),
        }
    }

    fn unsend(&mut self, number: SourceNumber) {
        let same = self.outbox.iter_mut().filter(|outgoing| outgoing.number == number);
        same.for_each(|outgoing| outgoing.is_sent = false);
    }

    fn unsend_from(&mut self, number: SourceNumber) {
        let later = self.outbox.iter_mut().filter(|outgoing| outgoing.number >= number);
        later.for_each(|outgoing| outgoing.is_sent = false);
    }

    fn answered(&mut self, pending: Pending, answer: Answer, witness: &mut Witness) -> Found {
        let Pending { number, bytes, .. } = pending;
        let (outcome, result) = (answer.outcome, answer.result);
        witness.was_answered(self.source, number, &bytes, answer)?;
        if self.numbering == Numbering::Port {
            return Ok(());
        }
        if outcome == Outcome::Refused(Reject::SourceStopped) {
            self.is_stopped = true;
            self.unsend_from(SourceNumber(0));
            return Ok(());
        }
        if outcome == Outcome::Refused(Reject::NumberOutOfOrder) {
            // One before it was not taken.
            self.unsend_from(SourceNumber(0));
            return Ok(());
        }
        if let Some(before) = self.last_answered.as_ref().filter(|before| before.number == number) {
            if (before.outcome, before.result) != (outcome, result) {
                return Err(format!(
                    "invariant 5: number {number} of source {} came to {:?}, and again to {:?}",
                    self.source,
                    (before.outcome, before.result),
                    (outcome, result)
                ));
            }
            return Ok(());
        }
        if let Some(index) = self.outbox.iter().position(|outgoing| outgoing.number == number) {
            self.outbox.remove(index);
            if self.last_answered.as_ref().is_none_or(|before| before.number < number) {
                self.last_answered = Some(Answered { number, bytes, outcome, result });
            }
        }
        Ok(())
    }
}
