//! Events as records of `order-topic` and `trade-topic`. Refuses to know balances.

use super::{
    books::Books,
    record::{Made, PublicTopic},
    v1::{
        order::{Change, OrderEvent, Side as PublicSide},
        trade::TradeEvent,
    },
};
use protocol::{
    AccountId, InstrumentId, OrderId, Price, Quantity, Side, Time,
    command::QuantityKind,
    event::{Event, OrderAccepted, Trade},
    posting::order_hold,
};

/// Which order, as every event of one says.
#[derive(Clone, Copy)]
struct Which {
    instrument: InstrumentId,
    order_id: OrderId,
    account: AccountId,
    side: Side,
}

pub(super) fn tell(books: &Books, event: &Event, made: &mut Made<'_>) {
    let place = made.place;
    let mut change = |which: Which, change: Change, price: Price, quantity: Quantity, more: OrderEvent| {
        let instrument = books.symbol(which.instrument);
        let record = OrderEvent {
            sequence: place.sequence.0,
            index: place.index,
            time: place.time.0,
            order_id: which.order_id.0,
            account: which.account.0,
            change: change.into(),
            side: side(which.side).into(),
            price: books.price(which.instrument, price),
            quantity: if more.quantity.is_empty() {
                books.quantity(which.instrument, quantity)
            } else {
                more.quantity.clone()
            },
            instrument,
            ..more
        };
        made.of_instrument(PublicTopic::Order, &record.instrument, &record);
    };
    macro_rules! which {
        ($event:ident) => {
            Which {
                instrument: $event.instrument,
                order_id: $event.order_id,
                account: $event.account,
                side: $event.side,
            }
        };
    }
    let plain = OrderEvent::default();
    match event {
        Event::OrderAccepted(order, name, _) => {
            let more = OrderEvent {
                order_type: format!("{:?}", order.order_type),
                time_in_force: format!("{:?}", order.time_in_force),
                client_order_id: name.map(|name| name.to_string()).unwrap_or_default(),
                expires_at: if order.expires_at == Time::NEVER { 0 } else { order.expires_at.0 },
                quantity_is_quote: order.quantity_kind == QuantityKind::Quote,
                quantity: quote_quantity(books, order).unwrap_or_default(),
                ..plain
            };
            change(which!(order), Change::Accepted, order.price, order.quantity, more);
        }
        Event::OrderRested(order) => change(which!(order), Change::Rested, order.price, order.leaves, plain),
        Event::OrderClosed(order, _) => {
            let more = OrderEvent { reason: format!("{:?}", order.reason), ..plain };
            change(which!(order), Change::Closed, order.price, order.leaves, more);
        }
        Event::OrderAmended(order, name) => {
            let client_order_id = name.map(|name| name.to_string()).unwrap_or_default();
            let more = OrderEvent { client_order_id, ..plain };
            change(which!(order), Change::Amended, order.price, order.new_leaves, more);
        }
        Event::OrderTriggered(order) => {
            change(which!(order), Change::Triggered, order.price, order.quantity, plain);
        }
        Event::OrderActivated(order) => {
            change(which!(order), Change::Activated, order.price, order.quantity, plain);
        }
        Event::ReserveChanged(order) => {
            change(which!(order), Change::Reserve, order.price, order.new, plain);
        }
        Event::TradePrevented(both) => {
            for (order_id, account, side) in [
                (both.maker_order_id, both.maker_account, both.taker_side.opposite()),
                (both.taker_order_id, both.taker_account, both.taker_side),
            ] {
                let which = Which { instrument: both.instrument, order_id, account, side };
                change(which, Change::Prevented, both.price, both.quantity, plain.clone());
            }
        }
        Event::Trade(_) | Event::AuctionTrade(_) => {
            let (trade, is_auction) = match event {
                Event::AuctionTrade(auction) => (&auction.trade, true),
                Event::Trade(trade) => (trade, false),
                _ => return,
            };
            for (order_id, account, side) in [
                (trade.maker_order_id, trade.maker_account, trade.taker_side.opposite()),
                (trade.taker_order_id, trade.taker_account, trade.taker_side),
            ] {
                let which = Which { instrument: trade.instrument, order_id, account, side };
                let more = OrderEvent { trade_id: trade.trade_id.0, ..plain.clone() };
                change(which, Change::Traded, trade.price, trade.quantity, more);
            }
            tell_trade(books, trade, is_auction, made);
        }
        _ => {}
    }
}

fn tell_trade(books: &Books, trade: &Trade, is_auction: bool, made: &mut Made<'_>) {
    let Some(instrument) = books.instrument(trade.instrument) else { return };
    let (quote, paid) = order_hold(instrument, Side::Buy, trade.price, trade.quantity);
    let (maker_fee_asset, taker_fee_asset) = match trade.taker_side {
        Side::Buy => (instrument.quote, instrument.base),
        Side::Sell => (instrument.base, instrument.quote),
    };
    let record = TradeEvent {
        sequence: made.place.sequence.0,
        index: made.place.index,
        time: made.place.time.0,
        instrument: instrument.symbol.to_string(),
        trade_id: trade.trade_id.0,
        aggregate_id: trade.aggregate_id,
        price: books.price(trade.instrument, trade.price),
        quantity: books.quantity(trade.instrument, trade.quantity),
        quote_quantity: books.amount(quote, paid),
        taker_is_buyer: trade.taker_side == Side::Buy,
        maker_order_id: trade.maker_order_id.0,
        taker_order_id: trade.taker_order_id.0,
        maker_account: trade.maker_account.0,
        taker_account: trade.taker_account.0,
        maker_fee: books.amount(maker_fee_asset, trade.maker_fee),
        maker_fee_asset: books.asset_name(maker_fee_asset),
        taker_fee: books.amount(taker_fee_asset, trade.taker_fee),
        taker_fee_asset: books.asset_name(taker_fee_asset),
        is_auction,
    };
    made.of_instrument(PublicTopic::Trade, &record.instrument, &record);
}

/// The quantity of a market order by quote quantity: ledger units of the quote.
fn quote_quantity(books: &Books, order: &OrderAccepted) -> Option<String> {
    let instrument = books.instrument(order.instrument)?;
    (order.quantity_kind == QuantityKind::Quote)
        .then(|| books.amount(instrument.quote, i64::try_from(order.quantity.0).unwrap_or(i64::MAX)))
}

const fn side(side: Side) -> PublicSide {
    match side {
        Side::Buy => PublicSide::Buy,
        Side::Sell => PublicSide::Sell,
    }
}
