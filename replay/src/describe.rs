//! Events and state in words and decimals. Refuses to know where they come from.

mod by_quote;
mod special;

pub(crate) use by_quote::ByQuote;

use engine_core::{Engine, ledger::balances::Balance};
use protocol::{
    AssetId, InstrumentId, Price, Quantity, Time,
    command::QuantityKind,
    decimal::print_units,
    event::{Event, OrderClosed},
};
use serde_json::{Map, Value, json};
use std::time::{Duration, UNIX_EPOCH};

/// A ledger amount as a decimal; what cannot be named is shown in ledger units.
pub(crate) fn amount(engine: &Engine, asset: AssetId, units: i64) -> String {
    let scale = engine.ledger().asset(asset).map_or(0, |asset| asset.scale);
    print_units(i128::from(units), scale)
}

/// A balance for a sentence.
pub(crate) fn balance(engine: &Engine, asset: AssetId, balance: Balance) -> String {
    let Balance { available, held } = balance;
    format!("{} available and {} held", amount(engine, asset, available), amount(engine, asset, held))
}

/// A time as people read it, UTC, to the nanosecond.
pub(crate) fn iso(time: Time) -> String {
    // A u64 of nanoseconds ends in 2554, well within what can be shown.
    humantime::format_rfc3339_nanos(UNIX_EPOCH + Duration::from_nanos(time.0)).to_string()
}

/// An asset's name.
pub(crate) fn asset(engine: &Engine, asset: AssetId) -> String {
    engine.ledger().asset(asset).map_or_else(|| asset.to_string(), |found| found.name.to_string())
}

/// An instrument's symbol.
pub(crate) fn symbol(engine: &Engine, instrument: InstrumentId) -> String {
    engine
        .market(instrument)
        .map_or_else(|| instrument.to_string(), |market| market.instrument.symbol.to_string())
}

pub(crate) fn price(engine: &Engine, instrument: InstrumentId, price: Price) -> String {
    let scale = engine.market(instrument).map_or(0, |market| market.instrument.price_scale);
    print_units(i128::from(price.0), scale)
}

pub(crate) fn quantity(engine: &Engine, instrument: InstrumentId, quantity: Quantity) -> String {
    let scale = engine.market(instrument).map_or(0, |market| market.instrument.quantity_scale);
    print_units(i128::from(quantity.0), scale)
}

/// The assets that a trade's maker and taker receive.
pub(crate) fn received(
    engine: &Engine,
    instrument: InstrumentId,
    taker_side: protocol::Side,
) -> (AssetId, AssetId) {
    let Some(market) = engine.market(instrument) else { return (AssetId(0), AssetId(0)) };
    match taker_side {
        protocol::Side::Buy => (market.instrument.quote, market.instrument.base),
        protocol::Side::Sell => (market.instrument.base, market.instrument.quote),
    }
}

/// A business key.
pub(crate) fn reference(words: [u64; 2]) -> String {
    (u128::from(words[1]) << 64 | u128::from(words[0])).to_string()
}

/// What was left of an order that closed, in the unit that its quantity was in.
fn left(engine: &Engine, order: &OrderClosed, by_quote: &ByQuote) -> String {
    match engine.market(order.instrument) {
        Some(market) if by_quote.has(order.order_id) => {
            amount(engine, market.instrument.quote, order.leaves.0 as i64)
        }
        _ => quantity(engine, order.instrument, order.leaves),
    }
}

/// An event's name and fields. `by_quote` has taken note of it.
pub(crate) fn event(
    engine: &Engine,
    event: &Event,
    by_quote: &ByQuote,
) -> (&'static str, Map<String, Value>) {
    let word = |word: &dyn std::fmt::Debug| format!("{word:?}");
    let (name, fields) = match event {
        Event::OrderAccepted(order, id, terms) => {
            let at = order.instrument;
            let wanted = match (order.quantity_kind, engine.market(at)) {
                (QuantityKind::Quote, Some(market)) => {
                    amount(engine, market.instrument.quote, order.quantity.0 as i64)
                }
                _ => quantity(engine, at, order.quantity),
            };
            (
                "OrderAccepted",
                json!({
                    "order_id": order.order_id.0, "client_order_id": id.map(|id| id.to_string()),
                    "account": order.account.0, "instrument": symbol(engine, at), "side": word(&order.side),
                    "order_type": word(&order.order_type), "time_in_force": word(&order.time_in_force),
                    "price": price(engine, at, order.price), "quantity": wanted,
                    "quantity_kind": word(&order.quantity_kind), "expires_at": order.expires_at.0,
                    "rests": order.rests == 1,
                    "terms": terms.map(|terms| special::terms(engine, at, &terms)),
                }),
            )
        }
        Event::OrderRested(order) => (
            "OrderRested",
            json!({
                "order_id": order.order_id.0, "account": order.account.0,
                "instrument": symbol(engine, order.instrument), "side": word(&order.side),
                "price": price(engine, order.instrument, order.price),
                "leaves_qty": quantity(engine, order.instrument, order.leaves),
            }),
        ),
        Event::Trade(trade) => {
            let at = trade.instrument;
            let (to_maker, to_taker) = received(engine, at, trade.taker_side);
            (
                "Trade",
                json!({
                    "trade_id": trade.trade_id.0, "instrument": symbol(engine, at),
                    "price": price(engine, at, trade.price), "last_qty": quantity(engine, at, trade.quantity),
                    "taker_side": word(&trade.taker_side),
                    "maker_order_id": trade.maker_order_id.0, "taker_order_id": trade.taker_order_id.0,
                    "maker_account": trade.maker_account.0, "taker_account": trade.taker_account.0,
                    "maker_fee": amount(engine, to_maker, trade.maker_fee), "maker_fee_asset": asset(engine, to_maker),
                    "taker_fee": amount(engine, to_taker, trade.taker_fee), "taker_fee_asset": asset(engine, to_taker),
                    "maker_filled": trade.maker_filled == 1,
                }),
            )
        }
        Event::OrderClosed(order, id) => (
            "OrderClosed",
            json!({
                "order_id": order.order_id.0, "account": order.account.0,
                "instrument": symbol(engine, order.instrument), "side": word(&order.side),
                "leaves_qty": left(engine, order, by_quote), "reason": word(&order.reason),
                "rested": order.rested == 1, "request_id": id.map(|id| id.to_string()),
            }),
        ),
        Event::OrderAmended(order, id) => (
            "OrderAmended",
            json!({
                "order_id": order.order_id.0, "account": order.account.0,
                "instrument": symbol(engine, order.instrument), "side": word(&order.side),
                "price": price(engine, order.instrument, order.price),
                "old_leaves_qty": quantity(engine, order.instrument, order.old_leaves),
                "leaves_qty": quantity(engine, order.instrument, order.new_leaves),
                "client_order_id": id.map(|id| id.to_string()),
            }),
        ),
        Event::TradePrevented(prevented) => (
            "TradePrevented",
            json!({
                "prevented_match_id": prevented.prevented_match_id,
                "instrument": symbol(engine, prevented.instrument), "mode": word(&prevented.mode),
                "maker_order_id": prevented.maker_order_id.0, "taker_order_id": prevented.taker_order_id.0,
                "maker_account": prevented.maker_account.0, "taker_account": prevented.taker_account.0,
                "price": price(engine, prevented.instrument, prevented.price),
                "quantity": quantity(engine, prevented.instrument, prevented.quantity),
            }),
        ),
        Event::Transferred(moved) => (
            "Transferred",
            json!({
                "account": moved.account.0, "to": moved.to.0, "asset": asset(engine, moved.asset),
                "amount": amount(engine, moved.asset, moved.amount), "reference": reference(moved.reference),
            }),
        ),
        Event::HoldOpened(hold) => (
            "HoldOpened",
            json!({
                "hold_id": hold.hold_id.0, "account": hold.account.0, "asset": asset(engine, hold.asset),
                "amount": amount(engine, hold.asset, hold.amount), "purpose": hold.purpose,
                "expires_at": hold.expires_at.0, "reference": reference(hold.reference),
            }),
        ),
        Event::HoldCaptured(hold) => (
            "HoldCaptured",
            json!({
                "hold_id": hold.hold_id.0, "account": hold.account.0, "to": hold.to.0,
                "asset": asset(engine, hold.asset), "amount": amount(engine, hold.asset, hold.amount),
                "released": amount(engine, hold.asset, hold.released), "closed": hold.closed == 1,
                "reference": reference(hold.reference),
            }),
        ),
        Event::HoldReleased(hold) => (
            "HoldReleased",
            json!({
                "hold_id": hold.hold_id.0, "account": hold.account.0, "asset": asset(engine, hold.asset),
                "amount": amount(engine, hold.asset, hold.amount), "closed": hold.closed == 1,
                "expired": hold.expired == 1, "reference": reference(hold.reference),
            }),
        ),
        Event::HoldExtended(hold) => (
            "HoldExtended",
            json!({
                "hold_id": hold.hold_id.0, "account": hold.account.0, "expires_at": hold.expires_at.0,
            }),
        ),
        Event::AccountOpened(opened) => (
            "AccountOpened",
            json!({
                "account": opened.account.0, "trade_group": opened.trade_group, "fee_tier": opened.fee_tier,
            }),
        ),
        Event::AccountSuspended(suspended) => (
            "AccountSuspended",
            json!({
                "account": suspended.account.0, "resting_orders": word(&suspended.resting_orders),
            }),
        ),
        Event::AccountResumed(resumed) => ("AccountResumed", json!({"account": resumed.account.0})),
        Event::LimitsSet(set) => {
            let limits = &set.limits;
            (
                "LimitsSet",
                json!({
                    "account": limits.account.0, "asset": asset(engine, limits.asset),
                    "max_open_orders": limits.max_open_orders,
                    "max_order_notional": amount(engine, limits.asset, limits.max_order_notional),
                    "max_open_notional": amount(engine, limits.asset, limits.max_open_notional),
                }),
            )
        }
        Event::AssetCreated(created) => (
            "AssetCreated",
            json!({
                "asset": created.name.to_string(), "asset_id": created.asset.0, "scale": created.scale,
                "account": created.external.0,
                "max_supply": amount(engine, created.asset, created.max_supply),
            }),
        ),
        Event::InstrumentCreated(created) => ("InstrumentCreated", instrument(engine, &created.instrument)),
        Event::InstrumentChanged(changed) => ("InstrumentChanged", instrument(engine, &changed.instrument)),
        Event::FeeTierSet(set) => (
            "FeeTierSet",
            json!({
                "instrument": symbol(engine, set.instrument), "tier": set.tier,
                "maker": print_units(i128::from(set.rates.maker.0), 8),
                "taker": print_units(i128::from(set.rates.taker.0), 8),
            }),
        ),
        Event::FeeTierAssigned(assigned) => {
            ("FeeTierAssigned", json!({"account": assigned.account.0, "tier": assigned.tier}))
        }
        Event::RulesActivated(activated) => ("RulesActivated", json!({"version": activated.version})),
        Event::SourceResumed(resumed) => {
            ("SourceResumed", json!({"source": resumed.source.0, "next_number": resumed.next.0}))
        }
        other => special::event(engine, other, by_quote),
    };
    match fields {
        Value::Object(fields) => (name, fields),
        _ => (name, Map::new()),
    }
}

fn instrument(engine: &Engine, instrument: &protocol::Instrument) -> Value {
    json!({
        "instrument": instrument.symbol.to_string(), "instrument_id": instrument.id.0,
        "base": asset(engine, instrument.base), "quote": asset(engine, instrument.quote),
        "status": format!("{:?}", instrument.status),
        "tick_size": print_units(i128::from(instrument.filters.tick_size.0), instrument.price_scale),
        "lot_size": print_units(i128::from(instrument.filters.lot_size.0), instrument.quantity_scale),
        "maker": print_units(i128::from(instrument.fees.maker.0), 8),
        "taker": print_units(i128::from(instrument.fees.taker.0), 8),
    })
}
