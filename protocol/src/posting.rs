//! What an event did to balances: the double entries that every view, database and tool derives in
//! the same way. The sum over a single event's postings is zero for each asset (invariant 1 of
//! requirements §10.6). Refuses to keep balances.

use crate::{
    AccountId, AssetId, Instrument, InstrumentId, Price, Quantity, Side,
    event::{AuctionTrade, Event, Trade},
    terms::OrderPhase,
};

/// One account's change in one asset, in ledger units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// Change of what may be spent.
    pub available: i64,
    /// Change of what is set aside.
    pub held: i64,
}

/// Calls `post` with each change that `event` made. `instrument` gives the definition of an
/// instrument; events about unknown ones cannot be (they are created first) and post nothing.
pub fn postings<'a>(
    event: &Event,
    instrument: impl Fn(InstrumentId) -> Option<&'a Instrument>,
    mut post: impl FnMut(Posting),
) {
    let mut move_held = |account, id, side, price, quantity, direction: i64| {
        let Some(instrument) = instrument(id) else { return };
        let (asset, amount) = order_hold(instrument, side, price, quantity);
        let held = amount * direction;
        post(Posting { account, asset, available: -held, held });
    };
    match event {
        Event::OrderAccepted(order, ..) if order.rests != 0 => {
            move_held(order.account, order.instrument, order.side, order.price, order.quantity, 1);
        }
        Event::OrderRested(order) => {
            move_held(order.account, order.instrument, order.side, order.price, order.leaves, 1);
        }
        Event::OrderClosed(order, _) if order.rested != 0 => {
            move_held(order.account, order.instrument, order.side, order.price, order.leaves, -1);
        }
        Event::OrderAmended(order, _) if order.holds_nothing == 0 => {
            let less = Quantity(order.old_leaves.0 - order.new_leaves.0);
            move_held(order.account, order.instrument, order.side, order.price, less, -1);
        }
        Event::OrderTriggered(order) => {
            move_held(order.account, order.instrument, order.side, order.price, order.quantity, -1);
        }
        Event::OrderActivated(order) if order.phase == OrderPhase::Waiting => {
            move_held(order.account, order.instrument, order.side, order.price, order.quantity, 1);
        }
        Event::ReserveChanged(order) => {
            let (more, direction) = if order.new > order.old {
                (order.new.0 - order.old.0, 1)
            } else {
                (order.old.0 - order.new.0, -1)
            };
            move_held(order.account, order.instrument, order.side, order.price, Quantity(more), direction);
        }
        Event::ListHoldChanged(list) => {
            let (account, asset, held) = (list.account, list.asset, list.held);
            post(Posting { account, asset, available: -held, held });
        }
        Event::AuctionTrade(trade) => {
            if let Some(instrument) = instrument(trade.trade.instrument) {
                auction_postings(trade, instrument, post);
            }
        }
        Event::TradePrevented(prevented) if prevented.maker_decrement.0 > 0 => {
            let side = prevented.taker_side.opposite();
            let quantity = prevented.maker_decrement;
            move_held(prevented.maker_account, prevented.instrument, side, prevented.price, quantity, -1);
        }
        Event::Trade(trade) => {
            if let Some(instrument) = instrument(trade.instrument) {
                trade_postings(trade, instrument, post);
            }
        }
        Event::Transferred(moved) => {
            let asset = moved.asset;
            post(Posting { account: moved.account, asset, available: -moved.amount, held: 0 });
            post(Posting { account: moved.to, asset, available: moved.amount, held: 0 });
        }
        Event::HoldOpened(hold) => {
            let amount = hold.amount;
            post(Posting { account: hold.account, asset: hold.asset, available: -amount, held: amount });
        }
        Event::HoldCaptured(hold) => {
            let held = -(hold.amount + hold.released);
            post(Posting { account: hold.account, asset: hold.asset, available: hold.released, held });
            post(Posting { account: hold.to, asset: hold.asset, available: hold.amount, held: 0 });
        }
        Event::HoldReleased(hold) => {
            let amount = hold.amount;
            post(Posting { account: hold.account, asset: hold.asset, available: amount, held: -amount });
        }
        _ => {}
    }
}

/// What an order of `quantity` holds: which asset, and how much of it in ledger units.
pub fn order_hold(instrument: &Instrument, side: Side, price: Price, quantity: Quantity) -> (AssetId, i64) {
    // An accepted order's hold was checked to fit.
    match side {
        Side::Buy => (instrument.quote, instrument.notional(price, quantity).unwrap_or(i64::MAX)),
        Side::Sell => (instrument.base, instrument.base_amount(quantity).unwrap_or(i64::MAX)),
    }
}

/// Both sides held at their own limits; the buyer gets back what the auction's price is better by.
fn auction_postings(auction: &AuctionTrade, instrument: &Instrument, mut post: impl FnMut(Posting)) {
    let trade = &auction.trade;
    let (maker, taker) = (trade.maker_account, trade.taker_account);
    let (buyer, buy_limit, buy_fee, seller, sell_fee) = match trade.taker_side {
        Side::Buy => (taker, auction.taker_price, trade.taker_fee, maker, trade.maker_fee),
        Side::Sell => (maker, auction.maker_price, trade.maker_fee, taker, trade.taker_fee),
    };
    let (_, paid) = order_hold(instrument, Side::Buy, trade.price, trade.quantity);
    let (_, held) = order_hold(instrument, Side::Buy, buy_limit, trade.quantity);
    let (_, base) = order_hold(instrument, Side::Sell, trade.price, trade.quantity);
    let (quote_asset, base_asset) = (instrument.quote, instrument.base);
    post(Posting { account: buyer, asset: quote_asset, available: held - paid, held: -held });
    post(Posting { account: buyer, asset: base_asset, available: base - buy_fee, held: 0 });
    post(Posting { account: seller, asset: base_asset, available: 0, held: -base });
    post(Posting { account: seller, asset: quote_asset, available: paid - sell_fee, held: 0 });
    for (asset, fee) in [(base_asset, buy_fee), (quote_asset, sell_fee)] {
        if fee != 0 {
            post(Posting { account: AccountId::FEES, asset, available: fee, held: 0 });
        }
    }
}

fn trade_postings(trade: &Trade, instrument: &Instrument, mut post: impl FnMut(Posting)) {
    let (_, notional) = order_hold(instrument, Side::Buy, trade.price, trade.quantity);
    let (_, base) = order_hold(instrument, Side::Sell, trade.price, trade.quantity);
    let (paid, received) = match trade.taker_side {
        Side::Buy => ((instrument.quote, notional), (instrument.base, base)),
        Side::Sell => ((instrument.base, base), (instrument.quote, notional)),
    };
    let taker = trade.taker_account;
    let maker = trade.maker_account;
    post(Posting { account: taker, asset: paid.0, available: -paid.1, held: 0 });
    post(Posting { account: taker, asset: received.0, available: received.1 - trade.taker_fee, held: 0 });
    post(Posting { account: maker, asset: received.0, available: 0, held: -received.1 });
    post(Posting { account: maker, asset: paid.0, available: paid.1 - trade.maker_fee, held: 0 });
    for (asset, fee) in [(received.0, trade.taker_fee), (paid.0, trade.maker_fee)] {
        if fee != 0 {
            post(Posting { account: AccountId::FEES, asset, available: fee, held: 0 });
        }
    }
}
