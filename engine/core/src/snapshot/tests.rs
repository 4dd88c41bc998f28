//! A snapshot that says what no engine would say is refused, and the part is named: each case spoils
//! one thing in a sound exchange, writes it and reads it back.

use super::{SnapshotError, Writer};
use crate::{
    Books as _, Engine, NaiveBooks,
    audit::tests::{ALICE, BTC, HERE, order, place, sound},
    books::{MARKED, RestingOrder},
    ledger::{accounts::AccountKind, holds::Hold},
};
use protocol::{
    AccountId, AssetId, HoldId, InstrumentId, OrderId, OrderTerms, Price, Quantity, Side, Time,
    instrument::FEE_TIERS, money::SUPPLY_MAX,
};

type Venue = Engine<NaiveBooks>;

/// Sound, with an iceberg as order 6.
fn venue() -> Venue {
    let mut venue: Venue = sound();
    let terms = OrderTerms { visible_quantity: Quantity(2), ..OrderTerms::NONE };
    place(&mut venue, order(ALICE, Side::Buy, 80, 6), Some(terms));
    venue
}

fn written(venue: &Venue) -> Vec<u8> {
    let mut content = Vec::new();
    venue.write_snapshot(&mut |piece| content.extend_from_slice(piece));
    content
}

fn hold(account: AccountId, asset: AssetId, rest: i64) -> Hold {
    Hold { account, asset, rest, purpose: 0, expires_at: Time::NEVER, reference: [0; 2] }
}

fn open_hold(venue: &mut Venue, hold: Hold) {
    venue.ledger.holds.open(hold);
}

fn change(venue: &mut Venue, order_id: u64, change: impl FnOnce(&mut RestingOrder)) {
    venue.books.change(OrderId(order_id), change);
}

#[test]
fn what_cannot_be_is_refused_and_its_part_named() {
    type Spoil = fn(&mut Venue);
    const NOBODY: AccountId = AccountId(99);
    const NOTHING: AssetId = AssetId(9);
    let cases: [(&str, Spoil); 18] = [
        ("accounts", |venue| customer(venue).fee_tier = FEE_TIERS as u8),
        ("balances", |venue| venue.ledger.balances.of(NOBODY, BTC).available = 1),
        ("balances", |venue| {
            venue.ledger.balances.open_asset(NOTHING);
            venue.ledger.balances.of(ALICE, NOTHING).available = 1;
        }),
        ("balances", |venue| venue.ledger.balances.of(ALICE, BTC).available = SUPPLY_MAX + 1),
        ("balances", |venue| venue.ledger.balances.of(ALICE, BTC).held = -1),
        ("balances", |venue| venue.ledger.balances.of(ALICE, BTC).held = SUPPLY_MAX + 1),
        ("holds", |venue| open_hold(venue, hold(NOBODY, BTC, 1))),
        ("holds", |venue| open_hold(venue, hold(ALICE, NOTHING, 1))),
        ("holds", |venue| open_hold(venue, hold(ALICE, BTC, 0))),
        ("holds", |venue| venue.ledger.holds.put_back(HoldId(77), hold(ALICE, BTC, 1))),
        ("orders", |venue| venue.orders -= 1),
        ("orders", |venue| change(venue, 3, |order| order.account = NOBODY)),
        ("orders", |venue| change(venue, 3, |order| order.leaves = Quantity(0))),
        ("orders", |venue| {
            let resting = RestingOrder { price: Price(0), ..*venue.books.order(OrderId(3)) };
            venue.books.remove(OrderId(3));
            venue.books.insert(resting, Quantity(0), None);
        }),
        ("marked orders", |venue| change(venue, 6, |order| order.flags &= !MARKED)),
        ("marked orders", |venue| {
            venue.markets.push(venue.markets[0].clone());
            venue.markets[1].instrument.id = InstrumentId(2);
            let resting = RestingOrder { instrument: InstrumentId(2), ..*venue.books.order(OrderId(6)) };
            venue.books.remove(OrderId(6));
            venue.books.insert(resting, Quantity(0), None);
        }),
        ("marked orders", |venue| venue.books.remove(OrderId(6))),
        ("assets", |venue| {
            venue.ledger.add_asset(crate::ledger::Asset {
                external: NOBODY,
                ..*venue.ledger.asset(BTC).expect("there")
            });
        }),
    ];
    for (number, (part, spoil)) in cases.into_iter().enumerate() {
        let mut venue = venue();
        spoil(&mut venue);
        let refused = Venue::from_snapshot(&written(&venue), 0).err();
        assert_eq!(refused, Some(SnapshotError::Impossible { part }), "case {number}");
    }
    let sound = venue();
    let read = Venue::from_snapshot(&written(&sound), 0).expect("a snapshot");
    assert_eq!((read.state_hash(), read.audit()), (sound.state_hash(), Ok(())));
}

fn customer(venue: &mut Venue) -> &mut crate::ledger::accounts::Account {
    let account = venue.ledger.accounts.customer(ALICE).expect("a customer");
    assert_eq!(account.kind, AccountKind::Customer);
    account
}

#[test]
fn an_order_of_an_instrument_that_is_not_there_is_refused() {
    let content = written(&venue());
    let elsewhere = InstrumentId(2);
    let account_then_instrument = [&ALICE.0.to_le_bytes()[..], &HERE.0.to_le_bytes()[..]].concat();
    let at = content
        .windows(8)
        .position(|bytes| bytes == 3_u64.to_le_bytes())
        .into_iter()
        .flat_map(|from| from..content.len())
        .find(|at| content[*at..].starts_with(&account_then_instrument))
        .expect("order 3 says whose it is, then where");
    let mut spoilt = content.clone();
    spoilt[at + 4..at + 6].copy_from_slice(&elsewhere.0.to_le_bytes());
    let refused = Venue::from_snapshot(&spoilt, 0).err();
    assert_eq!(refused, Some(SnapshotError::Impossible { part: "orders" }));
}

#[test]
fn a_snapshot_is_handed_on_in_full_pieces_of_a_bounded_size() {
    let mut lengths = Vec::new();
    let mut sink = |piece: &[u8]| lengths.push(piece.len());
    let mut out = Writer::new(&mut sink);
    for number in 0..20_000 {
        out.u64(number);
    }
    out.finish();
    assert_eq!(lengths, [65_536, 65_536, 28_928]);
}
