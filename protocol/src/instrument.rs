//! An instrument: a base asset traded for a quote asset, its units (fixed for ever), its filters
//! and fees (which may change). Refuses to know its book.
//!
//! Source of the rules: the dialect §4.3 for the filters' meaning; units are fixed at creation so
//! that a fill never rounds.

use crate::{
    AssetId, FeeRate, InstrumentId, Price, Quantity, SelfTradePrevention, decimal::SCALE_MAX,
    money::SUPPLY_MAX,
};
use thiserror::Error;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// How many fee tiers there are; tier 0 is everyone's.
pub const FEE_TIERS: usize = 16;
/// What a percent-price multiplier of 1 is.
pub const MULTIPLIER_ONE: u32 = 10_000;
/// The longest window of the average price, in minutes.
pub const AVERAGE_MINUTES_MAX: u8 = 10;
/// The most open orders one account may be allowed in one instrument.
pub const ACCOUNT_ORDERS_MAX: u32 = 1_000_000;

/// A short ASCII name, zero-padded: a symbol or an asset's name. `[A-Z0-9]`, 1 to 24.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(transparent)]
pub struct Name([u8; 24]);

impl Name {
    /// Parses a name; `None` when it is empty, too long or has other than `[A-Z0-9]`.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if bytes.is_empty() || bytes.len() > 24 || !bytes.iter().all(allowed) {
            return None;
        }
        let mut name = Self([0; 24]);
        name.0[..bytes.len()].copy_from_slice(bytes);
        Some(name)
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..length]).unwrap_or("(not text)")
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What an instrument does with orders just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum InstrumentStatus {
    /// Limit orders rest, nothing matches.
    PreOpen = 0,
    /// Continuous matching.
    Trading = 1,
    /// Stopped by the operator: no new order; cancels are taken.
    Halt = 2,
    /// Nothing but cancels, for good or before a delisting.
    CancelOnly = 3,
    /// A planned pause: no new order; cancels are taken.
    Break = 4,
    /// Gone: its orders were cancelled, and it never opens again.
    Delisted = 5,
}

impl InstrumentStatus {
    /// Whether new orders may rest.
    pub const fn accepts_orders(self) -> bool {
        matches!(self, Self::PreOpen | Self::Trading)
    }

    /// Whether orders match.
    pub const fn matches(self) -> bool {
        matches!(self, Self::Trading)
    }
}

/// Maker's and taker's rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(C)]
pub struct FeeRates {
    /// Paid by the order that rested; may be negative (a rebate).
    pub maker: FeeRate,
    /// Paid by the order that came; never negative.
    pub taker: FeeRate,
}

/// The filters of an instrument; 0 switches a bound off unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(C)]
pub struct Filters {
    /// PRICE_FILTER: a price is a multiple of it. At least 1.
    pub tick_size: Price,
    /// PRICE_FILTER: the lowest price. At least 1.
    pub min_price: Price,
    /// PRICE_FILTER: the highest price.
    pub max_price: Price,
    /// PERCENT_PRICE_BY_SIDE, in 1/10,000 of the average price: the highest for a buy.
    pub bid_multiplier_up: u32,
    /// The lowest price of a buy.
    pub bid_multiplier_down: u32,
    /// The highest price of a sell.
    pub ask_multiplier_up: u32,
    /// The lowest price of a sell.
    pub ask_multiplier_down: u32,
    /// MAX_NUM_ORDERS: open orders of an account in the instrument. At least 1.
    pub max_account_orders: u32,
    /// LOT_SIZE: a quantity is a multiple of it. At least 1.
    pub lot_size: Quantity,
    /// LOT_SIZE: the least quantity.
    pub min_quantity: Quantity,
    /// LOT_SIZE: the largest quantity.
    pub max_quantity: Quantity,
    /// MARKET_LOT_SIZE: the largest quantity of a market order; 0 is `max_quantity`.
    pub max_market_quantity: Quantity,
    /// NOTIONAL: the least price × quantity, in ledger units of the quote asset.
    pub min_notional: i64,
    /// NOTIONAL: the largest.
    pub max_notional: i64,
    /// Minutes of the average price, 1 to [`AVERAGE_MINUTES_MAX`].
    pub average_minutes: u8,
    /// Whether `min_notional` binds market orders (1) or not (0).
    pub min_notional_on_market: u8,
    /// Whether `max_notional` binds market orders (1) or not (0).
    pub max_notional_on_market: u8,
    /// Zero.
    pub reserved: u8,
    /// ICEBERG_PARTS: the most slices of an iceberg; 0 takes no icebergs.
    pub iceberg_parts: u32,
    /// The price that stands for the average before the first trade; 0 when there is none.
    pub reference_price: Price,
    /// Open orders of all accounts together in the instrument, so that what it may take of memory is
    /// bounded. At least 1.
    pub max_open_orders: u32,
}

/// A whole instrument, as created, changed and journaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(TryFromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(C)]
pub struct Instrument {
    /// Its id; 0 in a command that creates it.
    pub id: InstrumentId,
    /// What is traded.
    pub base: AssetId,
    /// What it is paid with.
    pub quote: AssetId,
    /// A price unit is 10^-price_scale of the quote asset.
    pub price_scale: u8,
    /// A quantity unit is 10^-quantity_scale of the base asset.
    pub quantity_scale: u8,
    /// What it does with orders now.
    pub status: InstrumentStatus,
    /// What the gateway fills in for an order that names no mode.
    pub default_self_trade_prevention: SelfTradePrevention,
    /// Zero.
    pub reserved: [u8; 6],
    /// Its symbol, as clients write it.
    pub symbol: Name,
    /// Ledger units of the quote asset that one quantity unit costs at price 1.
    pub quote_per_unit: i64,
    /// Ledger units of the base asset in one quantity unit.
    pub base_per_unit: i64,
    /// Its filters.
    pub filters: Filters,
    /// The rates of tier 0.
    pub fees: FeeRates,
}

/// Why an instrument's definition is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InstrumentError {
    /// A price unit times a quantity unit is no whole number of the quote's ledger units.
    #[error("price_scale + quantity_scale must not exceed the quote asset's scale")]
    FillWouldRound,
    /// A quantity unit is no whole number of the base's ledger units.
    #[error("quantity_scale must not exceed the base asset's scale")]
    QuantityTooFine,
    /// Base and quote are the same asset.
    #[error("base and quote must differ")]
    SameAsset,
    /// A filter contradicts itself.
    #[error("a filter is out of range or contradicts itself")]
    BadFilters,
    /// A fee out of range.
    #[error("a taker fee must be 0 to 100 %, a maker fee -100 to 100 %")]
    BadFees,
}

impl FeeRates {
    /// Checks the range: taker 0 to 100 %, maker −100 to 100 %.
    pub fn check(self) -> Result<(), InstrumentError> {
        let taker = i64::from(self.taker.0);
        let maker = i64::from(self.maker.0);
        if (0..=FeeRate::ONE).contains(&taker) && maker.abs() <= FeeRate::ONE {
            Ok(())
        } else {
            Err(InstrumentError::BadFees)
        }
    }
}

impl Filters {
    /// Filters that let everything pass that can be held: tick and lot of one unit, no bound.
    pub const fn open() -> Self {
        Self {
            tick_size: Price(1),
            min_price: Price(1),
            max_price: Price(u32::MAX - 1),
            bid_multiplier_up: 0,
            bid_multiplier_down: 0,
            ask_multiplier_up: 0,
            ask_multiplier_down: 0,
            max_account_orders: ACCOUNT_ORDERS_MAX,
            lot_size: Quantity(1),
            min_quantity: Quantity(1),
            max_quantity: Quantity(1 << 48),
            max_market_quantity: Quantity(0),
            min_notional: 0,
            max_notional: 0,
            average_minutes: 5,
            min_notional_on_market: 1,
            max_notional_on_market: 0,
            reserved: 0,
            iceberg_parts: 100,
            reference_price: Price(0),
            max_open_orders: u32::MAX,
        }
    }

    /// Checks that the filters do not contradict themselves.
    pub fn check(&self) -> Result<(), InstrumentError> {
        let prices = self.tick_size.0 >= 1
            && self.min_price.0 >= 1
            && self.min_price <= self.max_price
            && self.max_price.0 < u32::MAX;
        let quantities = self.lot_size.0 >= 1
            && self.min_quantity.0 >= 1
            && self.min_quantity <= self.max_quantity
            && self.max_quantity.0 <= SUPPLY_MAX as u64
            && self.max_market_quantity <= self.max_quantity;
        let notional = self.min_notional >= 0
            && self.max_notional >= 0
            && (self.max_notional == 0 || self.min_notional <= self.max_notional);
        let percent = [
            (self.bid_multiplier_down, self.bid_multiplier_up),
            (self.ask_multiplier_down, self.ask_multiplier_up),
        ]
        .iter()
        .all(|(down, up)| *up == 0 || down < up);
        let average = (1..=AVERAGE_MINUTES_MAX).contains(&self.average_minutes);
        let orders = (1..=ACCOUNT_ORDERS_MAX).contains(&self.max_account_orders);
        let orders = orders && self.max_open_orders >= 1;
        if prices && quantities && notional && percent && average && orders {
            Ok(())
        } else {
            Err(InstrumentError::BadFilters)
        }
    }
}

impl Instrument {
    /// Checks the definition against the scales of its assets and fills in `quote_per_unit` and
    /// `base_per_unit`.
    pub fn checked(mut self, base_scale: u8, quote_scale: u8) -> Result<Self, InstrumentError> {
        debug_assert!(base_scale <= SCALE_MAX && quote_scale <= SCALE_MAX, "assets are checked at creation");
        if self.base == self.quote {
            return Err(InstrumentError::SameAsset);
        }
        let quote_decimals = quote_scale
            .checked_sub(self.price_scale)
            .and_then(|left| left.checked_sub(self.quantity_scale))
            .ok_or(InstrumentError::FillWouldRound)?;
        let base_decimals =
            base_scale.checked_sub(self.quantity_scale).ok_or(InstrumentError::QuantityTooFine)?;
        self.filters.check()?;
        self.fees.check()?;
        self.quote_per_unit = 10_i64.pow(u32::from(quote_decimals));
        self.base_per_unit = 10_i64.pow(u32::from(base_decimals));
        Ok(self)
    }

    /// price × quantity in ledger units of the quote asset; `None` above the largest supply.
    #[inline]
    pub fn notional(&self, price: Price, quantity: Quantity) -> Option<i64> {
        notional(price, quantity, self.quote_per_unit)
    }

    /// A quantity in ledger units of the base asset; `None` above the largest supply.
    #[inline]
    pub fn base_amount(&self, quantity: Quantity) -> Option<i64> {
        within_supply(quantity.0.checked_mul(self.base_per_unit as u64)?)
    }
}

/// price × quantity × `quote_per_unit`; `None` above the largest supply.
#[inline]
pub fn notional(price: Price, quantity: Quantity, quote_per_unit: i64) -> Option<i64> {
    // Every factor but the quantity is at least 1, so a product past 64 bits is past the supply.
    within_supply(quantity.0.checked_mul(u64::from(price.0))?.checked_mul(quote_per_unit as u64)?)
}

/// The amount, unless it is above the largest supply.
#[inline]
pub fn within_supply(amount: u64) -> Option<i64> {
    if amount <= SUPPLY_MAX as u64 { Some(amount as i64) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bitcoin() -> Instrument {
        Instrument {
            id: InstrumentId(0),
            base: AssetId(1),
            quote: AssetId(2),
            price_scale: 2,
            quantity_scale: 5,
            status: InstrumentStatus::Trading,
            default_self_trade_prevention: SelfTradePrevention::None,
            reserved: [0; 6],
            symbol: Name::parse("BTCUSDT").expect("a name"),
            quote_per_unit: 0,
            base_per_unit: 0,
            filters: Filters::open(),
            fees: FeeRates::default(),
        }
    }

    #[test]
    fn units_are_whole_or_the_instrument_is_refused() {
        let checked = bitcoin().checked(8, 8).expect("fits");
        assert_eq!((checked.quote_per_unit, checked.base_per_unit), (10, 1_000));
        // 0.5 BTC at 50,000.01 is 25,000.005 USDT.
        assert_eq!(checked.notional(Price(5_000_001), Quantity(50_000)), Some(2_500_000_500_000));
        assert_eq!(bitcoin().checked(8, 6), Err(InstrumentError::FillWouldRound));
        assert_eq!(bitcoin().checked(4, 8), Err(InstrumentError::QuantityTooFine));
        let same = Instrument { quote: AssetId(1), ..bitcoin() };
        assert_eq!(same.checked(8, 8), Err(InstrumentError::SameAsset));
    }

    #[test]
    fn amounts_past_the_largest_supply_are_none() {
        let checked = bitcoin().checked(8, 8).expect("fits");
        assert_eq!(checked.notional(Price(u32::MAX), Quantity(u64::MAX)), None);
        assert_eq!(checked.base_amount(Quantity(u64::MAX)), None);
        let largest = Quantity(SUPPLY_MAX as u64 / 1_000);
        assert!(checked.base_amount(largest).is_some());
        assert!(checked.base_amount(Quantity(largest.0 + 1)).is_none());
    }

    #[test]
    fn filters_that_contradict_themselves_are_refused() {
        let bad: [fn(&mut Filters); 8] = [
            |filters| filters.tick_size = Price(0),
            |filters| filters.lot_size = Quantity(0),
            |filters| filters.min_price = Price(u32::MAX),
            |filters| filters.max_quantity = Quantity(0),
            |filters| filters.average_minutes = 0,
            |filters| filters.max_account_orders = 0,
            |filters| (filters.bid_multiplier_up, filters.bid_multiplier_down) = (1, 2),
            |filters| (filters.min_notional, filters.max_notional) = (3, 2),
        ];
        for spoil in bad {
            let mut filters = Filters::open();
            spoil(&mut filters);
            assert_eq!(filters.check(), Err(InstrumentError::BadFilters), "{filters:?}");
        }
    }
}
