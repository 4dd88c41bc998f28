//! The names of market streams (dialect §8), parsed once at the edge. Refuses to know what is sent.

use super::{Directory, Interval, ZonedInterval};
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
pub enum PartialLevels {
    Five = 5,
    Ten = 10,
    Twenty = 20,
}

/// How far back a windowed ticker looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TickerWindow {
    OneHour,
    FourHours,
    OneDay,
}

impl TickerWindow {
    /// As clients write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::OneHour => "1h",
            Self::FourHours => "4h",
            Self::OneDay => "1d",
        }
    }

    /// In minutes.
    pub(super) const fn minutes(self) -> u64 {
        match self {
            Self::OneHour => 60,
            Self::FourHours => 240,
            Self::OneDay => 1_440,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::OneHour, Self::FourHours, Self::OneDay].into_iter().find(|window| window.text() == text)
    }
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
    PartialDepth(InstrumentId, PartialLevels, Pace),
    /// `<symbol>@bookTicker`.
    BookTicker(InstrumentId),
    /// `<symbol>@kline_<interval>`, with or without `@+08:00`.
    Candle(InstrumentId, ZonedInterval),
    /// `<symbol>@miniTicker`.
    MiniTicker(InstrumentId),
    /// `<symbol>@ticker`.
    Ticker(InstrumentId),
    /// `<symbol>@ticker_1h`, `_4h`, `_1d`.
    WindowTicker(InstrumentId, TickerWindow),
    /// `<symbol>@avgPrice`.
    AveragePrice(InstrumentId),
    /// `<symbol>@referencePrice`.
    ReferencePrice(InstrumentId),
    /// `!miniTicker@arr`, with any `@<n>ms`.
    AllMiniTickers,
    /// `!ticker@arr`, with any `@<n>ms`.
    AllTickers,
    /// `!ticker_1h@arr`, `_4h`, `_1d`, with any `@<n>ms`.
    AllWindowTickers(TickerWindow),
}

impl Stream {
    /// The stream a client names; `None` when there is none such. Symbols may be of any case.
    pub fn parse(name: &str, directory: &Directory) -> Option<Self> {
        let (subject, kind) = name.split_once('@')?;
        if let Some(array) = subject.strip_prefix('!') {
            let pace = kind.strip_prefix("arr")?;
            let paced = pace.is_empty() || pace.strip_prefix('@').is_some_and(is_milliseconds);
            return match array {
                "miniTicker" if paced => Some(Self::AllMiniTickers),
                "ticker" if paced => Some(Self::AllTickers),
                _ if paced => TickerWindow::parse(array.strip_prefix("ticker_")?).map(Self::AllWindowTickers),
                _ => None,
            };
        }
        let instrument = directory.listing_named(&subject.to_ascii_uppercase())?.id();
        Some(match kind {
            "trade" => Self::Trade(instrument),
            "aggTrade" => Self::AggregateTrade(instrument),
            "bookTicker" => Self::BookTicker(instrument),
            "miniTicker" => Self::MiniTicker(instrument),
            "ticker" => Self::Ticker(instrument),
            "avgPrice" => Self::AveragePrice(instrument),
            "referencePrice" => Self::ReferencePrice(instrument),
            _ => {
                if let Some(window) = kind.strip_prefix("ticker_") {
                    return Some(Self::WindowTicker(instrument, TickerWindow::parse(window)?));
                }
                if let Some(interval) = kind.strip_prefix("kline_") {
                    let (interval, zone_minutes) = match interval.strip_suffix("@+08:00") {
                        Some(interval) => (interval, 480),
                        None => (interval, 0),
                    };
                    let interval = Interval::parse(interval)?;
                    return Some(Self::Candle(instrument, ZonedInterval { interval, zone_minutes }));
                }
                let (levels, pace) = kind.strip_prefix("depth")?.split_once('@').map_or_else(
                    || Some((&kind["depth".len()..], Pace::Slow)),
                    |(levels, pace)| match pace {
                        "100ms" => Some((levels, Pace::Fast)),
                        "1000ms" => Some((levels, Pace::Slow)),
                        _ => None,
                    },
                )?;
                match levels {
                    "" => Self::Depth(instrument, pace),
                    "5" => Self::PartialDepth(instrument, PartialLevels::Five, pace),
                    "10" => Self::PartialDepth(instrument, PartialLevels::Ten, pace),
                    "20" => Self::PartialDepth(instrument, PartialLevels::Twenty, pace),
                    _ => return None,
                }
            }
        })
    }

    /// Whether each message tells all that those before it told, so that only the newest matters.
    pub(super) const fn tells_all_anew(self) -> bool {
        match self {
            Self::PartialDepth(..)
            | Self::BookTicker(_)
            | Self::Candle(..)
            | Self::MiniTicker(_)
            | Self::Ticker(_)
            | Self::WindowTicker(..)
            | Self::AveragePrice(_)
            | Self::ReferencePrice(_) => true,
            // An array holds only what changed since the one before it.
            Self::Trade(_)
            | Self::AggregateTrade(_)
            | Self::Depth(..)
            | Self::AllMiniTickers
            | Self::AllTickers
            | Self::AllWindowTickers(_) => false,
        }
    }
}

fn is_milliseconds(text: &str) -> bool {
    let digits = text.strip_suffix("ms").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    #[test]
    fn names_are_read_as_clients_write_them() {
        let directory = sample::directory();
        let one = InstrumentId(1);
        for (name, expected) in [
            ("btcusdt@trade", Some(Stream::Trade(one))),
            ("BTCUSDT@aggTrade", Some(Stream::AggregateTrade(one))),
            ("btcusdt@depth", Some(Stream::Depth(one, Pace::Slow))),
            ("btcusdt@depth@100ms", Some(Stream::Depth(one, Pace::Fast))),
            ("btcusdt@depth@1000ms", Some(Stream::Depth(one, Pace::Slow))),
            ("btcusdt@depth5", Some(Stream::PartialDepth(one, PartialLevels::Five, Pace::Slow))),
            ("btcusdt@depth20@100ms", Some(Stream::PartialDepth(one, PartialLevels::Twenty, Pace::Fast))),
            ("btcusdt@bookTicker", Some(Stream::BookTicker(one))),
            ("btcusdt@kline_1M", Some(Stream::Candle(one, ZonedInterval::utc(Interval::OneMonth)))),
            ("btcusdt@kline_1m", Some(Stream::Candle(one, ZonedInterval::utc(Interval::OneMinute)))),
            (
                "btcusdt@kline_1d@+08:00",
                Some(Stream::Candle(one, ZonedInterval { interval: Interval::OneDay, zone_minutes: 480 })),
            ),
            ("btcusdt@kline_1d@+09:00", None),
            ("btcusdt@miniTicker", Some(Stream::MiniTicker(one))),
            ("btcusdt@ticker", Some(Stream::Ticker(one))),
            ("btcusdt@ticker_1h", Some(Stream::WindowTicker(one, TickerWindow::OneHour))),
            ("btcusdt@ticker_4h", Some(Stream::WindowTicker(one, TickerWindow::FourHours))),
            ("btcusdt@ticker_1d", Some(Stream::WindowTicker(one, TickerWindow::OneDay))),
            ("btcusdt@ticker_2h", None),
            ("btcusdt@avgPrice", Some(Stream::AveragePrice(one))),
            ("btcusdt@referencePrice", Some(Stream::ReferencePrice(one))),
            ("!ticker_1h@arr", Some(Stream::AllWindowTickers(TickerWindow::OneHour))),
            ("!ticker_1d@arr@1000ms", Some(Stream::AllWindowTickers(TickerWindow::OneDay))),
            ("!ticker_1w@arr", None),
            ("!ticker_@arr", None),
            ("!miniTicker@arr", Some(Stream::AllMiniTickers)),
            ("!miniTicker@arr@1000ms", Some(Stream::AllMiniTickers)),
            ("!ticker@arr", Some(Stream::AllTickers)),
            ("!ticker@arr@ms", None),
            ("!ticker@arrow", None),
            ("!bookTicker", None),
            ("ethusdt@trade", None),
            ("btcusdt@", None),
            ("btcusdt", None),
            ("", None),
            ("btcusdt@depth7", None),
            ("btcusdt@depth@250ms", None),
            ("btcusdt@kline_7m", None),
            ("btc\u{e9}@trade", None),
        ] {
            assert_eq!(Stream::parse(name, &directory), expected, "{name}");
        }
    }
}
