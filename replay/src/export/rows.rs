//! The rows that a command adds to each table. Refuses to know files.

mod command_of;
mod order;

use super::table::{Cell, Column, Kind, optional, required};
use crate::{
    ReplayError, describe,
    history::Step,
    movement::{Movement, movements, order_of},
};
use command_of::subject;
use engine_core::Engine;
use protocol::{
    AccountId, AssetId, Instrument, InstrumentId, Price, Quantity,
    event::{Event, NOT_ATTEMPTED, Trade},
    reject::Outcome,
};
use std::borrow::Cow;

pub(super) use order::{COLUMNS as ORDERS, Orders};

/// What stands before the columns of every table but the commands'.
const PLACE: [Column; 4] = [
    required("sequence", Kind::Integer),
    required("event_index", Kind::Integer),
    required("time_ns", Kind::Time),
    required("time", Kind::Text),
];

/// A row that is being made.
pub(super) type Row<'r> = &'r mut dyn FnMut(&[Cell<'_>]) -> Result<(), ReplayError>;

/// Where a row's event stands.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) step: &'a Step<'a>,
    pub(super) index: u64,
    /// The command's time in words, made once.
    pub(super) time: &'a str,
}

impl<'a> At<'a> {
    fn cells(self) -> [Cell<'a>; 4] {
        [
            Cell::Integer(self.step.sequence.0),
            Cell::Integer(self.index),
            Cell::Integer(self.step.record.header.time.0),
            Cell::text(self.time),
        ]
    }

    fn engine(self) -> &'a Engine {
        self.step.engine
    }
}

pub(super) const COMMANDS: [Column; 13] = [
    required("sequence", Kind::Integer),
    required("time_ns", Kind::Time),
    required("time", Kind::Text),
    required("source", Kind::Integer),
    required("number", Kind::Integer),
    required("command", Kind::Text),
    optional("account", Kind::Integer),
    optional("instrument", Kind::Text),
    required("outcome", Kind::Text),
    optional("cancel_outcome", Kind::Text),
    required("repeat", Kind::Flag),
    required("result", Kind::Integer),
    required("trace", Kind::Text),
];

/// One row a command.
pub(super) fn command(step: &Step<'_>, time: &str, row: Row<'_>) -> Result<(), ReplayError> {
    let ended = step.events(|_, _| Ok(()))?;
    let header = step.record.header;
    let unreadable = |source| ReplayError::Record { sequence: step.sequence, source };
    let (account, instrument) = subject(&step.record.decode().map_err(unreadable)?);
    let cancel = (ended.cancel_code != NOT_ATTEMPTED).then(|| outcome(ended.cancel_code));
    row(&[
        Cell::Integer(step.sequence.0),
        Cell::Integer(header.time.0),
        Cell::text(time),
        Cell::Integer(u64::from(header.source.0)),
        Cell::Integer(header.number.0),
        Cell::text(format!("{:?}", header.kind)),
        account.map(|account| Cell::Integer(u64::from(account.0))).into(),
        instrument.map(|at| Cell::text(describe::symbol(step.engine, at))).into(),
        Cell::text(outcome(ended.code)),
        cancel.map(Cell::text).into(),
        Cell::Flag(ended.repeat == 1),
        Cell::Integer(ended.result),
        Cell::text(header.trace.to_string()),
    ])
}

fn outcome(code: u16) -> Cow<'static, str> {
    match Outcome::from_code(code) {
        Some(Outcome::Done) => "Done".into(),
        Some(Outcome::Refused(reject)) => reject.name().into(),
        None => code.to_string().into(),
    }
}

pub(super) const TRADES: [Column; 20] = [
    PLACE[0],
    PLACE[1],
    PLACE[2],
    PLACE[3],
    required("instrument", Kind::Text),
    required("trade_id", Kind::Integer),
    required("aggregate_id", Kind::Integer),
    required("price", Kind::Decimal),
    required("quantity", Kind::Decimal),
    required("quote_quantity", Kind::Decimal),
    required("taker_side", Kind::Text),
    required("maker_order_id", Kind::Integer),
    required("taker_order_id", Kind::Integer),
    required("maker_account", Kind::Integer),
    required("taker_account", Kind::Integer),
    required("maker_fee", Kind::Decimal),
    required("maker_fee_asset", Kind::Text),
    required("taker_fee", Kind::Decimal),
    required("taker_fee_asset", Kind::Text),
    required("is_auction", Kind::Flag),
];

/// One row a trade.
pub(super) fn trade(at: At<'_>, event: &Event, row: Row<'_>) -> Result<(), ReplayError> {
    let (trade, is_auction) = match event {
        Event::Trade(trade) => (trade, false),
        Event::AuctionTrade(auction) => (&auction.trade, true),
        _ => return Ok(()),
    };
    let engine = at.engine();
    let (to_maker, to_taker) = describe::received(engine, trade.instrument, trade.taker_side);
    let [sequence, index, time_ns, time] = at.cells();
    row(&[
        sequence,
        index,
        time_ns,
        time,
        Cell::text(describe::symbol(engine, trade.instrument)),
        Cell::Integer(trade.trade_id.0),
        Cell::Integer(trade.aggregate_id),
        price(engine, trade.instrument, trade.price),
        quantity(engine, trade.instrument, trade.quantity),
        quote_quantity(engine, trade),
        Cell::text(format!("{:?}", trade.taker_side)),
        Cell::Integer(trade.maker_order_id.0),
        Cell::Integer(trade.taker_order_id.0),
        Cell::Integer(u64::from(trade.maker_account.0)),
        Cell::Integer(u64::from(trade.taker_account.0)),
        amount(engine, to_maker, trade.maker_fee),
        Cell::text(describe::asset(engine, to_maker)),
        amount(engine, to_taker, trade.taker_fee),
        Cell::text(describe::asset(engine, to_taker)),
        Cell::Flag(is_auction),
    ])
}

pub(super) const POSTINGS: [Column; 15] = [
    PLACE[0],
    PLACE[1],
    PLACE[2],
    PLACE[3],
    required("account", Kind::Integer),
    required("asset", Kind::Text),
    required("kind", Kind::Text),
    required("available_change", Kind::Decimal),
    required("held_change", Kind::Decimal),
    required("available", Kind::Decimal),
    required("held", Kind::Decimal),
    optional("order_id", Kind::Integer),
    optional("counterparty_order_id", Kind::Integer),
    optional("instrument", Kind::Text),
    optional("trade_id", Kind::Integer),
];

/// One movement of a command, with what its row says of the event.
#[derive(Clone, Copy)]
struct Posted {
    index: u64,
    movement: Movement,
    order_id: Option<u64>,
    trade: Option<(InstrumentId, u64)>,
    /// Of the account and asset, after it.
    after: (i64, i64),
}

/// One row a movement of money, with the balance after it. What was before the command follows from
/// what the engine has after it, so that no balance needs to be kept.
#[derive(Default)]
pub(super) struct Postings {
    posted: Vec<Posted>,
    /// By account and asset: what is still to be told of the command's movements.
    to_come: Vec<((AccountId, AssetId), (i64, i64))>,
}

impl Postings {
    pub(super) fn rows(&mut self, step: &Step<'_>, time: &str, row: Row<'_>) -> Result<(), ReplayError> {
        let Self { posted, to_come } = self;
        posted.clear();
        to_come.clear();
        step.events(|index, event| {
            movements(step.engine, event, |movement| {
                let trade = match event {
                    Event::Trade(trade) => Some(trade),
                    Event::AuctionTrade(auction) => Some(&auction.trade),
                    _ => None,
                };
                posted.push(Posted {
                    index,
                    movement,
                    order_id: order_of(event, &movement).map(|id| id.0),
                    trade: trade.map(|trade| (trade.instrument, trade.trade_id.0)),
                    after: (0, 0),
                });
            });
            Ok(())
        })?;
        for Posted { movement, after, .. } in posted.iter_mut().rev() {
            let whose = (movement.account, movement.asset);
            let kept = step.engine.ledger().balances.get(movement.account, movement.asset);
            let place = to_come.iter().position(|(other, _)| *other == whose).unwrap_or_else(|| {
                to_come.push((whose, (0, 0)));
                to_come.len() - 1
            });
            let (available, held) = &mut to_come[place].1;
            *after = (kept.available - *available, kept.held - *held);
            *available += movement.available;
            *held += movement.held;
        }
        for posted in &*posted {
            Self::row(At { step, index: posted.index, time }, posted, row)?;
        }
        Ok(())
    }

    fn row(at: At<'_>, posted: &Posted, row: Row<'_>) -> Result<(), ReplayError> {
        let engine = at.engine();
        let Movement { account, asset, kind, available, held, role } = posted.movement;
        let [sequence, index, time_ns, time] = at.cells();
        row(&[
            sequence,
            index,
            time_ns,
            time,
            Cell::Integer(u64::from(account.0)),
            Cell::text(describe::asset(engine, asset)),
            Cell::text(kind.name()),
            amount(engine, asset, available),
            amount(engine, asset, held),
            amount(engine, asset, posted.after.0),
            amount(engine, asset, posted.after.1),
            posted.order_id.map(Cell::Integer).into(),
            role.map(|role| Cell::Integer(role.counterparty.0)).into(),
            posted.trade.map(|(at, _)| Cell::text(describe::symbol(engine, at))).into(),
            posted.trade.map(|(_, id)| Cell::Integer(id)).into(),
        ])
    }
}

fn amount<'a>(engine: &Engine, asset: AssetId, units: i64) -> Cell<'a> {
    Cell::decimal(i128::from(units), engine.ledger().asset(asset).map_or(0, |asset| asset.scale))
}

fn instrument(engine: &Engine, at: InstrumentId) -> Option<&Instrument> {
    engine.market(at).map(|market| &market.instrument)
}

fn price<'a>(engine: &Engine, at: InstrumentId, price: Price) -> Cell<'a> {
    Cell::decimal(i128::from(price.0), instrument(engine, at).map_or(0, |found| found.price_scale))
}

fn quantity<'a>(engine: &Engine, at: InstrumentId, quantity: Quantity) -> Cell<'a> {
    Cell::decimal(i128::from(quantity.0), instrument(engine, at).map_or(0, |found| found.quantity_scale))
}

/// What was paid for it in the quote asset.
fn quote_quantity<'a>(engine: &Engine, trade: &Trade) -> Cell<'a> {
    instrument(engine, trade.instrument)
        .and_then(|found| {
            let paid = found.notional(trade.price, trade.quantity)?;
            Some(amount(engine, found.quote, paid))
        })
        .unwrap_or(Cell::Decimal(0)) // a trade's instrument is known and its notional fits
}
