//! A number of units with its scale, printed as clients are sent it: a text with exactly eight
//! decimals (dialect §2.5). Refuses to calculate.

use protocol::decimal::print_units;
use serde::{Serialize, Serializer};
use std::fmt;

/// `units` of 10^-`scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// How many.
    pub units: i128,
    /// Decimals, 0 to 8.
    pub scale: u8,
}

impl Units {
    /// Nothing: `0.00000000`.
    pub const ZERO: Self = Self { units: 0, scale: 8 };
}

impl fmt::Display for Units {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&print_units(self.units, self.scale))
    }
}

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&print_units(self.units, self.scale))
    }
}
