//! Writing commands as records. Refuses to know who sends them; reading is the module's above.

use super::{
    AmendOrder, COMMAND_VERSION, CancelOrder, CancelOrderList, Command, CommandHeader, CommandKind,
    HAS_FIRST_ID, HAS_TERMS, ListedOrder, PlaceOrderList, content_hash, list,
};
use crate::{ClientOrderId, OrderTerms, SourceId, SourceNumber, Time};
use zerocopy::IntoBytes;

impl Command {
    /// Which kind it is.
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::PlaceOrder { .. } => CommandKind::PlaceOrder,
            Self::CancelOrder { .. } => CommandKind::CancelOrder,
            Self::CancelReplace { .. } => CommandKind::CancelReplace,
            Self::AmendOrder { .. } => CommandKind::AmendOrder,
            Self::CancelAll(_) => CommandKind::CancelAll,
            Self::Ledger(_) => CommandKind::Ledger,
            Self::Batch(_) => CommandKind::Batch,
            Self::Tick => CommandKind::Tick,
            Self::OpenAccount(_) => CommandKind::OpenAccount,
            Self::SuspendAccount(_) => CommandKind::SuspendAccount,
            Self::ResumeAccount(_) => CommandKind::ResumeAccount,
            Self::SetLimits(_) => CommandKind::SetLimits,
            Self::CreateAsset(_) => CommandKind::CreateAsset,
            Self::CreateInstrument(_) => CommandKind::CreateInstrument,
            Self::ChangeInstrument(_) => CommandKind::ChangeInstrument,
            Self::SetFeeTier(_) => CommandKind::SetFeeTier,
            Self::AssignFeeTier(_) => CommandKind::AssignFeeTier,
            Self::ActivateRules(_) => CommandKind::ActivateRules,
            Self::PlaceOrderList { .. } => CommandKind::PlaceOrderList,
            Self::CancelOrderList { .. } => CommandKind::CancelOrderList,
            Self::SetCancelTimer(_) => CommandKind::SetCancelTimer,
            Self::SetKillSwitch(_) => CommandKind::SetKillSwitch,
            Self::CloseSession(_) => CommandKind::CloseSession,
            Self::SetOrderFilters(_) => CommandKind::SetOrderFilters,
            Self::SetBreaker(_) => CommandKind::SetBreaker,
            Self::DelistInstrument(_) => CommandKind::DelistInstrument,
            Self::ResumeSource(_) => CommandKind::ResumeSource,
        }
    }

    /// Appends the record to `bytes`, its `ids` bytes set from the ids there are, its time 0.
    pub fn encode_into(&self, source: SourceId, number: SourceNumber, trace: u64, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.resize(start + size_of::<CommandHeader>(), 0);
        self.push_body(bytes);
        let body = &bytes[start + size_of::<CommandHeader>()..];
        let kind = self.kind();
        let header = CommandHeader {
            length: (bytes.len() - start) as u16, // at most COMMAND_LENGTH_MAX, which fits
            kind,
            version: COMMAND_VERSION,
            source,
            number,
            content_hash: content_hash(kind, body),
            time: Time(0),
            trace,
        };
        bytes[start..start + size_of::<CommandHeader>()].copy_from_slice(header.as_bytes());
    }

    /// The record alone.
    pub fn encode(&self, source: SourceId, number: SourceNumber, trace: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        self.encode_into(source, number, trace, &mut bytes);
        bytes
    }

    fn push_body(&self, bytes: &mut Vec<u8>) {
        let push = |bytes: &mut Vec<u8>, body: &[u8]| bytes.extend_from_slice(body);
        match self {
            Self::PlaceOrder { order, client_order_id, terms } => {
                let (order, client_order_id, terms) = (*order, *client_order_id, *terms);
                ListedOrder { order, client_order_id, terms }.push(bytes);
            }
            Self::CancelOrder { cancel, ids } => {
                push(bytes, CancelOrder { ids: ids.mask(), ..*cancel }.as_bytes());
                ids.push(bytes);
            }
            Self::CancelReplace { replace, ids, client_order_id, terms } => {
                let mut replace = *replace;
                replace.cancel.ids = ids.mask();
                replace.order.ids = mask(client_order_id.as_ref(), terms.as_ref());
                push(bytes, replace.as_bytes());
                ids.push(bytes);
                push_id(bytes, client_order_id.as_ref());
                list::push_terms(bytes, terms.as_ref());
            }
            Self::AmendOrder { amend, ids } => {
                push(bytes, AmendOrder { ids: ids.mask(), ..*amend }.as_bytes());
                ids.push(bytes);
            }
            Self::CancelAll(body) => push(bytes, body.as_bytes()),
            Self::Ledger(body) => push(bytes, body.as_bytes()),
            Self::Batch(operations) => {
                push(bytes, &(operations.len() as u64).to_le_bytes());
                push(bytes, operations.as_slice().as_bytes());
            }
            Self::Tick => {}
            Self::OpenAccount(body) => push(bytes, body.as_bytes()),
            Self::SuspendAccount(body) => push(bytes, body.as_bytes()),
            Self::ResumeAccount(body) => push(bytes, body.as_bytes()),
            Self::SetLimits(body) => push(bytes, body.as_bytes()),
            Self::CreateAsset(body) => push(bytes, body.as_bytes()),
            Self::CreateInstrument(body) => push(bytes, body.as_bytes()),
            Self::ChangeInstrument(body) => push(bytes, body.as_bytes()),
            Self::SetFeeTier(body) => push(bytes, body.as_bytes()),
            Self::AssignFeeTier(body) => push(bytes, body.as_bytes()),
            Self::ActivateRules(body) => push(bytes, body.as_bytes()),
            Self::PlaceOrderList { list, client_order_id, orders } => {
                assert_eq!(orders.len(), list.contingency.orders(), "a list has the orders it says");
                let ids = mask(client_order_id.as_ref(), None);
                push(bytes, PlaceOrderList { ids, ..*list }.as_bytes());
                push_id(bytes, client_order_id.as_ref());
                for order in orders {
                    order.push(bytes);
                }
            }
            Self::CancelOrderList { cancel, ids } => {
                push(bytes, CancelOrderList { ids: ids.mask(), ..*cancel }.as_bytes());
                ids.push(bytes);
            }
            Self::SetCancelTimer(body) => push(bytes, body.as_bytes()),
            Self::SetKillSwitch(body) => push(bytes, body.as_bytes()),
            Self::CloseSession(body) => push(bytes, body.as_bytes()),
            Self::SetOrderFilters(body) => push(bytes, body.as_bytes()),
            Self::SetBreaker(body) => push(bytes, body.as_bytes()),
            Self::DelistInstrument(body) => push(bytes, body.as_bytes()),
            Self::ResumeSource(body) => push(bytes, body.as_bytes()),
        }
    }
}

pub(super) fn mask(id: Option<&ClientOrderId>, terms: Option<&OrderTerms>) -> u8 {
    (if id.is_some() { HAS_FIRST_ID } else { 0 }) | (if terms.is_some() { HAS_TERMS } else { 0 })
}

pub(super) fn push_id(bytes: &mut Vec<u8>, id: Option<&ClientOrderId>) {
    if let Some(id) = id {
        bytes.extend_from_slice(id.as_bytes());
    }
}
