//! A consumer of `trade-topic`: prints each trade once. Start it with the brokers' addresses, and as a
//! second word the exchange's topic prefix if it has one:
//!
//! ```sh
//! cargo run --release -p stream --example trades -- 127.0.0.1:9092
//! ```
//!
//! It keeps no position: a consumer that does keeps the place of its last record (sequence, index, leg)
//! of each partition with what it did, in one transaction, and begins after it.

use prost::Message as _;
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
    message::{BorrowedMessage, Headers as _, Message as _},
};
use std::{collections::HashMap, env, error::Error};
use stream::public::v1::trade::TradeEvent;

/// Where a record stands: sequence, index, leg.
type Place = [u64; 3];

fn number(message: &BorrowedMessage<'_>, key: &str) -> Option<u64> {
    let header = message.headers()?.iter().find(|header| header.key == key)?;
    str::from_utf8(header.value?).ok()?.parse().ok()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let servers = arguments.next().ok_or("name the brokers: HOST:PORT[,HOST:PORT]")?;
    let topic = format!("{}trade-topic", arguments.next().unwrap_or_default());
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", "print-trades")
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[&topic])?;
    // What has been seen of each partition: after a crash the publisher sends some records again.
    let mut seen: HashMap<i32, (u64, Place)> = HashMap::new();
    for message in &consumer {
        let message = message?;
        if number(&message, "schema-version") != Some(1) {
            return Err("a record of a version that this program does not know".into());
        }
        let epoch = number(&message, "epoch").ok_or("a record without its epoch")?;
        let [Some(sequence), Some(index), Some(leg)] =
            ["sequence", "index", "leg"].map(|key| number(&message, key))
        else {
            return Err("a record without its place".into());
        };
        let place = [sequence, index, leg];
        if let Some((newest, last)) = seen.get(&message.partition())
            && (epoch < *newest || place <= *last)
        {
            continue; // Of an engine that was replaced, or seen before.
        }
        seen.insert(message.partition(), (epoch, place));
        let trade = TradeEvent::decode(message.payload().unwrap_or_default())?;
        println!(
            "{} {}: {} at {} for {}",
            trade.instrument, trade.trade_id, trade.quantity, trade.price, trade.quote_quantity
        );
    }
    Ok(())
}
