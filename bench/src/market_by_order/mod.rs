//! A market's own records, order by order (Databento's DBN, schema `mbo`, compressed with zstd or not): decoding
//! here, becoming commands in [`replay`].
//!
//! Reading trusts nothing: every error says at which byte of the decompressed stream it is. This module refuses to
//! know what a record does to a book.

pub mod replay;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::Path;

use dbn::decode::{DbnMetadata, DecodeRecordRef};
use dbn::{MboMsg, Record, Schema, VersionUpgradePolicy};

pub use crate::stream_file::Side;

/// What a zstd file begins with.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Bytes of a DBN file before the length of its metadata and that length itself.
const PREFIX_BYTES: u64 = 8;

/// The venue's id of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MarketOrder(pub u64);

/// The data publisher's id of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstrumentNumber(pub u32);

/// A price, in units of 1e-9 of the quote currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NanoPrice(pub NonZeroU64);

/// A quantity, in contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Contracts(pub NonZeroU32);

/// The terms of a limit order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// Its side.
    pub side: Side,
    /// Its limit.
    pub price: NanoPrice,
    /// Its quantity.
    pub quantity: Contracts,
}

/// A decoded record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketRecord {
    /// Where it begins in the decompressed stream, in bytes.
    pub offset: u64,
    /// When the venue's matching engine received it, in nanoseconds since 1970.
    pub time: u64,
    /// What it is about.
    pub instrument: InstrumentNumber,
    /// Whether it is part of a snapshot of the resting book, not something that happened now.
    pub snapshot: bool,
    /// What happened.
    pub event: MarketEvent,
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarketEvent {
    /// An order came to rest.
    Add {
        /// The order.
        order: MarketOrder,
        /// Its terms.
        terms: Terms,
    },
    /// An order left the book.
    Cancel {
        /// The order.
        order: MarketOrder,
    },
    /// An order's terms are now these.
    Modify {
        /// The order.
        order: MarketOrder,
        /// All its terms.
        terms: Terms,
    },
    /// An aggressor traded; the resting orders follow as [`MarketEvent::Fill`].
    Trade {
        /// The aggressor's id, 0 when it has none.
        order: MarketOrder,
        /// The aggressor's side and price, and the traded quantity.
        terms: Terms,
    },
    /// An auction traded; its orders follow as [`MarketEvent::Fill`].
    Auction,
    /// An order was filled by the trade or auction before.
    Fill {
        /// The order.
        order: MarketOrder,
        /// How much.
        quantity: Contracts,
    },
    /// The book is empty now.
    Clear,
    /// Nothing that concerns orders.
    Nothing,
}

/// Decodes a file's records one after the other. After an error there are no more.
pub struct MarketFile<'input> {
    decoder: dbn::decode::dbn::Decoder<CountingReader<Box<dyn Read + 'input>>>,
    /// Where the next record begins.
    offset: u64,
    ended: bool,
}

impl MarketFile<'static> {
    /// Opens a file and reads its metadata.
    ///
    /// # Errors
    /// A file that cannot be read, or does not begin as market-by-order DBN.
    pub fn open(path: &Path) -> Result<Self, MarketFileError> {
        let file = File::open(path).map_err(|source| MarketFileError::Open { source })?;
        Self::new(BufReader::with_capacity(1 << 16, file))
    }
}

impl<'input> MarketFile<'input> {
    /// Reads the metadata of an input that begins at its first byte, compressed or not.
    ///
    /// # Errors
    /// As [`MarketFile::open`].
    pub fn new(mut input: impl BufRead + 'input) -> Result<Self, MarketFileError> {
        let start = input.fill_buf().map_err(|source| MarketFileError::Open { source })?;
        let plain: Box<dyn Read + 'input> = if start.starts_with(&ZSTD_MAGIC) {
            Box::new(
                zstd::stream::Decoder::with_buffer(input)
                    .map_err(|source| MarketFileError::Open { source })?,
            )
        } else {
            Box::new(input)
        };
        let mut reader = CountingReader { inner: plain, count: 0 };
        // The length of the metadata is where the records begin; the decoder reads ahead and does not tell.
        let mut prefix = [0; PREFIX_BYTES as usize];
        let metadata_error = |offset, source| MarketFileError::Metadata { offset, source: Box::new(source) };
        if let Err(source) = reader.read_exact(&mut prefix) {
            let source = dbn::Error::io(source, "reading the first bytes");
            return Err(metadata_error(reader.count, source));
        }
        let [_, _, _, _, length @ ..] = prefix;
        let offset = PREFIX_BYTES + u64::from(u32::from_le_bytes(length));
        let whole: Box<dyn Read + 'input> = Box::new(io::Cursor::new(prefix).chain(reader));
        let counted = CountingReader { inner: whole, count: 0 };
        let policy = VersionUpgradePolicy::AsIs;
        let decoder = dbn::decode::dbn::Decoder::with_upgrade_policy(counted, policy)
            .map_err(|source| metadata_error(PREFIX_BYTES, source))?;
        if decoder.metadata().schema.is_some_and(|schema| schema != Schema::Mbo) {
            return Err(MarketFileError::Schema { offset: PREFIX_BYTES });
        }
        Ok(Self { decoder, offset, ended: false })
    }

    /// The next record, `None` after the last.
    fn next_record(&mut self) -> Result<Option<MarketRecord>, MarketFileError> {
        let offset = self.offset;
        let (length, record) = match self.decoder.decode_record_ref() {
            Ok(Some(record)) => {
                let message = record
                    .get::<MboMsg>()
                    .ok_or(MarketFileError::Kind { offset, kind: record.header().rtype })?;
                (record.record_size() as u64, record_of(message, offset)?)
            }
            Ok(None) => {
                // The decoder is silent about a last record that is not whole.
                let end = self.decoder.get_ref().count;
                return if end == offset {
                    Ok(None)
                } else {
                    Err(MarketFileError::Truncated { offset, end })
                };
            }
            Err(source) => {
                // A failing input failed where its bytes ended, a bad record where it begins.
                let offset = match source {
                    dbn::Error::Io { .. } => self.decoder.get_ref().count,
                    _ => offset,
                };
                return Err(MarketFileError::Record { offset, source: Box::new(source) });
            }
        };
        self.offset += length;
        Ok(Some(record))
    }
}

impl Iterator for MarketFile<'_> {
    type Item = Result<MarketRecord, MarketFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_record().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Parses a message that begins at `offset`.
fn record_of(message: &MboMsg, offset: u64) -> Result<MarketRecord, MarketFileError> {
    let field = |field, value| MarketFileError::Field { offset, field, value };
    let character = |letter: std::ffi::c_char| char::from(letter as u8);
    let side = match character(message.side) {
        'A' => Some(Side::Sell),
        'B' => Some(Side::Buy),
        'N' => None,
        other => return Err(field("side (A, B or N)", format!("{other:?}"))),
    };
    let order = MarketOrder(message.order_id);
    let quantity = || {
        let quantity = NonZeroU32::new(message.size);
        quantity.map(Contracts).ok_or_else(|| field("size (above 0)", message.size.to_string()))
    };
    let terms = || {
        let price = u64::try_from(message.price).ok().and_then(NonZeroU64::new);
        Ok(Terms {
            side: side.ok_or_else(|| field("side of an order (A or B)", "N".to_owned()))?,
            price: price
                .filter(|_| message.price != dbn::UNDEF_PRICE)
                .map(NanoPrice)
                .ok_or_else(|| field("price (above 0)", message.price.to_string()))?,
            quantity: quantity()?,
        })
    };
    let event = match character(message.action) {
        'A' => MarketEvent::Add { order, terms: terms()? },
        'C' => MarketEvent::Cancel { order },
        'M' => MarketEvent::Modify { order, terms: terms()? },
        'T' if side.is_none() => MarketEvent::Auction,
        'T' => MarketEvent::Trade { order, terms: terms()? },
        'F' => MarketEvent::Fill { order, quantity: quantity()? },
        'R' => MarketEvent::Clear,
        'N' => MarketEvent::Nothing,
        other => return Err(field("action (A, C, M, T, F, R or N)", format!("{other:?}"))),
    };
    Ok(MarketRecord {
        offset,
        time: message.hd.ts_event,
        instrument: InstrumentNumber(message.hd.instrument_id),
        snapshot: message.flags.is_snapshot(),
        event,
    })
}

/// Counts what it hands on.
struct CountingReader<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A compressed stream cut short reports an unexpected end, which the decoder would take for a good one.
        let count = self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(io::ErrorKind::InvalidData, error),
            _ => error,
        })?;
        self.count += count as u64;
        Ok(count)
    }
}

/// Why a market-by-order file cannot be used. Offsets are bytes of the decompressed stream.
#[derive(Debug, thiserror::Error)]
pub enum MarketFileError {
    /// The file cannot be opened or read at all.
    #[error("the file cannot be read: {source}")]
    Open {
        /// The operating system's word.
        source: io::Error,
    },
    /// The file does not begin as DBN does.
    #[error("byte {offset}: not a DBN file, or its metadata is damaged: {source}")]
    Metadata {
        /// Where.
        offset: u64,
        /// The decoder's word.
        source: Box<dbn::Error>,
    },
    /// The file holds something else than orders.
    #[error("byte {offset}: the file's schema is not mbo: order by order records are needed")]
    Schema {
        /// Where the metadata begins.
        offset: u64,
    },
    /// A record cannot be read.
    #[error("byte {offset}: the record cannot be read: {source}")]
    Record {
        /// Where it begins, or where the input failed.
        offset: u64,
        /// The decoder's word.
        source: Box<dbn::Error>,
    },
    /// A record of another kind.
    #[error("byte {offset}: a record of kind {kind:#04x}, not market-by-order (0xa0)")]
    Kind {
        /// Where it begins.
        offset: u64,
        /// Its kind.
        kind: u8,
    },
    /// The last record is not whole.
    #[error("byte {offset}: the record that begins here is not whole: the file ends at byte {end}")]
    Truncated {
        /// Where the record begins.
        offset: u64,
        /// Where the stream ends.
        end: u64,
    },
    /// A field is out of its range.
    #[error("byte {offset}: in the record that begins here, {field} is {value}")]
    Field {
        /// Where the record begins.
        offset: u64,
        /// The field, with its range.
        field: &'static str,
        /// What stands there.
        value: String,
    },
}

#[cfg(test)]
mod tests;
