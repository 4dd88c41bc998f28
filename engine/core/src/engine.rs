//! The engine: one `apply` for every command. Refuses to know where commands come from and where
//! events go.

use crate::{
    books::{Books, ladder::LadderBooks},
    containment::contain,
    contingent::Contingent,
    expiry::ExpiringOrders,
    ledger::Ledger,
    lookahead::Ahead,
    market::Market,
    source::{Admission, Sources},
};
use protocol::{
    InstrumentId, RULES_VERSION, Reject, Sequence, Time,
    command::{Command, CommandKind, CommandRecord, HAS_TERMS},
    event::{EventBuffer, EventKind, NOT_ATTEMPTED, RulesActivated},
    record::DecodeError,
    reject::Outcome,
};

/// The exchange's whole state: books, ledger, and what is needed to go on after them.
#[derive(Debug)]
pub struct Engine<B: Books = LadderBooks> {
    pub(crate) books: B,
    pub(crate) ledger: Ledger,
    /// By instrument id, from 1.
    pub(crate) markets: Vec<Market>,
    pub(crate) sources: Sources,
    pub(crate) expiring: ExpiringOrders,
    pub(crate) contingent: Box<Contingent>,
    /// Whether something follows from what the command did.
    pub(crate) awake: bool,
    /// When something ends by itself next; `u64::MAX` is never.
    pub(crate) next_expiry: Time,
    /// How many orders were accepted.
    pub(crate) orders: u64,
    /// How many matches self-trade prevention stood between.
    pub(crate) prevented_matches: u64,
    /// How many events there were.
    pub(crate) events: u64,
    pub(crate) rules: u32,
    pub(crate) ahead: Ahead,
    pub(crate) sequence: Sequence,
    pub(crate) time: Time,
}

/// How a command ended: its outcome, what it made, and its cancel's code.
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) result: u64,
    pub(crate) cancel_code: u16,
}

impl From<Result<u64, Reject>> for Ended {
    #[inline]
    fn from(result: Result<u64, Reject>) -> Self {
        match result {
            Ok(result) => Self { outcome: Outcome::Done, result, cancel_code: NOT_ATTEMPTED },
            Err(reject) => Self { outcome: Outcome::Refused(reject), result: 0, cancel_code: NOT_ATTEMPTED },
        }
    }
}

impl<B: Books> Engine<B> {
    /// An empty exchange. `hash_seed` may be any number: it spreads a table over memory and
    /// changes nothing that can be seen.
    pub fn new(hash_seed: u64) -> Self {
        Self {
            books: B::new(hash_seed),
            ledger: Ledger::default(),
            markets: Vec::new(),
            sources: Sources::default(),
            expiring: ExpiringOrders::default(),
            contingent: Box::default(),
            awake: false,
            next_expiry: Time(u64::MAX),
            orders: 0,
            prevented_matches: 0,
            events: 0,
            rules: RULES_VERSION,
            ahead: Ahead::default(),
            sequence: Sequence(0),
            time: Time(0),
        }
    }

    /// Applies a command and writes its events. A refusal changes nothing but the source's number
    /// (and what was due to end by itself at `time`); but a cancel-replace whose new order is refused
    /// may have cancelled, as its cancel code says.
    ///
    /// # Panics
    /// When a sequence is left out or time runs backwards, and when an invariant is broken.
    #[inline]
    pub fn apply(
        &mut self,
        command: &CommandRecord<'_>,
        time: Time,
        sequence: Sequence,
        events: &mut EventBuffer,
    ) -> Outcome {
        B::apply(self, command, time, sequence, events)
    }

    /// Passes over a command that broke an invariant, as operators decided: it is refused with
    /// [`Reject::Voided`], its source's number is used, and nothing else happens, not even what was due
    /// at its time. A time before the last command's counts as that one's: it may be what was wrong.
    ///
    /// # Panics
    /// When a sequence is left out.
    pub fn void(
        &mut self,
        command: &CommandRecord<'_>,
        time: Time,
        sequence: Sequence,
        events: &mut EventBuffer,
    ) {
        self.begin(command, time.max(self.time), sequence, events);
        let ended: Ended = match self.sources.admit(command.header) {
            Admission::Fresh => {
                let ended: Ended = Err(Reject::Voided).into();
                self.sources.keep(command.header, ended.outcome, ended.cancel_code, ended.result);
                ended
            }
            Admission::Repeat(_) => Err(Reject::Voided).into(),
            Admission::Refuse(reject) => Err(reject).into(),
        };
        self.events = events.finish(ended.outcome.code(), ended.cancel_code, ended.result);
    }

    /// Applies a command of a journal again, or passes over it if it is void; a panic in it is contained.
    ///
    /// # Errors
    /// What was found, when it breaks an invariant: the engine is not to be used after that.
    pub fn apply_again(
        &mut self,
        command: &CommandRecord<'_>,
        sequence: Sequence,
        is_void: bool,
        events: &mut EventBuffer,
    ) -> Result<(), String> {
        let time = command.header.time;
        contain(|| {
            if is_void {
                self.void(command, time, sequence, events);
            } else {
                self.apply(command, time, sequence, events);
            }
        })
    }

    #[inline]
    fn begin(
        &mut self,
        command: &CommandRecord<'_>,
        time: Time,
        sequence: Sequence,
        events: &mut EventBuffer,
    ) {
        assert!(sequence == self.sequence.next(), "command {sequence} does not follow {}", self.sequence);
        assert!(time >= self.time, "time runs backwards at command {sequence}");
        self.sequence = sequence;
        self.time = time;
        events.begin(command.header, sequence, time, self.events);
    }

    #[inline]
    pub(crate) fn apply_command(
        &mut self,
        command: &CommandRecord<'_>,
        time: Time,
        sequence: Sequence,
        events: &mut EventBuffer,
    ) -> Outcome {
        self.begin(command, time, sequence, events);
        self.expire(time, events);
        let ended = match self.sources.admit(command.header) {
            Admission::Fresh => {
                let ended = self.execute(command, events);
                self.sources.keep(command.header, ended.outcome, ended.cancel_code, ended.result);
                ended
            }
            Admission::Repeat(kept) => {
                events.mark_repeat();
                let outcome = Outcome::from_code(kept.code()).expect("the code of an outcome that was kept");
                Ended { outcome, result: kept.result(), cancel_code: kept.cancel_code() }
            }
            Admission::Refuse(reject) => Err(reject).into(),
        };
        if self.awake {
            self.follow(events);
        }
        self.events = events.finish(ended.outcome.code(), ended.cancel_code, ended.result);
        ended.outcome
    }

    #[inline]
    fn execute(&mut self, command: &CommandRecord<'_>, events: &mut EventBuffer) -> Ended {
        // Orders and cancels, which are nearly all commands, are read without going through the
        // enum of all commands.
        let ended = match command.header.kind {
            CommandKind::PlaceOrder => command.place_order().map(|(order, id)| {
                if order.ids & HAS_TERMS == 0 {
                    self.place(order, id, events).into()
                } else {
                    self.place_with_terms(command, order, id, events).into()
                }
            }),
            CommandKind::CancelOrder => {
                command.cancel_order().map(|(cancel, ids)| self.cancel(cancel, &ids, events).into())
            }
            CommandKind::CancelReplace => command.cancel_replace().map(|(replace, ids, id)| {
                if replace.order.ids & HAS_TERMS == 0 {
                    self.cancel_replace(replace, &ids, id, events)
                } else {
                    self.replace_with_terms(command, (replace, ids, id), events)
                }
            }),
            _ => self.execute_other(command, events),
        };
        ended.unwrap_or_else(|_| Err(Reject::Malformed).into())
    }

    fn execute_other(
        &mut self,
        command: &CommandRecord<'_>,
        events: &mut EventBuffer,
    ) -> Result<Ended, DecodeError> {
        let result = match command.decode()? {
            Command::PlaceOrder { .. } | Command::CancelOrder { .. } | Command::CancelReplace { .. } => {
                Err(Reject::Malformed) // they were read before
            }
            Command::AmendOrder { amend, ids } => self.amend(&amend, &ids, events),
            Command::CancelAll(cancel) => self.cancel_all(&cancel, events),
            Command::Ledger(operation) => {
                let result = self.ledger.operate(&operation, self.time, events);
                self.note_expiry();
                result
            }
            Command::Batch(operations) => {
                let result = self.ledger.operate_batch(&operations, self.time, events);
                self.note_expiry();
                result
            }
            Command::Tick => Ok(0),
            Command::OpenAccount(open) => self.open_account(&open, events),
            Command::SuspendAccount(suspend) => self.suspend_account(&suspend, events),
            Command::ResumeAccount(resume) => self.resume_account(&resume, events),
            Command::SetLimits(limits) => self.set_limits(&limits, events),
            Command::CreateAsset(create) => self.create_asset(&create, events),
            Command::CreateInstrument(create) => self.create_instrument(&create.instrument, events),
            Command::ChangeInstrument(change) => self.change_instrument(&change, events),
            Command::SetFeeTier(tier) => self.set_fee_tier(&tier, events),
            Command::AssignFeeTier(assign) => self.assign_fee_tier(&assign, events),
            Command::ActivateRules(activate) => self.activate_rules(activate.version, events),
            Command::PlaceOrderList { list, client_order_id, orders } => {
                self.place_list((&list, client_order_id.as_ref(), &orders), command.header.source, events)
            }
            Command::CancelOrderList { cancel, ids } => self.cancel_list(&cancel, &ids, events),
            Command::SetCancelTimer(set) => self.set_cancel_timer(&set, events),
            Command::SetKillSwitch(set) => self.set_kill_switch(&set, events),
            Command::CloseSession(close) => Ok(self.close_session(&close, events)),
            Command::SetOrderFilters(set) => self.set_order_filters(&set, events),
            Command::SetBreaker(set) => self.set_breaker(&set, events),
            Command::DelistInstrument(delist) => self.delist(&delist, events),
            Command::ResumeSource(resume) => self.resume_source(resume.source, events),
        };
        Ok(result.into())
    }

    fn activate_rules(&mut self, version: u32, events: &mut EventBuffer) -> Result<u64, Reject> {
        if version < self.rules || version > RULES_VERSION {
            return Err(Reject::UnknownRules);
        }
        self.rules = version;
        events.push(EventKind::RulesActivated, &RulesActivated { version, reserved: 0 });
        Ok(0)
    }

    /// The version of the rules in force.
    pub fn rules(&self) -> u32 {
        self.rules
    }

    /// The last command applied.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The time of the last command applied.
    pub fn time(&self) -> Time {
        self.time
    }

    /// The books, to look at.
    pub fn books(&self) -> &B {
        &self.books
    }

    /// The ledger, to look at.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Every instrument, in the order of creation.
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// The instrument of this id.
    pub fn market(&self, instrument: InstrumentId) -> Option<&Market> {
        self.markets.get(usize::from(instrument.0).checked_sub(1)?)
    }

    /// The number that must come next from a source: a service compares its own with it.
    pub fn next_number(&self, source: protocol::SourceId) -> protocol::SourceNumber {
        let found = self.sources.iter().find(|(id, _)| *id == source);
        protocol::SourceNumber(found.map_or(1, |(_, source)| source.next))
    }
}
