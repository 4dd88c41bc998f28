//! The events of orders that are not plain, of auctions and of what stops trading, in words.
//! Refuses to know where they come from.

use super::{ByQuote, amount, asset, price, quantity, symbol};
use engine_core::Engine;
use protocol::{InstrumentId, event::Event, terms::AcceptedTerms};
use serde_json::{Value, json};

/// What an order asks beyond its fixed part.
pub(super) fn terms(engine: &Engine, at: InstrumentId, accepted: &AcceptedTerms) -> Value {
    let terms = &accepted.terms;
    json!({
        "phase": format!("{:?}", accepted.phase), "order_list_id": accepted.list_id.0,
        "trigger_price": price(engine, at, accepted.trigger_price),
        "stop_price": price(engine, at, terms.stop_price), "trailing_delta": terms.trailing_delta,
        "visible_qty": quantity(engine, at, terms.visible_quantity), "peg": format!("{:?}", terms.peg),
        "peg_offset": terms.peg_offset, "session": terms.session,
        "strategy_id": terms.strategy_id, "strategy_type": terms.strategy_type,
    })
}

/// An event's name and fields.
pub(super) fn event(engine: &Engine, event: &Event, by_quote: &ByQuote) -> (&'static str, Value) {
    let word = |word: &dyn std::fmt::Debug| format!("{word:?}");
    match event {
        Event::OrderTriggered(order) => (
            "OrderTriggered",
            json!({
                "order_id": order.order_id.0, "account": order.account.0,
                "instrument": symbol(engine, order.instrument), "side": word(&order.side),
                "order_type": word(&order.order_type),
                "price": price(engine, order.instrument, order.price),
                "quantity": quantity(engine, order.instrument, order.quantity),
                "last_price": price(engine, order.instrument, order.last_price),
            }),
        ),
        Event::OrderActivated(order) => (
            "OrderActivated",
            json!({
                "order_id": order.order_id.0, "account": order.account.0,
                "instrument": symbol(engine, order.instrument), "side": word(&order.side),
                "phase": word(&order.phase), "price": price(engine, order.instrument, order.price),
                "quantity": quantity(engine, order.instrument, order.quantity),
                "trigger_price": price(engine, order.instrument, order.trigger_price),
            }),
        ),
        Event::ReserveChanged(order) => (
            "ReserveChanged",
            json!({
                "order_id": order.order_id.0, "account": order.account.0,
                "instrument": symbol(engine, order.instrument), "side": word(&order.side),
                "price": price(engine, order.instrument, order.price),
                "old_reserve_qty": quantity(engine, order.instrument, order.old),
                "reserve_qty": quantity(engine, order.instrument, order.new),
            }),
        ),
        Event::OrderListChanged(list, id) => (
            "OrderListChanged",
            json!({
                "order_list_id": list.list_id.0, "account": list.account.0,
                "instrument": symbol(engine, list.instrument), "contingency": word(&list.contingency),
                "status": word(&list.status), "list_client_order_id": id.map(|id| id.to_string()),
                "orders": list.orders.iter().map(|id| id.0).filter(|id| *id != 0).collect::<Vec<_>>(),
            }),
        ),
        Event::ListHoldChanged(list) => (
            "ListHoldChanged",
            json!({
                "order_list_id": list.list_id.0, "account": list.account.0,
                "asset": asset(engine, list.asset), "held": amount(engine, list.asset, list.held),
            }),
        ),
        other => market_event(engine, other, by_quote),
    }
}

fn market_event(engine: &Engine, event: &Event, by_quote: &ByQuote) -> (&'static str, Value) {
    let word = |word: &dyn std::fmt::Debug| format!("{word:?}");
    match event {
        Event::AuctionHeld(auction) => (
            "AuctionHeld",
            json!({
                "instrument": symbol(engine, auction.instrument),
                "price": price(engine, auction.instrument, auction.price),
                "quantity": quantity(engine, auction.instrument, auction.quantity),
                "surplus": quantity(engine, auction.instrument, auction.surplus),
                "surplus_side": word(&auction.surplus_side),
            }),
        ),
        Event::AuctionTrade(auction) => {
            let (name, mut fields) = super::event(engine, &Event::Trade(auction.trade), by_quote);
            debug_assert!(name == "Trade", "an auction's trade is told as any other");
            let at = auction.trade.instrument;
            fields.insert("maker_price".to_owned(), price(engine, at, auction.maker_price).into());
            fields.insert("taker_price".to_owned(), price(engine, at, auction.taker_price).into());
            fields.insert("taker_filled".to_owned(), (auction.taker_filled == 1).into());
            ("AuctionTrade", Value::Object(fields))
        }
        Event::InstrumentHalted(halted) => (
            "InstrumentHalted",
            json!({
                "instrument": symbol(engine, halted.instrument),
                "last_price": price(engine, halted.instrument, halted.last_price),
                "from_price": price(engine, halted.instrument, halted.from_price),
                "reopens_at": halted.reopens_at.0,
            }),
        ),
        Event::KillSwitchSet(set) => {
            ("KillSwitchSet", json!({"account": set.account.0, "switch": word(&set.switch)}))
        }
        Event::CancelTimerSet(set) => {
            ("CancelTimerSet", json!({"account": set.account.0, "due_at": set.due_at.0}))
        }
        Event::SessionEnded(ended) => {
            ("SessionEnded", json!({"gateway": ended.source.0, "session": ended.session}))
        }
        Event::OrderFiltersSet(set) => {
            let (at, filters) = (set.set.instrument, &set.set.filters);
            (
                "OrderFiltersSet",
                json!({
                    "instrument": symbol(engine, at), "max_algo_orders": filters.max_algo_orders,
                    "max_iceberg_orders": filters.max_iceberg_orders,
                    "max_order_lists": filters.max_order_lists, "max_order_amends": filters.max_order_amends,
                    "min_trailing_above": filters.min_trailing_above,
                    "max_trailing_above": filters.max_trailing_above,
                    "min_trailing_below": filters.min_trailing_below,
                    "max_trailing_below": filters.max_trailing_below,
                    "max_position": quantity(engine, at, filters.max_position),
                }),
            )
        }
        Event::BreakerSet(set) => (
            "BreakerSet",
            json!({
                "instrument": symbol(engine, set.set.instrument), "band": set.set.breaker.band,
                "window": set.set.breaker.window, "halt": set.set.breaker.halt,
            }),
        ),
        // The others are told where this is asked from.
        _ => ("Unknown", json!({})),
    }
}
