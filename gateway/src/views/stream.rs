//! The names of market streams (dialect §8), parsed once at the edge. Refuses to know what is sent.

use super::{Directory, Interval};
use protocol::InstrumentId;

/// How often a stream of the book is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pace {
    /// Every 100 ms.
    Fast,
    /// Every second.
    Slow,
}

/// How many levels a partial book has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Levels {
    Five,
    Ten,
    Twenty,
}

/// A market stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// `<symbol>@trade`.
    Trade(InstrumentId),
    /// `<symbol>@aggTrade`.
    AggregateTrade(InstrumentId),
    /// `<symbol>@depth` and `<symbol>@depth@100ms`: differences.
    Depth(InstrumentId, Pace),
    /// `<symbol>@depth5`, `10`, `20`, with or without `@100ms`: the best levels, whole.
    PartialDepth(InstrumentId, Levels, Pace),
    /// `<symbol>@bookTicker`.
    BookTicker(InstrumentId),
    /// `<symbol>@kline_<interval>`.
    Candle(InstrumentId, Interval),
    /// `<symbol>@miniTicker`.
    MiniTicker(InstrumentId),
    /// `<symbol>@ticker`.
    Ticker(InstrumentId),
    /// `!miniTicker@arr`, with any `@<n>ms`.
    AllMiniTickers,
    /// `!ticker@arr`, with any `@<n>ms`.
    AllTickers,
}

impl Stream {
    /// The stream a client names; `None` when there is none such. Symbols may be of any case.
    pub fn parse(name: &str, directory: &Directory) -> Option<Self> {
        todo!("{name} {directory:?}")
    }
}
