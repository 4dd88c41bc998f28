//! What is sent by the clock: books every 100 ms, candles and tickers every second. The clock is
//! the caller's. Refuses to know events.

use super::{
    BestPrices, Candle, Listing, Market, Pace, Shared, Stream, TickerWindow, TimeUnit, ZonedInterval,
    locks::{lock, read},
    market_stream as payload, ticker_stream,
};
use protocol::{InstrumentId, Sequence, Time, TradeId};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
/// How long after its end a candle is final although no later event has come: events may be that
/// late when the disk is slow.
const SETTLING: u64 = SECOND / 2;
/// The most candles one stream closes at one tick, after a long pause.
const CLOSED_AT_ONCE_MAX: usize = 100;

/// What the last tick left.
#[derive(Debug, Default)]
pub(super) struct TickState {
    second: u64,
    /// By instrument id, from 1.
    markets: Vec<MarketTick>,
    candles: HashMap<(InstrumentId, ZonedInterval), CandleTick>,
}

/// One market at this tick.
#[derive(Debug, Default)]
struct MarketTick {
    /// The published book moved at this tick.
    advanced: bool,
    /// What moved in the last whole second.
    second: SecondMoves,
    /// The last trade and the best prices at the last whole second.
    seen: (Option<TradeId>, BestPrices),
    /// The average as it was last sent, and the reference price.
    averages: [Option<i128>; 2],
}

/// What moved in a second.
#[derive(Clone, Copy, Debug, Default)]
struct SecondMoves {
    book: bool,
    trades: bool,
    quotes: bool,
}

#[derive(Clone, Copy, Debug)]
struct CandleTick {
    /// The interval that is not closed yet.
    open_time: Time,
    /// The last trade that was sent of it.
    sent: TradeId,
}

/// What a tick works with.
struct Tick<'a> {
    shared: &'a Shared,
    markets: &'a [Arc<Market>],
    listings: &'a [Arc<Listing>],
    now: Time,
    /// Whether a new second began.
    whole_second: bool,
}

/// See [`super::Views::tick`].
pub(super) fn tick(shared: &Shared, now: Time) {
    if !shared.live.load(Ordering::Acquire) {
        return;
    }
    let mut state = lock(&shared.ticks);
    let second = now.0 / SECOND;
    let whole_second = second != state.second;
    state.second = second;
    let markets = read(&shared.markets).clone();
    let directory = shared.directory();
    let tick = Tick { shared, markets: &markets, listings: directory.listings(), now, whole_second };
    state.markets.resize_with(markets.len(), MarketTick::default);
    for (place, market_tick) in state.markets.iter_mut().enumerate() {
        tick.advance(place, market_tick);
    }
    let listened = shared.hub.listened();
    let candles: HashSet<_> = listened
        .iter()
        .filter_map(|(stream, _)| match stream {
            Stream::Candle(instrument, interval) => Some((*instrument, *interval)),
            _ => None,
        })
        .collect();
    state.candles.retain(|stream, _| candles.contains(stream));
    for (stream, joined) in listened {
        tick.send(stream, joined, &mut state);
    }
}

impl Tick<'_> {
    /// Publishes a market's book and sends the differences.
    fn advance(&self, place: usize, state: &mut MarketTick) {
        let (market, listing) = (&self.markets[place], &self.listings[place]);
        let (hub, now) = (&self.shared.hub, self.now);
        let (changes, version) = market.live_mut().book.take_changes();
        let (mut fast, mut slow) = (None, None);
        if !changes.is_empty() || self.whole_second {
            let mut published = market.published_mut();
            fast = published.advance(&changes, version);
            slow = if self.whole_second { published.take_slow() } else { None };
        }
        let moved = (fast.is_some(), slow.is_some());
        for (pace, change) in [(Pace::Fast, fast), (Pace::Slow, slow)] {
            if let Some(change) = change {
                hub.publish_depth(Stream::Depth(listing.id(), pace), listing, change, now);
            }
        }
        state.advanced = moved.0;
        if self.whole_second {
            let (best, last) = (market.best(), market.last_trade().map(|trade| trade.trade_id));
            let best = BestPrices { update_id: Sequence(0), ..best };
            state.second =
                SecondMoves { book: moved.1, trades: state.seen.0 != last, quotes: state.seen.1 != best };
            state.seen = (last, best);
        }
    }

    /// Sends what a stream has to say at this tick, and its present state to whoever just joined.
    fn send(&self, stream: Stream, joined: bool, state: &mut TickState) {
        let TickState { markets, candles, .. } = state;
        let hub = &self.shared.hub;
        let now = self.now;
        match stream {
            // Sent when they happen, and by `advance`.
            Stream::Trade(_) | Stream::AggregateTrade(_) | Stream::BookTicker(_) | Stream::Depth(..) => {}
            Stream::PartialDepth(instrument, levels, pace) => {
                let Some((market, listing, seen)) = self.market(instrument, markets) else { return };
                let moved = match pace {
                    Pace::Fast => seen.advanced,
                    Pace::Slow => self.whole_second && seen.second.book,
                };
                if moved || joined {
                    let depth = market.depth(levels as usize);
                    hub.publish(stream, |_| payload::partial_depth(listing, &depth));
                }
            }
            Stream::Candle(instrument, interval) => {
                if let Some((market, listing, _)) = self.market(instrument, markets) {
                    let first = CandleTick { open_time: interval.open(now), sent: TradeId(0) };
                    let candle_tick = candles.entry((instrument, interval)).or_insert(first);
                    self.send_candles(market, listing, interval, joined, candle_tick);
                }
            }
            Stream::MiniTicker(instrument) => {
                let Some((market, listing, seen)) = self.market(instrument, markets) else { return };
                if joined || (self.whole_second && seen.second.trades) {
                    let ticker = market.ticker(now);
                    hub.publish(stream, |unit| ticker_stream::mini_ticker(listing, &ticker, now, unit));
                }
            }
            Stream::Ticker(instrument) => {
                let Some((market, listing, seen)) = self.market(instrument, markets) else { return };
                if joined || (self.whole_second && (seen.second.trades || seen.second.quotes)) {
                    let ticker = market.ticker(now);
                    hub.publish(stream, |unit| ticker_stream::ticker(listing, &ticker, now, unit));
                }
            }
            Stream::WindowTicker(instrument, size) => {
                let Some((market, listing, seen)) = self.market(instrument, markets) else { return };
                if joined || (self.whole_second && seen.second.trades) {
                    let window = self.window(market, size);
                    hub.publish(stream, |unit| {
                        ticker_stream::window_ticker(listing, size, &window, now, unit)
                    });
                }
            }
            Stream::AveragePrice(instrument) | Stream::ReferencePrice(instrument) => {
                self.send_average(stream, instrument, joined, markets);
            }
            Stream::AllMiniTickers => self.send_array(
                stream,
                joined,
                markets,
                |market| market.ticker(now),
                |tickers, unit| ticker_stream::mini_tickers(tickers, now, unit),
            ),
            Stream::AllTickers => self.send_array(
                stream,
                joined,
                markets,
                |market| market.ticker(now),
                |tickers, unit| ticker_stream::tickers(tickers, now, unit),
            ),
            Stream::AllWindowTickers(size) => self.send_array(
                stream,
                joined,
                markets,
                |market| self.window(market, size),
                |windows, unit| ticker_stream::window_tickers(size, windows, now, unit),
            ),
        }
    }

    /// The window of a ticker: it begins on a whole minute, and so is up to a minute longer.
    fn window(&self, market: &Market, size: TickerWindow) -> Candle {
        let since = Time(self.now.minute().saturating_sub(size.minutes()) * MINUTE);
        market.window(since, self.now)
    }

    /// Sends the average or the reference price when another second found it changed, or to whoever
    /// just joined.
    fn send_average(
        &self,
        stream: Stream,
        instrument: InstrumentId,
        joined: bool,
        states: &mut [MarketTick],
    ) {
        if !joined && !self.whole_second {
            return;
        }
        let Some((market, listing, _)) = self.market(instrument, states) else { return };
        let (hub, now) = (&self.shared.hub, self.now);
        let price = market.reference_price(&listing.instrument, now);
        let is_average = matches!(stream, Stream::AveragePrice(_));
        // `market` found the place.
        let sent = &mut states[usize::from(instrument.0) - 1].averages[usize::from(is_average)];
        if !joined && *sent == price {
            return;
        }
        *sent = price;
        if is_average {
            let last_trade = market.last_trade().map_or(Time(0), |trade| trade.time);
            let price = price.unwrap_or_default();
            hub.publish(stream, |unit| ticker_stream::average_price(listing, price, last_trade, now, unit));
        } else {
            hub.publish(stream, |unit| ticker_stream::reference_price(listing, price, now, unit));
        }
    }

    fn market<'s>(
        &self,
        instrument: InstrumentId,
        seen: &'s [MarketTick],
    ) -> Option<(&Market, &Listing, &'s MarketTick)> {
        let place = usize::from(instrument.0).checked_sub(1)?;
        Some((self.markets.get(place)?, self.listings.get(place)?, seen.get(place)?))
    }

    /// Sends what is said of each market that traded in the last second, or of all to whoever just
    /// joined.
    fn send_array<T>(
        &self,
        stream: Stream,
        joined: bool,
        seen: &[MarketTick],
        of: impl Fn(&Market) -> T,
        encode: impl Fn(&[(&Listing, T)], TimeUnit) -> String,
    ) {
        if !joined && !self.whole_second {
            return;
        }
        let markets = self.listings.iter().zip(self.markets).zip(seen);
        let rows: Vec<(&Listing, T)> = markets
            .filter(|(_, seen)| joined || seen.second.trades)
            .map(|((listing, market), _)| (listing.as_ref(), of(market)))
            .collect();
        if !rows.is_empty() {
            self.shared.hub.publish(stream, |unit| encode(&rows, unit));
        }
    }

    /// Sends each candle that ended, once, as closed; then the open one if it moved.
    fn send_candles(
        &self,
        market: &Market,
        listing: &Listing,
        interval: ZonedInterval,
        joined: bool,
        state: &mut CandleTick,
    ) {
        let now = self.now;
        let stream = Stream::Candle(listing.id(), interval);
        let send = |candle: &Candle, closed: bool| {
            let encode = |unit| payload::candle(listing, interval.interval, candle, closed, now, unit);
            if closed {
                self.shared.hub.publish_final(stream, encode);
            } else {
                self.shared.hub.publish(stream, encode);
            }
        };
        // Events come in the order of their times: after one at or past the end, none is before.
        let passed = self.shared.position().1;
        for _ in 0..CLOSED_AT_ONCE_MAX {
            let next = interval.next(state.open_time);
            if passed < next && now.0 < next.0.saturating_add(SETTLING) {
                break;
            }
            if let Some(candle) = market.candle_at(interval, state.open_time) {
                send(&candle, true);
            }
            *state = CandleTick { open_time: next, sent: TradeId(0) };
        }
        if !self.whole_second && !joined {
            return;
        }
        if let Some(candle) = market.candle_at(interval, state.open_time)
            && (joined || candle.last_trade > state.sent)
        {
            state.sent = candle.last_trade;
            send(&candle, false);
        }
    }
}
