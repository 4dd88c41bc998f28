//! What events do to balances: a posting for each change, and the balance after it. Refuses to know how
//! amounts come about: that is `protocol::posting`.

use super::{Moment, Projection, Tracked};
use crate::SettlementError;
use protocol::{
    AccountId, AssetId, InstrumentId, Sequence, Time,
    event::{Event, EventKind},
    posting::{Posting, postings},
};

/// What an account has of an asset, and when that last changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BalanceState {
    pub(super) available: i64,
    pub(super) held: i64,
    pub(super) sequence: Sequence,
    pub(super) time: Time,
}

/// What an event that moved money was about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    reason: EventKind,
    /// The id of the order, trade, hold or list.
    subject: u64,
    instrument: Option<InstrumentId>,
    /// The sender's business key.
    reference: Option<[u64; 2]>,
}

impl Projection {
    pub(super) fn post(&mut self, event: &Event, at: Moment) -> Result<(), SettlementError> {
        let Some(origin) = origin(event) else { return Ok(()) };
        let Self { listings, balances, changed_balances, tables, .. } = self;
        let listing = |id: InstrumentId| {
            listings.get(usize::from(id.0).wrapping_sub(1))?.as_ref().map(|listing| &listing.instrument)
        };
        let mut leg = 0;
        let mut broken = None;
        postings(event, listing, |posting: Posting| {
            let Posting { account, asset, available, held } = posting;
            let balance = balances
                .entry((account, asset))
                .or_insert(Tracked { value: BalanceState::default(), changed: false });
            let state = &mut balance.value;
            let after = (state.available.checked_add(available), state.held.checked_add(held));
            let (Some(available_after), Some(held_after)) = after else {
                broken = Some((account, asset));
                return;
            };
            *state = BalanceState {
                available: available_after,
                held: held_after,
                sequence: at.sequence,
                time: at.time,
            };
            if !std::mem::replace(&mut balance.changed, true) {
                changed_balances.push((account, asset));
            }
            tables
                .postings
                .add()
                .integer(account.0.into())
                .integer(at.time.0 as i64)
                .integer(at.sequence.0 as i64)
                .integer(available)
                .integer(held)
                .integer(available_after)
                .integer(held_after)
                .integer(origin.subject as i64)
                .integer(asset.0.into())
                .integer(at.event_index.into())
                .optional(origin.instrument.map(|instrument| instrument.0.into()))
                .integer(leg)
                .integer(origin.reason as i64)
                .optional_text(origin.reference.map(|[high, low]| format!("{high:016x}{low:016x}")))
                .end();
            leg += 1;
        });
        match broken {
            Some((account, asset)) => {
                let what = format!("account {account}'s balance of asset {asset} passes 64 bits");
                Err(Self::contradiction(at, what))
            }
            None => Ok(()),
        }
    }

    pub(super) fn take_balances(&mut self) {
        for key in self.changed_balances.drain(..) {
            let Some(balance) = self.balances.get_mut(&key) else { continue };
            balance.changed = false;
            let (AccountId(account), AssetId(asset)) = key;
            let BalanceState { available, held, sequence, time } = balance.value;
            self.tables
                .balances
                .add()
                .integer(account.into())
                .integer(asset.into())
                .integer(available)
                .integer(held)
                .integer(sequence.0 as i64)
                .integer(time.0 as i64)
                .end();
        }
    }
}

/// What is said of an event's postings; `None` of an event that moves no money.
fn origin(event: &Event) -> Option<Origin> {
    let order = |reason, order_id: protocol::OrderId, instrument| {
        Some(Origin { reason, subject: order_id.0, instrument: Some(instrument), reference: None })
    };
    let keyed = |reason, subject, reference: [u64; 2]| {
        let reference = (reference != [0, 0]).then_some(reference);
        Some(Origin { reason, subject, instrument: None, reference })
    };
    match event {
        Event::OrderAccepted(one, ..) => order(EventKind::OrderAccepted, one.order_id, one.instrument),
        Event::OrderRested(one) => order(EventKind::OrderRested, one.order_id, one.instrument),
        Event::OrderClosed(one, _) => order(EventKind::OrderClosed, one.order_id, one.instrument),
        Event::OrderAmended(one, _) => order(EventKind::OrderAmended, one.order_id, one.instrument),
        Event::OrderTriggered(one) => order(EventKind::OrderTriggered, one.order_id, one.instrument),
        Event::OrderActivated(one) => order(EventKind::OrderActivated, one.order_id, one.instrument),
        Event::ReserveChanged(one) => order(EventKind::ReserveChanged, one.order_id, one.instrument),
        Event::TradePrevented(one) => order(EventKind::TradePrevented, one.maker_order_id, one.instrument),
        Event::ListHoldChanged(one) => keyed(EventKind::ListHoldChanged, one.list_id.0, [0, 0]),
        Event::Trade(one) => Some(Origin {
            reason: EventKind::Trade,
            subject: one.trade_id.0,
            instrument: Some(one.instrument),
            reference: None,
        }),
        Event::AuctionTrade(one) => Some(Origin {
            reason: EventKind::AuctionTrade,
            subject: one.trade.trade_id.0,
            instrument: Some(one.trade.instrument),
            reference: None,
        }),
        Event::Transferred(one) => keyed(EventKind::Transferred, 0, one.reference),
        Event::HoldOpened(one) => keyed(EventKind::HoldOpened, one.hold_id.0, one.reference),
        Event::HoldCaptured(one) => keyed(EventKind::HoldCaptured, one.hold_id.0, one.reference),
        Event::HoldReleased(one) => keyed(EventKind::HoldReleased, one.hold_id.0, one.reference),
        _ => None,
    }
}
