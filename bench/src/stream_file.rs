//! The stream file: a header of sixteen numbers, then one record of 32 bytes a command, all little-endian. Written by
//! the generator, read by whatever is measured.
//!
//! Reading trusts nothing: every error says at which byte of the file it is. This module refuses to know what a
//! command does to a book: an id that is placed twice or cancelled when gone is the exchange's to answer.

use std::cmp::Ordering;
use std::io;
use std::num::NonZeroU32;
use std::path::Path;

/// The first eight bytes of a stream file, `STRSTM11`.
const MAGIC: u64 = u64::from_le_bytes(*b"STRSTM11");
/// Length of the header in bytes.
pub const HEADER_BYTES: usize = 128;
/// Length of a record in bytes.
pub const RECORD_BYTES: usize = 32;

/// Which side of the book an order is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Bids.
    Buy,
    /// Asks.
    Sell,
}

impl Side {
    /// The side it trades with.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

/// What a record asks for; the value is the record's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    /// A limit order, good till cancelled.
    Limit = 0,
    /// A cancel.
    Cancel = 1,
    /// A limit order, immediate or cancel.
    Immediate = 2,
    /// A cancel and a new limit order, which loses its place.
    Replace = 3,
}

/// Counts of a stream and the totals its reference matcher reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamHeader {
    /// Records before the measured ones.
    pub prefill: u64,
    /// Measured records.
    pub commands: u64,
    /// Instruments; records name them 0 to `symbols` - 1.
    pub symbols: u64,
    /// Highest order id of any record. Ids are given densely, from 1: there are no more than records.
    pub highest_id: u64,
    /// Trades the reference made.
    pub trades: u64,
    /// Lots it traded.
    pub quantity: u64,
    /// Sum of price × quantity of its trades, modulo 2^64.
    pub notional: u64,
    /// Orders resting at its end.
    pub live_orders: u64,
    /// Hash over its trades.
    pub hash: u64,
    /// Measured records of each [`Operation`], by its value.
    pub operation_counts: [u64; 4],
    /// Measured and prefilled records that traded.
    pub commands_that_traded: u64,
    /// Price levels at its end.
    pub levels: u64,
}

impl StreamHeader {
    /// The header as it stands in a file.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let [limit, cancel, immediate, replace] = self.operation_counts;
        let words = [
            MAGIC,
            self.prefill,
            self.commands,
            self.symbols,
            self.highest_id,
            self.trades,
            self.quantity,
            self.notional,
            self.live_orders,
            self.hash,
            limit,
            cancel,
            immediate,
            replace,
            self.commands_that_traded,
            self.levels,
        ];
        let mut bytes = [0; HEADER_BYTES];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The header, and the length of its file in bytes.
    fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Result<(Self, u64), StreamError> {
        let mut words = [0_u64; HEADER_BYTES / 8];
        for (word, place) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*place);
        }
        let [
            magic,
            prefill,
            commands,
            symbols,
            highest_id,
            trades,
            quantity,
            notional,
            live_orders,
            hash,
            limit,
            cancel,
            immediate,
            replace,
            commands_that_traded,
            levels,
        ] = words;
        let header = Self {
            prefill,
            commands,
            symbols,
            highest_id,
            trades,
            quantity,
            notional,
            live_orders,
            hash,
            operation_counts: [limit, cancel, immediate, replace],
            commands_that_traded,
            levels,
        };
        let refuse = |offset, what, value| Err(StreamError::Header { offset, what, value });
        if magic != MAGIC {
            return refuse(0, "the magic number", magic);
        }
        let records = prefill.checked_add(commands);
        let length = records
            .and_then(|records| records.checked_mul(RECORD_BYTES as u64))
            .and_then(|bytes| bytes.checked_add(HEADER_BYTES as u64));
        let Some((records, length)) = records.zip(length) else {
            return refuse(8, "the number of prefill and measured records", prefill);
        };
        if symbols == 0 || symbols > 1 << 16 {
            return refuse(24, "the number of symbols (1 to 65,536)", symbols);
        }
        if highest_id > records.min(u64::from(u32::MAX)) {
            return refuse(32, "the highest order id (no more than records)", highest_id);
        }
        Ok((header, length))
    }
}

/// A record as it stands in a file, before its numbers are checked against the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// What it asks for.
    pub operation: Operation,
    /// The order's side.
    pub side: Side,
    /// The instrument.
    pub symbol: u16,
    /// Who placed the order; noise on a cancel or a replace.
    pub user: u32,
    /// The order placed, cancelled or replaced.
    pub order: u32,
    /// On a replace, the order that takes its place (possibly under the same id); else 0.
    pub new_order: u32,
    /// Limit price in ticks.
    pub price: u32,
    /// Quantity in lots.
    pub quantity: u32,
    /// On a cancel or a replace, the price the order had; else 0.
    pub old_price: u32,
}

impl RawRecord {
    /// A record of this order, all else 0.
    #[must_use]
    pub fn new(operation: Operation, side: Side, symbol: u16, user: u32, order: u32) -> Self {
        Self { operation, side, symbol, user, order, new_order: 0, price: 0, quantity: 0, old_price: 0 }
    }

    /// The record as it stands in a file.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[0] = self.operation as u8;
        bytes[1] = match self.side {
            Side::Buy => 0,
            Side::Sell => 1,
        };
        bytes[2..4].copy_from_slice(&self.symbol.to_le_bytes());
        let words = [self.user, self.order, self.new_order, self.price, self.quantity, self.old_price];
        for (place, word) in bytes[4..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; RECORD_BYTES], offset: u64) -> Result<Self, StreamError> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let operation = match bytes[0] {
            0 => Operation::Limit,
            1 => Operation::Cancel,
            2 => Operation::Immediate,
            3 => Operation::Replace,
            other => return Err(StreamError::field(offset, "operation (0 to 3)", other.into())),
        };
        let side = match bytes[1] {
            0 => Side::Buy,
            1 => Side::Sell,
            other => return Err(StreamError::field(offset + 1, "side (0 or 1)", other.into())),
        };
        Ok(Self {
            operation,
            side,
            symbol: u16::from_le_bytes([bytes[2], bytes[3]]),
            user: word(4),
            order: word(8),
            new_order: word(12),
            price: word(16),
            quantity: word(20),
            old_price: word(24),
        })
    }
}

/// An instrument of a stream, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolNumber(pub u16);

/// Who places orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserNumber(pub u32);

/// An order of a stream, 1 to [`StreamHeader::highest_id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderNumber(pub NonZeroU32);

/// The terms of a limit order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its side.
    pub side: Side,
    /// Its limit, in ticks.
    pub price: NonZeroU32,
    /// Its quantity, in lots.
    pub quantity: NonZeroU32,
}

/// A checked record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamCommand {
    /// The instrument.
    pub symbol: SymbolNumber,
    /// The order placed, cancelled or replaced.
    pub order: OrderNumber,
    /// Who placed that order; for one that nobody placed, the record's user.
    pub owner: UserNumber,
    /// What is done with it.
    pub action: StreamAction,
}

/// What a command does with its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamAction {
    /// Place it, good till cancelled.
    Limit(Terms),
    /// Place it, immediate or cancel.
    Immediate(Terms),
    /// Cancel it.
    Cancel,
    /// Cancel it and place another of the same owner, which queues at the end of its level.
    Replace {
        /// The other order's id; it may be the same.
        new_order: OrderNumber,
        /// The other order's terms; the side is the old one's.
        terms: Terms,
    },
}

/// A whole stream, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFile {
    /// Counts and reference totals.
    pub header: StreamHeader,
    commands: Vec<StreamCommand>,
}

impl StreamFile {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, or is not a stream, with the byte offset.
    pub fn open(path: &Path) -> Result<Self, StreamError> {
        Self::parse(&std::fs::read(path)?)
    }

    /// Parses a file's bytes.
    ///
    /// # Errors
    /// Bytes that are not a stream, with the offset.
    pub fn parse(bytes: &[u8]) -> Result<Self, StreamError> {
        let length = bytes.len() as u64;
        let Some((header, records)) = bytes.split_first_chunk() else {
            return Err(StreamError::Truncated { offset: length, expected: HEADER_BYTES as u64 });
        };
        // The header's length is held against the real one before anything is allocated by it.
        let (header, expected) = StreamHeader::from_bytes(header)?;
        match length.cmp(&expected) {
            Ordering::Less => return Err(StreamError::Truncated { offset: length, expected }),
            Ordering::Greater => return Err(StreamError::Trailing { offset: expected }),
            Ordering::Equal => {}
        }
        let (records, _) = records.as_chunks::<RECORD_BYTES>();
        let mut owners = Owners(vec![None; header.highest_id as usize + 1]);
        let mut commands = Vec::with_capacity(records.len());
        let mut offset = HEADER_BYTES as u64;
        for record in records {
            commands.push(check(RawRecord::from_bytes(record, offset)?, &header, &mut owners, offset)?);
            offset += RECORD_BYTES as u64;
        }
        Ok(Self { header, commands })
    }

    /// The commands that fill the books before anything is measured.
    #[must_use]
    pub fn prefill(&self) -> &[StreamCommand] {
        &self.commands[..self.header.prefill as usize]
    }

    /// The commands to measure.
    #[must_use]
    pub fn commands(&self) -> &[StreamCommand] {
        &self.commands[self.header.prefill as usize..]
    }
}

/// Who placed each order, by its number.
struct Owners(Vec<Option<UserNumber>>);

impl Owners {
    fn of(&self, order: OrderNumber) -> Option<UserNumber> {
        self.0[order.0.get() as usize]
    }

    fn set(&mut self, order: OrderNumber, owner: UserNumber) {
        self.0[order.0.get() as usize] = Some(owner);
    }
}

/// Checks a record's numbers against the header; `offset` is where the record begins.
fn check(
    raw: RawRecord,
    header: &StreamHeader,
    owners: &mut Owners,
    offset: u64,
) -> Result<StreamCommand, StreamError> {
    let order_number = |at: u64, value: u32| match NonZeroU32::new(value) {
        Some(number) if u64::from(value) <= header.highest_id => Ok(OrderNumber(number)),
        _ => Err(StreamError::field(offset + at, "order id (1 to the header's highest)", value.into())),
    };
    let positive = |at: u64, field, value: u32| {
        NonZeroU32::new(value).ok_or(StreamError::field(offset + at, field, value.into()))
    };
    if u64::from(raw.symbol) >= header.symbols {
        return Err(StreamError::field(offset + 2, "symbol (below the header's number)", raw.symbol.into()));
    }
    let terms = || -> Result<Terms, StreamError> {
        Ok(Terms {
            side: raw.side,
            price: positive(16, "price (above 0)", raw.price)?,
            quantity: positive(20, "quantity (above 0)", raw.quantity)?,
        })
    };
    let order = order_number(8, raw.order)?;
    let user = UserNumber(raw.user);
    let (owner, action) = match raw.operation {
        Operation::Limit => (user, StreamAction::Limit(terms()?)),
        Operation::Immediate => (user, StreamAction::Immediate(terms()?)),
        Operation::Cancel => (owners.of(order).unwrap_or(user), StreamAction::Cancel),
        Operation::Replace => {
            let new_order = order_number(12, raw.new_order)?;
            let owner = owners.of(order).unwrap_or(user);
            owners.set(new_order, owner);
            (owner, StreamAction::Replace { new_order, terms: terms()? })
        }
    };
    owners.set(order, owner);
    Ok(StreamCommand { symbol: SymbolNumber(raw.symbol), order, owner, action })
}

/// Why a stream file cannot be used. Offsets are bytes from the beginning of the file.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The file cannot be opened or read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The header cannot be a stream's.
    #[error("byte {offset}: not a stream file: {what} is {value} ({value:#x})")]
    Header {
        /// Where the number stands.
        offset: u64,
        /// Which number.
        what: &'static str,
        /// What stands there.
        value: u64,
    },
    /// The file ends before its header says.
    #[error(
        "byte {offset}: the file ends here, its header promises {expected} bytes: copy or generate it again"
    )]
    Truncated {
        /// The file's length.
        offset: u64,
        /// The length the header speaks of.
        expected: u64,
    },
    /// The file goes on after its last record.
    #[error("byte {offset}: the file goes on after the last record its header promises")]
    Trailing {
        /// Where the last record ends.
        offset: u64,
    },
    /// A record's field is out of its range.
    #[error("byte {offset}: {field} is {value}")]
    Field {
        /// Where the field stands.
        offset: u64,
        /// The field, with its range.
        field: &'static str,
        /// What stands there.
        value: u64,
    },
}

impl StreamError {
    fn field(offset: u64, field: &'static str, value: u64) -> Self {
        Self::Field { offset, field, value }
    }
}

#[cfg(test)]
mod tests;
