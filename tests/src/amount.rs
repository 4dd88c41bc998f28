//! Amounts as the dialect writes them, exactly: a whole number of 10^-8. Refuses to round.

/// Units in one.
pub const ONE: i128 = 100_000_000;

/// An amount of 8 decimals at most, in units of 10^-8.
///
/// # Panics
/// When the text is no such amount: the answer that has it is wrong.
pub fn units(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let number = |digits: &str| digits.parse::<i128>().unwrap_or_else(|_| panic!("{text:?} is no amount"));
    assert!(fraction.len() <= 8, "{text:?} has more than 8 decimals");
    sign * (number(whole) * ONE + number(&format!("{fraction:0<8}")))
}

/// A fee of 0.1 % of what is received, rounded up to the next unit.
pub const fn fee(received: i128) -> i128 {
    (received + 999) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, expected) in [
            ("0.00000000", 0),
            ("1", ONE),
            ("1000000.00000001", 1_000_000 * ONE + 1),
            ("0.5", ONE / 2),
            ("-0.00000001", -1),
        ] {
            assert_eq!(units(text), expected, "{text}");
        }
    }

    #[test]
    fn fees_round_up() {
        for (received, expected) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (ONE, ONE / 1_000)] {
            assert_eq!(fee(received), expected, "{received}");
        }
    }
}
