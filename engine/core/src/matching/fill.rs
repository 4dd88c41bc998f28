//! Trades: an order that came takes those at rest, best price first, first come first, until it
//! has enough, the price is too far, or self-trade prevention stops it. A trade settles both
//! sides' balances and fees in one step (C-TRD-07 to -10).

use super::{Taker, place::place_of};
use crate::{
    Engine,
    books::{Books, EXPIRES, MARKED, RestingOrder},
};
use protocol::{
    AccountId, OrderId, Price, Quantity, SelfTradePrevention, Side, TradeId,
    event::{EventBuffer, EventKind, Trade, TradePrevented},
    order::CloseReason,
};

/// The incoming order's own sums, posted once when it has done trading.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    paid: i64,
    received: i64,
    taker_fees: i64,
    maker_fees: i64,
}

impl<B: Books> Engine<B> {
    /// Trades the order; says why it must not go on, if it must not.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "orders that trade come this way; the other calls are cold")]
    pub(crate) fn trade(&mut self, taker: &mut Taker, events: &mut EventBuffer) -> Option<CloseReason> {
        let opposite = taker.side.opposite();
        let mut totals = Totals::default();
        let mut stopped = None;
        let mut aggregate_price = Price(0);
        while taker.leaves > 0 {
            let Some(handle) = self.books.front(taker.instrument, opposite) else { break };
            let resting = *self.books.order(handle);
            if !taker.reaches(resting.price) {
                break;
            }
            if self.is_over(&resting) {
                self.close_resting(handle, CloseReason::TimeReached, None, events);
                continue;
            }
            if taker.self_trade_prevention != SelfTradePrevention::None
                && self.same_party(taker.account, resting.account)
            {
                stopped = self.prevent(taker, handle, events);
                if stopped.is_some() {
                    break;
                }
                continue;
            }
            let quantity = taker.wants(resting.price, resting.leaves);
            if quantity.0 == 0 {
                break;
            }
            let new_price = aggregate_price != resting.price;
            aggregate_price = resting.price;
            self.fill(taker, resting, quantity, new_price, &mut totals, events);
            self.count_open(resting, quantity, -i32::from(quantity == resting.leaves));
            let marked = resting.flags & MARKED != 0;
            if quantity == resting.leaves {
                if marked {
                    self.finish_marked(handle, resting, true, events);
                } else {
                    self.take_out(handle, resting.order_id, resting.flags);
                }
            } else {
                self.books.reduce(handle, quantity, true);
                if marked {
                    self.note_traded(&resting);
                }
            }
        }
        if totals.received > 0 {
            self.settle(taker, &totals);
        }
        stopped
    }

    /// One trade: the maker's side is settled, the taker's counted.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "one step of the loop above, apart so that it can be read")]
    fn fill(
        &mut self,
        taker: &mut Taker,
        resting: RestingOrder,
        quantity: Quantity,
        new_price: bool,
        totals: &mut Totals,
        events: &mut EventBuffer,
    ) {
        let market = &mut self.markets[place_of(taker.instrument)];
        let (base, quote) = (market.instrument.base, market.instrument.quote);
        let notional = market.held(Side::Buy, resting.price, quantity);
        let base_amount = market.held(Side::Sell, resting.price, quantity);
        // What the taker pays is what the maker receives, and the other way round.
        let (paid, paid_asset, received, received_asset) = match taker.side {
            Side::Buy => (notional, quote, base_amount, base),
            Side::Sell => (base_amount, base, notional, quote),
        };
        let accounts = &self.ledger.accounts;
        let taker_fee = market.taker_fee(accounts.known(taker.account).fee_tier, received);
        let mut maker_fee = market.maker_fee(accounts.known(resting.account).fee_tier, paid);
        let balances = &mut self.ledger.balances;
        if maker_fee < 0 {
            // A rebate is paid out of the fee account, which has what it has.
            let fees = balances.get(AccountId::FEES, paid_asset).available + totals.maker_fees;
            maker_fee = maker_fee.max(-fees);
        }
        balances.of(resting.account, received_asset).capture(received);
        balances.of(resting.account, paid_asset).credit(paid - maker_fee);

        market.trades += 1;
        market.aggregates += u64::from(new_price);
        market.average.add(resting.price, quantity);
        let trade = Trade {
            trade_id: TradeId(market.trades),
            aggregate_id: market.aggregates,
            maker_order_id: resting.order_id,
            taker_order_id: taker.order_id,
            maker_account: resting.account,
            taker_account: taker.account,
            price: resting.price,
            instrument: taker.instrument,
            taker_side: taker.side,
            maker_filled: u8::from(quantity == resting.leaves),
            quantity,
            maker_fee,
            taker_fee,
        };
        events.push(EventKind::Trade, &trade);

        totals.paid += paid;
        totals.received += received;
        totals.taker_fees += taker_fee;
        totals.maker_fees += maker_fee;
        taker.take(quantity, notional);
        taker.executed += quantity.0;
    }

    /// Posts what the incoming order paid and received, and the fees of all its trades.
    fn settle(&mut self, taker: &Taker, totals: &Totals) {
        let market = &self.markets[place_of(taker.instrument)];
        let watched = market.watched;
        let paid_asset = market.paid_asset(taker.side);
        let received_asset = market.paid_asset(taker.side.opposite());
        let balances = &mut self.ledger.balances;
        balances.of(taker.account, paid_asset).debit(totals.paid);
        balances.of(taker.account, received_asset).credit(totals.received - totals.taker_fees);
        // Less than nothing where rebates were more than fees: they were cut to what there is.
        balances.of(AccountId::FEES, received_asset).debit(-totals.taker_fees);
        balances.of(AccountId::FEES, paid_asset).debit(-totals.maker_fees);
        if watched {
            self.wake(taker.instrument);
        }
    }

    /// Stands between two orders of one party; says why the incoming one stops, if it does.
    #[cold]
    fn prevent(
        &mut self,
        taker: &mut Taker,
        handle: B::Handle,
        events: &mut EventBuffer,
    ) -> Option<CloseReason> {
        let resting = *self.books.order(handle);
        let mode = taker.self_trade_prevention;
        let quantity = taker.wants(resting.price, resting.leaves);
        let decrements = mode == SelfTradePrevention::Decrement;
        self.prevented_matches += 1;
        let prevented = TradePrevented {
            prevented_match_id: self.prevented_matches,
            maker_order_id: resting.order_id,
            taker_order_id: taker.order_id,
            maker_account: resting.account,
            taker_account: taker.account,
            price: resting.price,
            instrument: taker.instrument,
            taker_side: taker.side,
            mode,
            quantity,
            maker_decrement: if decrements { quantity } else { Quantity(0) },
        };
        events.push(EventKind::TradePrevented, &prevented);
        match mode {
            SelfTradePrevention::None | SelfTradePrevention::ExpireTaker => Some(CloseReason::SelfTrade),
            SelfTradePrevention::ExpireMaker => {
                self.close_resting(handle, CloseReason::SelfTrade, None, events);
                None
            }
            SelfTradePrevention::ExpireBoth => {
                self.close_resting(handle, CloseReason::SelfTrade, None, events);
                Some(CloseReason::SelfTrade)
            }
            SelfTradePrevention::Decrement => {
                self.decrement(handle, quantity, events);
                taker.leaves -= quantity.0;
                None
            }
        }
    }

    /// Takes `quantity` off a resting order without a trade.
    fn decrement(&mut self, handle: B::Handle, quantity: Quantity, events: &mut EventBuffer) {
        let resting = *self.books.order(handle);
        let market = &self.markets[place_of(resting.instrument)];
        let amount = market.held(resting.side, resting.price, quantity);
        self.ledger.balances.of(resting.account, market.paid_asset(resting.side)).release(amount);
        let gone = quantity == resting.leaves;
        self.count_open(resting, quantity, -i32::from(gone));
        let marked = resting.flags & MARKED != 0;
        if gone && marked {
            self.finish_marked(handle, resting, false, events);
        } else if gone {
            self.take_out(handle, resting.order_id, resting.flags);
        } else {
            self.books.reduce(handle, quantity, false);
            if marked {
                self.note_traded(&resting);
            }
        }
    }

    /// Takes an order out of the book; its funds have moved.
    #[inline]
    pub(crate) fn take_out(&mut self, handle: B::Handle, order_id: OrderId, flags: u8) {
        self.books.remove(handle);
        if flags & EXPIRES != 0 {
            self.expiring.remove(order_id);
            self.note_expiry();
        }
    }
}
