//! Money: whole numbers only. Refuses to know decimals (that is [`crate::decimal`]) and balances.

use std::fmt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The largest supply of an asset in ledger units: sums of balances can never leave an `i64`.
pub const SUPPLY_MAX: i64 = 1 << 62;

/// Ledger units of an asset (10^-scale of it). May be negative: a delta, or an external account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(transparent)]
pub struct Amount(pub i64);

/// A price: a whole number, from 1, of the instrument's price units (10^-price_scale of the quote
/// for one of the base). 0 is no price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(transparent)]
pub struct Price(pub u32);

/// A quantity: a whole number of the instrument's quantity units (10^-quantity_scale of the base).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(transparent)]
pub struct Quantity(pub u64);

/// A fee as a share of the amount received, in 10^-8 (100,000 is 0.1 %). Negative is a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, serde::Serialize, serde::Deserialize)]
#[repr(transparent)]
pub struct FeeRate(pub i32);

impl FeeRate {
    /// What 100 % is.
    pub const ONE: i64 = 100_000_000;
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, or `None` where it leaves an `i64`.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` where it leaves an `i64`.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
}

macro_rules! display {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )*};
}
display!(Amount, Price, Quantity, FeeRate);
