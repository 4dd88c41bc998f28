//! A record of a public topic, and where it stands. Refuses to know what is in it.

use crate::kafka::header;
use prost::Message;
use protocol::{AccountId, Sequence, Time};
use rdkafka::message::{Header, OwnedHeaders};

/// The version of the public records this build writes.
pub const PUBLIC_VERSION: u32 = 1;

/// The public topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicTopic {
    /// Each change of each order, by instrument.
    Order,
    /// Each trade, by instrument.
    Trade,
    /// Each change of balances, by account.
    Asset,
    /// Money that moved otherwise, by account.
    Finance,
    /// What rules of risk look at, by account.
    Risk,
    /// What owners may want to be told, by account.
    Notification,
}

impl PublicTopic {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Order, Self::Trade, Self::Asset, Self::Finance, Self::Risk, Self::Notification];

    /// Its name, without a prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order-topic",
            Self::Trade => "trade-topic",
            Self::Asset => "asset-topic",
            Self::Finance => "finance-topic",
            Self::Risk => "risk-topic",
            Self::Notification => "notification-topic",
        }
    }
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub sequence: Sequence,
    /// Among the events of its command, from 0.
    pub index: u32,
    pub time: Time,
    pub trace: u64,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicRecord {
    pub topic: PublicTopic,
    pub key: String,
    pub place: Place,
    /// Among the records of its event in its topic, from 0.
    pub leg: u16,
    pub value: Vec<u8>,
}

impl PublicRecord {
    pub(super) fn headers(&self, engine_id: u32, epoch: u32) -> OwnedHeaders {
        let numbers = [
            (header::VERSION, u64::from(PUBLIC_VERSION)),
            (header::ENGINE, u64::from(engine_id)),
            (header::EPOCH, u64::from(epoch)),
            (header::SEQUENCE, self.place.sequence.0),
            (header::INDEX, u64::from(self.place.index)),
            (header::LEG, u64::from(self.leg)),
            (header::TRACE, self.place.trace),
        ];
        numbers.into_iter().fold(OwnedHeaders::new_with_capacity(numbers.len()), |headers, (key, number)| {
            headers.insert(Header { key, value: Some(&number.to_string()) })
        })
    }
}

/// The records of one event, as they are made.
pub(super) struct Made<'a> {
    records: &'a mut Vec<PublicRecord>,
    legs: [u16; PublicTopic::ALL.len()],
    pub place: Place,
}

impl<'a> Made<'a> {
    /// None yet, of the event at `place`.
    pub(super) fn at(place: Place, records: &'a mut Vec<PublicRecord>) -> Self {
        Self { records, legs: [0; PublicTopic::ALL.len()], place }
    }

    /// One more, keyed by an instrument.
    pub(super) fn of_instrument(&mut self, topic: PublicTopic, symbol: &str, record: &impl Message) {
        self.push(topic, symbol.to_owned(), record);
    }

    /// One more, keyed by an account.
    pub(super) fn of_account(&mut self, topic: PublicTopic, account: AccountId, record: &impl Message) {
        self.push(topic, account.to_string(), record);
    }

    fn push(&mut self, topic: PublicTopic, key: String, record: &impl Message) {
        let leg = &mut self.legs[topic as usize];
        let value = record.encode_to_vec();
        self.records.push(PublicRecord { topic, key, place: self.place, leg: *leg, value });
        *leg += 1;
    }
}
