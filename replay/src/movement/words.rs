//! A movement in a sentence, as one would tell the account's owner. Refuses to know balances.

use super::{Movement, MovementKind, Role};
use crate::describe::{amount, asset, price, quantity, reference, symbol};
use engine_core::Engine;
use protocol::{
    InstrumentId, OrderId, OrderType, Price, Side,
    command::QuantityKind,
    event::{Event, OrderAccepted, Trade},
    order::CloseReason,
};

/// What orders accepted in one command are called: a fill that follows says what kind of order it
/// was without looking back.
#[derive(Debug, Default)]
pub(crate) struct Named(Vec<(OrderId, String)>);

impl Named {
    /// The next command begins.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes note of an order that was accepted.
    pub(crate) fn note(&mut self, engine: &Engine, event: &Event) {
        if let Event::OrderAccepted(order, id, _) = event {
            let id = id.map(|id| format!(", client order id {id}")).unwrap_or_default();
            self.0.push((order.order_id, format!("order {} ({}{id})", order.order_id, terms(engine, order))));
        }
    }

    fn get(&self, order_id: OrderId) -> String {
        let found = self.0.iter().find(|(id, _)| *id == order_id);
        found.map_or_else(|| format!("order {order_id}"), |(_, name)| name.clone())
    }
}

/// What moved the money, in words.
pub(crate) fn words(engine: &Engine, event: &Event, movement: &Movement, named: &Named) -> String {
    let order = |id, at, side, at_price| placed(engine, named, id, at, side, at_price);
    let sum = amount(engine, movement.asset, movement.held.abs().max(movement.available.abs()));
    let sum = format!("{sum} {}", asset(engine, movement.asset));
    match event {
        Event::OrderAccepted(accepted, ..) => {
            let waits = if accepted.rests == 2 { ", until it is triggered" } else { "" };
            format!("{} set {sum} aside{waits}", named.get(accepted.order_id))
        }
        Event::OrderRested(rested) => {
            let leaves = quantity(engine, rested.instrument, rested.leaves);
            let order = order(rested.order_id, rested.instrument, rested.side, rested.price);
            format!("{leaves} of {order} rest and set {sum} aside")
        }
        Event::OrderClosed(closed, _) => {
            let order = order(closed.order_id, closed.instrument, closed.side, closed.price);
            format!("{order} gave back {sum}: {}", ended(closed.reason))
        }
        Event::OrderAmended(amended, _) => {
            let order = order(amended.order_id, amended.instrument, amended.side, amended.price);
            let leaves = quantity(engine, amended.instrument, amended.new_leaves);
            format!("{order} gave back {sum}: its owner made it smaller, {leaves} are left")
        }
        Event::OrderTriggered(triggered) => {
            let order = order(triggered.order_id, triggered.instrument, triggered.side, triggered.price);
            let last = price(engine, triggered.instrument, triggered.last_price);
            format!(
                "{order} gave back {sum}: the last price {last} triggered it, and it goes in as a new order"
            )
        }
        Event::OrderActivated(activated) => {
            let order = order(activated.order_id, activated.instrument, activated.side, activated.price);
            format!("{order} set {sum} aside: the working order of its list is filled, and its turn came")
        }
        Event::ReserveChanged(changed) => {
            let order = order(changed.order_id, changed.instrument, changed.side, changed.price);
            let did = if movement.held > 0 { "set aside" } else { "no longer set aside" };
            format!("{sum} {did} for what {order}, an iceberg, keeps out of sight")
        }
        Event::ListHoldChanged(list) => {
            let id = list.list_id;
            if movement.held < 0 {
                format!("the two legs of order list {id} hold once, not twice: {sum} given back")
            } else {
                format!(
                    "the two legs of order list {id} no longer hold together: {sum} set aside for the one that stays"
                )
            }
        }
        Event::TradePrevented(prevented) => {
            let side = prevented.taker_side.opposite();
            let order = order(prevented.maker_order_id, prevented.instrument, side, prevented.price);
            let other = prevented.taker_order_id;
            format!(
                "{order} gave back {sum}: self-trade prevention made it smaller where it met order {other}"
            )
        }
        Event::Trade(trade) => fill(engine, trade, movement, named, &sum, ""),
        Event::AuctionTrade(auction) => {
            fill(engine, &auction.trade, movement, named, &sum, " in a call auction")
        }
        other => ledger(other, movement, &sum),
    }
}

fn fill(
    engine: &Engine,
    trade: &Trade,
    movement: &Movement,
    named: &Named,
    sum: &str,
    auction: &str,
) -> String {
    let at = trade.instrument;
    let of = format!("trade {} of {}", trade.trade_id, symbol(engine, at));
    let Some(Role { is_maker, order_id, counterparty }) = movement.role else {
        let given = if movement.available < 0 { "rebate" } else { "fee" };
        return format!("{given} of {sum} for {of}");
    };
    let role = if is_maker { "maker" } else { "taker" };
    let traded = quantity(engine, at, trade.quantity);
    let (base, quote) = engine.market(at).map_or_else(Default::default, |market| {
        (asset(engine, market.instrument.base), asset(engine, market.instrument.quote))
    });
    let price = price(engine, at, trade.price);
    let fill = format!(
        "{traded} {base} at {price} {quote}{auction}, as {role}: {} against order {counterparty}, {of}",
        named.get(order_id)
    );
    match movement.kind {
        MovementKind::Bought => format!("bought {fill}"),
        MovementKind::Sold => format!("sold {fill}"),
        MovementKind::Paid => format!("paid {sum} for {fill}"),
        MovementKind::Proceeds => format!("received {sum} for {fill}"),
        MovementKind::Fee => format!("fee of {sum} as {role}, order {order_id}, {of}"),
        MovementKind::Rebate => format!("rebate of {sum} as {role}, order {order_id}, {of}"),
        // The only other part of a fill that has an order.
        _ => format!(
            "order {order_id} gave back {sum}: the auction's price {price} is better than its limit, {of}"
        ),
    }
}

/// The ledger's own operations.
fn ledger(event: &Event, movement: &Movement, sum: &str) -> String {
    let keyed = |key| match reference(key).as_str() {
        "0" => String::new(),
        key => format!(" (reference {key})"),
    };
    match event {
        Event::Transferred(moved) => {
            let (from, to, key) = (moved.account, moved.to, keyed(moved.reference));
            match (movement.kind, movement.available < 0) {
                (MovementKind::Deposit, false) => {
                    format!("deposit of {sum} from external account {from}{key}")
                }
                (MovementKind::Deposit, true) => format!("{sum} came from outside, for account {to}{key}"),
                (MovementKind::Withdrawal, true) => {
                    format!("withdrawal of {sum} to external account {to}{key}")
                }
                (MovementKind::Withdrawal, false) => format!("{sum} left, from account {from}{key}"),
                (_, true) => format!("{sum} transferred to account {to}{key}"),
                (_, false) => format!("{sum} transferred from account {from}{key}"),
            }
        }
        Event::HoldOpened(hold) => {
            let key = keyed(hold.reference);
            format!("hold {} of {sum} opened for purpose {}{key}", hold.hold_id, hold.purpose)
        }
        Event::HoldCaptured(hold) => {
            let (id, to, key) = (hold.hold_id, hold.to, keyed(hold.reference));
            match movement.kind {
                MovementKind::HoldReleased => {
                    format!("hold {id} gave back {sum}: its last capture left so much{key}")
                }
                MovementKind::Withdrawal if movement.held != 0 => {
                    format!("withdrawal of {sum} to external account {to}, from hold {id}{key}")
                }
                MovementKind::Captured => format!("{sum} of hold {id} captured by account {to}{key}"),
                _ => format!("{sum} received from hold {id} of account {}{key}", hold.account),
            }
        }
        Event::HoldReleased(hold) => {
            let why = if hold.expired == 1 { "its time came" } else { "it was released" };
            format!("hold {} gave back {sum}: {why}{}", hold.hold_id, keyed(hold.reference))
        }
        // Every event that moves money was told above; a new one says at least its name.
        other => format!("{sum} moved by {other:?}"),
    }
}

/// An order by its id, and what it is: from its acceptance in the same command, or its limit.
fn placed(
    engine: &Engine,
    named: &Named,
    order_id: OrderId,
    at: InstrumentId,
    side: Side,
    at_price: Price,
) -> String {
    if named.0.iter().any(|(id, _)| *id == order_id) {
        return named.get(order_id);
    }
    let side = word(side);
    format!("order {order_id} ({side} {} at {})", symbol(engine, at), price(engine, at, at_price))
}

fn word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

fn terms(engine: &Engine, order: &OrderAccepted) -> String {
    let at = order.instrument;
    let kind = match order.order_type {
        OrderType::Limit => "limit",
        OrderType::Market => "market",
        OrderType::LimitMaker => "post-only limit",
        OrderType::StopLoss => "stop-loss market",
        OrderType::StopLossLimit => "stop-loss limit",
        OrderType::TakeProfit => "take-profit market",
        OrderType::TakeProfitLimit => "take-profit limit",
    };
    let wanted = match (order.quantity_kind, engine.market(at)) {
        (QuantityKind::Quote, Some(market)) => {
            let quote = market.instrument.quote;
            // An order by quote is bounded by the asset's supply, far below 2^63.
            format!("for {} {}", amount(engine, quote, order.quantity.0 as i64), asset(engine, quote))
        }
        _ => quantity(engine, at, order.quantity),
    };
    let limit = match (order.order_type, order.price) {
        (_, Price(0)) => String::new(),
        (OrderType::StopLoss | OrderType::TakeProfit, bound) => {
            format!(", protected at {}", price(engine, at, bound))
        }
        (_, limit) => format!(" at {}", price(engine, at, limit)),
    };
    format!("{kind} {} {} {wanted}{limit}", word(order.side), symbol(engine, at))
}

fn ended(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Cancelled => "its owner cancelled it",
        CloseReason::Replaced => "its owner replaced it",
        CloseReason::NoMoreLiquidity => "the book had no more at its price, and it does not rest",
        CloseReason::NotFillableWhole => "it could not be filled whole at once",
        CloseReason::TimeReached => "its time came and it expired",
        CloseReason::SelfTrade => "self-trade prevention ended it",
        CloseReason::AccountSuspended => "its account was suspended",
        CloseReason::ByOperator => "the operator cancelled it",
        CloseReason::ProtectionPrice => "it reached the protection price",
        CloseReason::LessThanOneLot => "what is left is worth less than one lot",
        CloseReason::ListContingency => "another order of its list traded, triggered or left",
        CloseReason::InsufficientBalance => "there was not enough available when its turn came",
        CloseReason::Delisted => "its instrument was delisted",
        CloseReason::CancelTimer => "its account's cancel timer ran out",
        CloseReason::KillSwitch => "its account's kill switch is on",
        CloseReason::SessionClosed => "the session that placed it ended",
        CloseReason::WouldTake => "it is post-only and would have taken",
    }
}
