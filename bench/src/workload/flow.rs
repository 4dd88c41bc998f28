//! The flow of commands: a middle that walks, passive orders around it, takers, cancels, replaces. Each draw of a
//! random number has its fixed place: changing their order changes every stream.

use super::random::Random;
use super::reference_book::ReferenceBook;
use super::{GeneratedStream, Mix, Specification, SpecificationError};
use crate::stream_file::{Operation, RawRecord, Side, StreamHeader};

/// Where every middle price starts, in ticks, and how far it may walk.
const FIRST_MIDDLE: u32 = 32_768;
const MIDDLE_RANGE: (i64, i64) = (27_768, 37_768);
/// Commands of a symbol between two steps of its middle.
const COMMANDS_PER_STEP: u64 = 32;
/// Passive orders lie within these prices.
const PASSIVE_RANGE: (i64, i64) = (2, 65_000);
/// An immediate order takes any price: these limits.
const HIGHEST_PRICE: u32 = 65_535;
const LOWEST_PRICE: u32 = 1;
/// Users that records are attributed to.
const USERS: u32 = 1_000;
/// Share of new limit orders that go through the touch.
const TAKER_SHARE: f64 = 0.06;

struct Flow {
    specification: Specification,
    random: Random,
    book: ReferenceBook,
    middles: Vec<Middle>,
    records: Vec<RawRecord>,
}

#[derive(Clone, Copy)]
struct Middle {
    price: u32,
    commands: u64,
}

/// Generates a stream.
///
/// # Errors
/// When the specification cannot be met.
pub fn generate(specification: Specification) -> Result<GeneratedStream, SpecificationError> {
    specification.check()?;
    let mut flow = Flow {
        random: Random::new(specification.seed),
        book: ReferenceBook::new(specification.symbols),
        middles: vec![Middle { price: FIRST_MIDDLE, commands: 0 }; usize::from(specification.symbols)],
        records: Vec::with_capacity(specification.prefill() as usize + specification.commands as usize),
        specification,
    };
    flow.prefill();
    let mut counts = [0_u64; 4];
    for _ in 0..specification.commands {
        counts[flow.command() as usize] += 1;
    }
    let totals = flow.book.totals();
    let header = StreamHeader {
        prefill: specification.prefill(),
        commands: u64::from(specification.commands),
        symbols: u64::from(specification.symbols),
        highest_id: u64::from(flow.book.highest_id()),
        trades: totals.trades,
        quantity: totals.quantity,
        notional: totals.notional,
        live_orders: totals.live_orders,
        hash: flow.book.hash(),
        operation_counts: counts,
        commands_that_traded: totals.commands_that_traded,
        levels: flow.book.level_count(),
    };
    Ok(GeneratedStream { header, records: flow.records })
}

impl Flow {
    /// Passive orders on alternating symbols, until each book is as full as it shall be. None of them trades: all
    /// middles still stand where they started.
    fn prefill(&mut self) {
        let symbols = usize::from(self.specification.symbols);
        for index in 0..self.specification.prefill() as usize {
            let symbol = index % symbols;
            let side = self.side();
            let price = self.passive_price(symbol, side);
            let quantity = 1 + self.random.below(100);
            let user = self.random.below(USERS);
            self.limit(symbol, user, side, price, quantity);
        }
    }

    /// Draws and applies one command.
    fn command(&mut self) -> Operation {
        let symbol = self.random.below(u32::from(self.specification.symbols)) as usize;
        self.step_middle(symbol);
        let user = self.random.below(USERS);
        let live = self.book.live_count(symbol);
        let operation = self.operation(live);
        let side = self.side();
        match operation {
            Operation::Limit => {
                let price = self.limit_price(symbol, side);
                let quantity = 1 + self.random.below(100);
                self.limit(symbol, user, side, price, quantity);
            }
            Operation::Cancel => self.cancel(symbol, user, live),
            Operation::Immediate => self.immediate(symbol, user, side),
            Operation::Replace => self.replace(symbol, user, live),
        }
        operation
    }

    fn step_middle(&mut self, symbol: usize) {
        let middle = &mut self.middles[symbol];
        middle.commands += 1;
        if middle.commands.is_multiple_of(COMMANDS_PER_STEP) {
            let step = if self.random.coin() { -1 } else { 1 };
            let (low, high) = MIDDLE_RANGE;
            middle.price = (i64::from(middle.price) + step).clamp(low, high) as u32;
        }
    }

    /// New against cancel is steered so that the book stays as full as it was.
    fn operation(&mut self, live: u32) -> Operation {
        let (immediate, replace) = match self.specification.mix {
            Mix::Standard => (0.05, 0.05),
            Mix::Moves => (0.03, 0.82),
        };
        let wanted = f64::from(self.specification.resting_per_symbol());
        let pull = ((wanted - f64::from(live)) / wanted * 4.0).clamp(-0.45, 0.45);
        let new = match self.specification.mix {
            Mix::Standard => 0.5 + pull,
            Mix::Moves => 0.60 + pull.min(0.39),
        };
        let draw = self.random.unit();
        let operation = if draw < immediate {
            Operation::Immediate
        } else if draw < immediate + replace {
            Operation::Replace
        } else if self.random.unit() < new {
            Operation::Limit
        } else {
            Operation::Cancel
        };
        match operation {
            Operation::Cancel | Operation::Replace if live == 0 => Operation::Limit,
            other => other,
        }
    }

    fn side(&mut self) -> Side {
        if self.random.coin() { Side::Sell } else { Side::Buy }
    }

    fn passive_price(&mut self, symbol: usize, side: Side) -> u32 {
        let mean = if self.random.unit() < 0.8 { 10.0 } else { 200.0 } * self.specification.scale;
        let distance = 1 + self.random.exponential(mean) as i64;
        let middle = i64::from(self.middles[symbol].price);
        let price = match side {
            Side::Buy => middle - distance,
            Side::Sell => middle + distance,
        };
        let (low, high) = PASSIVE_RANGE;
        price.clamp(low, high) as u32
    }

    /// A passive price, or now and then one up to three ticks through the touch.
    fn limit_price(&mut self, symbol: usize, side: Side) -> u32 {
        let passive = self.passive_price(symbol, side);
        if self.random.unit() >= TAKER_SHARE {
            return passive;
        }
        let Some(touch) = self.book.best(symbol, side.opposite()) else { return passive };
        let through = self.random.below(4);
        match side {
            Side::Buy => touch + through,
            Side::Sell => touch.saturating_sub(through).max(2),
        }
    }

    fn limit(&mut self, symbol: usize, user: u32, side: Side, price: u32, quantity: u32) {
        let order = self.book.new_id();
        let operation = Operation::Limit;
        self.record(RawRecord {
            price,
            quantity,
            ..RawRecord::new(operation, side, symbol as u16, user, order)
        });
        self.book.submit(symbol, order, side, price, quantity, true);
    }

    fn cancel(&mut self, symbol: usize, user: u32, live: u32) {
        let (order, target) = self.target(symbol, live);
        self.record(RawRecord {
            price: target.price,
            quantity: target.quantity,
            old_price: target.price,
            ..RawRecord::new(Operation::Cancel, target.side, symbol as u16, user, order)
        });
        self.book.remove(symbol, order);
    }

    fn immediate(&mut self, symbol: usize, user: u32, side: Side) {
        let largest = match self.specification.mix {
            Mix::Standard => 200,
            Mix::Moves => 100,
        };
        let quantity = 1 + self.random.below(largest);
        let price = match side {
            Side::Buy => HIGHEST_PRICE,
            Side::Sell => LOWEST_PRICE,
        };
        let order = self.book.new_id();
        let operation = Operation::Immediate;
        self.record(RawRecord {
            price,
            quantity,
            ..RawRecord::new(operation, side, symbol as u16, user, order)
        });
        self.book.submit(symbol, order, side, price, quantity, false);
    }

    fn replace(&mut self, symbol: usize, user: u32, live: u32) {
        let (order, target) = self.target(symbol, live);
        let price = self.passive_price(symbol, target.side);
        let (new_order, quantity) = match self.specification.mix {
            Mix::Standard => (self.book.new_id(), 1 + self.random.below(100)),
            Mix::Moves => (order, target.quantity),
        };
        self.record(RawRecord {
            new_order,
            price,
            quantity,
            old_price: target.price,
            ..RawRecord::new(Operation::Replace, target.side, symbol as u16, user, order)
        });
        self.book.remove(symbol, order);
        self.book.submit(symbol, new_order, target.side, price, quantity, true);
    }

    /// One of the live orders, each as likely.
    fn target(&mut self, symbol: usize, live: u32) -> (u32, super::reference_book::ReferenceOrder) {
        let index = self.random.below(live);
        self.book.live_order(symbol, index)
    }

    fn record(&mut self, record: RawRecord) {
        self.records.push(record);
    }
}
