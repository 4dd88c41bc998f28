//! The streams of a seed stay what they are: the numbers below are promises to every earlier measurement.

use super::*;

#[test]
fn a_seed_means_the_same_stream_for_ever() {
    let cases = [
        (Mix::Standard, 1, 100, 1.0, (4_102, 133_607, 4_373_346_721, 100, 0x127c_90a7_3c74_f68a)),
        (Mix::Standard, 7, 1000, 3.0, (3_928, 127_728, 4_185_785_045, 986, 0x2697_2cf5_b002_0bcb)),
        (Mix::Moves, 1, 100, 4.0, (1_322, 35_623, 1_167_338_615, 102, 0x4af2_dbc0_26de_bbb3)),
    ];
    for (mix, symbols, resting, scale, expected) in cases {
        let specification = Specification { mix, symbols, resting, commands: 20_000, scale, seed: 42 };
        let header = generate(specification).unwrap().header;
        let got = (header.trades, header.quantity, header.notional, header.live_orders, header.hash);
        assert_eq!(got, expected, "{specification:?}");
    }
}

#[test]
fn what_cannot_be_generated_is_refused() {
    let fine = Specification { mix: Mix::Standard, symbols: 1, resting: 1, commands: 1, scale: 1.0, seed: 1 };
    assert!(generate(fine).is_ok());
    let cases = [
        (Specification { symbols: 0, ..fine }, SpecificationError::NoSymbols),
        (Specification { scale: 0.0, ..fine }, SpecificationError::Scale),
        (Specification { scale: f64::NAN, ..fine }, SpecificationError::Scale),
        (Specification { commands: u32::MAX, ..fine }, SpecificationError::TooManyOrders),
    ];
    for (specification, expected) in cases {
        assert_eq!(generate(specification).unwrap_err(), expected);
    }
}
