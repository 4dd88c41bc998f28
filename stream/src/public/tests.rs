//! What each event becomes on the public topics.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{
    LargeOrder, PublicTopic,
    projection::{Projection, Refusals},
    record::PublicRecord,
    v1::{
        asset::AssetEvent, finance, finance::FinanceEvent, notification, notification::NotificationEvent,
        order, order::OrderEvent, risk, risk::RiskEvent, trade::TradeEvent,
    },
};
use prost::Message;
use protocol::{
    AccountId, AssetId, InstrumentId, OrderId, OrderType, Price, Quantity, Reject, SelfTradePrevention,
    Sequence, Side, SourceId, SourceNumber, Time, TimeInForce, TradeId,
    command::{Command, CommandRecord, QuantityKind, sample},
    event::{
        AssetCreated, ChunkHeader, EventBuffer, EventChunk, EventKind, InstrumentCreated, OrderAccepted,
        Trade, Transferred,
    },
};
use std::{convert::Infallible, mem::offset_of};
use zerocopy::{Immutable, IntoBytes};

const OUTSIDE: AccountId = AccountId(3);
const BUYER: AccountId = AccountId(5);
const SELLER: AccountId = AccountId(6);
const BTC: AssetId = AssetId(1);
const USDT: AssetId = AssetId(2);

/// Every refused command is the buyer's.
struct TheBuyers;

impl Refusals for TheBuyers {
    type Error = Infallible;

    fn account(&mut self, _: Sequence) -> Result<Option<AccountId>, Infallible> {
        Ok(Some(BUYER))
    }
}

/// One command's chunk.
struct Chunk(EventBuffer);

impl Chunk {
    fn new(sequence: u64) -> Self {
        let tick = Command::Tick.encode(SourceId(1), SourceNumber(sequence), 77);
        let tick = CommandRecord::parse(&tick).unwrap();
        let mut buffer = EventBuffer::growing();
        buffer.begin(tick.header, Sequence(sequence), Time(1_000 + sequence), 0);
        Self(buffer)
    }

    fn with<T: IntoBytes + Immutable>(mut self, kind: EventKind, event: &T) -> Self {
        self.0.push(kind, event);
        self
    }

    fn done(self, code: u16) -> Vec<u8> {
        let mut bytes = self.0.bytes().to_vec();
        let length = (bytes.len() as u32).to_le_bytes();
        bytes[offset_of!(ChunkHeader, length)..][..4].copy_from_slice(&length);
        bytes[offset_of!(ChunkHeader, last)] = 1;
        bytes[offset_of!(ChunkHeader, code)..][..2].copy_from_slice(&code.to_le_bytes());
        bytes
    }
}

/// Two assets and BTCUSDT.
fn market() -> Vec<u8> {
    let asset = |asset: AssetId, name: &str| AssetCreated {
        asset,
        scale: 8,
        reserved: 0,
        external: AccountId(2 + u32::from(asset.0)),
        name: sample::name(name),
        max_supply: 1 << 60,
    };
    let instrument = protocol::Instrument { id: InstrumentId(1), ..sample::instrument() };
    Chunk::new(1)
        .with(EventKind::AssetCreated, &asset(BTC, "BTC"))
        .with(EventKind::AssetCreated, &asset(USDT, "USDT"))
        .with(EventKind::InstrumentCreated, &InstrumentCreated { instrument })
        .done(0)
}

fn transfer(sequence: u64, from: AccountId, to: AccountId, asset: AssetId, amount: i64) -> Vec<u8> {
    let moved = Transferred { account: from, to, asset, reserved: [0; 6], amount, reference: [0xAB, 1] };
    Chunk::new(sequence).with(EventKind::Transferred, &moved).done(0)
}

fn accepted(sequence: u64, quantity: u64) -> Vec<u8> {
    let order = OrderAccepted {
        order_id: OrderId(9),
        account: BUYER,
        price: Price(5_000_000),
        instrument: InstrumentId(1),
        side: Side::Buy,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::GoodTillCancel,
        self_trade_prevention: SelfTradePrevention::None,
        quantity_kind: QuantityKind::Base,
        rests: 1,
        quantity: Quantity(quantity),
        expires_at: Time::NEVER,
    };
    Chunk::new(sequence).with(EventKind::OrderAccepted, &order).done(0)
}

fn traded(sequence: u64) -> Vec<u8> {
    let trade = Trade {
        trade_id: TradeId(4),
        aggregate_id: 3,
        maker_order_id: OrderId(9),
        taker_order_id: OrderId(10),
        maker_account: BUYER,
        taker_account: SELLER,
        price: Price(5_000_000),
        instrument: InstrumentId(1),
        taker_side: Side::Sell,
        maker_filled: 0,
        quantity: Quantity(100),
        maker_fee: -7,
        taker_fee: 50_000,
    };
    Chunk::new(sequence).with(EventKind::Trade, &trade).done(0)
}

/// The records of these chunks.
fn records(chunks: &[Vec<u8>]) -> Vec<PublicRecord> {
    let large = LargeOrder { asset: "USDT".to_owned(), notional: "100000".to_owned() };
    let mut projection = Projection::new(vec![large]);
    let mut records = Vec::new();
    for chunk in chunks {
        let chunk = EventChunk::take(&mut &chunk[..]).unwrap();
        projection.project(&chunk, &mut TheBuyers, &mut records).unwrap();
    }
    records
}

/// Those of one topic, with their keys.
fn of<M: Message + Default>(topic: PublicTopic, records: &[PublicRecord]) -> Vec<(String, M)> {
    let those = records.iter().filter(|record| record.topic == topic);
    those.map(|record| (record.key.clone(), M::decode(&record.value[..]).unwrap())).collect()
}

#[test]
fn a_deposit_is_told_to_balances_finance_risk_and_owner() {
    let records = records(&[market(), transfer(2, OUTSIDE, BUYER, BTC, 150_000_000)]);
    let balances = of::<AssetEvent>(PublicTopic::Asset, &records);
    let told: Vec<_> = balances
        .iter()
        .map(|(key, event)| {
            (&key[..], &event.changes[0].available_change[..], &event.changes[0].available[..])
        })
        .collect();
    assert_eq!(told, [("3", "-1.50000000", "-1.50000000"), ("5", "1.50000000", "1.50000000")]);
    assert_eq!(balances[1].1.cause, "Transferred");
    let (key, movement) = of::<FinanceEvent>(PublicTopic::Finance, &records).remove(0);
    assert_eq!((&key[..], movement.kind()), ("5", finance::Kind::Deposit));
    assert_eq!((&movement.amount[..], &movement.asset[..], movement.counterparty), ("1.50000000", "BTC", 3));
    assert_eq!(movement.reference, "000000000000000100000000000000ab");
    let (key, seen) = of::<RiskEvent>(PublicTopic::Risk, &records).remove(0);
    assert_eq!((&key[..], seen.kind(), &seen.amount[..]), ("5", risk::Kind::Deposit, "1.50000000"));
    let (_, notice) = of::<NotificationEvent>(PublicTopic::Notification, &records).remove(0);
    assert_eq!((notice.kind(), notice.account), (notification::Kind::Deposit, 5));
}

#[test]
fn a_withdrawal_and_a_transfer_are_told_apart() {
    let chunks = [
        market(),
        transfer(2, OUTSIDE, BUYER, BTC, 10),
        transfer(3, BUYER, SELLER, BTC, 4),
        transfer(4, BUYER, OUTSIDE, BTC, 6),
    ];
    let records = records(&chunks);
    let movements = of::<FinanceEvent>(PublicTopic::Finance, &records);
    let told: Vec<_> = movements.iter().map(|(key, event)| (&key[..], event.kind())).collect();
    let expected = [
        ("5", finance::Kind::Deposit),
        ("5", finance::Kind::Sent),
        ("6", finance::Kind::Received),
        ("5", finance::Kind::Withdrawal),
    ];
    assert_eq!(told, expected);
    let risks: Vec<_> =
        of::<RiskEvent>(PublicTopic::Risk, &records).iter().map(|(_, event)| event.kind()).collect();
    assert_eq!(risks, [risk::Kind::Deposit, risk::Kind::Withdrawal]);
    let last = of::<AssetEvent>(PublicTopic::Asset, &records).pop().unwrap().1;
    assert_eq!((last.account, &last.changes[0].available[..]), (3, "-0.00000004"));
}

#[test]
fn an_order_is_told_and_a_large_one_to_its_owner_too() {
    // 50,000 USDT for one: 1.99999 are not large, 2 are.
    for (quantity, is_large) in [(199_999, false), (200_000, true)] {
        let records = records(&[market(), accepted(2, quantity)]);
        let (key, told) = of::<OrderEvent>(PublicTopic::Order, &records).remove(0);
        assert_eq!(
            (&key[..], told.change(), told.side()),
            ("BTCUSDT", order::Change::Accepted, order::Side::Buy)
        );
        assert_eq!((&told.price[..], told.order_type.as_str()), ("50000.00000000", "Limit"));
        assert_eq!((told.sequence, told.index, told.time), (2, 0, 1_002));
        let (_, seen) = of::<RiskEvent>(PublicTopic::Risk, &records).remove(0);
        let kind = if is_large { risk::Kind::LargeOrder } else { risk::Kind::Order };
        assert_eq!((seen.kind(), &seen.asset[..]), (kind, "USDT"), "{quantity}");
        let notices = of::<NotificationEvent>(PublicTopic::Notification, &records);
        assert_eq!(notices.len(), usize::from(is_large));
    }
}

#[test]
fn a_trade_is_told_once_and_to_both_sides() {
    let chunks = [
        market(),
        transfer(2, AccountId(4), BUYER, USDT, 10_000_000_000_000),
        transfer(3, OUTSIDE, SELLER, BTC, 1_000_000_000),
        accepted(4, 100),
        traded(5),
    ];
    let all = records(&chunks);
    let records: Vec<_> = all.iter().filter(|record| record.place.sequence == Sequence(5)).cloned().collect();
    let (_, trade) = of::<TradeEvent>(PublicTopic::Trade, &records).remove(0);
    assert_eq!((&trade.quantity[..], &trade.quote_quantity[..]), ("0.00100000", "50.00000000"));
    // The seller took: he gets USDT, and the buyer who rested BTC.
    assert_eq!((&trade.taker_fee[..], &trade.taker_fee_asset[..]), ("0.00050000", "USDT"));
    assert_eq!((&trade.maker_fee[..], &trade.maker_fee_asset[..]), ("-0.00000007", "BTC"));
    assert!(!trade.taker_is_buyer);
    let orders = of::<OrderEvent>(PublicTopic::Order, &records);
    assert!(orders.iter().all(|(_, order)| order.change() == order::Change::Traded && order.trade_id == 4));
    assert_eq!(orders.iter().map(|(_, order)| order.order_id).collect::<Vec<_>>(), [9, 10]);
    // Both, and the fees.
    let accounts: Vec<_> =
        of::<AssetEvent>(PublicTopic::Asset, &records).into_iter().map(|(_, event)| event.account).collect();
    assert_eq!(accounts, [6, 5, 1]);
    let fees = of::<FinanceEvent>(PublicTopic::Finance, &records);
    let fees: Vec<_> = fees.iter().map(|(key, fee)| (&key[..], &fee.amount[..], &fee.asset[..])).collect();
    assert_eq!(fees, [("5", "-0.00000007", "BTC"), ("6", "0.00050000", "USDT")]);
    let fills = of::<NotificationEvent>(PublicTopic::Notification, &records);
    assert!(fills.iter().all(|(_, fill)| fill.kind() == notification::Kind::Fill) && fills.len() == 2);
    // What was held is gone from the maker, and the place of each record is its own.
    let mut places: Vec<_> =
        records.iter().map(|record| (record.topic, record.place.index, record.leg)).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), records.len());
}

#[test]
fn a_refusal_is_told_with_whose_it_was_and_why() {
    let refused = Chunk::new(2).done(Reject::InsufficientBalance as u16);
    let records = records(&[market(), refused]);
    let (key, seen) = of::<RiskEvent>(PublicTopic::Risk, &records).remove(0);
    assert_eq!((&key[..], seen.kind()), ("5", risk::Kind::Refusal));
    assert_eq!((seen.refusal_code, &seen.refusal[..]), (12, "InsufficientBalance"));
    let (_, notice) = of::<NotificationEvent>(PublicTopic::Notification, &records).remove(0);
    assert_eq!(notice.reason, "not enough available");
    assert_eq!(records.len(), 2);
}

#[test]
fn what_was_learned_and_what_was_told_lead_to_the_same_records() {
    let chunks = [market(), transfer(2, OUTSIDE, SELLER, BTC, 1_000_000_000), accepted(3, 100), traded(4)];
    let whole = records(&chunks);
    for known in 0..chunks.len() {
        let mut projection = Projection::new(Vec::new());
        let mut rest = Vec::new();
        for (place, chunk) in chunks.iter().enumerate() {
            let chunk = EventChunk::take(&mut &chunk[..]).unwrap();
            if place < known {
                projection.learn(&chunk).unwrap();
            } else {
                projection.project(&chunk, &mut TheBuyers, &mut rest).unwrap();
            }
        }
        let expected: Vec<_> =
            whole.iter().filter(|record| record.place.sequence > Sequence(known as u64)).cloned().collect();
        assert_eq!(rest, expected, "{known} known");
    }
}
