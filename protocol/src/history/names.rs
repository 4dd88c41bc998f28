//! The client order ids that Rialto shows where a client gave none. Refuses to know orders.

use crate::{ClientOrderId, OrderId, OrderListId};

const PREFIX: &str = "rialto-";
const CANCEL_PREFIX: &str = "rialto-cancel-";
const LIST_PREFIX: &str = "rialto-list-";

/// The client order id an order shows: the client's own, else `rialto-<order id>`.
pub fn shown_client_order_id(order_id: OrderId, given: Option<ClientOrderId>) -> ClientOrderId {
    given.unwrap_or_else(|| made(PREFIX, order_id))
}

/// The id a cancel of `order_id` shows: the client's own, else `rialto-cancel-<order id>`.
pub fn shown_cancel_id(order_id: OrderId, given: Option<ClientOrderId>) -> ClientOrderId {
    given.unwrap_or_else(|| made(CANCEL_PREFIX, order_id))
}

/// The client order id that an order list shows: the client's own, else `rialto-list-<list id>`.
pub fn shown_list_client_order_id(list_id: OrderListId, given: Option<ClientOrderId>) -> ClientOrderId {
    given.unwrap_or_else(|| made(LIST_PREFIX, OrderId(list_id.0)))
}

/// Whether an id is one that is made for a list whose client gave none.
pub fn is_made_list_id(client_order_id: &ClientOrderId) -> bool {
    client_order_id.as_str().starts_with(LIST_PREFIX)
}

/// The order that `rialto-<order id>` names, written exactly as [`shown_client_order_id`] does.
pub fn order_named(client_order_id: &ClientOrderId) -> Option<OrderId> {
    let digits = client_order_id.as_str().strip_prefix(PREFIX)?;
    let order_id = OrderId(digits.parse().ok()?);
    (made(PREFIX, order_id) == *client_order_id).then_some(order_id)
}

fn made(prefix: &str, order_id: OrderId) -> ClientOrderId {
    // A prefix of at most 14 and 20 digits fit 36, all from the allowed characters.
    ClientOrderId::parse(&format!("{prefix}{order_id}")).expect("a made id is well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_name_their_order_and_no_other_text_does() {
        for id in [1, 42, u64::MAX] {
            let shown = shown_client_order_id(OrderId(id), None);
            assert_eq!(shown.as_str(), format!("rialto-{id}"));
            assert_eq!(order_named(&shown), Some(OrderId(id)));
            assert_eq!(shown_cancel_id(OrderId(id), None).as_str(), format!("rialto-cancel-{id}"));
        }
        let own = ClientOrderId::parse("mine").expect("an id");
        assert_eq!(shown_client_order_id(OrderId(1), Some(own)), own);
        assert_eq!(shown_cancel_id(OrderId(1), Some(own)), own);
        for text in ["rialto-", "rialto-01", "rialto-x", "rialto-99999999999999999999", "mine"] {
            assert_eq!(order_named(&ClientOrderId::parse(text).expect("an id")), None, "{text}");
        }
    }
}
