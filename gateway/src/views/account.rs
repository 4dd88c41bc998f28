//! One account as events leave it. Refuses to know locks and who reads it.

use super::{
    AccountSummary, Amendment, Balance, Bounds, OwnTrade, OwnTradeQuery, PreventedMatch,
    order_lists::OrderLists, order_store::OrderStore, own_records::Records,
};
use protocol::{AccountId, AssetId, Time, event::AccountOpened, posting::Posting};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// An account's balances, orders and trades.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Account {
    /// None for a system account.
    opened: Option<AccountSummary>,
    /// By asset.
    balances: Vec<(AssetId, Balance)>,
    orders: OrderStore,
    /// Its order lists.
    pub(super) lists: OrderLists,
    /// The oldest first.
    trades: VecDeque<OwnTrade>,
    /// Matches that self-trade prevention stopped.
    pub(super) prevented: Records<PreventedMatch>,
    /// Orders that became smaller.
    pub(super) amendments: Records<Amendment>,
}

impl Account {
    pub(super) fn open(&mut self, event: &AccountOpened) {
        self.opened = Some(AccountSummary {
            account: event.account,
            suspended: false,
            trade_group: event.trade_group,
            fee_tier: event.fee_tier,
            limits: None,
            kill_switch: false,
            cancel_timer: None,
            update_time: Time(0),
        });
    }

    pub(super) const fn summary(&self) -> Option<AccountSummary> {
        self.opened
    }

    pub(super) const fn opened_mut(&mut self) -> Option<&mut AccountSummary> {
        self.opened.as_mut()
    }

    pub(super) fn post(&mut self, posting: &Posting, time: Time) {
        let place = self.balances.binary_search_by_key(&posting.asset, |(asset, _)| *asset);
        let place = place.unwrap_or_else(|place| {
            self.balances.insert(place, (posting.asset, Balance::default()));
            place
        });
        let balance = &mut self.balances[place].1;
        balance.available += posting.available;
        balance.held += posting.held;
        if let Some(opened) = &mut self.opened {
            opened.update_time = time;
        }
    }

    pub(super) fn balances(&self) -> &[(AssetId, Balance)] {
        &self.balances
    }

    pub(super) fn balance(&self, asset: AssetId) -> Balance {
        let place = self.balances.binary_search_by_key(&asset, |(asset, _)| *asset);
        place.map_or_else(|_| Balance::default(), |place| self.balances[place].1)
    }

    pub(super) const fn orders(&self) -> &OrderStore {
        &self.orders
    }

    pub(super) const fn orders_mut(&mut self) -> &mut OrderStore {
        &mut self.orders
    }

    pub(super) fn add_trade(&mut self, trade: OwnTrade, bounds: &Bounds) {
        if self.trades.len() >= bounds.own_trades_of_account.max(1) {
            self.trades.pop_front();
        }
        self.trades.push_back(trade);
    }

    /// Forgets the trades up to one, if they are still kept.
    pub(super) fn forget_trades(&mut self, up_to_execution: u64) {
        while self.trades.front().is_some_and(|trade| trade.execution_id <= up_to_execution) {
            self.trades.pop_front();
        }
    }

    /// Own trades (see [`OwnTradeQuery`]).
    pub(super) fn own_trades(&self, query: &OwnTradeQuery) -> Vec<OwnTrade> {
        let wanted = |trade: &&OwnTrade| {
            query.instrument.is_none_or(|instrument| trade.instrument == instrument)
                && query.order_id.is_none_or(|order_id| trade.order_id == order_id)
                && query.from_id.is_none_or(|from_id| trade.trade_id >= from_id)
                && query.start.is_none_or(|start| trade.time >= start)
                && query.end.is_none_or(|end| trade.time <= end)
        };
        if query.from_id.is_some() || query.start.is_some() {
            return self.trades.iter().filter(wanted).take(query.limit).copied().collect();
        }
        let mut last: Vec<_> = self.trades.iter().rev().filter(wanted).take(query.limit).copied().collect();
        last.reverse();
        last
    }
}

/// Which account's closed orders and trades were kept first, over all accounts, so that the whole
/// stays within its bounds. An entry may name what its account has dropped already.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Retention {
    closed_orders: VecDeque<(AccountId, protocol::OrderId)>,
    trades: VecDeque<(AccountId, u64)>,
}

impl Retention {
    /// Notes a closed order; says which must go for it.
    pub(super) fn closed_order(
        &mut self,
        account: AccountId,
        order_id: protocol::OrderId,
        bounds: &Bounds,
    ) -> Option<(AccountId, protocol::OrderId)> {
        self.closed_orders.push_back((account, order_id));
        (self.closed_orders.len() > bounds.closed_orders).then(|| self.closed_orders.pop_front()).flatten()
    }

    /// Notes an own trade by its execution id; says which must go for it.
    pub(super) fn trade(
        &mut self,
        account: AccountId,
        execution_id: u64,
        bounds: &Bounds,
    ) -> Option<(AccountId, u64)> {
        self.trades.push_back((account, execution_id));
        (self.trades.len() > bounds.own_trades).then(|| self.trades.pop_front()).flatten()
    }
}
