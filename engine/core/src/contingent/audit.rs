//! What is known beside the books checked against them: each marked order is known, each known order
//! is open, lists and triggers say the same as orders. Changes nothing.

use crate::{
    AuditError, Engine,
    books::{Books, MARKED, PENDING, WAITING},
};
use protocol::{AccountId, AssetId, InstrumentId, OrderId, terms::OrderPhase};
use std::collections::BTreeMap;

impl<B: Books> Engine<B> {
    /// Checks what is known of an instrument's marked orders, and adds what they hold besides what
    /// the books say; `counts` gets those in no level.
    pub(crate) fn audit_marked(
        &self,
        instrument: InstrumentId,
        held: &mut BTreeMap<(AccountId, AssetId), i128>,
        counts: &mut BTreeMap<AccountId, u32>,
    ) -> Result<(), AuditError> {
        let broken = |what| AuditError::Book { instrument, what };
        let market = self.market(instrument).ok_or(broken("no such market"))?;
        let here = |order: &protocol::command::PlaceOrder| order.instrument == instrument;
        for (order_id, special) in self.contingent.orders.iter().filter(|(_, special)| here(&special.order)) {
            let handle = self.books.find(*order_id).ok_or(broken("a marked order that is not open"))?;
            let order = self.books.order(handle);
            let state = order.flags & (PENDING | WAITING);
            let expected = match special.phase {
                OrderPhase::Working => 0,
                OrderPhase::Waiting => WAITING,
                OrderPhase::Pending => PENDING,
            };
            if order.flags & MARKED == 0 || state != expected {
                return Err(broken("an order's flags differ from what is known of it"));
            }
            let beside = self.contingent.beside.contains(&(instrument, *order_id));
            if beside != (expected != 0) {
                return Err(broken("an order in no level that is not listed so"));
            }
            let held_beside = match special.phase {
                OrderPhase::Working => special.reserve,
                OrderPhase::Waiting => order.leaves,
                OrderPhase::Pending => protocol::Quantity(0),
            };
            let amount =
                market.hold(order.side, order.price, held_beside).ok_or(broken("a hold too large"))?;
            *held.entry((order.account, market.paid_asset(order.side))).or_default() += i128::from(amount);
            if beside {
                *counts.entry(order.account).or_default() += 1;
            }
            if special.list_id.0 != 0 {
                let list = self.contingent.lists.open.get(&special.list_id);
                let known = list.is_some_and(|list| list.orders.contains(order_id));
                if !known {
                    return Err(broken("an order of a list that does not know it"));
                }
            }
        }
        for list in self.contingent.lists.open.values().filter(|list| list.instrument == instrument) {
            let open = |(order_id, open): (&OrderId, &bool)| *open == self.books.find(*order_id).is_some();
            if !list.orders.iter().zip(&list.open).all(open) || !list.open.contains(&true) {
                return Err(broken("a list that differs from its orders"));
            }
            if list.shared != 0 {
                let order = list.orders.iter().filter_map(|order_id| self.books.find(*order_id)).last();
                let order = self.books.order(order.ok_or(broken("a list without orders"))?);
                let asset = market.paid_asset(order.side);
                *held.entry((list.account, asset)).or_default() -= i128::from(list.shared);
            }
        }
        if market.watched != self.contingent.watches(instrument) {
            return Err(broken("a market that does not know whether it is watched"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
