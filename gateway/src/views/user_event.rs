//! What an account's own stream says, as JSON in the dialect's keys (§9): every key always, since
//! clients refuse a report that lacks one. Refuses to know when and to whom.

use super::{
    Asset, Balance, Listing, Order, OrderList, OwnTrade, Prevention, TimeUnit, Units, market_stream::json,
    words,
};
use protocol::{ClientOrderId, Price, Time, terms::PegPrice};
use serde::Serialize;

/// What happened to the order of a report.
#[derive(Clone, Copy, Debug)]
pub(super) enum Execution {
    /// It was accepted.
    New,
    /// It was cancelled by a request of this name.
    Canceled(ClientOrderId),
    /// It was amended; this was its name before.
    Replaced(ClientOrderId),
    /// It traded.
    Trade(OwnTrade),
    /// It ended by its own terms.
    Expired,
    /// Self-trade prevention touched or ended it.
    TradePrevention,
}

/// One report: an order as it is after what happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExecutionReport<'a> {
    pub(super) listing: &'a Listing,
    pub(super) order: &'a Order,
    pub(super) execution: Execution,
    /// Twice the event's number, plus 1 for the maker's side.
    pub(super) execution_id: u64,
    /// The owner's trade group; 0 is none.
    pub(super) trade_group: u32,
    pub(super) time: Time,
}

#[derive(Serialize)]
struct ReportPayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    c: &'a str,
    #[serde(rename = "S")]
    side: &'a str,
    o: &'a str,
    f: &'a str,
    q: Units,
    p: Units,
    #[serde(rename = "P")]
    stop_price: Units,
    #[serde(rename = "F")]
    iceberg_quantity: Units,
    g: i64,
    #[serde(rename = "C")]
    original_client_order_id: &'a str,
    x: &'a str,
    #[serde(rename = "X")]
    status: &'a str,
    r: &'a str,
    i: u64,
    l: Units,
    z: Units,
    #[serde(rename = "L")]
    last_price: Units,
    n: Units,
    #[serde(rename = "N")]
    commission_asset: Option<&'a str>,
    #[serde(rename = "T")]
    time: u64,
    t: i64,
    #[serde(rename = "I")]
    execution_id: u64,
    w: bool,
    m: bool,
    #[serde(rename = "M")]
    ignored: bool,
    #[serde(rename = "O")]
    order_time: u64,
    #[serde(rename = "Z")]
    cumulative_quote: Units,
    #[serde(rename = "Y")]
    last_quote: Units,
    #[serde(rename = "Q")]
    quote_quantity: Units,
    #[serde(rename = "W", skip_serializing_if = "Option::is_none")]
    working_time: Option<u64>,
    #[serde(rename = "V")]
    self_trade_prevention: &'a str,
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    trailing_delta: Option<u32>,
    #[serde(rename = "D", skip_serializing_if = "Option::is_none")]
    trailing_time: Option<u64>,
    #[serde(rename = "j", skip_serializing_if = "Option::is_none")]
    strategy_id: Option<i64>,
    #[serde(rename = "J", skip_serializing_if = "Option::is_none")]
    strategy_type: Option<u32>,
    #[serde(rename = "eR", skip_serializing_if = "Option::is_none")]
    expiry_reason: Option<&'a str>,
    #[serde(flatten)]
    peg: Option<PegPayload<'a>>,
    #[serde(flatten)]
    prevention: Option<PreventionPayload<'a>>,
}

/// Said of pegged orders.
#[derive(Serialize)]
struct PegPayload<'a> {
    #[serde(rename = "gP")]
    price_type: &'a str,
    #[serde(rename = "gOT", skip_serializing_if = "Option::is_none")]
    offset_type: Option<&'a str>,
    #[serde(rename = "gOV", skip_serializing_if = "Option::is_none")]
    offset: Option<u8>,
    gp: Units,
}

/// Said of orders that self-trade prevention touched.
#[derive(Serialize)]
struct PreventionPayload<'a> {
    v: u64,
    #[serde(rename = "A")]
    prevented: Units,
    #[serde(rename = "B")]
    last_prevented: Units,
    u: i64,
    #[serde(rename = "U")]
    counter_order_id: u64,
    #[serde(rename = "Cs")]
    counter_symbol: &'a str,
    pl: Units,
    #[serde(rename = "pL")]
    price: Units,
    #[serde(rename = "pY")]
    quote: Units,
}

impl ExecutionReport<'_> {
    /// As JSON.
    pub(super) fn encode(&self, unit: TimeUnit) -> String {
        let Self { listing, order, execution, execution_id, time, .. } = *self;
        let name = order.client_order_id;
        let (x, shown, original) = match &execution {
            Execution::New => ("NEW", name, None),
            Execution::Canceled(request) => ("CANCELED", *request, Some(name)),
            Execution::Replaced(before) => ("REPLACED", name, Some(*before)),
            Execution::Trade(_) => ("TRADE", name, None),
            Execution::Expired => ("EXPIRED", name, None),
            Execution::TradePrevention => ("TRADE_PREVENTION", name, None),
        };
        let trade = if let Execution::Trade(trade) = &execution { Some(trade) } else { None };
        let received = trade.map(|trade| listing.received(trade.side));
        json(&ReportPayload {
            e: "executionReport",
            event_time: unit.of(time),
            s: listing.symbol(),
            c: shown.as_str(),
            side: words::side(order.side),
            o: words::order_type(order.order_type),
            f: words::time_in_force(order.order_type, order.time_in_force),
            q: listing.quantity(order.original_quantity().0),
            p: listing.price(order.price),
            stop_price: listing.price(order.stop_price()),
            iceberg_quantity: listing.quantity(order.terms.visible_quantity.0),
            g: order.shown_list_id(),
            original_client_order_id: original.as_ref().map_or("", ClientOrderId::as_str),
            x,
            status: order.status.text(),
            r: "NONE",
            i: order.order_id.0,
            l: listing.quantity(trade.map_or(0, |trade| trade.quantity.0)),
            z: listing.quantity(order.executed.0),
            last_price: listing.price(trade.map_or(Price(0), |trade| trade.price)),
            n: match (trade, received) {
                (Some(trade), Some(asset)) => asset.amount(trade.commission),
                _ => Units::ZERO,
            },
            commission_asset: received.map(|asset| asset.name.as_str()),
            time: unit.of(time),
            t: trade.map_or(-1, |trade| trade.trade_id.0 as i64), // ids fit 53 bits
            execution_id,
            w: order.is_working(),
            m: trade.is_some_and(|trade| trade.is_maker),
            ignored: false,
            order_time: unit.of(order.time),
            cumulative_quote: listing.quote.amount(order.cumulative_quote),
            last_quote: listing.quote.amount(trade.map_or(0, |trade| trade.quote)),
            quote_quantity: listing.quote.amount(order.original_quote_quantity()),
            working_time: order.working_time.map(|time| unit.of(time)),
            self_trade_prevention: words::self_trade_prevention(order.self_trade_prevention),
            trailing_delta: (order.terms.trailing_delta > 0).then_some(order.terms.trailing_delta),
            trailing_time: order.trailing_since.map(|time| unit.of(time)),
            strategy_id: (order.terms.strategy_id != 0).then_some(order.terms.strategy_id),
            strategy_type: (order.terms.strategy_type != 0).then_some(order.terms.strategy_type),
            expiry_reason: if x == "EXPIRED" { words::expiry_reason(order) } else { None },
            peg: self.peg(),
            prevention: order.last_prevention.map(|prevention| self.prevention(&prevention)),
        })
    }

    fn peg(&self) -> Option<PegPayload<'_>> {
        let terms = &self.order.terms;
        let is_offset = terms.peg_offset > 0;
        (terms.peg != PegPrice::None).then(|| PegPayload {
            price_type: words::peg_price(terms.peg),
            offset_type: is_offset.then_some("PRICE_LEVEL"),
            offset: is_offset.then_some(terms.peg_offset),
            gp: self.listing.price(self.order.price),
        })
    }

    fn prevention(&self, prevention: &Prevention) -> PreventionPayload<'_> {
        let Self { listing, order, .. } = self;
        let instrument = &listing.instrument;
        let quote = instrument.notional(prevention.price, prevention.quantity).unwrap_or_default();
        PreventionPayload {
            v: prevention.prevented_match_id,
            prevented: listing.quantity(order.prevented.0),
            last_prevented: listing.quantity(prevention.quantity.0),
            u: if self.trade_group == 0 { -1 } else { self.trade_group.into() },
            counter_order_id: prevention.counter_order_id.0,
            counter_symbol: listing.symbol(),
            pl: listing.quantity(prevention.quantity.0),
            price: listing.price(prevention.price),
            quote: listing.quote.amount(quote),
        }
    }
}

#[derive(Serialize)]
struct ListPayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    g: u64,
    c: &'a str,
    l: &'a str,
    #[serde(rename = "L")]
    order_status: &'a str,
    r: &'a str,
    #[serde(rename = "C")]
    client_order_id: &'a str,
    #[serde(rename = "T")]
    time: u64,
    #[serde(rename = "O")]
    orders: Vec<ListedPayload<'a>>,
}

#[derive(Serialize)]
struct ListedPayload<'a> {
    s: &'a str,
    i: u64,
    c: &'a str,
}

/// `listStatus`: where an order list stands.
pub(super) fn list_status(
    list: &OrderList,
    orders: &[Order],
    listing: &Listing,
    time: Time,
    unit: TimeUnit,
) -> String {
    let orders = orders.iter().map(|order| ListedPayload {
        s: listing.symbol(),
        i: order.order_id.0,
        c: order.client_order_id.as_str(),
    });
    json(&ListPayload {
        e: "listStatus",
        event_time: unit.of(time),
        s: listing.symbol(),
        g: list.list_id.0,
        c: list.contingency_text(),
        l: list.status_type_text(),
        order_status: list.order_status_text(),
        r: "NONE",
        client_order_id: list.client_order_id.as_str(),
        time: unit.of(time),
        orders: orders.collect(),
    })
}

#[derive(Serialize)]
struct PositionPayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    u: u64,
    #[serde(rename = "B")]
    balances: Vec<BalancePayload<'a>>,
}

#[derive(Serialize)]
struct BalancePayload<'a> {
    a: &'a str,
    f: Units,
    l: Units,
}

/// `outboundAccountPosition`: the balances that moved, as they are now.
pub(super) fn account_position(balances: &[(&Asset, Balance)], time: Time, unit: TimeUnit) -> String {
    let balances = balances.iter().map(|(asset, balance)| BalancePayload {
        a: asset.name.as_str(),
        f: asset.amount(balance.available),
        l: asset.amount(balance.held),
    });
    json(&PositionPayload {
        e: "outboundAccountPosition",
        event_time: unit.of(time),
        u: unit.of(time),
        balances: balances.collect(),
    })
}

#[derive(Serialize)]
struct BalanceUpdatePayload<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event_time: u64,
    a: &'a str,
    d: Units,
    #[serde(rename = "T")]
    time: u64,
}

/// `balanceUpdate`: money came or went other than by trading.
pub(super) fn balance_update(asset: &Asset, delta: i64, time: Time, unit: TimeUnit) -> String {
    json(&BalanceUpdatePayload {
        e: "balanceUpdate",
        event_time: unit.of(time),
        a: asset.name.as_str(),
        d: asset.amount(delta),
        time: unit.of(time),
    })
}
