//! Views: what clients may read, made from events alone, held in memory, bounded, and thrown away
//! and rebuilt at every start. One [`Projection`] consumes the events on the egress thread; any
//! number of handlers read [`Views`], each under a lock held for a moment.
//!
//! They refuse to know HTTP, requests, keys and clocks: time comes from events and from whoever
//! calls [`Views::tick`].

mod account;
mod accounts;
mod audit;
mod book;
mod bounds;
pub(crate) mod candles;
mod depth;
mod directory;
mod hub;
mod locks;
mod market;
mod market_message;
mod market_stream;
mod order_lists;
mod order_store;
mod outbox;
mod own_records;
mod page;
mod projection;
mod quotes;
#[cfg(test)]
pub(crate) mod sample;
mod stream;
mod tape;
#[cfg(test)]
pub(crate) mod tests;
mod tick;
mod ticker_stream;
mod time_unit;
mod units;
mod user_event;
mod user_feed;

pub use accounts::{AccountSummary, Accounts, Balance};
pub use audit::AuditError;
pub use bounds::{Bounds, Held};
pub use directory::{Asset, Directory, Listing, rate_text};
pub use hub::{Hub, STREAMS_MAX, Subscription, TooManyStreams};
pub use market::Market;
pub use market_message::{MarketMessage, SharedText, wrapped};
pub use projection::{Projection, RestoreError};
pub use protocol::history::{
    AggregateTrade, Amendment, Candle, Interval, Order, OrderList, OrderStatus, OwnTrade, PreventedMatch,
    Prevention, PublicTrade, ZonedInterval, is_made_list_id, order_named, shown_cancel_id,
    shown_client_order_id, words,
};
pub use quotes::{BestPrices, CandleQuery, Depth, Level, Ticker};
pub use services::{
    AggregateQuery, AmendmentQuery, OrderListQuery, OrderQuery, OwnTradeQuery, PreventedMatchQuery,
};
pub use stream::{Pace, PartialLevels, Stream, TickerWindow};
pub use time_unit::TimeUnit;
pub use units::Units;
pub use user_feed::{UserFeed, UserSubscription};

use locks::read;
use protocol::{AccountId, InstrumentId, Sequence, Time, instrument::FeeRates};
use services::History;
use std::sync::{Arc, Mutex, OnceLock, RwLock, atomic::AtomicBool};

/// The reading side. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Views(Arc<Shared>);

/// What the writing side and the readers share.
#[derive(Debug)]
struct Shared {
    bounds: Bounds,
    /// The books of record, where there are any.
    history: OnceLock<Arc<dyn History>>,
    directory: RwLock<Arc<Directory>>,
    accounts: Accounts,
    /// By instrument id, from 1.
    markets: RwLock<Vec<Arc<Market>>>,
    hub: Arc<Hub>,
    user_feed: Arc<UserFeed>,
    /// The last command whose events are all in.
    position: RwLock<(Sequence, Time)>,
    /// Whether recovery is over.
    live: AtomicBool,
    ticks: Mutex<tick::TickState>,
}

impl Shared {
    fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            directory: RwLock::default(),
            accounts: Accounts::new(),
            history: OnceLock::new(),
            markets: RwLock::default(),
            hub: Arc::new(Hub::new(bounds.market_queue_bytes)),
            user_feed: Arc::new(UserFeed::new(bounds.user_queue_bytes)),
            position: RwLock::default(),
            live: AtomicBool::new(false),
            ticks: Mutex::default(),
        }
    }

    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&read(&self.directory))
    }

    fn position(&self) -> (Sequence, Time) {
        *read(&self.position)
    }
}

impl Views {
    /// Empty views, and the projection that fills them.
    pub fn new(bounds: Bounds) -> (Self, Projection) {
        let shared = Arc::new(Shared::new(bounds));
        (Self(Arc::clone(&shared)), Projection::new(shared))
    }

    /// The views as [`services::EventConsumer::save`] left them, and the projection that goes on with
    /// them.
    ///
    /// # Errors
    /// When the bytes are another build's, or damaged: views are then made again from the first event.
    pub fn restored(bounds: Bounds, saved: &[u8]) -> Result<(Self, Projection), RestoreError> {
        let projection = Projection::restored(bounds, saved)?;
        Ok((Self(projection.shared()), projection))
    }

    /// Lets what is beyond the bounds be read from the books of record: from now on nothing leaves memory
    /// before they have it. To be called once, before the first event.
    pub fn read_beyond_memory_in(&self, history: Arc<dyn History>) {
        // A second call would be the composition's mistake; the first books stay.
        let _ = self.0.history.set(history);
    }

    /// The books of record, where there are any.
    pub fn history(&self) -> Option<&Arc<dyn History>> {
        self.0.history.get()
    }

    /// What may be traded, as of now.
    pub fn directory(&self) -> Arc<Directory> {
        self.0.directory()
    }

    /// The accounts.
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// The market of an instrument.
    pub fn market(&self, instrument: InstrumentId) -> Option<Arc<Market>> {
        let place = usize::from(instrument.0).checked_sub(1)?;
        read(&self.0.markets).get(place).map(Arc::clone)
    }

    /// The rates that an account pays in an instrument; `None` when there is no such instrument.
    /// An account that is not there pays as tier 0.
    pub fn rates(&self, account: AccountId, instrument: InstrumentId) -> Option<FeeRates> {
        let tier = self.0.accounts.summary(account).map_or(0, |summary| summary.fee_tier);
        Some(self.directory().listing(instrument)?.rates(tier))
    }

    /// Market streams.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.0.hub
    }

    /// Accounts' own streams.
    pub fn user_feed(&self) -> &Arc<UserFeed> {
        &self.0.user_feed
    }

    /// The last command whose events are in the views, and its time.
    pub fn position(&self) -> (Sequence, Time) {
        self.0.position()
    }

    /// Sends what is due by the clock: books, candles, tickers. To be called every 100 ms, from
    /// one thread or task; a late call only delays them. The book of [`Market::depth`] moves only
    /// here. Before recovery is over it does nothing.
    pub fn tick(&self, now: Time) {
        tick::tick(&self.0, now);
    }

    /// Checks that books equal the open orders, that the balances of each asset sum to zero and
    /// that orders' holds are held. Takes time in proportion to all that is kept, and is only
    /// right while no event comes.
    pub fn audit(&self) -> Result<(), AuditError> {
        audit::audit(&self.0)
    }
}
