//! An exchange of one instrument that is obviously right: sorted maps of queues, price, then time. What a market's
//! file gives here, every engine that matches so must give.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::num::NonZeroU32;

use bench::market_by_order::replay::{MakerFill, Resting, Venue};
use bench::market_by_order::{Contracts, MarketOrder, NanoPrice, Side, Terms};

type Levels = BTreeMap<NanoPrice, VecDeque<MarketOrder>>;

#[derive(Default)]
pub(crate) struct SortedMapVenue {
    bids: Levels,
    asks: Levels,
    live: HashMap<MarketOrder, Terms>,
    trading: bool,
    /// Best bid and best ask at the opening.
    pub(crate) opened_with: Option<(Option<NanoPrice>, Option<NanoPrice>)>,
}

impl SortedMapVenue {
    fn levels(&mut self, side: Side) -> &mut Levels {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    fn best(&self, side: Side) -> Option<NanoPrice> {
        match side {
            Side::Buy => self.bids.last_key_value().map(|(&price, _)| price),
            Side::Sell => self.asks.first_key_value().map(|(&price, _)| price),
        }
    }

    fn remove(&mut self, order: MarketOrder) {
        let terms = self.live.remove(&order).expect("only live orders are removed");
        let levels = self.levels(terms.side);
        let queue = levels.get_mut(&terms.price).expect("a live order's level exists");
        queue.retain(|&other| other != order);
        if queue.is_empty() {
            levels.remove(&terms.price);
        }
    }

    fn set_left(&mut self, order: MarketOrder, left: Contracts) {
        self.live.get_mut(&order).expect("only live orders are amended").quantity = left;
    }

    /// Trades up to the limit; returns what is left.
    fn take(&mut self, terms: Terms, fills: &mut Vec<MakerFill>) -> Option<Contracts> {
        let mut left = terms.quantity.0.get();
        while self.trading && left > 0 {
            let Some(best) = self.best(terms.side.opposite()) else { break };
            let crosses = match terms.side {
                Side::Buy => best <= terms.price,
                Side::Sell => best >= terms.price,
            };
            if !crosses {
                break;
            }
            let maker = self.levels(terms.side.opposite())[&best][0];
            let resting = self.live[&maker].quantity;
            let traded = Contracts(NonZeroU32::new(left).map_or(resting.0, |left| left.min(resting.0)));
            fills.push(MakerFill { maker, quantity: traded });
            left -= traded.0.get();
            match NonZeroU32::new(resting.0.get() - traded.0.get()) {
                Some(rest) => self.set_left(maker, Contracts(rest)),
                None => self.remove(maker),
            }
        }
        NonZeroU32::new(left).map(Contracts)
    }
}

impl Venue for SortedMapVenue {
    type Refusal = Infallible;

    fn open_trading(&mut self) -> Result<(), Infallible> {
        self.trading = true;
        self.opened_with = Some((self.best(Side::Buy), self.best(Side::Sell)));
        Ok(())
    }

    fn place(
        &mut self,
        order: MarketOrder,
        terms: Terms,
        fills: &mut Vec<MakerFill>,
    ) -> Result<(), Infallible> {
        if let Some(left) = self.take(terms, fills) {
            self.levels(terms.side).entry(terms.price).or_default().push_back(order);
            self.live.insert(order, Terms { quantity: left, ..terms });
        }
        Ok(())
    }

    fn place_immediate(&mut self, terms: Terms, fills: &mut Vec<MakerFill>) -> Result<(), Infallible> {
        self.take(terms, fills);
        Ok(())
    }

    fn cancel(&mut self, order: MarketOrder) -> Result<(), Infallible> {
        self.remove(order);
        Ok(())
    }

    fn cancel_all(&mut self) -> Result<(), Infallible> {
        self.bids.clear();
        self.asks.clear();
        self.live.clear();
        Ok(())
    }

    fn amend_keeping_place(&mut self, order: MarketOrder, left: Contracts) -> Result<(), Infallible> {
        self.set_left(order, left);
        Ok(())
    }

    fn live_order(&self, order: MarketOrder) -> Option<Terms> {
        self.live.get(&order).copied()
    }

    fn resting(&self) -> Resting {
        let quantity = self.live.values().map(|terms| u64::from(terms.quantity.0.get())).sum();
        Resting { orders: self.live.len() as u64, quantity }
    }
}
