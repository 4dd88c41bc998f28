//! Events: everything that happened, in order, and their binary form.
//!
//! The core answers each command with one or more chunks: a [`ChunkHeader`], then event records
//! (an [`EventHeader`] and a body of fixed layout each). The last chunk of a command says how it
//! ended. Every view, database row and stream is made from these and can be thrown away. Refuses
//! to know who reads them.

mod body;
mod buffer;
mod contingent;

pub use body::{
    AccountOpened, AccountResumed, AccountSuspended, AssetCreated, FeeTierAssigned, FeeTierSet, HoldCaptured,
    HoldExtended, HoldOpened, HoldReleased, InstrumentChanged, InstrumentCreated, LimitsSet, OrderAccepted,
    OrderAmended, OrderClosed, OrderRested, RulesActivated, SourceResumed, Trade, TradePrevented,
    Transferred,
};
pub use buffer::{EventBuffer, HandOff};
pub use contingent::{
    AuctionHeld, AuctionTrade, BreakerSet, CancelTimerSet, InstrumentHalted, KillSwitchSet, ListHoldChanged,
    OrderActivated, OrderFiltersSet, OrderListChanged, OrderTriggered, ReserveChanged, SessionEnded,
};

use crate::{
    ClientOrderId, Sequence, SourceId, SourceNumber, Time,
    command::{CommandKind, HAS_FIRST_ID, HAS_SECOND_ID, HAS_TERMS},
    record::{DecodeError, record_struct, take, take_if},
    reject::Outcome,
    terms::AcceptedTerms,
};
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// The version of the chunks this build writes.
pub const EVENT_VERSION: u8 = 1;
/// In [`ChunkHeader::cancel_code`]: the command had no cancel, or did not come to it.
pub const NOT_ATTEMPTED: u16 = u16::MAX;

record_struct! {
    /// What stands before a chunk of events: 72 bytes.
    ChunkHeader {
        /// Length of the chunk in bytes, this header included; a multiple of 8.
        length: u32,
        /// Which chunk of its command, from 0.
        chunk: u16,
        /// 1 in the last chunk of a command.
        last: u8,
        /// [`EVENT_VERSION`].
        version: u8,
        /// The command's sequence.
        sequence: Sequence,
        /// The command's time.
        time: Time,
        /// Who sent the command.
        source: SourceId,
        /// How the command ended: 0 or a reject's code; said in the last chunk.
        code: u16,
        /// How the cancel of a cancel-replace ended; said in the last chunk.
        cancel_code: u16,
        /// The sender's number.
        number: SourceNumber,
        /// What the command made: an order, account, asset, instrument or hold id; 0 if nothing.
        result: u64,
        /// The engine's count of events before this chunk's first. With an event's place in the
        /// chunk it makes execution ids.
        first_event: u64,
        /// The command's trace.
        trace: u64,
        /// What the command was.
        kind: CommandKind,
        /// 1 when the command was a repeat: nothing was done again.
        repeat: u8,
        /// Zero.
        reserved: [u8; 6],
    }
}

impl ChunkHeader {
    /// How the command ended; only the last chunk knows.
    pub fn outcome(&self) -> Option<Outcome> {
        if self.last == 1 { Outcome::from_code(self.code) } else { None }
    }
}

record_struct! {
    /// What stands before an event's body: 8 bytes.
    EventHeader {
        /// Length of the record in bytes, this header included; a multiple of 8.
        length: u16,
        /// Which body follows.
        kind: EventKind,
        /// Which client order ids follow the body.
        ids: u8,
        /// Zero.
        reserved: u32,
    }
}

/// Which event a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is documented at its body")]
pub enum EventKind {
    OrderAccepted = 1,
    OrderRested = 2,
    Trade = 3,
    OrderClosed = 4,
    OrderAmended = 5,
    TradePrevented = 6,
    Transferred = 7,
    HoldOpened = 8,
    HoldCaptured = 9,
    HoldReleased = 10,
    HoldExtended = 11,
    AccountOpened = 12,
    AccountSuspended = 13,
    AccountResumed = 14,
    LimitsSet = 15,
    AssetCreated = 16,
    InstrumentCreated = 17,
    InstrumentChanged = 18,
    FeeTierSet = 19,
    FeeTierAssigned = 20,
    RulesActivated = 21,
    OrderTriggered = 22,
    OrderActivated = 23,
    ReserveChanged = 24,
    OrderListChanged = 25,
    ListHoldChanged = 26,
    AuctionHeld = 27,
    AuctionTrade = 28,
    InstrumentHalted = 29,
    KillSwitchSet = 30,
    CancelTimerSet = 31,
    SessionEnded = 32,
    OrderFiltersSet = 33,
    BreakerSet = 34,
    SourceResumed = 40,
}

/// An event with its values, owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is documented at its body")]
pub enum Event {
    /// With its name, and what it asks beyond its fixed part if it is not plain.
    OrderAccepted(OrderAccepted, Option<ClientOrderId>, Option<AcceptedTerms>),
    OrderRested(OrderRested),
    Trade(Trade),
    /// With the name the client gave its cancel.
    OrderClosed(OrderClosed, Option<ClientOrderId>),
    /// With the order's new name.
    OrderAmended(OrderAmended, Option<ClientOrderId>),
    TradePrevented(TradePrevented),
    Transferred(Transferred),
    HoldOpened(HoldOpened),
    HoldCaptured(HoldCaptured),
    HoldReleased(HoldReleased),
    HoldExtended(HoldExtended),
    AccountOpened(AccountOpened),
    AccountSuspended(AccountSuspended),
    AccountResumed(AccountResumed),
    LimitsSet(LimitsSet),
    AssetCreated(AssetCreated),
    InstrumentCreated(InstrumentCreated),
    InstrumentChanged(InstrumentChanged),
    FeeTierSet(FeeTierSet),
    FeeTierAssigned(FeeTierAssigned),
    RulesActivated(RulesActivated),
    OrderTriggered(OrderTriggered),
    OrderActivated(OrderActivated),
    ReserveChanged(ReserveChanged),
    /// With the list's name.
    OrderListChanged(OrderListChanged, Option<ClientOrderId>),
    ListHoldChanged(ListHoldChanged),
    AuctionHeld(AuctionHeld),
    AuctionTrade(AuctionTrade),
    InstrumentHalted(InstrumentHalted),
    KillSwitchSet(KillSwitchSet),
    CancelTimerSet(CancelTimerSet),
    SessionEnded(SessionEnded),
    OrderFiltersSet(OrderFiltersSet),
    BreakerSet(BreakerSet),
    SourceResumed(SourceResumed),
}

impl Event {
    /// Reads the event at the front of `bytes` and moves past it.
    pub fn take(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        let whole = *bytes;
        let mut tail = whole;
        let header: EventHeader = take(&mut tail, whole.get(2).copied().unwrap_or(0))?;
        let length = usize::from(header.length);
        if length < size_of::<EventHeader>() || !length.is_multiple_of(8) {
            return Err(DecodeError::BadLength(length));
        }
        let mut tail = whole
            .get(size_of::<EventHeader>()..length)
            .ok_or(DecodeError::Truncated { have: whole.len(), need: length })?;
        *bytes = &whole[length..];
        let kind = header.kind as u8;
        let body = &mut tail;
        Ok(match header.kind {
            EventKind::OrderAccepted => {
                let accepted = take(body, kind)?;
                let name = take_if(header.ids & HAS_FIRST_ID != 0, body, kind)?;
                Self::OrderAccepted(accepted, name, take_if(header.ids & HAS_TERMS != 0, body, kind)?)
            }
            EventKind::OrderRested => Self::OrderRested(take(body, kind)?),
            EventKind::Trade => Self::Trade(take(body, kind)?),
            EventKind::OrderClosed => {
                let closed = take(body, kind)?;
                Self::OrderClosed(closed, take_if(header.ids & HAS_SECOND_ID != 0, body, kind)?)
            }
            EventKind::OrderAmended => {
                let amended = take(body, kind)?;
                Self::OrderAmended(amended, take_if(header.ids & HAS_SECOND_ID != 0, body, kind)?)
            }
            EventKind::TradePrevented => Self::TradePrevented(take(body, kind)?),
            EventKind::Transferred => Self::Transferred(take(body, kind)?),
            EventKind::HoldOpened => Self::HoldOpened(take(body, kind)?),
            EventKind::HoldCaptured => Self::HoldCaptured(take(body, kind)?),
            EventKind::HoldReleased => Self::HoldReleased(take(body, kind)?),
            EventKind::HoldExtended => Self::HoldExtended(take(body, kind)?),
            EventKind::AccountOpened => Self::AccountOpened(take(body, kind)?),
            EventKind::AccountSuspended => Self::AccountSuspended(take(body, kind)?),
            EventKind::AccountResumed => Self::AccountResumed(take(body, kind)?),
            EventKind::LimitsSet => Self::LimitsSet(take(body, kind)?),
            EventKind::AssetCreated => Self::AssetCreated(take(body, kind)?),
            EventKind::InstrumentCreated => Self::InstrumentCreated(take(body, kind)?),
            EventKind::InstrumentChanged => Self::InstrumentChanged(take(body, kind)?),
            EventKind::FeeTierSet => Self::FeeTierSet(take(body, kind)?),
            EventKind::FeeTierAssigned => Self::FeeTierAssigned(take(body, kind)?),
            EventKind::RulesActivated => Self::RulesActivated(take(body, kind)?),
            EventKind::OrderTriggered => Self::OrderTriggered(take(body, kind)?),
            EventKind::OrderActivated => Self::OrderActivated(take(body, kind)?),
            EventKind::ReserveChanged => Self::ReserveChanged(take(body, kind)?),
            EventKind::OrderListChanged => {
                let changed = take(body, kind)?;
                Self::OrderListChanged(changed, take_if(header.ids & HAS_FIRST_ID != 0, body, kind)?)
            }
            EventKind::ListHoldChanged => Self::ListHoldChanged(take(body, kind)?),
            EventKind::AuctionHeld => Self::AuctionHeld(take(body, kind)?),
            EventKind::AuctionTrade => Self::AuctionTrade(take(body, kind)?),
            EventKind::InstrumentHalted => Self::InstrumentHalted(take(body, kind)?),
            EventKind::KillSwitchSet => Self::KillSwitchSet(take(body, kind)?),
            EventKind::CancelTimerSet => Self::CancelTimerSet(take(body, kind)?),
            EventKind::SessionEnded => Self::SessionEnded(take(body, kind)?),
            EventKind::OrderFiltersSet => Self::OrderFiltersSet(take(body, kind)?),
            EventKind::BreakerSet => Self::BreakerSet(take(body, kind)?),
            EventKind::SourceResumed => Self::SourceResumed(take(body, kind)?),
        })
    }
}

/// A chunk's bytes with its header read.
#[derive(Clone, Copy, Debug)]
pub struct EventChunk<'a> {
    /// Its header.
    pub header: ChunkHeader,
    events: &'a [u8],
}

impl<'a> EventChunk<'a> {
    /// Reads the chunk at the front of `bytes` and moves past it.
    pub fn take(bytes: &mut &'a [u8]) -> Result<Self, DecodeError> {
        let whole = *bytes;
        let mut rest = whole;
        let header: ChunkHeader = take(&mut rest, 0)?;
        if header.version != EVENT_VERSION {
            return Err(DecodeError::UnknownVersion(header.version));
        }
        let length = header.length as usize;
        if length < size_of::<ChunkHeader>() || !length.is_multiple_of(8) {
            return Err(DecodeError::BadLength(length));
        }
        let events = whole
            .get(size_of::<ChunkHeader>()..length)
            .ok_or(DecodeError::Truncated { have: whole.len(), need: length })?;
        *bytes = &whole[length..];
        Ok(Self { header, events })
    }

    /// The chunks of the commands up to `last`, of chunks in the order of their commands. Reads no more of
    /// them than the first that comes after.
    pub fn up_to(bytes: &'a [u8], last: Sequence) -> Result<&'a [u8], DecodeError> {
        let mut rest = bytes;
        loop {
            let before = rest;
            if before.is_empty() || Self::take(&mut rest)?.header.sequence > last {
                return Ok(&bytes[..bytes.len() - before.len()]);
            }
        }
    }

    /// The chunks in `bytes`, one after the other.
    pub fn all(mut bytes: &'a [u8]) -> impl Iterator<Item = Result<Self, DecodeError>> {
        std::iter::from_fn(move || {
            if bytes.is_empty() {
                return None;
            }
            let chunk = Self::take(&mut bytes);
            if chunk.is_err() {
                bytes = &[];
            }
            Some(chunk)
        })
    }

    /// The chunk's events.
    pub fn events(&self) -> impl Iterator<Item = Result<Event, DecodeError>> + use<'a> {
        let mut bytes = self.events;
        std::iter::from_fn(move || {
            if bytes.is_empty() {
                return None;
            }
            let event = Event::take(&mut bytes);
            if event.is_err() {
                bytes = &[];
            }
            Some(event)
        })
    }
}
