//! How a new order stood when its command ended, from the answer's own events: the views may be ahead
//! of it. Refuses to know JSON.

use crate::views::{Asset, Listing, Order, OrderStatus, Prevention, shown_client_order_id};
use protocol::{
    OrderId, Quantity, Side,
    command::QuantityKind,
    event::{Event, OrderAccepted, Trade},
    order::CloseReason,
};
use services::Answer;

/// An order and the trades it made as it came.
#[derive(Debug)]
pub(super) struct PlacedOrder {
    /// As it stood at the command's end.
    pub(super) order: Order,
    /// In order.
    pub(super) fills: Vec<Trade>,
}

/// The order that the answer says was made; `None` when it made none.
pub(super) fn placed_order(answer: &Answer, listing: &Listing) -> Option<PlacedOrder> {
    let order_id = OrderId(answer.result);
    let mut placed: Option<PlacedOrder> = None;
    let mut after_trade = false;
    for event in answer.events() {
        match (event, &mut placed) {
            (Event::OrderAccepted(accepted, id, _), None) if accepted.order_id == order_id => {
                placed = Some(PlacedOrder { order: order(&accepted, id, answer), fills: Vec::new() });
            }
            (Event::Trade(trade), Some(placed)) if trade.taker_order_id == order_id => {
                let notional = listing.instrument.notional(trade.price, trade.quantity).unwrap_or(0);
                placed.order.executed.0 += trade.quantity.0;
                placed.order.leaves.0 = placed.order.leaves.0.saturating_sub(trade.quantity.0);
                placed.order.cumulative_quote += notional;
                placed.fills.push(trade);
            }
            (Event::TradePrevented(prevented), Some(placed)) if prevented.taker_order_id == order_id => {
                placed.order.prevented.0 += prevented.quantity.0;
                placed.order.last_prevention = Some(Prevention {
                    prevented_match_id: prevented.prevented_match_id,
                    counter_order_id: prevented.maker_order_id,
                    quantity: prevented.quantity,
                    price: prevented.price,
                });
            }
            (Event::OrderRested(rested), Some(placed)) if rested.order_id == order_id => {
                placed.order.status = open_status(placed.order.executed);
                placed.order.leaves = rested.leaves;
                placed.order.is_resting = true;
            }
            (Event::OrderClosed(closed, _), Some(placed)) if closed.order_id == order_id => {
                // As in the views: one that ended with its last trade, less than one lot short of its
                // quote quantity, is filled.
                let is_filled = after_trade && closed.reason == CloseReason::LessThanOneLot;
                placed.order.status =
                    if is_filled { OrderStatus::Filled } else { closed_status(closed.reason) };
                placed.order.close_reason = Some(closed.reason);
                placed.order.leaves = Quantity::ZERO;
                placed.order.is_resting = false;
            }
            _ => {}
        }
        after_trade = matches!(event, Event::Trade(_));
    }
    placed
}

/// An order as accepted. Unless it rests or is closed by an event that follows, all of it trades.
fn order(accepted: &OrderAccepted, id: Option<protocol::ClientOrderId>, answer: &Answer) -> Order {
    Order {
        order_id: accepted.order_id,
        client_order_id: shown_client_order_id(accepted.order_id, id),
        account: accepted.account,
        instrument: accepted.instrument,
        side: accepted.side,
        order_type: accepted.order_type,
        time_in_force: accepted.time_in_force,
        self_trade_prevention: accepted.self_trade_prevention,
        price: accepted.price,
        asked: accepted.quantity,
        quantity_kind: accepted.quantity_kind,
        executed: Quantity::ZERO,
        cumulative_quote: 0,
        leaves: match accepted.quantity_kind {
            QuantityKind::Base => accepted.quantity,
            QuantityKind::Quote => Quantity::ZERO,
        },
        prevented: Quantity::ZERO,
        is_resting: accepted.rests == 1,
        last_prevention: None,
        status: if accepted.rests == 1 { OrderStatus::New } else { OrderStatus::Filled },
        close_reason: None,
        time: answer.time,
        update_time: answer.time,
        working_time: answer.time,
        expires_at: accepted.expires_at,
    }
}

const fn open_status(executed: Quantity) -> OrderStatus {
    if executed.0 == 0 { OrderStatus::New } else { OrderStatus::PartiallyFilled }
}

/// What a close is called.
const fn closed_status(reason: CloseReason) -> OrderStatus {
    match reason {
        CloseReason::Cancelled
        | CloseReason::Replaced
        | CloseReason::AccountSuspended
        | CloseReason::ByOperator
        | CloseReason::Delisted
        | CloseReason::CancelTimer
        | CloseReason::KillSwitch
        | CloseReason::SessionClosed => OrderStatus::Canceled,
        CloseReason::SelfTrade => OrderStatus::ExpiredInMatch,
        CloseReason::NoMoreLiquidity
        | CloseReason::NotFillableWhole
        | CloseReason::TimeReached
        | CloseReason::ProtectionPrice
        | CloseReason::LessThanOneLot
        | CloseReason::ListContingency
        | CloseReason::InsufficientBalance
        | CloseReason::WouldTake => OrderStatus::Expired,
    }
}

/// The asset that an order of `side` receives, in which its fee is charged.
pub(super) fn received(listing: &Listing, side: Side) -> &Asset {
    match side {
        Side::Buy => &listing.base,
        Side::Sell => &listing.quote,
    }
}
