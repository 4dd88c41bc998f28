//! The postings of an event, each taken apart by reason. What the parts of a posting add up to is
//! the posting. Refuses to put it into words.

use super::{Movement, MovementKind, Role};
use engine_core::{Engine, ledger::accounts::AccountKind};
use protocol::{
    AccountId, AssetId, Side,
    event::{Event, HoldCaptured, Trade},
    posting::{Posting, postings},
};

/// Calls `see` with each movement that `event` made. `engine` is the core after the event's command:
/// it knows every asset, account and instrument that the event names.
pub(crate) fn movements(engine: &Engine, event: &Event, mut see: impl FnMut(Movement)) {
    let instrument = |id| engine.market(id).map(|market| &market.instrument);
    postings(event, instrument, |posting| take_apart(engine, event, &posting, &mut see));
}

fn take_apart(engine: &Engine, event: &Event, posting: &Posting, see: &mut impl FnMut(Movement)) {
    let Posting { account, asset, available, held } = *posting;
    let mut part =
        |kind, available, held, role| see(Movement { account, asset, kind, available, held, role });
    let is_external =
        |id| engine.ledger().accounts.get(id).is_some_and(|account| account.kind == AccountKind::External);
    match event {
        Event::Trade(trade) => fill(engine, trade, posting, see),
        Event::AuctionTrade(auction) => fill(engine, &auction.trade, posting, see),
        Event::Transferred(moved) => {
            let kind = if is_external(moved.account) {
                MovementKind::Deposit
            } else if is_external(moved.to) {
                MovementKind::Withdrawal
            } else if available < 0 {
                MovementKind::TransferOut
            } else {
                MovementKind::TransferIn
            };
            part(kind, available, held, None);
        }
        Event::HoldCaptured(hold) => {
            let HoldCaptured { amount, released, .. } = *hold;
            let owners = held != 0; // a capture is of one unit at least
            let kind = match (is_external(hold.to), owners) {
                (true, _) => MovementKind::Withdrawal,
                (false, true) => MovementKind::Captured,
                (false, false) => MovementKind::CaptureReceived,
            };
            if owners {
                part(kind, 0, -amount, None);
                if released != 0 {
                    part(MovementKind::HoldReleased, released, -released, None);
                }
            } else {
                part(kind, available, held, None);
            }
        }
        Event::HoldOpened(_) => part(MovementKind::HoldOpened, available, held, None),
        Event::HoldReleased(_) => part(MovementKind::HoldReleased, available, held, None),
        // All others move between available and held, for an order.
        _ if held < 0 => part(MovementKind::OrderReleased, available, held, None),
        _ => part(MovementKind::OrderHeld, available, held, None),
    }
}

/// A fill's postings. Who pays from what it holds, and who from what is available, differs between a
/// trade and an auction's; what is received and which fee is taken from it does not.
fn fill(engine: &Engine, trade: &Trade, posting: &Posting, see: &mut impl FnMut(Movement)) {
    let Posting { account, asset, available, held } = *posting;
    let mut part =
        |kind, available, held, role| see(Movement { account, asset, kind, available, held, role });
    if account == AccountId::FEES {
        let kind = if available < 0 { MovementKind::RebateGiven } else { MovementKind::FeeEarned };
        return part(kind, available, held, None);
    }
    let quote = engine.market(trade.instrument).map_or(AssetId(0), |market| market.instrument.quote);
    // Something is given in every fill, and what is received never less than its fee.
    let gives = held < 0 || available < 0;
    let buys = (asset == quote) == gives;
    let is_maker = buys == (trade.taker_side == Side::Sell);
    let (order_id, counterparty) = if is_maker {
        (trade.maker_order_id, trade.taker_order_id)
    } else {
        (trade.taker_order_id, trade.maker_order_id)
    };
    let role = Some(Role { is_maker, order_id, counterparty });
    if gives {
        let kind = if buys { MovementKind::Paid } else { MovementKind::Sold };
        if held < 0 && available > 0 {
            // An auction's price was better than the buyer's limit, at which the order held.
            part(kind, 0, held + available, role);
            part(MovementKind::OrderReleased, available, -available, role);
        } else {
            part(kind, available, held, role);
        }
        return;
    }
    let fee = if is_maker { trade.maker_fee } else { trade.taker_fee };
    let kind = if buys { MovementKind::Bought } else { MovementKind::Proceeds };
    part(kind, available + fee, held, role);
    if fee != 0 {
        part(if fee > 0 { MovementKind::Fee } else { MovementKind::Rebate }, -fee, 0, role);
    }
}
