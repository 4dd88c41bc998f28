//! The edge between text and integers: decimals are parsed and printed exactly here, and nowhere
//! else. Refuses exponents, signs where none is meant, and any rounding.

use rust_decimal::Decimal;
use thiserror::Error;

/// The most decimals an asset, a price or a quantity may have; clients are sent exactly as many.
pub const SCALE_MAX: u8 = 8;

/// Why a text is no number of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// Not digits with at most one point.
    #[error("not a decimal number")]
    Malformed,
    /// Below zero.
    #[error("must not be negative")]
    Negative,
    /// More decimals than the unit has.
    #[error("has too much precision")]
    TooPrecise,
    /// Larger than can be kept.
    #[error("is too large")]
    Overflow,
}

/// Parses a decimal text into whole units of 10^-`scale`, exactly. Range 0 to 2^63−1.
pub fn parse_units(text: &str, scale: u8) -> Result<u64, DecimalError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !plain || !digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Malformed);
    }
    if digits.bytes().filter(|byte| *byte == b'.').count() > 1 {
        return Err(DecimalError::Malformed);
    }
    let fraction = digits.split_once('.').map_or("", |(_, fraction)| fraction);
    let fraction = fraction.trim_end_matches('0');
    let whole = digits.split_once('.').map_or(digits, |(whole, _)| whole).trim_start_matches('0');
    if fraction.len() > usize::from(scale) {
        return Err(DecimalError::TooPrecise);
    }
    // 19 digits are more than a u63 has; beyond them rust_decimal need not be asked.
    if whole.len() > 19 {
        return Err(DecimalError::Overflow);
    }
    let exact = format!("{}.{fraction}0", if whole.is_empty() { "0" } else { whole });
    let mut value = Decimal::from_str_exact(&exact).map_err(|_| DecimalError::Overflow)?;
    value.rescale(u32::from(scale));
    if value.scale() != u32::from(scale) {
        return Err(DecimalError::Overflow);
    }
    let units = u64::try_from(value.mantissa()).map_err(|_| DecimalError::Overflow)?;
    if i64::try_from(units).is_err() {
        return Err(DecimalError::Overflow);
    }
    if text.starts_with('-') && units > 0 {
        return Err(DecimalError::Negative);
    }
    Ok(units)
}

/// Appends `units` of 10^-`scale` to `text` with exactly eight decimals (dialect §2.5).
pub fn print_units_into(text: &mut String, units: i128, scale: u8) {
    use std::fmt::Write as _;
    debug_assert!(scale <= SCALE_MAX, "a scale is at most {SCALE_MAX}");
    let one = 10_u128.pow(u32::from(scale));
    let magnitude = units.unsigned_abs();
    let padded = magnitude % one * 10_u128.pow(u32::from(SCALE_MAX.saturating_sub(scale)));
    let sign = if units < 0 { "-" } else { "" };
    // Writing to a String cannot fail.
    let _ = write!(text, "{sign}{}.{padded:08}", magnitude / one);
}

/// `units` of 10^-`scale` with exactly eight decimals (dialect §2.5).
pub fn print_units(units: i128, scale: u8) -> String {
    let mut text = String::with_capacity(24);
    print_units_into(&mut text, units, scale);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_parse_exactly_or_say_why_not() {
        let good = [
            ("0", 8, 0),
            ("1", 0, 1),
            ("0.1", 8, 10_000_000),
            ("000.10000000000000000000000000000000000000", 1, 1),
            ("50000.01", 2, 5_000_001),
            (".5", 1, 5),
            ("5.", 1, 50),
            ("-0.0", 2, 0),
            ("92233720368.54775807", 8, i64::MAX as u64),
        ];
        for (text, scale, units) in good {
            assert_eq!(parse_units(text, scale), Ok(units), "{text}");
        }
        let bad = [
            ("", DecimalError::Malformed),
            (".", DecimalError::Malformed),
            ("-", DecimalError::Malformed),
            ("1e5", DecimalError::Malformed),
            ("1_000", DecimalError::Malformed),
            ("+1", DecimalError::Malformed),
            ("1.2.3", DecimalError::Malformed),
            ("NaN", DecimalError::Malformed),
            (" 1", DecimalError::Malformed),
            ("0.001", DecimalError::TooPrecise),
            ("-1", DecimalError::Negative),
            ("92233720368547758.08", DecimalError::Overflow),
            ("99999999999999999999999999999999", DecimalError::Overflow),
        ];
        for (text, error) in bad {
            assert_eq!(parse_units(text, 2), Err(error), "{text}");
        }
    }

    #[test]
    fn units_print_with_eight_decimals() {
        let cases = [
            (0, 8, "0.00000000"),
            (5_000_001, 2, "50000.01000000"),
            (-15, 1, "-1.50000000"),
            (7, 0, "7.00000000"),
        ];
        for (units, scale, text) in cases {
            assert_eq!(print_units(units, scale), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(units in 0..=i64::MAX as u64, scale in 0..=SCALE_MAX) {
            prop_assert_eq!(parse_units(&print_units(i128::from(units), scale), scale), Ok(units));
        }
    }
}
