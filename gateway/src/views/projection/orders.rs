//! What events of orders do to them, to the books and to their owners' streams. Refuses to know
//! balances and commands.

use super::{Moment, Projection, writer_of};
use crate::views::{
    Amendment, Order, OrderStatus, OwnTrade, PreventedMatch, Prevention, PublicTrade, Stream, market_stream,
    shown_cancel_id,
    user_event::{self, Execution, ExecutionReport},
};
use protocol::{
    AccountId, ClientOrderId, OrderId, Price, Quantity, SelfTradePrevention, Side, Time,
    event::{
        AuctionTrade, OrderAccepted, OrderActivated, OrderAmended, OrderClosed, OrderListChanged,
        OrderRested, OrderTriggered, Trade, TradePrevented,
    },
    posting::order_hold,
    terms::AcceptedTerms,
};
use std::sync::Arc;

impl Projection {
    pub(super) fn accept(
        &mut self,
        number: u64,
        accepted: &OrderAccepted,
        name: Option<ClientOrderId>,
        terms: Option<AcceptedTerms>,
        at: Moment,
    ) {
        let order = Order::accepted(accepted, name, terms, at.time);
        self.shared.accounts.change(order.account, |account| account.orders_mut().add(&order, name));
        if order.is_resting {
            let (side, price, quantity) = (order.side, order.price, accepted.quantity);
            self.touch(order.instrument).market.live_mut().book.add(side, price, quantity, at.sequence);
        }
        self.report(&order, Execution::New, 2 * number, at.time);
    }

    pub(super) fn rest(&mut self, rested: &OrderRested, at: Moment) {
        let OrderRested { side, price, leaves, .. } = *rested;
        self.touch(rested.instrument).market.live_mut().book.add(side, price, leaves, at.sequence);
        self.change_order(rested.account, rested.order_id, |order| order.rest(leaves));
    }

    pub(super) fn trigger(&mut self, number: u64, triggered: &OrderTriggered, at: Moment) {
        let order = self.change_order(triggered.account, triggered.order_id, |order| order.trigger(at.time));
        if let Some(order) = order {
            self.report(&order, Execution::New, 2 * number, at.time);
        }
    }

    pub(super) fn activate(&mut self, number: u64, activated: &OrderActivated, at: Moment) {
        let OrderActivated { account, order_id, .. } = *activated;
        let order = self.change_order(account, order_id, |order| order.activate(activated, at.time));
        if let Some(order) = order {
            self.report(&order, Execution::New, 2 * number, at.time);
        }
    }

    /// Takes in where a list stands, and tells its owner.
    pub(super) fn change_list(
        &mut self,
        changed: &OrderListChanged,
        name: Option<ClientOrderId>,
        at: Moment,
    ) {
        let accounts = &self.shared.accounts;
        let list = accounts
            .change(changed.account, |account| account.lists.set(changed, name, at.time, &self.leave));
        if !self.live || !self.shared.user_feed.has(list.account) {
            return;
        }
        let Some(writer) = writer_of(&self.markets, list.instrument) else { return };
        let orders: Vec<_> =
            list.orders().iter().filter_map(|order_id| accounts.order(list.account, *order_id)).collect();
        self.shared.user_feed.publish(list.account, |unit| {
            user_event::list_status(&list, &orders, &writer.listing, at.time, unit)
        });
    }

    /// Both orders of an auction's trade were at rest.
    pub(super) fn auction_trade(&mut self, number: u64, auction: &AuctionTrade, at: Moment) {
        let AuctionTrade { trade, maker_price, taker_price, .. } = *auction;
        let writer = self.touch(trade.instrument);
        writer.market.live_mut().book.remove(trade.taker_side, taker_price, trade.quantity, at.sequence);
        self.trade(number, &trade, maker_price, false, at);
    }

    /// `maker_price` is where the maker's order rests.
    pub(super) fn trade(
        &mut self,
        number: u64,
        trade: &Trade,
        maker_price: Price,
        short_of_a_lot: bool,
        at: Moment,
    ) {
        let Trade { price, quantity, taker_side, .. } = *trade;
        let maker_side = taker_side.opposite();
        let leave = self.leave;
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
        live.book.remove(maker_side, maker_price, quantity, at.sequence);
        live.add_trade(&public, trade.aggregate_id, &leave);
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
        self.own_trade(2 * number, trade.taker_account, taker, short_of_a_lot, at);
        self.own_trade(2 * number + 1, trade.maker_account, maker, false, at);
    }

    /// One side of a trade. `execution_id` is what its report is called.
    fn own_trade(
        &mut self,
        execution_id: u64,
        account: AccountId,
        trade: OwnTrade,
        short_of_a_lot: bool,
        at: Moment,
    ) {
        let leave = self.leave;
        let number = self.shared.accounts.change(account, |account| account.add_trade(trade, &leave));
        self.retention.trade(account, number, at.time);
        while let Some((account, number)) = self.retention.take_trade(&leave) {
            self.shared.accounts.change(account, |account| account.forget_trades(number, &leave));
        }
        let order = self.change_order(account, trade.order_id, |order| {
            order.trade(trade.quantity, trade.quote, short_of_a_lot, at.time);
        });
        if let Some(order) = order {
            self.report(&order, Execution::Trade(trade), execution_id, at.time);
        }
    }

    pub(super) fn close(
        &mut self,
        number: u64,
        closed: &OrderClosed,
        request: Option<ClientOrderId>,
        at: Moment,
    ) {
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
            OrderStatus::Canceled => Execution::Canceled(shown_cancel_id(order.order_id, request)),
            OrderStatus::ExpiredInMatch => Execution::TradePrevention,
            _ => Execution::Expired,
        };
        self.report(&order, execution, 2 * number, at.time);
    }

    pub(super) fn amend(
        &mut self,
        number: u64,
        amended: &OrderAmended,
        name: Option<ClientOrderId>,
        at: Moment,
    ) {
        let OrderAmended { account, order_id, side, price, old_leaves, new_leaves, .. } = *amended;
        let less = Quantity(old_leaves.0 - new_leaves.0);
        if amended.waits == 0 {
            self.touch(amended.instrument).market.live_mut().book.remove(side, price, less, at.sequence);
        }
        let mut before = None;
        let changed = self.change_order(account, order_id, |order| {
            before = Some((order.client_order_id, order.asked));
            // What an iceberg keeps out of sight has changed before, by an event of its own.
            order.leaves = Quantity(new_leaves.0 + order.hidden.0);
            order.asked = Quantity(order.executed.0 + order.leaves.0);
            order.update_time = at.time;
        });
        let (Some(mut order), Some((before, quantity_before))) = (changed, before) else { return };
        if let Some(name) = name {
            order.client_order_id = name;
            self.shared.accounts.change(account, |account| account.orders_mut().rename(order_id, name));
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
        self.shared.accounts.change(account, |account| account.amendments.add(amendment, &self.leave));
        self.report(&order, Execution::Replaced(before), 2 * number, at.time);
    }

    pub(super) fn prevent(&mut self, number: u64, prevented: &TradePrevented, at: Moment) {
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
            self.shared.accounts.change(account, |account| account.prevented.add(record, &self.leave));
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
    pub(super) fn change_order(
        &mut self,
        account: AccountId,
        order_id: OrderId,
        change: impl FnOnce(&mut Order),
    ) -> Option<Order> {
        let leave = self.leave;
        let changed = self
            .shared
            .accounts
            .change(account, |account| account.orders_mut().change(order_id, &leave, change));
        if let Some(order) = changed.filter(|order| !order.status.is_open()) {
            self.retention.closed_order(account, order_id, order.update_time);
            while let Some((account, order_id)) = self.retention.take_order(&leave) {
                self.shared.accounts.change(account, |account| account.orders_mut().forget(order_id, &leave));
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
}
