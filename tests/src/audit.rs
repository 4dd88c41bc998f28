//! What must hold after a fault, asked through the public API alone: of every account's orders, trades
//! and balances, against what the traders wrote down.

use crate::{
    amount::{ONE, fee, units},
    client::Client,
    load::{Known, Line, SYMBOL, text},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};
use ureq::http::Method;

/// The most rows of an answer.
const PAGE: usize = 1_000;
/// What each account began with, in units.
const START: [(&str, i128); 3] = [("BTC", 100 * ONE), ("ETH", 1_000 * ONE), ("USDT", 1_000_000 * ONE)];

/// What was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// Orders that are there.
    pub orders: usize,
    /// Answers that were written down and agree.
    pub acknowledgements: usize,
    /// Trades, of which each has two sides.
    pub trades: usize,
    /// Orders that were sent and never answered.
    pub unanswered: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, acknowledgements, trades, unanswered } = self;
        write!(
            formatter,
            "{orders} orders, {acknowledgements} acknowledgements and {trades} trades agree, {unanswered} orders \
             without an answer are there or not, balances add up"
        )
    }
}

/// One account as the exchange shows it.
struct Account {
    /// By client order id.
    orders: BTreeMap<String, Value>,
    trades: Vec<Value>,
    balances: Vec<Value>,
}

/// Compares everything.
///
/// # Panics
/// At the first thing that is not as it must be.
pub fn audit(clients: &[Client], log: &[Line]) -> Found {
    let accounts: Vec<Account> = clients.iter().map(Account::ask).collect();
    let mut found = Found::default();
    for (index, account) in accounts.iter().enumerate() {
        let mine: Vec<&Line> = log.iter().filter(|line| line.account == index + 1).collect();
        found.orders += account.orders.len();
        found.acknowledgements += account.has_all_acknowledged(&mine);
        found.unanswered += account.has_nothing_invented(&mine);
        account.fills_are_its_trades();
        account.balances_are_what_happened();
    }
    found.trades = trades_have_two_sides(&accounts);
    nothing_is_made_or_lost(&accounts);
    found
}

impl Account {
    fn ask(client: &Client) -> Self {
        let mut orders = BTreeMap::new();
        for order in pages(client, "/api/v3/allOrders", "orderId", "orderId") {
            let name = text(&order, "clientOrderId");
            let twice = orders.insert(name, order);
            assert!(twice.is_none(), "there twice: {twice:?}");
        }
        let trades = pages(client, "/api/v3/myTrades", "fromId", "id");
        let account = client.signed(&Method::GET, "/api/v3/account", &[]).expect("an account has balances");
        let balances = account["balances"].as_array().expect("a list of balances").clone();
        Self { orders, trades, balances }
    }

    /// Every acknowledged order is there, in the state acknowledged or a later one.
    fn has_all_acknowledged(&self, log: &[&Line]) -> usize {
        let mut acknowledged = 0;
        for line in log {
            let order = self.orders.get(&line.name);
            let there = || order.unwrap_or_else(|| panic!("acknowledged and lost: {line:?}"));
            match &line.known {
                Known::Sent => continue,
                Known::Refused => assert!(order.is_none(), "refused and there: {order:?}"),
                Known::Placed { order_id, status, executed } => {
                    let order = there();
                    assert_eq!(order["orderId"], *order_id, "{line:?} {order}");
                    let (was, is) = (stage(status), stage(&text(order, "status")));
                    let filled = units(&text(order, "executedQty"));
                    assert!(is >= was && filled >= units(executed), "went back: {line:?} {order}");
                    if was == Stage::Ended {
                        assert_eq!(text(order, "status"), *status, "{line:?} {order}");
                        assert_eq!(filled, units(executed), "{line:?} {order}");
                    }
                }
                Known::Cancelled { executed } => {
                    let order = there();
                    assert_eq!(order["status"], "CANCELED", "{line:?} {order}");
                    assert_eq!(units(&text(order, "executedQty")), units(executed), "{line:?} {order}");
                }
            }
            acknowledged += 1;
        }
        acknowledged
    }

    /// Every order that is there was sent. Returns how many were sent and never answered.
    fn has_nothing_invented(&self, log: &[&Line]) -> usize {
        let sent: BTreeSet<&str> = log.iter().map(|line| line.name.as_str()).collect();
        for (name, order) in &self.orders {
            assert!(sent.contains(name.as_str()), "never sent: {order}");
        }
        let answered = log.iter().filter(|line| matches!(line.known, Known::Placed { .. } | Known::Refused));
        sent.len() - answered.count()
    }

    /// What an order has filled is the sum of its trades.
    fn fills_are_its_trades(&self) {
        let mut traded: BTreeMap<u64, (i128, i128)> = BTreeMap::new();
        for trade in &self.trades {
            let sum = traded.entry(trade["orderId"].as_u64().expect("an order id")).or_default();
            sum.0 += units(&text(trade, "qty"));
            sum.1 += units(&text(trade, "quoteQty"));
        }
        for order in self.orders.values() {
            let executed = (units(&text(order, "executedQty")), units(&text(order, "cummulativeQuoteQty")));
            let order_id = order["orderId"].as_u64().expect("an order id");
            assert_eq!(traded.remove(&order_id).unwrap_or_default(), executed, "{order}");
        }
        assert!(traded.is_empty(), "trades of orders that are not there: {traded:?}");
    }

    /// Each balance is what it began with and what its trades and fees did; what is locked is what its
    /// open orders need.
    fn balances_are_what_happened(&self) {
        let mut expected: BTreeMap<&str, i128> = START.into();
        let mut locked: BTreeMap<&str, i128> = BTreeMap::new();
        for trade in &self.trades {
            let (quantity, quote) = (units(&text(trade, "qty")), units(&text(trade, "quoteQty")));
            let buys = trade["isBuyer"] == true;
            let (received, given) = if buys {
                (("BTC", quantity), ("USDT", quote))
            } else {
                (("USDT", quote), ("BTC", quantity))
            };
            let commission = units(&text(trade, "commission"));
            assert_eq!(commission, fee(received.1), "{trade}");
            assert_eq!(trade["commissionAsset"], received.0, "{trade}");
            *expected.entry(received.0).or_default() += received.1 - commission;
            *expected.entry(given.0).or_default() -= given.1;
        }
        for order in self.orders.values().filter(|order| stage(&text(order, "status")) != Stage::Ended) {
            let left = units(&text(order, "origQty")) - units(&text(order, "executedQty"));
            if order["side"] == "BUY" {
                *locked.entry("USDT").or_default() += left * units(&text(order, "price")) / ONE;
            } else {
                *locked.entry("BTC").or_default() += left;
            }
        }
        for (asset, total) in expected {
            let (free, held) = self.balance(asset);
            assert_eq!(held, locked.get(asset).copied().unwrap_or_default(), "{asset} locked");
            assert_eq!(free + held, total, "{asset} in all");
        }
    }

    /// Free and locked.
    fn balance(&self, asset: &str) -> (i128, i128) {
        let row = self.balances.iter().find(|row| row["asset"] == asset).expect("a balance of each asset");
        (units(&text(row, "free")), units(&text(row, "locked")))
    }
}

/// Every trade has a buyer and a seller, a maker and a taker, of the same price and quantity; ids are
/// consecutive. Returns how many trades there are.
fn trades_have_two_sides(accounts: &[Account]) -> usize {
    let mut sides: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for trade in accounts.iter().flat_map(|account| &account.trades) {
        sides.entry(trade["id"].as_u64().expect("a trade id")).or_default().push(trade);
    }
    for (id, trades) in &sides {
        let [one, other] = trades[..] else { panic!("trade {id} has not two sides: {trades:?}") };
        for name in ["price", "qty", "quoteQty", "time"] {
            assert_eq!(one[name], other[name], "{one} {other}");
        }
        for name in ["isBuyer", "isMaker"] {
            assert_ne!(one[name], other[name], "{one} {other}");
        }
    }
    if let (Some((first, _)), Some((last, _))) = (sides.first_key_value(), sides.last_key_value()) {
        assert_eq!(last - first + 1, sides.len() as u64, "trade ids {first} to {last} have gaps");
    }
    sides.len()
}

/// Of every asset there is what there was, fees included.
fn nothing_is_made_or_lost(accounts: &[Account]) {
    for (asset, start) in START {
        let held: i128 =
            accounts.iter().map(|account| account.balance(asset)).map(|(free, locked)| free + locked).sum();
        let charged = accounts.iter().flat_map(|account| &account.trades);
        let charged: i128 = charged
            .filter(|trade| trade["commissionAsset"] == asset)
            .map(|trade| units(&text(trade, "commission")))
            .sum();
        assert_eq!(held + charged, start * accounts.len() as i128, "{asset} of all");
    }
}

/// How far an order's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    New,
    PartiallyFilled,
    Ended,
}

fn stage(status: &str) -> Stage {
    match status {
        "NEW" => Stage::New,
        "PARTIALLY_FILLED" => Stage::PartiallyFilled,
        "FILLED" | "CANCELED" | "EXPIRED" | "EXPIRED_IN_MATCH" => Stage::Ended,
        status => panic!("no order status is called {status}"),
    }
}

/// All rows of a list that is paged by an id.
fn pages(client: &Client, path: &str, parameter: &str, id: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut from = 1;
    loop {
        let (page, from_text) = (PAGE.to_string(), from.to_string());
        let parameters = [("symbol", SYMBOL), ("limit", page.as_str()), (parameter, from_text.as_str())];
        let answer = client.signed(&Method::GET, path, &parameters).expect("an account's own list");
        let answer = answer.as_array().expect("a list").clone();
        let is_last = answer.len() < PAGE;
        if let Some(row) = answer.last() {
            from = row[id].as_u64().expect("an id") + 1;
        }
        rows.extend(answer);
        if is_last {
            return rows;
        }
    }
}
