//! Ports: where the sources hand in commands and wait for answers. A port gives its source's
//! commands their numbers. Refuses to know what a command says, and when it may be answered.
//!
//! The core takes a source's numbers only in order and without a gap. So a number is given and its
//! record pushed under one lock, the port's own: whoever got the lower number is in the ring first.
//! The lock is held for an encoding and a push, neither of which waits; ports share nothing but the
//! ring, so that one source never waits for another. A command that the ring does not take uses no
//! number.
//!
//! Who numbers its commands itself has at most as many unanswered as the core keeps outcomes: whatever
//! it sends again because no answer came still gets the outcome it had. Numbers that the port gave are
//! never sent again, so that their bound is another, of the ring's size: with theirs, a slow disk would
//! bound the rate.

use super::status::ExchangeStatus;
use crate::ring::{Producer, PushError};
use engine_core::OUTCOMES_KEPT;
use protocol::{
    Reject, SourceId, SourceNumber,
    command::{Command, CommandRecord},
};
use services::{Answer, CommandPort, NumberedPort, PendingAnswer, RecordRefused, SubmitError};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

use super::group::Records;

/// The outcome of a command whose source is stopped, and those of commands whose number the core did not
/// count as used.
const STOPPED: u16 = Reject::SourceStopped as u16;
const UNUSED: [u16; 2] = [STOPPED, Reject::NumberOutOfOrder as u16];

/// The end that completes an answer.
pub(crate) type AnswerSender = oneshot::Sender<Result<Answer, SubmitError>>;

/// Where one source submits its commands. Clones are the same port.
#[derive(Clone)]
pub struct Port(pub(crate) Arc<PortState>);

impl fmt::Debug for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Port").field("source", &self.0.source).finish_non_exhaustive()
    }
}

pub(crate) struct PortState {
    source: SourceId,
    producer: Producer,
    status: Arc<ExchangeStatus>,
    inner: Mutex<Inner>,
}

struct Inner {
    /// The number of the next command.
    next: u64,
    /// Who waits for the answer to a command that the port has numbered.
    given: Waiting,
    /// Who waits for the answer to a command that its sender has numbered.
    resent: Waiting,
    /// The record being pushed.
    record: Vec<u8>,
    /// Whether the core has stopped the source, and somebody was told.
    is_stopped: bool,
}

/// Who waits, by `number % length`: a number that is higher by the length finds its place taken until
/// the lower one is answered, and is refused as overload.
struct Waiting(Box<[Option<Entry>]>);

struct Entry {
    number: u64,
    /// Of the command whose answer it waits for.
    content_hash: u64,
    sender: AnswerSender,
}

impl Port {
    pub(crate) fn new(
        source: SourceId,
        next: SourceNumber,
        given_max: usize,
        producer: Producer,
        status: Arc<ExchangeStatus>,
    ) -> Self {
        let inner = Mutex::new(Inner {
            next: next.0,
            given: Waiting::new(given_max),
            resent: Waiting::new(OUTCOMES_KEPT as usize),
            record: Vec::with_capacity(256),
            is_stopped: false,
        });
        Self(Arc::new(PortState { source, producer, status, inner }))
    }

    /// Whose port it is.
    pub fn source(&self) -> SourceId {
        self.0.source
    }

    /// The number that the next command gets: what a service compares its own count with.
    pub fn next_number(&self) -> SourceNumber {
        SourceNumber(self.0.lock().next)
    }

    /// Submits a record that its sender has numbered and keeps, again and again until it is answered:
    /// a repeat gets the first one's outcome. Such a source uses [`CommandPort::submit`] never. While a
    /// command of this number waits for its answer, another one is not taken ([`SubmitError::Overloaded`]).
    ///
    /// # Errors
    /// [`RecordError`] when the bytes are no whole record of this source, or it is not taken now.
    pub fn resend(&self, record: &[u8]) -> Result<PendingAnswer, RecordError> {
        let mut aligned = Records::new(record.len());
        aligned.copy(record);
        let parsed = CommandRecord::parse(aligned.bytes()).map_err(|_| RecordError::Unreadable)?;
        let header = *parsed.header;
        if usize::from(header.length) != record.len() {
            return Err(RecordError::Unreadable);
        }
        // What a flipped bit makes may well be a command, and another one.
        if !parsed.is_intact() {
            return Err(RecordError::Damaged { number: header.number });
        }
        if parsed.decode().is_err() {
            return Err(RecordError::Unreadable);
        }
        if header.source != self.0.source {
            return Err(RecordError::ForeignSource { found: header.source, port: self.0.source });
        }
        let mut inner = self.0.lock();
        inner.record.clear();
        inner.record.extend_from_slice(record);
        Ok(self.0.push(&mut inner, header.number.0, header.content_hash, |inner| &mut inner.resent)?)
    }
}

/// Why a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is no command.
    #[error("these bytes are no command record of this build: they were damaged or written by another")]
    Unreadable,
    /// Its body is not the one that its content hash was made of.
    #[error(
        "record {number} was damaged: its body does not have the content hash in its header; it was not taken; look at where it was kept"
    )]
    Damaged {
        /// Its number, as the header says.
        number: SourceNumber,
    },
    /// It belongs to another source.
    #[error("a record of source {found} was given to the port of source {port}")]
    ForeignSource {
        /// Whose it is.
        found: SourceId,
        /// Whose the port is.
        port: SourceId,
    },
    /// Not taken now.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl CommandPort for Port {
    fn source(&self) -> SourceId {
        self.0.source
    }

    fn submit(&self, command: &Command, trace: u64) -> Result<PendingAnswer, SubmitError> {
        let mut inner = self.0.lock();
        let number = inner.next;
        inner.record.clear();
        command.encode_into(self.0.source, SourceNumber(number), trace, &mut inner.record);
        // A record that the core cannot read must never reach the journal: it would stop every start.
        let Ok(content_hash) = CommandRecord::parse(&inner.record).map(|record| record.header.content_hash)
        else {
            return Err(SubmitError::Closed);
        };
        let answer = self.0.push(&mut inner, number, content_hash, |inner| &mut inner.given)?;
        inner.next += 1;
        Ok(answer)
    }
}

impl NumberedPort for Port {
    fn source(&self) -> SourceId {
        self.0.source
    }

    fn next_number(&self) -> SourceNumber {
        Self::next_number(self)
    }

    fn submit_record(&self, record: &[u8]) -> Result<PendingAnswer, RecordRefused> {
        self.resend(record).map_err(|error| match error {
            RecordError::Submit(error) => RecordRefused::Submit(error),
            bad => RecordRefused::Bad(bad.to_string()),
        })
    }
}

impl PortState {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under this lock can panic half way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(
        &self,
        inner: &mut Inner,
        number: u64,
        content_hash: u64,
        waiting: impl Fn(&mut Inner) -> &mut Waiting,
    ) -> Result<PendingAnswer, SubmitError> {
        self.status.admits()?;
        let place = waiting(inner).place(number);
        let (sender, answer) = PendingAnswer::channel();
        match place {
            // It is on its way: one answer serves the command, and whoever asked last is told.
            Some(entry) if entry.number == number && entry.content_hash == content_hash => {
                entry.sender = sender;
                return Ok(answer);
            }
            // Another one's place; also another command's under the same number, which must not get
            // this one's answer.
            Some(_) => return Err(SubmitError::Overloaded),
            None => {}
        }
        // Before the push: the answer may be there at once.
        *place = Some(Entry { number, content_hash, sender });
        self.producer.push(&inner.record).map_err(|error| {
            waiting(inner).take(number);
            match error {
                PushError::Closed => SubmitError::Closed,
                // A ring has room for the longest record, and a record here is whole.
                PushError::Full | PushError::TooLong { .. } | PushError::Malformed { .. } => {
                    SubmitError::Overloaded
                }
            }
        })?;
        Ok(answer)
    }

    /// Takes those who wait for the numbers: each with whatever came with its number, and with the code
    /// of its command's outcome.
    pub(crate) fn take<T>(
        &self,
        numbers: impl Iterator<Item = (SourceNumber, u16, T)>,
        taken: &mut Vec<(AnswerSender, T)>,
    ) {
        let mut inner = self.lock();
        for (SourceNumber(number), code, value) in numbers {
            let given = inner.given.take(number);
            let is_unused = UNUSED.contains(&code);
            if is_unused && given.is_some() {
                // No later one of this number is under way: its place was taken until now.
                inner.next = inner.next.min(number);
            }
            if code == STOPPED && !inner.is_stopped {
                tracing::error!(
                    source = self.source.0,
                    number,
                    "a number of this source came again with another content: the source is stopped, and nothing \
                     it sends is done; find out which of the two was meant, mend the service, then let it go on \
                     (POST /admin/sources/ID/resume)"
                );
            }
            inner.is_stopped = code == STOPPED || (inner.is_stopped && is_unused);
            if let Some(entry) = given.or_else(|| inner.resent.take(number)) {
                taken.push((entry.sender, value));
            }
        }
    }

    /// Refuses a command that was in the ring. Its number was not used: while no room is the reason,
    /// nothing is pushed, and all from this number on are refused, so the port gives it again.
    pub(crate) fn refuse(&self, SourceNumber(number): SourceNumber, error: SubmitError) {
        let mut inner = self.lock();
        let given = inner.given.take(number);
        if given.is_some() {
            inner.next = inner.next.min(number);
        }
        let Some(entry) = given.or_else(|| inner.resent.take(number)) else { return };
        drop(inner);
        // Who no longer waits is not told.
        let _ = entry.sender.send(Err(error));
    }

    /// When it returns, nobody is pushing who has not seen the status as it was before the call.
    pub(crate) fn wait_for_pushes(&self) {
        drop(self.lock());
    }

    /// Lets everyone who still waits know that no answer comes.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.given.0.fill_with(|| None);
        inner.resent.0.fill_with(|| None);
    }
}

impl Waiting {
    fn new(length: usize) -> Self {
        Self(std::iter::repeat_with(|| None).take(length).collect())
    }

    fn place(&mut self, number: u64) -> &mut Option<Entry> {
        let index = number % self.0.len() as u64;
        &mut self.0[index as usize]
    }

    fn take(&mut self, number: u64) -> Option<Entry> {
        self.place(number).take_if(|entry| entry.number == number)
    }
}

/// All ports, for the threads that answer.
#[derive(Default)]
pub(crate) struct Ports(Mutex<Vec<Option<Port>>>);

impl Ports {
    /// The port of a source, made when it is first asked for.
    pub(crate) fn get_or_insert(&self, source: SourceId, make: impl FnOnce() -> Port) -> Port {
        let index = source.0 as usize;
        let mut ports = self.lock();
        if ports.len() <= index {
            ports.resize_with(index + 1, || None);
        }
        ports[index].get_or_insert_with(make).clone()
    }

    pub(crate) fn get(&self, source: SourceId) -> Option<Arc<PortState>> {
        Some(Arc::clone(&self.lock().get(source.0 as usize)?.as_ref()?.0))
    }

    pub(crate) fn for_each(&self, look: impl FnMut(&PortState)) {
        let states: Vec<_> = self.lock().iter().flatten().map(|port| Arc::clone(&port.0)).collect();
        states.iter().map(AsRef::as_ref).for_each(look);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Port>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
