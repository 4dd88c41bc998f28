//! An instrument as the core keeps it: its definition, fees by tier, counters and average price.
//! Refuses to know its orders; they are in the books.

use crate::average::Average;
use protocol::{
    AssetId, FeeRate, Instrument, Price, Quantity, Side,
    fee::fee,
    instrument::{FEE_TIERS, FeeRates, within_supply},
    money::Amount,
    terms::OrderFilters,
};

/// An instrument's state besides its orders.
#[derive(Clone, Debug)]
pub struct Market {
    /// Its definition.
    pub instrument: Instrument,
    /// Rates by tier; tier 0's are the definition's.
    pub(crate) fees: [FeeRates; FEE_TIERS],
    /// How many trades there were.
    pub(crate) trades: u64,
    /// How many aggregate trades there were.
    pub(crate) aggregates: u64,
    pub(crate) average: Average,
    /// Whether it was ever opened with leave to be crossed: the audit then expects nothing of it.
    pub(crate) left_crossed: bool,
    /// Whether someone waits for what its last price does.
    pub(crate) watched: bool,
    /// Whether accounts' positions in the base asset are bounded.
    pub(crate) counts_positions: bool,
    /// Filters of orders that are not plain.
    pub(crate) order_filters: OrderFilters,
}

impl Market {
    pub(crate) fn new(instrument: Instrument) -> Self {
        let average = Average::new(instrument.filters.average_minutes);
        Self {
            instrument,
            fees: [instrument.fees; FEE_TIERS],
            trades: 0,
            aggregates: 0,
            average,
            left_crossed: false,
            watched: false,
            counts_positions: false,
            order_filters: OrderFilters::open(),
        }
    }

    /// The price of the last trade.
    pub fn last_price(&self) -> Option<Price> {
        self.average.last_price()
    }

    /// Filters of orders that are not plain.
    pub fn order_filters(&self) -> &OrderFilters {
        &self.order_filters
    }

    /// How many trades there were.
    pub fn trades(&self) -> u64 {
        self.trades
    }

    #[inline]
    pub(crate) fn maker_fee(&self, tier: u8, received: i64) -> i64 {
        fee_of(self.fees[usize::from(tier) % FEE_TIERS].maker, received)
    }

    #[inline]
    pub(crate) fn taker_fee(&self, tier: u8, received: i64) -> i64 {
        fee_of(self.fees[usize::from(tier) % FEE_TIERS].taker, received)
    }

    /// Which asset an order of `side` pays with.
    #[inline]
    pub(crate) fn paid_asset(&self, side: Side) -> AssetId {
        side.pick(self.instrument.quote, self.instrument.base)
    }

    /// What an order of `side` holds for `quantity` at `price`, in ledger units of what it pays
    /// with; `None` above the largest supply.
    #[inline]
    pub(crate) fn hold(&self, side: Side, price: Price, quantity: Quantity) -> Option<i64> {
        let Instrument { quote_per_unit, base_per_unit, .. } = self.instrument;
        // Past 64 bits it is past the supply too, whatever the quantity.
        let unit_cost = u64::from(price.0).saturating_mul(quote_per_unit as u64);
        within_supply(quantity.0.checked_mul(side.pick(unit_cost, base_per_unit as u64))?)
    }

    /// The hold of an order at rest: it fitted when it came.
    #[inline]
    pub(crate) fn held(&self, side: Side, price: Price, quantity: Quantity) -> i64 {
        self.hold(side, price, quantity).expect("an order at rest holds what was checked to fit")
    }
}

#[inline]
fn fee_of(rate: FeeRate, received: i64) -> i64 {
    fee(Amount(received), rate).0
}
