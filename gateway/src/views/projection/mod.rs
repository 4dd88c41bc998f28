//! The writing side: takes each event apart into directory, accounts, market and streams, in the
//! engine's order. The only writer, so that a reader sees each part as some event left it.
//! Refuses to know clocks: what is sent by the clock is `tick`'s.

mod orders;
mod saved;

pub use saved::RestoreError;

use super::{
    BestPrices, Listing, Market, Shared, Stream, account::Retention, bounds::Leave, locks::write,
    market_stream, user_event,
};
use protocol::{
    AccountId, AssetId, InstrumentId, Sequence, Time,
    event::{Event, EventChunk},
    order::CloseReason,
    posting::postings,
    terms::KillSwitch,
};
use services::EventConsumer;
use std::sync::{Arc, atomic::Ordering};

/// The writing side: give it to the engine's egress.
#[derive(Debug)]
pub struct Projection {
    shared: Arc<Shared>,
    /// By instrument id, from 1.
    markets: Vec<MarketWriter>,
    retention: Retention,
    /// The last event of a chunk that is not its command's last: an event is taken apart when the
    /// one after it is known.
    carried: Option<(u64, Event)>,
    /// Balances that this command moved and someone listens to.
    moved: Vec<(AccountId, AssetId)>,
    /// Markets (by place) whose book or trades this command changed.
    touched: Vec<usize>,
    /// Whether what comes is new, and so is sent.
    live: bool,
    /// What may leave memory.
    leave: Leave,
}

#[derive(Debug)]
struct MarketWriter {
    market: Arc<Market>,
    listing: Arc<Listing>,
    /// As last sent.
    best: BestPrices,
    touched: bool,
    /// Whether the newest aggregate trade is not sent yet: more may join it.
    aggregate_open: bool,
}

/// Which command is being taken apart.
#[derive(Clone, Copy, Debug)]
struct Moment {
    sequence: Sequence,
    time: Time,
}

impl EventConsumer for Projection {
    fn consume(&mut self, chunks: &[u8]) {
        self.leave.books = self.shared.history.get().map(|history| history.position());
        for chunk in EventChunk::all(chunks) {
            // The engine wrote them in this build's version, or recovery made them again: bytes
            // that cannot be read are a broken invariant, and stop the process.
            let chunk = chunk.expect("the engine's chunks can be read");
            let moment = Moment { sequence: chunk.header.sequence, time: chunk.header.time };
            self.leave.now = moment.sequence;
            if chunk.header.chunk == 0 {
                self.shared.user_feed.begin_command();
            }
            let mut waiting = self.carried.take();
            for (number, event) in (chunk.header.first_event..).zip(chunk.events()) {
                let event = event.expect("the engine's events can be read");
                if let Some((before, ready)) = waiting.replace((number, event)) {
                    self.apply(before, &ready, Some(&event), moment);
                }
            }
            if chunk.header.last == 0 {
                self.carried = waiting;
                continue;
            }
            if let Some((number, event)) = waiting {
                self.apply(number, &event, None, moment);
            }
            self.finish_command(moment);
        }
    }

    fn position(&self) -> Sequence {
        self.shared.position().0
    }

    fn save(&self) -> Option<Vec<u8>> {
        Some(self.saved())
    }

    fn live(&mut self) {
        for writer in &mut self.markets {
            let mut live = writer.market.live_mut();
            writer.best = live.book.best();
            let (changes, version) = live.book.take_changes();
            drop(live);
            writer.market.published_mut().start(&changes, version);
        }
        self.live = true;
        self.shared.live.store(true, Ordering::Release);
    }
}

impl Projection {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let leave = Leave { bounds: shared.bounds, books: None, now: Sequence(0) };
        Self {
            shared,
            markets: Vec::new(),
            retention: Retention::default(),
            carried: None,
            moved: Vec::new(),
            touched: Vec::new(),
            live: false,
            leave,
        }
    }

    fn apply(&mut self, number: u64, event: &Event, next: Option<&Event>, at: Moment) {
        self.post(event, at);
        match event {
            Event::OrderAccepted(accepted, name, terms) => self.accept(number, accepted, *name, *terms, at),
            Event::OrderTriggered(triggered) => self.trigger(number, triggered, at),
            Event::OrderActivated(activated) => self.activate(number, activated, at),
            Event::ReserveChanged(reserve) => {
                self.change_order(reserve.account, reserve.order_id, |order| order.hidden = reserve.new);
            }
            Event::OrderListChanged(changed, name) => self.change_list(changed, *name, at),
            Event::ListHoldChanged(list) => {
                self.shared.accounts.change(list.account, |account| {
                    account.lists.hold(list.list_id, list.asset, list.held);
                });
            }
            Event::OrderRested(rested) => self.rest(rested, at),
            Event::Trade(trade) => {
                let short_of_a_lot = matches!(next, Some(Event::OrderClosed(closed, _))
                    if closed.order_id == trade.taker_order_id && closed.reason == CloseReason::LessThanOneLot);
                self.trade(number, trade, trade.price, short_of_a_lot, at);
            }
            Event::AuctionTrade(auction) => self.auction_trade(number, auction, at),
            Event::OrderClosed(closed, request) => self.close(number, closed, *request, at),
            Event::OrderAmended(amended, name) => self.amend(number, amended, *name, at),
            Event::TradePrevented(prevented) => self.prevent(number, prevented, at),
            Event::Transferred(moved) => {
                self.send_balance_update(moved.account, moved.asset, -moved.amount, at.time);
                self.send_balance_update(moved.to, moved.asset, moved.amount, at.time);
            }
            Event::HoldCaptured(captured) => {
                self.send_balance_update(captured.account, captured.asset, -captured.amount, at.time);
                self.send_balance_update(captured.to, captured.asset, captured.amount, at.time);
            }
            Event::AccountOpened(opened) => {
                self.shared.accounts.change(opened.account, |account| account.open(opened));
            }
            Event::AccountSuspended(suspended) => {
                self.change_summary(suspended.account, |summary| summary.suspended = true);
            }
            Event::AccountResumed(resumed) => {
                self.change_summary(resumed.account, |summary| summary.suspended = false);
            }
            Event::LimitsSet(set) => {
                self.change_summary(set.limits.account, |summary| summary.limits = Some(set.limits));
            }
            Event::FeeTierAssigned(assigned) => {
                self.change_summary(assigned.account, |summary| summary.fee_tier = assigned.tier);
            }
            Event::KillSwitchSet(set) => {
                let is_on = set.switch == KillSwitch::On;
                self.change_summary(set.account, |summary| summary.kill_switch = is_on);
            }
            Event::CancelTimerSet(set) => {
                let due_at = (set.due_at != Time::NEVER).then_some(set.due_at);
                self.change_summary(set.account, |summary| summary.cancel_timer = due_at);
            }
            Event::AssetCreated(_)
            | Event::InstrumentCreated(_)
            | Event::InstrumentChanged(_)
            | Event::InstrumentHalted(_)
            | Event::OrderFiltersSet(_)
            | Event::BreakerSet(_)
            | Event::FeeTierSet(_) => self.change_directory(event),
            Event::HoldOpened(_)
            | Event::HoldReleased(_)
            | Event::HoldExtended(_)
            | Event::RulesActivated(_)
            | Event::SourceResumed(_)
            // What comes of these is told by events of its own.
            | Event::AuctionHeld(_)
            | Event::SessionEnded(_) => {}
        }
    }

    fn post(&mut self, event: &Event, at: Moment) {
        let Self { shared, markets, moved, live, .. } = self;
        let instrument = |id| writer_of(markets, id).map(|writer| &writer.listing.instrument);
        postings(event, instrument, |posting| {
            shared.accounts.change(posting.account, |account| account.post(&posting, at.time));
            if *live && shared.user_feed.has(posting.account) {
                moved.push((posting.account, posting.asset));
            }
        });
    }

    fn change_summary(&self, account: AccountId, change: impl FnOnce(&mut super::AccountSummary)) {
        self.shared.accounts.change(account, |account| account.opened_mut().map(change));
    }

    fn change_directory(&mut self, event: &Event) {
        let mut shown = write(&self.shared.directory);
        let directory = Arc::make_mut(&mut shown);
        match event {
            Event::AssetCreated(created) => directory.add_asset(created),
            Event::InstrumentCreated(created) => directory.set_instrument(created.instrument),
            Event::InstrumentChanged(changed) => directory.set_instrument(changed.instrument),
            Event::InstrumentHalted(halted) => directory.halt(halted.instrument),
            Event::OrderFiltersSet(set) => directory.set_order_filters(&set.set),
            Event::BreakerSet(set) => directory.set_breaker(&set.set),
            Event::FeeTierSet(set) => directory.set_fee_tier(set),
            _ => {}
        }
        for (place, listing) in directory.listings().iter().enumerate() {
            if let Some(writer) = self.markets.get_mut(place) {
                writer.listing = Arc::clone(listing);
                continue;
            }
            let market = Arc::new(Market::new(&listing.instrument));
            write(&self.shared.markets).push(Arc::clone(&market));
            self.markets.push(MarketWriter {
                market,
                listing: Arc::clone(listing),
                best: BestPrices::default(),
                touched: false,
                aggregate_open: false,
            });
        }
    }

    /// The market of an instrument, noted as changed by this command.
    fn touch(&mut self, instrument: InstrumentId) -> &mut MarketWriter {
        let place = usize::from(instrument.0).wrapping_sub(1);
        // Orders and trades are in instruments that exist: the core refuses others.
        let writer = self.markets.get_mut(place).expect("an order's instrument exists");
        if !writer.touched {
            writer.touched = true;
            self.touched.push(place);
        }
        writer
    }

    fn send_balance_update(&self, account: AccountId, asset: AssetId, delta: i64, time: Time) {
        if !self.live || !self.shared.user_feed.has(account) {
            return;
        }
        let directory = self.shared.directory();
        let Some(asset) = directory.asset(asset) else { return };
        self.shared.user_feed.publish(account, |unit| user_event::balance_update(asset, delta, time, unit));
    }

    /// Sends what is said once for a whole command, and moves the position.
    fn finish_command(&mut self, at: Moment) {
        for place in self.touched.drain(..) {
            let writer = &mut self.markets[place];
            writer.touched = false;
            let aggregate_open = std::mem::take(&mut writer.aggregate_open);
            if !self.live || self.shared.hub.is_idle() {
                continue;
            }
            let (hub, listing) = (&self.shared.hub, &writer.listing);
            let live = writer.market.live();
            let best = live.book.best();
            let aggregate = live.tape.last_aggregate().filter(|_| aggregate_open);
            drop(live);
            if let Some(aggregate) = aggregate {
                hub.publish(Stream::AggregateTrade(listing.id()), |unit| {
                    market_stream::aggregate_trade(listing, &aggregate, unit)
                });
            }
            if (best.bid, best.ask) != (writer.best.bid, writer.best.ask) {
                writer.best = best;
                hub.publish(Stream::BookTicker(listing.id()), |_| market_stream::book_ticker(listing, &best));
            }
        }
        if !self.moved.is_empty() {
            self.send_positions(at.time);
        }
        *write(&self.shared.position) = (at.sequence, at.time);
    }

    fn send_positions(&mut self, time: Time) {
        let mut moved = std::mem::take(&mut self.moved);
        moved.sort_unstable();
        moved.dedup();
        let directory = self.shared.directory();
        for of_account in moved.chunk_by(|one, other| one.0 == other.0) {
            let account = of_account[0].0;
            let balances: Vec<_> = of_account
                .iter()
                .filter_map(|(_, asset)| {
                    Some((directory.asset(*asset)?, self.shared.accounts.balance(account, *asset)))
                })
                .collect();
            self.shared
                .user_feed
                .publish(account, |unit| user_event::account_position(&balances, time, unit));
        }
        moved.clear();
        self.moved = moved;
    }
}

fn writer_of(markets: &[MarketWriter], instrument: InstrumentId) -> Option<&MarketWriter> {
    markets.get(usize::from(instrument.0).wrapping_sub(1))
}
