//! Order lists: several orders that depend on each other, placed by one command. Refuses to know
//! what becomes of them.

use super::{
    HAS_FIRST_ID, HAS_SECOND_ID, HAS_TERMS, PlaceOrder,
    encoding::{mask, push_id},
};
use crate::{
    AccountId, ClientOrderId, InstrumentId, OrderListId, OrderTerms,
    record::{DecodeError, record_struct, take, take_if},
    terms::Contingency,
};
use zerocopy::IntoBytes;

record_struct! {
    /// Places an order list. Its client order id may follow, then its orders as [`ListedOrder`].
    PlaceOrderList {
        /// Whose orders.
        account: AccountId,
        /// Where.
        instrument: InstrumentId,
        /// How they depend on each other; says how many they are.
        contingency: Contingency,
        /// Whether the list's client order id follows.
        ids: u8,
    }
}

record_struct! {
    /// Cancels every order of a list. The list's client order id, then the request's own, may follow.
    CancelOrderList {
        /// Whose list.
        account: AccountId,
        /// Where.
        instrument: InstrumentId,
        /// Which client order ids follow.
        ids: u8,
        /// Zero.
        reserved: u8,
        /// Which; 0 when it is named by its client order id. With both, both must agree.
        list_id: OrderListId,
    }
}

/// One order of a list: the order, its client order id if it has one, its terms if it has some. Its
/// account and instrument are the list's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedOrder {
    /// The order.
    pub order: PlaceOrder,
    /// The client's name for it.
    pub client_order_id: Option<ClientOrderId>,
    /// What it asks beyond its fixed part.
    pub terms: Option<OrderTerms>,
}

impl ListedOrder {
    pub(super) fn take(tail: &mut &[u8], kind: u8) -> Result<Self, DecodeError> {
        let order: PlaceOrder = take(tail, kind)?;
        let client_order_id = take_if(order.ids & HAS_FIRST_ID != 0, tail, kind)?;
        let terms = take_if(order.ids & HAS_TERMS != 0, tail, kind)?;
        Ok(Self { order, client_order_id, terms })
    }

    pub(super) fn push(&self, bytes: &mut Vec<u8>) {
        let ids = mask(self.client_order_id.as_ref(), self.terms.as_ref());
        bytes.extend_from_slice(PlaceOrder { ids, ..self.order }.as_bytes());
        push_id(bytes, self.client_order_id.as_ref());
        push_terms(bytes, self.terms.as_ref());
    }
}

pub(super) fn push_terms(bytes: &mut Vec<u8>, terms: Option<&OrderTerms>) {
    if let Some(terms) = terms {
        bytes.extend_from_slice(terms.as_bytes());
    }
}

/// The orders that follow a list's fixed part: as many as its contingency says.
pub(super) fn take_orders(
    list: &PlaceOrderList,
    tail: &mut &[u8],
    kind: u8,
) -> Result<Vec<ListedOrder>, DecodeError> {
    (0..list.contingency.orders()).map(|_| ListedOrder::take(tail, kind)).collect()
}

const _: () = assert!(HAS_TERMS & (HAS_FIRST_ID | HAS_SECOND_ID) == 0, "each bit says one thing");
