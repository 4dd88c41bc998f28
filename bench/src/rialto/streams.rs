//! A generated stream through the core.
//!
//! The first pass turns records into commands and counts what comes out; the timed rounds apply
//! the same commands, and count only if they end in the same state, hash for hash.

use super::{Feed, Recorded};
use crate::{
    contest::{Contender, RoundResult, Stream},
    stream_file::{Side as StreamSide, StreamAction, StreamCommand, StreamFile, Terms, UserNumber},
};
use anyhow::ensure;
use engine_core::{Engine, StateHash};
use protocol::{
    AccountId, ClientOrderId, InstrumentId, InstrumentStatus, OrderId, OrderType, Price, Quantity,
    SelfTradePrevention, Sequence, Side, Time, TimeInForce,
    command::{CancelIds, CancelOrder, CancelReplace, Command, PlaceOrder, QuantityKind},
    event::{Event, EventBuffer},
    instrument::Filters,
    order::{CancelRestriction, ReplaceMode},
    reject::Outcome,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// How the stream's orders are dressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dress {
    /// As the reference: no self-trade prevention, no names, no bound on prices.
    Plain,
    /// EXPIRE_MAKER, percent-price, and a client order id on every order; totals are its own.
    Full,
}

/// What came out of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Measured commands.
    pub commands: u64,
    /// Trades.
    pub trades: u64,
    /// Lots traded.
    pub quantity: u64,
    /// Sum of price × quantity, in ticks and lots.
    pub notional: u64,
    /// Orders resting at the end.
    pub live: u64,
    /// Commands refused.
    pub rejected: u64,
}

/// A stream as the core's commands, with what comes of them.
#[derive(Debug)]
pub struct Prepared {
    prefill: Recorded,
    timed: Recorded,
    /// What came out.
    pub totals: Totals,
    /// The state at the end.
    pub state_hash: StateHash,
}

fn filters(dress: Dress) -> Filters {
    match dress {
        Dress::Plain => Filters::open(),
        Dress::Full => Filters {
            bid_multiplier_up: 50_000,
            bid_multiplier_down: 2_000,
            ask_multiplier_up: 50_000,
            ask_multiplier_down: 2_000,
            ..Filters::open()
        },
    }
}

/// Which order of the core is which of the stream.
struct Translation {
    dress: Dress,
    /// By the stream's order id: the core's, once accepted.
    orders: Vec<OrderId>,
    /// By the stream's user.
    accounts: BTreeMap<UserNumber, AccountId>,
}

impl Translation {
    fn place(&self, command: &StreamCommand, terms: &Terms, time_in_force: TimeInForce) -> PlaceOrder {
        PlaceOrder {
            account: self.account(command),
            instrument: instrument(command),
            side: match terms.side {
                StreamSide::Buy => Side::Buy,
                StreamSide::Sell => Side::Sell,
            },
            order_type: OrderType::Limit,
            time_in_force,
            self_trade_prevention: match self.dress {
                Dress::Plain => SelfTradePrevention::None,
                Dress::Full => SelfTradePrevention::ExpireMaker,
            },
            quantity_kind: QuantityKind::Base,
            ids: 0,
            price: Price(terms.price.get()),
            quantity: Quantity(u64::from(terms.quantity.get())),
            expires_at: Time::NEVER,
        }
    }

    fn account(&self, command: &StreamCommand) -> AccountId {
        self.accounts[&command.owner]
    }

    fn name(&self, sequence: u64) -> Option<ClientOrderId> {
        (self.dress == Dress::Full)
            .then(|| ClientOrderId::parse(&format!("x-TKT5PX2F{sequence:022}")))
            .flatten()
    }

    fn cancel(&self, command: &StreamCommand) -> CancelOrder {
        CancelOrder {
            account: self.account(command),
            instrument: instrument(command),
            restriction: CancelRestriction::None,
            ids: 0,
            order_id: self.orders[command.order.0.get() as usize],
        }
    }

    /// The command, and under which of the stream's ids the order that it places is known.
    fn command(&self, command: &StreamCommand, sequence: u64) -> (Command, Option<u32>) {
        let ids = CancelIds::default();
        let client_order_id = self.name(sequence);
        match &command.action {
            StreamAction::Limit(terms) => {
                let order = self.place(command, terms, TimeInForce::GoodTillCancel);
                (Command::PlaceOrder { order, client_order_id, terms: None }, Some(command.order.0.get()))
            }
            StreamAction::Immediate(terms) => {
                let order = self.place(command, terms, TimeInForce::ImmediateOrCancel);
                (Command::PlaceOrder { order, client_order_id, terms: None }, Some(command.order.0.get()))
            }
            StreamAction::Cancel => (Command::CancelOrder { cancel: self.cancel(command), ids }, None),
            StreamAction::Replace { new_order, terms } => {
                let order = self.place(command, terms, TimeInForce::GoodTillCancel);
                let replace = CancelReplace {
                    cancel: self.cancel(command),
                    order,
                    mode: ReplaceMode::StopOnFailure,
                    reserved: [0; 7],
                };
                (
                    Command::CancelReplace { replace, ids, client_order_id, terms: None },
                    Some(new_order.0.get()),
                )
            }
        }
    }
}

fn instrument(command: &StreamCommand) -> InstrumentId {
    InstrumentId(command.symbol.0 + 1)
}

impl Prepared {
    /// Turns a stream into commands and runs them once, counting.
    pub fn new(file: &StreamFile, dress: Dress) -> Self {
        let mut feed = Feed::default();
        feed.open_instruments(file.header.symbols as u16, filters(dress), InstrumentStatus::Trading);
        let users: BTreeSet<_> =
            file.prefill().iter().chain(file.commands()).map(|command| command.owner).collect();
        let first = feed.open_accounts(users.len() as u32);
        let accounts = users.into_iter().zip(first.0..).map(|(user, id)| (user, AccountId(id))).collect();
        let orders = vec![OrderId(0); file.header.highest_id as usize + 1];
        let mut translation = Translation { dress, orders, accounts };
        let mut totals = Totals::default();
        let mut live = BTreeMap::new();
        for command in file.prefill() {
            run(&mut feed, &mut translation, command, &mut totals, &mut live);
        }
        let prefill = feed.recorded().clone();
        for command in file.commands() {
            run(&mut feed, &mut translation, command, &mut totals, &mut live);
        }
        totals.commands = file.commands().len() as u64;
        totals.live = live.len() as u64;
        let timed = feed.recorded().after(&prefill);
        Self { prefill, timed, totals, state_hash: feed.engine.state_hash() }
    }

    /// How many commands, setting up and prefill included.
    pub fn commands(&self) -> usize {
        self.prefill.count() + self.timed.count()
    }

    /// All of them in groups of up to `count`, as a journal has them.
    pub fn stamped(&self, count: usize) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let before = self.prefill.stamped(Sequence(0), count);
        before.chain(self.timed.stamped(Sequence(self.prefill.count() as u64), count))
    }

    /// Runs it from the beginning, prefill untimed; returns commands a second.
    ///
    /// # Errors
    /// When the state at the end is not that of the first pass.
    pub fn time(&self) -> anyhow::Result<f64> {
        let mut engine: Engine = Engine::new(0);
        // What a buffer of the pipeline holds; its content is thrown away when it is full.
        let mut events = EventBuffer::bounded(64 * 1024, Box::new(|_| {}));
        self.prefill.apply_to(&mut engine, &mut events);
        let start = Instant::now();
        self.timed.apply_to(&mut engine, &mut events);
        let seconds = start.elapsed().as_secs_f64();
        ensure!(engine.state_hash() == self.state_hash, "the same commands ended in another state");
        Ok(self.timed.count() as f64 / seconds)
    }
}

fn run(
    feed: &mut Feed,
    translation: &mut Translation,
    command: &StreamCommand,
    totals: &mut Totals,
    live: &mut BTreeMap<OrderId, u64>,
) {
    let sequence = feed.engine.sequence().next().0;
    let (command, places) = translation.command(command, sequence);
    let (outcome, result, chunks) = feed.apply(&command);
    if outcome != Outcome::Done {
        totals.rejected += 1;
    }
    for event in chunks.flat_map(|chunk| chunk.events()) {
        count(&event.expect("an event just written"), totals, live);
    }
    if let (Some(id), Outcome::Done) = (places, outcome) {
        translation.orders[id as usize] = OrderId(result);
    }
}

/// Counts trades and which orders rest, from events alone.
fn count(event: &Event, totals: &mut Totals, live: &mut BTreeMap<OrderId, u64>) {
    match event {
        Event::OrderAccepted(order, ..) if order.rests == 1 => {
            live.insert(order.order_id, order.quantity.0);
        }
        Event::OrderRested(order) => {
            live.insert(order.order_id, order.leaves.0);
        }
        Event::OrderClosed(order, _) => {
            live.remove(&order.order_id);
        }
        Event::Trade(trade) => {
            totals.trades += 1;
            totals.quantity += trade.quantity.0;
            totals.notional =
                totals.notional.wrapping_add(trade.quantity.0.wrapping_mul(u64::from(trade.price.0)));
            if trade.maker_filled == 1 {
                live.remove(&trade.maker_order_id);
            }
        }
        _ => {}
    }
}

/// The core, in a contest.
#[derive(Debug)]
pub struct RialtoCore {
    dress: Dress,
    prepared: Option<(String, Prepared)>,
}

impl RialtoCore {
    /// The core, its orders dressed so.
    pub fn new(dress: Dress) -> Self {
        Self { dress, prepared: None }
    }
}

impl Contender for RialtoCore {
    fn name(&self) -> &str {
        match self.dress {
            Dress::Plain => "rialto core",
            Dress::Full => "rialto core, names + STP + percent-price",
        }
    }

    fn round(&mut self, stream: &Stream) -> anyhow::Result<RoundResult> {
        let prepared = match self.prepared.take() {
            Some((name, prepared)) if name == stream.name => prepared,
            _ => Prepared::new(&stream.file, self.dress),
        };
        let commands_per_second = prepared.time()?;
        let Totals { trades, quantity, notional, live, .. } = prepared.totals;
        self.prepared = Some((stream.name.clone(), prepared));
        Ok(RoundResult { commands_per_second, trades, quantity, notional, live })
    }

    fn must_equal_reference(&self) -> bool {
        self.dress == Dress::Plain
    }
}
