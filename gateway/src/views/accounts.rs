//! Accounts as their owners see them: status, balances, orders, own trades. Refuses to know keys
//! and who may ask.

use super::{
    Amendment, AmendmentQuery, Order, OrderList, OrderListQuery, OrderQuery, OwnTrade, OwnTradeQuery,
    PreventedMatch, PreventedMatchQuery,
    account::Account,
    bounds::Held,
    locks::{read, write},
};
use protocol::{
    AccountId, AssetId, ClientOrderId, InstrumentId, OrderId, OrderListId, Time, command::SetLimits,
};
use serde::{Deserialize, Serialize};
use std::sync::RwLock;

/// Locks over which accounts are spread.
const SHARDS: usize = 64;
/// Open orders looked at under one lock.
const PAGE: usize = 1_000;

/// What an account has of one asset, in ledger units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// May be spent: `free`. Negative in an external account.
    pub available: i64,
    /// Set aside by orders and holds: `locked`.
    pub held: i64,
}

/// What is known of an account, without its money and orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSummary {
    /// Its id.
    pub account: AccountId,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Its trade group; 0 is none.
    pub trade_group: u32,
    /// Its fee tier, 0 to 15.
    pub fee_tier: u8,
    /// Its limits, as they were last set.
    pub limits: Option<SetLimits>,
    /// Whether its kill switch is on: no order is taken.
    pub kill_switch: bool,
    /// When its open orders are cancelled unless it says that it is still there.
    pub cancel_timer: Option<Time>,
    /// When its money last moved.
    pub update_time: Time,
}

impl AccountSummary {
    /// Whether it may place orders.
    pub const fn takes_orders(&self) -> bool {
        !self.suspended && !self.kill_switch
    }
}

/// Every account's view. Every method takes one shard's lock for a moment and copies out.
#[derive(Debug)]
pub struct Accounts {
    /// Account `id` is number `id / SHARDS` of shard `id % SHARDS`: ids are dense.
    shards: Vec<RwLock<Vec<Account>>>,
}

impl Accounts {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }

    fn read<T: Default>(&self, account: AccountId, answer: impl FnOnce(&Account) -> T) -> T {
        let (shard, place) = place_of(account);
        read(&self.shards[shard]).get(place).map(answer).unwrap_or_default()
    }

    /// Changes an account, which is made if it is not there yet.
    pub(super) fn change<T>(&self, account: AccountId, change: impl FnOnce(&mut Account) -> T) -> T {
        let (shard, place) = place_of(account);
        let mut accounts = write(&self.shards[shard]);
        if accounts.len() <= place {
            accounts.resize_with(place + 1, Account::default);
        }
        change(&mut accounts[place])
    }

    /// How many accounts there may be: ids are below it.
    pub(super) fn count(&self) -> usize {
        self.shards.iter().map(|accounts| read(accounts).len()).max().unwrap_or(0) * SHARDS
    }

    /// Shows every account to `look`, a shard at a time.
    pub(super) fn each(&self, mut look: impl FnMut(AccountId, &Account)) {
        for (shard, accounts) in self.shards.iter().enumerate() {
            for (place, account) in read(accounts).iter().enumerate() {
                look(AccountId((place * SHARDS + shard) as u32), account);
            }
        }
    }

    /// What is known of an account; `None` if there is none. System accounts are not shown.
    pub fn summary(&self, account: AccountId) -> Option<AccountSummary> {
        self.read(account, Account::summary)
    }

    /// Every balance that is or was other than nothing, by asset.
    pub fn balances(&self, account: AccountId) -> Vec<(AssetId, Balance)> {
        self.read(account, |account| account.balances().to_vec())
    }

    /// The balance in one asset.
    pub fn balance(&self, account: AccountId, asset: AssetId) -> Balance {
        self.read(account, |account| account.balance(asset))
    }

    /// An order of this account, open or closed and still kept.
    pub fn order(&self, account: AccountId, order_id: OrderId) -> Option<Order> {
        self.held_order(account, order_id).found
    }

    /// The same, and whether there may be one that is no longer kept.
    pub fn held_order(&self, account: AccountId, order_id: OrderId) -> Held<Option<Order>> {
        self.read(account, |account| account.orders().get(order_id))
    }

    /// The latest order of this account with this client order id; `rialto-<order id>` names an
    /// order that was given none.
    pub fn order_named(&self, account: AccountId, name: &ClientOrderId) -> Option<Order> {
        self.held_order_named(account, name).found
    }

    /// The same, and whether there may be one that is no longer kept.
    pub fn held_order_named(&self, account: AccountId, name: &ClientOrderId) -> Held<Option<Order>> {
        self.read(account, |account| account.orders().named(name))
    }

    /// Open orders by id, in one instrument or all. An account may have very many: they are read
    /// a page at a time, so that none keeps the events waiting; one that closes meanwhile may be
    /// among them or not.
    pub fn open_orders(&self, account: AccountId, instrument: Option<InstrumentId>) -> Vec<Order> {
        let mut found = Vec::new();
        let mut next = Some(OrderId(0));
        while let Some(from) = next {
            let page = self.read(account, |account| account.orders().open_page(from, instrument, PAGE));
            found.extend(page.0);
            next = page.1;
        }
        found
    }

    /// Whether any open order is to end with the session that placed it.
    pub fn have_session_orders(&self) -> bool {
        let mut found = false;
        self.each(|_, account| found |= account.orders().open().any(|order| order.terms.session != 0));
        found
    }

    /// Open and closed orders by id.
    pub fn orders(&self, account: AccountId, query: &OrderQuery) -> Held<Vec<Order>> {
        self.read(account, |account| account.orders().query(query))
    }

    /// An order list of this account, open or done and still kept.
    pub fn order_list(&self, account: AccountId, list_id: OrderListId) -> Option<OrderList> {
        self.held_order_list(account, list_id).found
    }

    /// The same, and whether there may be one that is no longer kept.
    pub fn held_order_list(&self, account: AccountId, list_id: OrderListId) -> Held<Option<OrderList>> {
        self.read(account, |account| account.lists.get(list_id))
    }

    /// The latest order list of this account with this client order id, given or made.
    pub fn order_list_named(&self, account: AccountId, name: &ClientOrderId) -> Option<OrderList> {
        self.held_order_list_named(account, name).found
    }

    /// The same, and whether there may be one that is no longer kept.
    pub fn held_order_list_named(&self, account: AccountId, name: &ClientOrderId) -> Held<Option<OrderList>> {
        self.read(account, |account| account.lists.named(name))
    }

    /// Every open order list, by id.
    pub fn open_order_lists(&self, account: AccountId) -> Vec<OrderList> {
        self.read(account, |account| account.lists.open().copied().collect())
    }

    /// Open and done order lists by id.
    pub fn order_lists(&self, account: AccountId, query: &OrderListQuery) -> Held<Vec<OrderList>> {
        self.read(account, |account| account.lists.query(query))
    }

    /// Matches that self-trade prevention stopped, the oldest first.
    pub fn prevented_matches(
        &self,
        account: AccountId,
        query: &PreventedMatchQuery,
    ) -> Held<Vec<PreventedMatch>> {
        self.read(account, |account| account.prevented.first(query.limit, |prevented| query.wants(prevented)))
    }

    /// An order's amendments from an execution id on, the oldest first.
    pub fn amendments(&self, account: AccountId, query: &AmendmentQuery) -> Held<Vec<Amendment>> {
        self.read(account, |account| {
            account.amendments.first(query.limit, |amendment| {
                amendment.order_id == query.order_id && amendment.execution_id >= query.from_execution_id
            })
        })
    }

    /// Own trades, the oldest first. A trade with oneself shows twice, once for each side.
    pub fn own_trades(&self, account: AccountId, query: &OwnTradeQuery) -> Held<Vec<OwnTrade>> {
        self.read(account, |account| account.own_trades(query))
    }
}

fn place_of(account: AccountId) -> (usize, usize) {
    (account.0 as usize % SHARDS, account.0 as usize / SHARDS)
}
