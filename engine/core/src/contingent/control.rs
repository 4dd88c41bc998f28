//! What stops an account, a session or an instrument: cancel timers, kill switches, the end of a
//! session, delisting; and the settings of filters and breakers. Refuses to know who may ask.

use crate::{Engine, books::Books};
use protocol::{
    AccountId, InstrumentId, InstrumentStatus, OrderId, Reject, SourceId, Time,
    command::{CloseSession, DelistInstrument, SetBreaker, SetCancelTimer, SetKillSwitch, SetOrderFilters},
    event::{
        BreakerSet, CancelTimerSet, EventBuffer, EventKind, InstrumentChanged, KillSwitchSet,
        OrderFiltersSet, SessionEnded,
    },
    order::CloseReason,
    terms::KillSwitch,
};

/// The longest cancel timer: a day, in nanoseconds.
const TIMEOUT_MAX: u64 = 86_400_000_000_000;

impl<B: Books> Engine<B> {
    /// Sets, renews or lifts a cancel timer.
    pub(crate) fn set_cancel_timer(
        &mut self,
        set: &SetCancelTimer,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        self.ledger.accounts.customer(set.account)?;
        if set.timeout > TIMEOUT_MAX {
            return Err(Reject::AmountOutOfRange);
        }
        let due_at =
            if set.timeout == 0 { Time::NEVER } else { Time(self.time.0.saturating_add(set.timeout)) };
        self.move_timer(set.account, due_at, events);
        Ok(0)
    }

    fn move_timer(&mut self, account: AccountId, due_at: Time, events: &mut EventBuffer) {
        if let Some(before) = self.contingent.timers.remove(&account) {
            self.contingent.timers_due.remove(&(before, account));
        }
        if due_at != Time::NEVER {
            self.contingent.timers.insert(account, due_at);
            self.contingent.timers_due.insert((due_at, account));
        }
        self.note_expiry();
        events.push(EventKind::CancelTimerSet, &CancelTimerSet { account, reserved: 0, due_at });
    }

    /// What runs out, or reopens, first and by `time`, does so; says whether there was something.
    pub(crate) fn end_timer(&mut self, time: Time, events: &mut EventBuffer) -> bool {
        let timer = self.contingent.timers_due.first().copied();
        if let Some((_, account)) = timer.filter(|(due, _)| *due <= time) {
            self.move_timer(account, Time::NEVER, events);
            self.close_all(account, InstrumentId(0), CloseReason::CancelTimer, events);
            return true;
        }
        self.reopen_due(time, events)
    }

    /// Turns a kill switch; returns how many orders it cancelled.
    pub(crate) fn set_kill_switch(
        &mut self,
        set: &SetKillSwitch,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let on = set.switch == KillSwitch::On;
        self.ledger.accounts.customer(set.account)?.killed = on;
        let event = KillSwitchSet { account: set.account, switch: set.switch, reserved: [0; 3] };
        events.push(EventKind::KillSwitchSet, &event);
        Ok(if on { self.close_all(set.account, InstrumentId(0), CloseReason::KillSwitch, events) } else { 0 })
    }

    /// A session's orders end with it; returns how many.
    pub(crate) fn close_session(&mut self, close: &CloseSession, events: &mut EventBuffer) -> u64 {
        let CloseSession { source, session, .. } = *close;
        events.push(EventKind::SessionEnded, &SessionEnded { source, reserved: 0, session });
        let mut count = 0;
        while let Some(order_id) = self.order_of_session(source, session) {
            let handle = self.books.find(order_id).expect("an order of a session is open");
            self.close_resting(handle, CloseReason::SessionClosed, None, events);
            count += 1;
        }
        count
    }

    fn order_of_session(&self, source: SourceId, session: u64) -> Option<OrderId> {
        let (first, last) = if session == 0 { (0, u64::MAX) } else { (session, session) };
        let all = (source, first, OrderId(0))..=(source, last, OrderId(u64::MAX));
        self.contingent.sessions.range(all).next().map(|(_, _, order_id)| *order_id)
    }

    /// Sets the filters of orders that are not plain; open ones stay.
    pub(crate) fn set_order_filters(
        &mut self,
        set: &SetOrderFilters,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let place = usize::from(set.instrument.0).wrapping_sub(1);
        let market = self.markets.get_mut(place).ok_or(Reject::UnknownInstrument)?;
        if !set.filters.is_valid() {
            return Err(Reject::BadDefinition);
        }
        market.order_filters = set.filters;
        market.counts_positions = set.filters.max_position.0 != 0;
        events.push(EventKind::OrderFiltersSet, &OrderFiltersSet { set: *set });
        Ok(0)
    }

    /// Sets a circuit breaker; its window begins anew.
    pub(crate) fn set_breaker(&mut self, set: &SetBreaker, events: &mut EventBuffer) -> Result<u64, Reject> {
        self.market(set.instrument).ok_or(Reject::UnknownInstrument)?;
        if !set.breaker.is_valid() {
            return Err(Reject::BadDefinition);
        }
        self.contingent.breakers.set(set.instrument, set.breaker);
        self.watch(set.instrument);
        events.push(EventKind::BreakerSet, &BreakerSet { set: *set });
        Ok(0)
    }

    /// An operator set an instrument's status: a breaker's halt no longer ends by itself, and waiting
    /// orders look at the price again.
    pub(crate) fn set_by_hand(&mut self, instrument: InstrumentId) {
        self.contingent.breakers.forget_halt(instrument);
        self.note_expiry();
        if self.contingent.watches(instrument) {
            self.wake(instrument);
        }
    }

    /// Delists an instrument: its orders leave, now and, if they are many, at the next commands.
    pub(crate) fn delist(
        &mut self,
        delist: &DelistInstrument,
        events: &mut EventBuffer,
    ) -> Result<u64, Reject> {
        let place = usize::from(delist.instrument.0).wrapping_sub(1);
        let market = self.markets.get_mut(place).ok_or(Reject::UnknownInstrument)?;
        if market.instrument.status == InstrumentStatus::Delisted {
            return Err(Reject::InstrumentDelisted);
        }
        market.instrument.status = InstrumentStatus::Delisted;
        events.push(EventKind::InstrumentChanged, &InstrumentChanged { instrument: market.instrument });
        self.contingent.breakers.forget_halt(delist.instrument);
        self.contingent.closing.insert(delist.instrument);
        self.awake = true;
        Ok(u64::from(delist.instrument.0))
    }
}
