//! One hour of a real market through an exchange that is obviously right. The file is not part of this repository:
//! `RIALTO_MBO_FILE` names it.

mod rules;
mod sorted_map_venue;

use std::num::NonZeroU64;
use std::path::PathBuf;

use bench::market_by_order::replay::{ReplayReport, replay};
use bench::market_by_order::{MarketFile, MarketRecord, NanoPrice};
use sorted_map_venue::SortedMapVenue;

fn market_file() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/es-20231225.mbo.dbn.zst");
    let path = std::env::var_os("RIALTO_MBO_FILE").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    path.is_file().then_some(path)
}

#[test]
fn one_hour_of_the_market() {
    let Some(path) = market_file() else {
        eprintln!("skipped: RIALTO_MBO_FILE does not name es-20231225.mbo.dbn.zst");
        return;
    };
    let records: Vec<MarketRecord> = MarketFile::open(&path).unwrap().collect::<Result<_, _>>().unwrap();
    let mut venue = SortedMapVenue::default();
    let report = replay(&records, &mut venue).unwrap();
    let expected = ReplayReport {
        records: 68_792,
        trades: 2_973,
        trades_equal: 2_816,
        extra_fills: 11,
        extra_quantity: 11,
        live_orders: 11_217,
        live_quantity: 42_160,
    };
    assert_eq!(report, expected);
    // The auction's fills leave one tick between the sides: nothing crosses when trading begins.
    let price = |nanos| NonZeroU64::new(nanos).map(NanoPrice);
    assert_eq!(venue.opened_with, Some((price(4_800_000_000_000), price(4_800_250_000_000))));
}
