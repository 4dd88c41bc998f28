//! Views: what clients may read, made from events alone, held in memory, bounded, and thrown away
//! and rebuilt at every start. One [`Projection`] consumes the events on the egress thread; any
//! number of handlers read [`Views`], each under a lock held for a moment.
//!
//! They refuse to know HTTP, requests, keys and clocks: time comes from events and from whoever
//! calls [`Views::tick`].

mod accounts;
mod bounds;
mod directory;
mod hub;
mod interval;
mod market;
mod names;
mod orders;
mod stream;
mod time_unit;
mod user_feed;

pub use accounts::{AccountSummary, Accounts, Balance, OrderQuery, OwnTrade, OwnTradeQuery};
pub use bounds::Bounds;
pub use directory::{Asset, Directory, Listing, rate_text};
pub use hub::{Hub, MarketMessage, STREAMS_MAX, Subscription, TooManyStreams};
pub use interval::Interval;
pub use market::{
    AggregateQuery, AggregateTrade, BestPrices, Candle, CandleQuery, Depth, Level, Market, PublicTrade,
    Ticker,
};
pub use names::{order_named, shown_cancel_id, shown_client_order_id};
pub use orders::{Order, OrderStatus, Prevention, words};
pub use stream::{Levels, Pace, Stream};
pub use time_unit::TimeUnit;
pub use user_feed::{UserFeed, UserSubscription};

use protocol::{AccountId, InstrumentId, Sequence, Time, instrument::FeeRates};
use services::EventConsumer;
use std::sync::Arc;

/// The reading side. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Views {}

/// The writing side: give it to the engine's egress.
#[derive(Debug)]
pub struct Projection {}

impl EventConsumer for Projection {
    fn consume(&mut self, chunks: &[u8]) {
        todo!("{chunks:?}")
    }
}

impl Views {
    /// Empty views, and the projection that fills them.
    pub fn new(bounds: Bounds) -> (Self, Projection) {
        todo!("{bounds:?}")
    }

    /// What may be traded, as of now.
    pub fn directory(&self) -> Arc<Directory> {
        todo!()
    }

    /// The accounts.
    pub fn accounts(&self) -> &Accounts {
        todo!()
    }

    /// The market of an instrument.
    pub fn market(&self, instrument: InstrumentId) -> Option<Arc<Market>> {
        todo!("{instrument}")
    }

    /// The rates that an account pays in an instrument; `None` when there is no such instrument.
    pub fn rates(&self, account: AccountId, instrument: InstrumentId) -> Option<FeeRates> {
        todo!("{account} {instrument}")
    }

    /// Market streams.
    pub fn hub(&self) -> &Arc<Hub> {
        todo!()
    }

    /// Accounts' own streams.
    pub fn user_feed(&self) -> &Arc<UserFeed> {
        todo!()
    }

    /// The last command whose events are in the views, and its time.
    pub fn position(&self) -> (Sequence, Time) {
        todo!()
    }

    /// Sends what is due by the clock: books, candles, tickers. To be called every 100 ms, from
    /// one thread or task; a late call only delays them. REST depth too moves only here.
    pub fn tick(&self, now: Time) {
        todo!("{now}")
    }
}
