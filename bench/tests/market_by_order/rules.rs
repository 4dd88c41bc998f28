//! Each rule by which a record becomes commands, on records made by hand.

use std::num::{NonZeroU32, NonZeroU64};

use bench::market_by_order::replay::{ReplayError, ReplayReport, Venue, replay};
use bench::market_by_order::{
    Contracts, InstrumentNumber, MarketEvent, MarketOrder, MarketRecord, NanoPrice, Side, Terms,
};

use crate::sorted_map_venue::SortedMapVenue;

fn contracts(quantity: u32) -> Contracts {
    Contracts(NonZeroU32::new(quantity).expect("quantities here are above 0"))
}

fn terms(side: Side, price: u64, quantity: u32) -> Terms {
    let price = NanoPrice(NonZeroU64::new(price).expect("prices here are above 0"));
    Terms { side, price, quantity: contracts(quantity) }
}

fn add(order: u64, side: Side, price: u64, quantity: u32) -> MarketEvent {
    MarketEvent::Add { order: MarketOrder(order), terms: terms(side, price, quantity) }
}

fn modify(order: u64, side: Side, price: u64, quantity: u32) -> MarketEvent {
    MarketEvent::Modify { order: MarketOrder(order), terms: terms(side, price, quantity) }
}

fn cancel(order: u64) -> MarketEvent {
    MarketEvent::Cancel { order: MarketOrder(order) }
}

fn trade(order: u64, side: Side, price: u64, quantity: u32) -> MarketEvent {
    MarketEvent::Trade { order: MarketOrder(order), terms: terms(side, price, quantity) }
}

fn fill(order: u64, quantity: u32) -> MarketEvent {
    MarketEvent::Fill { order: MarketOrder(order), quantity: contracts(quantity) }
}

fn records(events: &[MarketEvent]) -> Vec<MarketRecord> {
    let record = |(index, &event): (usize, &MarketEvent)| MarketRecord {
        offset: 100 + 56 * index as u64,
        time: 0,
        instrument: InstrumentNumber(1),
        snapshot: false,
        event,
    };
    events.iter().enumerate().map(record).collect()
}

/// What came of the events, without the number of records, and the orders resting at the end.
fn run(events: &[MarketEvent]) -> ([u64; 4], Vec<(u64, Terms)>) {
    let mut venue = SortedMapVenue::default();
    let report: ReplayReport = replay(&records(events), &mut venue).expect("nothing is refused");
    assert_eq!(report.records, events.len() as u64);
    let live: Vec<_> =
        (0..10).filter_map(|id| venue.live_order(MarketOrder(id)).map(|terms| (id, terms))).collect();
    assert_eq!(report.live_orders, live.len() as u64);
    ([report.trades, report.trades_equal, report.extra_fills, report.extra_quantity], live)
}

#[test]
fn every_rule() {
    use MarketEvent::{Auction, Clear, Nothing};
    use Side::{Buy, Sell};
    type Case = (&'static str, Vec<MarketEvent>, [u64; 4], Vec<(u64, Terms)>);
    let cases: Vec<Case> = vec![
        (
            "in pre-open orders rest, nothing matches",
            vec![add(1, Sell, 10, 5), add(2, Buy, 11, 3), trade(3, Buy, 11, 1)],
            [1, 1, 0, 0],
            vec![(1, terms(Sell, 10, 5)), (2, terms(Buy, 11, 3))],
        ),
        (
            "an id added twice is placed anew",
            vec![add(1, Sell, 10, 5), add(1, Buy, 9, 4)],
            [0; 4],
            vec![(1, terms(Buy, 9, 4))],
        ),
        ("a cancel of an id that is gone is ignored", vec![cancel(7)], [0; 4], vec![]),
        (
            "a change to less keeps the place",
            vec![
                Auction,
                add(1, Sell, 10, 5),
                add(2, Sell, 10, 5),
                modify(1, Sell, 10, 2),
                trade(9, Buy, 10, 3),
                fill(1, 2),
                fill(2, 1),
            ],
            [2, 1, 0, 0],
            vec![(2, terms(Sell, 10, 4))],
        ),
        (
            "an equal change keeps the place",
            vec![
                Auction,
                add(1, Sell, 10, 5),
                add(2, Sell, 10, 5),
                modify(1, Sell, 10, 5),
                trade(9, Buy, 10, 1),
                fill(1, 1),
            ],
            [2, 1, 0, 0],
            vec![(1, terms(Sell, 10, 4)), (2, terms(Sell, 10, 5))],
        ),
        (
            "a change to more loses the place",
            vec![
                Auction,
                add(1, Sell, 10, 5),
                add(2, Sell, 10, 5),
                modify(1, Sell, 10, 6),
                trade(9, Buy, 10, 1),
                fill(2, 1),
            ],
            [2, 1, 0, 0],
            vec![(1, terms(Sell, 10, 6)), (2, terms(Sell, 10, 4))],
        ),
        (
            "a change of an id that is gone places it",
            vec![modify(1, Sell, 10, 6)],
            [0; 4],
            vec![(1, terms(Sell, 10, 6))],
        ),
        (
            "the aggressor's own fill is no pick",
            vec![Auction, add(1, Sell, 10, 5), trade(9, Buy, 10, 2), fill(1, 2), fill(9, 2)],
            [2, 1, 0, 0],
            vec![(1, terms(Sell, 10, 3))],
        ),
        (
            "another pick, quantity or order of picks does not agree",
            vec![
                Auction,
                add(1, Sell, 10, 1),
                add(2, Sell, 10, 1),
                add(3, Sell, 10, 5),
                trade(9, Buy, 10, 2),
                fill(2, 1),
                fill(1, 1),
                trade(9, Buy, 10, 2),
                fill(3, 1),
                trade(9, Buy, 10, 1),
                fill(4, 1),
            ],
            [4, 0, 0, 0],
            vec![(3, terms(Sell, 10, 2))],
        ),
        (
            "a trade rests nothing and stops at its price",
            vec![Auction, add(1, Sell, 10, 1), add(2, Sell, 11, 1), trade(9, Buy, 10, 5), fill(1, 1)],
            [2, 1, 0, 0],
            vec![(2, terms(Sell, 11, 1))],
        ),
        (
            "an order that crosses in trading trades, apart",
            vec![Auction, add(1, Sell, 10, 2), add(2, Sell, 10, 2), add(3, Buy, 10, 3)],
            [1, 0, 2, 3],
            vec![(2, terms(Sell, 10, 1))],
        ),
        (
            "the auction's fills leave the book, whole or in part, and trading begins",
            vec![
                add(1, Sell, 9, 2),
                add(2, Buy, 11, 5),
                Auction,
                fill(1, 2),
                fill(2, 2),
                fill(8, 1),
                add(3, Sell, 11, 1),
            ],
            [1, 0, 1, 1],
            vec![(2, terms(Buy, 11, 2))],
        ),
        ("a clear empties the book", vec![add(1, Sell, 9, 2), Clear, Nothing, fill(1, 1)], [0; 4], vec![]),
    ];
    for (name, events, counts, live) in cases {
        assert_eq!(run(&events), (counts, live), "{name}");
    }
}

#[test]
fn a_second_instrument_is_told_with_its_byte() {
    let mut records = records(&[cancel(1), cancel(2)]);
    records[1].instrument = InstrumentNumber(2);
    let error = replay(&records, &mut SortedMapVenue::default()).unwrap_err();
    assert!(matches!(error, ReplayError::SecondInstrument { offset: 156, .. }), "{error}");
}
