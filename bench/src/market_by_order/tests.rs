//! Every kind of record is decoded; every kind of damage is told with its byte.

use std::ffi::c_char;

use dbn::encode::EncodeRecord;
use dbn::encode::dbn::Encoder;
use dbn::{FlagSet, MetadataBuilder, RecordHeader, SType, rtype};

use super::*;

const RECORD_BYTES: usize = size_of::<MboMsg>();

fn message(action: char, side: char, order_id: u64, price: i64, size: u32) -> MboMsg {
    MboMsg {
        hd: RecordHeader::new::<MboMsg>(rtype::MBO, 1, 17, 1_000 + order_id),
        order_id,
        price,
        size,
        flags: if order_id == 1 { FlagSet::empty().set_snapshot() } else { FlagSet::empty() },
        channel_id: 0,
        action: action as c_char,
        side: side as c_char,
        ts_recv: 0,
        ts_in_delta: 0,
        sequence: 0,
    }
}

fn encoded(schema: Schema, messages: &[MboMsg]) -> Vec<u8> {
    let metadata = MetadataBuilder::new()
        .dataset("TEST")
        .schema(Some(schema))
        .start(0)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .build();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &metadata).unwrap();
    for message in messages {
        encoder.encode_record(message).unwrap();
    }
    bytes
}

fn all_kinds() -> Vec<MboMsg> {
    vec![
        message('R', 'N', 0, dbn::UNDEF_PRICE, 0),
        message('A', 'B', 1, 100, 5),
        message('M', 'A', 2, 101, 6),
        message('T', 'B', 3, 101, 2),
        message('F', 'A', 2, 101, 2),
        message('T', 'N', 0, 101, 2),
        message('C', 'A', 2, 101, 4),
        message('N', 'N', 0, 0, 0),
    ]
}

fn read(bytes: &[u8]) -> Result<Vec<MarketRecord>, MarketFileError> {
    MarketFile::new(bytes)?.collect()
}

fn terms(side: Side, price: u64, quantity: u32) -> Terms {
    let price = NanoPrice(NonZeroU64::new(price).unwrap());
    Terms { side, price, quantity: Contracts(NonZeroU32::new(quantity).unwrap()) }
}

#[test]
fn every_kind_of_record_is_decoded() {
    let plain = encoded(Schema::Mbo, &all_kinds());
    let compressed = zstd::encode_all(&plain[..], 0).unwrap();
    let order = MarketOrder;
    let expected = [
        MarketEvent::Clear,
        MarketEvent::Add { order: order(1), terms: terms(Side::Buy, 100, 5) },
        MarketEvent::Modify { order: order(2), terms: terms(Side::Sell, 101, 6) },
        MarketEvent::Trade { order: order(3), terms: terms(Side::Buy, 101, 2) },
        MarketEvent::Fill { order: order(2), quantity: Contracts(NonZeroU32::new(2).unwrap()) },
        MarketEvent::Auction,
        MarketEvent::Cancel { order: order(2) },
        MarketEvent::Nothing,
    ];
    for bytes in [&plain, &compressed] {
        let records = read(bytes).unwrap();
        assert_eq!(records.iter().map(|record| record.event).collect::<Vec<_>>(), expected);
        let first = plain.len() - expected.len() * RECORD_BYTES;
        assert!(records.iter().enumerate().all(|(i, r)| r.offset == (first + i * RECORD_BYTES) as u64));
        assert!(records.iter().all(|record| record.instrument == InstrumentNumber(17)));
        assert_eq!((records[1].time, records[1].snapshot, records[2].snapshot), (1_001, true, false));
    }
}

#[test]
fn a_bad_field_is_told_with_its_record() {
    let cases = [
        (message('X', 'B', 9, 100, 5), "action"),
        (message('A', 'X', 9, 100, 5), "side"),
        (message('A', 'N', 9, 100, 5), "side of an order"),
        (message('A', 'B', 9, 0, 5), "price"),
        (message('A', 'B', 9, -100, 5), "price"),
        (message('M', 'B', 9, dbn::UNDEF_PRICE, 5), "price"),
        (message('A', 'B', 9, 100, 0), "size"),
        (message('F', 'B', 9, 100, 0), "size"),
    ];
    for (bad, says) in cases {
        let bytes = encoded(Schema::Mbo, &[message('A', 'B', 1, 100, 5), bad]);
        let offset = bytes.len() - RECORD_BYTES;
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.starts_with(&format!("byte {offset}: ")), "{says}: {error}");
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[test]
fn a_damaged_file_is_told_with_its_byte() {
    let plain = encoded(Schema::Mbo, &all_kinds());
    let last = (plain.len() - RECORD_BYTES) as u64;
    let records = plain.len() - all_kinds().len() * RECORD_BYTES;
    let patched = |at: usize, with: u8| {
        let mut bytes = plain.clone();
        bytes[at] = with;
        bytes
    };
    let cases = [
        ("empty", Vec::new(), 0),
        ("cut in the prefix", plain[..5].to_vec(), 5),
        ("cut in the metadata", plain[..records - 1].to_vec(), 8),
        ("cut in a record", plain[..plain.len() - 1].to_vec(), last),
        ("not DBN", patched(0, b'X'), 8),
        ("another schema", encoded(Schema::Trades, &[]), 8),
        ("another kind of record", patched(records + 1, 0x17), records as u64),
        ("a length of nothing", patched(records, 0), records as u64),
        ("a length beyond the end", patched(last as usize, 255), last),
    ];
    for (name, bytes, offset) in cases {
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.starts_with(&format!("byte {offset}: ")), "{name}: {error}");
        assert!(read(&zstd::encode_all(&bytes[..], 0).unwrap()).is_err(), "{name}, compressed");
    }
}

#[test]
fn damage_to_the_compression_is_an_error() {
    let plain = encoded(Schema::Mbo, &vec![message('A', 'B', 1, 100, 5); 10_000]);
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 0).unwrap();
    encoder.include_checksum(true).unwrap();
    std::io::Write::write_all(&mut encoder, &plain).unwrap();
    let whole = encoder.finish().unwrap();
    assert_eq!(read(&whole).unwrap().len(), 10_000);

    for length in [5, whole.len() / 2, whole.len() - 1] {
        assert!(read(&whole[..length]).unwrap_err().to_string().starts_with("byte "), "cut to {length}");
    }
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(read(&flipped).unwrap_err().to_string().starts_with("byte "), "checksum");
}
