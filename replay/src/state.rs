//! The state at a sequence: balances, open orders, holds. Refuses to say how it came about.

use crate::{ReplayError, Watch, begin::Begin, describe, history::replay};
use engine_core::{
    Books, Engine, LadderBooks,
    books::{PENDING, WAITING},
};
use protocol::{AccountId, Sequence, Side};
use std::path::Path;

/// A state. Amounts, prices and quantities are decimals.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StateReport {
    /// The last command in it.
    pub sequence: u64,
    /// That command's time, in nanoseconds since 1970.
    pub time: u64,
    /// The whole state as a hash, whichever accounts are shown.
    pub state_hash: String,
    /// What everyone has.
    pub balances: Vec<BalanceRow>,
    /// Open orders: by instrument those at rest, by side and priority, then those that wait in no book.
    pub orders: Vec<OrderRow>,
    /// What is set aside other than for orders.
    pub holds: Vec<HoldRow>,
}

/// An account's money in one asset.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BalanceRow {
    pub account: u32,
    pub kind: String,
    pub suspended: bool,
    pub asset: String,
    pub available: String,
    pub held: String,
}

/// An open order.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OrderRow {
    pub order_id: u64,
    pub client_order_id: Option<String>,
    pub account: u32,
    pub instrument: String,
    pub side: String,
    /// `Working` in the book, `Waiting` for its trigger, or `Pending` until its list's turn comes.
    pub phase: &'static str,
    pub price: String,
    pub leaves_qty: String,
    pub cum_qty: String,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HoldRow {
    pub hold_id: u64,
    pub account: u32,
    pub asset: String,
    pub amount: String,
    pub purpose: u32,
    pub expires_at: u64,
}

/// The state after `at` (the last command without one), of one account or of all.
///
/// # Errors
/// When the journal cannot be read or ends before `at`, and when there is no such account.
pub fn state(
    directory: &Path,
    at: Option<Sequence>,
    account: Option<AccountId>,
    watch: Watch<'_>,
) -> Result<StateReport, ReplayError> {
    let engine = replay(directory, Begin::Nearest(at), at, watch, |_| Ok(()))?;
    if let Some(account) = account.filter(|account| engine.ledger().accounts.get(*account).is_none()) {
        return Err(ReplayError::UnknownAccount(account));
    }
    let wanted = |id: AccountId| account.is_none_or(|account| account == id);
    Ok(StateReport {
        sequence: engine.sequence().0,
        time: engine.time().0,
        state_hash: engine.state_hash().to_string(),
        balances: balances(&engine, wanted),
        orders: orders(&engine, wanted),
        holds: holds(&engine, wanted),
    })
}

fn balances(engine: &Engine, wanted: impl Fn(AccountId) -> bool) -> Vec<BalanceRow> {
    let ledger = engine.ledger();
    let mut rows = Vec::new();
    for (id, account) in ledger.accounts.iter().filter(|(id, _)| wanted(*id)) {
        for (asset, definition) in ledger.assets() {
            let balance = ledger.balances.get(id, asset);
            if balance.available != 0 || balance.held != 0 {
                rows.push(BalanceRow {
                    account: id.0,
                    kind: format!("{:?}", account.kind),
                    suspended: account.suspended,
                    asset: definition.name.to_string(),
                    available: describe::amount(engine, asset, balance.available),
                    held: describe::amount(engine, asset, balance.held),
                });
            }
        }
    }
    rows
}

fn orders(engine: &Engine, wanted: impl Fn(AccountId) -> bool) -> Vec<OrderRow> {
    let books = engine.books();
    let mut rows = Vec::new();
    for market in engine.markets() {
        let at = market.instrument.id;
        for side in [Side::Buy, Side::Sell] {
            let handles = std::iter::successors(books.front(at, side), |handle| books.after(*handle));
            let wanted = handles.filter(|handle| wanted(books.order(*handle).account));
            rows.extend(wanted.map(|handle| order(engine, handle)));
        }
        let mut beside = Vec::new();
        for (account, _) in engine.ledger().accounts.iter().filter(|(account, _)| wanted(*account)) {
            let handles = std::iter::successors(books.newest(account, at), |handle| books.older(*handle));
            let waiting = handles.filter(|handle| books.order(*handle).flags & (WAITING | PENDING) != 0);
            beside.extend(waiting.map(|handle| order(engine, handle)));
        }
        beside.sort_by_key(|order| order.order_id);
        rows.extend(beside);
    }
    rows
}

fn order(engine: &Engine, handle: <LadderBooks as Books>::Handle) -> OrderRow {
    let books = engine.books();
    let order = books.order(handle);
    let at = order.instrument;
    OrderRow {
        order_id: order.order_id.0,
        client_order_id: books.client_order_id(handle).map(|id| id.to_string()),
        account: order.account.0,
        instrument: describe::symbol(engine, at),
        side: format!("{:?}", order.side),
        phase: match order.flags & (WAITING | PENDING) {
            0 => "Working",
            WAITING => "Waiting",
            _ => "Pending",
        },
        price: describe::price(engine, at, order.price),
        leaves_qty: describe::quantity(engine, at, order.leaves),
        cum_qty: describe::quantity(engine, at, books.executed(handle)),
    }
}

fn holds(engine: &Engine, wanted: impl Fn(AccountId) -> bool) -> Vec<HoldRow> {
    let rows = engine.ledger().holds.iter().filter(|(_, hold)| wanted(hold.account));
    rows.map(|(id, hold)| HoldRow {
        hold_id: id.0,
        account: hold.account.0,
        asset: describe::asset(engine, hold.asset),
        amount: describe::amount(engine, hold.asset, hold.rest),
        purpose: hold.purpose,
        expires_at: hold.expires_at.0,
    })
    .collect()
}
