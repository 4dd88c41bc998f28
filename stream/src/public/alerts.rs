//! Events as records of `risk-topic` and `notification-topic`: trades, orders, refusals, and what comes
//! from outside and goes there. Refuses to decide what is risky.

use super::{
    books::Books,
    record::{Made, PublicTopic},
    v1::{
        notification::{Kind as NoticeKind, NotificationEvent},
        risk::{Kind as RiskKind, RiskEvent},
    },
};
use protocol::{
    AccountId, AssetId, InstrumentId, Price, Quantity, Reject, Side,
    command::{CommandKind, QuantityKind},
    decimal::parse_units,
    event::{Event, OrderAccepted, OrderClosed, Trade},
    order::CloseReason,
    posting::order_hold,
};

/// From which notional on an order is called large, in the quote asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeOrder {
    /// The quote asset's name.
    pub asset: String,
    /// A decimal of that asset.
    pub notional: String,
}

pub(super) fn tell(books: &Books, large: &[LargeOrder], event: &Event, made: &mut Made<'_>) {
    match event {
        Event::OrderAccepted(order, ..) => tell_order(books, large, order, made),
        Event::Trade(trade) => tell_trade(books, trade, made),
        Event::AuctionTrade(auction) => tell_trade(books, &auction.trade, made),
        Event::OrderClosed(order, _) if order.reason != CloseReason::Cancelled => {
            tell_end(books, order, made);
        }
        Event::Transferred(moved) => {
            tell_outside(books, moved.account, moved.to, moved.asset, moved.amount, made);
        }
        Event::HoldCaptured(hold) => {
            tell_outside(books, hold.account, hold.to, hold.asset, hold.amount, made);
        }
        _ => {}
    }
}

/// A record of what happened to an account, to be filled in further.
fn risk(made: &Made<'_>, account: AccountId, kind: RiskKind) -> RiskEvent {
    RiskEvent {
        sequence: made.place.sequence.0,
        index: made.place.index,
        time: made.place.time.0,
        account: account.0,
        kind: kind.into(),
        ..RiskEvent::default()
    }
}

/// A record of what to tell an account's owner, to be filled in further.
fn notice(made: &Made<'_>, account: AccountId, kind: NoticeKind) -> NotificationEvent {
    NotificationEvent {
        sequence: made.place.sequence.0,
        index: made.place.index,
        time: made.place.time.0,
        account: account.0,
        kind: kind.into(),
        ..NotificationEvent::default()
    }
}

/// Price times quantity in the quote asset: the asset, and ledger units of it.
fn notional(books: &Books, id: InstrumentId, price: Price, quantity: Quantity) -> Option<(AssetId, i64)> {
    let instrument = books.instrument(id)?;
    (price.0 > 0).then(|| order_hold(instrument, Side::Buy, price, quantity))
}

fn tell_order(books: &Books, large: &[LargeOrder], order: &OrderAccepted, made: &mut Made<'_>) {
    let worth = match order.quantity_kind {
        QuantityKind::Quote => books
            .instrument(order.instrument)
            .map(|instrument| (instrument.quote, i64::try_from(order.quantity.0).unwrap_or(i64::MAX))),
        QuantityKind::Base => notional(books, order.instrument, order.price, order.quantity),
    };
    let is_large = worth.is_some_and(|(asset, units)| is_large(books, large, asset, units));
    let kind = if is_large { RiskKind::LargeOrder } else { RiskKind::Order };
    let (price, quantity) = (books.price(order.instrument, order.price), base(books, order));
    let record = RiskEvent {
        instrument: books.symbol(order.instrument),
        is_buyer: order.side == Side::Buy,
        price: price.clone(),
        quantity: quantity.clone(),
        notional: worth.map(|(asset, units)| books.amount(asset, units)).unwrap_or_default(),
        asset: worth.map(|(asset, _)| books.asset_name(asset)).unwrap_or_default(),
        order_id: order.order_id.0,
        ..risk(made, order.account, kind)
    };
    made.of_account(PublicTopic::Risk, order.account, &record);
    if is_large {
        let record = NotificationEvent {
            instrument: record.instrument,
            order_id: order.order_id.0,
            is_buyer: order.side == Side::Buy,
            price,
            quantity,
            ..notice(made, order.account, NoticeKind::LargeOrder)
        };
        made.of_account(PublicTopic::Notification, order.account, &record);
    }
}

/// The quantity of the base asset; empty for an order by quote quantity.
fn base(books: &Books, order: &OrderAccepted) -> String {
    match order.quantity_kind {
        QuantityKind::Base => books.quantity(order.instrument, order.quantity),
        QuantityKind::Quote => String::new(),
    }
}

/// Whether that much of an asset is large for an order.
fn is_large(books: &Books, large: &[LargeOrder], asset: AssetId, units: i64) -> bool {
    large.iter().any(|rule| {
        books.asset_named(&rule.asset).is_some_and(|(id, scale)| {
            // A text that is no amount of the asset was refused when the rules were given.
            id == asset && parse_units(&rule.notional, scale).is_ok_and(|bound| units as u64 >= bound)
        })
    })
}

fn tell_trade(books: &Books, trade: &Trade, made: &mut Made<'_>) {
    let worth = notional(books, trade.instrument, trade.price, trade.quantity);
    let symbol = books.symbol(trade.instrument);
    let (price, quantity) =
        (books.price(trade.instrument, trade.price), books.quantity(trade.instrument, trade.quantity));
    let (maker, taker) = (trade.maker_account, trade.taker_account);
    let sides = [
        (maker, taker, trade.maker_order_id, trade.taker_side.opposite(), true),
        (taker, maker, trade.taker_order_id, trade.taker_side, false),
    ];
    for (account, other, order_id, side, is_maker) in sides {
        let record = RiskEvent {
            instrument: symbol.clone(),
            is_buyer: side == Side::Buy,
            price: price.clone(),
            quantity: quantity.clone(),
            notional: worth.map(|(asset, units)| books.amount(asset, units)).unwrap_or_default(),
            asset: worth.map(|(asset, _)| books.asset_name(asset)).unwrap_or_default(),
            order_id: order_id.0,
            trade_id: trade.trade_id.0,
            counterparty: other.0,
            is_maker,
            ..risk(made, account, RiskKind::Trade)
        };
        made.of_account(PublicTopic::Risk, account, &record);
        let record = NotificationEvent {
            instrument: symbol.clone(),
            order_id: order_id.0,
            is_buyer: side == Side::Buy,
            price: price.clone(),
            quantity: quantity.clone(),
            ..notice(made, account, NoticeKind::Fill)
        };
        made.of_account(PublicTopic::Notification, account, &record);
    }
}

fn tell_end(books: &Books, order: &OrderClosed, made: &mut Made<'_>) {
    let record = NotificationEvent {
        instrument: books.symbol(order.instrument),
        order_id: order.order_id.0,
        is_buyer: order.side == Side::Buy,
        price: books.price(order.instrument, order.price),
        reason: format!("{:?}", order.reason),
        ..notice(made, order.account, NoticeKind::OrderEnded)
    };
    made.of_account(PublicTopic::Notification, order.account, &record);
}

fn tell_outside(
    books: &Books,
    from: AccountId,
    to: AccountId,
    asset: AssetId,
    amount: i64,
    made: &mut Made<'_>,
) {
    let (account, other, risk_kind, notice_kind) = match (books.is_outside(from), books.is_outside(to)) {
        (true, false) => (to, from, RiskKind::Deposit, NoticeKind::Deposit),
        (false, true) => (from, to, RiskKind::Withdrawal, NoticeKind::Withdrawal),
        _ => return,
    };
    let (asset, amount) = (books.asset_name(asset), books.amount(asset, amount));
    let record = RiskEvent {
        counterparty: other.0,
        asset: asset.clone(),
        amount: amount.clone(),
        ..risk(made, account, risk_kind)
    };
    made.of_account(PublicTopic::Risk, account, &record);
    let record = NotificationEvent { asset, amount, ..notice(made, account, notice_kind) };
    made.of_account(PublicTopic::Notification, account, &record);
}

/// A command of an account that was refused.
pub(super) fn tell_refusal(account: AccountId, command: CommandKind, reject: Reject, made: &mut Made<'_>) {
    let record = RiskEvent {
        refusal_code: u32::from(reject as u16),
        refusal: reject.name().to_owned(),
        command: format!("{command:?}"),
        ..risk(made, account, RiskKind::Refusal)
    };
    made.of_account(PublicTopic::Risk, account, &record);
    let record =
        NotificationEvent { reason: reject.to_string(), ..notice(made, account, NoticeKind::Refusal) };
    made.of_account(PublicTopic::Notification, account, &record);
}
