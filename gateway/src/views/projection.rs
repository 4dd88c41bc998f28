//! The writing side: takes each event apart into directory, accounts, market and streams, in the
//! engine's order. The only writer, so that a reader sees each part as some event left it.
//! Refuses to know clocks: what is sent by the clock is `tick`'s.

use super::{
    Amendment, BestPrices, Listing, Market, Order, OwnTrade, PreventedMatch, Prevention, PublicTrade, Shared,
    Stream,
    account::Retention,
    locks::write,
    market_stream,
    names::shown_cancel_id,
    user_event::{self, Execution, ExecutionReport},
};
use protocol::{
    AccountId, AssetId, ClientOrderId, InstrumentId, OrderId, Quantity, SelfTradePrevention, Sequence, Side,
    Time,
    event::{
        Event, EventChunk, OrderAccepted, OrderAmended, OrderClosed, OrderRested, Trade, TradePrevented,
    },
    order::CloseReason,
    posting::{order_hold, postings},
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
        for chunk in EventChunk::all(chunks) {
            // The engine wrote them in this build's version, or recovery made them again: bytes
            // that cannot be read are a broken invariant, and stop the process.
            let chunk = chunk.expect("the engine's chunks can be read");
            let moment = Moment { sequence: chunk.header.sequence, time: chunk.header.time };
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
        Self {
            shared,
            markets: Vec::new(),
            retention: Retention::default(),
            carried: None,
            moved: Vec::new(),
            touched: Vec::new(),
            live: false,
        }
    }

    fn apply(&mut self, number: u64, event: &Event, next: Option<&Event>, at: Moment) {
        self.post(event, at);
        match event {
            Event::OrderAccepted(accepted, name, _) => self.accept(number, accepted, *name, at),
            Event::OrderRested(rested) => self.rest(rested, at),
            Event::Trade(trade) => {
                let short_of_a_lot = matches!(next, Some(Event::OrderClosed(closed, _))
                    if closed.order_id == trade.taker_order_id && closed.reason == CloseReason::LessThanOneLot);
                self.trade(number, trade, short_of_a_lot, at);
            }
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
                self.shared.accounts.change(opened.account, |account, _| account.open(opened));
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
            Event::AssetCreated(_)
            | Event::InstrumentCreated(_)
            | Event::InstrumentChanged(_)
            | Event::FeeTierSet(_) => self.change_directory(event),
            Event::HoldOpened(_)
            | Event::HoldReleased(_)
            | Event::HoldExtended(_)
            | Event::RulesActivated(_)
            | Event::OrderTriggered(_)
            | Event::OrderActivated(_)
            | Event::ReserveChanged(_)
            | Event::OrderListChanged(..)
            | Event::ListHoldChanged(_)
            | Event::AuctionHeld(_)
            | Event::AuctionTrade(_)
            | Event::InstrumentHalted(_)
            | Event::KillSwitchSet(_)
            | Event::CancelTimerSet(_)
            | Event::SessionEnded(_)
            | Event::OrderFiltersSet(_)
            | Event::BreakerSet(_) => {}
        }
    }

    fn post(&mut self, event: &Event, at: Moment) {
        let Self { shared, markets, moved, live, .. } = self;
        let instrument = |id| writer_of(markets, id).map(|writer| &writer.listing.instrument);
        postings(event, instrument, |posting| {
            shared.accounts.change(posting.account, |account, _| account.post(&posting, at.time));
            if *live && shared.user_feed.has(posting.account) {
                moved.push((posting.account, posting.asset));
            }
        });
    }

    fn change_summary(&self, account: AccountId, change: impl FnOnce(&mut super::AccountSummary)) {
        self.shared.accounts.change(account, |account, _| account.opened_mut().map(change));
    }

    fn change_directory(&mut self, event: &Event) {
        let mut shown = write(&self.shared.directory);
        let directory = Arc::make_mut(&mut shown);
        match event {
            Event::AssetCreated(created) => directory.add_asset(created),
            Event::InstrumentCreated(created) => directory.set_instrument(created.instrument),
            Event::InstrumentChanged(changed) => directory.set_instrument(changed.instrument),
            Event::FeeTierSet(set) => directory.set_fee_tier(set),
            _ => {}
        }
        for (place, listing) in directory.listings().iter().enumerate() {
            if let Some(writer) = self.markets.get_mut(place) {
                writer.listing = Arc::clone(listing);
                continue;
            }
            let market = Arc::new(Market::new(&listing.instrument, &self.shared.bounds));
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

    fn accept(&mut self, number: u64, accepted: &OrderAccepted, name: Option<ClientOrderId>, at: Moment) {
        let order = Order::accepted(accepted, name, at.time);
        self.shared.accounts.change(order.account, |account, _| account.orders_mut().add(order, name));
        if order.is_resting {
            let (side, price, quantity) = (order.side, order.price, accepted.quantity);
            self.touch(order.instrument).market.live_mut().book.add(side, price, quantity, at.sequence);
        }
        self.report(&order, Execution::New, 2 * number, at.time);
    }

    fn rest(&mut self, rested: &OrderRested, at: Moment) {
        let OrderRested { side, price, leaves, .. } = *rested;
        self.touch(rested.instrument).market.live_mut().book.add(side, price, leaves, at.sequence);
        self.change_order(rested.account, rested.order_id, |order| {
            order.leaves = leaves;
            order.is_resting = true;
        });
    }

    fn trade(&mut self, number: u64, trade: &Trade, short_of_a_lot: bool, at: Moment) {
        let Trade { price, quantity, taker_side, .. } = *trade;
        let maker_side = taker_side.opposite();
        let writer = self.touch(trade.instrument);
        let listing = Arc::clone(&writer.listing);
        let (_, quote) = order_hold(&listing.instrument, Side::Buy, price, quantity);
        let public =
            PublicTrade { trade_id: trade.trade_id, price, quantity, quote, time: at.time, taker_side };
        let mut live = writer.market.live_mut();
        let finished = live
            .tape
            .last_aggregate()
            .filter(|last| writer.aggregate_open && last.aggregate_id != trade.aggregate_id);
        live.book.remove(maker_side, price, quantity, at.sequence);
        live.add_trade(&public, trade.aggregate_id);
        drop(live);
        writer.aggregate_open = true;
        if self.live {
            let (hub, instrument) = (&self.shared.hub, trade.instrument);
            hub.publish(Stream::Trade(instrument), |unit| market_stream::trade(&listing, &public, unit));
            if let Some(finished) = finished {
                hub.publish(Stream::AggregateTrade(instrument), |unit| {
                    market_stream::aggregate_trade(&listing, &finished, unit)
                });
            }
        }
        let own = |side, order_id, commission, is_maker| OwnTrade {
            execution_id: 2 * number + u64::from(is_maker),
            trade_id: trade.trade_id,
            order_id,
            instrument: trade.instrument,
            price,
            quantity,
            quote,
            commission,
            commission_asset: listing.received(side).id,
            time: at.time,
            side,
            is_maker,
        };
        let taker = own(taker_side, trade.taker_order_id, trade.taker_fee, false);
        let maker = own(maker_side, trade.maker_order_id, trade.maker_fee, true);
        self.own_trade(trade.taker_account, taker, short_of_a_lot, at);
        self.own_trade(trade.maker_account, maker, false, at);
    }

    fn own_trade(&mut self, account: AccountId, trade: OwnTrade, short_of_a_lot: bool, at: Moment) {
        self.shared.accounts.change(account, |account, bounds| account.add_trade(trade, bounds));
        let gone = self.retention.trade(account, trade.execution_id, &self.shared.bounds);
        if let Some((account, execution_id)) = gone {
            self.shared.accounts.change(account, |account, _| account.forget_trades(execution_id));
        }
        let order = self.change_order(account, trade.order_id, |order| {
            order.trade(trade.quantity, trade.quote, short_of_a_lot, at.time);
        });
        if let Some(order) = order {
            self.report(&order, Execution::Trade(trade), trade.execution_id, at.time);
        }
    }

    fn close(&mut self, number: u64, closed: &OrderClosed, request: Option<ClientOrderId>, at: Moment) {
        if closed.rested == 1 {
            let OrderClosed { side, price, leaves, .. } = *closed;
            self.touch(closed.instrument).market.live_mut().book.remove(side, price, leaves, at.sequence);
        }
        // One that ended with its last trade, less than one lot short, is filled and stays so.
        let changed = self.change_order(closed.account, closed.order_id, |order| {
            order.close(closed.reason, at.time);
        });
        let Some(order) = changed else { return };
        let execution = match order.status {
            super::OrderStatus::Canceled => Execution::Canceled(shown_cancel_id(order.order_id, request)),
            super::OrderStatus::ExpiredInMatch => Execution::TradePrevention,
            _ => Execution::Expired,
        };
        self.report(&order, execution, 2 * number, at.time);
    }

    fn amend(&mut self, number: u64, amended: &OrderAmended, name: Option<ClientOrderId>, at: Moment) {
        let OrderAmended { account, order_id, side, price, old_leaves, new_leaves, .. } = *amended;
        let less = Quantity(old_leaves.0 - new_leaves.0);
        self.touch(amended.instrument).market.live_mut().book.remove(side, price, less, at.sequence);
        let mut before = None;
        let changed = self.change_order(account, order_id, |order| {
            before = Some((order.client_order_id, order.asked));
            order.leaves = new_leaves;
            order.asked = Quantity(order.executed.0 + new_leaves.0);
            order.update_time = at.time;
        });
        let (Some(mut order), Some((before, quantity_before))) = (changed, before) else { return };
        if let Some(name) = name {
            order.client_order_id = name;
            self.shared.accounts.change(account, |account, _| account.orders_mut().rename(order_id, name));
        }
        let amendment = Amendment {
            instrument: order.instrument,
            order_id,
            execution_id: 2 * number,
            name_before: before,
            name: order.client_order_id,
            quantity_before,
            quantity: order.asked,
            time: at.time,
        };
        self.shared.accounts.change(account, |account, bounds| {
            account.amendments.add(amendment, bounds.records_of_account);
        });
        self.report(&order, Execution::Replaced(before), 2 * number, at.time);
    }

    fn prevent(&mut self, number: u64, prevented: &TradePrevented, at: Moment) {
        let TradePrevented { price, quantity, maker_decrement, mode, .. } = *prevented;
        let maker_side = prevented.taker_side.opposite();
        if maker_decrement.0 > 0 {
            let writer = self.touch(prevented.instrument);
            writer.market.live_mut().book.remove(maker_side, price, maker_decrement, at.sequence);
        }
        let record = PreventedMatch::of(prevented, at.time);
        // An order against another of its own account is one match, not two.
        let other = (prevented.taker_account != prevented.maker_account).then_some(prevented.maker_account);
        for account in std::iter::once(prevented.taker_account).chain(other) {
            self.shared
                .accounts
                .change(account, |account, bounds| account.prevented.add(record, bounds.records_of_account));
        }
        let decrements = mode == SelfTradePrevention::Decrement;
        let (taker, maker) = (prevented.taker_order_id, prevented.maker_order_id);
        let both = decrements || mode == SelfTradePrevention::ExpireBoth;
        let taker_decrement = if decrements { quantity } else { Quantity::ZERO };
        for (concerned, account, order_id, counter_order_id, decrement, side) in [
            (
                both || mode == SelfTradePrevention::ExpireTaker,
                prevented.taker_account,
                taker,
                maker,
                taker_decrement,
                0,
            ),
            (
                both || mode == SelfTradePrevention::ExpireMaker,
                prevented.maker_account,
                maker,
                taker,
                maker_decrement,
                1,
            ),
        ] {
            if !concerned {
                continue;
            }
            let prevented_match_id = prevented.prevented_match_id;
            let prevention = Prevention { prevented_match_id, counter_order_id, quantity, price };
            let order =
                self.change_order(account, order_id, |order| order.prevent(prevention, decrement, at.time));
            // Those that expire are reported when they are closed.
            if let Some(order) = order.filter(|_| decrements) {
                self.report(&order, Execution::TradePrevention, 2 * number + side, at.time);
            }
        }
    }

    /// Changes an open order and says what it is now. One that closes is kept within the bounds.
    fn change_order(
        &mut self,
        account: AccountId,
        order_id: OrderId,
        change: impl FnOnce(&mut Order),
    ) -> Option<Order> {
        let changed = self
            .shared
            .accounts
            .change(account, |account, bounds| account.orders_mut().change(order_id, bounds, change));
        if changed.is_some_and(|order| !order.status.is_open()) {
            let gone = self.retention.closed_order(account, order_id, &self.shared.bounds);
            if let Some((account, order_id)) = gone {
                self.shared.accounts.change(account, |account, _| account.orders_mut().forget(order_id));
            }
        }
        changed
    }

    fn report(&self, order: &Order, execution: Execution, execution_id: u64, time: Time) {
        if !self.live || !self.shared.user_feed.has(order.account) {
            return;
        }
        let Some(writer) = writer_of(&self.markets, order.instrument) else { return };
        let trade_group =
            self.shared.accounts.summary(order.account).map_or(0, |summary| summary.trade_group);
        let listing = &writer.listing;
        let report = ExecutionReport { listing, order, execution, execution_id, trade_group, time };
        self.shared.user_feed.publish(order.account, |unit| report.encode(unit));
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
