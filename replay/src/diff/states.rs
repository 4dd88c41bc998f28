//! Two states side by side: accounts, balances, orders, holds, instruments, sources. Refuses to know
//! how they came about.

use super::Difference;
use crate::describe::{self, ByQuote};
use engine_core::{
    Books as _, Engine, RestingOrder,
    books::{PENDING, TRADED, WAITING},
    ledger::{
        accounts::{Account, Limits},
        balances::Balance,
        holds::Hold,
    },
};
use protocol::{
    AccountId, AssetId, ClientOrderId, HoldId, Instrument, InstrumentId, OrderId, Price, Quantity, SourceId,
    SourceNumber, event::Event,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Sources have numbers below this.
const SOURCES: u32 = 1_024;

/// What a state says about something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Account(AccountId),
    Balance(AccountId, AssetId),
    Order(OrderId),
    Hold(HoldId),
    Instrument(InstrumentId),
    Source(SourceId),
}

#[derive(Clone, Debug, PartialEq)]
enum Fact {
    Account(Account, Option<Limits>),
    Balance(Balance),
    Order(RestingOrder, Quantity, Option<ClientOrderId>),
    Hold(Hold),
    Instrument(Box<Instrument>, u64, Option<Price>),
    Source(SourceNumber),
}

/// Adds what differs between two states; their hashes tell whether there is more than is listed.
pub(super) fn compare(left: &Engine, right: &Engine, differences: &mut Vec<Difference>) {
    let (one, other) = (left.state_hash(), right.state_hash());
    if one == other {
        return;
    }
    let (ones, others) = (facts(left), facts(right));
    let topics: BTreeSet<&Topic> = ones.keys().chain(others.keys()).collect();
    for topic in topics {
        let (fact, another) = (ones.get(topic), others.get(topic));
        if fact != another {
            let told = |engine, fact: Option<&Fact>| {
                fact.map_or_else(|| "-".to_owned(), |fact| tell(engine, topic, fact))
            };
            let what = what(if fact.is_some() { left } else { right }, topic);
            differences.push(Difference::new(what, told(left, fact), told(right, another)));
        }
    }
    differences.push(Difference::new("the state's hash", one.to_string(), other.to_string()));
}

/// Adds in which fields the events of one command differ.
pub(super) fn events(engines: [&Engine; 2], events: [&[Event]; 2], differences: &mut Vec<Difference>) {
    let mut by_quote = [ByQuote::default(), ByQuote::default()];
    for index in 0..events[0].len().max(events[1].len()) {
        let [one, other] = [0, 1].map(|side: usize| {
            let event = events[side].get(index)?;
            by_quote[side].note(event);
            Some(describe::event(engines[side], event, &by_quote[side]))
        });
        match (one, other) {
            (Some((name, fields)), Some((same, others))) if name == same => {
                for (field, value) in &fields {
                    let another = others.get(field).unwrap_or(&Value::Null);
                    if value != another {
                        let what = format!("event {index}, {name}: {field}");
                        differences.push(Difference::new(what, plain(value), plain(another)));
                    }
                }
            }
            (one, other) => {
                let name = |side: Option<(&'static str, _)>| side.map_or("-", |(name, _)| name);
                differences.push(Difference::new(format!("event {index}"), name(one), name(other)));
            }
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn facts(engine: &Engine) -> BTreeMap<Topic, Fact> {
    let mut facts = BTreeMap::new();
    let ledger = engine.ledger();
    for (id, account) in ledger.accounts.iter() {
        let limits = ledger.accounts.limits(id).cloned();
        facts.insert(Topic::Account(id), Fact::Account(*account, limits));
        for market in engine.markets() {
            let at = market.instrument.id;
            let books = engine.books();
            for handle in std::iter::successors(books.newest(id, at), |handle| books.older(*handle)) {
                let mut order = *books.order(handle);
                // The highest bits are the books' own.
                order.flags &= WAITING | PENDING | TRADED;
                let fact = Fact::Order(order, books.executed(handle), books.client_order_id(handle));
                facts.insert(Topic::Order(order.order_id), fact);
            }
        }
    }
    for (asset, account, balance) in ledger.balances.iter() {
        facts.insert(Topic::Balance(account, asset), Fact::Balance(balance));
    }
    for (id, hold) in ledger.holds.iter() {
        facts.insert(Topic::Hold(id), Fact::Hold(*hold));
    }
    for market in engine.markets() {
        let fact = Fact::Instrument(Box::new(market.instrument), market.trades(), market.last_price());
        facts.insert(Topic::Instrument(market.instrument.id), fact);
    }
    for source in (0..SOURCES).map(SourceId) {
        facts.insert(Topic::Source(source), Fact::Source(engine.next_number(source)));
    }
    facts
}

fn what(engine: &Engine, topic: &Topic) -> String {
    match topic {
        Topic::Account(id) => format!("account {id}"),
        Topic::Balance(account, asset) => {
            format!("balance of account {account} in {}", describe::asset(engine, *asset))
        }
        Topic::Order(id) => format!("order {id}"),
        Topic::Hold(id) => format!("hold {id}"),
        Topic::Instrument(id) => format!("instrument {}", describe::symbol(engine, *id)),
        Topic::Source(id) => format!("the next number of source {id}"),
    }
}

fn tell(engine: &Engine, topic: &Topic, fact: &Fact) -> String {
    match fact {
        Fact::Account(account, limits) => match limits {
            Some(limits) => format!("{account:?}, {limits:?}"),
            None => format!("{account:?}"),
        },
        Fact::Balance(balance) => {
            let Topic::Balance(_, asset) = topic else { return format!("{balance:?}") };
            describe::balance(engine, *asset, *balance)
        }
        Fact::Order(order, executed, name) => {
            let at = order.instrument;
            let phase = match order.flags & (WAITING | PENDING) {
                0 => "",
                WAITING => ", waits for its trigger",
                _ => ", waits for its list",
            };
            let name = name.map(|name| format!(", client order id {name}")).unwrap_or_default();
            format!(
                "{:?} {} {} at {}, {} filled, account {}{name}{phase}",
                order.side,
                describe::symbol(engine, at),
                describe::quantity(engine, at, order.leaves),
                describe::price(engine, at, order.price),
                describe::quantity(engine, at, *executed),
                order.account
            )
        }
        Fact::Hold(hold) => format!(
            "{} {} of account {}, purpose {}",
            describe::amount(engine, hold.asset, hold.rest),
            describe::asset(engine, hold.asset),
            hold.account,
            hold.purpose
        ),
        Fact::Instrument(instrument, trades, last) => {
            let last = last.map_or("-".to_owned(), |last| describe::price(engine, instrument.id, last));
            format!(
                "{:?}, {trades} trades, last price {last}, {:?}, {:?}",
                instrument.status, instrument.fees, instrument.filters
            )
        }
        Fact::Source(number) => number.to_string(),
    }
}
