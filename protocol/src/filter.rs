//! An order's filters as pure functions: the core decides by them, the gateway asks them for
//! `order/test`. They refuse to know books and balances; the average price is given to them.
//!
//! Source: dialect §4.3. A bound of 0 is off.

use crate::{
    Instrument, Price, Quantity, Reject, Side,
    instrument::{Filters, MULTIPLIER_ONE},
};

/// A volume-weighted average: notional (price units × quantity units) over quantity. Kept as a
/// fraction, so that comparing with it takes no division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePrice {
    /// Sum of price × quantity.
    pub notional: u128,
    /// Sum of quantity; at least 1.
    pub quantity: u128,
}

impl AveragePrice {
    /// An average that is a single price.
    pub const fn of(price: Price) -> Self {
        Self { notional: price.0 as u128, quantity: 1 }
    }

    /// The average, cut to whole price units.
    pub const fn price(self) -> Price {
        Price((self.notional / self.quantity) as u32)
    }

    /// `average × multiplier`, cut, and at most the largest price.
    pub fn times(self, multiplier: u32) -> Price {
        let product = self.notional.saturating_mul(u128::from(multiplier));
        let bound = product / self.quantity / u128::from(MULTIPLIER_ONE);
        Price(u32::try_from(bound).unwrap_or(u32::MAX - 1))
    }
}

/// PRICE_FILTER.
#[inline]
pub fn price(filters: &Filters, price: Price) -> Result<(), Reject> {
    let in_range = price >= filters.min_price && price <= filters.max_price;
    let on_tick = filters.tick_size.0 == 1 || price.0.is_multiple_of(filters.tick_size.0);
    if in_range && on_tick { Ok(()) } else { Err(Reject::PriceFilter) }
}

/// LOT_SIZE.
#[inline]
pub fn lot(filters: &Filters, quantity: Quantity) -> Result<(), Reject> {
    let in_range = quantity >= filters.min_quantity && quantity <= filters.max_quantity;
    let on_lot = filters.lot_size.0 == 1 || quantity.0.is_multiple_of(filters.lot_size.0);
    if in_range && on_lot { Ok(()) } else { Err(Reject::LotSize) }
}

/// LOT_SIZE, then MARKET_LOT_SIZE, for a market order by quantity.
#[inline]
pub fn market_lot(filters: &Filters, quantity: Quantity) -> Result<(), Reject> {
    lot(filters, quantity)?;
    if filters.max_market_quantity.0 != 0 && quantity > filters.max_market_quantity {
        return Err(Reject::MarketLotSize);
    }
    Ok(())
}

/// NOTIONAL for an order with a price.
#[inline]
pub fn notional(filters: &Filters, notional: i64) -> Result<(), Reject> {
    let above = filters.max_notional != 0 && notional > filters.max_notional;
    if notional < filters.min_notional || above { Err(Reject::Notional) } else { Ok(()) }
}

/// NOTIONAL for a market order, by the average price or by its quote quantity.
pub fn market_notional(filters: &Filters, notional: i64) -> Result<(), Reject> {
    let below = filters.min_notional_on_market != 0 && notional < filters.min_notional;
    let above =
        filters.max_notional_on_market != 0 && filters.max_notional != 0 && notional > filters.max_notional;
    if below || above { Err(Reject::Notional) } else { Ok(()) }
}

/// Whether PERCENT_PRICE_BY_SIDE bounds an order of `side` at all.
#[inline]
pub fn bounds_price(filters: &Filters, side: Side) -> bool {
    match side {
        Side::Buy => filters.bid_multiplier_up | filters.bid_multiplier_down != 0,
        Side::Sell => filters.ask_multiplier_up | filters.ask_multiplier_down != 0,
    }
}

/// PERCENT_PRICE_BY_SIDE. Without an average (no trade, no reference) nothing is refused.
#[inline]
pub fn percent_price(
    filters: &Filters,
    side: Side,
    price: Price,
    average: Option<AveragePrice>,
) -> Result<(), Reject> {
    let (down, up) = match side {
        Side::Buy => (filters.bid_multiplier_down, filters.bid_multiplier_up),
        Side::Sell => (filters.ask_multiplier_down, filters.ask_multiplier_up),
    };
    let Some(average) = average else { return Ok(()) };
    let scaled =
        u128::from(price.0).saturating_mul(average.quantity).saturating_mul(u128::from(MULTIPLIER_ONE));
    let too_high = up != 0 && scaled > average.notional.saturating_mul(u128::from(up));
    let too_low = scaled < average.notional.saturating_mul(u128::from(down));
    if too_high || too_low { Err(Reject::PercentPrice) } else { Ok(()) }
}

/// The protection price: the percent-price bound beyond which no market order of `side` trades.
/// Without a bound or an average it is the price filter's own.
pub fn protection_price(instrument: &Instrument, side: Side, average: Option<AveragePrice>) -> Price {
    let filters = &instrument.filters;
    match (side, average) {
        (Side::Buy, Some(average)) if filters.bid_multiplier_up != 0 => {
            average.times(filters.bid_multiplier_up).min(filters.max_price)
        }
        (Side::Sell, Some(average)) if filters.ask_multiplier_down != 0 => {
            let cut = average.times(filters.ask_multiplier_down);
            // Cutting a lower bound would let a market order trade a fraction beyond it.
            let exact = u128::from(cut.0) * average.quantity * u128::from(MULTIPLIER_ONE)
                == average.notional.saturating_mul(u128::from(filters.ask_multiplier_down));
            let bound = if exact { cut } else { Price(cut.0.saturating_add(1)) };
            bound.max(filters.min_price)
        }
        (Side::Buy, _) => filters.max_price,
        (Side::Sell, _) => filters.min_price,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters() -> Filters {
        Filters {
            tick_size: Price(5),
            min_price: Price(10),
            max_price: Price(1_000),
            lot_size: Quantity(3),
            min_quantity: Quantity(6),
            max_quantity: Quantity(300),
            max_market_quantity: Quantity(30),
            min_notional: 100,
            max_notional: 10_000,
            bid_multiplier_up: 20_000,
            bid_multiplier_down: 5_000,
            ask_multiplier_up: 30_000,
            ask_multiplier_down: 9_000,
            ..Filters::open()
        }
    }

    #[test]
    fn each_bound_is_inclusive() {
        let filters = filters();
        for (value, expected) in [(5, false), (10, true), (12, false), (1_000, true), (1_005, false)] {
            assert_eq!(price(&filters, Price(value)).is_ok(), expected, "price {value}");
        }
        for (value, expected) in [(3, false), (6, true), (7, false), (300, true), (303, false)] {
            assert_eq!(lot(&filters, Quantity(value)).is_ok(), expected, "quantity {value}");
        }
        assert_eq!(market_lot(&filters, Quantity(30)), Ok(()));
        assert_eq!(market_lot(&filters, Quantity(33)), Err(Reject::MarketLotSize));
        for (value, expected) in [(99, false), (100, true), (10_000, true), (10_001, false)] {
            assert_eq!(notional(&filters, value).is_ok(), expected, "notional {value}");
        }
        assert_eq!(market_notional(&filters, 99), Err(Reject::Notional));
        assert_eq!(market_notional(&filters, 10_001), Ok(()), "the largest does not bind market orders here");
    }

    #[test]
    fn percent_price_is_by_side_and_exact() {
        let filters = filters();
        let average = Some(AveragePrice { notional: 301, quantity: 3 }); // 100.33…
        let cases = [
            (Side::Buy, 200, true),
            (Side::Buy, 201, false),
            (Side::Buy, 51, true),
            (Side::Buy, 50, false),
            (Side::Sell, 301, true),
            (Side::Sell, 302, false),
            (Side::Sell, 91, true),
            (Side::Sell, 90, false),
        ];
        for (side, value, expected) in cases {
            assert_eq!(
                percent_price(&filters, side, Price(value), average).is_ok(),
                expected,
                "{side:?} {value}"
            );
        }
        assert_eq!(percent_price(&filters, Side::Buy, Price(999), None), Ok(()));
    }

    #[test]
    fn the_protection_price_is_the_last_price_the_filter_lets_pass() {
        let mut instrument = crate::command::sample::instrument();
        instrument.filters = filters();
        for quantity in 1..40_u128 {
            let average = Some(AveragePrice { notional: 4_007, quantity });
            for side in [Side::Buy, Side::Sell] {
                let bound = protection_price(&instrument, side, average);
                let beyond = if side == Side::Buy { Price(bound.0 + 1) } else { Price(bound.0 - 1) };
                let free = Filters { bid_multiplier_down: 0, ask_multiplier_up: 0, ..filters() };
                if bound != free.max_price && bound != free.min_price {
                    assert_eq!(percent_price(&free, side, bound, average), Ok(()), "{side:?} {quantity}");
                    assert!(percent_price(&free, side, beyond, average).is_err(), "{side:?} {quantity}");
                }
            }
        }
    }
}
