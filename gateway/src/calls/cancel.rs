//! Cancelling one order, or all of an instrument (dialect §5.3, 5.4). Refuses to decide what may be
//! cancelled: that is the core's.

use super::{
    Json, Reply, Request, lists,
    order_json::{Cancelled, cancelled},
};
use crate::{
    dialect::{DialectError, Purpose, cancel_restriction_from, refusal},
    views::{Listing, Order, order_named, shown_cancel_id},
};
use protocol::{
    AccountId, ClientOrderId, OrderId,
    command::{CancelAll, CancelIds, CancelOrder, Command},
    event::{Event, OrderClosed},
    order::CloseReason,
    reject::Outcome,
};
use services::Answer;

/// The names of the parameters that say which order, by the call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// The order's id.
    pub(super) order_id: &'static str,
    /// The order's own name.
    pub(super) original: &'static str,
    /// The request's name.
    pub(super) request: &'static str,
}

/// Those of a cancel and of an amend.
pub(super) const CANCEL: Names =
    Names { order_id: "orderId", original: "origClientOrderId", request: "newClientOrderId" };

/// Which order a client means.
pub(super) fn target(request: &Request<'_>, names: Names) -> Result<(OrderId, CancelIds), DialectError> {
    let order_id = request.parameters.integer(names.order_id)?;
    let original = request.parameters.client_order_id(names.original)?;
    let request_id = request.parameters.client_order_id(names.request)?;
    let order_id = match (order_id, &original) {
        (None, None) => return Err(DialectError::either(names.original, names.order_id)),
        (Some(id), _) => Some(OrderId(id)),
        (None, Some(_)) => None,
    };
    // The engine does not know the names that we show for orders without one.
    let shown = original.as_ref().and_then(order_named);
    let (order_id, original) = match (order_id, shown) {
        (Some(id), Some(shown)) if id == shown => (id, None),
        (None, Some(shown)) if unnamed(request, shown) => (shown, None),
        (order_id, _) => (order_id.unwrap_or_default(), original),
    };
    Ok((order_id, CancelIds { original, request: request_id }))
}

/// Whether an order shows the name that we make for orders without one.
fn unnamed(request: &Request<'_>, id: OrderId) -> bool {
    let Some(caller) = &request.caller else { return false };
    let order = request.gateway.views.accounts().order(caller.account, id);
    order.is_some_and(|order| order_named(&order.client_order_id) == Some(id))
}

/// The cancel a client asks for.
pub(super) fn parse(
    request: &Request<'_>,
    listing: &Listing,
    account: AccountId,
    names: Names,
) -> Result<(CancelOrder, CancelIds), DialectError> {
    let restriction = cancel_restriction_from(request.parameters.text("cancelRestrictions"))?;
    let (order_id, ids) = target(request, names)?;
    Ok((CancelOrder { account, instrument: listing.id(), restriction, ids: 0, order_id }, ids))
}

pub(super) async fn cancel(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let (cancel, ids) = parse(request, &listing, account, CANCEL)?;
    let (order_id, original) = (cancel.order_id, ids.original);
    let answer = request.submit(&Command::CancelOrder { cancel, ids }).await?;
    match answer.outcome {
        Outcome::Refused(reject) => Err(refusal(reject, Purpose::Cancel)),
        Outcome::Done => {
            // With one order of a list the others go too: the one that was named is answered.
            let rows = cancelled_rows(request, account, &answer);
            let named = rows.iter().find(|row| row.is(order_id, original.as_ref()));
            named.or(rows.first()).map(Json::of).ok_or_else(DialectError::unknown)
        }
    }
}

pub(super) async fn cancel_all(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let listing = request.listing()?;
    let command = Command::CancelAll(CancelAll {
        account,
        instrument: listing.id(),
        reason: CloseReason::Cancelled,
        reserved: 0,
    });
    let answer = request.submit(&command).await?;
    match answer.outcome {
        Outcome::Refused(reject) => Err(refusal(reject, Purpose::Cancel)),
        Outcome::Done => Ok(Json::list(&lists::grouped(request, account, &answer))),
    }
}

/// The orders that the answer's command cancelled. A closed order never changes again, so the views
/// show it as it was left.
pub(super) fn cancelled_rows(request: &Request<'_>, account: AccountId, answer: &Answer) -> Vec<Cancelled> {
    answer
        .events()
        .filter_map(|event| match event {
            Event::OrderClosed(closed, name) if is_cancel(&closed, account) => {
                let order = request.gateway.views.accounts().order(account, closed.order_id)?;
                cancelled_row(request, &order, name, answer)
            }
            _ => None,
        })
        .collect()
}

/// Whether a close is what a client's cancel did.
pub(super) fn is_cancel(closed: &OrderClosed, account: AccountId) -> bool {
    let cancelled = matches!(
        closed.reason,
        CloseReason::Cancelled | CloseReason::Replaced | CloseReason::ListContingency
    );
    closed.account == account && cancelled
}

/// A cancelled order, as the views have it.
pub(super) fn cancelled_row(
    request: &Request<'_>,
    order: &Order,
    name: Option<ClientOrderId>,
    answer: &Answer,
) -> Option<Cancelled> {
    let listing = request.directory.listing(order.instrument)?;
    let name = shown_cancel_id(order.order_id, name);
    Some(cancelled(order, listing, name, answer.time, request.unit))
}
