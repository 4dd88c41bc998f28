//! A market's own records through the core: an exchange with one instrument, as `market_by_order`
//! wants it. Refuses to know the rule by which records become commands.

use super::Feed;
use crate::market_by_order::{
    Contracts, MarketOrder, NanoPrice, Side as MarketSide, Terms,
    replay::{MakerFill, Resting, Venue},
};
use engine_core::{Books, StateHash};
use protocol::{
    AccountId, InstrumentId, InstrumentStatus, OrderId, OrderType, Price, Quantity, Reject,
    SelfTradePrevention, Side, Time, TimeInForce,
    command::{
        AmendOrder, CancelAll, CancelIds, CancelOrder, ChangeInstrument, Command, PlaceOrder, QuantityKind,
        change,
    },
    event::{Event, EventBuffer},
    instrument::Filters,
    order::{CancelRestriction, CloseReason},
    reject::Outcome,
};
use std::{collections::BTreeMap, num::NonZeroU32, num::NonZeroU64, time::Instant};

const INSTRUMENT: InstrumentId = InstrumentId(1);

/// One instrument on the core, in pre-open.
#[derive(Debug)]
pub struct CoreVenue {
    feed: Feed,
    account: AccountId,
    /// Nanounits in a price unit: the records' prices are multiples of it.
    price_unit: u64,
    /// The core's order of each of the market's ids that ever was placed last under it.
    orders: BTreeMap<MarketOrder, OrderId>,
    /// The market's id of each order at rest.
    names: BTreeMap<OrderId, MarketOrder>,
    set_up: super::Recorded,
}

/// The exchange refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The core's word.
    #[error("{0}")]
    Rejected(#[from] Reject),
    /// A price that is no whole number of price units, or too large.
    #[error("a price of {0} nanounits does not fit the instrument")]
    PriceDoesNotFit(u64),
}

impl CoreVenue {
    /// An empty book. `price_unit` divides every price, in units of 1e-9.
    pub fn new(price_unit: NonZeroU64) -> Self {
        let mut feed = Feed::default();
        feed.open_instruments(1, Filters::open(), InstrumentStatus::PreOpen);
        let account = feed.open_accounts(1);
        let set_up = feed.recorded().clone();
        Self {
            feed,
            account,
            price_unit: price_unit.get(),
            orders: BTreeMap::new(),
            names: BTreeMap::new(),
            set_up,
        }
    }

    /// The state as it is.
    pub fn state_hash(&self) -> StateHash {
        self.feed.engine.state_hash()
    }

    /// How many commands the records became.
    pub fn commands(&self) -> u64 {
        (self.feed.recorded().count() - self.set_up.count()) as u64
    }

    /// Every command so far, the setting up included: a journal in memory.
    pub fn recorded(&self) -> &super::Recorded {
        self.feed.recorded()
    }

    /// Applies the same commands again, timed, in a new engine; returns commands a second.
    ///
    /// # Errors
    /// When the state at the end is another.
    pub fn time(&self) -> anyhow::Result<f64> {
        let mut engine = engine_core::Engine::new(0);
        let mut events = EventBuffer::bounded(64 * 1024, Box::new(|_| {}));
        self.set_up.apply_to(&mut engine, &mut events);
        let timed = self.feed.recorded().after(&self.set_up);
        let start = Instant::now();
        timed.apply_to(&mut engine, &mut events);
        let seconds = start.elapsed().as_secs_f64();
        anyhow::ensure!(engine.state_hash() == self.state_hash(), "the same commands ended in another state");
        Ok(timed.count() as f64 / seconds)
    }

    fn order(&self, terms: &Terms, time_in_force: TimeInForce) -> Result<PlaceOrder, Refusal> {
        let nanos = terms.price.0.get();
        let price =
            u32::try_from(nanos / self.price_unit).ok().filter(|_| nanos.is_multiple_of(self.price_unit));
        Ok(PlaceOrder {
            account: self.account,
            instrument: INSTRUMENT,
            side: match terms.side {
                MarketSide::Buy => Side::Buy,
                MarketSide::Sell => Side::Sell,
            },
            order_type: OrderType::Limit,
            time_in_force,
            self_trade_prevention: SelfTradePrevention::None,
            quantity_kind: QuantityKind::Base,
            ids: 0,
            price: Price(price.ok_or(Refusal::PriceDoesNotFit(nanos))?),
            quantity: Quantity(u64::from(terms.quantity.0.get())),
            expires_at: Time::NEVER,
        })
    }

    fn send(&mut self, order: PlaceOrder, fills: &mut Vec<MakerFill>) -> Result<OrderId, Refusal> {
        let (outcome, result, chunks) =
            self.feed.apply(&Command::PlaceOrder { order, client_order_id: None, terms: None });
        check(outcome)?;
        for event in chunks.flat_map(|chunk| chunk.events()) {
            let Event::Trade(trade) = event.expect("an event just written") else { continue };
            let quantity = u32::try_from(trade.quantity.0).ok().and_then(NonZeroU32::new);
            let quantity = Contracts(quantity.expect("a fill of an order whose quantity is 32 bits"));
            fills.push(MakerFill { maker: self.names[&trade.maker_order_id], quantity });
            if trade.maker_filled == 1 {
                self.names.remove(&trade.maker_order_id);
            }
        }
        Ok(OrderId(result))
    }
}

fn check(outcome: Outcome) -> Result<(), Refusal> {
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::Refused(reject) => Err(reject.into()),
    }
}

impl Venue for CoreVenue {
    type Refusal = Refusal;

    fn open_trading(&mut self) -> Result<(), Refusal> {
        let mut definition = self.feed.engine.markets()[0].instrument;
        definition.status = InstrumentStatus::Trading;
        let change = ChangeInstrument {
            instrument: INSTRUMENT,
            parts: change::STATUS | change::LEAVE_CROSSED,
            reserved: [0; 5],
            definition,
        };
        check(self.feed.apply(&Command::ChangeInstrument(change)).0)
    }

    fn place(&mut self, order: MarketOrder, terms: Terms, fills: &mut Vec<MakerFill>) -> Result<(), Refusal> {
        let place = self.order(&terms, TimeInForce::GoodTillCancel)?;
        let order_id = self.send(place, fills)?;
        self.orders.insert(order, order_id);
        self.names.insert(order_id, order);
        Ok(())
    }

    fn place_immediate(&mut self, terms: Terms, fills: &mut Vec<MakerFill>) -> Result<(), Refusal> {
        let place = self.order(&terms, TimeInForce::ImmediateOrCancel)?;
        match self.send(place, fills) {
            // Nothing matches before the opening.
            Err(Refusal::Rejected(Reject::MarketClosed)) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    fn cancel(&mut self, order: MarketOrder) -> Result<(), Refusal> {
        let order_id = self.orders.get(&order).copied().unwrap_or_default();
        let cancel = CancelOrder {
            account: self.account,
            instrument: INSTRUMENT,
            restriction: CancelRestriction::None,
            ids: 0,
            order_id,
        };
        check(self.feed.apply(&Command::CancelOrder { cancel, ids: CancelIds::default() }).0)
    }

    fn cancel_all(&mut self) -> Result<(), Refusal> {
        let all = CancelAll {
            account: self.account,
            instrument: INSTRUMENT,
            reason: CloseReason::ByOperator,
            reserved: 0,
        };
        match check(self.feed.apply(&Command::CancelAll(all)).0) {
            Err(Refusal::Rejected(Reject::NothingToCancel)) => Ok(()),
            other => other,
        }
    }

    fn amend_keeping_place(&mut self, order: MarketOrder, left: Contracts) -> Result<(), Refusal> {
        let order_id = self.orders.get(&order).copied().unwrap_or_default();
        let books = self.feed.engine.books();
        let executed = Books::find(books, order_id).map_or(0, |handle| Books::executed(books, handle).0);
        let amend = AmendOrder {
            account: self.account,
            instrument: INSTRUMENT,
            ids: 0,
            reserved: 0,
            order_id,
            new_quantity: Quantity(executed + u64::from(left.0.get())),
        };
        check(self.feed.apply(&Command::AmendOrder { amend, ids: CancelIds::default() }).0)
    }

    fn live_order(&self, order: MarketOrder) -> Option<Terms> {
        let books = self.feed.engine.books();
        let handle = Books::find(books, *self.orders.get(&order)?)?;
        let resting = Books::order(books, handle);
        let price = NonZeroU64::new(u64::from(resting.price.0) * self.price_unit)?;
        let quantity = u32::try_from(resting.leaves.0).ok().and_then(NonZeroU32::new)?;
        let side = match resting.side {
            Side::Buy => MarketSide::Buy,
            Side::Sell => MarketSide::Sell,
        };
        Some(Terms { side, price: NanoPrice(price), quantity: Contracts(quantity) })
    }

    fn resting(&self) -> Resting {
        let books = self.feed.engine.books();
        let mut resting = Resting::default();
        for side in [Side::Buy, Side::Sell] {
            let mut next = Books::front(books, INSTRUMENT, side);
            while let Some(handle) = next {
                resting.orders += 1;
                resting.quantity += Books::order(books, handle).leaves.0;
                next = Books::after(books, handle);
            }
        }
        resting
    }
}
