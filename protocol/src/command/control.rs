//! Commands that stop or bound trading: timers, kill switches, sessions, breakers, delisting.
//! Refuses to know what they do.

use crate::{
    AccountId, InstrumentId, SourceId,
    record::record_struct,
    terms::{Breaker, KillSwitch, OrderFilters},
};

record_struct! {
    /// Sets, renews or lifts an account's cancel timer (a dead man's switch): if it is not renewed
    /// in time, every open order of the account is cancelled.
    SetCancelTimer {
        /// Whose.
        account: AccountId,
        /// Zero.
        reserved: u32,
        /// From this command's time on, in nanoseconds, at most a day; 0 lifts it.
        timeout: u64,
    }
}

record_struct! {
    /// Turns an account's kill switch: on, every open order is cancelled and none is taken. Money
    /// may still move, unlike in a suspended account.
    SetKillSwitch {
        /// Whose.
        account: AccountId,
        /// On or off.
        switch: KillSwitch,
        /// Zero.
        reserved: [u8; 3],
    }
}

record_struct! {
    /// A session ended: the open orders that were placed to end with it are cancelled.
    CloseSession {
        /// Whose gateway it was; orders carry the source they came from.
        source: SourceId,
        /// Zero.
        reserved: u32,
        /// Which, in that gateway's count; 0 is all of them, as when the gateway itself ended.
        session: u64,
    }
}

record_struct! {
    /// Sets the filters of orders that are not plain.
    SetOrderFilters {
        /// Where.
        instrument: InstrumentId,
        /// Zero.
        reserved: [u8; 6],
        /// What they are from now on; open orders stay.
        filters: OrderFilters,
    }
}

record_struct! {
    /// Sets an instrument's circuit breaker.
    SetBreaker {
        /// Where.
        instrument: InstrumentId,
        /// Zero.
        reserved: [u8; 6],
        /// What it is from now on; [`Breaker::OFF`] takes it away.
        breaker: Breaker,
    }
}

record_struct! {
    /// Delists an instrument: no order is taken any more, and those that are open are cancelled, by
    /// this command and, if they are many, those after it.
    DelistInstrument {
        /// Which.
        instrument: InstrumentId,
        /// Zero.
        reserved: [u8; 6],
    }
}
