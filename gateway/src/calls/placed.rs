//! How a new order stood when its command ended, from the answer's own events: the views may be ahead
//! of it. Refuses to know JSON.

use crate::views::{Asset, Listing, Order, Prevention};
use protocol::{
    OrderId, Quantity, SelfTradePrevention, Side,
    event::{Event, Trade, TradePrevented},
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

/// An order that the answer says was accepted; `None` when it was not.
pub(super) fn placed_order(answer: &Answer, listing: &Listing, order_id: OrderId) -> Option<PlacedOrder> {
    let time = answer.time;
    let mut placed: Option<PlacedOrder> = None;
    let mut events = answer.events().peekable();
    while let Some(event) = events.next() {
        let Some(placed) = &mut placed else {
            if let Event::OrderAccepted(accepted, id, terms) = event
                && accepted.order_id == order_id
            {
                placed = Some(PlacedOrder {
                    order: Order::accepted(&accepted, id, terms, time),
                    fills: Vec::new(),
                });
            }
            continue;
        };
        let order = &mut placed.order;
        match event {
            Event::Trade(trade) if [trade.taker_order_id, trade.maker_order_id].contains(&order_id) => {
                let quote = listing.instrument.notional(trade.price, trade.quantity).unwrap_or(0);
                // As in the views: one that ends with its last trade, less than one lot short of its
                // quote quantity, is filled.
                let ends = matches!(events.peek(), Some(Event::OrderClosed(closed, _))
                    if closed.order_id == order_id && closed.reason == CloseReason::LessThanOneLot);
                order.trade(trade.quantity, quote, ends, time);
                if trade.taker_order_id == order_id {
                    placed.fills.push(trade);
                }
            }
            Event::TradePrevented(prevented) if prevented.taker_order_id == order_id => {
                prevent(order, &prevented, answer);
            }
            Event::OrderRested(rested) if rested.order_id == order_id => order.rest(rested.leaves),
            Event::ReserveChanged(changed) if changed.order_id == order_id => order.hidden = changed.new,
            Event::OrderTriggered(triggered) if triggered.order_id == order_id => {
                order.trigger(time);
            }
            Event::OrderActivated(activated) if activated.order_id == order_id => {
                order.activate(&activated, time);
            }
            Event::OrderClosed(closed, _) if closed.order_id == order_id && order.status.is_open() => {
                order.close(closed.reason, time);
            }
            _ => {}
        }
    }
    placed
}

/// What a stopped match means for the order that came.
fn prevent(order: &mut Order, prevented: &TradePrevented, answer: &Answer) {
    if prevented.mode == SelfTradePrevention::ExpireMaker {
        return;
    }
    let prevention = Prevention {
        prevented_match_id: prevented.prevented_match_id,
        counter_order_id: prevented.maker_order_id,
        quantity: prevented.quantity,
        price: prevented.price,
    };
    let decrements = prevented.mode == SelfTradePrevention::Decrement;
    let decrement = if decrements { prevented.quantity } else { Quantity::ZERO };
    order.prevent(prevention, decrement, answer.time);
}

/// The asset that an order of `side` receives, in which its fee is charged.
pub(super) fn received(listing: &Listing, side: Side) -> &Asset {
    match side {
        Side::Buy => &listing.base,
        Side::Sell => &listing.quote,
    }
}
