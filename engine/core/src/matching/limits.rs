//! What an account may have open: the number of orders in an instrument, for everyone, and the
//! limits of C-TRD-03 for accounts that were given some. Refuses to know prices' bounds; those are
//! filters.

use super::place::{may_rest, place_of};
use crate::{
    Engine,
    books::{Books, RestingOrder},
};
use protocol::{
    AccountId, AssetId, OrderType, Quantity, Reject, Side,
    command::{PlaceOrder, QuantityKind, SetLimits},
    event::{EventBuffer, EventKind, LimitsSet},
};

impl<B: Books> Engine<B> {
    /// Whether the account may have this order too.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "every order comes this way; the other calls are cold")]
    pub(crate) fn check_limits(&self, order: &PlaceOrder) -> Result<(), Reject> {
        let market = &self.markets[place_of(order.instrument)];
        let instrument = &market.instrument;
        let open = self.books.count(order.account, order.instrument);
        let full = (open >= instrument.filters.max_account_orders)
            | (self.books.open_orders(order.instrument) >= instrument.filters.max_open_orders);
        if full && may_rest(order) {
            return Err(Reject::TooManyOrders);
        }
        if market.counts_positions && order.side == Side::Buy {
            self.check_position(order)?;
        }
        if self.ledger.accounts.known(order.account).limited {
            self.check_account_limits(order)
        } else {
            Ok(())
        }
    }

    #[cold]
    fn check_account_limits(&self, order: &PlaceOrder) -> Result<(), Reject> {
        let Some(limits) = self.ledger.accounts.limits(order.account) else { return Ok(()) };
        let market = &self.markets[place_of(order.instrument)];
        let instrument = &market.instrument;
        let passes = |limit: i64, value: i64| limit == 0 || value <= limit;
        if may_rest(order) && limits.max_open_orders != 0 && limits.open_orders >= limits.max_open_orders {
            return Err(Reject::OpenOrdersLimit);
        }
        let Some(by_asset) = limits.notional.get(&instrument.quote) else { return Ok(()) };
        let notional = match (order.order_type, order.quantity_kind) {
            (OrderType::Market, QuantityKind::Quote) => i64::try_from(order.quantity.0).ok(),
            (OrderType::Market, QuantityKind::Base) => {
                match market.average.price(instrument.filters.reference_price) {
                    Some(average) => instrument.notional(average.price(), order.quantity),
                    None => Some(0),
                }
            }
            _ => instrument.notional(order.price, order.quantity),
        };
        let notional = notional.ok_or(Reject::OrderNotionalLimit)?;
        if !passes(by_asset.max_order, notional) {
            return Err(Reject::OrderNotionalLimit);
        }
        if may_rest(order)
            && by_asset.max_open != 0
            && by_asset.open + i128::from(notional) > i128::from(by_asset.max_open)
        {
            return Err(Reject::OpenNotionalLimit);
        }
        Ok(())
    }

    /// MAX_POSITION: what the account has of the base asset, what its open buys would add, and this
    /// one. A market order by quote is taken for what the average price makes of it.
    #[cold]
    fn check_position(&self, order: &PlaceOrder) -> Result<(), Reject> {
        let market = &self.markets[place_of(order.instrument)];
        let instrument = &market.instrument;
        let unit = i128::from(instrument.base_per_unit);
        let balance = self.ledger.balances.get(order.account, instrument.base);
        let mut position = i128::from(balance.available) + i128::from(balance.held);
        let mut next = self.books.newest(order.account, instrument.id);
        while let Some(handle) = next {
            let open = self.books.order(handle);
            if open.side == Side::Buy {
                let hidden = self.contingent.reserve(open.order_id);
                position += (i128::from(open.leaves.0) + i128::from(hidden.0)) * unit;
            }
            next = self.books.older(handle);
        }
        let wanted = match (order.quantity_kind, market.average.price(instrument.filters.reference_price)) {
            (QuantityKind::Base, _) => i128::from(order.quantity.0),
            (QuantityKind::Quote, Some(average)) => {
                let unit_cost = i128::from(average.price().0.max(1)) * i128::from(instrument.quote_per_unit);
                i128::from(order.quantity.0) / unit_cost
            }
            (QuantityKind::Quote, None) => 0,
        };
        let most = i128::from(market.order_filters.max_position.0) * unit;
        if position + wanted * unit > most { Err(Reject::MaxPosition) } else { Ok(()) }
    }

    /// Counts what an iceberg keeps out of sight, or no longer does.
    pub(crate) fn count_reserve(&mut self, order: &RestingOrder, quantity: Quantity, more: bool) {
        if quantity.0 == 0 || !self.ledger.accounts.known(order.account).limited {
            return;
        }
        let instrument = &self.markets[place_of(order.instrument)].instrument;
        let notional = i128::from(instrument.notional(order.price, quantity).unwrap_or(0));
        let limits = self.ledger.accounts.limits_mut(order.account);
        if let Some(by_asset) = limits.notional.get_mut(&instrument.quote) {
            by_asset.open += if more { notional } else { -notional };
        }
    }

    /// Counts a change of what the account has open: `quantity` of a resting order more (with
    /// `orders` ≥ 0 and the order in the book) or less.
    #[inline]
    pub(crate) fn count_open(&mut self, order: RestingOrder, quantity: Quantity, orders: i32) {
        if self.ledger.accounts.known(order.account).limited {
            self.count_open_of_limited(order, quantity, orders);
        }
    }

    #[cold]
    fn count_open_of_limited(&mut self, order: RestingOrder, quantity: Quantity, orders: i32) {
        let instrument = &self.markets[place_of(order.instrument)].instrument;
        // It fitted when the order came.
        let notional = instrument.notional(order.price, quantity).unwrap_or(0);
        let limits = self.ledger.accounts.limits_mut(order.account);
        limits.open_orders = limits.open_orders.saturating_add_signed(orders);
        if let Some(by_asset) = limits.notional.get_mut(&instrument.quote) {
            by_asset.open += i128::from(if orders > 0 { notional } else { -notional });
        }
    }

    /// What the account has open: how many orders, and their notional in a quote asset, what icebergs keep
    /// out of sight included.
    pub(crate) fn all_open(&self, account: AccountId, quote: AssetId) -> (u32, i128) {
        let (mut open_orders, mut open) = (0, 0_i128);
        for market in &self.markets {
            let instrument = &market.instrument;
            let mut next = self.books.newest(account, instrument.id);
            while let Some(handle) = next {
                let order = self.books.order(handle);
                open_orders += 1;
                if instrument.quote == quote {
                    let hidden = self.contingent.reserve(order.order_id);
                    let all = Quantity(order.leaves.0 + hidden.0);
                    open += i128::from(instrument.notional(order.price, all).unwrap_or(0));
                }
                next = self.books.older(handle);
            }
        }
        (open_orders, open)
    }

    /// Sets limits; what is open already is counted, and stays.
    pub(crate) fn set_limits(&mut self, set: &SetLimits, events: &mut EventBuffer) -> Result<u64, Reject> {
        self.ledger.accounts.customer(set.account)?;
        if set.asset.0 != 0 && self.ledger.asset(set.asset).is_none() {
            return Err(Reject::UnknownAsset);
        }
        if set.max_order_notional < 0 || set.max_open_notional < 0 {
            return Err(Reject::AmountOutOfRange);
        }
        let (open_orders, open) = self.all_open(set.account, set.asset);
        let limits = self.ledger.accounts.limits_mut(set.account);
        limits.max_open_orders = set.max_open_orders;
        limits.open_orders = open_orders;
        if set.asset.0 != 0 {
            let by_asset = limits.notional.entry(set.asset).or_default();
            by_asset.max_order = set.max_order_notional;
            by_asset.max_open = set.max_open_notional;
            by_asset.open = open;
        }
        events.push(EventKind::LimitsSet, &LimitsSet { limits: *set });
        Ok(0)
    }
}
