//! Which orders count their quantity in the quote asset: an order's close says how much was left in
//! the order's own unit, and only its acceptance said which that is. Refuses to know anything else.

use protocol::{OrderId, command::QuantityKind, event::Event, terms::OrderPhase};
use std::collections::HashSet;

/// Orders by quote that may still be told of.
#[derive(Debug, Default)]
pub(crate) struct ByQuote {
    /// Of the command at hand: market orders leave with the command they go in with.
    now: Vec<OrderId>,
    /// Those that wait for their list.
    pending: HashSet<OrderId>,
}

impl ByQuote {
    /// The next command begins.
    pub(crate) fn begin_command(&mut self) {
        self.now.clear();
    }

    /// Takes note of an event, before it is told.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::OrderAccepted(order, _, terms) if order.quantity_kind == QuantityKind::Quote => {
                if terms.is_some_and(|terms| terms.phase == OrderPhase::Pending) {
                    self.pending.insert(order.order_id);
                } else {
                    self.now.push(order.order_id);
                }
            }
            Event::OrderActivated(order) if self.pending.remove(&order.order_id) => {
                self.now.push(order.order_id);
            }
            Event::OrderClosed(order, _) if self.pending.remove(&order.order_id) => {
                self.now.push(order.order_id);
            }
            _ => {}
        }
    }

    /// Whether the order counts in the quote asset.
    pub(crate) fn has(&self, order_id: OrderId) -> bool {
        self.now.contains(&order_id)
    }
}
