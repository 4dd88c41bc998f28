//! A stream survives the way to a file and back; every kind of damage is told with its byte.

use super::*;
use crate::workload::{Mix, Specification, generate};

fn stream() -> Vec<u8> {
    let specification =
        Specification { mix: Mix::Standard, symbols: 3, resting: 30, commands: 400, scale: 1.0, seed: 7 };
    let generated = generate(specification).unwrap();
    let mut bytes = generated.header.to_bytes().to_vec();
    for record in &generated.records {
        bytes.extend_from_slice(&record.to_bytes());
    }
    bytes
}

/// Where record `index` begins.
fn record(index: usize) -> usize {
    HEADER_BYTES + index * RECORD_BYTES
}

#[test]
fn a_whole_stream_is_read() {
    let file = StreamFile::parse(&stream()).unwrap();
    assert_eq!(file.prefill().len(), 30);
    assert_eq!(file.commands().len(), 400);
    assert_eq!(file.header.symbols, 3);
    assert!(file.prefill().iter().all(|command| matches!(command.action, StreamAction::Limit(_))));
}

type Damage = Box<dyn Fn(&mut Vec<u8>)>;

#[test]
fn damage_is_told_with_its_byte() {
    let last = stream().len() as u64;
    let replace_at = |at: usize, with: &'static [u8]| {
        move |bytes: &mut Vec<u8>| bytes[at..at + with.len()].copy_from_slice(with)
    };
    let cases: Vec<(&str, Damage, u64, &str)> = vec![
        ("empty", Box::new(Vec::clear), 0, "ends here"),
        ("cut in the header", Box::new(|bytes| bytes.truncate(100)), 100, "ends here"),
        (
            "cut in a record",
            Box::new(|bytes| bytes.truncate(record(5) + 9)),
            record(5) as u64 + 9,
            "ends here",
        ),
        ("cut between records", Box::new(|bytes| bytes.truncate(record(5))), record(5) as u64, "ends here"),
        ("goes on", Box::new(|bytes| bytes.push(0)), last, "goes on"),
        ("magic", Box::new(replace_at(0, b"X")), 0, "magic"),
        ("record count", Box::new(replace_at(8, &[255; 8])), 8, "number of prefill"),
        ("more records than bytes", Box::new(replace_at(20, &[255; 2])), last, "ends here"),
        ("symbols", Box::new(replace_at(24, &[0; 8])), 24, "number of symbols"),
        ("highest id", Box::new(replace_at(32, &[255; 8])), 32, "highest order id"),
        ("operation", Box::new(replace_at(record(2), &[4])), record(2) as u64, "operation"),
        ("side", Box::new(replace_at(record(2) + 1, &[2])), record(2) as u64 + 1, "side"),
        ("symbol", Box::new(replace_at(record(2) + 2, &[3])), record(2) as u64 + 2, "symbol"),
        ("id 0", Box::new(replace_at(record(2) + 8, &[0; 4])), record(2) as u64 + 8, "order id"),
        ("id too high", Box::new(replace_at(record(2) + 8, &[255; 4])), record(2) as u64 + 8, "order id"),
        ("price", Box::new(replace_at(record(2) + 16, &[0; 4])), record(2) as u64 + 16, "price"),
        ("quantity", Box::new(replace_at(record(2) + 20, &[0; 4])), record(2) as u64 + 20, "quantity"),
    ];
    for (name, damage, offset, says) in cases {
        let mut bytes = stream();
        damage(&mut bytes);
        let error = StreamFile::parse(&bytes).unwrap_err().to_string();
        assert!(error.starts_with(&format!("byte {offset}: ")), "{name}: {error}");
        assert!(error.contains(says), "{name}: {error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let error = StreamFile::open(&directory.path().join("none")).unwrap_err();
    assert!(matches!(error, StreamError::Read(_)), "{error}");
}

#[test]
fn an_order_belongs_to_whoever_placed_it() {
    let file = StreamFile::parse(&stream()).unwrap();
    let mut placed = std::collections::HashMap::new();
    for command in file.prefill().iter().chain(file.commands()) {
        match command.action {
            StreamAction::Limit(_) | StreamAction::Immediate(_) => {
                placed.insert(command.order, command.owner);
            }
            StreamAction::Cancel => assert_eq!(placed[&command.order], command.owner),
            StreamAction::Replace { new_order, .. } => {
                assert_eq!(placed[&command.order], command.owner);
                placed.insert(new_order, command.owner);
            }
        }
    }
}
