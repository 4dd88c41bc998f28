//! Commands: everything that may change the exchange's state, and their binary form.
//!
//! A record is a [`CommandHeader`], a body of fixed layout, and the client order ids that the body
//! says follow it. The same bytes go through the ring, into the journal and to the core; nothing
//! is translated on the way. Refuses to know what a command does: that is the core's.

mod body;
mod control;
mod encoding;
mod ledger;
mod list;
pub mod sample;

pub use body::{
    ActivateRules, AmendOrder, AssignFeeTier, CancelAll, CancelOrder, CancelReplace, ChangeInstrument,
    CreateAsset, CreateInstrument, OpenAccount, PlaceOrder, QuantityKind, ResumeAccount, ResumeSource,
    SetFeeTier, SetLimits, SuspendAccount, change,
};
pub use control::{
    CloseSession, DelistInstrument, SetBreaker, SetCancelTimer, SetKillSwitch, SetOrderFilters,
};
pub use ledger::{LedgerOperation, LedgerOperationKind};
pub use list::{CancelOrderList, ListedOrder, PlaceOrderList};

use crate::{
    ClientOrderId, OrderTerms, SourceId, SourceNumber, Time,
    record::{DecodeError, record_struct, take, take_if, view, view_if},
};
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// The version of the records this build writes.
pub const COMMAND_VERSION: u8 = 1;
/// The most operations in a batch.
pub const BATCH_OPERATIONS_MAX: usize = 64;
/// The longest record, in bytes.
pub const COMMAND_LENGTH_MAX: usize =
    size_of::<CommandHeader>() + 8 + BATCH_OPERATIONS_MAX * size_of::<LedgerOperation>();

/// Which command a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is documented at its body")]
pub enum CommandKind {
    PlaceOrder = 1,
    CancelOrder = 2,
    CancelReplace = 3,
    AmendOrder = 4,
    CancelAll = 5,
    Ledger = 6,
    Batch = 7,
    Tick = 8,
    OpenAccount = 9,
    SuspendAccount = 10,
    ResumeAccount = 11,
    SetLimits = 12,
    CreateAsset = 13,
    CreateInstrument = 14,
    ChangeInstrument = 15,
    SetFeeTier = 16,
    AssignFeeTier = 17,
    ActivateRules = 18,
    PlaceOrderList = 19,
    CancelOrderList = 20,
    SetCancelTimer = 21,
    SetKillSwitch = 22,
    CloseSession = 23,
    SetOrderFilters = 24,
    SetBreaker = 25,
    DelistInstrument = 26,
    ResumeSource = 40,
}

record_struct! {
    /// What stands before every command's body: 40 bytes.
    CommandHeader {
        /// Length of the whole record in bytes, a multiple of 8.
        length: u16,
        /// Which body follows.
        kind: CommandKind,
        /// [`COMMAND_VERSION`].
        version: u8,
        /// Who sends it.
        source: SourceId,
        /// The sender's own dense number.
        number: SourceNumber,
        /// [`content_hash`] of what follows the header: tells a repeat from another command.
        content_hash: u64,
        /// When the sequencer took it; 0 until then.
        time: Time,
        /// Follows a request from the client to the last consumer; 0 when there is none.
        trace: u64,
    }
}

/// Where [`CommandHeader::time`] stands in a record, for the sequencer to stamp.
pub const TIME_OFFSET: usize = std::mem::offset_of!(CommandHeader, time);

/// The hash of a command's content.
pub fn content_hash(kind: CommandKind, body: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(body, u64::from(kind as u8))
}

/// A command with its values, owned: what services build, and what tools read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is documented at its body")]
pub enum Command {
    PlaceOrder {
        order: PlaceOrder,
        client_order_id: Option<ClientOrderId>,
        /// `None` for a plain order.
        terms: Option<OrderTerms>,
    },
    CancelOrder {
        cancel: CancelOrder,
        ids: CancelIds,
    },
    CancelReplace {
        replace: CancelReplace,
        ids: CancelIds,
        client_order_id: Option<ClientOrderId>,
        /// Of the new order; `None` for a plain one.
        terms: Option<OrderTerms>,
    },
    AmendOrder {
        amend: AmendOrder,
        ids: CancelIds,
    },
    CancelAll(CancelAll),
    Ledger(LedgerOperation),
    /// All of the operations or none.
    Batch(Vec<LedgerOperation>),
    /// Nothing but the passing of time: what is due expires, as it does at every command.
    Tick,
    OpenAccount(OpenAccount),
    SuspendAccount(SuspendAccount),
    ResumeAccount(ResumeAccount),
    SetLimits(SetLimits),
    CreateAsset(CreateAsset),
    CreateInstrument(CreateInstrument),
    ChangeInstrument(ChangeInstrument),
    SetFeeTier(SetFeeTier),
    AssignFeeTier(AssignFeeTier),
    ActivateRules(ActivateRules),
    PlaceOrderList {
        list: PlaceOrderList,
        /// The client's name for the list.
        client_order_id: Option<ClientOrderId>,
        /// As many as the list's contingency says.
        orders: Vec<ListedOrder>,
    },
    CancelOrderList {
        cancel: CancelOrderList,
        ids: CancelIds,
    },
    SetCancelTimer(SetCancelTimer),
    SetKillSwitch(SetKillSwitch),
    CloseSession(CloseSession),
    SetOrderFilters(SetOrderFilters),
    SetBreaker(SetBreaker),
    DelistInstrument(DelistInstrument),
    ResumeSource(ResumeSource),
}

/// The client order ids of a cancel or an amend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CancelIds {
    /// The order's own, when the client names it so.
    pub original: Option<ClientOrderId>,
    /// The client's name for this request (an amend gives it to the order).
    pub request: Option<ClientOrderId>,
}

/// In a body's `ids`: the first client order id follows.
pub const HAS_FIRST_ID: u8 = 1;
/// In a body's `ids`: the second client order id follows.
pub const HAS_SECOND_ID: u8 = 2;
/// In a body's `ids`: an [`OrderTerms`] follows, or in an event an [`crate::terms::AcceptedTerms`].
pub const HAS_TERMS: u8 = 4;

impl CancelIds {
    /// The `ids` byte that says which follow.
    pub const fn mask(&self) -> u8 {
        (if self.original.is_some() { HAS_FIRST_ID } else { 0 })
            | (if self.request.is_some() { HAS_SECOND_ID } else { 0 })
    }

    /// Reads the ids that `mask` says follow.
    #[inline]
    pub(crate) fn take(mask: u8, tail: &mut &[u8], kind: u8) -> Result<Self, DecodeError> {
        let original = take_if(mask & HAS_FIRST_ID != 0, tail, kind)?;
        let request = take_if(mask & HAS_SECOND_ID != 0, tail, kind)?;
        Ok(Self { original, request })
    }

    fn push(&self, bytes: &mut Vec<u8>) {
        for id in [&self.original, &self.request].into_iter().flatten() {
            bytes.extend_from_slice(id.as_bytes());
        }
    }
}

/// A command's bytes with its header read: what the core applies.
#[derive(Clone, Copy, Debug)]
pub struct CommandRecord<'a> {
    /// Its header.
    pub header: &'a CommandHeader,
    body: &'a [u8],
}

impl<'a> CommandRecord<'a> {
    /// Reads the record at the front of `bytes`, which begin at a multiple of 8.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = bytes;
        let header: &CommandHeader = view(&mut rest, bytes.get(2).copied().unwrap_or(0))?;
        let length = usize::from(header.length);
        if length < size_of::<CommandHeader>() || !length.is_multiple_of(8) || length > COMMAND_LENGTH_MAX {
            return Err(DecodeError::BadLength(length));
        }
        if header.version != COMMAND_VERSION {
            return Err(DecodeError::UnknownVersion(header.version));
        }
        let body = bytes
            .get(size_of::<CommandHeader>()..length)
            .ok_or(DecodeError::Truncated { have: bytes.len(), need: length })?;
        Ok(Self { header, body })
    }

    /// Whether the body is the one that the header's content hash was made of.
    pub fn is_intact(&self) -> bool {
        content_hash(self.header.kind, self.body) == self.header.content_hash
    }

    /// The records of a batch, one after the other.
    pub fn all(mut bytes: &'a [u8]) -> impl Iterator<Item = Result<Self, DecodeError>> {
        std::iter::from_fn(move || {
            if bytes.is_empty() {
                return None;
            }
            let record = Self::parse(bytes);
            bytes = record.as_ref().map_or(&[][..], |record| &bytes[usize::from(record.header.length)..]);
            Some(record)
        })
    }

    /// The body of a PlaceOrder record; its terms, if [`HAS_TERMS`] says that some follow, are read
    /// by [`CommandRecord::terms`].
    #[inline]
    pub fn place_order(&self) -> Result<(&'a PlaceOrder, Option<&'a ClientOrderId>), DecodeError> {
        let kind = self.header.kind as u8;
        let mut tail = self.body;
        let order: &PlaceOrder = view(&mut tail, kind)?;
        let id = view_if(order.ids & HAS_FIRST_ID != 0, &mut tail, kind)?;
        Ok((order, id))
    }

    /// What the order of a PlaceOrder or CancelReplace record asks beyond its fixed part.
    #[cold]
    pub fn terms(&self) -> Result<Option<OrderTerms>, DecodeError> {
        let kind = self.header.kind as u8;
        let mut tail = self.body;
        let order: PlaceOrder = if self.header.kind == CommandKind::CancelReplace {
            let replace: CancelReplace = take(&mut tail, kind)?;
            CancelIds::take(replace.cancel.ids, &mut tail, kind)?;
            replace.order
        } else {
            take(&mut tail, kind)?
        };
        take_if::<ClientOrderId>(order.ids & HAS_FIRST_ID != 0, &mut tail, kind)?;
        take_if(order.ids & HAS_TERMS != 0, &mut tail, kind)
    }

    /// The body of a CancelOrder record.
    #[inline]
    pub fn cancel_order(&self) -> Result<(&'a CancelOrder, CancelIds), DecodeError> {
        let kind = self.header.kind as u8;
        let mut tail = self.body;
        let cancel: &CancelOrder = view(&mut tail, kind)?;
        let ids = CancelIds::take(cancel.ids, &mut tail, kind)?;
        Ok((cancel, ids))
    }

    /// The body of a CancelReplace record.
    #[inline]
    pub fn cancel_replace(
        &self,
    ) -> Result<(&'a CancelReplace, CancelIds, Option<&'a ClientOrderId>), DecodeError> {
        let kind = self.header.kind as u8;
        let mut tail = self.body;
        let replace: &CancelReplace = view(&mut tail, kind)?;
        let ids = CancelIds::take(replace.cancel.ids, &mut tail, kind)?;
        let client_order_id = view_if(replace.order.ids & HAS_FIRST_ID != 0, &mut tail, kind)?;
        Ok((replace, ids, client_order_id))
    }

    /// The command, whatever it is, with its values.
    pub fn decode(&self) -> Result<Command, DecodeError> {
        let kind = self.header.kind as u8;
        let mut tail = self.body;
        Ok(match self.header.kind {
            CommandKind::PlaceOrder => {
                let (order, client_order_id) = self.place_order()?;
                Command::PlaceOrder {
                    order: *order,
                    client_order_id: client_order_id.copied(),
                    terms: self.terms()?,
                }
            }
            CommandKind::CancelOrder => {
                let (cancel, ids) = self.cancel_order()?;
                Command::CancelOrder { cancel: *cancel, ids }
            }
            CommandKind::CancelReplace => {
                let (replace, ids, client_order_id) = self.cancel_replace()?;
                Command::CancelReplace {
                    replace: *replace,
                    ids,
                    client_order_id: client_order_id.copied(),
                    terms: self.terms()?,
                }
            }
            CommandKind::AmendOrder => {
                let amend: AmendOrder = take(&mut tail, kind)?;
                Command::AmendOrder { amend, ids: CancelIds::take(amend.ids, &mut tail, kind)? }
            }
            CommandKind::CancelAll => Command::CancelAll(take(&mut tail, kind)?),
            CommandKind::Ledger => Command::Ledger(take(&mut tail, kind)?),
            CommandKind::Batch => {
                let count: u64 = take(&mut tail, kind)?;
                if count > BATCH_OPERATIONS_MAX as u64 {
                    return Err(DecodeError::BadField(kind));
                }
                Command::Batch((0..count).map(|_| take(&mut tail, kind)).collect::<Result<_, _>>()?)
            }
            CommandKind::Tick => Command::Tick,
            CommandKind::OpenAccount => Command::OpenAccount(take(&mut tail, kind)?),
            CommandKind::SuspendAccount => Command::SuspendAccount(take(&mut tail, kind)?),
            CommandKind::ResumeAccount => Command::ResumeAccount(take(&mut tail, kind)?),
            CommandKind::SetLimits => Command::SetLimits(take(&mut tail, kind)?),
            CommandKind::CreateAsset => Command::CreateAsset(take(&mut tail, kind)?),
            CommandKind::CreateInstrument => Command::CreateInstrument(take(&mut tail, kind)?),
            CommandKind::ChangeInstrument => Command::ChangeInstrument(take(&mut tail, kind)?),
            CommandKind::SetFeeTier => Command::SetFeeTier(take(&mut tail, kind)?),
            CommandKind::AssignFeeTier => Command::AssignFeeTier(take(&mut tail, kind)?),
            CommandKind::ActivateRules => Command::ActivateRules(take(&mut tail, kind)?),
            CommandKind::PlaceOrderList => {
                let list: PlaceOrderList = take(&mut tail, kind)?;
                let client_order_id = take_if(list.ids & HAS_FIRST_ID != 0, &mut tail, kind)?;
                let orders = list::take_orders(&list, &mut tail, kind)?;
                Command::PlaceOrderList { list, client_order_id, orders }
            }
            CommandKind::CancelOrderList => {
                let cancel: CancelOrderList = take(&mut tail, kind)?;
                Command::CancelOrderList { cancel, ids: CancelIds::take(cancel.ids, &mut tail, kind)? }
            }
            CommandKind::SetCancelTimer => Command::SetCancelTimer(take(&mut tail, kind)?),
            CommandKind::SetKillSwitch => Command::SetKillSwitch(take(&mut tail, kind)?),
            CommandKind::CloseSession => Command::CloseSession(take(&mut tail, kind)?),
            CommandKind::SetOrderFilters => Command::SetOrderFilters(take(&mut tail, kind)?),
            CommandKind::SetBreaker => Command::SetBreaker(take(&mut tail, kind)?),
            CommandKind::DelistInstrument => Command::DelistInstrument(take(&mut tail, kind)?),
            CommandKind::ResumeSource => Command::ResumeSource(take(&mut tail, kind)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_returns_from_its_bytes() {
        for command in sample::every_command() {
            let bytes = command.encode(SourceId(7), SourceNumber(9), 11);
            let record = CommandRecord::parse(&bytes).expect("a record");
            assert_eq!(usize::from(record.header.length), bytes.len());
            assert_eq!((record.header.source, record.header.number), (SourceId(7), SourceNumber(9)));
            assert_eq!(record.decode().expect("a command"), command, "{command:?}");
            assert!(record.is_intact());
            assert!(bytes.len() <= COMMAND_LENGTH_MAX && bytes.len().is_multiple_of(8));
        }
    }

    #[test]
    fn a_record_cut_anywhere_is_an_error_and_no_panic() {
        for command in sample::every_command() {
            let bytes = command.encode(SourceId(1), SourceNumber(1), 0);
            for cut in 0..bytes.len() {
                assert!(CommandRecord::parse(&bytes[..cut]).is_err(), "{command:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_body_with_a_flipped_bit_is_not_intact() {
        for command in sample::every_command() {
            let bytes = command.encode(SourceId(1), SourceNumber(1), 0);
            for bit in size_of::<CommandHeader>() * 8..bytes.len() * 8 {
                let mut spoilt = bytes.clone();
                spoilt[bit / 8] ^= 1 << (bit % 8);
                assert!(
                    !CommandRecord::parse(&spoilt).expect("the header is whole").is_intact(),
                    "bit {bit}"
                );
            }
        }
    }

    #[test]
    fn any_byte_may_be_wrong_without_a_panic() {
        for command in sample::every_command() {
            let bytes = command.encode(SourceId(1), SourceNumber(1), 0);
            for index in 0..bytes.len() {
                for value in [0, 1, 0x7f, 0xff] {
                    let mut spoilt = bytes.clone();
                    spoilt[index] = value;
                    if let Ok(record) = CommandRecord::parse(&spoilt) {
                        let _ = record.decode();
                    }
                }
            }
        }
    }
}
