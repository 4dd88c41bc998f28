//! Numbers as clients read them: strings with exactly eight decimals (dialect §2.5). Refuses to round.

use protocol::decimal::print_units_into;
use serde::{Serialize, Serializer};

/// Whole units of 10^-scale, written as a string with eight decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    /// How many.
    pub(crate) units: i128,
    /// 0 to 8.
    pub(crate) scale: u8,
}

impl Decimal {
    /// 0.00000000.
    pub(crate) const ZERO: Self = Self { units: 0, scale: 0 };

    /// `units` of 10^-`scale`.
    pub(crate) fn new(units: impl Into<i128>, scale: u8) -> Self {
        Self { units: units.into(), scale }
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(24);
        print_units_into(&mut text, self.units, self.scale);
        serializer.serialize_str(&text)
    }
}

/// A change in thousandths of a percent, written as a string with three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Percent(pub(crate) i128);

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        serializer.collect_str(&format_args!("{sign}{}.{:03}", magnitude / 1_000, magnitude % 1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_decimals_clients_expect() {
        for (value, text) in [
            (Decimal::ZERO, r#""0.00000000""#),
            (Decimal::new(5_000_001_u32, 2), r#""50000.01000000""#),
            (Decimal::new(-5_i64, 8), r#""-0.00000005""#),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
        for (value, text) in [(0, "0.000"), (-1_234, "-1.234"), (-5, "-0.005"), (100_000, "100.000")] {
            assert_eq!(serde_json::to_string(&Percent(value)).unwrap(), format!("\"{text}\""));
        }
    }
}
