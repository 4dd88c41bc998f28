//! Events as records of `asset-topic` and `finance-topic`. Refuses to know orders.

use super::{
    books::{Balance, Books},
    record::{Made, PublicTopic},
    v1::{
        asset::{AssetEvent, BalanceChange},
        finance::{FinanceEvent, Kind},
    },
};
use protocol::{
    AccountId, AssetId, HoldId, Side,
    event::{Event, Trade},
    posting::Posting,
};

/// One record for each account whose balances an event moved.
pub(super) fn tell_balances(books: &Books, event: &Event, moved: &[(Posting, Balance)], made: &mut Made<'_>) {
    let mut told: Vec<AccountId> = Vec::new();
    for (posting, _) in moved {
        let account = posting.account;
        if told.contains(&account) {
            continue;
        }
        told.push(account);
        let changes = changes(books, account, moved);
        let place = made.place;
        let record = AssetEvent {
            sequence: place.sequence.0,
            index: place.index,
            time: place.time.0,
            account: account.0,
            cause: cause(event),
            changes,
        };
        made.of_account(PublicTopic::Asset, account, &record);
    }
}

/// An account's changes, those of one asset together.
fn changes(books: &Books, account: AccountId, moved: &[(Posting, Balance)]) -> Vec<BalanceChange> {
    let mut sums: Vec<(AssetId, i64, i64, Balance)> = Vec::new();
    for (posting, after) in moved.iter().filter(|(posting, _)| posting.account == account) {
        match sums.iter_mut().find(|(asset, ..)| *asset == posting.asset) {
            Some((_, available, held, last)) => {
                *available += posting.available;
                *held += posting.held;
                *last = *after;
            }
            None => sums.push((posting.asset, posting.available, posting.held, *after)),
        }
    }
    let change = |(asset, available, held, after): (AssetId, i64, i64, Balance)| BalanceChange {
        asset: books.asset_name(asset),
        available_change: books.amount(asset, available),
        held_change: books.amount(asset, held),
        available: books.amount(asset, after.available),
        held: books.amount(asset, after.held),
    };
    sums.into_iter().map(change).collect()
}

/// The event's name.
fn cause(event: &Event) -> String {
    let text = format!("{event:?}");
    text.split(['(', ' ']).next().unwrap_or_default().to_owned()
}

/// One movement.
#[derive(Clone, Copy)]
struct Movement {
    account: AccountId,
    kind: Kind,
    asset: AssetId,
    amount: i64,
    counterparty: AccountId,
    reference: [u64; 2],
    hold_id: HoldId,
}

pub(super) fn tell_movements(books: &Books, event: &Event, made: &mut Made<'_>) {
    let nobody = AccountId(0);
    match event {
        Event::Transferred(moved) => {
            let (asset, amount, reference) = (moved.asset, moved.amount, moved.reference);
            let sides = [
                (moved.account, moved.to, Kind::Sent, Kind::Withdrawal),
                (moved.to, moved.account, Kind::Received, Kind::Deposit),
            ];
            for (account, counterparty, inside, outside) in sides {
                if books.is_outside(account) {
                    continue;
                }
                let kind = if books.is_outside(counterparty) { outside } else { inside };
                let hold_id = HoldId(0);
                let movement = Movement { account, kind, asset, amount, counterparty, reference, hold_id };
                tell_movement(books, movement, made);
            }
        }
        Event::HoldOpened(hold) => {
            let (account, asset, amount) = (hold.account, hold.asset, hold.amount);
            let (reference, hold_id, kind) = (hold.reference, hold.hold_id, Kind::HoldOpened);
            let movement =
                Movement { account, kind, asset, amount, counterparty: nobody, reference, hold_id };
            tell_movement(books, movement, made);
        }
        Event::HoldCaptured(hold) => {
            let (asset, reference, hold_id) = (hold.asset, hold.reference, hold.hold_id);
            let captured = if books.is_outside(hold.to) { Kind::Withdrawal } else { Kind::HoldCaptured };
            let one = |account, kind, amount, counterparty| Movement {
                account,
                kind,
                asset,
                amount,
                counterparty,
                reference,
                hold_id,
            };
            tell_movement(books, one(hold.account, captured, hold.amount, hold.to), made);
            if hold.released > 0 {
                tell_movement(books, one(hold.account, Kind::HoldReleased, hold.released, nobody), made);
            }
            if !books.is_outside(hold.to) {
                tell_movement(books, one(hold.to, Kind::Received, hold.amount, hold.account), made);
            }
        }
        Event::HoldReleased(hold) => {
            let (account, asset, amount) = (hold.account, hold.asset, hold.amount);
            let (reference, hold_id, kind) = (hold.reference, hold.hold_id, Kind::HoldReleased);
            let movement =
                Movement { account, kind, asset, amount, counterparty: nobody, reference, hold_id };
            tell_movement(books, movement, made);
        }
        Event::Trade(trade) => tell_fees(books, trade, made),
        Event::AuctionTrade(auction) => tell_fees(books, &auction.trade, made),
        _ => {}
    }
}

fn tell_movement(books: &Books, movement: Movement, made: &mut Made<'_>) {
    let record = FinanceEvent {
        sequence: made.place.sequence.0,
        index: made.place.index,
        time: made.place.time.0,
        account: movement.account.0,
        kind: movement.kind.into(),
        asset: books.asset_name(movement.asset),
        amount: books.amount(movement.asset, movement.amount),
        counterparty: movement.counterparty.0,
        reference: reference(movement.reference),
        hold_id: movement.hold_id.0,
        ..FinanceEvent::default()
    };
    made.of_account(PublicTopic::Finance, movement.account, &record);
}

fn tell_fees(books: &Books, trade: &Trade, made: &mut Made<'_>) {
    let Some(instrument) = books.instrument(trade.instrument) else { return };
    let (maker_asset, taker_asset) = match trade.taker_side {
        Side::Buy => (instrument.quote, instrument.base),
        Side::Sell => (instrument.base, instrument.quote),
    };
    let fees = [
        (trade.maker_account, maker_asset, trade.maker_fee),
        (trade.taker_account, taker_asset, trade.taker_fee),
    ];
    for (account, asset, fee) in fees.into_iter().filter(|(.., fee)| *fee != 0) {
        let record = FinanceEvent {
            sequence: made.place.sequence.0,
            index: made.place.index,
            time: made.place.time.0,
            account: account.0,
            kind: Kind::Fee.into(),
            asset: books.asset_name(asset),
            amount: books.amount(asset, fee),
            counterparty: AccountId::FEES.0,
            trade_id: trade.trade_id.0,
            instrument: instrument.symbol.to_string(),
            ..FinanceEvent::default()
        };
        made.of_account(PublicTopic::Finance, account, &record);
    }
}

/// A business key in hexadecimal, most significant first; empty for none.
fn reference([low, high]: [u64; 2]) -> String {
    if (low, high) == (0, 0) { String::new() } else { format!("{high:016x}{low:016x}") }
}
