//! One account as events leave it. Refuses to know locks and who reads it.

use super::{
    AccountSummary, Amendment, Balance, OwnTrade, OwnTradeQuery, PreventedMatch,
    bounds::{Gone, Held, Leave},
    order_lists::OrderLists,
    order_store::OrderStore,
    own_records::Records,
};
use protocol::{AccountId, AssetId, OrderId, Time, event::AccountOpened, posting::Posting};
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
    /// How many trades have left, which were the oldest, and when the last of them was.
    trades_left: (u64, Time),
    trades_gone: Gone,
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

    /// Takes in a trade; says which of the account's it is, from 0.
    pub(super) fn add_trade(&mut self, trade: OwnTrade, leave: &Leave) -> u64 {
        let number = self.trades_left.0 + self.trades.len() as u64;
        self.trades.push_back(trade);
        while let Some(oldest) = self.trades.front().map(|oldest| oldest.time)
            && leave.oldest(self.trades.len(), leave.bounds.own_trades_of_account, oldest)
        {
            self.forget_trades(self.trades_left.0, leave);
        }
        number
    }

    /// Forgets the trades up to the one of this number, if they are still kept.
    pub(super) fn forget_trades(&mut self, number: u64, leave: &Leave) {
        while self.trades_left.0 <= number
            && let Some(trade) = self.trades.pop_front()
        {
            self.trades_left = (self.trades_left.0 + 1, trade.time);
            self.trades_gone.note(leave, trade.time);
        }
    }

    /// Own trades (see [`OwnTradeQuery`]).
    pub(super) fn own_trades(&self, query: &OwnTradeQuery) -> Held<Vec<OwnTrade>> {
        let wanted = |trade: &&OwnTrade| {
            trade.instrument == query.instrument
                && query.order_id.is_none_or(|order_id| trade.order_id == order_id)
                && query.from_id.is_none_or(|from_id| trade.trade_id >= from_id)
                && query.start.is_none_or(|start| trade.time >= start)
                && query.end.is_none_or(|end| trade.time <= end)
        };
        let (found, is_all): (Vec<_>, bool);
        if query.is_forward() {
            found = self.trades.iter().filter(wanted).take(query.limit).copied().collect();
            // What has left is older than all that is kept.
            let is_older = |trade: &OwnTrade| {
                trade.instrument == query.instrument && query.from_id.is_some_and(|id| trade.trade_id < id)
            };
            is_all = query.start.is_some_and(|start| start > self.trades_left.1)
                || self.trades.iter().any(is_older);
        } else {
            let mut last: Vec<_> =
                self.trades.iter().rev().filter(wanted).take(query.limit).copied().collect();
            last.reverse();
            is_all = last.len() == query.limit;
            found = last;
        }
        Held { found, lacks: self.trades_gone.until().filter(|_| !is_all) }
    }
}

/// Which account's closed orders and trades were kept first, over all accounts, so that the whole
/// stays within its bounds. An entry may name what its account has dropped already.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Retention {
    closed_orders: VecDeque<(AccountId, OrderId, Time)>,
    /// By their numbers within the account.
    trades: VecDeque<(AccountId, u64, Time)>,
}

impl Retention {
    /// Notes an order that was closed.
    pub(super) fn closed_order(&mut self, account: AccountId, order_id: OrderId, time: Time) {
        self.closed_orders.push_back((account, order_id, time));
    }

    /// Takes the order that must go now, if one must.
    pub(super) fn take_order(&mut self, leave: &Leave) -> Option<(AccountId, OrderId)> {
        let (account, order_id, time) = *self.closed_orders.front()?;
        let goes = leave.oldest(self.closed_orders.len(), leave.bounds.closed_orders, time);
        goes.then(|| self.closed_orders.pop_front()).map(|_| (account, order_id))
    }

    /// Notes an own trade by its number within the account.
    pub(super) fn trade(&mut self, account: AccountId, number: u64, time: Time) {
        self.trades.push_back((account, number, time));
    }

    /// Takes the trade that must go now, if one must.
    pub(super) fn take_trade(&mut self, leave: &Leave) -> Option<(AccountId, u64)> {
        let (account, number, time) = *self.trades.front()?;
        let goes = leave.oldest(self.trades.len(), leave.bounds.own_trades, time);
        goes.then(|| self.trades.pop_front()).map(|_| (account, number))
    }
}
