//! The exchange's own paths for orders, `/api/trade/…`: plainer than the dialect's, over the same
//! functions. What a client may leave out is filled in here; an account sees and cancels its own orders
//! alone. Refuses to know how an order is placed or cancelled.

use super::{Reply, Request, cancel, market::window, orders};
use crate::{
    dialect::{DialectError, Parameters, order_type_from, side_from},
    views::{Order, OrderQuery, OrderStatus},
};
use protocol::{OrderId, OrderType, Side};

/// The most rows.
const ROWS_MAX: usize = 1_000;

/// Places an order; a limit order is good till cancelled unless it says otherwise.
pub(super) async fn create_order(request: &Request<'_>) -> Reply {
    let mut parameters = request.parameters.clone();
    if parameters.text("type") == Some("LIMIT") {
        parameters.set_default("timeInForce", "GTC");
    }
    orders::place(&request.with(&parameters)).await
}

/// Cancels an order; where it is need not be said.
pub(super) async fn cancel_order(request: &Request<'_>) -> Reply {
    let mut parameters = request.parameters.clone();
    if !parameters.has("symbol") {
        let order = find(request, &parameters)?.ok_or_else(DialectError::unknown_order)?;
        let listing = request.directory.listing(order.instrument).ok_or_else(DialectError::symbol)?;
        parameters.set_default("symbol", listing.symbol());
    }
    cancel::cancel(&request.with(&parameters)).await
}

/// The order that `orderId` or `origClientOrderId` names.
fn find(request: &Request<'_>, parameters: &Parameters<'_>) -> Result<Option<Order>, DialectError> {
    let account = request.caller()?.account;
    let accounts = request.gateway.views.accounts();
    match (parameters.integer("orderId")?, parameters.client_order_id("origClientOrderId")?) {
        (Some(id), _) => Ok(accounts.order(account, OrderId(id))),
        (None, Some(name)) => Ok(accounts.order_named(account, &name)),
        (None, None) => Err(DialectError::either("orderId", "origClientOrderId")),
    }
}

/// Which orders are wanted, beside where and when.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    state: State,
    side: Option<Side>,
    order_type: Option<OrderType>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    All,
    Exactly(OrderStatus),
}

impl Wanted {
    fn parse(parameters: &Parameters<'_>) -> Result<Self, DialectError> {
        let state = match parameters.text("status").unwrap_or("OPEN") {
            "OPEN" => State::Open,
            "CLOSED" => State::Closed,
            "ALL" => State::All,
            text => OrderStatus::ALL
                .into_iter()
                .find(|status| status.text() == text)
                .map(State::Exactly)
                .ok_or_else(|| DialectError::invalid_data("status"))?,
        };
        Ok(Self {
            state,
            side: parameters.text("side").map(side_from).transpose()?,
            order_type: parameters.text("type").map(order_type_from).transpose()?,
        })
    }

    fn holds(self, order: &Order) -> bool {
        let in_state = match self.state {
            State::Open => order.status.is_open(),
            State::Closed => !order.status.is_open(),
            State::All => true,
            State::Exactly(status) => order.status == status,
        };
        in_state
            && self.side.is_none_or(|side| order.side == side)
            && self.order_type.is_none_or(|order_type| order.order_type == order_type)
    }
}

/// The caller's orders by id: the open ones, or the past ones.
pub(super) async fn list(request: &Request<'_>) -> Reply {
    let account = request.caller()?.account;
    let parameters = request.parameters;
    let wanted = Wanted::parse(parameters)?;
    let instrument = request.optional_listing()?.map(|listing| listing.id());
    let (start, end) = window(parameters)?;
    let from_id = parameters.integer("orderId")?.map(OrderId);
    let limit = parameters.limit(500, ROWS_MAX)?;
    if wanted.state != State::Open {
        let query = OrderQuery { instrument, from_id, until_id: None, start, end, limit };
        let found = request.past().orders_sieved(account, &query, |order| wanted.holds(order)).await?;
        return Ok(orders::rows(request, &found));
    }
    let mut found = request.gateway.views.accounts().open_orders(account, instrument);
    found.retain(|order| {
        wanted.holds(order)
            && from_id.is_none_or(|from| order.order_id >= from)
            && start.is_none_or(|start| order.time >= start)
            && end.is_none_or(|end| order.time <= end)
    });
    // As everywhere in the dialect: the first from where one asks, otherwise the last.
    if from_id.is_none() && start.is_none() {
        found.drain(..found.len().saturating_sub(limit));
    }
    found.truncate(limit);
    Ok(orders::rows(request, &found))
}
