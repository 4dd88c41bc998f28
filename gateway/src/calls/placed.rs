//! How a new order stood when its command ended, from the answer's own events: the views may be ahead
//! of it. Refuses to know JSON.

use crate::views::{Asset, Listing, Order, OrderStatus, Prevention};
use protocol::{
    OrderId, Side,
    event::{Event, Trade},
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
            (Event::OrderAccepted(accepted, id, terms), None) if accepted.order_id == order_id => {
                let order = Order::accepted(&accepted, id, terms, answer.time);
                placed = Some(PlacedOrder { order, fills: Vec::new() });
            }
            (Event::Trade(trade), Some(placed)) if trade.taker_order_id == order_id => {
                let notional = listing.instrument.notional(trade.price, trade.quantity).unwrap_or(0);
                placed.order.trade(trade.quantity, notional, false, answer.time);
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
            (Event::ReserveChanged(reserve), Some(placed)) if reserve.order_id == order_id => {
                placed.order.hidden = reserve.new;
            }
            (Event::OrderRested(rested), Some(placed)) if rested.order_id == order_id => {
                placed.order.rest(rested.leaves);
            }
            (Event::OrderTriggered(triggered), Some(placed)) if triggered.order_id == order_id => {
                placed.order.trigger(answer.time);
            }
            (Event::OrderClosed(closed, _), Some(placed)) if closed.order_id == order_id => {
                placed.order.close(closed.reason, answer.time);
                // As in the views: one that ended with its last trade, less than one lot short of its
                // quote quantity, is filled.
                if after_trade && closed.reason == CloseReason::LessThanOneLot {
                    placed.order.status = OrderStatus::Filled;
                }
            }
            _ => {}
        }
        after_trade = matches!(event, Event::Trade(_));
    }
    placed
}

/// The asset that an order of `side` receives, in which its fee is charged.
pub(super) fn received(listing: &Listing, side: Side) -> &Asset {
    match side {
        Side::Buy => &listing.base,
        Side::Sell => &listing.quote,
    }
}
