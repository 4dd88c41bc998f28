//! How a market's records become commands to an exchange, and how its trades are compared with the market's own.
//!
//! - The instrument starts in pre-open: orders rest, nothing matches.
//! - A new order is a limit order, good till cancelled; an id already live is cancelled first.
//! - A cancel of an id no longer live is ignored: the market reports every fill's effect a second time.
//! - A change to the same side and price and to no more than what is left keeps the order's place; any other is a
//!   cancel, if the order is live, and a new order.
//! - A trade is an immediate-or-cancel order of the aggressor's side, price and quantity. It agrees if the resting
//!   orders it fills, with quantities, in order, are those the market reports.
//! - An auction's fills are taken out of the book, and the instrument opens.
//!
//! Fills of orders that were to rest are counted apart, as extra. It refuses to know accounts and money.

use std::num::NonZeroU32;

use super::{Contracts, InstrumentNumber, MarketEvent, MarketOrder, MarketRecord, Terms};

/// An exchange with one instrument, as its clients see it: what the records are turned into.
pub trait Venue {
    /// What the exchange says when it refuses.
    type Refusal: std::error::Error + Send + Sync + 'static;

    /// Sets the instrument from pre-open to trading. Orders that cross at that moment stay as they are.
    ///
    /// # Errors
    /// When the exchange refuses.
    fn open_trading(&mut self) -> Result<(), Self::Refusal>;

    /// Places a limit order, good till cancelled, under the market's id, which is not live. Its fills are appended
    /// in the order they happened; in pre-open there are none.
    ///
    /// # Errors
    /// When the exchange refuses.
    fn place(
        &mut self,
        order: MarketOrder,
        terms: Terms,
        fills: &mut Vec<MakerFill>,
    ) -> Result<(), Self::Refusal>;

    /// Places a limit order, immediate or cancel, without a market's id. Its fills are appended in the order they
    /// happened; in pre-open there are none, and that is no refusal.
    ///
    /// # Errors
    /// When the exchange refuses.
    fn place_immediate(&mut self, terms: Terms, fills: &mut Vec<MakerFill>) -> Result<(), Self::Refusal>;

    /// Cancels a live order.
    ///
    /// # Errors
    /// When the exchange refuses.
    fn cancel(&mut self, order: MarketOrder) -> Result<(), Self::Refusal>;

    /// Cancels every live order.
    ///
    /// # Errors
    /// When the exchange refuses.
    fn cancel_all(&mut self) -> Result<(), Self::Refusal>;

    /// Sets what is left of a live order to less than it is; the order keeps its place.
    ///
    /// # Errors
    /// When the exchange refuses.
    fn amend_keeping_place(&mut self, order: MarketOrder, left: Contracts) -> Result<(), Self::Refusal>;

    /// A live order, with the quantity that is left of it.
    fn live_order(&self, order: MarketOrder) -> Option<Terms>;

    /// What rests in the book.
    fn resting(&self) -> Resting;
}

/// A resting order filled by an incoming one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MakerFill {
    /// The resting order.
    pub maker: MarketOrder,
    /// How much of it.
    pub quantity: Contracts,
}

/// What rests in a book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resting {
    /// Live orders.
    pub orders: u64,
    /// What is left of them together, in contracts.
    pub quantity: u64,
}

/// What came of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ReplayReport {
    /// Records of every kind.
    pub records: u64,
    /// Trades the market reports, auctions included.
    pub trades: u64,
    /// Trades in which the exchange filled what the market filled.
    pub trades_equal: u64,
    /// Fills of orders that the market let rest.
    pub extra_fills: u64,
    /// Contracts of those fills.
    pub extra_quantity: u64,
    /// Orders resting at the end.
    pub live_orders: u64,
    /// Contracts resting at the end.
    pub live_quantity: u64,
}

/// Why a file could not be replayed. Offsets are bytes of the decompressed stream.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError<R: std::error::Error + 'static> {
    /// The exchange refused what the record became.
    #[error("byte {offset}: the exchange refused what this record asks for: {refusal}")]
    Refused {
        /// Where the record begins.
        offset: u64,
        /// The exchange's word.
        #[source]
        refusal: R,
    },
    /// A second instrument.
    #[error("byte {offset}: a record of instrument {}, the file began with {}: replay one instrument a file", second.0, first.0)]
    SecondInstrument {
        /// Where the record begins.
        offset: u64,
        /// The instrument of the first record.
        first: InstrumentNumber,
        /// The other one.
        second: InstrumentNumber,
    },
}

/// Sends the records to an exchange whose instrument is in pre-open and whose book is empty.
///
/// # Errors
/// When the exchange refuses a command, or the records are of more than one instrument.
pub fn replay<V: Venue>(
    records: &[MarketRecord],
    venue: &mut V,
) -> Result<ReplayReport, ReplayError<V::Refusal>> {
    let mut replay = Replay { venue, report: ReplayReport::default(), fills: Vec::new(), trading: false };
    let mut rest = records;
    while let Some((record, after)) = rest.split_first() {
        let first = records[0].instrument;
        if record.instrument != first {
            let (offset, second) = (record.offset, record.instrument);
            return Err(ReplayError::SecondInstrument { offset, first, second });
        }
        let following = match record.event {
            MarketEvent::Trade { .. } | MarketEvent::Auction => fills_at_start(after),
            _ => &[],
        };
        replay
            .record(record, following)
            .map_err(|refusal| ReplayError::Refused { offset: record.offset, refusal })?;
        replay.report.records += 1 + following.len() as u64;
        rest = &after[following.len()..];
    }
    let Resting { orders, quantity } = replay.venue.resting();
    Ok(ReplayReport { live_orders: orders, live_quantity: quantity, ..replay.report })
}

/// The fill records that a trade or an auction is followed by.
fn fills_at_start(records: &[MarketRecord]) -> &[MarketRecord] {
    let is_fill = |record: &MarketRecord| matches!(record.event, MarketEvent::Fill { .. });
    let count = records.iter().take_while(|record| is_fill(record)).count();
    &records[..count]
}

fn market_fills(records: &[MarketRecord]) -> impl Iterator<Item = MakerFill> {
    records.iter().filter_map(|record| match record.event {
        MarketEvent::Fill { order, quantity } => Some(MakerFill { maker: order, quantity }),
        _ => None,
    })
}

struct Replay<'venue, V> {
    venue: &'venue mut V,
    report: ReplayReport,
    /// Fills of the command in hand; kept for its memory.
    fills: Vec<MakerFill>,
    trading: bool,
}

impl<V: Venue> Replay<'_, V> {
    fn record(&mut self, record: &MarketRecord, following: &[MarketRecord]) -> Result<(), V::Refusal> {
        match record.event {
            MarketEvent::Add { order, terms } => self.place_anew(order, terms),
            MarketEvent::Cancel { order } => self.cancel_if_live(order),
            MarketEvent::Modify { order, terms } => self.modify(order, terms),
            MarketEvent::Trade { order, terms } => self.trade(order, terms, following),
            MarketEvent::Auction => self.auction(following),
            MarketEvent::Clear => self.venue.cancel_all(),
            // A fill without a trade before it says nothing that a cancel or a change does not say again.
            MarketEvent::Fill { .. } | MarketEvent::Nothing => Ok(()),
        }
    }

    fn cancel_if_live(&mut self, order: MarketOrder) -> Result<(), V::Refusal> {
        if self.venue.live_order(order).is_some() { self.venue.cancel(order) } else { Ok(()) }
    }

    fn place_anew(&mut self, order: MarketOrder, terms: Terms) -> Result<(), V::Refusal> {
        self.cancel_if_live(order)?;
        self.fills.clear();
        self.venue.place(order, terms, &mut self.fills)?;
        for fill in &self.fills {
            self.report.extra_fills += 1;
            self.report.extra_quantity += u64::from(fill.quantity.0.get());
        }
        Ok(())
    }

    fn modify(&mut self, order: MarketOrder, terms: Terms) -> Result<(), V::Refusal> {
        match self.venue.live_order(order) {
            Some(live) if live == terms => Ok(()),
            Some(live)
                if live.side == terms.side && live.price == terms.price && terms.quantity < live.quantity =>
            {
                self.venue.amend_keeping_place(order, terms.quantity)
            }
            _ => self.place_anew(order, terms),
        }
    }

    fn trade(
        &mut self,
        aggressor: MarketOrder,
        terms: Terms,
        following: &[MarketRecord],
    ) -> Result<(), V::Refusal> {
        self.fills.clear();
        self.venue.place_immediate(terms, &mut self.fills)?;
        // A fill under the aggressor's own id is its side of the trade.
        let picks = market_fills(following).filter(|fill| fill.maker != aggressor);
        self.report.trades += 1;
        self.report.trades_equal += u64::from(picks.eq(self.fills.iter().copied()));
        Ok(())
    }

    fn auction(&mut self, following: &[MarketRecord]) -> Result<(), V::Refusal> {
        for fill in market_fills(following) {
            let Some(live) = self.venue.live_order(fill.maker) else { continue };
            let left = live.quantity.0.get().saturating_sub(fill.quantity.0.get());
            match NonZeroU32::new(left) {
                Some(left) => self.venue.amend_keeping_place(fill.maker, Contracts(left))?,
                None => self.venue.cancel(fill.maker)?,
            }
        }
        self.report.trades += 1;
        if !self.trading {
            self.trading = true;
            self.venue.open_trading()?;
        }
        Ok(())
    }
}
