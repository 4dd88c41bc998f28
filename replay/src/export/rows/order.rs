//! One row for each thing that happened to an order; a trade is a row for each of its two. Refuses to
//! know balances.

use super::{At, PLACE, Row, amount, instrument, price, quantity};
use crate::{
    ReplayError,
    describe::{self, ByQuote},
    export::table::{Cell, Column, Kind, optional, required},
};
use protocol::{
    AccountId, ClientOrderId, InstrumentId, OrderId, Price, Quantity, Side,
    event::{Event, OrderAccepted, Trade, TradePrevented},
};

pub(in crate::export) const COLUMNS: [Column; 26] = [
    PLACE[0],
    PLACE[1],
    PLACE[2],
    PLACE[3],
    required("event", Kind::Text),
    required("order_id", Kind::Integer),
    required("account", Kind::Integer),
    required("instrument", Kind::Text),
    required("side", Kind::Text),
    optional("client_order_id", Kind::Text),
    optional("order_type", Kind::Text),
    optional("time_in_force", Kind::Text),
    optional("price", Kind::Decimal),
    optional("stop_price", Kind::Decimal),
    optional("quantity", Kind::Decimal),
    optional("quote_quantity", Kind::Decimal),
    optional("leaves_qty", Kind::Decimal),
    optional("leaves_quote_qty", Kind::Decimal),
    optional("order_list_id", Kind::Integer),
    optional("reason", Kind::Text),
    optional("trade_id", Kind::Integer),
    optional("last_price", Kind::Decimal),
    optional("last_qty", Kind::Decimal),
    optional("liquidity", Kind::Text),
    optional("counterparty_order_id", Kind::Integer),
    optional("request_id", Kind::Text),
];

/// What is to be said of an order; what is not known stays empty.
struct Said<'a> {
    event: &'static str,
    order_id: OrderId,
    account: AccountId,
    at: InstrumentId,
    side: Side,
    name: Option<ClientOrderId>,
    request: Option<ClientOrderId>,
    accepted: Option<&'a OrderAccepted>,
    price: Option<Price>,
    stop: Option<Price>,
    wanted: Option<Quantity>,
    leaves: Option<Quantity>,
    list: u64,
    reason: Option<String>,
    trade: Option<u64>,
    last: Option<(Price, Quantity)>,
    /// Whether it rested, and the other order.
    role: Option<(bool, OrderId)>,
}

impl Said<'_> {
    fn new(event: &'static str, order_id: OrderId, account: AccountId, at: InstrumentId, side: Side) -> Self {
        Self {
            event,
            order_id,
            account,
            at,
            side,
            name: None,
            request: None,
            accepted: None,
            price: None,
            stop: None,
            wanted: None,
            leaves: None,
            list: 0,
            reason: None,
            trade: None,
            last: None,
            role: None,
        }
    }
}

/// Makes the rows.
#[derive(Default)]
pub(in crate::export) struct Orders {
    by_quote: ByQuote,
}

impl Orders {
    /// The next command begins.
    pub(in crate::export) fn begin_command(&mut self) {
        self.by_quote.begin_command();
    }

    /// Takes note of an event of which no row is wanted.
    pub(in crate::export) fn pass_over(&mut self, event: &Event) {
        self.by_quote.note(event);
    }

    pub(in crate::export) fn rows(
        &mut self,
        at: At<'_>,
        event: &Event,
        row: Row<'_>,
    ) -> Result<(), ReplayError> {
        self.by_quote.note(event);
        match event {
            Event::Trade(trade) => self.fills(at, trade, row),
            Event::AuctionTrade(auction) => self.fills(at, &auction.trade, row),
            Event::TradePrevented(prevented) => self.prevented(at, prevented, row),
            other => match said(other) {
                Some(said) => self.row(at, &said, row),
                None => Ok(()),
            },
        }
    }

    fn fills(&self, at: At<'_>, trade: &Trade, row: Row<'_>) -> Result<(), ReplayError> {
        let maker = (trade.maker_order_id, trade.maker_account, trade.taker_side.opposite());
        let taker = (trade.taker_order_id, trade.taker_account, trade.taker_side);
        for (is_maker, (order_id, account, side), other) in [(true, maker, taker.0), (false, taker, maker.0)]
        {
            let said = Said {
                trade: Some(trade.trade_id.0),
                last: Some((trade.price, trade.quantity)),
                role: Some((is_maker, other)),
                ..Said::new("traded", order_id, account, trade.instrument, side)
            };
            self.row(at, &said, row)?;
        }
        Ok(())
    }

    fn prevented(&self, at: At<'_>, prevented: &TradePrevented, row: Row<'_>) -> Result<(), ReplayError> {
        let maker = (prevented.maker_order_id, prevented.maker_account, prevented.taker_side.opposite());
        let taker = (prevented.taker_order_id, prevented.taker_account, prevented.taker_side);
        for (is_maker, (order_id, account, side), other) in [(true, maker, taker.0), (false, taker, maker.0)]
        {
            let said = Said {
                last: Some((prevented.price, prevented.quantity)),
                reason: Some(format!("{:?}", prevented.mode)),
                role: Some((is_maker, other)),
                ..Said::new("trade_prevented", order_id, account, prevented.instrument, side)
            };
            self.row(at, &said, row)?;
        }
        Ok(())
    }

    fn row(&self, at: At<'_>, said: &Said<'_>, row: Row<'_>) -> Result<(), ReplayError> {
        let engine = at.step.engine;
        let of = said.at;
        let in_base = |wanted: Option<Quantity>| -> Cell<'_> {
            let wanted = wanted.filter(|_| !self.by_quote.has(said.order_id));
            wanted.map(|wanted| quantity(engine, of, wanted)).into()
        };
        let in_quote = |wanted: Option<Quantity>| -> Cell<'_> {
            let wanted = wanted.filter(|_| self.by_quote.has(said.order_id));
            let quote = instrument(engine, of).map(|found| found.quote);
            // An order by quote is bounded by the asset's supply, far below 2^63.
            wanted.zip(quote).map(|(wanted, quote)| amount(engine, quote, wanted.0 as i64)).into()
        };
        let name = |name: Option<ClientOrderId>| -> Cell<'_> {
            name.map(|name| Cell::text(name.as_str().to_owned())).into()
        };
        let word = |word: &dyn std::fmt::Debug| Cell::text(format!("{word:?}"));
        let limit = |of_price: Option<Price>| -> Cell<'_> {
            of_price.filter(|price| price.0 != 0).map(|limit| price(engine, of, limit)).into()
        };
        let [sequence, index, time_ns, time] = at.cells();
        row(&[
            sequence,
            index,
            time_ns,
            time,
            Cell::text(said.event),
            Cell::Integer(said.order_id.0),
            Cell::Integer(u64::from(said.account.0)),
            Cell::text(describe::symbol(engine, of)),
            word(&said.side),
            name(said.name),
            said.accepted.map(|order| word(&order.order_type)).into(),
            said.accepted.map(|order| word(&order.time_in_force)).into(),
            limit(said.price),
            limit(said.stop),
            in_base(said.wanted),
            in_quote(said.wanted),
            in_base(said.leaves),
            in_quote(said.leaves),
            (said.list != 0).then_some(Cell::Integer(said.list)).into(),
            said.reason.as_deref().map(Cell::text).into(),
            said.trade.map(Cell::Integer).into(),
            said.last.map(|(last, _)| price(engine, of, last)).into(),
            said.last.map(|(_, last)| quantity(engine, of, last)).into(),
            said.role.map(|(is_maker, _)| Cell::text(if is_maker { "maker" } else { "taker" })).into(),
            said.role.map(|(_, other)| Cell::Integer(other.0)).into(),
            name(said.request),
        ])
    }
}

/// What an event says of the one order that it is about; nothing if it is about none.
fn said(event: &Event) -> Option<Said<'_>> {
    Some(match event {
        Event::OrderAccepted(order, name, terms) => Said {
            name: *name,
            accepted: Some(order),
            price: Some(order.price),
            stop: terms.map(|terms| terms.terms.stop_price),
            wanted: Some(order.quantity),
            list: terms.map_or(0, |terms| terms.list_id.0),
            ..Said::new("accepted", order.order_id, order.account, order.instrument, order.side)
        },
        Event::OrderRested(order) => Said {
            price: Some(order.price),
            leaves: Some(order.leaves),
            ..Said::new("rested", order.order_id, order.account, order.instrument, order.side)
        },
        Event::OrderClosed(order, request) => Said {
            request: *request,
            price: Some(order.price),
            leaves: Some(order.leaves),
            reason: Some(format!("{:?}", order.reason)),
            ..Said::new("closed", order.order_id, order.account, order.instrument, order.side)
        },
        Event::OrderAmended(order, name) => Said {
            name: *name,
            price: Some(order.price),
            leaves: Some(order.new_leaves),
            ..Said::new("amended", order.order_id, order.account, order.instrument, order.side)
        },
        Event::OrderTriggered(order) => Said {
            price: Some(order.price),
            leaves: Some(order.quantity),
            ..Said::new("triggered", order.order_id, order.account, order.instrument, order.side)
        },
        Event::OrderActivated(order) => Said {
            price: Some(order.price),
            stop: Some(order.trigger_price),
            leaves: Some(order.quantity),
            ..Said::new("activated", order.order_id, order.account, order.instrument, order.side)
        },
        _ => return None,
    })
}
