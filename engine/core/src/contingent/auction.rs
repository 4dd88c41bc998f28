//! The call auction: one price for all that crosses, by which the most trades, then the least is left
//! over, then nearest the reference, then lowest. Both sides rest and hold, so what a buyer's limit is
//! better by goes back to him. Self-trade prevention, which is the incoming order's, has none here.
//! Refuses to know when one is held.

use crate::{
    Engine,
    books::{Books, MARKED, RestingOrder},
};
use protocol::{
    AccountId, InstrumentId, Price, Quantity, Side, TradeId,
    event::{AuctionHeld, AuctionTrade, EventBuffer, EventKind, Trade},
    order::CloseReason,
};

/// What would trade at a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offer {
    price: u32,
    demand: u128,
    supply: u128,
}

impl Offer {
    fn volume(self) -> u128 {
        self.demand.min(self.supply)
    }

    fn surplus(self) -> u128 {
        self.demand.abs_diff(self.supply)
    }
}

/// The price of an auction over `bids` and `asks` (price and quantity, in any order), if they cross;
/// prices that are not an order's are multiples of `tick`.
fn clearing(bids: &[(u32, u64)], asks: &[(u32, u64)], tick: u32, reference: Option<u32>) -> Option<Offer> {
    let highest = bids.iter().map(|(price, _)| *price).max()?;
    let lowest = asks.iter().map(|(price, _)| *price).min()?;
    if highest < lowest {
        return None;
    }
    let mut prices: Vec<u32> = bids.iter().chain(asks).map(|(price, _)| *price).collect();
    prices.retain(|price| (lowest..=highest).contains(price));
    prices.sort_unstable();
    prices.dedup();
    // Between two orders' prices all is the same: the ends of the gap, and the reference, stand for it.
    let gaps: Vec<u32> = prices
        .windows(2)
        .flat_map(|pair| {
            [pair[0].saturating_add(tick), pair[1].saturating_sub(tick)].map(|price| (pair, price))
        })
        .filter(|(pair, price)| pair[0] < *price && *price < pair[1])
        .map(|(_, price)| price)
        .collect();
    prices.extend(gaps);
    prices.extend(reference.filter(|price| (lowest..=highest).contains(price) && price.is_multiple_of(tick)));
    prices.sort_unstable();
    prices.dedup();
    // Demand falls and supply rises with the price: each side is walked once.
    let (mut bids, mut asks) = (bids.to_vec(), asks.to_vec());
    bids.sort_unstable();
    asks.sort_unstable();
    let mut demand: u128 = bids.iter().map(|(_, quantity)| u128::from(*quantity)).sum();
    let (mut supply, mut bids_below, mut asks_up_to) =
        (0_u128, bids.iter().peekable(), asks.iter().peekable());
    let offers = prices.into_iter().map(|price| {
        while let Some((_, quantity)) = bids_below.next_if(|(bid, _)| *bid < price) {
            demand -= u128::from(*quantity);
        }
        while let Some((_, quantity)) = asks_up_to.next_if(|(ask, _)| *ask <= price) {
            supply += u128::from(*quantity);
        }
        Offer { price, demand, supply }
    });
    offers.min_by_key(|offer| {
        let far = reference.map_or(0, |reference| reference.abs_diff(offer.price));
        (std::cmp::Reverse(offer.volume()), offer.surplus(), far, offer.price)
    })
}

impl<B: Books> Engine<B> {
    /// Holds an auction: trades all that crosses, at one price.
    pub(crate) fn hold_auction(&mut self, instrument: InstrumentId, events: &mut EventBuffer) {
        let time = self.time;
        let market = &mut self.markets[usize::from(instrument.0) - 1];
        market.average.roll(time);
        let filters = &market.instrument.filters;
        let reference = market.last_price().unwrap_or(filters.reference_price);
        let reference = (reference.0 != 0).then_some(reference.0);
        let tick = filters.tick_size.0;
        let (bids, asks) = (self.offered(instrument, Side::Buy), self.offered(instrument, Side::Sell));
        let Some(offer) = clearing(&bids, &asks, tick, reference) else {
            let none = AuctionHeld {
                instrument,
                surplus_side: Side::Buy,
                reserved: 0,
                price: Price(0),
                quantity: Quantity(0),
                surplus: Quantity(0),
            };
            return events.push(EventKind::AuctionHeld, &none);
        };
        let held = AuctionHeld {
            instrument,
            surplus_side: if offer.demand >= offer.supply { Side::Buy } else { Side::Sell },
            reserved: 0,
            price: Price(offer.price),
            quantity: Quantity(u64::try_from(offer.volume()).unwrap_or(u64::MAX)),
            surplus: Quantity(u64::try_from(offer.surplus()).unwrap_or(u64::MAX)),
        };
        events.push(EventKind::AuctionHeld, &held);
        let mut taker = protocol::OrderId(0);
        let mut left = offer.volume();
        while left > 0 {
            let front = |side| self.books.front(instrument, side);
            let (Some(buy), Some(sell)) = (front(Side::Buy), front(Side::Sell)) else { break };
            let (bid, ask) = (*self.books.order(buy), *self.books.order(sell));
            if let Some((over, _)) = [(buy, bid), (sell, ask)].iter().find(|(_, order)| self.is_over(order)) {
                self.close_resting(*over, CloseReason::TimeReached, None, events);
                continue;
            }
            let quantity = bid.leaves.min(ask.leaves);
            taker = self.trade_at_auction((bid, ask), Price(offer.price), quantity, taker, events);
            self.reduce_by_auction(buy, bid, quantity, events);
            self.reduce_by_auction(sell, ask, quantity, events);
            left -= u128::from(quantity.0);
        }
        self.wake(instrument);
    }

    /// What a side offers, order by order, icebergs' reserves included.
    fn offered(&self, instrument: InstrumentId, side: Side) -> Vec<(u32, u64)> {
        let opposite = self.books.best_price(instrument, side.opposite());
        let handles =
            std::iter::successors(self.books.front(instrument, side), |handle| self.books.after(*handle));
        let orders = handles.map(|handle| *self.books.order(handle));
        let crossing = orders.filter(|order| !self.is_over(order)).take_while(|order| {
            opposite.is_some_and(|other| side.pick(order.price >= other, order.price <= other))
        });
        crossing
            .map(|order| {
                let hidden =
                    if order.flags & MARKED == 0 { 0 } else { self.contingent.reserve(order.order_id).0 };
                (order.price.0, order.leaves.0 + hidden)
            })
            .collect()
    }

    /// One trade: each side spends what it held, and gets what it bought less its fee. The order of
    /// the higher id is the taker; returns its id.
    fn trade_at_auction(
        &mut self,
        (bid, ask): (RestingOrder, RestingOrder),
        price: Price,
        quantity: Quantity,
        last_taker: protocol::OrderId,
        events: &mut EventBuffer,
    ) -> protocol::OrderId {
        let taker_side = if bid.order_id > ask.order_id { Side::Buy } else { Side::Sell };
        let (taker, maker) = taker_side.pick((bid, ask), (ask, bid));
        let market = &mut self.markets[usize::from(bid.instrument.0) - 1];
        let (base, quote) = (market.instrument.base, market.instrument.quote);
        let notional = market.held(Side::Buy, price, quantity);
        let held = market.held(Side::Buy, bid.price, quantity);
        let base_amount = market.held(Side::Sell, price, quantity);
        let (paid, paid_asset, received, received_asset) =
            taker_side.pick((notional, quote, base_amount, base), (base_amount, base, notional, quote));
        let accounts = &self.ledger.accounts;
        let taker_fee = market.taker_fee(accounts.known(taker.account).fee_tier, received);
        let maker_fee = market.maker_fee(accounts.known(maker.account).fee_tier, paid);
        let balances = &mut self.ledger.balances;
        // A rebate is paid out of the fee account, which has what it has.
        let maker_fee = maker_fee.max(-balances.get(AccountId::FEES, paid_asset).available);
        balances.of(bid.account, quote).release(held);
        balances.of(bid.account, quote).debit(notional);
        balances.of(ask.account, base).capture(base_amount);
        balances.of(taker.account, received_asset).credit(received - taker_fee);
        balances.of(maker.account, paid_asset).credit(paid - maker_fee);
        balances.of(AccountId::FEES, received_asset).credit(taker_fee);
        balances.of(AccountId::FEES, paid_asset).debit(-maker_fee);
        market.trades += 1;
        market.aggregates += u64::from(taker.order_id != last_taker);
        market.average.add(price, quantity);
        let trade = Trade {
            trade_id: TradeId(market.trades),
            aggregate_id: market.aggregates,
            maker_order_id: maker.order_id,
            taker_order_id: taker.order_id,
            maker_account: maker.account,
            taker_account: taker.account,
            price,
            instrument: bid.instrument,
            taker_side,
            maker_filled: u8::from(quantity == maker.leaves),
            quantity,
            maker_fee,
            taker_fee,
        };
        let auction = AuctionTrade {
            trade,
            maker_price: maker.price,
            taker_price: taker.price,
            taker_filled: u8::from(quantity == taker.leaves),
            reserved: [0; 7],
        };
        events.push(EventKind::AuctionTrade, &auction);
        taker.order_id
    }

    fn reduce_by_auction(
        &mut self,
        handle: B::Handle,
        order: RestingOrder,
        quantity: Quantity,
        events: &mut EventBuffer,
    ) {
        let gone = quantity == order.leaves;
        self.count_open(order, quantity, -i32::from(gone));
        let marked = order.flags & MARKED != 0;
        if gone && marked {
            self.finish_marked(handle, order, true, events);
        } else if gone {
            self.take_out(handle, order.order_id, order.flags);
        } else {
            self.books.reduce(handle, quantity, true);
            if marked {
                self.note_traded(&order);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_most_then_the_least_over_then_the_nearest() {
        type Side = &'static [(u32, u64)];
        let cases: [(Side, Side, Option<u32>, Option<u32>); 8] = [
            (&[(99, 5)], &[(100, 5)], None, None),
            (&[(100, 5)], &[(100, 5)], None, Some(100)),
            (&[(100, 5)], &[(90, 5)], Some(95), Some(95)),
            (&[(100, 5)], &[(90, 5)], Some(120), Some(100)),
            (&[(100, 5)], &[(90, 5)], Some(50), Some(90)),
            (&[(100, 5)], &[(90, 5)], None, Some(90)),
            // Most volume at 100 (8), whatever the reference.
            (&[(101, 5), (100, 3)], &[(99, 5), (100, 3)], Some(101), Some(100)),
            // 5 trade anywhere from 90 to 110; only between the orders is nothing left over.
            (&[(110, 5), (90, 5)], &[(90, 5), (110, 5)], Some(90), Some(91)),
        ];
        for (bids, asks, reference, price) in cases {
            let found = clearing(bids, asks, 1, reference).map(|offer| offer.price);
            assert_eq!(found, price, "{bids:?} {asks:?} {reference:?}");
        }
    }

    #[test]
    fn a_reference_between_ticks_draws_the_price_and_is_none_itself() {
        for (reference, price) in [(93, 95), (92, 90), (95, 95), (99, 100)] {
            let found = clearing(&[(100, 5)], &[(90, 5)], 5, Some(reference));
            assert_eq!(found.map(|offer| offer.price), Some(price), "{reference}");
        }
    }

    proptest! {
        #[test]
        fn no_price_is_better(
            bids in proptest::collection::vec((1_u32..40, 1_u64..9), 1..12),
            asks in proptest::collection::vec((1_u32..40, 1_u64..9), 1..12),
            reference in proptest::option::of(1_u32..40),
        ) {
            let at = |price: u32| Offer {
                price,
                demand: bids.iter().filter(|(bid, _)| *bid >= price).map(|(_, q)| u128::from(*q)).sum(),
                supply: asks.iter().filter(|(ask, _)| *ask <= price).map(|(_, q)| u128::from(*q)).sum(),
            };
            let rank = |offer: Offer| {
                let far = reference.map_or(0, |reference| reference.abs_diff(offer.price));
                (std::cmp::Reverse(offer.volume()), offer.surplus(), far, offer.price)
            };
            let best = (1..40).map(at).filter(|offer| offer.volume() > 0).min_by_key(|offer| rank(*offer));
            let found = clearing(&bids, &asks, 1, reference);
            // Without a reference any price of a gap is as good: only the rank but for the price counts.
            prop_assert_eq!(found.map(|offer| (rank(offer).0, rank(offer).1, rank(offer).2)), best.map(|offer| (rank(offer).0, rank(offer).1, rank(offer).2)));
            prop_assert_eq!(found, best);
        }
    }
}
