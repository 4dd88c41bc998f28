//! Fees: the only thing that rounds. A fee goes up to the next ledger unit, a rebate down, so that
//! rounding is never the customer's gain. Refuses to know who pays.

use crate::{Amount, FeeRate};

/// The fee on `received` ledger units: positive is paid, negative is a rebate.
///
/// `received` is 0 to 2^62, a rate −100 to 100 %, so the product fits 128 bits and the fee 63.
#[inline]
pub fn fee(received: Amount, rate: FeeRate) -> Amount {
    const ONE: u64 = FeeRate::ONE as u64;
    debug_assert!(received.0 >= 0, "fees are charged on what is received");
    let magnitude = u64::from(rate.0.unsigned_abs());
    let up = if rate.0 > 0 { ONE - 1 } else { 0 };
    let share = match (received.0 as u64).checked_mul(magnitude).and_then(|product| product.checked_add(up)) {
        Some(product) => product / ONE,
        None => {
            ((u128::from(received.0 as u64) * u128::from(magnitude) + u128::from(up)) / u128::from(ONE))
                as u64
        }
    };
    if rate.0 < 0 { Amount(-(share as i64)) } else { Amount(share as i64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fees_round_up_and_rebates_down() {
        let rate = FeeRate(100_000); // 0.1 %
        let cases = [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (1 << 62, 4_611_686_018_427_388)];
        for (received, expected) in cases {
            assert_eq!(fee(Amount(received), rate), Amount(expected), "{received}");
        }
        assert_eq!(fee(Amount(1_999), FeeRate(-100_000)), Amount(-1));
        assert_eq!(fee(Amount(999), FeeRate(-100_000)), Amount(0));
        assert_eq!(fee(Amount(1 << 62), FeeRate(100_000_000)), Amount(1 << 62));
        assert_eq!(fee(Amount(12_345), FeeRate(0)), Amount(0));
    }

    proptest! {
        #[test]
        fn fees_equal_the_wide_computation(received in 0_i64..=1 << 62, rate in -100_000_000_i32..=100_000_000) {
            let product = i128::from(received) * i128::from(rate);
            let one = i128::from(FeeRate::ONE);
            let expected = if rate > 0 { (product + one - 1) / one } else { product / one };
            prop_assert_eq!(i128::from(fee(Amount(received), FeeRate(rate)).0), expected);
        }
    }
}
